// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/control.h"

#include <glib.h>

#include <algorithm>

#include "gst/sphere/base/md5.h"
#include "hw/madv/connect.h"

namespace sphere::emulator {

using madv::json_string;
using madv::Message;
namespace field = madv::field;
using namespace std::chrono_literals;

namespace {

// How long the sister camera took, from packet captures: the session's start 0.81 s, an ordinary
// answer 16 ms, the start of a recording 1.45 s after its answer, its end 1.2 s.
constexpr Delay session_time = 812ms;
constexpr Delay ordinary_time = 16ms;
constexpr Delay record_start_time = 1450ms;
constexpr Delay record_stop_time = 1208ms;

// How long the holder of the session has for its answer. Not known of the camera.
constexpr Delay holder_time = 1s;

// How long it is away when it restarts. A camera takes longer; tests do not want to.
constexpr Delay reboot_time = 2s;

constexpr const char* table_path = madv::lens_table_path;
constexpr uint64_t most_at_once = 64 << 20;

constexpr size_t most_of_asked = 512;

// What its card has, and what a small one of 16 GB is to the vendor's sample.
constexpr int64_t card_total_kb = 15343616, card_free_kb = 15328288;

/// The settings that the reply to 4364 tells, in its order.
std::vector<const madv::Command*> told_settings() {
  std::vector<const madv::Command*> told;
  for (const madv::Command& command : madv::commands())
    if (command.settings_place > 0) told.push_back(&command);
  std::sort(told.begin(), told.end(),
            [](const auto* a, const auto* b) { return a->settings_place < b->settings_place; });
  return told;
}

std::string member(const char* name, int64_t value) {
  return ",\"" + std::string(name) + "\":" + std::to_string(value);
}
std::string member(const char* name, std::string_view value) {
  return ",\"" + std::string(name) + "\":" + json_string(value);
}

/// "/tmp/SD0/DCIM/a.JPG" as the camera's own system names it.
std::string rtos_path(std::string path) {
  if (path.starts_with("/tmp/SD0/")) path.replace(0, 9, "C:/");
  std::replace(path.begin(), path.end(), '/', '\\');
  return path;
}

}  // namespace

Control::Control(ControlSettings settings, Card& card)
    : settings_(std::move(settings)), card_(card) {
  if (!settings_.now) settings_.now = [] { return Delay(g_get_monotonic_time()); };
  // Its published session has token 2.
  token_ = settings_.model == Model::sj8_pro ? 1 : settings_.token - 1;
  reset_settings();
  if (!settings_.lens_table.empty()) table_md5_ = md5_of(settings_.lens_table);
  if (fault(FaultKind::no_card)) card_rval_ = madv::rval_no_card;
  if (fault(FaultKind::card_full)) card_rval_ = madv::rval_card_full;
  if (fault(FaultKind::low_battery)) battery_ = 0;
}

// --- connections -----------------------------------------------------------------------------

void Control::connected(int client) {
  ++counters_.connections;
  clients_.try_emplace(client);
}

void Control::disconnected(int client) {
  if (has_session(client)) close_session();
  clients_.erase(client);
  if (!waiting_) return;
  if (waiting_->client == client)
    waiting_.reset();
  else if (!holder_)
    grant(waiting_->client);
}

void Control::close_session() {
  ++counters_.sessions_closed;
  holder_.reset();
}

void Control::restart() {
  if (holder_) close_session();
  waiting_.reset();
  clients_.clear();
  working_mode_ = madv::working_idle;
}

void Control::received(int client, std::string_view bytes) {
  take(client, bytes);
  while (answer_next(client)) {
  }
}

void Control::take(int client, std::string_view bytes) {
  const auto found = clients_.find(client);
  if (found != clients_.end()) found->second.framer.feed(bytes);
}

bool Control::answer_next(int client) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return false;
  Result<std::optional<std::string>> object = found->second.framer.next();
  if (!object) {
    // The real one says so too, and it can't find the next object either.
    send(client, "{\"rval\":-9,\"msg_id\":0}", {});
    actions_.push_back({Action::Kind::close, client});
    disconnected(client);
    return false;
  }
  if (!*object) return false;
  Result<Message> request = Message::parse(**object);
  if (request)
    handle(client, *request);
  else
    send(client, "{\"rval\":-9,\"msg_id\":0}", {});
  return true;
}

