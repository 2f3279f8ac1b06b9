// SPDX-License-Identifier: LGPL-2.1-or-later
// RTMP and RTMPS: to a media server, or to a service for live video.

#include "gst/live/output.h"
#include "gst/live/output_parts.h"

namespace sphere::live {

namespace {

// How long a server may take to answer.
constexpr guint timeout_s = 5;

class RtmpOutput : public Output {
 public:
  explicit RtmpOutput(const Target& target) : target_(target) {
    needs_.audio_purposes = audio_purposes(target);
    needs_.location_purposes = location_purposes(target);
    // Players of RTMP take one header for a stream, and servers record it.
    needs_.takes_new_sizes = false;
    needs_.adapts = true;
  }

  const OutputNeeds& needs() const override { return needs_; }

  Result<GstElement*> open(const StreamInfo& stream) override {
    std::string words =
        "flvmux name=mux streamable=true ! rtmp2sink name=sink sync=false async-connect=true "
        "h264parse name=video ! video/x-h264,stream-format=avc ! mux.video ";
    if (stream.audio) words += "aacparse name=audio ! audio/mpeg,stream-format=raw ! mux.audio ";
    Result<GstElement*> bin = make_output_bin(words);
    if (bin)
      g_object_set(child_of(*bin, "sink"), "location", target_.address.c_str(), "timeout",
                   timeout_s, nullptr);
    return bin;
  }

  std::string explain(GstMessage* error) override {
    const std::string where = target_.shown;
    if (is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
      return where + " refuses the stream: check the stream key, and that nobody else uses it";
    if (is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND) ||
        is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ) ||
        is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE))
      return "no connection to " + where + ": check the address, and that the server runs";
    if (is_error(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE))
      return where + " has closed the connection";
    return {};
  }

 private:
  const Target target_;
  OutputNeeds needs_;
};

Result<std::unique_ptr<Output>> make(const Target& target) {
  if (const Status found = check_elements({"flvmux", "rtmp2sink", "h264parse", "aacparse"}); !found)
    return found.error();
  return std::unique_ptr<Output>(new RtmpOutput(target));
}

const OutputRegistration registration(TargetKind::rtmp, make);

}  // namespace

}  // namespace sphere::live
