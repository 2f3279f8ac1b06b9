// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of the control channel about files, and the data port.

#include <algorithm>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/md5.h"
#include "hw/madv/connect.h"
#include "hw/madv/emulator/control.h"
#include "hw/madv/emulator/file_forms.h"
#include "hw/madv/emulator/members.h"

namespace sphere::madv_emulator {

using madv::json_string;
using madv::Message;
namespace field = madv::field;

namespace {

// Largest transfer to a client, because its bytes are in memory.
constexpr uint64_t most_at_once = 64 << 20;

// A file up to this size is its own thumbnail, if it has no other one.
constexpr uint64_t small_file = 1 << 20;

// The vendor's `ftype`.
constexpr int64_t camera_firmware = 1, remote_firmware = 2;

std::string transfer_result(const char* type, const char* count, uint64_t bytes,
                            const std::string& md5) {
  return "{\"rval\":0,\"msg_id\":7,\"type\":\"" + std::string(type) + "\",\"param\":[{\"" + count +
         "\":" + std::to_string(bytes) + "},{\"md5sum\":\"" + md5 + "\"}]}";
}

}  // namespace

bool Control::file_command(int client, const Message& request) {
  const int id = request.id();
  const std::string param = request.param_text().value_or("");
  const auto found_or_not = [&](bool found, const std::string& more = "") {
    reply(client, id, found ? 0 : static_cast<int>(madv::rval_invalid_path), found ? more : "");
  };
  const bool on_card = param != madv::lens_table_path;
  switch (id) {
    case madv::msg_change_folder:
    case madv::msg_list:
    case madv::msg_media_info:
    case madv::msg_delete_file:
    case madv::msg_get_file:
    case madv::msg_get_thumbnail:
      if (on_card && (card_rval_ == madv::rval_no_card || card_rval_ == madv::rval_card_error)) {
        reply(client, id, card_rval_);
        return true;
      }
      break;
    default:
      break;
  }
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
      // The field has 32 bits: 2 GiB and more become negative numbers, as with a real camera.
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
    case madv::msg_get_thumbnail:
      get_thumbnail(client, request);
      return true;
    case madv::msg_put_file:
      put_file(client, request);
      return true;
    case madv::msg_cancel_transfer:
      if (const std::optional<Upload> upload =
              std::exchange(clients_[client].upload, std::nullopt)) {
        reply(client, id, 0,
              member(field::transferred_size, static_cast<int64_t>(upload->received)));
        return true;
      }
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
  if (found->second.upload) return end_upload(client, false);
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
    reply(client, id, madv::rval_invalid_operation);
    return;
  }
  // Only one transfer at a time, because its bytes are in memory.
  if (!clients_[client].transfer_done.empty()) {
    reply(client, id, madv::rval_busy);
    return;
  }
  const uint64_t count =
      wanted == 0 ? most_at_once : std::min<uint64_t>(static_cast<uint64_t>(wanted), most_at_once);
  std::optional<std::string> bytes;
  uint64_t size = 0;
  if (path == madv::lens_table_path) {
    size = settings_.lens_table.size();
    if (size > 0 && static_cast<uint64_t>(offset) <= size)
      bytes = settings_.lens_table.substr(static_cast<size_t>(offset), count);
    if (bytes && !bytes->empty() && fault(faults::bad_table)) bytes->back() ^= 1;
  } else if (const std::optional<Card::Info> info = card_.info(path)) {
    size = info->size;
    bytes = card_.read(path, static_cast<uint64_t>(offset), count);
  }
  if (!bytes) {
    reply(client, id, madv::rval_invalid_path);
    return;
  }
  const bool sends = clients_[client].known && !fault(faults::no_data);
  const std::string md5 = told_md5(*bytes);
  const uint64_t coming = bytes->size();
  if (const std::optional<Fault> early = fault(faults::short_file))
    bytes->resize(coming - std::min<uint64_t>(coming, static_cast<uint64_t>(early->n)));
  // Which of its two meanings `rem_size` has is not known.
  const int64_t rest = fault(faults::rem_size_chunk) ? static_cast<int64_t>(coming)
                                                     : static_cast<int64_t>(size) - offset;
  reply(client, id, 0,
        member(field::rest_size, rest) + member(field::size, static_cast<int64_t>(size)));
  // The data port sends nothing to an address that was not announced by 261. A real camera was
  // found to do the same.
  if (!sends) return;
  clients_[client].transfer_done =
      transfer_result("get_file_complete", field::bytes_sent, bytes->size(), md5);
  actions_.push_back({Action::Kind::send_data, client, usual(id), std::move(*bytes)});
}

