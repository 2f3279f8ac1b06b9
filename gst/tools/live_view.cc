// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/live_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifdef HAVE_WEB
#include "gst/live/web/qr_code.h"
#endif
#include "gst/sphere/base/printable.h"
#include "gst/tools/camera_command.h"

namespace sphere::tool {

namespace {

constexpr gint64 redraw_interval = G_USEC_PER_SEC / 4, json_interval = G_USEC_PER_SEC,
                 line_interval = 10 * G_USEC_PER_SEC;
constexpr size_t narrowest = 20;
constexpr size_t longest_name = 40;

size_t columns_of_terminal() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::max<size_t>(narrowest, size.ws_col - 1);
  return 79;
}

std::string number(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// Cut by characters, of which none is cut in two.
std::string cut(const std::string& text, size_t columns) {
  const auto length = static_cast<size_t>(g_utf8_strlen(text.c_str(), -1));
  if (length <= columns) return text;
  const GString_ part(g_utf8_substring(text.c_str(), 0, static_cast<glong>(columns - 1)));
  return to_string(part.get()) + "…";
}

std::string time_text(double seconds) {
  const auto whole = static_cast<long>(seconds);
  char text[32];
  std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  return text;
}

std::string latency_text(GstClockTime latency) {
  if (!GST_CLOCK_TIME_IS_VALID(latency)) return "-";
  return std::to_string(GST_TIME_AS_MSECONDS(latency)) + " ms";
}

}  // namespace

std::vector<std::string> live_lines(const live::SessionStatus& status, double seconds,
                                    size_t columns) {
  std::vector<std::string> lines;
  std::string head = time_text(seconds) + "  " + std::to_string(status.width) + "x" +
                     std::to_string(status.height);
  if (status.asked_width > status.width)
    head +=
        " of " + std::to_string(status.asked_width) + "x" + std::to_string(status.asked_width / 2);
  head += number("  %.1f fps", status.fps) + number("  %.0f", status.kbit_s) +
          number(" of %.0f kbit/s", status.bitrate);
  if (!status.encoder.empty()) head += "  " + status.encoder;
  head += "  " + std::to_string(status.lost) + " lost";
  lines.push_back(head);
  if (!status.source.empty())
    lines.push_back(status.source);
  else if (!status.streaming)
    lines.push_back("waiting for pictures");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, output] : status.outputs) {
    std::string more = std::to_string(output.dropped) + " dropped";
    if (output.reconnects) more += ", " + std::to_string(output.reconnects) + " reconnects";
    if (output.viewers) more += ", " + std::to_string(*output.viewers) + " viewers";
    more += output.sound ? ", sound" : ", no sound";
    if (!output.words.empty()) more = output.words;
    rows.push_back({"  " + cut(name, longest_name), std::string(name_of(output.state)),
                    size_text(output.bytes), latency_text(output.latency), more});
  }
  if (!rows.empty()) {
    std::string table = table_text(rows);
    for (size_t end; (end = table.find('\n')) != std::string::npos; table.erase(0, end + 1))
      lines.push_back(table.substr(0, end));
    if (!table.empty()) lines.push_back(table);
  }
  for (const auto& [name, output] : status.outputs) {
    for (const std::string& link : output.links) lines.push_back("  " + link);
    if (!output.note.empty()) lines.push_back("  " + output.note);
  }
  for (std::string& line : lines) line = cut(printable(line), columns);
  return lines;
}

