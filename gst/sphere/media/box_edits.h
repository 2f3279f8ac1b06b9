// SPDX-License-Identifier: LGPL-2.1-or-later
// Edits of the boxes of an MP4 or MOV file, and where bytes are after them.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

/// Collects edits. Each function that changes a length returns by how many bytes; the caller then
/// calls resize() for each box around it.
class BoxEdits {
 public:
  /// With `in_place` no edit changes a length: a removed box becomes `free`, with zeros.
  explicit BoxEdits(bool in_place) : in_place_(in_place) {}

  bool in_place() const { return in_place_; }
  int64_t remove(const Box& box);
  /// Bytes that are no box: taken out, or zeroed.
  int64_t cut(uint64_t offset, uint64_t length);
  int64_t insert(uint64_t offset, std::vector<uint8_t> bytes);
  /// Not possible in place, if the length differs.
  int64_t replace(uint64_t offset, uint64_t length, std::vector<uint8_t> bytes);
  void overwrite(uint64_t offset, std::vector<uint8_t> bytes);
  void zero(uint64_t offset, uint64_t length);
  void put32(uint64_t offset, uint64_t value);
  void put64(uint64_t offset, uint64_t value);
  /// Writes the size of a box whose content became longer or shorter.
  void resize(const Box& box, int64_t change);

  /// For undo(): everything after this moment.
  size_t mark() { return marked_ = edits_.size(); }
  void undo(size_t mark) { edits_.resize(mark); }
  size_t count() const { return edits_.size(); }

  /// In the order of offsets; what is inserted comes before what is changed at the same offset.
  std::vector<Edit> take();

 private:
  bool in_place_;
  std::vector<Edit> edits_;
  size_t marked_ = 0;  ///< edits before do not change any more, so that undo() finds them
};

/// Sorts edits and joins those at the same offset.
std::vector<Edit> joined(std::vector<Edit> edits);

/// Where a byte that is kept is in the edited file.
class OffsetMap {
 public:
  /// The edits are in order, and not joined: a byte before which others are inserted moves. `shift`
  /// is added to all offsets.
  explicit OffsetMap(std::span<const Edit> edits, int64_t shift = 0);
  uint64_t operator()(uint64_t offset) const;
  bool changes() const { return shift_ != 0 || !steps_.empty(); }

 private:
  struct Step {
    uint64_t from = 0;  ///< offsets from here on move …
    int64_t shift = 0;  ///< … by this
    /// Of the bytes that are replaced: where they begin, and how long their replacement is. A
    /// sample without bytes may be among them.
    uint64_t begin = 0, length = 0;
  };
  std::vector<Step> steps_;
  int64_t shift_;
};

void append32(std::vector<uint8_t>* bytes, uint64_t value);
void append64(std::vector<uint8_t>* bytes, uint64_t value);
/// A box with this content.
std::vector<uint8_t> make_box(const char* type, std::span<const uint8_t> content);

}  // namespace sphere::media
