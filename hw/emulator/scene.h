// SPDX-License-Identifier: LGPL-2.1-or-later
// What the emulated camera sees: the test scene, a picture, or a video that begins again at its
// end.

#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

namespace sphere::emulator {

struct SceneSettings {
  /// A picture or a video of two fisheyes side by side; empty for the test scene.
  std::string file;
  /// The lens through which the test scene is drawn: name or path of a profile.
  std::string lens = "mi-sphere";
  int width = 1280, height = 640;
  /// A sound track beside the pictures. Whether the camera has one is not known.
  bool sound = false;
};

/// Text as a value in a launch line.
std::string quoted(const std::string& text);

/// The beginning of a launch line: live H.264 video of the scene, 29.97 pictures a second. What is
/// made of it needs feed_scene().
std::string live_video(const SceneSettings& scene);
/// The same for a single raw picture of this size.
std::string single_picture(const SceneSettings& scene, int width, int height);

/// Whether the elements that draw and code it are installed; else what to install. With `preview`,
/// also those that send it.
Status check_elements(const SceneSettings& scene, bool preview);
/// Whether there is something to be seen. Blocks.
Status check_scene(const SceneSettings& scene);
/// Lets `bin`, which live_video() begins, have its pictures.
Status feed_scene(GstBin* bin, const SceneSettings& scene);

}  // namespace sphere::emulator
