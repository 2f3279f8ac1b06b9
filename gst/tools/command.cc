// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdlib>
#include <deque>
#include <numeric>
#include <optional>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/number.h"
#include "gst/sphere/base/printable.h"

namespace sphere::tool {

namespace {

/// Where the form of a subcommand goes that was called for it; null: it was called to be done.
CommandForm* asked_form = nullptr;

std::vector<Command>& registry() {
  static std::vector<Command> list;
  return list;
}

/// The number of letters that must be inserted, removed, changed, or swapped with their neighbour.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), here(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    here[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      here[j] = std::min({last[j] + 1, here[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        here[j] = std::min(here[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(here);
  }
  return last[b.size()];
}

std::string printed(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, "%.10g", value);
}

/// GOptionContext reads 0x10 and 010, as C does, and nan. Therefore it reads numbers as text, and
/// they are read here.
class NumberOptions {
 public:
  explicit NumberOptions(const GOptionEntry* entries) {
    for (; entries->long_name; ++entries) {
      entries_.push_back(*entries);
      if (entries->arg != G_OPTION_ARG_INT && entries->arg != G_OPTION_ARG_DOUBLE) continue;
      numbers_.push_back({*entries, nullptr});
      entries_.back().arg = G_OPTION_ARG_STRING;
      entries_.back().arg_data = &numbers_.back().text;
    }
    entries_.push_back({});
  }
  NumberOptions(const NumberOptions&) = delete;
  NumberOptions& operator=(const NumberOptions&) = delete;
  ~NumberOptions() {
    for (const Number& number : numbers_) g_free(number.text);
  }

  const GOptionEntry* entries() const { return entries_.data(); }

  Status read() const {
    for (const Number& number : numbers_) {
      if (!number.text) continue;
      const std::string typed = std::string("--") + number.entry.long_name + " is '" + number.text;
      if (number.entry.arg == G_OPTION_ARG_DOUBLE) {
        const std::optional<double> value = parse_number(number.text);
        if (!value) return invalid(typed + "', must be a number such as 1.5");
        *static_cast<double*>(number.entry.arg_data) = *value;
      } else {
        const std::optional<int64_t> value = parse_integer(number.text);
        if (!value) return invalid(typed + "', must be a whole number");
        if (std::abs(*value) > std::numeric_limits<int>::max())
          return invalid(typed + "', which is too " + (*value < 0 ? "small" : "large"));
        *static_cast<int*>(number.entry.arg_data) = static_cast<int>(*value);
      }
    }
    return ok();
  }

 private:
  struct Number {
    GOptionEntry entry;
    char* text;
  };
  std::vector<GOptionEntry> entries_;
  std::deque<Number> numbers_;  // each stays in its place
};

}  // namespace

Registration::Registration(const Command& command) { registry().push_back(command); }

std::vector<Command> commands() {
  std::vector<Command> list = registry();
  std::sort(list.begin(), list.end(), [](const Command& a, const Command& b) {
    return std::string_view(a.name) < std::string_view(b.name);
  });
  return list;
}

CommandForm form_of(const Command& command) {
  CommandForm form;
  asked_form = &form;
  std::string name = command.name;
  char* argv[] = {name.data(), nullptr};
  command.run(1, argv);
  asked_form = nullptr;
  return form;
}

std::string alternatives(std::span<const std::string> names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : "|") + name;
  return all;
}

