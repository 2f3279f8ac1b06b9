// SPDX-License-Identifier: LGPL-2.1-or-later
// What the editors of a muxer's output have in common: bytes that wait until a whole box or element
// has come, and counts of what came in and went out.

#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gst/sphere/media/stream_editor.h"

namespace sphere::media {

class MuxerStreamEditor : public StreamEditor {
 protected:
  static std::vector<uint8_t> copy_of(std::span<const uint8_t> bytes) {
    std::vector<uint8_t> copy;
    copy.assign(bytes.begin(), bytes.end());
    return copy;
  }

  /// The next bytes of the edited file.
  void write(std::vector<uint8_t> bytes, std::vector<Write>* writes) {
    const uint64_t offset = next_out_;
    next_out_ += bytes.size();
    if (!bytes.empty()) writes->push_back({offset, std::move(bytes)});
  }
  /// The first of the bytes that wait, which stay.
  std::vector<uint8_t> first(size_t size) const { return copy_of(std::span(pending_).first(size)); }
  /// Removes the first of the bytes that wait.
  void drop(size_t size) {
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(size));
    consumed_ += size;
  }

  bool begun_ = false;
  Request request_;
  std::vector<uint8_t> pending_;  ///< of the muxer, not yet examined
  uint64_t consumed_ = 0;         ///< bytes of the muxer before those
  uint64_t next_in_ = 0, next_out_ = 0;
};

}  // namespace sphere::media
