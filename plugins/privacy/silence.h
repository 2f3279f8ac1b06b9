// SPDX-License-Identifier: LGPL-2.1-or-later
// Silence that replaces sound in a stream, in the same format and with the same times.

#pragma once

#include <gst/audio/audio.h>
#include <gst/gst.h>

#include <vector>

#include "gst/sphere/base/gobject.h"

namespace sphere::privacy {

/// Silence for streams with the same caps. From a buffer that is replaced, only its times, its
/// flags, and metas about time are kept.
class Silence {
 public:
  Silence() = default;
  /// For any caps; possible() is false if silence can't be made for them.
  explicit Silence(const GstCaps* caps);

  /// A silent buffer that replaces `sound`, in new memory; null if this format has no silence.
  BufferRef in_place_of(GstBuffer* sound) const;
  /// For a buffer that has no sound but headers of the codec: the part that a decoder needs. Null
  /// for all other buffers.
  BufferRef clean_header(GstBuffer* buffer) const;
  /// A coded packet also contains sound from the time around it. Therefore packets stay silent for
  /// this time after the beginning of a grant.
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