std::string listed(std::span<const std::string> names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

std::string nearest(std::string_view typed, std::span<const std::string> known) {
  // No word is longer, and the time grows with the square of the length.
  if (typed.empty() || typed.size() > 64) return {};
  std::string best;
  size_t best_distance = std::max<size_t>(1, typed.size() / 3) + 1;
  for (const std::string& word : known) {
    size_t d = distance(typed, word);
    if (typed.size() >= 3 && word.starts_with(typed)) d = std::min<size_t>(d, 1);
    if (d < best_distance) {
      best_distance = d;
      best = word;
    }
  }
  return best;
}

std::string suggestion(std::string_view typed, std::span<const std::string> known) {
  const std::string near = nearest(typed, known);
  return near.empty() ? std::string() : "; did you mean '" + near + "'?";
}

bool print_text(FILE* stream, std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    out += printable(text.substr(at, end - at));
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return std::fwrite(out.data(), 1, out.size(), stream) == out.size() && std::fflush(stream) == 0;
}

bool print(FILE* stream, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const GString_ text(g_strdup_vprintf(format, arguments));
  va_end(arguments);
  return print_text(stream, text.get());
}

bool print(JsonWriter& json, bool one_line) {
  const std::string text = json.finish_text(!one_line);
  std::string out;
  for (const char* at = text.c_str(); *at; at = g_utf8_next_char(at)) {
    const std::string_view character(at, static_cast<size_t>(g_utf8_next_char(at) - at));
    // Line breaks are the only control characters that are printed.
    if (character == "\n" || printable(character) == character) {
      out += character;
      continue;
    }
    const gunichar value = g_utf8_get_char(at);
    char escaped[16];
    if (value < 0x10000)
      std::snprintf(escaped, sizeof escaped, "\\u%04x", value);
    else
      std::snprintf(escaped, sizeof escaped, "\\u%04x\\u%04x", 0xd800 + ((value - 0x10000) >> 10),
                    0xdc00 + ((value - 0x10000) & 0x3ff));
    out += escaped;
  }
  out += '\n';
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0;
}

void MessagePrinter::say(const char* kind, std::string_view sentence) const {
  if (asked_form) return;
  std::string text;
  for (size_t at = 0; at <= sentence.size();) {
    const size_t end = std::min(sentence.find('\n', at), sentence.size());
    text += who_ + ": " + kind + std::string(sentence.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  print_text(stderr, text);
}

void MessagePrinter::error(const std::string& sentence) const { say("", sentence); }

void MessagePrinter::warn(const std::string& sentence) {
  // Two elements may report the same problem.
  if (std::ranges::find(warnings_, sentence) != warnings_.end()) return;
  if (!quiet) say("warning: ", sentence);
  warnings_.push_back(sentence);
}

void MessagePrinter::note(const std::string& sentence) const {
  if (verbose && !quiet) say("", sentence);
}

void MessagePrinter::wrote(const std::string& file, const std::string& what, double seconds) const {
  if (quiet || !(verbose || isatty(STDERR_FILENO))) return;
  print(stderr, "%s: wrote %s%s in %.1f s\n", who_.c_str(), printable(file).c_str(),
        what.empty() ? "" : (" (" + what + ")").c_str(), seconds);
}

Status parse_options(const char* command, const char* parameters, const char* summary,
                     const char* description, GOptionEntry* entries, int argc, char** argv,
                     std::vector<std::string>* rest) {
  if (asked_form) {
    asked_form->parameters = to_string(parameters);
    for (const GOptionEntry* entry = entries; entry->long_name; ++entry)
      asked_form->options.push_back(
          {entry->long_name, entry->short_name, entry->description,
           entry->arg == G_OPTION_ARG_NONE ? "" : to_string(entry->arg_description),
           entry->arg == G_OPTION_ARG_FILENAME});
    // The subcommand ends as if its options were wrong.
    return invalid("only the form of the command is wanted");
  }
  // GOptionContext uses this name in the usage line.
  g_set_prgname((std::string("sphere ") + command).c_str());
  g_autoptr(GOptionContext) context = g_option_context_new(parameters);
  g_option_context_set_summary(context, summary);
  g_option_context_set_description(context, description);
  const NumberOptions numbers(entries);
  g_option_context_add_main_entries(context, numbers.entries(), nullptr);
  g_auto(GStrv) words = g_new0(char*, static_cast<gsize>(argc) + 1);
  for (int i = 0; i < argc; ++i) words[i] = g_strdup(argv[i]);
  g_autoptr(GError) error = nullptr;
  if (!g_option_context_parse_strv(context, &words, &error)) {
    std::string message = error->message;
    if (g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION)) {
      std::vector<std::string> known;
      for (const GOptionEntry* entry = entries; entry->long_name; ++entry)
        known.push_back(std::string("--") + entry->long_name);
      const size_t dash = message.find('-');
      std::string typed = dash == std::string::npos ? std::string() : message.substr(dash);
      typed = typed.substr(0, typed.find('='));
      message = "there is no option '" + typed + "'" + suggestion(typed, known);
    }
    return invalid(message);
  }
  if (const Status read = numbers.read(); !read) return read;
  bool only_words = false;
  for (char** word = words + 1; words[0] && *word; ++word) {
    if (!only_words && g_str_equal(*word, "--"))
      only_words = true;
    else
      rest->emplace_back(*word);
  }
  return ok();
}

Status take_in_and_out(const std::vector<std::string>& rest, std::string* input,
                       std::string* output) {
  if (rest.size() < 2) return invalid(rest.empty() ? "IN and OUT are missing" : "OUT is missing");
  if (rest.size() > 2)
    return invalid("'" + rest[2] + "' is one word too many; only IN and OUT are expected");
  *input = rest[0];
  *output = rest[1];
  return ok();
}

Result<int> choose(const char* option, std::string_view typed,
                   std::span<const std::string> choices) {
  const auto found = std::find(choices.begin(), choices.end(), typed);
  if (found != choices.end()) return static_cast<int>(found - choices.begin());
  std::string known;
  for (const std::string& choice : choices) known += (known.empty() ? "" : ", ") + choice;
  return invalid(std::string(option) + " is '" + std::string(typed) + "', must be one of " + known +
                 suggestion(typed, choices));
}

Status check_range(const char* option, double value, double min, double max) {
  if (value >= min && value <= max) return ok();
  return invalid(std::string(option) + " is " + printed(value) + ", must be within " +
                 printed(min) + " and " + printed(max));
}

}  // namespace sphere::tool
