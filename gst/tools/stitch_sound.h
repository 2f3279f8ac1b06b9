// SPDX-License-Identifier: LGPL-2.1-or-later
// Coded sound on its way from a demuxer into a muxer, unchanged; and what is known of muxers.

#pragma once

#include <gst/gst.h>

#include <string>

#include "gst/sphere/base/result.h"

namespace sphere::tool {

/// The muxer of a container, which the end of OUT's name tells: .mp4, .mov or .mkv.
const char* muxer_of(const std::string& container);

/// What a demuxer tells of the file with tags stays out of a muxer.
void keep_descriptions_out(GstPad* mux_pad);

class SoundCopier {
 public:
  /// Both must exist longer than this object.
  SoundCopier(GstBin* bin, GstElement* muxer, std::string container)
      : bin_(bin), muxer_(muxer), container_(std::move(container)) {}

  /// Links a pad of a demuxer to the muxer, with what is needed between.
  Status take(GstPad* pad, GstCaps* caps);

 private:
  GstBin* bin_;
  GstElement* muxer_;
  std::string container_;
};

}  // namespace sphere::tool
