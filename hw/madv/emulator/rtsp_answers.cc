// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/emulator/rtsp_answers.h"

#include <algorithm>
#include <string_view>

namespace sphere::madv_emulator {

namespace {

constexpr const char* methods =
    "OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER";
constexpr const char* stream_name = "Ambarella streaming";

/// The value of one of the parameters "name=value;..." of a line.
std::string parameter(std::string_view line, std::string_view name) {
  const size_t begin = line.find(name);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  return std::string(line.substr(0, line.find(';')));
}

}  // namespace

std::string camera_description(const std::string& sdp) {
  std::string out;
  const auto add = [&out](const std::string& line) { out += line + "\r\n"; };
  std::string_view left = sdp;
  bool is_video = false;
  while (!left.empty()) {
    const size_t end = std::min(left.find("\r\n"), left.size());
    const std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 2, left.size()));
    const auto begins = [line](std::string_view with) { return line.starts_with(with); };
    if (begins("m=")) is_video = begins("m=video");
    if (begins("s=") || begins("i=")) {
      add(std::string(line.substr(0, 2)) + stream_name);
    } else if (begins("a=tool:")) {
      add(std::string("a=tool:") + stream_name + " 2012.03.12");
    } else if (begins("a=range:")) {
      add("a=range:npt=0-");
      add(std::string("a=x-qt-text-nam:") + stream_name);
      add(std::string("a=x-qt-text-inf:") + stream_name);
    } else if (is_video && begins("b=AS:")) {
      add("b=AS:10000");
    } else if (is_video && begins("a=fmtp:")) {
      add(std::string(line.substr(0, line.find(' '))) + " packetization-mode=1;" +
          parameter(line, "profile-level-id=") + ";" + parameter(line, "sprop-parameter-sets="));
    } else if (!begins("a=framerate:") && !begins("a=ts-refclk:") && !begins("a=mediaclk:") &&
               !begins("a=ssrc:")) {
      add(std::string(line));
    }
  }
  return out;
}

void change_answer(GstRTSPMessage* message) {
  if (gst_rtsp_message_get_type(message) != GST_RTSP_MESSAGE_RESPONSE) return;
  char* value = nullptr;
  if (gst_rtsp_message_get_header(message, GST_RTSP_HDR_PUBLIC, &value, 0) == GST_RTSP_OK) {
    gst_rtsp_message_remove_header(message, GST_RTSP_HDR_PUBLIC, -1);
    gst_rtsp_message_add_header(message, GST_RTSP_HDR_PUBLIC, methods);
  }
  guint8* body = nullptr;
  guint size = 0;
  const bool described =
      gst_rtsp_message_get_header(message, GST_RTSP_HDR_CONTENT_TYPE, &value, 0) == GST_RTSP_OK &&
      std::string_view(value) == "application/sdp" &&
      gst_rtsp_message_get_body(message, &body, &size) == GST_RTSP_OK && body;
  if (!described) return;
  const std::string sdp =
      camera_description(std::string(reinterpret_cast<const char*>(body), size));
  gst_rtsp_message_set_body(message, reinterpret_cast<const guint8*>(sdp.data()),
                            static_cast<guint>(sdp.size()));
}

}  // namespace sphere::madv_emulator
