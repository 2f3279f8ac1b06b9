// SPDX-License-Identifier: LGPL-2.1-or-later
// Which lenses the stream says took its pictures: by the event `sphere-lens`, or by what the camera
// wrote into the file.

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

  /// Takes the event `sphere-lens`; any other is left alone.
  void observe(GstEvent* event);
  /// Takes what a file's tags say. True where its orientations are others than before: they are in
  /// orientations() then.
  bool observe_capture_info(makers::CaptureInfo info);
  const auto& orientations() const { return file_.orientations; }
  /// A new stream may come from another camera.
  void forget();

  /// What the stream says. The table comes before the name, and the name of a profile that the
  /// stream gives before the camera model of a file; all are empty where it says nothing.
  struct Said {
    std::string name;                       ///< of a profile, or a file
    std::shared_ptr<const LensPair> table;  ///< the camera's own
    const char* origin = nullptr;           ///< "stream" or "file"
  };
  /// Leaves the memory of the name where it was.
  void say(Said& said) const;

 private:
  void observe_table(GBytes* table);
  std::shared_ptr<const LensPair> read_table(std::span<const uint8_t> table);

  GstElement* const owner_;
  std::string name_;
  BytesRef table_bytes_;  // what table_ was made of
  std::shared_ptr<const LensPair> table_, file_table_;
  makers::CaptureInfo file_;  // what the file's own box says
};

}  // namespace sphere
