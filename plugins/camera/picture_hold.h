// SPDX-License-Identifier: LGPL-2.1-or-later
// Holds the pictures of a new preview back until the pad of its sound is there. Whoever links it
// when it appears, such as gst-launch-1.0, would otherwise be too late: a muxer has begun without it.

#pragma once

#include <gst/gst.h>

#include <functional>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"

namespace sphere::camera {

class PictureHold {
 public:
  /// `held` is called in the streaming thread, once for each begin(), when pictures wait.
  PictureHold(GstPad* pad, std::function<void()> held);
  ~PictureHold() { end(); }
  PictureHold(const PictureHold&) = delete;
  PictureHold& operator=(const PictureHold&) = delete;

  /// Nothing passes the pad from now on until end(). Any thread.
  void begin();
  void end();

 private:
  static GstPadProbeReturn block(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  const GstRef<GstPad> pad_;
  const std::function<void()> held_;

  Mutex mutex_;  // protects what follows; alone
  gulong probe_ SPHERE_GUARDED_BY(mutex_) = 0;
  bool told_ SPHERE_GUARDED_BY(mutex_) = false;
};

}  // namespace sphere::camera
