// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of the sister camera SJ8 Pro, which has
// Ambarella's generic protocol. Replies that published sessions contain are repeated exactly; those
// about photos are those of other related cameras.

#include <glib.h>

#include <algorithm>

#include "gst/sphere/base/gobject.h"
#include "hw/madv/emulator/control.h"
#include "hw/madv/emulator/members.h"
#include "hw/madv/generic.h"

namespace sphere::madv_emulator {

using madv::json_string;
using madv::Message;
namespace field = madv::field;
using namespace std::chrono_literals;

namespace {

// Times from packet captures: after the answer, and at the end.
constexpr Delay record_start_time = 1450ms;
constexpr Delay record_stop_time = 1208ms;
constexpr Delay viewfinder_stop_time = 100ms;
constexpr Delay mode_change_time = 18ms;

constexpr int battery_percent = 75;
constexpr int64_t card_total_kb = 61765632, card_free_kb = 51504768;

constexpr const char* media_folder = "100MEDIA";
constexpr const char* naming_rule =
    R"([{"type":"video","main_section":[0,6],"sensor_section":[6,1],"stream_section":[7,1]},)"
    R"({"type":"photo","main_section":[0,6],"offset_section":[6,2]}])";

// Settings that are not in the list of settings.
constexpr const char* other_settings[] = {"save_low_resolution_clip", "stream_out_type"};

/// The path of the next file, by the time and a number.
std::string new_path(const Card& card, const char* suffix) {
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  const GString_ time(g_date_time_format(now, "%Y%m%d%H%M%S"));
  const int number = card.count(".MP4") + card.count(".JPG") + 1;
  char name[64];
  g_snprintf(name, sizeof name, "%s_%04d", time.get(), number % 10000);
  return card.new_path(media_folder, name, suffix);
}

}  // namespace

void Control::sister_notify(const std::string& type, const std::string& more, Delay delay) {
  if (!holder_) return;
  send(*holder_,
       "{\"msg_id\":" + std::to_string(madv::msg_transfer_result) + member("type", type) + more +
           "}",
       settings_.timing ? delay : Delay{});
}

void Control::sister_command(int client, const Message& request) {
  const int id = request.id();
  const std::string type = request.text("type").value_or("");
  const std::string param = request.param_text().value_or("");
  switch (id) {
    case madv::msg_get_setting:
      if (type == madv::generic::camera_mode)
        reply(client, id, 0, member("type", type) + member("param", sister_.mode()));
      else if (const auto value = sister_.value(type))
        reply(client, id, 0, member("type", type) + member("param", *value));
      else
        reply(client, id, madv::rval_invalid_param);
      return;
    case madv::msg_set_setting:
      sister_setting(client, request);
      return;
    case madv::msg_all_settings:
      reply(client, id, 0, ",\"param\":" + sister_.all());
      return;
    case madv::msg_mode_settings:
      reply(client, id, 0, ",\"param\":" + sister_.of_this_mode());
      return;
    case madv::msg_setting_options:
      if (const auto options = sister_.options(param))
        reply(
            client, id, 0,
            member("permission", "settable") + member("param", param) + ",\"options\":" + *options);
      else
        reply(client, id, madv::rval_invalid_param);
      return;
    case madv::msg_space:
      reply(client, id, 0, member("param", type == "total" ? card_total_kb : card_free_kb));
      return;
    case madv::msg_file_count:
      reply(client, id, 0, member("param", card_.count(type == "photo" ? ".JPG" : ".MP4")));
      return;
    case madv::msg_device_info:
      reply(client, id, 0,
            member("brand", "SJCAM") + member("model", "SJ8PRO_TAIWAN") + member("chip", "A12") +
                member("app_type", "Connected") + member("fw_ver", "local") +
                member("api_ver", "4.1.0") + member("media_folder", card_.media_folder()) +
                member("event_folder", std::string(madv::card_root) + "/EVENT") +
                member("http", "Disable") + member("auth", "off") +
                ",\"naming_rule\":" + naming_rule + member("firmwareVersion", "V1.3.2"));
      return;
    case madv::msg_battery_level:
      reply(client, id, 0, member("type", "battery") + member("param", battery_percent));
      return;
    case madv::msg_reset_viewfinder:
      reply(client, id, 0);
      return;
    case madv::msg_stop_viewfinder:
      reply(client, id, 0, "", settings_.timing ? viewfinder_stop_time : Delay{});
      return;
    case madv::msg_client_info:
      clients_[client].known = true;
      reply(client, id, 0);
      return;
    case madv::msg_recording_time:
      if (is_recording())
        reply(client, id, 0, member("param", recorded_seconds()));
      else
        reply(client, id, madv::rval_invalid_operation);
      return;
    case madv::msg_start_recording:
    case madv::msg_stop_recording:
    case madv::msg_take_photo_generic:
      sister_capture(client, id);
      return;
    case madv::msg_list:
      sister_list(client, param);
      return;
    default:
      if (!file_command(client, request)) reply(client, id, madv::rval_unsupported);
      return;
  }
}

void Control::sister_setting(int client, const Message& request) {
  const int id = request.id();
  const std::string name = request.text("type").value_or("");
  const std::string value = request.param_text().value_or("");
  const std::string told = member("type", name);
  if (name == madv::generic::camera_clock) {
    clock_ = value;
    reply(client, id, 0, told);
  } else if (name == madv::generic::camera_mode) {
    const bool known = !series_ && sister_.set_mode(value);
    reply(client, id, known ? 0 : static_cast<int>(madv::rval_invalid_param), told);
    if (known) sister_notify(value, "", mode_change_time + usual(id));
  } else if (std::ranges::find(other_settings, name) != std::end(other_settings)) {
    reply(client, id, 0, told);
  } else if (sister_.set(name, value)) {
    if (name == "Default Setting" && value == "OK") sister_.reset();
    // "Format" is a question and no state.
    sister_.set("Format", "Cancel");
    reply(client, id, 0, told);
  } else {
    reply(client, id, madv::rval_invalid_param, told);
  }
}

void Control::sister_capture(int client, int id) {
  const bool photo = id == madv::msg_take_photo_generic ||
                     (id == madv::msg_start_recording && sister_.is_photo_mode());
  const bool idle = !series_;
  if (id == madv::msg_stop_recording) {
    const bool records = is_recording();
    reply(client, id, records ? 0 : static_cast<int>(madv::rval_invalid_operation));
    if (!records) return;
    series_.reset();
    actions_.push_back(
        {Action::Kind::stop_recording, client, settings_.timing ? record_stop_time : Delay{}});
    return;
  }
  const int refused = !idle && !photo ? -1 : !idle ? static_cast<int>(madv::rval_busy) : card_rval_;
  reply(client, id, refused);
  if (refused != 0) return;
  if (photo) {
    begin(*find_kind(madv::msg_take_photo));
    if (id == madv::msg_take_photo_generic) {
      sister_notify("vf_stop");
      sister_notify("start_capture");
    } else {
      sister_notify("start_" + sister_.mode());
    }
    actions_.push_back({Action::Kind::take_photo, client, usual(0), new_path(card_, ".JPG")});
    return;
  }
  begin(*find_kind(madv::msg_start_recording));
  actions_.push_back({Action::Kind::start_recording, client, {}, new_path(card_, ".MP4")});
  sister_notify("start_" + sister_.mode(), "", usual(id) + record_start_time);
}

std::string Control::sister_size() const {
  const bool photo = sister_.is_photo_mode() || (series_ && series_->kind->is_photo());
  return sister_.value(photo ? "Image Size" : "Resolution").value_or("");
}

void Control::sister_recording_saved() { sister_notify("stop_" + sister_.mode()); }

void Control::sister_photo_taken(const std::string& camera_path, bool done) {
  if (done) sister_notify("photo_taken", member("param", camera_path));
}

/// With the options of a shell's list: `-S` adds sizes, and `-D` the times, which are always told.
void Control::sister_list(int client, const std::string& options) {
  const std::string folder = clients_[client].folder;
  const auto entries = card_.list(folder);
  const bool with_sizes = options.find("-S") != std::string::npos;
  std::string listing;
  for (const auto& [name, date] : entries.value_or(decltype(entries)::value_type())) {
    const auto info = with_sizes && !name.ends_with('/') ? card_.info(folder + name) : std::nullopt;
    const std::string size = info ? std::to_string(info->size) + " bytes|" : "";
    listing +=
        (listing.empty() ? "{" : ",{") + json_string(name) + ":" + json_string(size + date) + "}";
  }
  reply(client, madv::msg_list, entries ? 0 : static_cast<int>(madv::rval_invalid_path),
        entries ? ",\"listing\":[" + listing + "]" : "");
}

}  // namespace sphere::madv_emulator
