// SPDX-License-Identifier: LGPL-2.1-or-later
// The consent ledger: its chain, its end that may be torn, and what other processes see of it.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ledger.h"

#include "gst/sphere/consent/notice.h"

namespace {

/// Five entries, the last one as asked.
std::string five(const LedgerFolder& place, const Entry& last) {
  const Ledger ledger = place.ledger();
  must(ledger.append(plain(Act::notice_shown), begin));
  Entry place_given = give(Category::location);
  place_given.precision = Precision::city;
  place_given.expires = "2099-01-01T00:00:00Z";
  must(ledger.append(place_given, begin + 1));
  must(ledger.append(give(Category::audio), begin + 2));
  must(ledger.append(withdraw(Category::location), begin + 3));
  must(ledger.append(last, begin + 4));
  return place.text();
}

}  // namespace

GST_START_TEST(test_give_and_withdraw) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  fail_if(live(ledger, begin), "a ledger that is not there grants");
  Entry location = give(Category::location, bit(Purpose::camera));
  location.precision = Precision::city;
  location.expires = "2099-01-01";
  must(ledger.append(location, begin));
  must(ledger.append(give(Category::audio, bit(Purpose::live)), begin));
  auto chain = ledger.read();
  CapsRef caps = caps_of(*chain, begin);
  fail_unless(allows(caps, Category::audio, Purpose::live, begin));
  fail_if(allows(caps, Category::audio, Purpose::record, begin));
  const Answer answer = evaluate(caps.get(), Category::location, Purpose::camera, begin);
  fail_unless(answer.allowed && answer.precision == Precision::city && answer.expires != never);
  fail_if(allows(caps, Category::location, Purpose::camera, answer.expires));
  fail_if(allows(caps, Category::storage, Purpose::save, begin));

  must(ledger.append(withdraw(Category::audio), begin + 1));
  chain = ledger.read();
  caps = caps_of(*chain, begin + 1);
  fail_if(allows(caps, Category::audio, Purpose::live, begin + 1));
  fail_unless(allows(caps, Category::location, Purpose::camera, begin + 1));
  must(ledger.append(plain(Act::withdraw_all), begin + 2));
  chain = ledger.read();
  caps = caps_of(*chain, begin + 2);
  for (const CategoryInfo& info : categories)
    for (size_t i = 0; i < purpose_names.size(); ++i)
      fail_if(allows(caps, info.category, static_cast<Purpose>(i), begin + 2));

  struct stat status = {};
  fail_unless(stat(place.path().c_str(), &status) == 0 && (status.st_mode & 0777) == 0600);
  fail_if(ledger.blocked());
}
GST_END_TEST

// If the clock was set back, a grant is refused. A withdrawal is always accepted.
GST_START_TEST(test_clock_goes_back) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  must(ledger.append(give(Category::audio), begin));
  fail_unless(live(ledger, begin));
  fail_if(live(ledger, begin - 1));
  fail_if(bool(ledger.append(give(Category::audio), begin - 1)));
  must(ledger.append(withdraw(Category::audio), begin - 1));
  fail_if(live(ledger, begin));
}
GST_END_TEST

GST_START_TEST(test_new_notice_needs_new_consent) {
  const LedgerFolder place;
  must(place.ledger().append(give(Category::audio), begin));
  for (const bool by_version : {true, false}) {
    Entry entry = place.ledger().read()->entries[0];
    (by_version ? entry.notice : entry.notice_hash) =
        by_version ? "2021-11-03" : std::string(64, 'a');
    entry.hash = hash_of(entry);
    const auto chain = read_chain(serialise(entry) + "\n");
    fail_unless(bool(chain));
    fail_if(allows(caps_of(*chain, begin), Category::audio, Purpose::live, begin));
    fail_unless(states_of(*chain, begin)[1].state == CategoryState::State::outdated);
  }
  fail_if(notice_text(Language::english) == notice_text(Language::chinese));
}
GST_END_TEST

