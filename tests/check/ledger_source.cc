// SPDX-License-Identifier: LGPL-2.1-or-later
// What pipelines see of a consent ledger while it changes under them, and what that costs them.

#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "ledger.h"

#include "gst/sphere/consent/guard.h"
#include "tests/tools/large_ledger.h"

#include <gst/check/gstharness.h>

namespace {

/// Waits until the other thread has read the ledger.
void wait_until_given(GrantSource& source) {
  const int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (!sound_given(source) && g_get_monotonic_time() < end) g_thread_yield();
  fail_unless(sound_given(source));
}

}  // namespace

// A ledger that is removed and made anew is noticed with the next buffer.
GST_START_TEST(test_files_are_removed) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  const auto source = opened(place);
  uint64_t version = source->version();
  fail_unless(problem_of(*source).empty(), "one that is not there yet is no problem");
  must(ledger.append(give(Category::audio)));
  fail_unless(source->version() > version);
  fail_unless(sound_given(*source));
  version = source->version();
  fail_unless(bool(ledger.erase()));
  fail_unless(source->version() > version);
  fail_if(sound_given(*source));
  fail_unless(problem_of(*source).find("removed") != std::string::npos);
  must(ledger.append(give(Category::audio)));
  fail_unless(sound_given(*source));
  uint64_t grants = taken(*source);
  // The ledger is replaced between two checks.
  g_unlink(place.path().c_str());
  must(ledger.append(plain(Act::notice_shown)));
  must(ledger.append(give(Category::audio)));
  fail_unless(sound_given(*source));
  fail_unless(taken(*source) > grants, "another ledger is taken for the same");
  grants = taken(*source);
  must(ledger.append(withdraw(Category::audio)));
  fail_if(sound_given(*source));
  fail_unless(taken(*source) > grants);
}
GST_END_TEST

// Whatever is done to the files: nothing is given, the reason is reported, and no process is killed
// or blocked.
GST_START_TEST(test_files_are_attacked) {
  struct Attack {
    const char* word;
    void (*on)(const std::string& path);
  };
  const Attack attacks[] = {
      {"", [](const std::string& path) { fail_unless(truncate(path.c_str(), 0) == 0); }},
      {"cut off", [](const std::string& path) { fail_unless(truncate(path.c_str(), 9) == 0); }},
      {"damaged",
       [](const std::string& path) {
         fail_unless(truncate(path.c_str(), 9999) == 0 &&
                     g_file_test(path.c_str(), G_FILE_TEST_EXISTS));
         FILE* file = std::fopen(path.c_str(), "a");
         std::fputs("\n", file);
         std::fclose(file);
       }},
      {"removed", [](const std::string& path) { fail_unless(g_unlink(path.c_str()) == 0); }},
      {"regular",
       [](const std::string& path) {
         fail_unless(g_unlink(path.c_str()) == 0 && g_mkdir(path.c_str(), 0700) == 0);
       }},
      {"regular",
       [](const std::string& path) {
         fail_unless(g_unlink(path.c_str()) == 0 && mkfifo(path.c_str(), 0600) == 0);
       }},
      {"regular",
       [](const std::string& path) {
         fail_unless(rename(path.c_str(), (path + ".other").c_str()) == 0 &&
                     symlink((path + ".other").c_str(), path.c_str()) == 0);
       }},
      {"other users can write",
       [](const std::string& path) { fail_unless(chmod(path.c_str(), 0666) == 0); }},
      {"too large",
       [](const std::string& path) { fail_unless(truncate(path.c_str(), 5 << 20) == 0); }},
  };
  for (const Attack& attack : attacks) {
    for (const bool large : {false, true}) {
      const LedgerFolder place;
      if (large) {
        static const std::string text = test::large_ledger_text();
        place.put(text);
      }
      must(place.ledger().append(give(Category::audio)));
      const auto source = opened(place);
      fail_unless(sound_given(*source));
      const uint64_t bytes = ledger_bytes_read();
      attack.on(place.path());
      fail_if(sound_given(*source), "%s", attack.word);
      fail_unless(ledger_bytes_read() - bytes <= longest_read_here);
      const auto said = [&] { return problem_of(*source).find(attack.word) != std::string::npos; };
      const int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
      while (!said() && g_get_monotonic_time() < end) g_thread_yield();
      fail_unless(said(), "%s: %s", attack.word, problem_of(*source).c_str());
      fail_if(sound_given(*source), "%s", attack.word);
      g_remove(place.path().c_str());
      g_unlink(place.path("/l.other").c_str());
      // Pipelines continue and obey later acts.
      must(place.ledger().append(give(Category::audio)));
      wait_until_given(*source);
    }
  }
}
GST_END_TEST

