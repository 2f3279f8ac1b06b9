// SPDX-License-Identifier: LGPL-2.1-or-later
// The part that the GL and the CPU stitcher share: everything except the drawing.

#pragma once

#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/stitch/pairstitcher.h"
#include "gst/sphere/warp/workers.h"
#include "plugins/stitch/levelling.h"
#include "plugins/stitch/stitchsettings.h"
#include "plugins/stitch/streamlens.h"

namespace sphere {

/// The settings of one stitcher, and the lens and the grids while it runs.
class Stitching {
 public:
  explicit Stitching(GstElement* owner) : owner_(owner), lens_(owner), levelling_(owner) {}

  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);

  /// Takes a serialised event on the sink pad: a `sphere-lens` event is remembered, and the
  /// camera's own data is taken out of tags. Returns what may be passed on, or null.
  GstEvent* observe(GstEvent* event);
  void stop();

  /// Sets both formats. On failure posts an element error that says what to do, and returns false.
  bool set_formats(const GstVideoInfo& input, const GstVideoInfo& output);

  /// The projection of the output, from which its size is chosen.
  Projection projection();

  /// Whether prepare() changes this meta to that of the stitched picture.
  static bool changes_meta(const GstMeta* meta);
  /// Prepares the drawing of `in` to `out`. Returns false after it has posted an element error.
  /// Changes an orientation meta on `out` to the orientation of the stitched picture.
  bool prepare(GstBuffer* in, GstBuffer* out, const GstSegment& segment);
  /// The grids for the drawing. To be called after prepare().
  PairStitcher& pair() { return *pair_; }
  /// The interpolation that was set when prepare() was called.
  Interpolation interpolation() const { return current_.interpolation; }

  /// The formats of the pictures that PairStitcher::strip() and bands() ask for.
  const GstVideoInfo& strip_info() const { return strip_info_; }
  const GstVideoInfo& bands_info() const { return bands_info_; }
  void measure(const GstVideoFrame& strip);
  void match();
  /// `workers` may be null.
  void blend(const GstVideoFrame& bands, Workers* workers);

 private:
  /// Everything that the PairStitcher depends on.
  struct PairInputs {
    std::string lens;
    std::shared_ptr<const LensPair> own_lens;  ///< the camera's table; comes before the name
    Projection projection = Projection::equirect;
    double fov = 0, lens_fov = 0, blend_width = 0;
    bool multiband = false;
    FrameRows frame_rows = FrameRows::middle;
    double stitch_distance = 0;
    SeamOptions seam;
    bool operator==(const PairInputs&) const = default;
  };
  bool ensure_pair(const StitchSettings& settings);
  Status make_pair(const PairInputs& inputs);
  void choose_lens(const std::string& setting);
  void forget_stream();
  /// Whether the pictures are photos, which are not related to each other: they have no frame rate.
  bool has_photos() const { return GST_VIDEO_INFO_FPS_N(&input_) == 0; }
  GstVideoInfo info_of(Size strip) const;

  GstElement* const owner_;

  // Order: taken alone. Never held across a post or while a grid is built.
  Mutex mutex_;
  StitchSettings settings_ SPHERE_GUARDED_BY(mutex_);

  // State. Used only by the streaming thread, and by stop() when there is no such thread.
  GstVideoInfo input_{}, output_{};
  bool have_formats_ = false, warned_no_lens_ = false, told_interlaced_ = false;
  // The settings of this frame. A member, so that copying its strings allocates no memory.
  StitchSettings current_;
  StreamLens::LensSource stream_lens_;
  PairInputs wanted_, basis_;
  const char* lens_origin_ = nullptr;    // where the name of the lens comes from
  std::optional<PairInputs> announced_;  // what the last message on the bus contained
  StreamLens lens_;
  bool track_came_by_event_ = false;  // the track in the file's tags is ignored then
  Levelling levelling_;
  std::optional<PairStitcher> pair_;
  GstVideoInfo strip_info_{}, bands_info_{};
};

}  // namespace sphere
