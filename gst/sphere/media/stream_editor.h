// SPDX-License-Identifier: LGPL-2.1-or-later
// Edits a file while a muxer writes it, with bounded memory: what comes in are the writes of the
// muxer, which also go back to fill in sizes, and what comes out are the writes of the edited file.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

class StreamEditor {
 public:
  struct Write {
    uint64_t offset = 0;  ///< in the edited file
    std::vector<uint8_t> bytes;
  };

  virtual ~StreamEditor() = default;

  /// Bytes of the muxer at an offset. `request` is what is wanted and allowed at this moment.
  virtual Status take(uint64_t offset, std::span<const uint8_t> bytes, const Request& request,
                      std::vector<Write>* writes) = 0;
  /// The muxer has written everything.
  virtual Status end(const Request& request, std::vector<Write>* writes) = 0;
  /// What somebody who joins a live stream needs first; nothing while it is not known.
  virtual std::optional<std::vector<uint8_t>> header() const { return std::nullopt; }
};

// `can_go_back`: what takes the writes is a file, not a network.

/// A whole picture, of any format that examine() knows.
std::unique_ptr<StreamEditor> make_picture_stream_editor(bool can_go_back);
/// MP4 and MOV: plain, with its index first, and in fragments.
std::unique_ptr<StreamEditor> make_isobmff_stream_editor(bool can_go_back);
/// Matroska and WebM: live, and with an index.
std::unique_ptr<StreamEditor> make_matroska_stream_editor(bool can_go_back);

}  // namespace sphere::media