// --- answers ---------------------------------------------------------------------------------

Delay Control::usual(int id) const {
  if (!settings_.timing) return {};
  return id == madv::msg_start_session ? session_time : ordinary_time;
}

void Control::send(int client, std::string bytes, Delay delay) {
  if (const std::optional<Fault> late = fault(FaultKind::late))
    delay += std::chrono::milliseconds(late->n);
  actions_.push_back({Action::Kind::send, client, delay, std::move(bytes)});
}

void Control::reply(int client, int id, int rval, const std::string& more, Delay extra) {
  std::string bytes;
  if (const std::optional<Fault> chatty = fault(FaultKind::chatty))
    for (int i = 0; i < chatty->n; ++i)
      bytes += "{\"rval\":128,\"msg_id\":" + std::to_string(madv::msg_battery) +
               member("param", battery_) + "}";
  bytes += "{\"rval\":" + std::to_string(rval) + ",\"msg_id\":" + std::to_string(id) + more + "}";
  send(client, std::move(bytes), usual(id) + extra);
}

void Control::notify(int id, const std::string& more) {
  if (holder_) send(*holder_, "{\"rval\":128,\"msg_id\":" + std::to_string(id) + more + "}", {});
}

void Control::set_battery(int code) {
  battery_ = code;
  notify(madv::msg_battery, member("param", code));
}

void Control::set_card(int rval) {
  card_rval_ = rval;
  if (rval == madv::rval_card_full)
    notify(madv::msg_card_full, member("param", 2));
  else
    notify(madv::msg_card_state, member("param", rval == 0                    ? 1
                                                 : rval == madv::rval_no_card ? 0
                                                                              : -1));
}

// --- the session -----------------------------------------------------------------------------

void Control::start_session(int client) {
  if (const std::optional<Fault> refuse = fault(FaultKind::refuse);
      refuse && refusals_ < refuse->n) {
    ++refusals_;
    ++counters_.refused;
    reply(client, madv::msg_start_session, madv::rval_session_denied);
    return;
  }
  if (has_session(client)) {
    reply(client, madv::msg_start_session, 0, member("param", token_));
    return;
  }
  if (!holder_) {
    grant(client);
    return;
  }
  if (waiting_) {
    ++counters_.refused;
    reply(client, madv::msg_start_session, madv::rval_session_denied);
    return;
  }
  waiting_ = Waiting{client, next_timer_++};
  send(*holder_, "{\"rval\":128,\"msg_id\":" + std::to_string(madv::msg_query_holder) + "}", {});
  actions_.push_back({Action::Kind::timer, 0, holder_time, {}, waiting_->timer});
}

void Control::grant(int client) {
  waiting_.reset();
  holder_ = client;
  ++token_;
  ++counters_.sessions_opened;
  reply(client, madv::msg_start_session, 0, member("param", token_));
}

void Control::timer(int number) {
  if (!waiting_ || waiting_->timer != number) return;
  // The holder says nothing: it is not there any more.
  const int newcomer = waiting_->client;
  if (holder_) close_session();
  grant(newcomer);
}

