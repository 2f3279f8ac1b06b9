// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/stitch/streamlens.h"

#include <utility>

#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/lens/table.h"

namespace sphere {

void StreamLens::forget() {
  name_.clear();
  table_bytes_.reset();
  table_.reset();
  file_table_.reset();
  file_ = makers::CaptureInfo();
}

void StreamLens::read(LensSource& source) const {
  source.table = table_ ? table_ : file_table_;
  const bool by_model = !source.table && name_.empty();
  source.name = by_model ? file_.profile : name_;
  source.origin = table_ || (!file_table_ && !by_model) ? "stream" : "file";
}

void StreamLens::observe(GstEvent* event) {
  // An event may have both: the name is used if the table can't be used.
  const gchar* lens = nullptr;
  GBytes* table = nullptr;
  const bool has_name = gst_event_parse_sphere_lens(event, &lens);
  const bool has_table = gst_event_parse_sphere_lens_table(event, &table);
  if (!has_name && !has_table) return;
  name_ = to_string(lens);
  if (has_table) return observe_table(table);
  table_.reset();
  table_bytes_.reset();
}

void StreamLens::observe_table(GBytes* table) {
  // A source that reconnects sends the same table again.
  if (table_bytes_ && g_bytes_equal(table_bytes_.get(), table)) return;
  table_bytes_.reset(g_bytes_ref(table));
  gsize size = 0;
  const auto* data = static_cast<const uint8_t*>(g_bytes_get_data(table, &size));
  table_ = read_table({data, size});
}

std::shared_ptr<const LensPair> StreamLens::read_table(std::span<const uint8_t> table) {
  Result<LensPair> pair = parse_table(table, "of the camera");
  if (pair) return std::make_shared<const LensPair>(std::move(*pair));
  GST_ELEMENT_WARNING(owner_, STREAM, FORMAT,
                      ("The camera's own lens table can't be used; a profile is used instead: %s.",
                       pair.error().message.c_str()),
                      (nullptr));
  return nullptr;
}

bool StreamLens::observe_capture_info(makers::CaptureInfo info) {
  // When one tag changes, decoders send all tags again.
  if (!info.lens_table.empty() && info.lens_table != file_.lens_table) {
    file_.lens_table = std::move(info.lens_table);
    file_table_ = read_table(file_.lens_table);
  }
  if (!info.profile.empty()) file_.profile = std::move(info.profile);
  const bool turned = !info.orientations.empty() && info.orientations != file_.orientations;
  if (turned) file_.orientations = std::move(info.orientations);
  if (info.problems.empty() || info.problems == file_.problems) return turned;
  file_.problems = std::move(info.problems);
  for (const std::string& problem : file_.problems)
    GST_ELEMENT_WARNING(
        owner_, STREAM, FORMAT,
        ("A part of the camera's data in this file can't be used: %s.", problem.c_str()),
        (nullptr));
  return turned;
}

}  // namespace sphere
