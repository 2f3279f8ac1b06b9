// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere keyframes: keyframes from and to other programs.

#include <fcntl.h>
#include <glib.h>

#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/file.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/view/file.h"
#include "gst/sphere/view/mlt.h"
#include "gst/sphere/view/sendcmd.h"
#include "gst/tools/command.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/time_option.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Converts keyframes, which tell what is looked at in a 360 video along time. IN may be a list "
    "of\n"
    "this project (JSON), a project of Shotcut or Kdenlive (MLT), or commands for ffmpeg's filter "
    "v360\n"
    "(sendcmd), such as those that VR-reversal records. The end of OUT's name sets its form: "
    ".json,\n"
    ".mlt, or .cmd or .txt for sendcmd.\n"
    "\n"
    "Other programs have other curves: what is written for them is nowhere further than 0.05 "
    "degrees\n"
    "from the view, in straight pieces. They know perspective views only. The field of view is "
    "across\n"
    "the width here and across the diagonal in sendcmd, for which the shape of the picture is "
    "needed\n"
    "(--size).\n"
    "\n"
    "Examples:\n"
    "  sphere keyframes moves.json moves.mlt --fps 29.97 --video sphere.mp4\n"
    "  sphere keyframes moves.json moves.cmd --size 1280x720\n"
    "  sphere keyframes video_3dViewHistory_1.txt moves.json\n";

constexpr size_t largest_file = 32 << 20;

enum class Form { json, mlt, sendcmd };

Result<Form> form_of_name(const std::string& name) {
  if (has_ending(name, ".json")) return Form::json;
  if (has_ending(name, ".mlt")) return Form::mlt;
  if (has_ending(name, ".cmd") || has_ending(name, ".txt")) return Form::sendcmd;
  return invalid(name + ": the name must end in .json, .mlt, .cmd or .txt");
}

Form form_of_text(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first != std::string_view::npos && text[first] == '{') return Form::json;
  if (first != std::string_view::npos && text[first] == '<') return Form::mlt;
  return Form::sendcmd;
}

struct KeyframesOptions {
  std::string input, output;
  Form form = Form::json;
  ViewFrame frame;
  bool clobber = true, quiet = false, json = false;
};

Status parse(int argc, char** argv, KeyframesOptions* options) {
  g_autofree char* size = nullptr;
  g_autofree char* fps = nullptr;
  g_autofree char* video = nullptr;
  gboolean no_clobber = FALSE, quiet = FALSE, json = FALSE;
  GOptionEntry entries[] = {
      {"size", 's', 0, G_OPTION_ARG_STRING, &size,
       "Size of the view, for its shape (default: 1920x1080)", "WIDTHxHEIGHT"},
      {"fps", 0, 0, G_OPTION_ARG_STRING, &fps,
       "Pictures a second of the video; MLT counts them (default: 30)", "RATE"},
      {"video", 0, 0, G_OPTION_ARG_FILENAME, &video, "The 360 video that the MLT project shows",
       "FILE"},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if OUT exists", nullptr},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print no warnings and no result", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print the result as JSON", nullptr},
      {}};
  std::vector<std::string> rest;
  const Status parsed = parse_options("keyframes", "IN OUT", "Converts keyframes of views.",
                                      description, entries, argc, argv, &rest);
  options->quiet = quiet;
  options->json = json;
  if (!parsed) return parsed;
  if (const Status taken = take_in_and_out(rest, &options->input, &options->output); !taken)
    return taken;
  const Result<Form> form = form_of_name(options->output);
  if (!form) return form.error();
  options->form = *form;
  if (size)
    if (const Status in = parse_size(size, &options->frame.width, &options->frame.height); !in)
      return in;
  if (fps) {
    const Result<FrameRate> rate = parse_rate("--fps", fps);
    if (!rate) return rate.error();
    options->frame.rate_numerator = rate->numerator;
    options->frame.rate_denominator = rate->denominator;
  }
  if (video) options->frame.video = video;
  options->clobber = !no_clobber;
  return ok();
}

Result<ViewPath> read_path(const KeyframesOptions& options) {
  const Result<std::string> text = read_file(options.input, largest_file, "list of keyframes");
  if (!text) return text.error();
  if (text->size() > largest_file)
    return unsupported(options.input + ": is larger than 32 MiB, which no list of keyframes is");
  switch (form_of_text(*text)) {
    case Form::json:
      return parse_view_path(*text, options.input);
    case Form::mlt:
      return parse_mlt(*text, options.input);
    case Form::sendcmd:
      break;
  }
  return parse_sendcmd(*text, options.input, options.frame);
}

Result<std::string> text_of(const ViewPath& path, const KeyframesOptions& options) {
  switch (options.form) {
    case Form::json:
      return view_path_text(path) + "\n";
    case Form::mlt:
      return mlt_text(path, options.frame);
    case Form::sendcmd:
      break;
  }
  return sendcmd_text(path, options.frame);
}

Status convert(const KeyframesOptions& options, MessagePrinter* printer) {
  // A project of another program has more than its keyframes, and would be lost.
  const Descriptor input(open(options.input.c_str(), O_PATH | O_CLOEXEC));
  if (input && is_same_file(input.get(), options.output))
    return invalid(options.output + ": is the same file as " + options.input);
  const Result<ViewPath> path = read_path(options);
  if (!path) return path.error();
  const Result<std::string> text = text_of(*path, options);
  if (!text) return Error{text.error().kind, options.input + ": " + text.error().message};
  for (const Keyframe& key : path->keyframes())
    if (options.form != Form::json && key.speed != 1) {
      printer->warn(options.input +
                    ": changes the speed of the film, which the other program is not told");
      break;
    }
  Result<OutputFile> output = OutputFile::create(options.output, options.clobber);
  if (!output) return output.error();
  const auto* bytes = reinterpret_cast<const uint8_t*>(text->data());
  if (const Status written = output->write({bytes, text->size()}); !written) return written;
  if (const Status named = output->commit(); !named) return named;
  const size_t count = path->keyframes().size();
  if (options.json) {
    JsonWriter json;
    json.add("input", options.input);
    json.add("output", options.output);
    json.add("keyframes", count);
    json.add("seconds", path->keyframes().back().time);
    json.add("warnings", printer->warnings());
    print(json);
  } else if (!options.quiet) {
    print(stdout, "%s: %zu keyframes, to %s\n", options.output.c_str(), count,
          time_text(path->keyframes().back().time).c_str());
  }
  return ok();
}

int run(int argc, char** argv) {
  KeyframesOptions options;
  MessagePrinter printer("sphere keyframes");
  const Status parsed = parse(argc, argv, &options);
  printer.quiet = options.quiet;
  const Status done = parsed ? convert(options, &printer) : parsed;
  if (done) return exit_done;
  printer.error(done.error().message);
  if (options.json) {
    JsonWriter json;
    json.add("error", done.error().message);
    json.add("warnings", printer.warnings());
    print(json);
  }
  return parsed ? exit_failed : exit_usage;
}

const Registration registration({"keyframes", "convert keyframes of other programs", run});

}  // namespace

}  // namespace sphere::tool
