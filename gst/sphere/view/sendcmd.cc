// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/sendcmd.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "gst/sphere/base/number.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/view/expression.h"
#include "gst/sphere/view/pieces.h"

namespace sphere {

namespace {

// Straight pieces of what was imported; the same everywhere, so that what is exported and imported
// again is what it was.
constexpr double import_tolerance = 0.001;
constexpr double shortest_piece = 1.0 / 240;
constexpr size_t most_commands = 4 * ViewPath::most_keyframes;
constexpr double most_seconds = 1e6;
constexpr double usual_field = 90;
constexpr size_t field_channel = 3;

constexpr std::array<const char*, 4> names = {"yaw", "pitch", "roll", "d_fov"};

/// The longer the diagonal is than the width.
double diagonal_factor(const ViewFrame& frame) {
  return std::hypot(frame.width, frame.height) / frame.width;
}
double scaled_field(double field, double factor) {
  return degrees(2 * std::atan(std::tan(radians(field) / 2) * factor));
}

/// Without needless digits, and never with a decimal comma.
std::string number_text(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd(text, sizeof text, "%.6f", value);
  std::string trimmed = text;
  while (trimmed.back() == '0') trimmed.pop_back();
  if (trimmed.back() == '.') trimmed.pop_back();
  return trimmed == "-0" ? "0" : trimmed;
}

/// A piece in parts whose angles are within half a turn: v360 refuses others.
std::vector<ViewPiece> within_range(const ViewPiece& whole) {
  std::vector<double> corners = {0, 1};
  for (size_t i = 0; i < field_channel; ++i) {
    const double from = whole.from[i], to = whole.to[i];
    const double low = std::min(from, to), high = std::max(from, to);
    for (double edge = 360 * std::floor(low / 360) + 180; edge < high; edge += 360)
      if (edge > low) corners.push_back((edge - from) / (to - from));
  }
  std::ranges::sort(corners);
  corners.erase(std::unique(corners.begin(), corners.end()), corners.end());
  std::vector<ViewPiece> parts;
  for (size_t n = 0; n + 1 < corners.size(); ++n) {
    const auto at = [&](double part) {
      ViewValues values;
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = whole.from[i] + (whole.to[i] - whole.from[i]) * part;
      return values;
    };
    const auto time_at = [&](double part) {
      return whole.begin + (whole.end - whole.begin) * part;
    };
    ViewPiece piece = {time_at(corners[n]), time_at(corners[n + 1]), at(corners[n]),
                       at(corners[n + 1])};
    for (size_t i = 0; i < field_channel; ++i) {
      // The middle tells which turn it is in; the ends may be on its edge.
      const double turns = 360 * std::round((piece.from[i] + piece.to[i]) / 2 / 360);
      piece.from[i] = std::clamp(piece.from[i] - turns, -180.0, 180.0);
      piece.to[i] = std::clamp(piece.to[i] - turns, -180.0, 180.0);
    }
    parts.push_back(piece);
  }
  return parts;
}

/// Which width a field of view of v360 is across.
enum class Field { none, horizontal, vertical, diagonal };

/// What one command sets from a time on.
struct Command {
  size_t channel = 0;
  Field field = Field::none;
  double begin = 0, end = 0;
  bool changes = false;    ///< its value is calculated anew for each picture up to `end`
  double value = 0;        ///< or stays
  std::string expression;  ///< of one that changes
  size_t line = 0;
};

class Parser {
 public:
  Parser(std::string_view text, std::string name, const ViewFrame& frame)
      : text_(text), name_(std::move(name)), frame_(frame) {}

  Result<ViewPath> parse() {
    if (const Status read = read_all(); !read) return read.error();
    bool any = false;
    for (std::vector<Command>& channel : channels_) {
      any = any || !channel.empty();
      std::ranges::stable_sort(channel, {}, &Command::begin);
    }
    if (!any)
      return invalid(name_ + ": has no command for v360 (yaw, pitch, roll, h_fov, v_fov, d_fov)");
    return make_path();
  }

 private:
  Error wrong(const std::string& what) const {
    return invalid(name_ + ": line " + std::to_string(line_) + ": " + what);
  }
  bool at_end() const { return at_ == text_.size(); }
  char next() const { return text_[at_]; }
  void step() {
    if (text_[at_++] == '\n') ++line_;
  }
  void skip_blanks() {
    while (!at_end()) {
      if (next() == '#') {
        while (!at_end() && next() != '\n') step();
      } else if (g_ascii_isspace(next())) {
        step();
      } else {
        return;
      }
    }
  }
  /// A word up to one of these characters, or a blank; quotes and backslashes are taken off.
  std::string word(std::string_view ends) {
    skip_blanks();
    std::string found;
    while (!at_end() && !g_ascii_isspace(next()) && ends.find(next()) == std::string_view::npos) {
      if (next() == '\'') {
        step();
        while (!at_end() && next() != '\'') {
          found += next();
          step();
        }
        if (!at_end()) step();
        continue;
      }
      if (next() == '\\') {
        step();
        if (at_end()) break;
      }
      found += next();
      step();
    }
    return found;
  }

