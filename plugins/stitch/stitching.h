// SPDX-License-Identifier: LGPL-2.1-or-later
// What the GL and the CPU stitcher have in common: which lens, and the grids for each frame.
// Everything but the drawing.

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

/// One stitcher's settings and, while it runs, what it draws by.
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

  /// What the output is to show, for its size to be chosen.
  Projection projection();

  /// Gets ready to draw `in` as `out`; false after an element error was posted. An orientation meta
  /// on `out` becomes that of what is drawn.
  bool prepare(GstBuffer* in, GstBuffer* out, const GstSegment& segment);
  /// What to draw by. After prepare().
  PairStitcher& pair() { return *pair_; }
  /// How the frame is to be sampled; as it was when prepare() was called.
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
  struct Basis {
    std::string lens;
    std::shared_ptr<const LensPair> own_lens;  ///< the camera's table; comes before the name
    Projection projection = Projection::equirect;
    double fov = 0, lens_fov = 0, blend_width = 0;
    bool multiband = false;
    Strip strip = Strip::middle;
    double stitch_distance = 0;
    SeamOptions seam;
    bool operator==(const Basis&) const = default;
  };
  bool ensure_pair(const StitchSettings& settings);
  Status make_pair(const Basis& basis);
  void choose_lens(const std::string& setting);
  void forget_stream();
  /// Whether each picture is of another place: those without a rate are photos.
  bool has_photos() const { return GST_VIDEO_INFO_FPS_N(&input_) == 0; }
  GstVideoInfo info_of(Size strip) const;

  GstElement* const owner_;

  // Order: taken alone. Never held across a post or while a grid is built.
  Mutex mutex_;
  StitchSettings settings_ SPHERE_GUARDED_BY(mutex_);

  // State: touched by the streaming thread alone (and by stop(), when there is none).
  GstVideoInfo input_{}, output_{};
  bool have_formats_ = false, warned_no_lens_ = false, told_interlaced_ = false;
  // Of this frame. Kept, so that to copy the names in them allocates nothing.
  StitchSettings current_;
  StreamLens::Said said_;
  Basis wanted_, basis_;
  const char* lens_origin_ = nullptr;  // who said which lens is wanted
  std::optional<Basis> announced_;     // what the bus was last told of
  StreamLens lens_;
  bool track_came_by_event_ = false;  // then that of the file's own tags is not looked at
  Levelling levelling_;
  std::optional<PairStitcher> pair_;
  GstVideoInfo strip_info_{}, bands_info_{};
};

}  // namespace sphere
