// SPDX-License-Identifier: LGPL-2.1-or-later
// The sound of spherecamsrc. Its pad exists only if there was consent when the preview was opened.
// There is a gate before it, because consent may be withdrawn later.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"
#include "plugins/camera/stream_splicer.h"

namespace sphere::camera {

class AudioBranch {
 public:
  AudioBranch(GstBin* bin, const consent::Consent& consent) : bin_(bin), consent_(consent) {}
  ~AudioBranch() { remove(); }

  /// Whether there is consent now.
  bool allowed() const;
  /// The same, to be called immediately before sound is requested from the camera: no sound has
  /// been captured yet.
  bool allowed_to_ask();

  /// To be called when the properties `consent` and `ledger` have changed, in the thread that
  /// changed them: when it returns, the gate knows.
  void pass_consent();

  /// Begins a new stream.
  void restart(guint group) {
    group_ = group;
    number_ = 0;
  }
  enum class Linked { no, to_old_pad, to_new_pad };
  /// Takes the coded sound of a connection. The pad `audio` appears if it is not there yet, or if
  /// the codec is another than before.
  Linked link(GstPad* sound, const std::string& codec);
  /// There is no more sound for now: sends EOS and removes the pad.
  void remove();

 private:
  static GstPadProbeReturn stamp(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  bool changed_since_asked();
  bool build(const std::string& codec);

  GstBin* const bin_;
  const consent::Consent& consent_;
  std::atomic<guint> group_ = 0;
  std::atomic<int> number_ = 0;  // of the pad, a part of its stream id

  // Protects what follows. Never held across a state change, a link or a push.
  Mutex mutex_;
  GstElement* parts_ SPHERE_GUARDED_BY(mutex_) = nullptr;  // a bin, with the gate in it
  GstRef<GstElement> gate_ SPHERE_GUARDED_BY(mutex_);
  GstPad* pad_ SPHERE_GUARDED_BY(mutex_) = nullptr;
  std::unique_ptr<StreamSplicer> splicer_ SPHERE_GUARDED_BY(mutex_);
  // The state of consent when sound was requested from the camera.
  consent::Consent::Version asked_ SPHERE_GUARDED_BY(mutex_);

  // Used only by the streaming thread.
  std::optional<consent::ConsentEventMaker> event_maker_;
};

}  // namespace sphere::camera