bool Control::faulty(int client, const Message& request) {
  const int id = request.id();
  const auto due = [&](FaultKind kind) {
    const std::optional<Fault> f = fault(kind);
    return f && counters_.requests > f->n;
  };
  if (silent_ || due(FaultKind::silent)) return true;
  if (const std::optional<Fault> busy = fault(FaultKind::busy); busy && busy_ < busy->n) {
    ++busy_;
    reply(client, id, madv::rval_busy);
    return true;
  }
  if (due(FaultKind::garbage)) {
    send(client, "HTTP/1.1 400 Bad Request\r\n\r\n", usual(id));
    return true;
  }
  if (due(FaultKind::huge)) {
    send(client,
         "{\"rval\":0,\"msg_id\":" + std::to_string(id) + ",\"param\":\"" +
             std::string(9 << 20, 'x') + "\"}",
         usual(id));
    return true;
  }
  if (due(FaultKind::brackets)) {
    send(client, "{\"rval\":0,\"param\":" + std::string(100000, '['), usual(id));
    return true;
  }
  if (due(FaultKind::wrong_token) && id != madv::msg_start_session) {
    reply(client, id, madv::rval_wrong_token);
    return true;
  }
  if (due(FaultKind::drop) && !happened_) {
    happened_ = true;
    actions_.push_back({Action::Kind::close, client});
    disconnected(client);
    return true;
  }
  if (due(FaultKind::reboot) && !happened_) {
    happened_ = true;
    restart();
    actions_.push_back({Action::Kind::reboot, 0, reboot_time});
    return true;
  }
  return false;
}

void Control::handle(int client, const Message& request) {
  const int id = request.id();
  if (asked_.size() >= most_asked) asked_.pop_front();
  asked_.push_back({counters_.requests++, client, id,
                    request.param_text().value_or("").substr(0, most_of_asked),
                    request.redacted().substr(0, most_of_asked)});
  if (faulty(client, request)) return;

  if (id == madv::msg_start_session) {
    start_session(client);
    return;
  }
  if (!has_session(client) || request.number("token") != token_) {
    reply(client, id, madv::rval_wrong_token);
    return;
  }
  if (id == madv::msg_query_holder) {
    // The holder is there: the newcomer has to go.
    if (waiting_) {
      ++counters_.refused;
      const int newcomer = std::exchange(waiting_, std::nullopt)->client;
      reply(newcomer, madv::msg_start_session, madv::rval_session_denied);
    }
    return;
  }
  if (id == madv::msg_stop_session) {
    ++counters_.goodbyes;
    close_session();
    reply(client, id, 0);
    if (waiting_) grant(waiting_->client);
    return;
  }
  if (settings_.model == Model::sj8_pro && sister_command(client, request)) return;
  if (file_command(client, request)) return;
  command(client, request);
}

// --- commands --------------------------------------------------------------------------------

bool Control::sister_command(int client, const Message& request) {
  const int id = request.id();
  const std::string type = request.text("type").value_or("");
  switch (id) {
    case 1:
      reply(client, id, 0, member("type", type) + member("param", "normal_record"));
      return true;
    case 2:
      clock_ = request.param_text().value_or("");
      reply(client, id, 0, member("type", type));
      return true;
    case 11:
      reply(client, id, 0,
            member("brand", "SJCAM") + member("model", "SJ8PRO_TAIWAN") + member("chip", "A12") +
                member("app_type", "Connected") + member("fw_ver", "local") +
                member("api_ver", "4.1.0") + member("media_folder", "/tmp/SD0/DCIM") +
                member("event_folder", "/tmp/SD0/EVENT") + member("http", "Disable") +
                member("auth", "off") + ",\"naming_rule\":[]" +
                member("firmwareVersion", "V1.3.2"));
      return true;
    case 13:
      reply(client, id, 0, member("type", "battery") + member("param", 75));
      return true;
    case madv::msg_recording_time:
      if (working_mode_ != madv::working_idle) return false;
      reply(client, id, madv::rval_invalid_operation);
      return true;
    default:
      return false;
  }
}

int Control::video_seconds_left() const { return card_rval_ == 0 ? 4073 : 0; }
int Control::photos_left() const { return card_rval_ == 0 ? 3055 : 0; }

std::string Control::left_fields() const {
  return member(field::video_seconds_left, video_seconds_left()) +
         member(field::photos_left, photos_left());
}