// The cost of a check is counted in bytes that its thread reads, not in time.
GST_START_TEST(test_read_only_the_new_act) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  place.put(test::large_ledger_text());
  must(ledger.append(give(Category::audio)));
  const auto source = opened(place);
  fail_unless(sound_given(*source));
  const uint64_t version = source->version(), before = taken(*source);
  for (int i = 0; i < 100; ++i) fail_unless(source->version() == version);
  uint64_t bytes = ledger_bytes_read();
  int64_t longest = 0;
  const auto cost = [&](const Entry& entry) {
    const size_t length = place.text().size();
    must(ledger.append(entry));
    const size_t grown = place.text().size() - length;
    bytes = ledger_bytes_read();
    const int64_t start = g_get_monotonic_time();
    source->version();
    longest = std::max(longest, g_get_monotonic_time() - start);
    const uint64_t read = ledger_bytes_read() - bytes;
    fail_unless(read == grown, "%d bytes are read of an act of %d", static_cast<int>(read),
                static_cast<int>(grown));
  };
  // Acts on other categories do not silence the sound, even several between two checks.
  cost(give(Category::storage));
  cost(withdraw(Category::storage));
  for (const Act act : {Act::give, Act::withdraw, Act::give})
    must(ledger.append(act == Act::give ? give(Category::device) : withdraw(Category::device)));
  fail_unless(sound_given(*source) && taken(*source) == before);
  // A new grant for more purposes is not a withdrawal.
  cost(give(Category::audio, info_of(Category::audio).purposes));
  fail_unless(sound_given(*source) && taken(*source) == before);
  // Taken back and given again between two looks is noticed, and so is the withdrawal alone.
  must(ledger.append(withdraw(Category::audio)));
  must(ledger.append(give(Category::audio)));
  fail_unless(sound_given(*source) && taken(*source) == before + 1);
  cost(withdraw(Category::audio));
  fail_if(sound_given(*source));
  cost(give(Category::audio));
  fail_unless(sound_given(*source));
  const uint64_t grants = taken(*source);
  g_print("longest look at an act in a ledger of %d bytes: %d us\n",
          static_cast<int>(place.text().size()), static_cast<int>(longest));
  // If another file is put in its place, another thread reads it; until then sound is denied.
  const std::string text = place.text();
  const GString_ other(g_strdup(place.path("/other").c_str()));
  fail_unless(g_file_set_contents_full(other.get(), text.data(), static_cast<gssize>(text.size()),
                                       G_FILE_SET_CONTENTS_NONE, 0600, nullptr));
  fail_unless(rename(other.get(), place.path().c_str()) == 0);
  bytes = ledger_bytes_read();
  source->version();
  fail_unless(ledger_bytes_read() == bytes, "a whole ledger is read by who looks");
  wait_until_given(*source);
  fail_unless(ledger_bytes_read() == bytes);
  fail_unless(taken(*source) > grants, "nobody knows what stood there in between");
  // The file is changed in place, with the same length.
  const int file = open(place.path().c_str(), O_WRONLY);
  fail_unless(file >= 0 && pwrite(file, "x", 1, 1000) == 1);
  close(file);
  fail_if(sound_given(*source));
  fail_unless(ledger_bytes_read() == bytes);
  const int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (problem_of(*source).find("damaged") == std::string::npos && g_get_monotonic_time() < end)
    g_thread_yield();
  fail_if(sound_given(*source));
}
GST_END_TEST

// An incomplete act does not count as cut off while its writer holds the lock, unless that takes
// too long.
GST_START_TEST(test_incomplete_act) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  must(ledger.append(give(Category::audio)));
  const std::string before = place.text();
  must(ledger.append(give(Category::device)));
  must(ledger.append(withdraw(Category::storage)));
  const std::string whole = place.text();
  place.put(before);
  const auto source = opened(place);
  fail_unless(sound_given(*source));
  const uint64_t grants = taken(*source);
  const int writer = open(place.path().c_str(), O_WRONLY);
  fail_unless(writer >= 0 && flock(writer, LOCK_EX) == 0);
  const auto to = [&](size_t size) {
    fail_unless(pwrite(writer, whole.data(), size, 0) == static_cast<ssize_t>(size));
  };
  to(whole.size() - 20);
  fail_unless(sound_given(*source) && taken(*source) == grants);
  fail_unless(allows(source->grants(Category::device, Purpose::bind).caps, Category::device,
                     Purpose::bind, g_get_real_time()),
              "the act before it is whole");
  to(whole.size());
  fail_unless(sound_given(*source) && taken(*source) == grants);
  // The lock is released.
  fail_unless(ftruncate(writer, static_cast<off_t>(whole.size()) - 20) == 0);
  close(writer);
  fail_if(sound_given(*source), "an act was cut off");
  // A process holds the lock and never writes: the pipeline is not blocked, and sound is denied in
  // the end.
  place.put(before);
  wait_until_given(*source);
  const int hung = open(place.path().c_str(), O_WRONLY);
  fail_unless(hung >= 0 && flock(hung, LOCK_EX) == 0);
  fail_unless(pwrite(hung, whole.data(), whole.size() - 20, 0) ==
              static_cast<ssize_t>(whole.size()) - 20);
  const int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (sound_given(*source) && g_get_monotonic_time() < end) g_thread_yield();
  fail_if(sound_given(*source));
  close(hung);
}
GST_END_TEST

