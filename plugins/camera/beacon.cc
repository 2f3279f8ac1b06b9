// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/beacon.h"

#include <cstdio>
#include <string>
#include <utility>

namespace sphere::camera {

using consent::Category;
using consent::Position;
using consent::Purpose;

namespace {

std::string decimal(const char* format, double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, format, value);
}

madv::Request location_request(const Position& place) {
  return madv::Request(madv::msg_set_location)
      .with("lat", decimal("%.6f", place.latitude))
      .with("lon", decimal("%.6f", place.longitude))
      .with("alt", decimal("%.2f", place.altitude.value_or(0)))
      .with("btwifi", std::string("2"));
}

}  // namespace

void Beacon::set_place(std::optional<Position> place) {
  const Lock lock(mutex_);
  place_ = place;
  changed_ = true;
}

void Beacon::set_interval(std::chrono::seconds interval) {
  const Lock lock(mutex_);
  interval_ = interval;
}

std::chrono::seconds Beacon::interval() {
  const Lock lock(mutex_);
  return interval_;
}

void Beacon::restart() {
  sent_at_.reset();
  told_ = false;
}

std::optional<Beacon::Clock::time_point> Beacon::step(madv::Session* session) {
  std::optional<Position> place;
  std::chrono::seconds interval;
  bool changed = false;
  {
    const Lock lock(mutex_);
    place = place_;
    interval = interval_;
    if (session) changed = std::exchange(changed_, false);
  }
  const consent::Answer answer = consent_.ask(Category::location, Purpose::camera);
  if (!answer.allowed) {
    sent_at_.reset();
    if (std::exchange(told_, false))
      GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                          ("The camera is told its position no more. It may still hold the last "
                           "one: no command is known that clears it."),
                          ("%s", answer.reason.c_str()));
    return std::nullopt;
  }
  if (!place || !session) return std::nullopt;
  const Clock::time_point now = Clock::now();
  if (!sent_at_ || changed || now >= *sent_at_ + interval) {
    madv::Request request = location_request(rounded(*place, answer.precision));
    // Nor when it is taken back, or less of it given, while this waits for its turn.
    request.only_while([&consent = consent_, precision = answer.precision] {
      const consent::Answer still = consent.ask(Category::location, Purpose::camera);
      return still.allowed && still.precision <= precision;
    });
    session->request(std::move(request), [](const madv::Reply&) {});
    sent_at_ = now;
    told_ = true;
  }
  return *sent_at_ + interval;
}

}  // namespace sphere::camera
