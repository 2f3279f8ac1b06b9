// SPDX-License-Identifier: LGPL-2.1-or-later
// Implements hw/camera.h for the Mi Sphere and related cameras, with a Session.

#include "hw/camera.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "hw/madv/session.h"
#include "hw/madv/table_cache.h"
#include "hw/madv/uri.h"
#include "hw/rtsp_preview.h"

namespace sphere::madv {

namespace {

// An orderly end waits this long for the answer to the active request, and again for the answer to
// the end of the session. A user who stops a pipeline waits for both.
constexpr Duration stop_session_timeout = std::chrono::milliseconds(250);

// The largest length of a camera's text that is shown.
constexpr size_t most_text = 200;

/// The message for a user.
Failure failure_of(const Failure& failure) {
  // The error in the bytes is for a developer; a user can only find out which device sends them.
  if (failure.reason == Failure::Reason::broken)
    return {Failure::Reason::broken,
            "the messages of this camera can't be read. Check that this is the address of a Mi "
            "Sphere. If it is, switch the camera off and on again",
            failure.message};
  return failure;
}

hw::CameraState state_of(const CameraState& state) {
  hw::CameraState common;
  common.working_mode = std::string(working_mode_name(state.working_mode.value_or(-1)));
  common.recording = state.is_recording();
  if (state.mode) common.photo_mode = *state.mode == 1;
  common.battery_percent = state.battery_percent;
  common.charging = state.charging;
  common.card = state.card;
  common.card_full = state.card_full;
  common.photos_left = state.photos_left;
  common.video_seconds_left = state.video_seconds_left;
  common.model = state.product;
  common.firmware = state.firmware;
  return common;
}

/// Only the name is read, not the password beside it.
std::string wifi_name(const std::string& lines) {
  constexpr std::string_view key = "AP_SSID=";
  for (size_t at = 0; at < lines.size();) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string_view line(lines.data() + at, end - at);
    if (line.starts_with(key)) return std::string(line.substr(key.size()));
    at = end + 1;
  }
  return {};
}

std::string decimal(const char* format, double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, format, value);
}

hw::Camera::Answer answer_of(const Reply& reply, const char* what) {
  hw::Camera::Answer answer;
  if (reply.failure) {
    answer.failure = failure_of(*reply.failure);
    return answer;
  }
  answer.done = reply.message->succeeded();
  if (answer.done) return answer;
  const int rval = reply.message->rval().value_or(-1);
  answer.was_idle = rval == rval_invalid_operation;
  answer.failure = {
      rval == rval_busy ? Failure::Reason::held : Failure::Reason::refused,
      std::string("the camera does not ") + what + ": it says that " + result_words(rval),
      {}};
  return answer;
}

class MadvCamera : public hw::Camera {
 public:
  MadvCamera(hw::CameraOptions options, EventHandler handler)
      : handler_(std::move(handler)),
        // The URI was checked before; if it is not valid, the default address is used.
        uri_(parsed(options.location)),
        session_(session_options(options, uri_), [this](const Event& event) { handle(event); }) {}
  ~MadvCamera() override { session_.stop(); }

  void connect() override { session_.start(); }
  void request_disconnect() override { session_.request_stop(); }
  void disconnect() override { session_.stop(); }
  hw::CameraState state() const override { return state_of(session_.state()); }

  std::shared_ptr<hw::Preview> make_preview(hw::PreviewOptions options, const char* name) override {
    return hw::make_rtsp_preview({uri_.host, uri_.rtsp_port, uri_.rtsp_url()}, std::move(options),
                                 name);
  }

  void take_photo(Handler handler) override {
    call_in_mode(true, std::move(handler), [this](Handler next) {
      ask(Request(msg_take_photo), "take a photo", std::move(next));
    });
  }

  void start_recording(bool with_sound, Wanted wanted, Handler handler) override {
    call_in_mode(false, std::move(handler), [this, with_sound, wanted](Handler next) {
      Request request(msg_start_recording, with_sound ? "0" : "1");
      if (wanted) request.only_while(wanted);
      ask(std::move(request), "start recording", std::move(next));
    });
  }

  void stop_recording(Handler handler) override {
    ask(Request(msg_stop_recording), "stop recording", std::move(handler));
  }

  void set_position(const hw::CameraPosition& position, Wanted wanted, Handler handler) override {
    Request request = Request(msg_set_location)
                          .with("lat", decimal("%.6f", position.latitude))
                          .with("lon", decimal("%.6f", position.longitude))
                          .with("alt", decimal("%.2f", position.altitude))
                          .with("btwifi", std::string("2"));
    if (wanted) request.only_while(std::move(wanted));
    ask(std::move(request), "take the position", std::move(handler));
  }

