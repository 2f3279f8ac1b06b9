// SPDX-License-Identifier: LGPL-2.1-or-later
// A suite whose cases mostly wait for timeouts of what they test: several cases run at the same
// time, each in a process of its own (under a sanitizer, too), so that the suite takes as long as
// the longest and not as long as their sum. What a case measures of its process is not disturbed by
// the others.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

#include <gst/check/gstcheck.h>

namespace sphere::test {

/// Cases at the same time. They mostly wait, so there may be more of them than processors.
constexpr size_t most_cases_at_once = 6;

/// Which case of the suite is to be added: all, or one; and how many there are.
inline int only_case = -1;
inline int case_count = 0;

inline void add_chosen_case(TCase* tcase, TFun test, const char* name, int signal, int exit_status,
                            int start, int end) {
  for (int i = start; i < end; ++i, ++case_count)
    if (only_case < 0 || only_case == case_count)
      __gst_tcase_add_test(tcase, test, name, signal, exit_status, i, i + 1);
}

/// What a process has said, when it has ended; nobody else writes meanwhile.
inline void print_said(FILE* said) {
  std::rewind(said);
  std::array<char, 4096> bytes;
  for (size_t got; (got = std::fread(bytes.data(), 1, bytes.size(), said)) > 0;)
    std::fwrite(bytes.data(), 1, got, stdout);
  std::fflush(stdout);
  std::fclose(said);
}

inline int run_side_by_side(int argc, char** argv, Suite* (*make)(), const char* name,
                            const char* file) {
  gst_check_init(&argc, &argv);
  // Makes the suite once, to count its cases.
  srunner_free(srunner_create(make()));
  const int count = std::exchange(case_count, 0);

  std::map<pid_t, FILE*> running;
  int failed = 0;
  for (int next = 0; next < count || !running.empty();) {
    if (next < count && running.size() < most_cases_at_once) {
      FILE* said = std::tmpfile();
      g_assert(said != nullptr);
      const pid_t child = fork();
      g_assert(child >= 0);
      if (child == 0) {
        dup2(fileno(said), STDOUT_FILENO);
        dup2(fileno(said), STDERR_FILENO);
        only_case = next;
        std::exit(gst_check_run_suite(make(), name, file));
      }
      running.emplace(child, said);
      ++next;
      continue;
    }
    int status = 0;
    const pid_t ended = wait(&status);
    const auto one = running.find(ended);
    if (one == running.end()) continue;
    failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    print_said(one->second);
    running.erase(one);
  }
  return std::min(failed, 100);
}

}  // namespace sphere::test

// GStreamer replaces the function of check in the same way.
#undef _tcase_add_test
#define _tcase_add_test sphere::test::add_chosen_case

#define SIDE_BY_SIDE_MAIN(name)                                                       \
  int main(int argc, char** argv) {                                                   \
    return sphere::test::run_side_by_side(argc, argv, name##_suite, #name, __FILE__); \
  }
