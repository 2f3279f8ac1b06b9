// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of the control channel about files, and the data port.

#include <algorithm>

#include "gst/sphere/base/md5.h"
#include "hw/madv/connect.h"
#include "hw/madv/emulator/control.h"
#include "hw/madv/emulator/members.h"

namespace sphere::madv_emulator {

using madv::json_string;
using madv::Message;
namespace field = madv::field;

namespace {

// Largest transfer to a client, because its bytes are in memory.
constexpr uint64_t most_at_once = 64 << 20;

}  // namespace

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
  // The meaning of the two sizes, whole and rest, is taken from their names.
  reply(client, id, 0,
        member(field::rest_size, static_cast<int64_t>(size) - offset) +
            member(field::size, static_cast<int64_t>(size)));
  // The data port sends nothing to an address that was not announced by 261. A real camera was
  // found to do the same.
  if (!clients_[client].known || fault(faults::no_data)) return;
  clients_[client].transfer_done =
      "{\"rval\":0,\"msg_id\":7,\"type\":\"get_file_complete\",\"param\":[{\"bytes sent\":" +
      std::to_string(bytes->size()) + "},{\"md5sum\":\"" + md5_of(*bytes) + "\"}]}";
  actions_.push_back({Action::Kind::send_data, client, usual(id), std::move(*bytes)});
}

}  // namespace sphere::madv_emulator
