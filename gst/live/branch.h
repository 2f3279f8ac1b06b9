// SPDX-License-Identifier: LGPL-2.1-or-later
// The last elements of the session's pipeline before an output: the gates for places and for sound,
// the encoder of the sound, and the sinks that hand over to the output's feed.

#pragma once

#include <gst/gst.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gst/live/feed.h"
#include "gst/live/output.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

/// What one output was given.
struct OutputConsent {
  /// If both are set, both must allow.
  std::optional<std::string> caps, ledger;
  /// What a person has said about the sound of this output; it counts instead of the others.
  std::optional<std::string> sound;
};

class Branch {
 public:
  Branch(const OutputNeeds& needs, const OutputConsent& consent)
      : needs_(needs), consent_(consent) {}
  Branch(const Branch&) = delete;
  Branch& operator=(const Branch&) = delete;

  /// A bin with the sink pad `sink`, floating, for pictures of the form that the output needs.
  Result<GstElement*> make_video(Feed* feed, std::function<void()> end);
  /// The gates for sound: a bin with the pads `sink` and `src`, floating. Only for an output that
  /// takes sound. Those that are made after the pipeline has started count each grant as a new one.
  Result<GstElement*> make_sound_gates();
  /// What comes after them, with the sink pad `sink`: for decoded sound, or with `coded` for sound
  /// in the form that the output takes.
  Result<GstElement*> make_audio(Feed* feed, bool coded = false);

  /// Other caps and another ledger from now on; the gates follow with the next buffer. Any thread.
  void set_consent(const std::optional<std::string>& caps,
                   const std::optional<std::string>& ledger);
  /// Nothing is given for sound from now on; the gates follow with the next buffer. Any thread.
  void take_back_sound();
  OutputConsent consent() const;

 private:
  void set_up_gate(GstElement* gate, consent::Purpose purpose, bool sound);

  const OutputNeeds needs_;
  struct Gate {
    GstRef<GstElement> element;
    bool sound;
  };
  std::vector<Gate> gates() const;

  mutable Mutex mutex_;  // protects what follows; not held while a property is set
  OutputConsent consent_ SPHERE_GUARDED_BY(mutex_);
  std::vector<Gate> gates_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::live