std::string Control::card_fields() const {
  // The vendor's sample is a card of 16 GB.
  const bool full = card_rval_ == madv::rval_card_full;
  return member(field::card_total_kb, card_total_kb) +
         member(field::card_free_kb, full ? 0 : card_free_kb) +
         member(field::card_full, full ? 2 : 0);
}

std::string Control::saved_fields(const std::string& camera_path) const {
  return member("param", rtos_path(camera_path)) + left_fields() +
         member(field::videos, card_.count("AA.MP4")) + card_fields();
}

void Control::storage(int client) {
  if (card_rval_ != 0 && card_rval_ != madv::rval_card_full) {
    reply(client, madv::msg_storage, card_rval_);
    return;
  }
  reply(client, madv::msg_storage, 0,
        left_fields() + card_fields() + member("sd_mid", 65) + member("sd_oid", 13362) +
            member("sd_pnm", "SD16G"));
}

void Control::settings(int client) {
  // In the order of the vendor's sample, with what stands in between.
  std::string more;
  for (const madv::Command* command : told_settings()) {
    const int value = values_[command->id];
    switch (command->id) {
      case madv::msg_standby_minutes:
        more += member("standby_en", value != 0);
        break;
      case madv::msg_power_off_minutes:
        more += member("poweroff_en", value != 0);
        break;
      case madv::msg_led:
        more += member("cam_jpg", card_.count(".JPG")) + member("cam_mp4", card_.count("AA.MP4")) +
                member(field::battery, battery_);
        break;
      case madv::msg_panoramic_sound:
        more += member("sn", settings_.serial) + member(field::product, "sv1") +
                member(field::version, "1.3.97.85.5.13333;1.0.0") + member("md5", table_md5_);
        break;
      default:
        break;
    }
    more += member(command->settings_member, value);
  }
  reply(client, madv::msg_settings, 0, more);
}

int64_t Control::recorded_seconds() const {
  if (working_mode_ != madv::working_video) return 0;
  const Delay recorded = std::max(settings_.now() - recording_since_, Delay{});
  return std::chrono::duration_cast<std::chrono::seconds>(recorded).count();
}

void Control::status(int client) {
  reply(client, madv::msg_status, 0,
        member(field::working_mode, working_mode_) + member(field::mode, mode_) +
            member(field::recorded_seconds, recorded_seconds()) + member("second", 10) +
            member("lapse", 1) + member("timing", 3) + member("timing_c", 0) +
            member("cap_interval", 0) + member("cap_interval_num", 0) + member("speedx", 1) +
            member("sensor_num", 2) + member("burst_num", 3) + member("surroundexp", 1) +
            member("gyro_s", 0));
}

void Control::reset_settings() {
  for (const madv::Command& command : madv::commands())
    if (command.factory) values_[command.id] = *command.factory;
}

void Control::setting(int client, const Message& request) {
  const int id = request.id();
  const auto known = values_.find(id);
  if (known == values_.end()) {
    reply(client, id, madv::rval_unsupported);
    return;
  }
  const std::optional<std::string> value = request.param_text();
  if (!value) {
    reply(client, id, 0, member("param", known->second));
    return;
  }
  if (!madv::takes(*madv::find_command(id), *value)) {
    reply(client, id, madv::rval_invalid_param);
    return;
  }
  known->second = static_cast<int>(request.param_number().value_or(known->second));
  reply(client, id, 0);
}

/// Whether what the command needs is there, else what the camera says.
int Control::refusal(int id) const {
  const unsigned needs = madv::find_command(id)->needs;
  if (needs & madv::needs_idle && working_mode_ != madv::working_idle)
    return id == madv::msg_take_photo ? madv::rval_busy : madv::rval_invalid_operation;
  if (needs & madv::needs_video && working_mode_ != madv::working_video)
    return madv::rval_invalid_operation;
  if (needs & madv::needs_card && card_rval_ != 0) return card_rval_;
  if ((needs & madv::needs_video_mode && mode_ != madv::mode_video) ||
      (needs & madv::needs_photo_mode && mode_ != madv::mode_photo))
    return madv::rval_wrong_mode;
  if (needs & madv::needs_battery && battery_ == 0) return madv::rval_low_battery;
  return madv::rval_ok;
}

