// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the readers of formats and of packets in them put what they find.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/media/maker.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

/// Where a packet is, and whether it stays.
struct Where {
  uint64_t offset = 0, length = 0;  ///< its bytes in the file
  std::string path;
  /// What it is in is removed, whatever the packet says.
  bool removed = false;

  /// A part of it: offsets are counted from its first byte.
  Where inside(uint64_t begin, uint64_t size, std::string_view name) const {
    return {offset + begin, size, path.empty() ? std::string(name) : path + "/" + std::string(name),
            removed};
  }
};

inline constexpr const char* removed_manifest =
    "its signature (C2PA) is removed, because it would no longer be valid";

/// Collects parts and traces.
class Findings {
 public:
  /// More parts mean a file that nobody made with good intentions.
  static constexpr size_t most_parts = 100'000;
  /// Values of a TIFF can lie on each other, so that a picture can be in itself a million times.
  static constexpr size_t most_pictures = 256;
  static constexpr size_t longest_value = 128;  ///< bytes

  /// Both must exist longer than this object.
  Findings(const Request& request, Examination* examination)
      : request_(request),
        examination_(*examination),
        pictures_(request.pictures ? request.pictures : std::make_shared<size_t>(0)) {}

  const Request& request() const { return request_; }
  const Policy& policy() const { return request_.policy; }
  bool keeps_everything() const { return policy().allows(PartClass::unknown); }

  /// Adds a part. Returns whether it stays.
  bool add(const Where& where, const PartRule& rule) {
    const bool stays = !where.removed && policy().allows(rule.part_class);
    Part part{where.offset, where.length, where.path, rule.part_class, rule.what, {}, 1, !stays};
    part.value = printable(rule.value, longest_value);
    add(std::move(part));
    return stays;
  }
  /// Adds a part that is not as long as the others of its place, or stands for several.
  void add(Part part) {
    if (examination_.parts.size() < most_parts)
      examination_.parts.push_back(std::move(part));
    else
      too_many_ = true;
  }
  /// A position that must not be in the edited file, if positions may not stay or it is replaced.
  void position(const Position& position) {
    if (!policy().place || request_.position) examination_.traces.add(position);
  }
  /// Likewise a text that names a person or one device. Names of models are none.
  void identity(std::string_view text) {
    if (!policy().identity) examination_.traces.add_identity(text);
  }
  void remark(std::string text) {
    if (std::ranges::find(examination_.remarks, text) == examination_.remarks.end())
      examination_.remarks.push_back(std::move(text));
  }
  /// The samples of this track are left unread.
  void skip_pictures(const std::string& track) {
    examination_.skipped_pictures = true;
    remark(track + ": its pictures were not read; what is hidden in them stays");
  }
  const std::shared_ptr<size_t>& pictures() const { return pictures_; }
  /// Counts a picture in this one, whose request gets the number. Returns whether there are too
  /// many.
  bool count_picture(Request* inner) {
    inner->pictures = pictures_;
    return ++*pictures_ > most_pictures;
  }
  std::vector<Part>& parts() { return examination_.parts; }
  Traces& traces() { return examination_.traces; }

  /// An error if there was more than can be listed.
  Status status() const {
    return too_many_ || *pictures_ > most_pictures ? Status(invalid("the file has too many parts"))
                                                   : ok();
  }

 private:
  const Request& request_;
  Examination& examination_;
  std::shared_ptr<size_t> pictures_;
  bool too_many_ = false;
};

}  // namespace sphere::media