  void identify(Wanted wanted,
                std::function<void(const std::optional<hw::CameraIdentity>&)> handler) override {
    const auto text_of = [](const Reply& reply) {
      const bool answered = reply.message && reply.message->succeeded();
      return answered ? reply.message->param_text().value_or("") : std::string();
    };
    Request serial(msg_serial);
    if (wanted) serial.only_while(wanted);
    session_.request(std::move(serial), [this, wanted, handler, text_of](const Reply& reply) {
      hw::CameraIdentity identity{text_of(reply), {}};
      if (identity.serial.empty()) {
        handler(std::nullopt);
        return;
      }
      Request wifi(msg_get_wifi);
      if (wanted) wifi.only_while(wanted);
      session_.request(std::move(wifi), [identity, handler, text_of](const Reply& answer) {
        if (!answer.message || !answer.message->succeeded()) {
          handler(std::nullopt);
          return;
        }
        hw::CameraIdentity whole = identity;
        whole.wifi = wifi_name(text_of(answer));
        handler(whole);
      });
    });
  }

 private:
  static Uri parsed(const std::string& location) {
    const Result<Uri> uri = Uri::parse(location);
    return uri ? *uri : Uri();
  }

  static SessionOptions session_options(const hw::CameraOptions& options, const Uri& uri) {
    SessionOptions session;
    session.uri = uri;
    session.connect_timeout = options.connect_timeout;
    session.may_store_tables = options.may_store_tables;
    session.core.finish_timeout = stop_session_timeout;
    return session;
  }

  void ask(Request request, const char* what, Handler handler) {
    session_.request(std::move(request), [what, handler = std::move(handler)](const Reply& reply) {
      handler(answer_of(reply, what));
    });
  }

  /// Switches the camera to this mode if needed, then calls `next`.
  void call_in_mode(bool photo, Handler handler, std::function<void(Handler)> next) {
    if (session_.state().mode == static_cast<int>(photo)) {
      next(std::move(handler));
      return;
    }
    ask(Request(msg_camera_mode, photo ? "1" : "0"), "change its mode",
        [handler, next = std::move(next)](const Answer& answer) {
          answer.done ? next(handler) : handler(answer);
        });
  }

  void handle(const Event& event) {
    using Kind = hw::CameraEvent::Kind;
    hw::CameraEvent common;
    if (event.failure) common.failure = failure_of(*event.failure);
    switch (event.kind) {
      case Event::Kind::preview_ready:
        common.kind = Kind::preview_ready;
        break;
      case Event::Kind::ready:
        common.kind = Kind::ready;
        break;
      case Event::Kind::notification:
        common.kind = Kind::notification;
        describe(*event.message, common);
        break;
      case Event::Kind::lens_table:
        common.kind = Kind::lens_table;
        common.bytes = event.bytes;
        break;
      case Event::Kind::no_lens_table:
        common.kind = Kind::no_lens_table;
        break;
      case Event::Kind::ended:
        common.kind = Kind::ended;
        break;
      default:
        return;
    }
    handler_(common);
  }

  static void describe(const Message& message, hw::CameraEvent& event) {
    const Command* command = find_command(message.id());
    event.id = message.id();
    event.name = command ? command->name : "";
    // Only the path is passed on, because a message of an unknown kind may contain secrets.
    const bool saved = message.id() == msg_photo_saved || message.id() == msg_video_saved ||
                       message.id() == msg_segment_saved;
    if (saved && message.param_text())
      event.path = printable(unix_path(*message.param_text()), most_text);
  }

  const EventHandler handler_;
  const Uri uri_;
  Session session_;  // the last member, because its thread uses the others
};

Status check_location(std::string_view location) {
  const Result<Uri> uri = Uri::parse(location);
  if (!uri) return uri.error();
  if (!uri->is_preview()) return invalid("this URI names a file; the preview is at madv://HOST");
  return ok();
}

std::unique_ptr<hw::Camera> make(hw::CameraOptions options, hw::Camera::EventHandler handler) {
  return std::make_unique<MadvCamera>(std::move(options), std::move(handler));
}

void forget_table(const std::string& md5) { TableCache().forget(md5); }

constexpr hw::CameraFamily family = {
    .scheme = Uri::scheme,
    .default_location = "madv://192.168.42.1/live",
    .video_caps = "video/x-h264, stream-format = (string) byte-stream, alignment = (string) au",
    .lens = "mi-sphere",
    .check_location = check_location,
    .make = make,
    .forget_table = forget_table,
};
const hw::RegisterFamily registered(family);

}  // namespace

}  // namespace sphere::madv
