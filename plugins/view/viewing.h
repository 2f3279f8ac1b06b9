// SPDX-License-Identifier: LGPL-2.1-or-later
// The part that the GL and the CPU element share: everything except the drawing.

#pragma once

#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/base/thread.h"
#include "gst/sphere/view/keyframes_setting.h"
#include "gst/sphere/warp/elementproperties.h"
#include "gst/sphere/warp/gridbuilder.h"
#include "gst/sphere/warp/source.h"
#include "plugins/view/navigator.h"

namespace sphere {

/// Ids of the properties that install_view_properties() installs; an element's own follow.
enum ViewProperty : guint {
  view_prop_input = 1,
  view_prop_projection,
  view_prop_fov,
  view_prop_yaw,
  view_prop_pitch,
  view_prop_roll,
  view_prop_interpolation,
  view_prop_keyframes,
  view_prop_inertia,
  view_prop_end,
};

void install_view_properties(GObjectClass* klass);

/// Copied as a whole, once for each buffer.
struct ViewSettings {
  Projection input = Projection::equirect;
  Projection projection = Projection::perspective;
  ViewAngles view;
  Interpolation interpolation = Interpolation::linear;
  double inertia = 0;  ///< seconds
  KeyframesSetting keyframes;
};

class Viewing {
 public:
  explicit Viewing(GstElement* owner) : owner_(owner) {}

  /// To be called before the first picture, if cells are drawn as GridBuilder's triangles.
  void use_triangles() { triangles_ = true; }

  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);

  /// The projections of the output and of the input, from which the size of the output is chosen.
  Projection projection();
  Projection input();
  /// Warns if a serialised event says that the pictures are those of two lenses. Returns the event.
  GstEvent* observe(GstEvent* event);
  /// Changes the view by a navigation event from downstream, unless there are keyframes. Returns
  /// false if the event is not for the view.
  bool navigate(GstEvent* event);

  /// Sets both formats. On failure posts an element error that says what to do, and returns false.
  bool set_formats(const GstVideoInfo& input, const GstVideoInfo& output);
  /// Whether prepare() changes this meta to that of the view.
  static bool changes_meta(const GstMeta* meta);
  /// Prepares the drawing of `in` to `out`. Returns false after it has posted an element error.
  /// Changes an orientation meta on `out` to the orientation of the view.
  bool prepare(GstBuffer* in, GstBuffer* out, const GstSegment& segment);
  void stop();

  /// The grids for the drawing; `generation` is another number after each change. To be called
  /// after prepare().
  std::span<const WarpGrid> grids() const { return grids_; }
  unsigned generation() const { return generation_; }
  int reductions() const { return builder_->reductions(); }
  bool is_cubic() const { return current_.interpolation == Interpolation::cubic; }

 private:
  bool make_source();
  void tell_shape();
  void turn_by_inertia();
  void notify(const ViewAngles& before, const ViewAngles& now);
  bool build(const View& view);

  GstElement* const owner_;
  bool triangles_ = false;

  // Order: taken alone. Never held across a post, a notification, or while a grid is built.
  Mutex mutex_;
  ViewSettings settings_ SPHERE_GUARDED_BY(mutex_);
  Navigator navigator_ SPHERE_GUARDED_BY(mutex_);
  /// What the events' positions refer to; none before the formats are known.
  std::optional<Size> shown_ SPHERE_GUARDED_BY(mutex_);

  // State. Used only by the streaming thread, and by stop() when there is no such thread.
  GstVideoInfo input_{}, output_{};
  bool have_formats_ = false, told_refusal_ = false, told_shape_ = false, told_lenses_ = false;
  ViewSettings current_;
  std::unique_ptr<WarpSource> source_;  // of current_.input
  std::optional<GridBuilder> builder_;
  View drawn_;                 // what the grids show
  double cell_chosen_at_ = 0;  // the field of view for which the size of the cells was chosen
  std::vector<WarpGrid> grids_;
  unsigned generation_ = 0;
};

}  // namespace sphere
