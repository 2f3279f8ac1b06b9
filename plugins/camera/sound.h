// SPDX-License-Identifier: LGPL-2.1-or-later
// The sound of spherecamsrc: a pad that is there only while sound was agreed to when the camera was
// connected to, with a gate in front of it for when that is taken back.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <optional>

#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "plugins/camera/timeline.h"

namespace sphere::camera {

class Sound {
 public:
  Sound(GstBin* bin, const consent::Consent& consent) : bin_(bin), consent_(consent) {}
  ~Sound() { remove(); }

  /// Whether it is agreed to, now.
  bool allowed() const;
  /// The same, where sound is asked for if it is: nothing of it has been captured yet.
  bool ask();
  /// Whether the sound that an RTSP server describes so can be taken apart here.
  static bool understands(const GstCaps* rtp);

  /// A new stream from nothing.
  void restart(guint group) {
    group_ = group;
    number_ = 0;
  }
  /// Takes the sound of a connection; the pad `audio` appears if it is not there yet.
  bool take(GstPad* rtp);
  /// Nothing more comes for now: the pad ends and goes.
  void remove();

 private:
  static GstPadProbeReturn stamp(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  bool changed_since_asked();
  bool build(const char* name, const char* elements);

  GstBin* const bin_;
  const consent::Consent& consent_;
  std::atomic<guint> group_ = 0;
  std::atomic<int> number_ = 0;  // of the pad, in its stream's name

  // Protects what follows. Never held across a state change, a link or a push.
  Mutex mutex_;
  GstElement* parts_ SPHERE_GUARDED_BY(mutex_) = nullptr;  // a bin: depayloader, parser and gate
  GstPad* pad_ SPHERE_GUARDED_BY(mutex_) = nullptr;
  std::unique_ptr<Timeline> timeline_ SPHERE_GUARDED_BY(mutex_);
  consent::Consent::Version asked_
      SPHERE_GUARDED_BY(mutex_);  // what was known when it was asked for

  // The streaming thread's own.
  std::optional<consent::Stamper> stamper_;
};

}  // namespace sphere::camera
