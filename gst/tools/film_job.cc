// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/film_job.h"

#include <gst/gst.h>
#include <sys/stat.h>

#include "config.h"
#include "gst/sphere/base/json_writer.h"
#include "gst/tools/film.h"

namespace sphere::tool {

namespace {

/// A file that was changed, or replaced by another one of the same name, is another file.
void add_file(JsonWriter* json, const char* name, const StitchInput& input) {
  struct stat status = {};
  fstat(input.descriptor.get(), &status);
  json->open(name);
  json->add("path", input.path);
  json->add("device", static_cast<uint64_t>(status.st_dev));
  json->add("inode", static_cast<uint64_t>(status.st_ino));
  json->add("bytes", static_cast<uint64_t>(status.st_size));
  json->add("changed",
            static_cast<int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec);
  json->close();
}

void add_clip(JsonWriter* json, const FilmClip& clip) {
  const StitchOptions& view = clip.view;
  json->open();
  add_file(json, "file", clip.input);
  if (clip.input.right) add_file(json, "right", *clip.input.right);
  json->open_list("pieces");
  for (const ClipPiece& piece : clip.times.pieces()) {
    json->open();
    json->add("source", piece.source);
    json->add("speed", piece.speed);
    json->close();
  }
  json->close_list();
  json->add("to", clip.times.to().value_or(-1));
  json->add("lens", view.lens);
  json->add("lens_fov", view.lens_fov);
  json->add("from_sphere", view.from_sphere);
  json->add("stored", view.stored);
  json->add("level", view.level);
  json->add("smoothing", view.smoothing);
  json->add("projection", static_cast<int>(view.projection));
  const double angles[] = {view.yaw, view.pitch, view.roll, view.fov};
  json->add_numbers("view", angles);
  json->add("keyframes", view.keyframes);
  json->add("interpolation", view.interpolation);
  json->add("blend", view.blend);
  json->add("match", view.match);
  json->add("align", view.align);
  json->add("drawer", view.stitcher);
  json->close();
}

}  // namespace

std::string describe_job(const ReframeOptions& options,
                         const std::vector<std::unique_ptr<FilmClip>>& clips,
                         const FrameRate& rate) {
  const StitchOptions& common = options.common;
  JsonWriter json;
  json.add("format", "gst-sphere-film");
  json.add("version", VERSION);
  const GString_ gstreamer(gst_version_string());
  json.add("gstreamer", gstreamer.get());
  json.open_list("clips");
  for (const auto& clip : clips) add_clip(&json, *clip);
  json.close_list();
  json.add("rate", std::to_string(rate.numerator) + "/" + std::to_string(rate.denominator));
  json.add("width", common.width);
  json.add("height", common.height);
  json.add("codec", common.codec);
  json.add("quality", common.quality);
  json.add("preset", common.preset);
  // Encoders give other bytes with another number of threads.
  json.add("threads", common.threads ? common.threads : static_cast<int>(g_get_num_processors()));
  return json.finish_text();
}

}  // namespace sphere::tool
