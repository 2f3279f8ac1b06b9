// SPDX-License-Identifier: LGPL-2.1-or-later
// A window on this machine's screen, for whoever stands at the camera.

#include "gst/live/output.h"
#include "gst/live/output_parts.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/screen.h"

namespace sphere::live {

namespace {

constexpr const char* no_screen =
    "there is no screen for a window; leave --show out, or set DISPLAY";

class WindowOutput : public Output {
 public:
  WindowOutput(const Target& target, bool sound) {
    needs_.video = VideoForm::raw;
    needs_.audio = sound ? AudioForm::raw : AudioForm::none;
    needs_.audio_purposes = audio_purposes(target);
  }

  const OutputNeeds& needs() const override { return needs_; }

  Result<GstElement*> open(const StreamInfo& stream) override {
    if (!has_screen()) {
      final_ = true;
      return failed(no_screen);
    }
    // The latest picture at once; an older one is of no use.
    std::string words =
        "queue name=video leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! "
        "videoconvert ! autovideosink sync=false ";
    if (stream.audio)
      words += "queue name=audio ! audioconvert ! audioresample ! autoaudiosink sync=false ";
    return make_output_bin(words);
  }

  std::string explain(GstMessage* error) override {
    if (is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND) ||
        is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE) ||
        is_error(error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE))
      return no_screen;
    return {};
  }
  bool is_final() const override { return final_; }

 private:
  OutputNeeds needs_;
  bool final_ = false;
};

Result<std::unique_ptr<Output>> make(const Target& target) {
  if (const Status found = check_elements({"autovideosink", "videoconvert"}); !found)
    return found.error();
  if (const Status known = check_settings(target, {"sound"}); !known) return known.error();
  const std::string sound = target.setting("sound");
  if (!sound.empty() && sound != "yes" && sound != "no")
    return invalid("the setting 'sound' of a window is 'yes' or 'no'");
  return std::unique_ptr<Output>(new WindowOutput(target, sound == "yes"));
}

const OutputRegistration registration(TargetKind::window, make);

}  // namespace

}  // namespace sphere::live
