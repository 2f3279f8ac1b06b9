// SPDX-License-Identifier: LGPL-2.1-or-later
// A muxer for fragmented MP4 whose stream goes to a function, marked as 360 and without places and
// names that were not agreed to.

#pragma once

#include <gst/gst.h>

#include <functional>

#include "gst/live/fragments.h"
#include "gst/live/output.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

struct MuxedSettings {
  /// The longest fragment; a key frame begins one in any case.
  guint fragment_ms = 1000;
};

/// A bin with the pads `video` and, if the stream has sound, `audio`. Needs mp4mux, spheremp4tag,
/// h264parse and aacparse.
Result<GstElement*> make_muxed_mp4(const StreamInfo& stream, const MuxedSettings& settings);

/// What the muxer of that bin makes goes into `reader`, and `take` is called then, in the muxer's
/// thread. Sound that begins later than the pictures is as late in the reader's fragments. An error
/// ends the element with a message on its bus that has the error's sentence.
void watch_muxed(GstElement* bin, FragmentReader* reader, std::function<Status()> take);

/// Sets a tag element (spheremp4tag, spheremkvtag) up for this stream.
void set_tag(GstElement* tag, const StreamInfo& stream);

}  // namespace sphere::live
