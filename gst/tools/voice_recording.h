// SPDX-License-Identifier: LGPL-2.1-or-later
// Shows a film and records a voice in step with it.

#pragma once

#include <gst/gst.h>

#include <optional>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/tools/voice.h"

namespace sphere::tool {

/// Coded sound, in memory alone. Its times are those of the film.
struct RecordedVoice {
  CapsRef caps;
  std::vector<BufferRef> buffers;
  std::optional<double> ended;      ///< where the person ended it before the film's end, seconds
  std::optional<double> withdrawn;  ///< from here on it is silent, seconds
};

/// `film`: a descriptor of the file.
Result<RecordedVoice> record_voice(const VoiceChoice& voice, int film);

}  // namespace sphere::tool