void Control::take_photo(int client) {
  const int rval = refusal(madv::msg_take_photo);
  reply(client, madv::msg_take_photo, rval);
  if (rval != 0) return;
  working_mode_ = madv::working_photo;
  actions_.push_back({Action::Kind::take_photo, client, usual(0), card_.new_path("IMG", ".JPG")});
}

void Control::photo_taken(const std::string& camera_path, bool done) {
  working_mode_ = madv::working_idle;
  // The vendor has no message for a photo that failed; a full card is what its app would show.
  if (done)
    notify(madv::msg_photo_saved, saved_fields(camera_path));
  else
    notify(madv::msg_card_full, member("param", 2));
}

void Control::recording(int client, bool start) {
  const int id = start ? madv::msg_start_recording : madv::msg_stop_recording;
  const int rval = refusal(id);
  reply(client, id, rval);
  if (rval != 0) return;
  const bool sister = settings_.model == Model::sj8_pro;
  if (start) {
    working_mode_ = madv::working_video;
    recording_since_ = settings_.now() + (settings_.timing ? record_start_time : Delay{});
    actions_.push_back(
        {Action::Kind::start_recording, client, {}, card_.new_path("VID", "AA.MP4")});
    if (sister)
      send(client, R"({"msg_id":7,"type":"start_normal_record"})",
           usual(id) + (settings_.timing ? record_start_time : Delay{}));
  } else {
    working_mode_ = madv::working_idle;
    actions_.push_back(
        {Action::Kind::stop_recording, client, settings_.timing ? record_stop_time : Delay{}});
    if (sister)
      send(client, R"({"msg_id":7,"type":"stop_normal_record"})",
           usual(id) + (settings_.timing ? record_stop_time : Delay{}));
  }
}

void Control::recording_saved(const std::string& camera_path, bool done, int milliseconds) {
  working_mode_ = madv::working_idle;
  if (settings_.model == Model::sj8_pro) return;
  if (done)
    notify(madv::msg_video_saved,
           saved_fields(camera_path) + member(field::video_milliseconds, milliseconds));
  else
    notify(madv::msg_card_slow, "");
}

