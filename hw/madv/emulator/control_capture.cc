// SPDX-License-Identifier: LGPL-2.1-or-later
// The photos and recordings of the control channel.

#include <glib.h>

#include <algorithm>

#include "gst/sphere/base/gobject.h"
#include "hw/madv/emulator/control.h"
#include "hw/madv/emulator/members.h"

namespace sphere::madv_emulator {

using madv::Message;
using namespace std::chrono_literals;

namespace {

// Times of a related camera, from packet captures: after the answer, and at the end.
constexpr Delay record_start_time = 1450ms;
constexpr Delay record_stop_time = 1208ms;

// The photos of a bracketing: darker, as measured, lighter. How many a real camera takes is not
// known.
constexpr int bracketing_photos = 3;

// The vendor's `param` of 5025.
constexpr int series_stopped = -1, series_stops_after_this = -2;

std::string printed_time(const char* format) {
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  return GString_(g_date_time_format(now, format)).get();
}

/// The path of the next file: kind "VID", suffix "AA.MP4".
std::string new_path(const Card& card, const char* kind, const char* suffix) {
  return card.new_path(printed_time("%Y%m%d"),
                       kind + std::string("_") + printed_time("%Y%m%d_%H%M%S"), suffix);
}

}  // namespace

std::string Control::next_video_path() const { return new_path(card_, "VID", "AA.MP4"); }

int Control::working_mode() const {
  if (series_) return series_->kind->working_mode;
  return standby_ ? madv::working_standby : madv::working_idle;
}

madv::CameraMode Control::mode() const {
  return setting_value(madv::msg_camera_mode) == madv::mode_photo ? madv::mode_photo
                                                                  : madv::mode_video;
}

/// A setting of a kind chooses this kind, or the ordinary one.
void Control::choose(int setting, bool on) {
  for (const ShotKind& kind : shot_kinds) {
    const ShotKind*& chosen = chosen_[static_cast<size_t>(kind.mode)];
    if (kind.setting != setting) continue;
    if (on)
      chosen = &kind;
    else if (chosen == &kind)
      chosen = find_kind(kind.is_photo() ? madv::msg_take_photo : madv::msg_start_recording);
  }
}

Control::Series& Control::begin(const ShotKind& kind) {
  const int value = kind.setting ? told_value(kind.setting) : 0;
  return series_.emplace(
      Series{.kind = &kind,
             .shot = {.start = kind.start,
                      .value = value,
                      .lens = kind.setting == madv::msg_single_sensor ? std::optional(value)
                                                                      : std::nullopt},
             .since = settings_.now() + (settings_.timing ? record_start_time : Delay{})});
}

void Control::start(std::optional<int> client, const ShotKind& kind, const std::string& param) {
  const int rval = refusal(kind.start);
  if (client) reply(*client, kind.start, rval);
  if (rval != 0) return;
  chosen_[static_cast<size_t>(kind.mode)] = &kind;
  Series& series = begin(kind);
  // Not if a client started it: one that was written against a real camera gets the next message
  // when the photo is saved.
  if (!client) notify(kind.start, member("param", 0));

  if (!kind.is_photo()) {
    series.shot.sound = param != "1";
    actions_.push_back({.kind = Action::Kind::start_recording,
                        .client = client.value_or(0),
                        .bytes = next_video_path(),
                        .shot = series.shot});
    if (kind.start == madv::msg_start_short_video)
      series_timer_ =
          after(series.since - settings_.now() + std::chrono::seconds(series.shot.value), [this] {
            end_recording();
            notify(madv::msg_stop_recording, member("param", 0));
          });
    return;
  }

  switch (kind.start) {
    case madv::msg_start_timed_photo:
      series.due = settings_.now() + std::chrono::seconds(series.shot.value);
      series_timer_ = after(std::chrono::seconds(series.shot.value), [this] { next_photo(); });
      return;
    case madv::msg_start_interval_photo:
      series.wanted = static_cast<int>(g_ascii_strtoll(param.c_str(), nullptr, 10));
      tell_progress(0);
      break;
    case madv::msg_start_burst_photo:
      series.wanted = series.shot.value;
      break;
    case madv::msg_start_bracketing:
      if (kind.setting == madv::msg_bracketing) series.wanted = bracketing_photos;
      break;
    default:
      break;
  }
  next_photo();
}

void Control::next_photo() {
  Series& series = *series_;
  series.in_photo = true;
  if (series.kind->setting == madv::msg_bracketing)
    series.shot.exposure = (series.taken - bracketing_photos / 2) * series.shot.value;
  series.due = settings_.now() + std::chrono::seconds(series.shot.value);
  actions_.push_back({.kind = Action::Kind::take_photo,
                      .delay = usual(0),
                      .bytes = new_path(card_, "IMG", ".JPG"),
                      .shot = series.shot});
}

/// The notifications of a series of photos.
void Control::tell_progress(int count) {
  const ShotKind& kind = *series_->kind;
  std::string more = member("param", count);
  if (kind.start == madv::msg_start_interval_photo)
    more += member("time", series_->shot.value);
  else if (kind.setting == madv::msg_bracketing)
    more += member("sur_exp", series_->shot.value);
  else if (kind.start != madv::msg_start_burst_photo)
    return;
  notify(kind.start, more);
}

void Control::photo_taken(const std::string& camera_path, bool done) {
  if (settings_.model == Model::sj8_pro) {
    series_.reset();
    sister_photo_taken(camera_path, done);
    return;
  }
  // The vendor has no message for a photo that failed; its app would show a full card.
  if (done)
    notify(madv::msg_photo_saved, saved_fields(camera_path));
  else
    notify(madv::msg_card_full, member("param", 2));
  // After a restart it is nobody's.
  if (!series_ || !series_->in_photo) return;
  Series& series = *series_;
  series.in_photo = false;
  series.taken += done;
  if (done) tell_progress(series.taken);
  const bool all = series.wanted > 0 && series.taken >= series.wanted;
  if (!done || all || series.ending || (card_rval_ != 0 && card_rval_ != madv::rval_card_slow))
    finish_series();
  else if (series.kind->start == madv::msg_start_interval_photo)
    series_timer_ =
        after(std::max(series.due - settings_.now(), Delay{}), [this] { next_photo(); });
  else
    next_photo();
}

/// Ends a countdown or a series of photos, after the photo that is being taken.
void Control::stop_photos() {
  if (series_->in_photo) {
    series_->ending = true;
    if (series_->kind->start == madv::msg_start_interval_photo)
      tell_progress(series_stops_after_this);
  } else {
    finish_series();
  }
}

void Control::finish_series() {
  timers_.erase(std::exchange(series_timer_, 0));
  if (series_->kind->start == madv::msg_start_interval_photo) tell_progress(series_stopped);
  series_.reset();
}

void Control::end_recording() {
  finish_series();
  actions_.push_back({.kind = Action::Kind::stop_recording,
                      .delay = settings_.timing ? record_stop_time : Delay{}});
}

void Control::recording_saved(const std::string& camera_path, bool done, int milliseconds) {
  if (settings_.model == Model::sj8_pro) {
    sister_recording_saved();
    return;
  }
  if (done)
    notify(madv::msg_video_saved,
           saved_fields(camera_path) + member(madv::field::video_milliseconds, milliseconds));
  else
    notify(madv::msg_card_slow, "");
}

/// Checks the conditions of a command; returns the result code if one is not met.
int Control::refusal(int id) const {
  const unsigned needs = madv::find_command(id)->needs;
  if (needs & madv::needs_idle && working_mode() != madv::working_idle)
    // A photo is soon taken; a recording must be ended.
    return needs & madv::needs_photo_mode && !standby_ ? madv::rval_busy
                                                       : madv::rval_invalid_operation;
  if (needs & madv::needs_video && !is_recording()) return madv::rval_invalid_operation;
  if (needs & madv::needs_card && card_rval_ != 0) {
    const bool matters = card_rval_ == madv::rval_card_slow   ? needs & madv::needs_video_mode
                         : card_rval_ == madv::rval_card_full ? id != madv::msg_format
                                                              : true;
    if (matters && !(id == madv::msg_format && card_rval_ == madv::rval_card_error))
      return card_rval_;
  }
  if ((needs & madv::needs_video_mode && mode() != madv::mode_video) ||
      (needs & madv::needs_photo_mode && mode() != madv::mode_photo))
    return madv::rval_wrong_mode;
  if (needs & madv::needs_battery && battery_ == 0) return madv::rval_low_battery;
  return madv::rval_ok;
}

bool Control::capture_command(int client, const Message& request) {
  const int id = request.id();
  const std::string param = request.param_text().value_or("");
  switch (id) {
    case madv::msg_stop_recording:
      if (is_recording()) {
        reply(client, id, 0);
        end_recording();
      } else if (series_ && (series_->kind->start == madv::msg_start_interval_photo ||
                             series_->kind->start == madv::msg_start_timed_photo)) {
        reply(client, id, 0);
        stop_photos();
      } else {
        reply(client, id, madv::rval_invalid_operation);
      }
      return true;
    case madv::msg_mark: {
      const int rval = refusal(id);
      counters_.marks += rval == 0;
      reply(client, id, rval);
      return true;
    }
    case madv::msg_recording_time:
      reply(client, id, 0, member("param", recorded_seconds()));
      return true;
    case madv::msg_start_interval_photo:
      if (param == std::to_string(series_stopped) ||
          param == std::to_string(series_stops_after_this)) {
        const bool runs = series_ && series_->kind->start == id;
        reply(client, id, runs ? 0 : static_cast<int>(madv::rval_invalid_operation));
        if (runs) stop_photos();
        return true;
      }
      if (!param.empty() && !madv::takes(*madv::find_command(id), param)) {
        reply(client, id, madv::rval_invalid_operation);
        return true;
      }
      break;
    case madv::msg_start_recording:
      if (!param.empty() && !madv::takes(*madv::find_command(id), param)) {
        reply(client, id, madv::rval_invalid_operation);
        return true;
      }
      break;
    default:
      break;
  }
  // 5029 has two meanings: the setting that was changed last decides.
  const bool one_lens = chosen_[madv::mode_photo]->setting == madv::msg_single_sensor;
  const ShotKind* kind = find_kind(id, one_lens);
  if (!kind) return false;
  start(client, *kind, param);
  return true;
}

int64_t Control::recorded_seconds() const {
  if (!is_recording()) return 0;
  const Delay recorded = std::max(settings_.now() - series_->since, Delay{});
  return std::chrono::duration_cast<std::chrono::seconds>(recorded).count();
}

}  // namespace sphere::madv_emulator
