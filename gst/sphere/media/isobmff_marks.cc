// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/isobmff_marks.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>
#include <string_view>

#include "gst/sphere/media/box_edits.h"
#include "gst/sphere/media/place.h"
#include "gst/sphere/media/spherical.h"
#include "gst/sphere/media/xmp.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

void append(Bytes* bytes, std::string_view text) {
  bytes->insert(bytes->end(), text.begin(), text.end());
}
void append(Bytes* bytes, const Bytes& more) {
  bytes->insert(bytes->end(), more.begin(), more.end());
}
void append16(Bytes* bytes, unsigned value) {
  bytes->push_back(static_cast<uint8_t>(value >> 8));
  bytes->push_back(static_cast<uint8_t>(value));
}

/// A number with 16 bits after the point.
uint32_t fixed(double value) {
  return static_cast<uint32_t>(static_cast<int32_t>(std::lround(value * 65536)));
}

}  // namespace

Bytes sphere_mark_v1(const SphereMark& mark, int width, int height) {
  Bytes content(std::begin(video_schema), std::end(video_schema));
  append(&content, make_video_xml(mark, width, height));
  return make_box("uuid", content);
}

Bytes sphere_mark_v2(const SphereMark& mark) {
  Bytes stereo;
  append32(&stereo, 0);
  stereo.push_back(static_cast<uint8_t>(mark.stereo));
  Bytes source;
  append32(&source, 0);
  append(&source, mark.software);
  source.push_back(0);
  Bytes pose;
  append32(&pose, 0);
  // Counter-clockwise rotations of the sphere around the axes up, right and back. Those around up
  // and back turn the view as our yaw and roll do; that around right turns it down.
  for (const double degrees : {mark.yaw, -mark.pitch, mark.roll}) append32(&pose, fixed(degrees));
  const Bytes whole_sphere(20);  // no edge is cut off

  Bytes projection = make_box("prhd", pose);
  append(&projection, make_box("equi", whole_sphere));
  Bytes sphere = make_box("svhd", source);
  append(&sphere, make_box("proj", projection));
  Bytes bytes = make_box("st3d", stereo);
  append(&bytes, make_box("sv3d", sphere));
  return bytes;
}

Bytes spatial_sound(int ambisonic_order) {
  const auto channels = static_cast<uint32_t>((ambisonic_order + 1) * (ambisonic_order + 1));
  Bytes content = {0, 0};  // version; type: periphonic
  append32(&content, static_cast<uint32_t>(ambisonic_order));
  content.push_back(0);  // ACN
  content.push_back(0);  // SN3D
  append32(&content, channels);
  for (uint32_t i = 0; i < channels; ++i) append32(&content, i);
  return make_box("SA3D", content);
}

bool is_quicktime(const std::array<char, 4>& brand) {
  const std::string_view text(brand.data(), brand.size());
  return text == "qt  " || brand == std::array<char, 4>{};
}

Bytes position_boxes(const std::array<char, 4>& brand, const Position& position) {
  const std::string text = iso6709(position);
  Bytes content;
  append16(&content, static_cast<unsigned>(text.size()));
  append16(&content, 0x15c7);  // the language that Android and Apple write: undetermined
  append(&content, text);
  Bytes bytes = make_box("\xa9xyz", content);
  const std::string_view name(brand.data(), brand.size());
  if (!name.starts_with("3g")) return bytes;
  Bytes loci;
  append32(&loci, 0);
  append16(&loci, 0x55c4);  // "und"
  loci.push_back(0);        // no name of the place
  loci.push_back(0);        // role: where it was recorded
  append32(&loci, fixed(position.longitude));
  append32(&loci, fixed(position.latitude));
  append32(&loci, fixed(std::min(std::max(position.altitude.value_or(0), -32768.0), 32767.0)));
  append(&loci, std::string_view("earth\0\0", 7));
  append(&bytes, make_box("loci", loci));
  return bytes;
}

std::vector<MetaItem> position_items(const Position& position, std::optional<int64_t> time) {
  std::vector<MetaItem> items = {{"com.apple.quicktime.location.ISO6709", iso6709(position)}};
  if (time) {
    const auto seconds = static_cast<std::time_t>(*time / 1'000'000);
    std::tm date{};
    char text[32];
    if (gmtime_r(&seconds, &date) &&
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date) > 0)
      items.push_back({"com.apple.quicktime.location.date", text});
  }
  return items;
}

Bytes make_item(size_t index, const std::string& text) {
  Bytes data;
  append32(&data, 1);  // UTF-8
  append32(&data, 0);
  append(&data, text);
  const Bytes content = make_box("data", data);
  Bytes item;
  append32(&item, content.size() + 8);
  append32(&item, index);
  append(&item, content);
  return item;
}

Bytes make_key(const std::string& key) {
  const Bytes name(key.begin(), key.end());
  return make_box("mdta", name);
}

Bytes position_meta(const Position& position, std::optional<int64_t> time) {
  Bytes handler(8);
  append(&handler, "mdta");
  handler.resize(25);
  Bytes keys(4), list;
  const std::vector<MetaItem> items = position_items(position, time);
  append32(&keys, items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    append(&keys, make_key(items[i].key));
    append(&list, make_item(i + 1, items[i].text));
  }
  Bytes content = make_box("hdlr", handler);
  append(&content, make_box("keys", keys));
  append(&content, make_box("ilst", list));
  return make_box("meta", content);
}

}  // namespace sphere::media
