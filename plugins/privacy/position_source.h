// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a position that an element puts into a medium comes from.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gst/sphere/base/position.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/media/gpx.h"
#include "plugins/privacy/gpsd.h"

namespace sphere::privacy {

/// A fixed position, gpsd and a track, of which the first that knows a position counts. Any thread
/// may call.
class PositionSource {
 public:
  void set_position(std::optional<Position> position);
  /// Reads the file. After an error there is no track.
  Status set_gpx(std::optional<std::string> path);
  std::optional<std::string> gpx() const;
  void set_gpsd(std::optional<std::string> address);
  std::optional<std::string> gpsd() const;

  /// Whether there is any of them.
  bool exists() const;
  /// Whether the time of the medium matters.
  bool needs_time() const;
  /// gpsd is connected only while positions are wanted.
  void set_wanted(bool wanted);
  /// The position now, and of the track at a time in microseconds since 1970 UTC.
  std::optional<Position> at(std::optional<int64_t> time_us) const;

 private:
  // Protects what follows. A client is made and ended, and a file is read, without it.
  mutable Mutex mutex_;
  std::optional<Position> position_ SPHERE_GUARDED_BY(mutex_);
  std::optional<std::string> path_ SPHERE_GUARDED_BY(mutex_);
  std::shared_ptr<const media::GpxTrack> track_ SPHERE_GUARDED_BY(mutex_);
  std::optional<std::string> address_ SPHERE_GUARDED_BY(mutex_);
  std::shared_ptr<GpsdClient> client_ SPHERE_GUARDED_BY(mutex_);
  bool wanted_ SPHERE_GUARDED_BY(mutex_) = false;
};

}  // namespace sphere::privacy