void Control::command(int client, const Message& request) {
  const int id = request.id();
  const std::string param = request.param_text().value_or("");
  switch (id) {
    case madv::msg_client_info: {
      clients_[client].known = true;
      std::string more;
      if (!table_md5_.empty() && !fault(FaultKind::no_table)) more += member("param", table_md5_);
      // What the camera says beside it is known by name, not from a real reply.
      if (settings_.model == Model::mi_sphere)
        more += member("update", 0) + member("session_id", 1000 + token_);
      reply(client, id, 0, more);
      break;
    }
    case madv::msg_status:
      status(client);
      break;
    case madv::msg_storage:
      storage(client);
      break;
    case madv::msg_settings:
      settings(client);
      break;
    case madv::msg_set_clock:
      clock_ = param;
      reply(client, id,
            std::count(param.begin(), param.end(), '-') == 6
                ? 0
                : static_cast<int>(madv::rval_invalid_param));
      break;
    case madv::msg_camera_mode:
      if (!request.has("param")) {
        reply(client, id, 0, member("param", mode_) + member("sub_mode", 0));
      } else if (param != "0" && param != "1") {
        reply(client, id, madv::rval_invalid_param);
      } else if (working_mode_ != madv::working_idle) {
        reply(client, id, madv::rval_invalid_operation);
      } else {
        mode_ = param == "1";
        reply(client, id, 0, member("param", mode_) + member("sub_mode", 0));
      }
      break;
    case madv::msg_take_photo:
      take_photo(client);
      break;
    case madv::msg_start_recording:
    case madv::msg_stop_recording:
      recording(client, id == madv::msg_start_recording);
      break;
    case madv::msg_recording_time:
      reply(client, id, 0, member("param", recorded_seconds()));
      break;
    case madv::msg_battery:
      reply(client, id, 0, member("param", battery_));
      break;
    case madv::msg_working_mode:
      reply(client, id, 0, member("param", working_mode_));
      break;
    case madv::msg_card_state:
      reply(client, id, 0, member("param", card_rval_ == madv::rval_no_card ? 0 : 1));
      break;
    case madv::msg_card_full:
      reply(client, id, 0, member("param", card_rval_ == madv::rval_card_full ? 2 : 0));
      break;
    case madv::msg_video_seconds_left:
      reply(client, id, 0, member("param", video_seconds_left()));
      break;
    case madv::msg_photos_left:
      reply(client, id, 0, member("param", photos_left()));
      break;
    case madv::msg_space:
      reply(client, id, 0,
            member("param", request.text(field::type) == "total" ? card_total_kb : card_free_kb));
      break;
    case madv::msg_file_count:
      reply(client, id, 0,
            member("param", card_.count(request.text("type") == "photo" ? ".JPG" : "AA.MP4")));
      break;
    case madv::msg_serial:
      reply(client, id, 0, member("param", settings_.serial));
      break;
    case madv::msg_vendor:
      reply(client, id, 0, member("param", "MADV"));
      break;
    case madv::msg_device_name:
      reply(client, id, 0, member("param", "MJXJ"));
      break;
    case madv::msg_firmware_version:
      reply(client, id, 0, member("param", "1.3.97.85.5.13333"));
      break;
    case madv::msg_get_wifi:
      reply(client, id, 0,
            member("param", "AP_SSID=" + settings_.ssid + "\nAP_PASSWD=" + settings_.password +
                                "\nAP_PUBLIC=no\n"));
      break;
    case madv::msg_set_wifi:
      reply(client, id,
            request.has(field::wifi_name) && request.has(field::wifi_password)
                ? 0
                : static_cast<int>(madv::rval_invalid_param));
      break;
    case madv::msg_set_location:
      position_ = {request.text(field::latitude).value_or(""),
                   request.text(field::longitude).value_or(""),
                   request.text(field::altitude).value_or("")};
      reply(client, id, 0);
      break;
    case madv::msg_factory_reset:
      reset_settings();
      reply(client, id, 0);
      break;
    case madv::msg_wake:
    case madv::msg_restart_wifi:
    case madv::msg_reset_parameters:
    case madv::msg_deletion_done:
    case madv::msg_calibrate_gyro:
      reply(client, id, 0);
      break;
    case madv::msg_format:
      reply(client, id, param == "c" ? 0 : static_cast<int>(madv::rval_invalid_param));
      break;
    case madv::msg_power_off:
      reply(client, id, 0);
      notify(id, "");
      restart();
      actions_.push_back({Action::Kind::reboot, 0, reboot_time});
      break;
    default:
      setting(client, request);
      break;
  }
}

// --- files -----------------------------------------------------------------------------------

