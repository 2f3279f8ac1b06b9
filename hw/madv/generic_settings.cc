// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/generic_settings.h"

#include <algorithm>
#include <utility>

#include "gst/sphere/base/printable.h"
#include "hw/madv/generic.h"
#include "hw/madv/outcome.h"

namespace sphere::madv {

namespace {

// A camera that tells more than a person would look through is damaged.
constexpr size_t most_settings = 256, most_options = 256, longest_word = 128;

}  // namespace

struct GenericSettings::Reading {
  std::function<void(const Values&, const std::optional<Failure>&)> done;
  std::vector<std::pair<std::string, std::string>> told;  // each name once
  Infos infos;
};

const std::vector<hw::SettingInfo>& GenericSettings::known() const {
  static const Infos none;
  const Lock lock(mutex_);
  return known_ ? *known_ : none;
}

void GenericSettings::read_all(
    std::function<void(const Values&, const std::optional<Failure>&)> done) {
  const auto reading = std::make_shared<Reading>();
  reading->done = std::move(done);
  session_.request(Request(msg_all_settings), [this, reading](const Reply& reply) {
    if (const auto failure = failure_of(reply, "tell its settings"))
      return reading->done({}, failure);
    // A setting of several modes is told for each of them.
    for (const auto& [name, value] : reply.message->entries("param")) {
      const bool is_new =
          std::ranges::find(reading->told, name, &std::pair<std::string, std::string>::first) ==
          reading->told.end();
      if (is_new && reading->told.size() < most_settings && name.size() <= longest_word &&
          printable(name) == name)
        reading->told.emplace_back(name, value);
    }
    std::ranges::sort(reading->told);
    if (known().empty())
      read_options(reading);
    else
      finish(reading);
  });
}

/// One after the other, because a session has a limit of waiting requests.
void GenericSettings::read_options(const std::shared_ptr<Reading>& reading) {
  if (reading->infos.size() == reading->told.size()) {
    {
      const Lock lock(mutex_);
      if (!known_) known_ = std::make_unique<const Infos>(std::move(reading->infos));
    }
    return finish(reading);
  }
  const std::string& name = reading->told[reading->infos.size()].first;
  session_.request(Request(msg_setting_options, name), [this, reading](const Reply& reply) {
    if (reply.failure) return reading->done({}, reply.failure);
    const auto& [asked, value] = reading->told[reading->infos.size()];
    hw::SettingInfo info;
    info.name = asked;
    info.kept = true;
    std::vector<std::string> options;
    if (reply.message->succeeded()) options = reply.message->texts("options");
    // One that can't be changed has only its value.
    if (options.empty()) options = {value};
    for (const std::string& option : options)
      if (info.choices.size() < most_options)
        info.choices.push_back(
            {static_cast<int64_t>(info.choices.size()), printable(option.substr(0, longest_word))});
    reading->infos.push_back(std::move(info));
    read_options(reading);
  });
}

void GenericSettings::finish(const std::shared_ptr<Reading>& reading) {
  Values values;
  for (const auto& [name, words] : reading->told)
    if (const auto value = value_of(name, words)) values.emplace_back(name, *value);
  reading->done(values, std::nullopt);
}

std::optional<int64_t> GenericSettings::value_of(const std::string& name,
                                                 const std::string& words) const {
  const hw::SettingInfo* info = hw::find_setting(known(), name);
  if (!info) return std::nullopt;
  const auto choice = std::ranges::find(info->choices, words, &hw::SettingInfo::Choice::words);
  return choice == info->choices.end() ? std::nullopt : std::optional(choice->value);
}

Request GenericSettings::read_request(const std::string& name) const {
  return Request(msg_get_setting).with_type(name);
}

Request GenericSettings::write_request(const hw::SettingInfo& setting, int64_t value) const {
  return Request(msg_set_setting, setting.words_of(value)).with_type(setting.name);
}

std::optional<int64_t> GenericSettings::value_in(const Message& answer,
                                                 const std::string& name) const {
  return value_of(name, answer.param_text().value_or(""));
}

}  // namespace sphere::madv
