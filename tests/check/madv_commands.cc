// SPDX-License-Identifier: LGPL-2.1-or-later
// The command table beside the vendor's own sheet, and docs/madv-commands.md beside the table.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hw/camera_settings.h"
#include "hw/madv/message.h"
#include "tests/check/madv_commands_doc.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::madv;

namespace {

constexpr std::nullopt_t none = std::nullopt;

/// A row of the vendor's sheet "TCP Commands" (product sv1, v1.66): '-' where a cell is empty.
struct SheetRow {
  int id;
  std::string access;
  char notifies, persisted;
  std::optional<int> factory;
  std::vector<int> values;
};

const std::vector<SheetRow>& sheet() {
  static const std::vector<SheetRow> rows = {
      {4611, "W/R", 'Y', 'Y', 0, {0, 1}},
      {4612, "W/R", 'Y', 'Y', 0, {0, 1, 2, 6, 7, 8, 9, 10, 11}},
      {4617, "W/R", 'Y', 'Y', 0, {0, 1}},
      {4618, "W/R", 'Y', 'Y', 10, {10, 20, 30}},
      {4620, "W", 'Y', 'N', none, {}},
      {4621, "W/R", 'Y', 'Y', 1, {1, 2, 5, 10, 30, 60, 255}},
      {4623, "W", 'Y', 'N', none, {}},
      {4624, "W/R", 'N', 'Y', 1, {0, 1}},
      {4625, "W", 'N', 'N', none, {}},
      {4626, "W", 'Y', 'N', none, {}},
      {513, "W", 'Y', 'N', none, {}},
      {514, "W", 'Y', 'N', none, {}},
      {4916, "W/R", 'Y', 'Y', 1, {1, 2, 4}},
      {5028, "W/R", '-', '-', none, {}},
      {4914, "W/R", 'Y', 'Y', 0, {0, 1}},
      {5026, "W", '-', '-', none, {}},
      {5030, "W/R", 'N', 'Y', 0, {0, 1}},
      {4864, "W", 'Y', 'N', none, {}},
      {4866, "W/R", 'Y', 'Y', 3, {3, 10}},
      {4868, "W", 'Y', 'N', none, {}},
      {4872, "W/R", 'Y', 'Y', 0, {0, 1, 2, 3, 4}},
      {4929, "W/R", 'Y', 'Y', 0, {0, 5, 10, 30, 60, 120, 300}},
      {5025, "W/R", 'Y', '-', none, {}},
      {4915, "W/R", 'Y', 'Y', 3, {3, 6, 10}},
      {5027, "W/R", 'Y', '-', none, {}},
      {4918, "W/R", 'Y', '-', 1, {1, 2, 3, 4, 5, 6}},
      {5029, "W/R", '-', '-', none, {}},
      {5029, "W/R", 'Y', '-', none, {}},
      {5136, "W/R", 'N', 'Y', 0, {0, 1, 2, 3, 4}},
      {5137, "W/R", 'N', 'Y', 0, {-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6}},
      {5139, "W/R", 'N', 'N', 0, {0}},
      {5140, "W/R", 'N', 'N', 0, {0}},
      {5168, "W/R", 'N', 'Y', 0, {0, 1, 2, 3, 4}},
      {5169, "W/R", 'N', 'Y', 0, {-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6}},
      {5171, "W/R", 'N', 'Y', 0, {0, 1, 2, 4, 8, 16, 32}},
      {5172, "W/R", 'N', 'Y', 0, {0, 100, 200, 400, 800, 1600, 3200}},
      {1537, "W", 'N', 'N', none, {}},
      {5634, "W", 'N', 'Y', none, {}},
      {1539, "R", 'N', 'N', none, {}},
      {1540, "W", 'N', 'N', none, {}},
      {1541, "W", 'N', 'N', none, {}},
      {6145, "W/R", 'N', 'Y', 4, {0, 1, 2, 3, 4}},
      {6147, "W", 'N', 'N', none, {}},
      {6149, "W/R", 'N', 'Y', 2, {0, 1, 2, 3, 4, 5}},
      {6151, "W/R", 'N', 'Y', 5, {0, 5, 10}},
      {4, "W", 'N', 'N', none, {}},
      {6152, "W", 'N', 'N', none, {}},
      {6153, "W", 'Y', 'N', none, {}},
      {6154, "W", 'Y', 'N', none, {}},
      {6155, "W", 'Y', 'N', none, {}},
      {6156, "W/R", 'N', 'Y', 1, {0, 1}},
      {6157, "W/R", 'N', 'Y', 0, {0, 1}},
      {6158, "W", 'Y', 'N', none, {}},
      {6159, "", '-', '-', none, {}},
      {6160, "W", 'Y', 'N', none, {}},
      {6161, "W", 'Y', 'N', none, {}},
      {6162, "W", 'N', 'N', none, {}},
      {6164, "W/R", 'N', 'N', none, {0, 1}},
      {6165, "W", 'N', 'N', none, {}},
      {4097, "R", 'N', 'N', none, {}},
      {4098, "R", 'N', 'N', none, {}},
      {4099, "R", 'N', 'N', none, {}},
      {4100, "R", 'N', 'N', none, {}},
      {4353, "R", 'Y', 'N', none, {-1, 0, 1}},
      {4354, "R", 'Y', 'N', none, {0, 1, 2}},
      {4356, "R", 'Y', 'N', none, {}},
      {4357, "R", 'Y', 'N', none, {}},
      {5, "R", 'N', 'N', none, {}},
      {5, "R", 'N', 'N', none, {}},
      {6, "R", 'N', 'N', none, {}},
      {6, "R", 'N', 'N', none, {}},
      {4358, "R", '-', '-', none, {}},
      {4359, "W", 'Y', 'N', none, {}},
      {4361, "R", 'Y', 'N', none, {0, 1, 2, 3, 4, 128, 129, 130, 131, 132}},
      {4362, "R", 'Y', 'N', none, {0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15}},
      {515, "R", 'N', 'N', none, {}},
      {4363, "R", 'N', 'N', none, {}},
      {4364, "R", 'N', 'N', none, {}},
      {4365, "R", 'N', 'N', none, {}},
      {4366, "R", 'N', 'N', none, {}},
      {8192, "", 'Y', 'N', none, {}},
      {8193, "", 'Y', 'N', none, {}},
      {8195, "", 'Y', 'N', none, {}},
      {12288, "W", 'N', 'N', none, {}},
      {12289, "W", 'N', 'N', none, {}},
      {12290, "R", 'N', 'N', none, {}},
      {12291, "W", 'N', 'N', none, {}},
      {12292, "R", 'N', 'N', none, {}},
      {12293, "W", 'N', 'N', none, {}},
      {12294, "W", 'N', 'N', none, {}},
      {12295, "W", 'N', 'N', none, {}},
      {12296, "R", 'N', 'N', none, {}},
      {12297, "R", 'N', 'N', none, {}},
      {12304, "R", 'N', 'N', none, {}},
      {12305, "W", '-', '-', none, {}},
      {12306, "W", '-', '-', none, {}},
      {1286, "W", 'N', 'N', none, {}},
      {1286, "W", 'N', 'N', none, {}},
      {8, "W", 'N', 'N', none, {}},
      {4917, "W", '-', '-', none, {}},
  };
  return rows;
}

}  // namespace

