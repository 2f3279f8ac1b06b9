// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures for an encoder that copies them: their memory is free again when the next one comes.
//
// GstVideoEncoder keeps each picture until its coded form comes out. x264 looks many pictures ahead
// and has a copy of each of them, so that all would be in memory twice. In place of a picture, the
// encoder is given another buffer with the same pixels, which does not own them. The picture itself
// goes back to its pool with the next one, which comes only when the encoder has made its copy.

#pragma once

#include <gst/gst.h>

#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

/// For one pad; to be used by the thread that pushes to it.
class LentPicture {
 public:
  LentPicture() = default;
  ~LentPicture() { take_back(); }
  LentPicture(const LentPicture&) = delete;
  LentPicture& operator=(const LentPicture&) = delete;

  /// Takes back the picture before, takes `picture`, and returns what to pass on instead.
  GstBuffer* lend(GstBuffer* picture);
  void take_back();

  /// Takes the number of pictures that the encoder wants to keep out of its answer to an allocation
  /// query: a pool of that many would use all of them in turn.
  static GstPadProbeReturn need_no_more(GstPad*, GstPadProbeInfo* info, gpointer);

 private:
  BufferRef picture_;
  GstMapInfo mapped_{};
};

}  // namespace sphere::tool
