// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere trim: a part of a video, without a new encode.

#include <fcntl.h>
#include <glib.h>
#include <gst/gst.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/position.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/position.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/isobmff_trim.h"
#include "gst/tools/command.h"
#include "gst/tools/media_edit.h"
#include "gst/tools/output_file.h"
#include "gst/tools/progress.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/stop_signals.h"
#include "gst/tools/time_option.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "IN is an MP4 or MOV, from a camera or from `sphere stitch`. OUT gets its pictures and its "
    "sound\n"
    "from one time to another, bit by bit: nothing is decoded or encoded. Therefore it begins with "
    "the\n"
    "last key frame that is not after --from, and ends where no further picture is needed; the "
    "command\n"
    "says where that is. Sound is in step. The 360 marking, the lens table of the camera and its\n"
    "orientations in that time go along, so that the part is stitched as the whole would be.\n"
    "\n"
    "What the file tells about people stays out: position, serial numbers, dates. The position is "
    "put\n"
    "in if location is given for geotag. OUT is replaced only when the new file is complete.\n"
    "\n"
    "To cut at any picture, and for other formats, use `sphere reframe` or `sphere stitch`, which\n"
    "encode.\n"
    "\n"
    "Examples:\n"
    "  sphere trim ride.mp4 part.mp4 --from 1:30 --to 2:10\n"
    "  sphere trim VID_20161121_162507AA.MP4 begin.mp4 --to 20\n";

struct TrimOptions {
  std::string input, output;
  double from = 0;
  std::optional<double> to;
  bool audio = true, clobber = true, quiet = false, json = false;
};

Status parse(int argc, char** argv, TrimOptions* options) {
  g_autofree char* from = nullptr;
  g_autofree char* to = nullptr;
  gboolean no_audio = FALSE, no_clobber = FALSE, quiet = FALSE, json = FALSE;
  GOptionEntry entries[] = {
      {"from", 0, 0, G_OPTION_ARG_STRING, &from,
       "Begin at this time: seconds, or [HOURS:]MINUTES:SECONDS (default: 0)", "TIME"},
      {"to", 0, 0, G_OPTION_ARG_STRING, &to, "End before this time (default: the end of IN)",
       "TIME"},
      {"no-audio", 0, 0, G_OPTION_ARG_NONE, &no_audio, "Leave the sound track out", nullptr},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if OUT exists", nullptr},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print no progress, no warnings and no result",
       nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print the result as JSON", nullptr},
      {}};
  std::vector<std::string> rest;
  const Status parsed =
      parse_options("trim", "IN OUT", "Cuts a part out of a video, without a new encode.",
                    description, entries, argc, argv, &rest);
  options->quiet = quiet;
  options->json = json;
  if (!parsed) return parsed;
  if (const Status taken = take_in_and_out(rest, &options->input, &options->output); !taken)
    return taken;
  if (!has_ending(options->output, ".mp4") && !has_ending(options->output, ".mov"))
    return invalid(options->output + ": the name must end in .mp4 or .mov");
  if (!from && !to) return invalid("--from or --to is needed");
  if (from) {
    const Result<double> time = parse_time("--from", from);
    if (!time) return time.error();
    options->from = *time;
  }
  if (to) {
    const Result<double> time = parse_time("--to", to);
    if (!time) return time.error();
    if (*time <= options->from) return invalid("--to must be later than --from");
    options->to = *time;
  }
  options->audio = !no_audio;
  options->clobber = !no_clobber;
  return ok();
}

/// What may stay in OUT: what shows the pictures, and a position that is given for it.
media::Request request_of(const TrimOptions& options) {
  media::Request request;
  request.policy = media::Policy();
  request.makers = makers::all();
  request.policy.sound_tracks =
      options.audio && !consent::own_ledger_withdraws(consent::Category::audio);
  consent::Consent consent;
  if (!consent.set_ledger("default")) return request;
  const consent::Answer answer = consent.ask(consent::Category::location, consent::Purpose::geotag);
  if (!answer.allowed) return request;
  if (const std::optional<Position> position = first_position(options.input))
    request.position = consent::rounded(*position, answer.precision);
  return request;
}

