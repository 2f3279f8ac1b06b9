// SPDX-License-Identifier: LGPL-2.1-or-later
// The faults of the control channel, and what happens to the camera itself.

#include <algorithm>

#include "hw/madv/emulator/control.h"
#include "hw/madv/emulator/members.h"

namespace sphere::madv_emulator {

using madv::Message;

namespace {

/// The faults that are a state of the camera: the card's result code.
int card_fault(const FaultInfo* kind) {
  if (kind == &faults::no_card) return madv::rval_no_card;
  if (kind == &faults::card_full) return madv::rval_card_full;
  if (kind == &faults::slow_card) return madv::rval_card_slow;
  if (kind == &faults::bad_card) return madv::rval_card_error;
  return 0;
}

constexpr int full_battery = 4;

}  // namespace

// --- which faults it has ---------------------------------------------------------------------

Control::ActiveFault* Control::active(const FaultInfo& kind) {
  const auto found = std::find_if(faults_.begin(), faults_.end(),
                                  [&](const ActiveFault& one) { return one.fault.info == &kind; });
  return found == faults_.end() ? nullptr : &*found;
}

std::optional<Fault> Control::fault(const FaultInfo& kind) const {
  for (const ActiveFault& one : faults_)
    if (one.fault.info == &kind) return one.fault;
  return std::nullopt;
}

std::vector<Fault> Control::active_faults() const {
  std::vector<Fault> all;
  for (const ActiveFault& one : faults_) all.push_back(one.fault);
  return all;
}

void Control::set_fault(const Fault& fault) {
  clear_fault(fault.info);
  faults_.push_back({fault, counters_.requests, settings_.now()});
  if (const int rval = card_fault(fault.info)) set_card(rval);
  if (fault.info == &faults::low_battery) set_battery(0);
  if (fault.in_seconds) watch_fault(faults_.back());
}

void Control::watch_fault(const ActiveFault& fault) {
  const FaultInfo* kind = fault.fault.info;
  if (kind != &faults::reboot && kind != &faults::drop) return;
  const Delay left = fault.since + std::chrono::seconds(fault.fault.n) - settings_.now();
  after(std::max(left, Delay{}), [this, kind] {
    if (!happens(*kind)) return;
    if (kind == &faults::reboot) return reboot(reboot_time);
    if (!holder_) return;
    actions_.push_back({Action::Kind::close, *holder_});
    disconnected(*holder_);
  });
}

void Control::clear_fault(const FaultInfo* kind) {
  const auto mends = [this](const FaultInfo* one) {
    if (card_fault(one)) set_card(0);
    if (one == &faults::low_battery) set_battery(full_battery);
  };
  std::vector<const FaultInfo*> gone;
  std::erase_if(faults_, [&](const ActiveFault& one) {
    if (kind && one.fault.info != kind) return false;
    gone.push_back(one.fault.info);
    return true;
  });
  for (const FaultInfo* one : gone) mends(one);
}

bool Control::is_due(const FaultInfo& kind) {
  const ActiveFault* one = active(kind);
  if (!one || one->over) return false;
  return one->fault.in_seconds ? settings_.now() - one->since >= std::chrono::seconds(one->fault.n)
                               : counters_.requests - one->since_request > one->fault.n;
}

/// For faults that last for N times, or N seconds.
bool Control::is_within(const FaultInfo& kind) {
  ActiveFault* one = active(kind);
  if (!one) return false;
  if (one->fault.in_seconds)
    return settings_.now() - one->since < std::chrono::seconds(one->fault.n);
  return one->used++ < one->fault.n;
}

bool Control::happens(const FaultInfo& kind) {
  ActiveFault* one = active(kind);
  if (!one || one->over) return false;
  one->over = true;
  return true;
}

bool Control::faulty(int client, const Message& request) {
  const int id = request.id();
  if (silent_ || is_due(faults::silent)) return true;
  if (is_due(faults::half_open) && happens(faults::half_open)) {
    clients_[client].dead = true;
    if (has_session(client)) close_session();
    if (!holder_ && waiting_) grant(waiting_->client);
    return true;
  }
  if (is_within(faults::busy)) {
    reply(client, id, madv::rval_busy);
    return true;
  }
  if (is_due(faults::garbage)) {
    send(client, "HTTP/1.1 400 Bad Request\r\n\r\n", usual(id));
    return true;
  }
  if (is_due(faults::huge)) {
    send(client,
         "{\"rval\":0,\"msg_id\":" + std::to_string(id) + ",\"param\":\"" +
             std::string(9 << 20, 'x') + "\"}",
         usual(id));
    return true;
  }
  if (is_due(faults::brackets)) {
    send(client, "{\"rval\":0,\"param\":" + std::string(100000, '['), usual(id));
    return true;
  }
  if (is_due(faults::wrong_token) && id != madv::msg_start_session) {
    reply(client, id, madv::rval_wrong_token);
    return true;
  }
  if (is_due(faults::drop) && happens(faults::drop)) {
    actions_.push_back({Action::Kind::close, client});
    disconnected(client);
    return true;
  }
  return false;
}

// --- what happens to it ----------------------------------------------------------------------

void Control::set_battery(int code) {
  battery_ = code;
  notify(madv::msg_battery, member("param", code));
}

void Control::set_card(int rval) {
  card_rval_ = rval;
  if (rval == madv::rval_card_full) {
    notify(madv::msg_card_full, member("param", 2));
  } else if (rval == madv::rval_card_slow) {
    if (is_recording()) notify(madv::msg_card_slow, "");
  } else {
    notify(madv::msg_card_state, member("param", rval == 0                    ? 1
                                                 : rval == madv::rval_no_card ? 0
                                                                              : -1));
  }
  if (rval == 0 || !series_) return;
  if (!is_recording()) {
    // Between two photos of a series; otherwise the photo fails or not by itself.
    if (rval != madv::rval_card_slow && !series_->in_photo) finish_series();
    return;
  }
  if (rval == madv::rval_card_full || rval == madv::rval_card_slow) {
    end_recording();
  } else {
    actions_.push_back({Action::Kind::abandon_recording});
    finish_series();
  }
  notify(madv::msg_stop_recording, member("param", 0));
}

void Control::overheat() {
  notify(madv::msg_overheated, "");
  if (is_recording()) end_recording();
  reboot(reboot_time);
}

void Control::press_button() {
  if (standby_) {
    standby_ = false;
    notify(madv::msg_working_mode, member("param", working_mode()));
  } else if (!series_) {
    start(std::nullopt, chosen(), "");
  } else if (is_recording()) {
    end_recording();
    notify(madv::msg_stop_recording, member("param", 0));
  } else {
    stop_photos();
  }
}

bool Control::change_setting(int id, int value) {
  if (!takes(id, std::to_string(value)) || series_) return false;
  store_setting(id, value);
  if (madv::find_command(id)->notifies)
    notify(id, id == madv::msg_camera_mode ? mode_fields() : member("param", value));
  return true;
}

}  // namespace sphere::madv_emulator
