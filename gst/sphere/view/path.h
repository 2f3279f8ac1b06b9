// SPDX-License-Identifier: LGPL-2.1-or-later
// What is looked at in a 360 picture along time: keyframes, and the views between them.

#pragma once

#include <array>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/projection.h"
#include "gst/sphere/geometry/vec.h"

namespace sphere {

/// How the view goes from one keyframe to the next.
struct Easing {
  enum class Kind {
    linear,  ///< at a constant speed
    smooth,  ///< with a speed that changes without a jump, and beyond neither keyframe
    hold,    ///< it stays until the next keyframe, and jumps there
    cubic,   ///< a cubic Bézier curve from 0,0 to 1,1, as in CSS
  };
  Kind kind = Kind::smooth;
  /// The two points that bend the curve; only of `cubic`. x is time, 0 to 1; y is the way.
  double x1 = 0, y1 = 0, x2 = 1, y2 = 1;
  bool operator==(const Easing&) const = default;
};

inline constexpr std::array<std::string_view, 3> easing_names = {"linear", "smooth", "hold"};

struct Keyframe {
  double time = 0;  ///< seconds of stream time
  /// Degrees. Yaw may be of any size: 370 is one turn further than 10.
  Angles angles;
  double fov = 0;  ///< degrees, across the picture; 0: as the projection usually has it
  Projection projection = Projection::perspective;
  Easing easing;     ///< from here to the next keyframe
  double speed = 1;  ///< of the film from here on; 2 is twice as fast
  bool operator==(const Keyframe&) const = default;
};

/// Which way round the view turns to the next keyframe.
enum class TurnWay {
  shortest,    ///< by at most half a turn
  as_written,  ///< by the difference of the angles, as they are written
};
inline constexpr std::array<std::string_view, 2> turn_way_names = {"shortest", "as-written"};

/// What happens to the horizon between two keyframes.
enum class Horizon {
  locked,  ///< yaw, pitch and roll change each for itself, so that a level view stays level
  free,    ///< the view turns about one axis; the horizon may tilt on the way
};
inline constexpr std::array<std::string_view, 2> horizon_names = {"locked", "free"};

/// The view at one moment.
struct View {
  Mat3 rotation;   ///< from the axes of the view to those of the picture
  double fov = 0;  ///< degrees; 0: as the projection usually has it
  Projection projection = Projection::perspective;
};

/// Yaw, pitch, roll and field of view, degrees. The yaw goes on counting beyond half a turn.
using ViewValues = std::array<double, 4>;

class ViewPath {
 public:
  static constexpr size_t most_keyframes = 100'000;

  /// An error names the keyframe, counted from 1.
  static Result<ViewPath> make(std::vector<Keyframe> keyframes,
                               TurnWay turn_way = TurnWay::shortest,
                               Horizon horizon = Horizon::locked);

  /// The view at a time in seconds, also before the first and after the last keyframe. It depends
  /// on the time alone.
  View at(double time) const;
  /// The same as numbers that change without jumps, where the view does: yaw goes the way round
  /// that the view turns. With a free horizon it is the nearest to `near`.
  ViewValues values_at(double time, const ViewValues& near = {}) const;
  /// The speed of the film at a time.
  double speed_at(double time) const;

  /// As they were given.
  const std::vector<Keyframe>& keyframes() const { return keyframes_; }
  TurnWay turn_way() const { return turn_way_; }
  Horizon horizon() const { return horizon_; }

 private:
  /// What changes evenly: yaw, pitch, roll and the field of view, in degrees.
  static constexpr int channels = 4, fov_channel = 3;
  struct Node {
    double value[channels] = {};
    double slope[channels] = {};  ///< degrees a second, for smooth easing
  };

  ViewPath() = default;
  void prepare();
  void choose_slopes();
  /// Whether the field of view changes between a keyframe and the next one.
  bool zooms_after(size_t index) const;
  double channel_at(size_t index, int channel, double time) const;
  size_t index_at(double time) const;

  std::vector<Keyframe> keyframes_;
  std::vector<Node> nodes_;  ///< one for each keyframe; yaw goes the way that was chosen
  TurnWay turn_way_ = TurnWay::shortest;
  Horizon horizon_ = Horizon::locked;
};

/// The part of the way that is done after a part of the time, both 0 to 1. Smooth easing rests at
/// both ends.
double eased(const Easing& easing, double part);

}  // namespace sphere
