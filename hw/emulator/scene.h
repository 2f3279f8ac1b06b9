// SPDX-License-Identifier: LGPL-2.1-or-later
// The pictures of an emulated camera: the test scene, a picture, or a video that begins again at
// its end.

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
  /// Whether there is a sound track. It is not known whether the real camera has one.
  bool sound = false;
};

/// Quotes a text for a launch line.
std::string quoted(const std::string& text);

/// The beginning of a launch line: live H.264 video of the scene, 29.97 pictures per second. The
/// bin that is made from it needs feed_scene().
std::string live_video(const SceneSettings& scene);
/// The same for one raw picture of this size.
std::string single_picture(const SceneSettings& scene, int width, int height);

/// Checks that the elements that draw and encode the scene are installed, and with `preview` also
/// those that send it. The error tells what to install.
Status check_elements(const SceneSettings& scene, bool preview);
/// Checks that the scene has a picture. Blocks.
Status check_scene(const SceneSettings& scene);
/// Sends pictures to `bin`, which was made from live_video().
Status feed_scene(GstBin* bin, const SceneSettings& scene);

}  // namespace sphere::emulator