GST_START_TEST(table_matches_the_vendors_sheet) {
  fail_unless_equals_int(sheet().size(), 100);
  for (const SheetRow& row : sheet()) {
    const Command* c = find_command(row.id);
    fail_unless(c != nullptr, "%d is missing", row.id);
    // Rows that the sheet calls writable, but that only the camera sends, are notifications here.
    if (c->access != Access::notice && !row.access.empty())
      fail_unless(row.access == (c->access == Access::read    ? "R"
                                 : c->access == Access::write ? "W"
                                                              : "W/R"),
                  "%s: access", c->name);
    if (row.notifies != '-' && row.id != msg_transfer_result)
      fail_unless(c->notifies == (row.notifies == 'Y'), "%s: notifies", c->name);
    // What the emulated camera does with it is told.
    fail_unless(*c->emulated || c->is_setting(), "%s: the emulator", c->name);
    if (row.persisted != '-') fail_unless(c->kept == (row.persisted == 'Y'), "%s: kept", c->name);
    if (row.factory) fail_unless(c->factory == row.factory, "%s: factory", c->name);
    for (int value : row.values)
      fail_unless(takes(*c, std::to_string(value)), "%s does not take %d", c->name, value);
  }
}
GST_END_TEST;

GST_START_TEST(each_row_is_complete) {
  std::set<std::string> names, members;
  std::set<int> orders, status_orders;
  for (const Command& command : commands()) {
    fail_unless(names.insert(command.name).second, "%s stands twice", command.name);
    fail_unless(find_command(command.name) == &command);
    fail_unless(command_name(command.id).find(std::to_string(command.id)) != std::string::npos);
    if (command.factory)
      fail_unless(
          takes(command, std::to_string(*command.factory)) && command.access == Access::read_write,
          "%s: its factory value", command.name);
    if (command.access == Access::notice) fail_unless(command.notifies, "%s", command.name);
    fail_unless((command.settings_order > 0) == (*command.settings_member != 0));
    fail_unless((command.status_order > 0) == (*command.status_member != 0));
    if (command.status_order > 0)
      fail_unless(status_orders.insert(command.status_order).second && command.factory);
    if (command.settings_order == 0) continue;
    fail_unless(orders.insert(command.settings_order).second && command.factory);
    fail_unless(members.insert(command.settings_member).second);
  }
  fail_unless(find_command(31337) == nullptr && find_command("nonsense") == nullptr);
  fail_unless(privacy_of(31337) == Privacy::secret);
  fail_unless(!is_shown_in_logs(31337, "param") && is_shown_in_logs(31337, "rval"));
  fail_unless(is_shown_in_logs(msg_settings, "still_iso") && !is_shown_in_logs(msg_settings, "sn"));
  fail_unless(!is_shown_in_logs(msg_status, "still_iso"));
}
GST_END_TEST;

