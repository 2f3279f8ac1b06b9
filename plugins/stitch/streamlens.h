// SPDX-License-Identifier: LGPL-2.1-or-later
// The lenses that the stream names: in the event `sphere-lens`, or in the camera's own data in the
// file.

#pragma once

#include <gst/gst.h>

#include <memory>
#include <span>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/lens/pair.h"
#include "gst/sphere/makers/capture.h"

namespace sphere {

/// Used by the streaming thread alone.
class StreamLens {
 public:
  explicit StreamLens(GstElement* owner) : owner_(owner) {}

  /// Reads the event `sphere-lens` and ignores all others.
  void observe(GstEvent* event);
  /// Reads the data of a file's tags. Returns true if orientations() has changed.
  bool observe_capture_info(makers::CaptureInfo info);
  const auto& orientations() const { return file_.orientations; }
  /// A new stream may come from another camera.
  void forget();

  /// The lens that the stream names. A table has priority over a name, and the name in an event has
  /// priority over the camera model in a file. Everything is empty if the stream names none.
  struct LensSource {
    std::string name;                       ///< of a profile, or a file
    std::shared_ptr<const LensPair> table;  ///< the camera's own
    const char* origin = nullptr;           ///< "stream" or "file"
  };
  /// Allocates no memory if the name fits into the string.
  void read(LensSource& source) const;

 private:
  void observe_table(GBytes* table);
  std::shared_ptr<const LensPair> read_table(std::span<const uint8_t> table);

  GstElement* const owner_;
  std::string name_;
  BytesRef table_bytes_;  // the bytes that table_ was read from
  std::shared_ptr<const LensPair> table_, file_table_;
  makers::CaptureInfo file_;  // what the file's own box says
};

}  // namespace sphere
