// SPDX-License-Identifier: LGPL-2.1-or-later
// The boxes that say that a video covers the sphere, and those that say where it was made.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "gst/sphere/base/position.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

/// `uuid` of a track: XML, the first version of Google's metadata.
std::vector<uint8_t> sphere_mark_v1(const SphereMark& mark, int width, int height);
/// `st3d` and `sv3d` of a description of pictures, the second version.
std::vector<uint8_t> sphere_mark_v2(const SphereMark& mark);
/// `SA3D` of a description of sound.
std::vector<uint8_t> spatial_sound(int ambisonic_order);

bool is_quicktime(const std::array<char, 4>& brand);
/// What goes into the user data of the movie: `©xyz`, and `loci` in 3GPP files.
std::vector<uint8_t> position_boxes(const std::array<char, 4>& brand, const Position& position);

/// A key of QuickTime's list and its text.
struct MetaItem {
  std::string key, text;
};
std::vector<MetaItem> position_items(const Position& position, std::optional<int64_t> time);
/// One item of QuickTime's list, for the key with this number.
std::vector<uint8_t> make_item(size_t index, const std::string& text);
std::vector<uint8_t> make_key(const std::string& key);
/// A whole `meta` box with the position.
std::vector<uint8_t> position_meta(const Position& position, std::optional<int64_t> time);

}  // namespace sphere::media