// The file is cut at every byte of the last entry: earlier entries stay, the incomplete one has no
// effect, and a withdrawal that was cut off still denies.
GST_START_TEST(test_torn_at_every_byte) {
  for (const bool gives : {true, false}) {
    const LedgerFolder place;
    const std::string whole =
        five(place, gives ? give(Category::storage) : withdraw(Category::audio));
    const size_t last = whole.rfind('\n', whole.size() - 2) + 1;
    for (size_t end = last; end < whole.size(); ++end) {
      const auto chain = read_chain(whole.substr(0, end));
      fail_unless(bool(chain), "cut at %zu", end);
      fail_unless_equals_int(chain->entries.size(), 4);
      fail_unless_equals_int(chain->torn, end - last);
      const CapsRef caps = caps_of(*chain, begin + 9);
      fail_if(allows(caps, Category::storage, Purpose::save, begin + 9), "cut at %zu", end);
      if (!gives && end > last)
        fail_if(allows(caps, Category::audio, Purpose::live, begin + 9), "cut at %zu", end);
      if (gives && end - last >= 14)
        fail_unless(allows(caps, Category::audio, Purpose::live, begin + 9), "cut at %zu", end);
      // To some of these files, further acts are appended.
      if (end % 16) continue;
      place.put(whole.substr(0, end));
      const auto appended = must(place.ledger().append(give(Category::device), begin + 5));
      const auto after = place.ledger().read();
      fail_unless(bool(after) && after->torn == 0);
      fail_unless_equals_int(after->entries.size(), appended.recovered ? 6 : 5);
      fail_unless(appended.recovered == chain->torn_withdrawal);
      if (!gives && end > last) fail_if(live(place.ledger(), begin + 9));
    }
  }
}
GST_END_TEST

GST_START_TEST(test_changed_by_hand) {
  const LedgerFolder place;
  const std::string whole = five(place, give(Category::storage));
  const std::string head = read_chain(whole)->head();
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char flip : {1, 32, 64}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto chain = read_chain(changed);
      // An entry is complete with its line break. Without it, the file counts as torn, and is read.
      if (i + 1 == whole.size())
        fail_unless(bool(chain) && chain->torn > 0 && chain->entries.size() == 4);
      else
        fail_if(bool(chain), "byte %zu", i);
    }
  }
  size_t start = 0;
  for (int line = 0; line < 4; ++line) {
    const size_t end = whole.find('\n', start) + 1;
    fail_if(bool(read_chain(whole.substr(0, start) + whole.substr(end))), "line %d", line);
    start = end;
  }
  // Whole lines that are cut off at the end are noticed only by the hash of the last entry.
  const auto cut = read_chain(whole.substr(0, start));
  fail_unless(bool(cut));
  for (const Entry& entry : cut->entries) fail_if(entry.hash == head);
  // There is only one valid form: no blanks, no empty lines, no other members.
  fail_if(bool(read_chain(" " + whole)));
  fail_if(bool(read_chain("\n" + whole)));
  fail_if(bool(read_chain("{}\n")));
  fail_if(bool(read_chain(std::string(100000, '[') + "\n")));
}
GST_END_TEST

GST_START_TEST(test_file_that_is_not_a_ledger) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  const auto refused = [&](const char* word) {
    const auto chain = ledger.read();
    fail_if(bool(chain), "%s", word);
    fail_unless(chain.error().message.find(word) != std::string::npos, "%s",
                chain.error().message.c_str());
    fail_if(bool(open_ledger(place.path())));
    fail_if(bool(ledger.append(give(Category::audio), begin)));
    g_unlink(place.path().c_str());
  };
  fail_unless(symlink(place.path("/other").c_str(), place.path().c_str()) == 0);
  refused("symbolic link");
  fail_unless(access(place.path("/other").c_str(), F_OK) != 0, "a link was followed");
  fail_unless(mkfifo(place.path().c_str(), 0600) == 0);
  refused("regular");
  place.put("");
  chmod(place.path().c_str(), 0622);
  refused("other users can write");
  place.put(std::string(max_ledger + 1, 'x'));
  refused("too large");
  place.put("nonsense\n");
  refused("damaged at line 1");
  fail_if(bool(open_ledger(place.path("/nonesuch/l"))));
  // Root can read everything, so the test continues as another user.
  constexpr uid_t nobody = 65534;
  const bool root = geteuid() == 0;
  place.put("");
  chmod(place.path().c_str(), 0);
  if (root) {
    const GString_ folder(g_path_get_dirname(place.path().c_str()));
    fail_unless(chown(folder.get(), nobody, nobody) == 0);
    fail_unless(chown(place.path().c_str(), nobody, nobody) == 0 && seteuid(nobody) == 0);
  }
  refused("can't be opened");
  if (root) fail_unless(seteuid(0) == 0);
}
GST_END_TEST