namespace {

int open_descriptors() {
  g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, nullptr);
  int count = 0;
  while (folder && g_dir_read_name(folder)) ++count;
  return count;
}

int mappings() {
  char* text = nullptr;
  fail_unless(g_file_get_contents("/proc/self/maps", &text, nullptr, nullptr));
  int count = 0;
  for (const char* at = text; (at = std::strstr(at, "sphere-ledger-")); ++at) ++count;
  g_free(text);
  return count;
}

}  // namespace

// Setting the property `ledger` again leaves no descriptor and no mapping.
GST_START_TEST(test_nothing_is_kept_open) {
  const LedgerFolder place;
  must(place.ledger().append(give(Category::audio)));
  Consent consent;
  Guard guard(consent, Category::audio, Purpose::live);
  const int before = open_descriptors();
  for (int i = 0; i < 100; ++i) {
    fail_unless(bool(consent.set_ledger(place.path())));
    fail_unless(guard.allowed());
  }
  fail_unless_equals_int(open_descriptors(), before);
  fail_unless_equals_int(mappings(), 0);
}
GST_END_TEST

// The clock is set back under a pipeline, below the time of the last act.
GST_START_TEST(test_clock_is_set_back) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  must(ledger.append(give(Category::audio)));
  const auto source = opened(place);
  fail_unless(sound_given(*source));
  const uint64_t grants = taken(*source);
  must(ledger.append(give(Category::device), g_get_real_time() + G_USEC_PER_SEC / 2));
  fail_if(sound_given(*source));
  fail_unless(problem_of(*source).find("clock") != std::string::npos);
  wait_until_given(*source);
  fail_unless(taken(*source) > grants);
}
GST_END_TEST

// In a pipeline: sound while it is given, silence from the next buffer on, no lost buffer, and a
// message on the bus.
GST_START_TEST(test_pipeline_goes_on) {
  const LedgerFolder place;
  must(place.ledger().append(give(Category::audio)));
  using HarnessRef = std::unique_ptr<GstHarness, Call<gst_harness_teardown>>;
  const HarnessRef harness(gst_harness_new("sphereaudiogate"));
  GstHarness* h = harness.get();
  // Not live, as from a file: the time of a buffer does not tell when it was captured.
  gst_harness_set_live(h, FALSE);
  const GstRef<GstBus> bus(gst_bus_new());
  gst_element_set_bus(h->element, bus.get());
  g_object_set(h->element, "ledger", place.path().c_str(), nullptr);
  gst_harness_set_src_caps_str(h,
                               "audio/x-raw, format=S16LE, rate=8000, channels=1, "
                               "layout=interleaved");
  const auto sound_passes = [&] {
    GstBuffer* sound = gst_harness_create_buffer(h, 160);
    gst_buffer_memset(sound, 0, 7, 160);
    GST_BUFFER_PTS(sound) = GST_SECOND;
    const BufferRef out(gst_harness_push_and_pull(h, sound));
    fail_unless(out && gst_buffer_get_size(out.get()) == 160);
    return gst_buffer_memcmp(out.get(), 0, std::string(160, 7).data(), 160) == 0;
  };
  fail_unless(sound_passes());
  fail_if(gst_bus_have_pending(bus.get()));
  g_unlink(place.path().c_str());
  for (int i = 0; i < 3; ++i) fail_if(sound_passes());
  const MessageRef message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_WARNING));
  fail_unless(bool(message), "nobody is told");
  g_autoptr(GError) warning = nullptr;
  gst_message_parse_warning(message.get(), &warning, nullptr);
  fail_unless(std::strstr(warning->message, "was removed") != nullptr, "%s", warning->message);
  fail_unless(!MessageRef(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_WARNING)), "said twice");
}
GST_END_TEST

static Suite* ledger_source_suite() {
  Suite* suite = suite_create("ledger_source");
  TCase* tests = tcase_create("ledger_source");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_files_are_removed);
  tcase_add_test(tests, test_files_are_attacked);
  tcase_add_test(tests, test_read_only_the_new_act);
  tcase_add_test(tests, test_incomplete_act);
  tcase_add_test(tests, test_nothing_is_kept_open);
  tcase_add_test(tests, test_clock_is_set_back);
  tcase_add_test(tests, test_pipeline_goes_on);
  return suite;
}

GST_CHECK_MAIN(ledger_source)
