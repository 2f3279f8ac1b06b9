// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/emulator/orders.h"

#include <glib.h>

#include <algorithm>
#include <optional>
#include <string>

#include "hw/madv/emulator/members.h"

namespace sphere::madv_emulator {

namespace {

using Words = std::vector<std::string>;

constexpr std::pair<const char*, int> cards[] = {{"ok", madv::rval_ok},
                                                 {"none", madv::rval_no_card},
                                                 {"full", madv::rval_card_full},
                                                 {"slow", madv::rval_card_slow},
                                                 {"bad", madv::rval_card_error}};

Words words_of(std::string_view line) {
  Words words;
  for (size_t begin = 0; begin < line.size();) {
    const size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
    if (end > begin) words.emplace_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::optional<int> number_of(const std::string& text) {
  gint64 number = 0;
  if (!g_ascii_string_to_signed(text.c_str(), 10, G_MININT, G_MAXINT, &number, nullptr))
    return std::nullopt;
  return static_cast<int>(number);
}

Status clear(Control& control, const std::string& name) {
  if (name == "all") {
    control.clear_fault(nullptr);
    return ok();
  }
  const Result<Fault> known = parse_fault(name);
  if (!known) return known.error();
  control.clear_fault(known->info);
  return ok();
}

Status card(Control& control, const std::string& state) {
  for (const auto& [name, rval] : cards) {
    if (state != name) continue;
    control.set_card(rval);
    return ok();
  }
  return invalid("a card is ok, none, full, slow or bad, not '" + state + "'");
}

Status battery(Control& control, const Words& words) {
  const std::optional<int> level = number_of(words[1]);
  const bool charging = words.size() == 3;
  if (!level || *level < 0 || *level > 4 || (charging && words[2] != "charging"))
    return invalid("a battery has the level 0 (5 %) to 4 (100 %), and may be 'charging'");
  control.set_battery(*level | (charging ? madv::battery_charging : 0));
  return ok();
}

Status notify(Control& control, const Words& words) {
  const madv::Command* command = madv::find_command(words[1]);
  if (!command || !command->notifies)
    return invalid("'" + words[1] + "' is not sent without a request");
  std::string more;
  if (words.size() == 3) {
    const std::optional<int> number = number_of(words[2]);
    more = number ? member("param", *number) : member("param", std::string_view(words[2]));
  }
  control.notify(command->id, more);
  return ok();
}

Status set(Control& control, const Words& words) {
  const madv::Command* command = madv::find_command(words[1]);
  if (!command || !command->is_setting()) return invalid("there is no setting '" + words[1] + "'");
  const std::optional<int> value = number_of(words[2]);
  if (!value || !control.change_setting(command->id, *value))
    return invalid(words[1] + " can't be '" + words[2] + "' now");
  return ok();
}

}  // namespace

const std::vector<emulator::EmulatorFamily::Named>& order_list() {
  static const std::vector<emulator::EmulatorFamily::Named> list = {
      {"fault NAME[:N]", "has this fault from now on"},
      {"clear NAME|all", "no longer has it"},
      {"battery 0..4 [charging]", "changes the level: 0 is 5 %, 4 is 100 %"},
      {"card STATE", "changes the card: ok, none, full, slow, bad"},
      {"set NAME VALUE", "changes a setting on the camera itself"},
      {"button", "presses the shutter button: starts, or ends"},
      {"notify NAME [VALUE]", "sends a notification, such as segment-saved"},
      {"overheat", "says that it is too hot, and is off for two seconds"},
      {"reboot", "restarts, which takes two seconds"},
  };
  return list;
}

Status execute(Control& control, std::string_view line) {
  const Words words = words_of(line);
  if (words.empty()) return ok();
  const std::string& what = words[0];
  const auto is = [&](const char* name, size_t least, size_t most) {
    return what == name && words.size() > least && words.size() <= most + 1;
  };
  if (is("fault", 1, 1)) {
    const Result<Fault> fault = parse_fault(words[1]);
    if (!fault) return fault.error();
    control.set_fault(*fault);
    return ok();
  }
  if (is("clear", 1, 1)) return clear(control, words[1]);
  if (is("battery", 1, 2)) return battery(control, words);
  if (is("card", 1, 1)) return card(control, words[1]);
  if (is("set", 2, 2)) return set(control, words);
  if (is("notify", 1, 2)) return notify(control, words);
  if (is("button", 0, 0)) {
    control.press_button();
    return ok();
  }
  if (is("overheat", 0, 0)) {
    control.overheat();
    return ok();
  }
  if (is("reboot", 0, 0)) {
    control.reboot(reboot_time);
    return ok();
  }
  std::string known;
  for (const auto& order : order_list())
    known += (known.empty() ? "" : ", ") + std::string(order.name);
  return invalid("'" + std::string(line) + "' is not understood; known are " + known);
}

}  // namespace sphere::madv_emulator