GST_START_TEST(test_lock_is_held) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  must(ledger.append(give(Category::audio), begin));
  const int other = open(place.path().c_str(), O_RDWR);
  fail_unless(flock(other, LOCK_EX) == 0);
  const auto refused = ledger.append(give(Category::storage), begin + 1);
  fail_if(bool(refused));
  fail_unless(refused.error().message.find("lock") != std::string::npos);
  fail_unless(live(ledger, begin + 1));
  // A withdrawal that can't be written denies, too.
  fail_if(bool(ledger.append(withdraw(Category::storage), begin + 1)));
  fail_unless(ledger.blocked());
  const auto source = opened(place);
  const uint64_t version = source->version();
  fail_if(sound_given(*source));
  fail_unless(problem_of(*source).find("could not be written") != std::string::npos);
  close(other);
  // The next act does not undo the withdrawal.
  fail_unless(must(ledger.append(give(Category::device), begin + 2)).recovered);
  fail_if(ledger.blocked());
  fail_unless(source->version() > version);
  fail_unless(problem_of(*source).empty());
  fail_if(live(ledger, begin + 3));
  // Something else under that name denies, too, and later acts can still be written.
  fail_unless(g_mkdir(ledger.denial_path().c_str(), 0700) == 0);
  fail_if(problem_of(*source).empty());
  fail_unless(must(ledger.append(give(Category::audio), begin + 4)).recovered);
  fail_unless(sound_given(*source));
}
GST_END_TEST

GST_START_TEST(test_disk_is_full) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  must(ledger.append(give(Category::audio), begin));
  const std::string before = place.text();
  std::signal(SIGXFSZ, SIG_IGN);
  // Some bytes of the entry fit.
  rlimit old = {};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small = {before.size() + 100, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto gives = ledger.append(give(Category::storage), begin + 1);
  const std::string after_give = place.text();
  const bool still = live(ledger, begin + 1);
  const auto takes = ledger.append(withdraw(Category::audio), begin + 2);
  setrlimit(RLIMIT_FSIZE, &old);
  fail_if(bool(gives));
  fail_unless(after_give == before, "an entry that gives left something behind");
  fail_unless(still);
  fail_if(bool(takes));
  fail_unless(takes.error().message.find("everything is denied") != std::string::npos, "%s",
              takes.error().message.c_str());
  fail_if(live(ledger, begin + 3));
  fail_unless(ledger.read()->torn_withdrawal);
  fail_unless(must(ledger.append(plain(Act::notice_shown), begin + 3)).recovered);
  fail_if(live(ledger, begin + 4));
}
GST_END_TEST

