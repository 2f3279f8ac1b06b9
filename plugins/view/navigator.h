// SPDX-License-Identifier: LGPL-2.1-or-later
// Turns what a person does with mouse, touch screen and keyboard into changes of the view.

#pragma once

#include <gst/gst.h>

#include <optional>
#include <vector>

#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/geometry/vec.h"

namespace sphere {

/// What of the sphere is shown.
struct ViewAngles {
  Angles angles;   ///< degrees
  double fov = 0;  ///< degrees; 0: as the projection usually has it
  bool operator==(const ViewAngles&) const = default;
};

/// A drag keeps the thing that was grabbed under the pointer. It has no clock: `now` is in seconds.
class Navigator {
 public:
  /// What an event does to the view: nothing, or `view` is what to show now.
  struct Answer {
    bool is_ours = false;  ///< the event was meant for the view
    std::optional<ViewAngles> view;
  };
  Answer handle(GstEvent* event, const Canvas& canvas, const ViewAngles& view, double now);

  /// The view goes on turning after a drag, and slows down within about `inertia` seconds.
  /// Returns the view at `now`, or nothing if it rests.
  std::optional<ViewAngles> turn_by_inertia(const ViewAngles& view, double inertia, double now);

  void reset() { *this = Navigator(); }

 private:
  struct Finger {
    unsigned id;
    Point at;
  };
  /// The middle between the fingers, and how far they are apart; 0 for one finger.
  struct Pinch {
    Point middle;
    double apart = 0;
  };

  void grab(const Canvas& canvas, const ViewAngles& view, Point at, double now);
  std::optional<ViewAngles> drag(const Canvas& canvas, const ViewAngles& view, Point at,
                                 double now);
  std::optional<ViewAngles> release(const Canvas& canvas, const ViewAngles& view, Point at,
                                    double now);
  Answer press_key(const char* key, const Canvas& canvas, const ViewAngles& view);
  Answer touch(GstEvent* event, const Canvas& canvas, const ViewAngles& view, double now);
  Pinch pinch() const;

  std::optional<Vec3> grabbed_;  // the direction in the picture, while a button is pressed
  Point last_;                   // where the pointer was last, while a button is pressed
  std::vector<Finger> fingers_;
  double apart_ = 0;  // of two fingers, before their last movement
  // Degrees a second, and when it was measured.
  double yaw_speed_ = 0, pitch_speed_ = 0, measured_ = 0;
  Angles measured_from_;  // of the view, when it was measured
  bool goes_on_ = false;
};

/// The field of view that is really drawn, degrees.
double drawn_fov(Projection projection, double fov);

}  // namespace sphere