bool Control::file_command(int client, const Message& request) {
  const int id = request.id();
  const std::string param = request.param_text().value_or("");
  const auto found_or_not = [&](bool found, const std::string& more = "") {
    reply(client, id, found ? 0 : static_cast<int>(madv::rval_invalid_path), found ? more : "");
  };
  switch (id) {
    case madv::msg_change_folder: {
      std::string folder = param;
      if (!folder.ends_with("/")) folder += '/';
      const bool found = card_.list(folder).has_value();
      if (found) clients_[client].folder = folder;
      found_or_not(found, member("pwd", folder));
      return true;
    }
    case madv::msg_list: {
      const auto entries = card_.list(clients_[client].folder);
      std::string listing;
      for (const auto& [name, date] : entries.value_or(decltype(entries)::value_type()))
        listing +=
            (listing.empty() ? "{" : ",{") + json_string(name) + ":" + json_string(date) + "}";
      found_or_not(entries.has_value(), ",\"listing\":[" + listing + "]");
      return true;
    }
    case madv::msg_media_info: {
      const std::optional<Card::Info> info = card_.info(param);
      // More than 2 GiB comes out negative: the field is of 32 bits.
      found_or_not(info.has_value(),
                   info ? member(field::size, static_cast<int32_t>(info->size)) +
                              member("date", info->date) +
                              member("media_type", param.ends_with("MP4") ? "mov" : "jpg") +
                              member("scene_type", 1)
                        : "");
      return true;
    }
    case madv::msg_delete_file:
      found_or_not(card_.remove(param));
      return true;
    case madv::msg_get_file:
      get_file(client, request);
      return true;
    case madv::msg_cancel_transfer:
      actions_.push_back({Action::Kind::cancel_data, client});
      return true;
    default:
      return false;
  }
}

void Control::data_sent(int client) {
  const auto found = clients_.find(client);
  if (found == clients_.end() || found->second.transfer_done.empty()) return;
  actions_.push_back(
      {Action::Kind::send, client, {}, std::exchange(found->second.transfer_done, {})});
}

void Control::data_failed(int client) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  found->second.transfer_done.clear();
  actions_.push_back(
      {Action::Kind::send, client, {}, R"({"rval":0,"msg_id":7,"type":"get_file_fail"})"});
}

void Control::transfer_cancelled(int client, uint64_t sent) {
  const auto found = clients_.find(client);
  if (found != clients_.end()) found->second.transfer_done.clear();
  reply(client, madv::msg_cancel_transfer, 0,
        member(field::transferred_size, static_cast<int64_t>(sent)));
}

void Control::get_file(int client, const Message& request) {
  const int id = request.id();
  const std::string path = request.param_text().value_or("");
  const int64_t offset = request.number(field::offset).value_or(0);
  const int64_t wanted = request.number(field::fetch_size).value_or(0);
  if (offset < 0 || wanted < 0) {
    reply(client, id, madv::rval_invalid_param);
    return;
  }
  // One at a time: what is on its way is in memory.
  if (!clients_[client].transfer_done.empty()) {
    reply(client, id, madv::rval_busy);
    return;
  }
  const uint64_t count =
      wanted == 0 ? most_at_once : std::min<uint64_t>(static_cast<uint64_t>(wanted), most_at_once);
  std::optional<std::string> bytes;
  uint64_t size = 0;
  if (path == table_path) {
    size = settings_.lens_table.size();
    if (size > 0 && static_cast<uint64_t>(offset) <= size)
      bytes = settings_.lens_table.substr(static_cast<size_t>(offset), count);
    if (bytes && !bytes->empty() && fault(FaultKind::bad_table)) bytes->back() ^= 1;
  } else if (const std::optional<Card::Info> info = card_.info(path)) {
    size = info->size;
    bytes = card_.read(path, static_cast<uint64_t>(offset), count);
  }
  if (!bytes) {
    reply(client, id, madv::rval_invalid_path);
    return;
  }
  // Which of the two is the whole and which the rest is read off their names.
  reply(client, id, 0,
        member(field::rest_size, static_cast<int64_t>(size) - offset) +
            member(field::size, static_cast<int64_t>(size)));
  // The data port is silent for whom 261 did not name, as a real one was found to be.
  if (!clients_[client].known || fault(FaultKind::no_data)) return;
  clients_[client].transfer_done =
      "{\"rval\":0,\"msg_id\":7,\"type\":\"get_file_complete\",\"param\":[{\"bytes sent\":" +
      std::to_string(bytes->size()) + "},{\"md5sum\":\"" + md5_of(*bytes) + "\"}]}";
  actions_.push_back({Action::Kind::send_data, client, usual(id), std::move(*bytes)});
}

}  // namespace sphere::emulator