// If the disk is completely full, a file beside the ledger denies. The same if the ledger ends with
// an incomplete grant, which the withdrawal overwrites.
GST_START_TEST(test_disk_has_no_byte_left) {
  for (const bool cut_off : {false, true}) {
    const LedgerFolder place;
    const Ledger ledger = place.ledger();
    must(ledger.append(give(Category::audio), begin));
    if (cut_off) {
      const std::string whole = place.text();
      must(ledger.append(give(Category::storage), begin + 1));
      place.put(place.text().substr(0, whole.size() + 100));
      fail_unless(live(ledger, begin + 1));
    }
    const std::string before = place.text();
    const auto source = opened(place);
    fail_unless(sound_given(*source));
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit old = {};
    getrlimit(RLIMIT_FSIZE, &old);
    const rlimit small = {before.size(), old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const auto takes = ledger.append(withdraw(Category::audio), begin + 2);
    const bool given = sound_given(*source);
    setrlimit(RLIMIT_FSIZE, &old);
    fail_if(bool(takes));
    fail_unless(takes.error().message.find("everything is denied") != std::string::npos, "%s",
                takes.error().message.c_str());
    fail_if(given);
    fail_if(live(ledger, begin + 3));
    fail_unless(ledger.blocked() != cut_off);
    fail_unless(must(ledger.append(plain(Act::notice_shown), begin + 3)).recovered);
    fail_if(ledger.blocked() || live(ledger, begin + 4));
  }
}
GST_END_TEST

// After the withdrawal has returned in one process, the next look in another differs.
GST_START_TEST(test_another_process_sees_it) {
  const LedgerFolder place;
  const Ledger ledger = place.ledger();
  int64_t longest = 0;
  must(ledger.append(give(Category::audio), g_get_real_time()));
  int to_child[2], to_parent[2];
  fail_unless(pipe(to_child) == 0 && pipe(to_parent) == 0);
  constexpr int rounds = 50;
  const pid_t child = fork();
  if (child == 0) {
    const auto source = open_ledger(place.path());
    if (!source) _exit(2);
    char byte = 0;
    for (int i = 0; i < rounds; ++i) {
      const uint64_t version = (*source)->version();
      if (sound_given(**source) != (i % 2 == 0) || (*source)->version() != version) _exit(3);
      if (write(to_parent[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) != 1) _exit(4);
      if ((*source)->version() <= version) _exit(5);
    }
    _exit(0);
  }
  close(to_parent[1]);
  char byte = 0;
  for (int i = 0; i < rounds; ++i) {
    if (read(to_parent[0], &byte, 1) != 1) break;
    const int64_t start = g_get_monotonic_time();
    must(ledger.append(i % 2 ? give(Category::audio) : withdraw(Category::audio),
                       g_get_real_time()));
    longest = std::max(longest, g_get_monotonic_time() - start);
    fail_unless(write(to_child[1], &byte, 1) == 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  fail_unless(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the watcher ended with %d",
              WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  for (const int end : {to_child[0], to_child[1], to_parent[0]}) close(end);
  g_print("longest of %d acts: %d us\n", rounds, static_cast<int>(longest));
}
GST_END_TEST

// Several processes that write at the same time wait for each other, without errors.
GST_START_TEST(test_many_writers) {
  const LedgerFolder place;
  constexpr int writers = 4, acts = 25;
  std::vector<pid_t> children;
  for (int i = 0; i < writers; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int n = 0; n < acts;) {
        const auto done = place.ledger().append(give(Category::audio));
        // On a slow machine, waiting for the lock may take too long.
        if (!done && done.error().message.find("holds its lock") == std::string::npos) _exit(1);
        n += bool(done);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    fail_unless(WIFEXITED(status) && WEXITSTATUS(status) == 0, "an act failed");
  }
  const auto chain = place.ledger().read();
  fail_unless(bool(chain));
  fail_unless_equals_int(chain->entries.size(), writers * acts);
}
GST_END_TEST

// The process is killed at any moment: all acts that it has reported are in the file, and its end
// is whole or torn.
GST_START_TEST(test_killed_while_writing) {
#if defined(__SANITIZE_ADDRESS__)
  constexpr int rounds = 10;
#else
  const int rounds = g_getenv("SPHERE_VALGRIND") ? 2 : 50;
#endif
  std::mt19937 random(1);
  int kills = 0, torn = 0;
  for (int round = 0; round < rounds; ++round) {
    const LedgerFolder place;
    const Ledger ledger = place.ledger();
    std::string before;
    for (int i = 0; i < 20; ++i, ++kills) {
      int acknowledged[2];
      fail_unless(pipe(acknowledged) == 0);
      const pid_t child = fork();
      if (child == 0) {
        for (int64_t n = 0;; ++n) {
          const auto done =
              ledger.append(n % 2 ? withdraw(Category::audio) : give(Category::audio), begin);
          if (!done || write(acknowledged[1], "", 1) != 1) _exit(1);
        }
      }
      close(acknowledged[1]);
      // Kills the process during its work, after its first act and up to 2 ms more.
      char bytes[64];
      size_t least = read_chain(before)->entries.size();
      least += static_cast<size_t>(std::max<ssize_t>(read(acknowledged[0], bytes, 1), 0));
      g_usleep(random() % 2000);
      kill(child, SIGKILL);
      int status = 0;
      waitpid(child, &status, 0);
      fail_unless(WIFSIGNALED(status), "an act failed");
      for (ssize_t size; (size = read(acknowledged[0], bytes, sizeof bytes)) > 0;)
        least += static_cast<size_t>(size);
      close(acknowledged[0]);
      const auto chain = ledger.read();
      fail_unless(bool(chain), "%s", chain ? "" : chain.error().message.c_str());
      fail_unless(chain->entries.size() >= least, "an act that was done is lost");
      const std::string text = place.text();
      fail_unless(text.starts_with(before), "what was there is changed");
      before = text.substr(0, chain->whole);
      torn += chain->torn > 0;
    }
  }
  g_print("killed at %d moments, %d of them left a torn line\n", kills, torn);
}
GST_END_TEST

static Suite* ledger_suite() {
  Suite* suite = suite_create("ledger");
  TCase* tests = tcase_create("ledger");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_give_and_withdraw);
  tcase_add_test(tests, test_clock_goes_back);
  tcase_add_test(tests, test_new_notice_needs_new_consent);
  tcase_add_test(tests, test_torn_at_every_byte);
  tcase_add_test(tests, test_changed_by_hand);
  tcase_add_test(tests, test_file_that_is_not_a_ledger);
  tcase_add_test(tests, test_lock_is_held);
  tcase_add_test(tests, test_disk_is_full);
  tcase_add_test(tests, test_disk_has_no_byte_left);
  tcase_add_test(tests, test_another_process_sees_it);
  tcase_add_test(tests, test_many_writers);
  tcase_add_test(tests, test_killed_while_writing);
  return suite;
}

GST_CHECK_MAIN(ledger)
