// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere live: from a camera to the world.

#include <gst/gst.h>
#include <malloc.h>

#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "gst/live/output.h"
#include "gst/live/session.h"
#include "gst/sphere/base/number.h"
#include "gst/tools/command.h"
#include "gst/tools/consent_option.h"
#include "gst/tools/live_view.h"
#include "gst/tools/question.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/stop_signals.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Streams a camera's pictures, stitched to 360 degrees, until --for has passed or Ctrl-C is\n"
    "pressed. URI is a camera, a file, another stream, or 'test:'.\n"
    "\n"
    "Targets (--to, several are possible):\n"
    "  rtmp://HOST/APP/KEY       a media server or a service; also rtmps://\n"
    "  srt://HOST:PORT           SRT; ?passphrase=… ?mode=listener ?streamid=… ?latency=MS\n"
    "  rtsp:PORT                 a server for players on this machine; rtsp:0.0.0.0:PORT for all\n"
    "  hls:FOLDER                playlists and segments for a web server; ?segment=S ?window=N\n"
    "  file:NAME.mp4             a file, also .mkv; ?segment=S (parts) ?overwrite=yes\n"
    "  web:PORT                  a page that looks around; web:0.0.0.0:PORT for the network\n"
    "\n"
    "A target that fails does not stop the others, and is tried again. If the processor or the\n"
    "network can't keep up, size and bit rate go down, and up again later.\n"
    "\n"
    "Sound goes only where you have agreed to: on a terminal you are asked once for each target,\n"
    "otherwise 'sphere consent give audio --purpose live --purpose share' says so. A file needs\n"
    "the purpose 'record'.\n"
    "\n"
    "Examples:\n"
    "  sphere live madv://192.168.42.1 --to rtmp://a.rtmp.youtube.com/live2/KEY\n"
    "  sphere live madv://192.168.42.1 --to web:8080 --to file:ride.mp4 --show\n"
    "  sphere live test: --to hls:/var/www/html/live --size 1920x960 --for 10m\n";

constexpr int smallest_width = 64, largest_width = 8192, width_step = 4;
constexpr double most_fps = 120;
constexpr int least_bitrate = 50, most_bitrate = 200000;
constexpr double longest_duration = 30 * 86400;
constexpr int most_latency_ms = 10000;
constexpr int interval_ms = 100;
constexpr double memory_interval_s = 60;

const std::vector<std::string> projections = {"auto", "fisheye", "sphere"};

struct Words {
  char **to = nullptr, *size = nullptr, *encoder = nullptr, *projection = nullptr, *lens = nullptr,
       *duration = nullptr;
  gint bitrate = no_integer, latency = no_integer;
  double fps = no_number;
  gboolean show = FALSE, json = FALSE, quiet = FALSE, silent = FALSE, steady = FALSE;

  Words() = default;
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  ~Words() {
    g_strfreev(to);
    for (char* text : {size, encoder, projection, lens, duration}) g_free(text);
  }
};

/// "1920x960" or "1920".
Result<int> read_size(std::string_view text) {
  int64_t width = 0, height = 0;
  if (const std::optional<IntegerPair> size = parse_integer_pair(text, 'x')) {
    width = size->first;
    height = size->second;
  } else if (const std::optional<int64_t> alone = parse_integer(text)) {
    width = *alone;
    height = width / 2;
  }
  if (width < smallest_width || width > largest_width || width % width_step != 0)
    return invalid("--size must be like 1920x960, from 64x32 to 8192x4096, in steps of 4");
  if (width != 2 * height) return invalid("--size: a 360 picture is twice as wide as high");
  return static_cast<int>(width);
}

/// "90", "90s", "10m", "2h", in seconds.
Result<double> read_duration(std::string_view text) {
  std::string_view unit = text;
  const std::optional<double> value = take_number(&unit);
  const double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (!value || factor == 0 || !(*value > 0) || *value * factor > longest_duration)
    return invalid("--for must be a time like 90s, 10m or 2h");
  return *value * factor;
}

std::string purpose_list(consent::Purposes purposes) {
  std::string list;
  for (size_t i = 0; i < consent::purpose_names.size(); ++i)
    if (purposes & consent::bit(static_cast<consent::Purpose>(i)))
      list += (list.empty() ? "" : ", ") + std::string(consent::purpose_names[i]);
  return list;
}

bool allowed(const consent::Consent& consent, consent::Purposes purposes) {
  for (size_t i = 0; i < consent::purpose_names.size(); ++i) {
    const auto purpose = static_cast<consent::Purpose>(i);
    if ((purposes & consent::bit(purpose)) && !consent.allowed(consent::Category::audio, purpose))
      return false;
  }
  return true;
}

/// Asks on the terminal whether the sound may go there. Ctrl-C is a no.
bool ask_for_sound(const live::Target& target, GCancellable* stop) {
  const char* who = target.kind == live::TargetKind::file ? "It stays in the file."
                    : target.leaves                       ? "Whoever can watch there hears it."
                                                          : "It is heard on this machine.";
  return ask_yes_or_no("May the sound of the camera go to " + target.shown + "? " + who, stop) ==
         Reply::yes;
}

