// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/output_options.h"

#include <iterator>
#include <utility>

#include "gst/tools/stitch_options.h"

namespace sphere::tool {

Status read_words(const std::vector<WordOption>& options) {
  for (const WordOption& option : options) {
    if (!option.typed) continue;
    if (const Result<int> known = choose(option.name, option.typed, option.choices); !known)
      return known.error();
    *option.chosen = option.typed;
  }
  return ok();
}

Status read_projection(const char* typed, Projection* projection) {
  static const std::vector<std::string> names(projection_names.begin(), projection_names.end());
  if (!typed) return ok();
  const Result<int> known = choose("--projection", typed, names);
  if (!known) return known.error();
  *projection = static_cast<Projection>(*known);
  return ok();
}

Status check_angles(double yaw, double pitch, double roll) {
  for (const auto& [name, value] : {std::pair{"--yaw", yaw}, {"--pitch", pitch}, {"--roll", roll}})
    if (const Status in = check_range(name, value, -360, 360); !in) return in;
  return ok();
}

OutputOptions::~OutputOptions() {
  for (char* text : {codec_, preset_, drawer_}) g_free(text);
}

void OutputOptions::add_to(std::vector<GOptionEntry>* entries) {
  const GOptionEntry own[] = {
      {"quality", 'q', 0, G_OPTION_ARG_INT, &quality_,
       "Video: 0 (best) to 50, default 18 (HEVC: 20). JPEG: 1 to 100 (best), default 95", "N"},
      {"codec", 0, 0, G_OPTION_ARG_STRING, &codec_,
       "How a video is encoded: h264 (default), or hevc, which is smaller and slower", "h264|hevc"},
      {"preset", 0, 0, G_OPTION_ARG_STRING, &preset_,
       "Speed of the encoder, ultrafast to placebo; slower gives smaller files (default: veryfast)",
       "NAME"},
      {texts_.drawer, 0, 0, G_OPTION_ARG_STRING, &drawer_, texts_.drawer_help, "auto|cpu|gl"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads_,
       "Number of threads, 1 to 256, or 0 for one on each core (default: 0)", "N"},
      {"no-audio", 0, 0, G_OPTION_ARG_NONE, &no_audio_, "Leave the sound track out", nullptr},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber_, "Fail if OUT exists", nullptr},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force_, texts_.force_help, nullptr},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet_, "Print no progress, no warnings and no result",
       nullptr},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose_,
       "Print each step and the elements that do it", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json_, "Print the result as JSON", nullptr},
      {}};
  entries->insert(entries->end(), std::begin(own), std::end(own));
}

void OutputOptions::read_printing(StitchOptions* options) const {
  options->quiet = quiet_;
  options->verbose = verbose_;
  options->json = json_;
}

Status OutputOptions::read(StitchOptions* options) const {
  if (const Status in = check_range("--threads", threads_, 0, 256); !in) return in;
  if (is_given(quality_)) {
    if (options->png_out) return invalid("--quality can't be used for a PNG, which is lossless");
    const Status in = options->photo_out ? check_range("--quality", quality_, 1, 100)
                                         : check_range("--quality", quality_, 0, largest_quantizer);
    if (!in) return in;
    options->quality = quality_;
  }
  const Status words =
      read_words({{drawer_option_.c_str(), drawer_, &options->stitcher, {"auto", "cpu", "gl"}},
                  {"--codec", codec_, &options->codec, {"h264", "hevc"}},
                  {"--preset", preset_, &options->preset, encoder_presets()}});
  if (!words) return words;
  if (codec_ && options->photo_out) return invalid("--codec can't be used for a picture");
  options->threads = threads_;
  options->audio = !no_audio_;
  options->clobber = !no_clobber_;
  options->force = force_;
  return ok();
}

}  // namespace sphere::tool
