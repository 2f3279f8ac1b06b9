// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/emulator/faults.h"

#include <glib.h>

#include <algorithm>

namespace sphere::emulator {

const std::vector<FaultInfo>& fault_list() {
  static const std::vector<FaultInfo> list = {
      {FaultKind::silent, "silent", 0, "after N requests it answers nothing any more"},
      {FaultKind::refuse, "refuse", 1000000, "the first N clients are not given a session (-3)"},
      {FaultKind::busy, "busy", 3, "N requests are answered with busy (-21)"},
      {FaultKind::garbage, "garbage", 0, "after N requests it answers what is no JSON"},
      {FaultKind::huge, "huge", 0, "after N requests it answers an object of 9 MiB"},
      {FaultKind::brackets, "brackets", 0, "after N requests it answers 100000 opening brackets"},
      {FaultKind::wrong_token, "wrong-token", 1, "after N requests no token is right (-4)"},
      {FaultKind::drop, "drop", 1, "after N requests it closes the connection, once"},
      {FaultKind::reboot, "reboot", 1,
       "after N requests it closes everything, forgets, and is back two seconds later, once"},
      {FaultKind::late, "late", 1000, "each answer comes N ms late"},
      {FaultKind::split, "split", 1, "each answer comes in pieces of N bytes"},
      {FaultKind::chatty, "chatty", 10, "N notifications stand before each answer"},
      {FaultKind::no_card, "no-card", 0, "there is no card in it (-50)"},
      {FaultKind::card_full, "card-full", 0, "its card is full (-17)"},
      {FaultKind::low_battery, "low-battery", 0, "its battery is too low to record (-58)"},
      {FaultKind::no_table, "no-table", 0, "it does not say which lens table it has"},
      {FaultKind::bad_table, "bad-table", 0, "a byte of the lens table it sends is wrong"},
      {FaultKind::no_data, "no-data", 0, "its data port accepts clients and sends nothing"},
      {FaultKind::rtsp_404, "rtsp-404", 0, "there is no preview (404)"},
      {FaultKind::rtsp_401, "rtsp-401", 0, "the preview wants a password (401)"},
      {FaultKind::rtsp_453, "rtsp-453", 0, "the preview has not enough bandwidth (453)"},
      {FaultKind::rtsp_gone, "rtsp-gone", 60,
       "after N pictures the preview's connections are cut, once"},
      {FaultKind::rtp_loss, "rtp-loss", 20,
       "over UDP, N of a hundred packets of the preview are lost"},
  };
  return list;
}

Result<Fault> parse_fault(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto& list = fault_list();
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const FaultInfo& f) { return f.name == name; });
  if (found == list.end()) {
    std::string known;
    for (const FaultInfo& f : list) known += (known.empty() ? "" : ", ") + std::string(f.name);
    return invalid("there is no fault '" + std::string(name) + "'; known are " + known);
  }
  if (colon == std::string_view::npos) return Fault{found->kind, found->usual};
  guint64 n = 0;
  const std::string number(text.substr(colon + 1));
  if (!g_ascii_string_to_unsigned(number.c_str(), 10, 0, 1000000, &n, nullptr))
    return invalid("'" + std::string(text) + "': after the colon a number of up to 1000000 is due");
  if (found->kind == FaultKind::rtp_loss && n > 100)
    return invalid("'" + std::string(text) +
                   "': no more than 100 of a hundred packets can be lost");
  if (found->kind == FaultKind::split && n == 0)
    return invalid("'" + std::string(text) + "': pieces have at least one byte");
  return Fault{found->kind, static_cast<int>(n)};
}

std::optional<Fault> find_fault(const std::vector<Fault>& faults, FaultKind kind) {
  const auto found = std::find_if(faults.begin(), faults.end(),
                                  [&](const Fault& fault) { return fault.kind == kind; });
  return found == faults.end() ? std::nullopt : std::optional<Fault>(*found);
}

}  // namespace sphere::emulator
