// SPDX-License-Identifier: LGPL-2.1-or-later
// Silence that replaces sound in a stream, in the same format and with the same times.

#pragma once

#include <gst/audio/audio.h>
#include <gst/gst.h>

#include <vector>

#include "gst/sphere/base/gobject.h"

namespace sphere::privacy {

/// Silence for streams of one caps. Nothing of a buffer that is replaced is in what replaces it,
/// but its place in time, its flags, and metas that are about time alone.
class Silence {
 public:
  Silence() = default;
  /// For any caps; possible() is false if silence can't be made for them.
  explicit Silence(const GstCaps* caps);

  /// A silent buffer in place of `sound`, in memory of its own; null where this form has none.
  BufferRef in_place_of(GstBuffer* sound) const;
  /// In place of a buffer that has no sound but tells how to decode it: what is needed for that;
  /// null if it is no such buffer.
  BufferRef clean_header(GstBuffer* buffer) const;
  /// A coded packet also holds sound from around it, so that this much after the beginning of a
  /// grant its packets are still silent.
  GstClockTime overlap(const GstBuffer* sound) const;
  /// Whether silence can be written at all.
  bool possible() const { return kind_ != Kind::none; }

 private:
  enum class Kind { none, raw, bytes, aac, adts, opus };

  BufferRef raw(GstBuffer* sound) const;
  std::vector<uint8_t> packet(GstBuffer* sound) const;

  Kind kind_ = Kind::none;
  GstAudioInfo info_ = {};
  uint8_t byte_ = 0;                // of coded PCM
  std::vector<uint8_t> aac_block_;  // the same for all
  int opus_streams_ = 0, opus_coupled_ = 0;
};

}  // namespace sphere::privacy
