// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the subcommand that the user has named, and runs it.

#include "gst/tools/run_command.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "config.h"
#include "gst/sphere/storage/counts.h"
#include "gst/tools/command.h"

namespace sphere::tool {

namespace {

void print_help(FILE* stream) {
  print(stream,
        "Usage: sphere COMMAND [ARGUMENTS]\n"
        "       sphere help COMMAND\n"
        "       sphere --version\n\n"
        "Commands:\n");
  for (const Command& command : commands())
    print(stream, "  %-12s %s\n", command.name, command.summary);
  print(stream,
        "  %-12s show this text, or the options of a command\n\n"
        "Exit status: 0 success, 1 failure, 2 wrong usage, 3 a file that can't be examined, 130 "
        "interrupted.\n",
        "help");
}

const Command* find(std::string_view name) {
  static const std::vector<Command> all = commands();
  for (const Command& command : all)
    if (name == command.name) return &command;
  return nullptr;
}

int unknown(const char* name) {
  std::vector<std::string> known{"help"};
  for (const Command& command : commands()) known.emplace_back(command.name);
  print(stderr, "sphere: there is no command '%s'%s\n", name, suggestion(name, known).c_str());
  print(stderr, "sphere: 'sphere --help' lists the commands\n");
  return exit_usage;
}

int help(const char* name) {
  if (!name) {
    print_help(stdout);
    return exit_done;
  }
  const Command* command = find(name);
  if (!command) return unknown(name);
  std::string flag = "--help";
  std::string own_name = command->name;
  char* argv[] = {own_name.data(), flag.data(), nullptr};
  return command->run(2, argv);
}

/// Runs the subcommand. With consent to statistics, its exit status and its duration are counted.
/// `sphere consent` is not counted.
int run_counted(const Command& command, int argc, char** argv) {
  const std::string name = command.name;
  if (name == "consent") return command.run(argc, argv);
  // Static, because some options, such as --help, end the process.
  static storage::RunningCommand running;
  running.begin(g_get_real_time());
  const gint64 begin = g_get_monotonic_time();
  const int exit = command.run(argc, argv);
  const gint64 took = g_get_monotonic_time() - begin;
  running.end();
  std::vector<std::string> names = {name + " runs", name + " " + storage::duration_name(took)};
  if (exit == exit_failed) names.push_back(name + " failed");
  // Errors are ignored: the counts are not important enough.
  (void)storage::count(storage::Store::statistics, names, g_get_real_time());
  return exit;
}

}  // namespace

bool is_command(std::string_view name) { return find(name) != nullptr; }

int run_command(int argc, char** argv) {
  if (argc < 2) {
    print_help(stderr);
    return exit_usage;
  }
  const std::string_view word = argv[1];
  if (word == "--version") {
    print(stdout, "sphere %s\n", VERSION);
    return exit_done;
  }
  if (word == "--help" || word == "-h" || word == "help") return help(argc > 2 ? argv[2] : nullptr);
  const Command* command = find(word);
  return command ? run_counted(*command, argc - 1, argv + 1) : unknown(argv[1]);
}

}  // namespace sphere::tool
