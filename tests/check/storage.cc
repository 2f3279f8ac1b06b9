// SPDX-License-Identifier: LGPL-2.1-or-later
// What this machine holds: bindings, statistics and crash counts, and when they have to go.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/storage/binding.h"
#include "gst/sphere/storage/counts.h"
#include "gst/sphere/storage/stores.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::consent;
using namespace sphere::storage;

namespace {

constexpr int64_t day = INT64_C(86400) * G_USEC_PER_SEC;

/// Sets the folders before anything reads these variables.
[[maybe_unused]] const bool own_folders = [] {
  for (const char* name : {"XDG_DATA_HOME", "XDG_CACHE_HOME"}) {
    const GString_ folder(g_build_filename(g_get_tmp_dir(), "sphere-storage", nullptr));
    g_setenv(name,
             (std::string(folder.get()) + "-" + std::to_string(getpid()) + "-" + name).c_str(),
             TRUE);
  }
  return true;
}();

size_t count_of(Store store) {
  const auto files = list_files(store);
  fail_unless(bool(files));
  return files->size();
}

/// Removes everything, and checks at the end that nothing is left.
struct Clean {
  Clean() { clear(); }
  ~Clean() {
    clear();
    for (const Store store : {Store::cameras, Store::tables, Store::lenses, Store::pins,
                              Store::statistics, Store::crashes})
      g_rmdir(path_of(store).c_str());
    g_unlink(Ledger("default").denial_path().c_str());
    for (const char* base : {g_get_user_data_dir(), g_get_user_cache_dir()}) {
      g_rmdir((std::string(base) + "/gst-sphere").c_str());
      g_rmdir(base);
    }
  }
  static void clear() {
    for (const StoreInfo& info : stores) {
      const auto files = list_files(info.store);
      fail_unless(bool(files));
      for (const StoredFile& one : *files) fail_unless(bool(erase(one)));
    }
  }
};

void act(Act what, Category category = Category::audio, Purposes purposes = 0,
         const std::string& expires = {}) {
  Entry entry{.act = what, .how = "command"};
  if (what == Act::give || what == Act::withdraw) entry.category = category;
  if (what == Act::give) {
    entry.purposes = purposes ? purposes : default_purposes(category);
    entry.expires = expires;
  }
  const auto done = Ledger("default").append(entry, g_get_real_time());
  fail_unless(bool(done), "%s", done ? "" : done.error().message.c_str());
}

const Binding binding = {.model = "sv1",
                         .serial = "MJXJ00000000EMUL",
                         .firmware = "1.3.97",
                         .wifi = "MJXJ-\xe5\xae\xb6",
                         .table = "d41d8cd98f00b204e9800998ecf8427e"};

void put(Store store, const std::string& name, int age_days) {
  const auto folder = make_folder(store);
  fail_unless(bool(folder));
  const std::string path = *folder + "/" + name;
  fail_unless(g_file_set_contents(path.c_str(), "{}", -1, nullptr));
  const timespec times[2] = {{time(nullptr) - age_days * 86400, 0},
                             {time(nullptr) - age_days * 86400, 0}};
  fail_unless(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

std::vector<ExpiredFile> due_now(Rule by, int64_t later = 0) {
  const auto chain = Ledger("default").read();
  fail_unless(bool(chain));
  const auto all = expired_files(&*chain, by, g_get_real_time() + later);
  fail_unless(bool(all));
  return *all;
}

std::string text_of(const std::string& path) {
  char* text = nullptr;
  fail_unless(g_file_get_contents(path.c_str(), &text, nullptr, nullptr), "%s", path.c_str());
  const GString_ owned(text);
  return text;
}

int always(int) { return 0; }
int not_now(int) { return 1; }

}  // namespace

GST_START_TEST(a_binding_is_kept_and_forgotten) {
  const Clean clean;
  fail_unless(bool(write_binding(binding)));
  const std::string path = binding_path(binding.serial);
  fail_unless(path.find(binding.serial) == std::string::npos);
  struct stat status = {};
  fail_unless(stat(path.c_str(), &status) == 0 && (status.st_mode & 0777) == 0600);
  const auto read = read_binding(path);
  fail_unless(read && read->serial == binding.serial && read->wifi == binding.wifi &&
              read->table == binding.table && read->model == "sv1" && read->firmware == "1.3.97");
  put(Store::tables, binding.table + ".bin", 0);
  put(Store::tables, std::string(32, 'a') + ".bin", 0);
  fail_unless(bool(remove_binding(binding.serial)));
  fail_unless_equals_int(count_of(Store::cameras), 0);
  // The table of this camera is removed, that of another camera is not.
  fail_unless_equals_int(count_of(Store::tables), 1);
}
GST_END_TEST

GST_START_TEST(invalid_bindings_are_not_stored) {
  const Clean clean;
  for (const std::string& text :
       {std::string("a\nb"), std::string("\xff\xfe"), std::string(200, 'a')}) {
    for (std::string Binding::*member :
         {&Binding::model, &Binding::serial, &Binding::firmware, &Binding::wifi}) {
      Binding wrong = binding;
      wrong.*member = text;
      fail_if(bool(write_binding(wrong)));
    }
  }
  Binding wrong = binding;
  wrong.serial.clear();
  fail_if(bool(write_binding(wrong)));
  wrong = binding;
  wrong.table = "../../../x";
  fail_if(bool(write_binding(wrong)));
  fail_unless_equals_int(count_of(Store::cameras), 0);
  for (const char* text : {"", "[]", "{\"serial\":1}", "{\"model\":\"\"}",
                           "{\"model\":\"\",\"serial\":\"x\",\"firmware\":\"\",\"wifi\":\"\","
                           "\"table\":\"../x\"}"}) {
    put(Store::cameras, "x.json", 0);
    fail_unless(
        g_file_set_contents((path_of(Store::cameras) + "/x.json").c_str(), text, -1, nullptr));
    fail_if(bool(read_binding(path_of(Store::cameras) + "/x.json")), "%s", text);
  }
}
GST_END_TEST

GST_START_TEST(files_without_consent_expire) {
  const Clean clean;
  for (const Store store :
       {Store::cameras, Store::tables, Store::pins, Store::statistics, Store::crashes})
    put(store, "one", 10);
  // This ledger never gave it, so another source of consent may have.
  fail_unless_equals_int(due_now(Rule::consent_and_age).size(), 0);
  for (const Category category : {Category::device, Category::network, Category::statistics})
    act(Act::give, category);
  fail_unless_equals_int(due_now(Rule::consent_and_age).size(), 0);
  act(Act::withdraw, Category::network);
  auto all = due_now(Rule::consent);
  fail_unless(all.size() == 1 && all[0].file.store == Store::cameras);
  act(Act::give, Category::network, 0, "2099-01-01");
  fail_unless_equals_int(due_now(Rule::consent).size(), 0);
  // A hundred years later, only the consent decides: the grant that ended in 2099 is over.
  fail_unless_equals_int(due_now(Rule::consent, 100 * 366 * day).size(), 1);
  // A new grant for fewer purposes.
  act(Act::give, Category::device, bit(Purpose::share));
  all = due_now(Rule::consent);
  fail_unless(all.size() == 3 && all[1].file.store == Store::tables &&
              all[2].file.store == Store::pins);
  act(Act::withdraw_all);
  fail_unless_equals_int(due_now(Rule::consent).size(), 5);
}
GST_END_TEST

GST_START_TEST(old_files_expire) {
  const Clean clean;
  for (const StoreInfo& info : stores) {
    if (info.store == Store::ledger) continue;
    put(info.store, "young", info.days - 1);
    put(info.store, "old", info.days + 1);
  }
  act(Act::notice_shown);
  fail_unless_equals_int(due_now(Rule::consent).size(), 0);
  const auto all = due_now(Rule::consent_and_age);
  fail_unless_equals_int(all.size(), 6);
  for (const ExpiredFile& one : all)
    fail_unless(one.file.path.ends_with("/old"), "%s", one.why.c_str());
  // Used again, it stays.
  mark_used(all[0].file.path);
  fail_unless_equals_int(due_now(Rule::consent_and_age).size(), 5);
}
GST_END_TEST

GST_START_TEST(counts_are_rounded_and_only_while_given) {
  const Clean clean;
  const int64_t now = INT64_C(1793000000) * G_USEC_PER_SEC;  // in October 2026
  fail_unless(bool(count(Store::statistics, {"stitch runs"}, now, always)));
  fail_unless_equals_int(count_of(Store::statistics), 0);
  act(Act::give, Category::statistics);
  fail_unless(bool(count(Store::statistics, {"stitch runs"}, now, not_now)));
  fail_unless_equals_int(count_of(Store::statistics), 0);
  for (int i = 0; i < 2; ++i)
    fail_unless(bool(count(Store::statistics, {"stitch runs", "stitch under-1-s"}, now, always)));
  const std::string path = path_of(Store::statistics) + "/2026-10.json";
  const std::string text = text_of(path);
  fail_unless(text.find("\"stitch runs\" : 10") != std::string::npos &&
                  text.find("\"stitch under-1-s\" : 10") != std::string::npos,
              "%s", text.c_str());
  fail_unless_equals_int(count_of(Store::crashes), 0);
  // Rounding is right on average: 1000 are expected, with a standard deviation of 63.
  for (int i = 0; i < 1000; ++i) fail_unless(bool(count(Store::statistics, {"many"}, now)));
  int64_t many = 0;
  fail_unless(sscanf(strstr(text_of(path).c_str(), "\"many\" : "), "\"many\" : %" G_GINT64_FORMAT,
                     &many) == 1);
  fail_unless(many > 600 && many < 1400 && many % 5 == 0);
  // A damaged file is replaced.
  fail_unless(g_file_set_contents(path.c_str(), "{\"x\":", -1, nullptr));
  fail_unless(bool(count(Store::statistics, {"y"}, now, always)));
  fail_unless(text_of(path).find("\"y\" : 5") != std::string::npos);
  act(Act::withdraw, Category::statistics);
  fail_unless(bool(count(Store::statistics, {"y"}, now, always)));
  fail_unless(text_of(path).find("\"y\" : 5") != std::string::npos);
  fail_unless(duration_name(0) == "under-1-s" &&
              duration_name(10 * G_USEC_PER_SEC) == "under-1-min" &&
              duration_name(INT64_MAX) == "longer");
}
GST_END_TEST

GST_START_TEST(a_command_that_did_not_end_is_counted) {
  const Clean clean;
  const int64_t now = INT64_C(1793000000) * G_USEC_PER_SEC;
  const std::string path = path_of(Store::crashes) + "/2026-10.json";
  const auto run_killed = [&](int signal) {
    int ready[2];
    fail_unless(pipe(ready) == 0);
    const pid_t child = fork();
    if (child == 0) {
      RunningCommand running;
      running.begin(now, not_now);
      if (write(ready[1], "", 1) != 1) _exit(1);
      if (!signal) running.end();
      for (;;) {
        if (!signal) _exit(0);
        pause();
      }
    }
    char byte = 0;
    fail_unless(read(ready[0], &byte, 1) == 1);
    if (signal) {
      // While it runs it is not counted.
      RunningCommand other;
      other.begin(now, always);
      fail_unless_equals_int(count_of(Store::crashes),
                             g_file_test(path.c_str(), G_FILE_TEST_EXISTS) ? 3 : 2);
      kill(child, signal);
    }
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
  };
  // Not given: not even a mark.
  {
    RunningCommand running;
    running.begin(now, always);
    fail_unless_equals_int(count_of(Store::crashes), 0);
  }
  act(Act::give, Category::statistics);
  run_killed(0);
  fail_unless_equals_int(count_of(Store::crashes), 0);
  run_killed(SIGKILL);
  {
    RunningCommand running;
    running.begin(now, always);
    fail_unless(text_of(path).find("\"did-not-end\" : 5") != std::string::npos);
  }
  fail_unless_equals_int(count_of(Store::crashes), 1);
  run_killed(SIGSEGV);
  {
    RunningCommand running;
    running.begin(now, always);
    fail_unless(text_of(path).find("\"did-not-end\" : 10") != std::string::npos);
  }
  fail_unless_equals_int(count_of(Store::statistics), 0);
}
GST_END_TEST

static Suite* storage_suite() {
  Suite* suite = suite_create("storage");
  TCase* tests = tcase_create("storage");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_binding_is_kept_and_forgotten);
  tcase_add_test(tests, invalid_bindings_are_not_stored);
  tcase_add_test(tests, files_without_consent_expire);
  tcase_add_test(tests, old_files_expire);
  tcase_add_test(tests, counts_are_rounded_and_only_while_given);
  tcase_add_test(tests, a_command_that_did_not_end_is_counted);
  return suite;
}

GST_CHECK_MAIN(storage)