Status read_options(const Words& words, const std::vector<std::string>& rest,
                    live::SessionOptions* options, double* seconds) {
  if (rest.size() != 1)
    return rest.empty() ? invalid("name a camera, a file, or 'test:'")
                        : invalid("only one source can be streamed; targets come after --to");
  options->source.uri = rest[0];
  if (words.size) {
    const auto width = read_size(words.size);
    if (!width) return width.error();
    options->source.width = *width;
  }
  if (is_given(words.fps)) {
    if (const Status good = check_range("--fps", words.fps, 1, most_fps); !good) return good;
    options->source.fps = words.fps;
  }
  if (is_given(words.bitrate)) {
    if (const Status good = check_range("--bitrate", words.bitrate, least_bitrate, most_bitrate);
        !good)
      return good;
    options->bitrate = words.bitrate;
  }
  if (words.encoder) {
    const auto names = live::encoder_names();
    const auto chosen = choose("--encoder", words.encoder, names);
    if (!chosen) return chosen.error();
    options->encoder = names[static_cast<size_t>(*chosen)];
  }
  if (words.projection) {
    const auto chosen = choose("--projection", words.projection, projections);
    if (!chosen) return chosen.error();
    options->source.projection = static_cast<live::Projection>(*chosen);
  }
  if (words.lens) {
    if (const Status named = check_lens_name(words.lens); !named) return named;
    options->source.lens = words.lens;
  }
  if (is_given(words.latency)) {
    if (const Status good = check_range("--latency", words.latency, 0, most_latency_ms); !good)
      return good;
    options->source.latency = words.latency;
  }
  if (words.duration) {
    const auto length = read_duration(words.duration);
    if (!length) return length.error();
    *seconds = *length;
  }
  options->adapt = !words.steady;
  for (char** to = words.to; to && *to; ++to) {
    const auto target = live::parse_target(*to);
    if (!target) return Error(target.error().kind, "--to: " + target.error().message);
    options->targets.push_back({*target, {}, {}});
  }
  if (words.show) {
    const auto window = live::parse_target("window");
    if (!window) return window.error();
    options->targets.push_back({*window, {}, {}});
  }
  if (options->targets.empty()) return invalid("say where the stream goes, with --to or --show");
  return ok();
}

/// Sets what each target is given: by the caps and the ledger of the options, or by the person at
/// the terminal, for this stream only.
void set_consent(const ConsentOption& option, const consent::Consent& consent, bool ask,
                 bool silent, MessagePrinter* printer, GCancellable* stop,
                 live::SessionOptions* options) {
  consent::Purposes given = 0;
  for (live::SessionTarget& target : options->targets) {
    target.consent.caps = option.caps();
    target.consent.ledger = option.ledger();
    if (target.target.kind == live::TargetKind::window) continue;
    const consent::Purposes purposes = live::audio_purposes(target.target);
    if (silent) {
      target.consent.sound = "EMPTY";
    } else if (allowed(consent, purposes)) {
      given |= purposes;
    } else if (ask && !g_cancellable_is_cancelled(stop)) {
      const bool yes = ask_for_sound(target.target, stop);
      target.consent.sound =
          yes ? "consent/audio,state=(string)given,purpose=(string){" + purpose_list(purposes) + "}"
              : "EMPTY";
      // It is taken back like any other consent.
      if (yes) target.withdrawals = option.ledger();
      if (yes) given |= purposes;
    } else {
      printer->warn(target.target.shown + " has no sound: that needs consent to audio for " +
                    purpose_list(purposes) + "; see 'sphere consent give'");
    }
  }
  // A camera sends sound only if it may be heard live.
  options->source.consent = option.caps();
  options->source.ledger = option.ledger();
  const bool by_option = consent.allowed(consent::Category::audio, consent::Purpose::live);
  if (silent) {
    options->source.consent = "EMPTY";
  } else if (given && !by_option && ask) {
    options->source.consent = "consent/audio,state=(string)given,purpose=(string){live," +
                              purpose_list(given & ~consent::bit(consent::Purpose::live)) + "}";
    if (given == consent::bit(consent::Purpose::live))
      options->source.consent = "consent/audio,state=(string)given,purpose=(string)live";
    options->source.ledger.reset();
  }
}

/// Each connection that is made anew brings new threads, and glibc spreads threads over many
/// arenas, which keep what was freed in them: over hours a stream would need more and more memory.
/// Two serve the few allocations of a picture as well.
void limit_arenas() {
#ifdef M_ARENA_MAX
  mallopt(M_ARENA_MAX, 2);
#endif
}

/// What connections that have ended had in use lies between what is still in use; without this the
/// heap keeps it for ever.
void return_free_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