  /// Seconds, or HH:MM:SS.
  static std::optional<double> time_of(const std::string& text) {
    double seconds = 0;
    size_t begin = 0;
    for (int fields = 0;; ++fields) {
      const size_t colon = text.find(':', begin);
      const std::string field = text.substr(begin, colon - begin);
      const std::optional<double> value = parse_number(field);
      if (fields > 2 || !value || !(*value >= 0)) return std::nullopt;
      seconds = seconds * 60 + *value;
      if (colon == std::string::npos) break;
      begin = colon + 1;
    }
    if (!(seconds <= most_seconds)) return std::nullopt;
    return seconds;
  }

  Status read_all() {
    for (skip_blanks(); !at_end(); skip_blanks())
      if (const Status read = read_interval(); !read) return read;
    return ok();
  }

  Status read_interval() {
    const std::string times = word(";,");
    const size_t dash = times.find('-');
    const std::optional<double> begin = time_of(times.substr(0, dash));
    const std::optional<double> end =
        dash == std::string::npos ? begin : time_of(times.substr(dash + 1));
    if (!begin || !end)
      return wrong("'" + times + "' is no time; an interval is START or START-END, in seconds");
    if (*end < *begin) return wrong("the interval ends before it begins");
    for (;;) {
      if (const Status read = read_command(*begin, *end, dash != std::string::npos); !read)
        return read;
      skip_blanks();
      if (at_end()) return ok();
      const char separator = next();
      if (separator != ',' && separator != ';')
        return wrong("',' or ';' expected behind a command");
      step();
      if (separator == ';') return ok();
    }
  }

  Status read_command(double begin, double end, bool has_end) {
    skip_blanks();
    bool enter = true, leave = false, expression = false;
    if (!at_end() && next() == '[') {
      enter = false;
      step();
      std::string flags;
      while (!at_end() && next() != ']') {
        flags += next();
        step();
      }
      if (at_end()) return wrong("']' is missing behind the flags");
      step();
      for (size_t from = 0; from <= flags.size();) {
        const size_t bar = std::min(flags.find_first_of("+|", from), flags.size());
        const std::string_view flag = trimmed(std::string_view(flags).substr(from, bar - from));
        if (flag == "enter")
          enter = true;
        else if (flag == "leave")
          leave = true;
        else if (flag == "expr")
          expression = true;
        else
          return wrong("there is no flag '" + std::string(flag) + "'; they are enter, leave, expr");
        from = bar + 1;
      }
    }
    const std::string target = word(",;"), command = word(",;"), argument = word(",;");
    if (target.empty() || command.empty()) return wrong("a command has a target and a name");
    const bool ours = target.starts_with("v360") || target.starts_with("Parsed_v360");
    Command made;
    if (!ours || !find_channel(command, &made)) return ok();
    made.line = line_;
    made.begin = begin;
    made.end = end;
    // With `expr` alone, the value is set anew for each picture of the interval.
    made.changes = expression && !enter && !leave;
    if (made.changes) {
      if (!has_end) return wrong("an expression needs an interval with an end");
      // It holds for no picture. VR-reversal writes one at the beginning.
      if (end <= begin) return ok();
      made.expression = argument;
    }
    const double at = leave && !enter ? end : begin;
    const std::optional<double> value = evaluate(argument, {made.changes ? begin : at, begin, end});
    if (!value)
      return wrong("'" + argument + "' is no number, and no expression that is understood");
    made.value = *value;
    if (!made.changes) made.begin = made.end = at;
    if (++commands_ > most_commands)
      return invalid(name_ + ": has more than " + std::to_string(most_commands) + " commands");
    channels_[made.channel].push_back(std::move(made));
    return ok();
  }

  static bool find_channel(const std::string& command, Command* made) {
    for (size_t i = 0; i < names.size(); ++i)
      if (command == names[i]) made->channel = i;
    if (command == "d_fov") made->field = Field::diagonal;
    if (command == "h_fov") made->field = Field::horizontal;
    if (command == "v_fov") made->field = Field::vertical;
    if (made->field != Field::none) made->channel = field_channel;
    return made->field != Field::none || command == names[made->channel];
  }

  /// The value of a command at a time, in the terms of this project.
  double value_at(const Command& command, double time) {
    double value = command.value;
    if (command.changes) {
      const double now = std::clamp(time, command.begin, command.end);
      const std::optional<double> calculated =
          evaluate(command.expression, {now, command.begin, command.end});
      if (!calculated && !problem_) {
        line_ = command.line;
        problem_ =
            wrong("'" + command.expression + "' has no value at " + number_text(time) + " s");
      }
      value = calculated.value_or(0);
    }
    if (command.field == Field::diagonal) return scaled_field(value, 1 / diagonal_factor(frame_));
    if (command.field == Field::vertical)
      return scaled_field(value, static_cast<double>(frame_.width) / frame_.height);
    return value;
  }

  /// The command that holds at a time: the last one that began.
  const Command* holding(size_t channel, double time) const {
    const std::vector<Command>& all = channels_[channel];
    const auto after = std::ranges::upper_bound(all, time, {}, &Command::begin);
    return after == all.begin() ? nullptr : &*(after - 1);
  }

