// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/session_settings.h"

#include <utility>

#include "gst/sphere/base/printable.h"
#include "hw/madv/outcome.h"

namespace sphere::madv {

namespace {

Failure unknown(const std::string& name) {
  return {Failure::Reason::refused, "this camera has no setting '" + printable(name, 100) + "'"};
}

}  // namespace

void SessionSettings::read(
    const std::string& name,
    std::function<void(std::optional<int64_t>, const std::optional<Failure>&)> done) {
  // A camera that tells its settings itself may not have been asked yet.
  if (!known().empty() && !hw::find_setting(known(), name))
    return done(std::nullopt, unknown(name));
  session_.request(read_request(name), [this, name, done](const Reply& reply) {
    if (const auto failure = failure_of(reply, "tell " + name)) return done(std::nullopt, failure);
    const std::optional<int64_t> value = value_in(*reply.message, name);
    if (value) return done(value, std::nullopt);
    done(std::nullopt, Failure(Failure::Reason::broken,
                               "the camera tells no value of " + name + " that is known"));
  });
}

void SessionSettings::write(const std::string& name, int64_t value,
                            std::function<void(const std::optional<Failure>&)> done) {
  const hw::SettingInfo* setting = hw::find_setting(known(), name);
  if (!setting) return done(unknown(name));
  if (!setting->takes(value))
    return done(Failure(Failure::Reason::refused, "'" + std::to_string(value) +
                                                      "' is not a value of " + name +
                                                      ", which can be " + setting->possible()));
  ask(session_, write_request(*setting, value), "change " + name, std::move(done));
}

}  // namespace sphere::madv