bool print_live_json(const live::SessionStatus& status, double seconds,
                     const std::vector<std::string>& news) {
  JsonWriter json;
  json.add("seconds", seconds);
  json.add("streaming", status.streaming);
  json.add("source", status.source);
  json.add("encoder", status.encoder);
  json.add("encodings", status.encodings);
  json.add("width", status.width);
  json.add("height", status.height);
  json.add("asked-width", status.asked_width);
  json.add("bitrate", status.bitrate);
  json.add("asked-bitrate", status.asked_bitrate);
  json.add("fps", status.fps);
  json.add("kbit-s", status.kbit_s);
  json.add("arrived", status.arrived);
  json.add("encoded", status.encoded);
  json.add("lost", status.lost);
  json.open_list("outputs");
  for (const auto& [name, output] : status.outputs) {
    json.open();
    json.add("name", name);
    json.add("state", name_of(output.state));
    json.add("words", output.words);
    json.add("bytes", output.bytes);
    json.add("frames", output.frames);
    json.add("dropped", output.dropped);
    if (GST_CLOCK_TIME_IS_VALID(output.latency))
      json.add("latency-ms", static_cast<double>(output.latency) / GST_MSECOND);
    json.add("reconnects", output.reconnects);
    json.add("sound", output.sound);
    if (output.viewers) json.add("viewers", *output.viewers);
    json.add("links", output.links);
    json.add("note", output.note);
    json.close();
  }
  json.close_list();
  json.add("news", news);
  return print(json, true);
}

LiveView::LiveView(Form form)
    : json_(form == Form::json),
      quiet_(form == Form::quiet),
      terminal_(form == Form::automatic && isatty(STDERR_FILENO) &&
                to_string(std::getenv("TERM")) != "dumb"),
      begin_(g_get_monotonic_time()) {}

void LiveView::show(const live::SessionStatus& status, const std::vector<std::string>& news) {
  const gint64 now = g_get_monotonic_time();
  const gint64 interval = json_ ? json_interval : terminal_ ? redraw_interval : line_interval;
  if (!news.empty() && !json_ && !quiet_) {
    clear();
    for (const std::string& sentence : news) print(stderr, "sphere live: %s\n", sentence.c_str());
  }
  if (terminal_) show_codes(status);
  if (news.empty() && shown_at_ && now - shown_at_ < interval) return;
  shown_at_ = now;
  show_now(status, json_ ? news : std::vector<std::string>());
}

void LiveView::show_end(const live::SessionStatus& status, const std::vector<std::string>& news) {
  clear();
  // A stream that did not begin has no numbers; what went wrong is told by the command.
  if (json_ || status.width > 0) return show_now(status, news);
  if (quiet_) return;
  for (const std::string& sentence : news) print(stderr, "sphere live: %s\n", sentence.c_str());
}

void LiveView::show_now(const live::SessionStatus& status, const std::vector<std::string>& news) {
  const double seconds = static_cast<double>(g_get_monotonic_time() - begin_) / G_USEC_PER_SEC;
  if (json_) {
    print_live_json(status, seconds, news);
    return;
  }
  if (quiet_) return;
  for (const std::string& sentence : news) print(stderr, "sphere live: %s\n", sentence.c_str());
  if (terminal_)
    draw(live_lines(status, seconds, columns_of_terminal()));
  else if (!status.outputs.empty())
    for (const std::string& line : live_lines(status, seconds, 1000))
      print(stderr, "%s\n", line.c_str());
}

void LiveView::show_codes(const live::SessionStatus& status) {
#ifdef HAVE_WEB
  for (const auto& [name, output] : status.outputs) {
    if (output.links.empty()) continue;
    // A phone can't open a page that is for this machine only.
    const std::string& link = output.links.front();
    if (!link.starts_with("https://") || !coded_.insert(link).second) continue;
    clear();
    print(stderr, "%s", live::qr_code(link).c_str());
  }
#else
  (void)status;
#endif
}

void LiveView::draw(const std::vector<std::string>& lines) {
  clear();
  for (const std::string& line : lines) print(stderr, "%s\n", line.c_str());
  drawn_ = lines.size();
  std::fflush(stderr);
}

void LiveView::clear() {
  if (!drawn_) return;
  // Up, and away with all below.
  std::fprintf(stderr, "\x1b[%zuA\r\x1b[J", drawn_);
  drawn_ = 0;
  std::fflush(stderr);
}

}  // namespace sphere::tool
