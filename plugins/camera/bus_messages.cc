// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/bus_messages.h"

#include "gst/sphere/base/printable.h"

namespace sphere::camera {

using Reason = hw::Failure::Reason;

namespace {

const char* card_name(hw::Card card) {
  switch (card) {
    case hw::Card::none:
      return "none";
    case hw::Card::bad:
      return "bad";
    case hw::Card::slow:
      return "slow";
    case hw::Card::mounted:
      return "mounted";
    case hw::Card::unknown:
      break;
  }
  return "unknown";
}

struct Code {
  GQuark domain;
  int code;
};

Code code_of(Reason reason) {
  switch (reason) {
    case Reason::unreachable:
    case Reason::not_there:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case Reason::held:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_BUSY};
    case Reason::refused:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED};
    case Reason::broken:
      return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT};
    case Reason::missing:
      return {GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN};
    case Reason::silent:
    case Reason::gone:
    case Reason::stopped:
      break;
  }
  return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ};
}

/// Makes it a sentence: a capital letter and a full stop.
std::string sentence(const std::string& text) {
  std::string whole = printable(text, 1000);
  if (whole.empty()) return whole;
  whole[0] = g_ascii_toupper(whole[0]);
  if (!whole.ends_with('?') && !whole.ends_with('.')) whole += '.';
  return whole;
}

void post(GstElement* element, GstMessageType type, Code code, const std::string& text,
          const std::string& detail) {
  // The function takes ownership of both texts.
  gst_element_message_full(element, type, code.domain, code.code, g_strdup(text.c_str()),
                           detail.empty() ? nullptr : g_strdup(printable(detail, 2000).c_str()),
                           __FILE__, GST_FUNCTION, __LINE__);
}

void post_structure(GstElement* element, GstStructure* structure) {
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), structure));
}

}  // namespace

void post_failure(GstElement* element, const hw::Failure& failure) {
  if (failure.reason == Reason::stopped) return;
  post(element, GST_MESSAGE_ERROR, code_of(failure.reason), sentence(failure.message),
       failure.detail);
}

void post_file_failure(GstElement* element, const hw::Failure& failure) {
  if (failure.reason != Reason::refused) return post_failure(element, failure);
  post(element, GST_MESSAGE_ERROR, {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
       sentence(failure.message), failure.detail);
}

void post_warning(GstElement* element, const hw::Failure& failure, const std::string& more) {
  std::string text = sentence(failure.message);
  if (!more.empty()) text += " " + sentence(more);
  post(element, GST_MESSAGE_WARNING, code_of(failure.reason), text, failure.detail);
}

void post_preview_warning(GstElement* element, GQuark domain, int code, const std::string& text,
                          const std::string& detail) {
  post(element, GST_MESSAGE_WARNING, {domain, code}, sentence(text), detail);
}

void post_settings_error(GstElement* element, const std::string& text) {
  post(element, GST_MESSAGE_ERROR, {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS},
       sentence(text), {});
}

void post_refusal(GstElement* element, const hw::Failure& failure) {
  post(element, GST_MESSAGE_WARNING, {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED},
       sentence(failure.message), failure.detail);
}

void post_info(GstElement* element, const std::string& text) {
  // gst-launch-1.0 prints of an information only the detail.
  post(element, GST_MESSAGE_INFO, {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ}, sentence(text),
       sentence(text));
}

void post_connection(GstElement* element, const char* state, const std::string& reason,
                     std::chrono::microseconds pause) {
  GstStructure* s = gst_structure_new("sphere-connection", "state", G_TYPE_STRING, state, nullptr);
  if (!reason.empty())
    gst_structure_set(
        s, "reason", G_TYPE_STRING, printable(reason, 1000).c_str(), "pause", G_TYPE_UINT64,
        static_cast<guint64>(std::chrono::duration_cast<std::chrono::nanoseconds>(pause).count()),
        nullptr);
  post_structure(element, s);
}

void post_state(GstElement* element, const hw::CameraState& state) {
  GstStructure* s =
      gst_structure_new("sphere-camera", "working-mode", G_TYPE_STRING,
                        printable(state.working_mode, 100).c_str(), "recording", G_TYPE_BOOLEAN,
                        state.recording, "card", G_TYPE_STRING, card_name(state.card), nullptr);
  if (state.battery_percent)
    gst_structure_set(s, "battery", G_TYPE_INT, *state.battery_percent, "charging", G_TYPE_BOOLEAN,
                      state.charging, nullptr);
  if (state.photo_mode)
    gst_structure_set(s, "mode", G_TYPE_STRING, *state.photo_mode ? "photo" : "video", nullptr);
  if (state.card_full) gst_structure_set(s, "card-full", G_TYPE_INT, *state.card_full, nullptr);
  if (state.photos_left)
    gst_structure_set(s, "photos-left", G_TYPE_INT64, *state.photos_left, nullptr);
  if (state.video_seconds_left)
    gst_structure_set(s, "video-seconds-left", G_TYPE_INT64, *state.video_seconds_left, nullptr);
  post_structure(element, s);
}

void post_notification(GstElement* element, const hw::CameraEvent& event) {
  GstStructure* s = gst_structure_new("sphere-notification", "id", G_TYPE_INT, event.id, "name",
                                      G_TYPE_STRING, printable(event.name, 100).c_str(), nullptr);
  if (!event.path.empty())
    gst_structure_set(s, "path", G_TYPE_STRING, printable(event.path, 500).c_str(), nullptr);
  post_structure(element, s);
}

}  // namespace sphere::camera
