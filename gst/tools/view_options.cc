// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/view_options.h"

#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/command.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

namespace {

// For the window, and for the help.
#define KEYS                                                                                \
  "  drag, arrows       turn              wheel, + and -   zoom      Home   look forward\n" \
  "  space              pause, go on      . and ,          one picture on, back\n"          \
  "  Page up and down   10 s back, on     ] and [          faster, slower\n"                \
  "  p                  another projection\n"                                               \
  "  n                  look north, if the photo tells where that is\n"                     \
  "  f                  fill the screen, and back\n"                                        \
  "  r                  begin or end to record the view as keyframes\n"                     \
  "  s                  save what is shown as a PNG\n"                                      \
  "  h                  print these keys  q, Escape        end\n"

constexpr const char* description =
    "IN is a 360 photo or video, one with the two fisheyes of a camera (which is stitched on the "
    "way),\n"
    "or the URI of a camera or a stream. In the window:\n"
    "\n" KEYS
    "\n"
    "Recorded keyframes make a film with 'sphere reframe IN OUT --keyframes FILE'.\n"
    "\n"
    "Examples:\n"
    "  sphere view sphere.mp4\n"
    "  sphere view VID_20161121_162507AA.MP4\n"
    "  sphere view ride.mp4 --lens gear360 --output moves.json\n"
    "  sphere view madv://192.168.42.1/live\n";

}  // namespace

const char* const view_keys = KEYS;

Status parse_view_options(int argc, char** argv, ViewOptions* options) {
  g_autofree char* output = nullptr;
  g_autofree char* lens = nullptr;
  g_autofree char* stored = nullptr;
  g_autofree char* size = nullptr;
  g_autofree char* sink = nullptr;
  gboolean no_audio = FALSE, no_clobber = FALSE, quiet = FALSE;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
       "Where recorded keyframes go (default: NAME.view.json in this folder)", "FILE"},
      {"lens", 'l', 0, G_OPTION_ARG_FILENAME, &lens,
       "IN shows two fisheyes: the lens profile, as a name or a file (default: the table in IN)",
       "NAME|FILE"},
      {"input", 'i', 0, G_OPTION_ARG_STRING, &stored,
       "How the 360 picture in IN is stored (default: as the file says, else equirect)",
       "equirect|cubemap|eac"},
      {"size", 's', 0, G_OPTION_ARG_STRING, &size, "Of the window's picture (default: 1280x720)",
       "WIDTHxHEIGHT"},
      {"sink", 0, 0, G_OPTION_ARG_STRING, &sink,
       "The GStreamer element that shows the window (default: autovideosink)", "ELEMENT"},
      {"no-audio", 0, 0, G_OPTION_ARG_NONE, &no_audio, "Without sound", nullptr},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Never replace FILE", nullptr},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print errors only", nullptr},
      {}};
  std::vector<std::string> rest;
  const Status parsed = parse_options("view", "IN", "Looks around in a 360 photo, video or camera.",
                                      description, entries, argc, argv, &rest);
  options->quiet = quiet;
  if (!parsed) return parsed;
  if (rest.empty()) return invalid("IN is missing");
  if (rest.size() > 1)
    return invalid("'" + rest[1] + "' is one word too many; only IN is expected");
  options->input = rest[0];
  if (const GString_ path(g_filename_from_uri(rest[0].c_str(), nullptr, nullptr)); path)
    options->input = path.get();
  options->output = to_string(output);
  if (const Status named = check_lens_name(lens); !named) return named;
  options->lens = to_string(lens);
  if (stored) {
    if (const Result<int> known = choose("--input", stored, stored_forms()); !known)
      return known.error();
    options->stored = stored;
  }
  if (sink) options->sink = sink;
  options->audio = !no_audio;
  options->clobber = !no_clobber;
  return size ? parse_size(size, &options->width, &options->height) : ok();
}

}  // namespace sphere::tool
