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

/// The beginning of a launch line: live raw pictures of the scene, 29.97 per second. The bin that
/// is made from it needs feed_scene().
std::string live_pictures(const SceneSettings& scene);
/// The stream of a camera's preview in a published session: a key frame every 8 pictures, 1.5
/// Mbit/s.
inline constexpr int preview_kbits = 1500, preview_key_interval = 8;
/// The next elements: they encode as H.264.
std::string encoded(int kbits_per_second, int key_interval);
/// Both together, as the preview of a camera is.
std::string live_video(const SceneSettings& scene);
/// One raw picture; `stitched`: equirectangular, which only the test scene can be.
std::string single_picture(const SceneSettings& scene, int width, int height,
                           bool stitched = false);
/// The next elements: they scale raw pictures to this size.
std::string scaled(int width, int height);

/// Checks that the elements that draw and encode the scene are installed, and with `preview` also
/// those that send it. The error tells what to install.
Status check_elements(const SceneSettings& scene, bool preview);
/// Checks that the scene has a picture. Blocks.
Status check_scene(const SceneSettings& scene);
/// Sends pictures to `bin`, which was made from live_video().
Status feed_scene(GstBin* bin, const SceneSettings& scene);

}  // namespace sphere::emulator
