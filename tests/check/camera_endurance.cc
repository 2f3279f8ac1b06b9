// SPDX-License-Identifier: LGPL-2.1-or-later
// One connection to a camera over which very much passes: thousands of commands leave nothing
// behind, and a list of thousands of files begins at once. SPHERE_COMMANDS=10000 tries more.

#include <malloc.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tests/check/emulator_user.h"
#include "tests/check/process.h"
#include "tests/check/stopwatch.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using hw::Failure;

namespace {

/// A command that changes something and one that asks for it, in turn.
void give_commands(hw::CameraSettings& settings, int count) {
  for (int i = 0; i < count; i += 2) {
    const int64_t wanted = (i / 2) % 5;
    const auto written = hw::await<std::optional<Failure>>(
        nullptr, [&](auto handler) { settings.write("beep", wanted, std::move(handler)); });
    fail_unless(!std::get<0>(*written));
    const auto read = hw::await<std::optional<int64_t>, std::optional<Failure>>(
        nullptr, [&](auto handler) { settings.read("beep", std::move(handler)); });
    fail_unless(std::get<0>(*read) == wanted);
  }
}

void put_files(const std::string& folder, int count) {
  fail_unless(g_mkdir_with_parents(folder.c_str(), 0700) == 0);
  for (int i = 0; i < count; ++i) {
    char name[64];
    g_snprintf(name, sizeof name, "/IMG_20171216_%06d.JPG", i);
    fail_unless(bool(std::ofstream(folder + name) << "x"));
  }
}

}  // namespace

GST_START_TEST(thousands_of_commands_leave_nothing_behind) {
  const char* wanted = g_getenv("SPHERE_COMMANDS");
  const int count = wanted ? atoi(wanted) : 2000;
  const auto emulator = test::started(test::control_only());
  test::User user(*emulator);
  hw::CameraSettings& settings = *user->settings();
  // Until the emulated camera's own list of the latest requests is full.
  give_commands(settings, static_cast<int>(madv_emulator::most_asked) + 100);
  malloc_trim(0);
  const size_t memory = mallinfo2().uordblks;
  const int threads = test::threads(), descriptors = test::descriptors();
  const gint64 begin = g_get_monotonic_time();
  give_commands(settings, count);
  const double seconds = static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
  const auto grown = static_cast<int64_t>(mallinfo2().uordblks) - static_cast<int64_t>(memory);
  g_print("%d commands in %.2f s; %lld bytes more\n", count, seconds,
          static_cast<long long>(grown));
  fail_unless_equals_int(test::threads(), threads);
  fail_unless_equals_int(test::descriptors(), descriptors);
  // Less than a byte for ten commands, and what allocators round. Sanitizers have their own.
  if (memory > 0)
    fail_unless(grown < 16384 + count / 10, "%lld bytes more", static_cast<long long>(grown));
}
GST_END_TEST;

GST_START_TEST(a_list_of_thousands_of_files_begins_at_once) {
  constexpr int files = 5000, folders = 10;
  const auto emulator = test::started(test::control_only());
  const std::string card = emulator->card_folder() + "/DCIM/";
  for (int i = 0; i < folders; ++i)
    put_files(card + "201712" + std::to_string(10 + i), files / folders);
  test::User user(*emulator);
  const gint64 begin = g_get_monotonic_time();
  const test::Stopwatch watch;
  std::vector<gint64> times;
  size_t found = 0;
  std::string last;
  const auto outcome = hw::await<std::optional<Failure>>(nullptr, [&](auto handler) {
    user->files()->list(
        [&](std::vector<hw::CameraFile> some) {
          times.push_back(g_get_monotonic_time() - begin);
          for (const hw::CameraFile& file : some) {
            fail_unless(last.empty() || file.path < last, "%s after %s", file.path.c_str(),
                        last.c_str());
            last = file.path;
          }
          found += some.size();
          return true;
        },
        std::move(handler));
  });
  fail_unless(!std::get<0>(*outcome));
  fail_unless_equals_int(static_cast<int>(found), files);
  fail_unless_equals_int(static_cast<int>(times.size()), folders);
  g_print("first rows after %.1f ms, all after %.1f ms\n", static_cast<double>(times.front()) / 1e3,
          static_cast<double>(times.back()) / 1e3);
  // Each folder is told when it is read, and the first does not wait for the others.
  fail_unless(times.front() < times.back());
  const double first = static_cast<double>(times.front()) / G_USEC_PER_SEC;
  fail_unless(first < watch.limit(1), "the first rows take %.1f s", first);
}
GST_END_TEST;

GST_START_TEST(all_files_may_be_in_one_folder) {
  constexpr int files = 5000;
  const auto emulator = test::started(test::control_only());
  put_files(emulator->card_folder() + "/DCIM/20171216", files);
  test::User user(*emulator);
  size_t found = 0;
  const auto outcome = hw::await<std::optional<Failure>>(nullptr, [&](auto handler) {
    user->files()->list(
        [&](const std::vector<hw::CameraFile>& some) {
          found += some.size();
          return true;
        },
        std::move(handler));
  });
  fail_unless(!std::get<0>(*outcome));
  fail_unless_equals_int(static_cast<int>(found), files);
}
GST_END_TEST;

static Suite* camera_endurance_suite() {
  Suite* suite = suite_create("camera_endurance");
  TCase* tc = tcase_create("camera_endurance");
  tcase_set_timeout(tc, 240);
  tcase_add_test(tc, thousands_of_commands_leave_nothing_behind);
  tcase_add_test(tc, a_list_of_thousands_of_files_begins_at_once);
  tcase_add_test(tc, all_files_may_be_in_one_folder);
  suite_add_tcase(suite, tc);
  return suite;
}

GST_CHECK_MAIN(camera_endurance)