struct TrimResult {
  media::VideoCut cut;
  uint64_t bytes = 0;
};

Result<TrimResult> trim(const TrimOptions& options, MessagePrinter* printer,
                        GCancellable* cancellable) {
  const auto about_input = [&](const Error& error) {
    return Error(error.kind, options.input + ": " + error.message);
  };
  const Descriptor input(open(options.input.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!input) {
    if (errno == ENOENT) return not_found(options.input + ": there is no such file");
    return failed(options.input + ": can't be read: " + std::strerror(errno));
  }
  const Result<media::FileSource> source = media::FileSource::make(input.get());
  if (!source) return about_input(source.error());
  if (media::sniff(*source) != media::Kind::isobmff)
    return unsupported(options.input +
                       ": is no MP4 or MOV; `sphere reframe` cuts other videos, with a new encode");
  if (is_same_file(input.get(), options.output))
    return invalid(options.output + ": is the same file as " + options.input);
  const media::Request request = request_of(options);
  Result<std::unique_ptr<media::TrimmedVideo>> part =
      media::TrimmedVideo::make(*source, options.from, options.to, request.makers);
  if (!part) return about_input(part.error());
  if ((*part)->cut().has_sound && options.audio && !request.policy.sound_tracks)
    printer->warn(options.output +
                  ": has no sound, because your ledger says that audio was withdrawn");
  Result<OutputFile> output = OutputFile::create(options.output, options.clobber);
  if (!output) return output.error();
  output->limit_readers(input.get());
  Progress progress(!options.quiet, "bytes");
  uint64_t done = 0;
  // Each byte is written, and examined again.
  const uint64_t total = 2 * (*part)->size();
  const EditResult<EditedFile> edited = edit_source(**part, &*output, request, [&](uint64_t bytes) {
    progress.show(done += bytes, total);
    return !g_cancellable_is_cancelled(cancellable);
  });
  progress.clear();
  if (g_cancellable_is_cancelled(cancellable)) return failed("interrupted");
  if (const auto* error = std::get_if<EditError>(&edited)) return about_input(error->error);
  if (const Status named = output->commit(); !named) return named.error();
  return TrimResult{(*part)->cut(), std::get<EditedFile>(edited).bytes};
}

int run(int argc, char** argv) {
  TrimOptions options;
  MessagePrinter printer("sphere trim");
  const Status parsed = parse(argc, argv, &options);
  printer.quiet = options.quiet;
  // Consent is in caps.
  if (parsed) gst_init(nullptr, nullptr);
  const StopSignals signals;
  const gint64 begin = g_get_monotonic_time();
  const Result<TrimResult> done =
      parsed ? trim(options, &printer, signals.cancellable()) : Result<TrimResult>(parsed.error());
  if (!done) {
    printer.error(done.error().message);
    if (options.json) {
      JsonWriter json;
      json.add("error", done.error().message);
      json.add("warnings", printer.warnings());
      print(json);
    }
    if (!parsed) return exit_usage;
    return g_cancellable_is_cancelled(signals.cancellable()) ? exit_interrupted : exit_failed;
  }
  const media::VideoCut& cut = done->cut;
  for (const std::string& remark : cut.remarks) printer.warn(options.input + ": " + remark);
  if (options.json) {
    JsonWriter json;
    json.add("input", options.input);
    json.add("output", options.output);
    json.add("from", cut.begin);
    json.add("to", cut.end);
    json.add("pictures", cut.pictures);
    json.add("bytes", done->bytes);
    json.add("seconds", static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC);
    json.add("warnings", printer.warnings());
    print(json);
  } else if (!options.quiet) {
    print(stdout, "%s: cut from %s to %s of %s, %llu pictures\n", options.output.c_str(),
          time_text(cut.begin).c_str(), time_text(cut.end).c_str(), options.input.c_str(),
          static_cast<unsigned long long>(cut.pictures));
    if (options.from - cut.begin > 0.001)
      print(stdout, "It begins %s before the time that was asked for, with a key frame.\n",
            time_text(options.from - cut.begin).c_str());
  }
  return exit_done;
}

const Registration registration({"trim", "cut a part out of a video, without a new encode", run});

}  // namespace

}  // namespace sphere::tool
