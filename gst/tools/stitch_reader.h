// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of a pipeline of `sphere stitch` that reads a video: demuxer, decoders, and the sound
// as it is.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <deque>
#include <functional>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/tools/stitch_input.h"

namespace sphere::tool {

class VideoReader {
 public:
  /// Adds its elements to `bin`; the pictures of each video track go to one of `targets`, in the
  /// order of the tracks. `take_sound` is called for each sound track, from the demuxer's thread,
  /// and `all_found` when no further track can come. `input` must outlive this, and this `bin`.
  VideoReader(GstBin* bin, const StitchInput& input, std::vector<GstElement*> targets,
              std::function<void(GstPad*, GstCaps*)> take_sound, std::function<void()> all_found);
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  Status build();
  /// Coded pictures of the first track that came out of the file.
  uint64_t pictures_read() const { return branches_.front().read; }

 private:
  /// From a demuxer's pad to a target.
  struct Branch {
    GstElement* first = nullptr;  ///< takes coded pictures; the bin's
    bool taken = false;           ///< only the demuxer's thread touches it
    GstSegment segment{};         ///< of coded pictures; only its own pad's thread touches it
    std::atomic<uint64_t> read{0};
  };

  GstElement* add(const char* factory);
  Status build_branch(GstElement* target, Branch* branch);
  void watch_length(GstElement* demuxer);
  void take_track(GstPad* pad);
  void take_pictures(GstPad* pad, GstCaps* caps, Branch* branch);
  static GstPadProbeReturn count_read(GstPad*, GstPadProbeInfo* info, gpointer branch);
  /// qtdemux ends a track where its own time, not the movie's, passes the length of the movie; so a
  /// track that an edit list enters late loses its end. It is shown the length of the
  /// longest track instead.
  static GstPadProbeReturn lengthen(GstPad*, GstPadProbeInfo* info, gpointer length);

  GstBin* bin_;
  const StitchInput& input_;
  std::vector<GstElement*> targets_;
  std::function<void(GstPad*, GstCaps*)> take_sound_;
  std::function<void()> all_found_;
  Status missing_ = ok();
  std::deque<Branch> branches_;
  media::IsoFile::Length length_;
};

/// What to say where GStreamer lacks an element.
Error missing_element(const char* factory);
/// Makes an element and adds it to the bin. Null if GStreamer lacks it; `missing` then says so,
/// unless it has an error already.
GstElement* add_element(GstBin* bin, const char* factory, Status* missing);

}  // namespace sphere::tool