  Result<ViewPath> make_path() {
    std::vector<double> times;
    for (const std::vector<Command>& channel : channels_)
      for (const Command& command : channel) {
        times.push_back(command.begin);
        times.push_back(command.end);
      }
    std::ranges::sort(times);
    times.erase(std::unique(times.begin(), times.end()), times.end());
    std::vector<ViewPiece> pieces;
    const auto values_of = [&](double from) {
      std::array<const Command*, 4> commands{};
      for (size_t i = 0; i < commands.size(); ++i) commands[i] = holding(i, from);
      return [this, commands](double time) {
        ViewValues values = {0, 0, 0, usual_field};
        for (size_t i = 0; i < commands.size(); ++i)
          if (commands[i]) values[i] = value_at(*commands[i], time);
        return values;
      };
    };
    for (size_t i = 0; i + 1 < times.size() && !problem_; ++i) {
      add_pieces(times[i], times[i + 1], values_of(times[i]), import_tolerance, shortest_piece,
                 &pieces);
      if (pieces.size() > most_commands)
        return invalid(name_ + ": needs more than " + std::to_string(ViewPath::most_keyframes) +
                       " keyframes");
    }
    // What is set by the last command holds from there on.
    const ViewValues last = values_of(times.back())(times.back());
    pieces.push_back({times.back(), times.back(), last, last});
    if (problem_) return *problem_;
    count_turns_on(&pieces);
    Result<ViewPath> path = path_of(pieces, import_tolerance);
    if (!path) return invalid(name_ + ": " + path.error().message);
    return path;
  }

  /// v360 has angles within half a turn: where one jumps by more, it goes on in the next turn.
  static void count_turns_on(std::vector<ViewPiece>* pieces) {
    for (size_t n = 1; n < pieces->size(); ++n)
      for (size_t i = 0; i < field_channel; ++i) {
        ViewPiece& piece = (*pieces)[n];
        const double jump = piece.from[i] - (*pieces)[n - 1].to[i];
        const double turns = 360 * std::round(jump / 360);
        piece.from[i] -= turns;
        piece.to[i] -= turns;
      }
  }

  const std::string_view text_;
  const std::string name_;
  const ViewFrame frame_;
  size_t at_ = 0, line_ = 1, commands_ = 0;
  std::array<std::vector<Command>, 4> channels_;
  std::optional<Error> problem_;
};

}  // namespace

Result<std::string> sendcmd_text(const ViewPath& path, const ViewFrame& frame) {
  const double step = static_cast<double>(frame.rate_denominator) / frame.rate_numerator;
  const Result<std::vector<ViewPiece>> pieces = pieces_of(path, export_tolerance, step / 2);
  if (!pieces) return pieces.error();
  std::string text =
      "# What is looked at, for ffmpeg's filter v360; written by gst-sphere.\n"
      "# ffmpeg -i IN -vf \"sendcmd=f=FILE,v360=e:flat:reset_rot=1:w=" +
      std::to_string(frame.width) + ":h=" + std::to_string(frame.height) + "\" OUT\n";
  const double factor = diagonal_factor(frame);
  // A command may be the only one of its interval that meets a picture, and a movement's last
  // picture comes before its end: each interval sets all.
  const auto add_line = [&](const std::string& times, const ViewValues& from,
                            const ViewValues& to) {
    text += times;
    for (size_t i = 0; i < names.size(); ++i) {
      const bool field = i == field_channel, moves = number_text(from[i]) != number_text(to[i]);
      text += std::string(i == 0 ? " " : ", ") + (moves ? "[expr]" : "[enter]") + " v360 " +
              names[i] + " ";
      const std::string lerp = "lerp(" + number_text(from[i]) + "," + number_text(to[i]) + ",TI)";
      if (!moves)
        text += number_text(field ? scaled_field(from[i], factor) : from[i]);
      else if (field)
        text += "'360/PI*atan(" + number_text(factor) + "*tan(PI/360*" + lerp + "))'";
      else
        text += "'" + lerp + "'";
    }
    text += ";\n";
  };
  const ViewPiece& first = pieces->front();
  const ViewPiece& last = pieces->back();
  // The first view holds before it, the last one after it.
  const double begin = first.begin;
  if (begin > 0) {
    const ViewPiece before = within_range({0, begin, first.from, first.from}).front();
    add_line("0-" + number_text(begin), before.from, before.to);
  }
  for (const ViewPiece& whole : *pieces)
    for (const ViewPiece& piece : within_range(whole))
      if (const std::string from = number_text(piece.begin), to = number_text(piece.end);
          from != to)
        add_line(from + "-" + to, piece.from, piece.to);
  const ViewPiece after = within_range({last.end, last.end, last.to, last.to}).front();
  add_line(number_text(last.end), after.from, after.to);
  return text;
}

Result<ViewPath> parse_sendcmd(std::string_view text, const std::string& name,
                               const ViewFrame& frame) {
  return Parser(text, name, frame).parse();
}

}  // namespace sphere
