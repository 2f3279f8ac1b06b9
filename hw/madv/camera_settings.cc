// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/camera_settings.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "hw/madv/outcome.h"

namespace sphere::madv {

namespace {

hw::SettingInfo info_of(const Command& command) {
  hw::SettingInfo info;
  info.name = command.name;
  for (const Choice& choice : command.value.choices)
    info.choices.push_back({choice.value, choice.words});
  if (command.value.kind == Value::Kind::number) {
    info.min = command.value.min;
    info.max = command.value.max;
  }
  info.fraction_base = command.value.fraction_base;
  info.unit = command.value.unit;
  info.note = command.value.words;
  info.factory = command.factory;
  info.kept = command.kept;
  return info;
}

}  // namespace

const std::vector<hw::SettingInfo>& MadvSettings::known() const {
  static const std::vector<hw::SettingInfo> all = [] {
    std::vector<hw::SettingInfo> settings;
    for (const Command& command : commands())
      if (command.is_setting()) settings.push_back(info_of(command));
    std::ranges::sort(settings, {}, &hw::SettingInfo::name);
    return settings;
  }();
  return all;
}

void MadvSettings::read_all(
    std::function<void(const Values&, const std::optional<Failure>&)> done) {
  // Two replies have most settings, each under a name of its own. The others are read one by one;
  // a camera that does not know one refuses it.
  struct Reading {
    Values values;
    std::vector<const Command*> missing;
  };
  const auto reading = std::make_shared<Reading>();
  const auto take = [](const Message& message, const char* Command::*member, Reading& into) {
    for (const Command& command : commands()) {
      if (!command.is_setting() || !*(command.*member)) continue;
      if (const std::optional<int64_t> value = message.number(command.*member))
        into.values.emplace_back(command.name, *value);
    }
  };
  const auto finish = [reading, done] {
    std::ranges::sort(reading->values);
    done(reading->values, std::nullopt);
  };
  const auto read_missing = [this, reading, finish] {
    for (const Command& command : commands())
      if (command.is_setting() &&
          std::ranges::find(reading->values, command.name, [](const auto& value) {
            return std::string_view(value.first);
          }) == reading->values.end())
        reading->missing.push_back(&command);
    if (reading->missing.empty()) return finish();
    const auto left = std::make_shared<size_t>(reading->missing.size());
    for (const Command* command : reading->missing)
      session_.request(Request(command->id), [reading, command, left, finish](const Reply& reply) {
        if (reply.message && reply.message->succeeded())
          if (const std::optional<int64_t> value = reply.message->param_number())
            reading->values.emplace_back(command->name, *value);
        if (--*left == 0) finish();
      });
  };
  session_.request(Request(msg_settings), [this, reading, take, read_missing,
                                           done](const Reply& reply) {
    if (const auto failure = failure_of(reply, "tell its settings")) return done({}, failure);
    take(*reply.message, &Command::settings_member, *reading);
    session_.request(Request(msg_status), [reading, take, read_missing, done](const Reply& status) {
      if (const auto failure = failure_of(status, "tell its status")) return done({}, failure);
      take(*status.message, &Command::status_member, *reading);
      read_missing();
    });
  });
}

Request MadvSettings::read_request(const std::string& name) const {
  return Request(find_command(name)->id);
}

Request MadvSettings::write_request(const hw::SettingInfo& setting, int64_t value) const {
  return Request(find_command(setting.name)->id, std::to_string(value));
}

std::optional<int64_t> MadvSettings::value_in(const Message& answer, const std::string&) const {
  return answer.param_number();
}

}  // namespace sphere::madv