std::string Control::told_md5(std::string_view bytes) const {
  std::string md5 = md5_of(bytes);
  if (fault(faults::wrong_md5)) md5.front() = md5.front() == '0' ? '1' : '0';
  return md5;
}

// --- thumbnails ------------------------------------------------------------------------------

std::optional<std::string> Control::thumbnail_of(const std::string& path,
                                                 const std::string& type) const {
  if (std::optional<std::string> bytes = file_thumbnail(card_, path, type)) return bytes;
  const std::optional<Card::Info> info = card_.info(path);
  if (!info) return std::nullopt;
  return info->size <= small_file ? card_.read(path, 0, info->size) : std::nullopt;
}

void Control::get_thumbnail(int client, const Message& request) {
  const int id = request.id();
  const std::string type = request.text(field::type).value_or("");
  if (type != "thumb" && type != "idr") {
    reply(client, id, madv::rval_invalid_operation);
    return;
  }
  if (!clients_[client].transfer_done.empty()) {
    reply(client, id, madv::rval_busy);
    return;
  }
  std::optional<std::string> bytes = thumbnail_of(request.param_text().value_or(""), type);
  if (!bytes) {
    reply(client, id, madv::rval_invalid_path);
    return;
  }
  reply(client, id, 0,
        member(field::size, static_cast<int64_t>(bytes->size())) + member(field::type, type) +
            member(field::md5, told_md5(*bytes)));
  if (!clients_[client].known || fault(faults::no_data)) return;
  // There is no notification at the end: the client knows the size.
  actions_.push_back({Action::Kind::send_data, client, usual(id), std::move(*bytes)});
}

// --- uploads ---------------------------------------------------------------------------------

void Control::put_file(int client, const Message& request) {
  const int id = request.id();
  const int64_t size = request.number(field::size).value_or(-1);
  const std::string md5 = request.text(field::md5).value_or("");
  // The vendor's table and its client spell it differently.
  const std::optional<int64_t> type =
      request.has(field::file_type) ? request.number(field::file_type) : request.number("fType");
  const bool valid = size > 0 && request.number(field::offset).value_or(0) == 0 &&
                     !request.param_text().value_or("").empty() && md5.size() == 32 &&
                     (type == camera_firmware || type == remote_firmware);
  if (!valid) {
    reply(client, id, madv::rval_invalid_operation);
    return;
  }
  if (series_ || clients_[client].upload) {
    reply(client, id, madv::rval_busy);
    return;
  }
  if (card_rval_ == madv::rval_no_card || card_rval_ == madv::rval_card_full ||
      card_rval_ == madv::rval_card_error) {
    reply(client, id, card_rval_);
    return;
  }
  Upload upload;
  upload.path = *request.param_text();
  upload.size = static_cast<uint64_t>(size);
  upload.md5 = md5;
  upload.file_type = static_cast<int>(*type);
  upload.checksum.reset(g_checksum_new(G_CHECKSUM_MD5));
  clients_[client].upload = std::move(upload);
  reply(client, id, 0);
}

bool Control::is_uploading(int client) const {
  const auto found = clients_.find(client);
  return found != clients_.end() && found->second.upload && found->second.known &&
         !fault(faults::no_data);
}

/// Only the checksum is kept: the camera has no use for the firmware itself.
void Control::data_received(int client, std::string_view bytes) {
  if (!is_uploading(client)) return;
  Upload& upload = *clients_[client].upload;
  const size_t taken =
      static_cast<size_t>(std::min<uint64_t>(bytes.size(), upload.size - upload.received));
  g_checksum_update(upload.checksum.get(), reinterpret_cast<const guchar*>(bytes.data()),
                    static_cast<gssize>(taken));
  upload.received += taken;
  if (upload.received < upload.size) return;
  g_autofree char* expected = g_ascii_strdown(upload.md5.c_str(), -1);
  const bool same = std::string_view(expected) == g_checksum_get_string(upload.checksum.get());
  end_upload(client, same && bytes.size() == taken);
}

void Control::end_upload(int client, bool good) {
  const Upload upload = *std::exchange(clients_[client].upload, std::nullopt);
  if (good) (upload.file_type == remote_firmware ? has_remote_update_ : has_update_) = true;
  const std::string md5 = g_checksum_get_string(upload.checksum.get());
  send(client,
       transfer_result(good ? "put_file_complete" : "put_file_fail", field::bytes_received,
                       upload.received, md5),
       {});
}

}  // namespace sphere::madv_emulator
