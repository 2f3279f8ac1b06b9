// SPDX-License-Identifier: LGPL-2.1-or-later
// Implements hw/camera.h for the Mi Sphere and related cameras, with a Session.

#include "hw/camera.h"

#include <cmath>
#include <deque>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "hw/madv/camera_files.h"
#include "hw/madv/camera_settings.h"
#include "hw/madv/camera_upkeep.h"
#include "hw/madv/generic.h"
#include "hw/madv/generic_settings.h"
#include "hw/madv/outcome.h"
#include "hw/madv/session.h"
#include "hw/madv/table_cache.h"
#include "hw/madv/uri.h"
#include "hw/rtsp_preview.h"

namespace sphere::madv {

namespace {

// The largest length of a camera's text that is shown.
constexpr size_t most_text = 200;

hw::CameraState state_of(const CameraState& state) {
  hw::CameraState common;
  common.working_mode = std::string(working_mode_name(state.working_mode.value_or(-1)));
  common.recording = state.is_recording();
  common.taking_photos = state.is_taking_photos();
  if (state.mode) common.photo_mode = *state.mode == 1;
  common.battery_percent = state.battery_percent;
  common.charging = state.charging;
  common.card = state.card;
  common.card_full = state.card_full;
  common.photos_left = state.photos_left;
  common.video_seconds_left = state.video_seconds_left;
  common.card_total_kb = state.card_total_kb;
  common.card_free_kb = state.card_free_kb;
  common.recorded_seconds = state.recorded_seconds;
  common.model = state.product;
  common.firmware = state.firmware;
  return common;
}

std::string decimal(const char* format, double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, format, value);
}

hw::Camera::Answer answer_of(const Reply& reply, const std::string& what) {
  hw::Camera::Answer answer;
  if (const std::optional<Failure> failure = failure_of(reply, what)) {
    answer.failure = *failure;
    answer.was_idle = reply.message && reply.message->rval() == rval_invalid_operation;
  } else {
    answer.done = true;
  }
  return answer;
}

/// The requests of a photo or a recording, in order: the settings that it names, and its start.
struct CaptureRequests {
  std::vector<Request> settings;
  Request start;
  /// A setting whose present value is set once more: one command starts a bracketing or a photo
  /// with one lens, depending on which of their settings was changed last. 0: none.
  int repeated = 0;
};

void add_setting(CaptureRequests& requests, int id, std::optional<int64_t> value) {
  if (value) requests.settings.emplace_back(id, std::to_string(*value));
}

std::optional<int64_t> sensor_of(std::optional<bool> back_lens) {
  if (!back_lens) return std::nullopt;
  return *back_lens ? 1 : 0;
}

bool is_whole(double number) { return number == std::trunc(number); }

Result<CaptureRequests> requests_of(const hw::PhotoRequest& photo) {
  using Kind = hw::PhotoRequest::Kind;
  CaptureRequests requests{{}, Request(msg_take_photo)};
  switch (photo.kind) {
    case Kind::single:
      break;
    case Kind::timed:
      add_setting(requests, msg_photo_timer, photo.seconds);
      requests.start.id = msg_start_timed_photo;
      break;
    case Kind::interval:
      add_setting(requests, msg_photo_interval, photo.seconds);
      requests.start.id = msg_start_interval_photo;
      break;
    case Kind::burst:
      add_setting(requests, msg_burst_count, photo.count);
      requests.start.id = msg_start_burst_photo;
      break;
    case Kind::bracketing:
      // The command counts in half steps.
      if (photo.ev_step && !is_whole(*photo.ev_step * 2))
        return invalid("the step of a bracketing must be a multiple of half an EV");
      if (photo.ev_step)
        add_setting(requests, msg_bracketing, std::lround(*photo.ev_step * 2));
      else
        requests.repeated = msg_bracketing;
      requests.start.id = msg_start_bracketing;
      break;
    case Kind::one_lens:
      add_setting(requests, msg_single_sensor, sensor_of(photo.back_lens));
      if (!photo.back_lens) requests.repeated = msg_single_sensor;
      requests.start.id = msg_start_single_sensor_photo;
      break;
  }
  return requests;
}

Result<CaptureRequests> requests_of(const hw::RecordingRequest& recording) {
  using Kind = hw::RecordingRequest::Kind;
  CaptureRequests requests{{}, Request(msg_start_recording, recording.with_sound ? "0" : "1")};
  const bool is_time_lapse = recording.kind == Kind::time_lapse;
  if (recording.seconds && !is_whole(*recording.seconds) &&
      !(is_time_lapse && *recording.seconds == 0.5))
    return invalid("the time must be in whole seconds; only that of a time-lapse may be 0.5");
  const std::optional<int64_t> seconds =
      recording.seconds ? std::optional<int64_t>(std::llround(*recording.seconds)) : std::nullopt;
  switch (recording.kind) {
    case Kind::normal:
      break;
    case Kind::short_video:
      add_setting(requests, msg_short_video_length, seconds);
      requests.start.id = msg_start_short_video;
      break;
    case Kind::time_lapse:
      // Half a second has a code of its own.
      add_setting(requests, msg_time_lapse_interval,
                  recording.seconds == 0.5 ? half_second : seconds);
      requests.start.id = msg_start_time_lapse;
      break;
    case Kind::slow_motion:
      add_setting(requests, msg_slow_motion, recording.slowness);
      requests.start.id = msg_start_slow_motion;
      break;
    case Kind::one_lens:
      add_setting(requests, msg_single_sensor, sensor_of(recording.back_lens));
      requests.start.id = msg_start_single_sensor_video;
      break;
  }
  return requests;
}

/// The same with the generic protocol.
Result<CaptureRequests> generic_requests_of(const hw::PhotoRequest& photo) {
  if (photo.kind != hw::PhotoRequest::Kind::single)
    return unsupported("this camera takes single photos only");
  return CaptureRequests{{}, Request(msg_take_photo_generic)};
}

Result<CaptureRequests> generic_requests_of(const hw::RecordingRequest& recording) {
  if (recording.kind != hw::RecordingRequest::Kind::normal)
    return unsupported("this camera makes ordinary recordings only");
  CaptureRequests requests{{}, Request(msg_start_recording)};
  // A camera that can't be told to record without sound refuses this, and then nothing is recorded.
  requests.settings.push_back(
      Request(msg_set_setting, recording.with_sound ? generic::sound_on : generic::sound_off)
          .with_type(generic::sound));
  return requests;
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
  void update_state(std::function<void(const std::optional<Failure>&)> done) override {
    const bool generic = is_generic();
    madv::ask(session_, generic ? Request(msg_recording_time) : Request(msg_status),
              "tell its state", [generic, done = std::move(done)](const auto& failure) {
                // A camera with the generic protocol refuses this while it does not record.
                const bool refused = failure && failure->reason == Failure::Reason::refused;
                done(generic && refused ? std::nullopt : failure);
              });
  }
  hw::CameraStats stats() const override { return session_.stats(); }
  hw::CameraSettings* settings() override {
    if (is_generic()) return &generic_settings_;
    return &settings_;
  }
  hw::CameraFiles* files() override { return &files_; }
  hw::CameraUpkeep* upkeep() override { return &upkeep_; }

  std::shared_ptr<hw::Preview> make_preview(hw::PreviewOptions options, const char* name) override {
    return hw::make_rtsp_preview({uri_.host, uri_.rtsp_port, uri_.rtsp_url()}, std::move(options),
                                 name);
  }

  void take_photo(const hw::PhotoRequest& request, Handler handler) override {
    const Result<CaptureRequests> requests =
        is_generic() ? generic_requests_of(request) : requests_of(request);
    if (!requests) return refuse(requests.error(), handler);
    capture(mode_photo, *requests, {}, "take a photo", std::move(handler));
  }

  void start_recording(const hw::RecordingRequest& request, Wanted wanted,
                       Handler handler) override {
    const Result<CaptureRequests> requests =
        is_generic() ? generic_requests_of(request) : requests_of(request);
    if (!requests) return refuse(requests.error(), handler);
    capture(mode_video, *requests, std::move(wanted), "start recording", std::move(handler));
  }

  void stop(Handler handler) override {
    // A series of photos is ended by its own command; everything else is a recording.
    if (session_.state().working_mode == working_interval_photo)
      return ask(Request(msg_start_interval_photo, "-1"), "stop taking photos", std::move(handler));
    ask(Request(msg_stop_recording), "stop recording",
        [this, handler = std::move(handler)](Answer answer) {
          const CameraState state = session_.state();
          if (answer.was_idle && !state.is_recording() && !state.is_taking_photos())
            answer.failure.message = "the camera is not recording";
          handler(answer);
        });
  }

  void mark(Handler handler) override {
    ask(Request(msg_mark), "mark the recording", std::move(handler));
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
        whole.wifi = wifi_of(text_of(answer)).name;
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
    session.core.want_lens_table = options.wants_lens_table;
    session.core.start_timeout = options.connect_timeout;
    return session;
  }

  bool is_generic() const { return session_.state().dialect == Dialect::generic; }

  static void refuse(const Error& error, const Handler& handler) {
    Answer answer;
    answer.failure = Failure(Failure::Reason::refused, error.message);
    handler(answer);
  }

  using Steps = std::deque<std::pair<Request, std::string>>;  // and what each completes

  void ask(Request request, std::string what, Handler handler) {
    session_.request(std::move(request),
                     [what = std::move(what), handler = std::move(handler)](const Reply& reply) {
                       handler(answer_of(reply, what));
                     });
  }

  /// Sends the requests one after the other, after the mode is changed if needed. The first one
  /// that is refused ends it.
  void capture(CameraMode mode, CaptureRequests requests, Wanted wanted, const char* what,
               Handler handler) {
    if (const int id = std::exchange(requests.repeated, 0))
      return session_.request(Request(id), [=, this](const Reply& reply) {
        CaptureRequests all = requests;
        if (reply.message && reply.message->succeeded())
          add_setting(all, id, reply.message->param_number());
        capture(mode, std::move(all), wanted, what, handler);
      });
    const CameraState state = session_.state();
    for (const Request& setting : requests.settings)
      if (const Status good = check_setting(state, setting); !good)
        return refuse(good.error(), handler);
    Steps steps;
    if (needs_waking(state, requests.start.id)) steps.emplace_back(Request(msg_wake), "wake up");
    if (state.mode != mode && state.dialect == Dialect::madv)
      steps.emplace_back(Request(msg_camera_mode, std::to_string(mode)), what);
    // Not all cameras with the generic protocol have modes.
    if (state.mode && state.mode != mode && state.dialect == Dialect::generic)
      steps.emplace_back(Request(msg_set_setting,
                                 mode == mode_photo ? generic::capture_mode : generic::record_mode)
                             .with_type(generic::camera_mode),
                         what);
    for (Request& setting : requests.settings) {
      const Command* command = find_command(setting.id);
      const std::string name = command ? command->name : setting.type.value_or("a setting");
      steps.emplace_back(std::move(setting), "change " + name);
    }
    if (wanted) requests.start.only_while(std::move(wanted));
    steps.emplace_back(std::move(requests.start), what);
    next_step(std::move(steps), std::move(handler));
  }

  /// Whether a camera with the table of commands has this value, as far as the table tells.
  Status check_setting(const CameraState& state, const Request& setting) const {
    if (state.dialect != Dialect::madv) return ok();
    const Command* command = find_command(setting.id);
    if (!command || takes(*command, setting.param.value_or(""))) return ok();
    const hw::SettingInfo* info = hw::find_setting(settings_.known(), command->name);
    return invalid(std::string(command->name) + " can't be " + setting.param.value_or("") +
                   "; it can be " + (info ? info->possible() : std::string()));
  }

  void next_step(Steps steps, Handler handler) {
    const auto [request, what] = std::move(steps.front());
    steps.pop_front();
    ask(request, what,
        [this, steps = std::move(steps), handler = std::move(handler)](Answer answer) {
          if (answer.done && !steps.empty()) return next_step(steps, handler);
          // Where the camera says only that it can't, this is why.
          if (answer.was_idle && session_.state().is_recording())
            answer.failure.message = "the camera is recording; end the recording first";
          else if (answer.was_idle && session_.state().is_taking_photos())
            answer.failure.message = "the camera is taking photos; wait, or end that first";
          handler(answer);
        });
  }

  void handle(const Event& event) {
    using Kind = hw::CameraEvent::Kind;
    hw::CameraEvent common;
    if (event.failure) common.failure = for_user(*event.failure);
    switch (event.kind) {
      case Event::Kind::preview_ready:
        common.kind = Kind::preview_ready;
        break;
      case Event::Kind::ready:
        common.kind = Kind::ready;
        break;
      case Event::Kind::notification:
        common.kind = Kind::notification;
        if (is_generic())
          describe_generic(*event.message, common);
        else
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
    if (saved && message.param_text()) set_path(event, unix_path(*message.param_text()));
    event.is_part = message.id() == msg_segment_saved;
  }

  static void set_path(hw::CameraEvent& event, const std::string& path) {
    event.path = printable(path, most_text);
    const std::string root = std::string(card_root) + "/";
    if (!path.starts_with(root)) return;
    if (const std::string file = path.substr(root.size()); is_media_path(file)) event.file = file;
  }

  /// The path of a photo is told; that of a recording is not told by all cameras. Then the newest
  /// file is searched, and a second event tells it.
  void describe_generic(const Message& message, hw::CameraEvent& event) {
    const std::string type = message.text(field::type).value_or("");
    event.id = message.id();
    event.name = printable(type, most_text);
    if (!generic::is_photo_end(type) && !generic::is_recording_end(type)) return;
    if (const auto path = message.param_text()) {
      set_path(event, unix_path(*path));
      return;
    }
    files_.newest([this, name = event.name](const std::optional<std::string>& path) {
      if (!path) return;
      hw::CameraEvent saved;
      saved.kind = hw::CameraEvent::Kind::notification;
      saved.id = msg_transfer_result;
      saved.name = name;
      set_path(saved, std::string(card_root) + "/" + *path);
      handler_(saved);
    });
  }

  const EventHandler handler_;
  const Uri uri_;
  Session session_;  // stopped before the other members go, because its thread uses them
  MadvSettings settings_{session_};
  GenericSettings generic_settings_{session_};
  MadvFiles files_{session_, uri_};
  MadvUpkeep upkeep_{session_};
};

Status check_location(std::string_view location) {
  const Result<Uri> uri = Uri::parse(location);
  if (!uri) return uri.error();
  if (!uri->is_preview()) return invalid("this URI names a file; the preview is at madv://HOST");
  return ok();
}

Result<hw::CameraLocation> split_location(std::string_view location) {
  Result<Uri> uri = Uri::parse(location);
  if (!uri) return uri.error();
  hw::CameraLocation parts;
  parts.file = std::exchange(uri->file, {});
  parts.camera = uri->to_string();
  return parts;
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
    .split_location = split_location,
};
const hw::RegisterFamily registered(family);

}  // namespace

}  // namespace sphere::madv