int run(int argc, char** argv) {
  limit_arenas();
  StopSignals signals;  // before any other thread
  MessagePrinter printer("sphere live");
  Words words;
  ConsentOption consent_option;
  std::vector<GOptionEntry> entries = {
      {"to", 't', 0, G_OPTION_ARG_STRING_ARRAY, &words.to, "Where the stream goes; see below",
       "TARGET"},
      {"show", 0, 0, G_OPTION_ARG_NONE, &words.show, "Show the pictures in a window, too", nullptr},
      {"size", 's', 0, G_OPTION_ARG_STRING, &words.size,
       "The size of the 360 pictures (default: the source's, up to 1920x960)", "WxH"},
      {"fps", 'r', 0, G_OPTION_ARG_DOUBLE, &words.fps, "The most pictures a second", "N"},
      {"bitrate", 'b', 0, G_OPTION_ARG_INT, &words.bitrate,
       "The bit rate of the pictures (default: what suits the size)", "KBIT/S"},
      {"encoder", 'e', 0, G_OPTION_ARG_STRING, &words.encoder,
       "auto, nv, va, vaapi, qsv, v4l2, x264 or openh264", "NAME"},
      {"projection", 0, 0, G_OPTION_ARG_STRING, &words.projection,
       "What the source's pictures are: auto, fisheye or sphere", "KIND"},
      {"lens", 'l', 0, G_OPTION_ARG_STRING, &words.lens,
       "A lens profile or its file (default: what the source says)", "LENS"},
      {"latency", 0, 0, G_OPTION_ARG_INT, &words.latency,
       "For how long a camera's pictures are buffered (default: 200)", "MS"},
      {"steady", 0, 0, G_OPTION_ARG_NONE, &words.steady, "Keep size and bit rate, whatever happens",
       nullptr},
      {"no-sound", 0, 0, G_OPTION_ARG_NONE, &words.silent, "Stream no sound, and don't ask",
       nullptr},
      {"for", 0, 0, G_OPTION_ARG_STRING, &words.duration, "End after this time, such as 90s or 2h",
       "TIME"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &words.json, "Print a line of JSON each second", nullptr},
      {"quiet", 'q', 0, G_OPTION_ARG_NONE, &words.quiet, "Print only errors", nullptr}};
  const auto of_consent = consent_option.entries();
  entries.insert(entries.end(), of_consent.begin(), of_consent.end());
  entries.push_back({});
  std::vector<std::string> rest;
  live::SessionOptions options;
  double seconds = 0;
  const auto read = [&]() -> Status {
    if (const Status parsed =
            parse_options("live", "URI", "Streams a camera's pictures, stitched to 360 degrees.",
                          description, entries.data(), argc, argv, &rest);
        !parsed)
      return parsed;
    return read_options(words, rest, &options, &seconds);
  };
  if (const Status status = read(); !status) {
    printer.error(status.error().message);
    return exit_usage;
  }
  printer.quiet = words.quiet;
  gst_init(nullptr, nullptr);
  const auto refuse = [&printer](const Error& error) {
    printer.error(error.message);
    return error.kind == Error::Kind::invalid ? exit_usage : exit_failed;
  };
  // Nobody is asked for consent to a target that is wrong.
  for (const live::SessionTarget& asked : options.targets)
    if (const auto output = live::make_output(asked.target); !output)
      return refuse({output.error().kind, asked.target.shown + ": " + output.error().message});
  consent::Consent consent;
  if (const Status opened = consent_option.open(&consent); !opened)
    printer.warn(opened.error().message);
  const bool ask = !consent_option.caps() && can_ask() && !words.json && !words.quiet;
  set_consent(consent_option, consent, ask, words.silent, &printer, signals.cancellable(),
              &options);
  if (signals.signal()) return exit_interrupted;

  auto session = live::Session::make(options);
  if (!session) return refuse(session.error());
  if (const Status started = (*session)->start(); !started) {
    printer.error(started.error().message);
    return exit_failed;
  }
  LiveView view(words.json    ? LiveView::Form::json
                : words.quiet ? LiveView::Form::quiet
                              : LiveView::Form::automatic);
  const gint64 begin = g_get_monotonic_time();
  double next_return = memory_interval_s;
  while ((*session)->run_for(interval_ms)) {
    const double passed = static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
    if (passed >= next_return) {
      return_free_memory();
      next_return = passed + memory_interval_s;
    }
    if (signals.signal() || (seconds > 0 && passed >= seconds)) (*session)->finish();
    view.show((*session)->status(), (*session)->take_reports());
  }
  const live::SessionStatus last = (*session)->status();
  view.show_end(last, (*session)->take_reports());
  const std::string& problem = (*session)->problem();
  bool all = problem.empty();
  for (const auto& [name, output] : last.outputs) {
    if (output.words.empty() && output.frames > 0) continue;
    all = false;
    if (!output.words.empty())
      printer.error(name + ": " + output.words);
    else if (problem.empty())
      printer.error(name + ": nothing was sent");
  }
  if (!problem.empty()) printer.error(problem);
  return all ? exit_done : exit_failed;
}

const Registration registration({"live", "stream 360 video to servers, files and a page", run});

}  // namespace

}  // namespace sphere::tool