GST_START_TEST(values_are_checked) {
  const auto taken = [](const char* name, const char* param) {
    return takes(*find_command(name), param);
  };
  fail_unless(taken("photo-exposure", "-6") && taken("photo-exposure", "6"));
  fail_unless(!taken("photo-exposure", "-7") && !taken("photo-exposure", "7"));
  fail_unless(taken("photo-iso", "0") && taken("photo-iso", "50") && !taken("photo-iso", "49"));
  fail_unless(taken("burst-count", "6") && !taken("burst-count", "7"));
  // Seconds, and fractions of a second above 0x8000.
  for (const char* good : {"0", "1", "32", "32769", "39168"})
    fail_unless(taken("photo-shutter", good), "%s", good);
  for (const char* wrong : {"-1", "33", "7777", "32768", "39169"})
    fail_unless(!taken("photo-shutter", wrong), "%s", wrong);
  for (const char* wrong : {"", "x", "1x", " 1", "1.0", "99999999999999999999"})
    fail_unless(!taken("led", wrong), "'%s'", wrong);
  fail_unless(taken("mark", "") && !taken("mark", "1") && taken("delete-file", "anything"));
  fail_unless_equals_string(find_choice(msg_working_mode, working_burst_photo)->words,
                            "burst-photo");
  fail_unless_equals_int(find_choice(msg_battery, battery_charging | 3)->amount, 75);
  fail_unless(!find_choice(msg_working_mode, 99) && !find_choice(31337, 0));
}
GST_END_TEST;

GST_START_TEST(values_have_words) {
  hw::SettingInfo shutter;
  shutter.name = "shutter";
  shutter.choices = {{0, "auto"}, {2, "2 s"}};
  shutter.fraction_base = 0x8000;
  shutter.min = 0x8000 + 1;
  shutter.max = 0x8000 + 6400;
  shutter.unit = "s";
  fail_unless(shutter.possible() == "auto, 2 s, 1/1 to 1/6400 s", "%s", shutter.possible().c_str());
  fail_unless(shutter.words_of(0x8000 + 30) == "1/30 s");
  for (const auto& [words, value] : {std::pair("1/30", 0x8000 + 30), std::pair("1/6400 s", 39168),
                                     std::pair("AUTO", 0), std::pair("2", 2)})
    fail_unless(shutter.parse(words) && *shutter.parse(words) == value, "%s", words);
  for (const char* wrong : {"1/0", "1/6401", "1/", "1/-5", "3", "30"})
    fail_unless(!shutter.parse(wrong), "%s", wrong);
}
GST_END_TEST;

GST_START_TEST(the_document_is_the_table) {
  const std::string path = std::string(g_getenv("SPHERE_SOURCE")) + "/docs/madv-commands.md";
  const std::string wanted = test::commands_document(commands());
  if (g_getenv("SPHERE_WRITE_DOCS"))
    fail_unless(g_file_set_contents(path.c_str(), wanted.c_str(), -1, nullptr));
  g_autofree char* text = nullptr;
  fail_unless(g_file_get_contents(path.c_str(), &text, nullptr, nullptr));
  fail_unless(wanted == text, "docs/madv-commands.md is not what the table says");
}
GST_END_TEST;

static Suite* madv_commands_suite() {
  Suite* suite = suite_create("madv_commands");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, table_matches_the_vendors_sheet);
  tcase_add_test(tcase, each_row_is_complete);
  tcase_add_test(tcase, values_are_checked);
  tcase_add_test(tcase, values_have_words);
  tcase_add_test(tcase, the_document_is_the_table);
  return suite;
}

GST_CHECK_MAIN(madv_commands)
