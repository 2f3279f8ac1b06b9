// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/position_reporter.h"

#include <utility>

#include "gst/sphere/base/printable.h"

namespace sphere::camera {

using consent::Category;
using consent::Purpose;

void PositionReporter::set_position(std::optional<Position> position) {
  const Lock lock(mutex_);
  position_ = position;
  changed_ = true;
}

void PositionReporter::set_interval(std::chrono::seconds interval) {
  const Lock lock(mutex_);
  interval_ = interval;
}

std::chrono::seconds PositionReporter::interval() {
  const Lock lock(mutex_);
  return interval_;
}

void PositionReporter::restart() {
  sent_at_.reset();
  camera_has_it_ = false;
}

std::optional<PositionReporter::Time> PositionReporter::update(hw::Camera* camera, Time now) {
  std::optional<Position> position;
  std::chrono::seconds interval;
  bool changed = false;
  {
    const Lock lock(mutex_);
    position = position_;
    interval = interval_;
    if (camera) changed = std::exchange(changed_, false);
  }
  if (!position && !camera_has_it_) return std::nullopt;
  const consent::Answer answer = consent_.ask(Category::location, Purpose::camera);
  if (!answer.allowed) {
    sent_at_.reset();
    if (std::exchange(camera_has_it_, false))
      GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS,
                          ("The position is not sent to the camera any more. The camera may still "
                           "keep the last position, because no command is known that clears it."),
                          ("%s", printable(answer.reason).c_str()));
    return std::nullopt;
  }
  if (!position || !camera) return std::nullopt;
  if (!sent_at_ || changed || now >= *sent_at_ + interval) {
    const Position sent = rounded(*position, answer.precision);
    // Consent may be withdrawn or reduced while the message is queued.
    const auto wanted = [&consent = consent_, precision = answer.precision] {
      const consent::Answer still = consent.ask(Category::location, Purpose::camera);
      return still.allowed && still.precision <= precision;
    };
    camera->set_position({sent.latitude, sent.longitude, sent.altitude.value_or(0)}, wanted,
                         [](const hw::Camera::Answer&) {});
    sent_at_ = now;
    camera_has_it_ = true;
  }
  return *sent_at_ + interval;
}

}  // namespace sphere::camera
