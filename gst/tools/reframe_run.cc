// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/reframe_run.h"

#include <gst/gst.h>

#include <cmath>
#include <string>

#include "gst/tools/film.h"
#include "gst/tools/stitch_run.h"

namespace sphere::tool {

namespace {

void print_json(const ReframeOptions& options, const Film& film, double seconds,
                const MessagePrinter& printer) {
  const FilmResult& result = film.result();
  JsonWriter json;
  json.add("input", options.clips.front().view.input);
  json.add("output", options.common.output);
  json.add("kind", "video");
  json.add("width", result.width);
  json.add("height", result.height);
  json.add("pictures", result.pictures);
  json.add("sound_tracks", result.sound_tracks);
  json.add("bytes", result.bytes);
  json.add("seconds", std::round(seconds * 1000) / 1000);
  json.add("stitcher", result.stitcher);
  json.add("length", std::round(result.seconds * 1e6) / 1e6);
  json.add("kept_parts", result.kept_parts);
  json.open_list("clips");
  for (const auto& clip : film.clips()) {
    json.open();
    json.add("input", clip->view.input);
    json.add("begin", static_cast<double>(clip->film_begin) / 1e9);
    json.add("end", static_cast<double>(clip->film_end) / 1e9);
    if (!clip->view.from_sphere) json.add("level", clip->view.level_told());
    json.close();
  }
  json.close_list();
  if (!result.lens.empty()) json.add("lens", result.lens);
  json.add("warnings", printer.warnings());
  print(json);
}

int make_film(const ReframeOptions& options) {
  MessagePrinter printer("sphere reframe");
  printer.quiet = options.common.quiet;
  printer.verbose = options.common.verbose;
  gst_init(nullptr, nullptr);
  const gint64 begin = g_get_monotonic_time();
  Film film(options, &printer);
  const Outcome outcome = film.make();
  if (outcome.error) {
    printer.error(outcome.error->message);
    if (options.common.json) {
      JsonWriter json;
      json.add("error", outcome.error->message);
      json.add("warnings", printer.warnings());
      print(json);
    }
    return outcome.status;
  }
  const FilmResult& result = film.result();
  const double seconds = static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
  std::string made = std::to_string(result.width) + "x" + std::to_string(result.height) + ", " +
                     std::to_string(result.pictures) + " pictures";
  if (result.kept_parts)
    made += "; " + std::to_string(result.kept_parts) + " parts were made by an earlier run";
  for (const auto& clip : film.clips())
    if (clip->view.agreement)
      made += "; " + (film.clips().size() > 1 ? clip->view.input + ": " : std::string()) +
              "lenses " + clip->view.lens_name;
  printer.wrote(options.common.output, made, seconds);
  if (options.common.json) print_json(options, film, seconds, printer);
  return exit_done;
}

}  // namespace

int run_reframe(const Status& parsed, const ReframeOptions& options) {
  if (!parsed || options.clips.empty()) return run_stitch("reframe", parsed, options.common);
  if (options.common.photo_out) return run_stitch("reframe", parsed, options.clips.front().view);
  return make_film(options);
}

}  // namespace sphere::tool
