// SPDX-License-Identifier: LGPL-2.1-or-later
// The common parts of the subcommands of `sphere`: finding one, messages, exit status.

#pragma once

#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/json_writer.h"
#include "gst/sphere/base/result.h"

namespace sphere::tool {

enum Exit {
  exit_done = 0,
  exit_failed = 1,
  exit_usage = 2,
  /// A file can't be examined, or something that had to be taken out was found in the result.
  exit_unexamined = 3,
  /// Done, except that the pictures of a video were left unread, as was asked for.
  exit_incomplete = 4,
  exit_interrupted = 130,
};

/// A subcommand. Its file registers it by a static object, so no list of them is kept:
///   const Registration registration({"stitch", "stitch a photo or a video", run});
struct Command {
  const char* name;
  const char* summary;
  /// argv[0] is the subcommand's name. Returns the exit status.
  int (*run)(int argc, char** argv);
};

class Registration {
 public:
  explicit Registration(const Command& command);
};

/// All subcommands, sorted by name.
std::vector<Command> commands();

/// What may follow a subcommand, as its own tables say.
struct CommandForm {
  struct Option {
    std::string name;  ///< without its dashes
    char letter = 0;   ///< 0: none
    std::string what;
    std::string argument;  ///< the help's word for it, such as "FILE|auto"; empty: it takes none
    bool is_file = false;
  };
  std::string parameters;  ///< as in the help, such as "[URI] standby|wake|off"
  std::vector<Option> options;
};
/// Calls the subcommand for nothing but its form: it does nothing else, and prints nothing.
CommandForm form_of(const Command& command);

/// The names, separated by commas.
std::string listed(std::span<const std::string> names);
/// The names, separated by strokes: the word for an argument that is one of them.
std::string alternatives(std::span<const std::string> names);
/// The word that was probably meant, or "" if none is similar.
std::string nearest(std::string_view typed, std::span<const std::string> known);
/// "; did you mean 'X'?" or "".
std::string suggestion(std::string_view typed, std::span<const std::string> known);

/// The only function for text on stdout and stderr that a person reads. It makes text from files
/// and cameras printable, line by line (gst/sphere/base/printable.h). Returns false if it could not
/// be written.
bool print_text(FILE* stream, std::string_view text);
bool print(FILE* stream, const char* format, ...) G_GNUC_PRINTF(2, 3);

/// The only function for JSON on stdout; ends the object. Control characters for terminals are
/// escaped as in JSON, so that a reader of the JSON gets them unchanged. `one_line`: for a command
/// that prints one object after the other.
bool print(JsonWriter& json, bool one_line = false);

/// Prints messages for the user on stderr, each line with the command's name before it.
class MessagePrinter {
 public:
  explicit MessagePrinter(std::string who) : who_(std::move(who)) {}

  bool quiet = false;
  bool verbose = false;

  void error(const std::string& sentence) const;
  void warn(const std::string& sentence);
  void note(const std::string& sentence) const;
  /// Prints what was written and how long it took, if stderr is a terminal or with `verbose`.
  /// `what` may be "".
  void wrote(const std::string& file, const std::string& what, double seconds) const;
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  void say(const char* kind, std::string_view sentence) const;

  std::string who_;
  std::vector<std::string> warnings_;
};

/// What the variable of an option with a number holds before parse_options(), to find out
/// afterwards whether the option was there: nothing that can be typed has these values.
inline constexpr int no_integer = std::numeric_limits<int>::min();
inline constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
inline bool is_given(int value) { return value != no_integer; }
inline bool is_given(double value) { return !std::isnan(value); }

/// Parses the options in argv, and writes the other arguments to `rest`. The error of an unknown
/// option names the most similar one. Numbers (G_OPTION_ARG_INT and G_OPTION_ARG_DOUBLE) are
/// decimal. `--help` prints the help and ends the process with success, as GOptionContext does.
Status parse_options(const char* command, const char* parameters, const char* summary,
                     const char* description, GOptionEntry* entries, int argc, char** argv,
                     std::vector<std::string>* rest);

/// The two files of a command, from the other arguments: where it reads and where it writes.
Status take_in_and_out(const std::vector<std::string>& rest, std::string* input,
                       std::string* output);

/// The index of the choice, or an error that names the most similar one.
Result<int> choose(const char* option, std::string_view typed,
                   std::span<const std::string> choices);
Status check_range(const char* option, double value, double min, double max);

}  // namespace sphere::tool
