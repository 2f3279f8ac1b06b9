// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera that gets any bytes from its clients: each of its answers is a message, and
// no session is counted twice.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "hw/madv/emulator/control.h"

using namespace sphere;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Result<emulator::Card> card = emulator::Card::open("", madv::card_root);
  if (!card) abort();
  madv_emulator::ControlSettings settings;
  settings.lens_table = "table";
  settings.now = [] { return madv_emulator::Delay{}; };
  madv_emulator::Control control(settings, *card);
  control.connected(1);
  control.connected(2);
  control.received(1, R"({"msg_id":257,"token":0}{"msg_id":261,"token":1})");
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  // After a zero byte, the bytes come from the other client.
  for (int client = 1; !rest.empty(); client = 3 - client) {
    const size_t end = rest.find('\0');
    if (control.is_uploading(client)) control.data_received(client, rest.substr(0, end));
    control.received(client, rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    for (const madv_emulator::Action& action : control.take_actions()) {
      if (action.kind == madv_emulator::Action::Kind::timer) control.timer(action.number);
      if (action.kind == madv_emulator::Action::Kind::take_photo)
        control.photo_taken(action.bytes, true);
      if (action.kind == madv_emulator::Action::Kind::send && !madv::Message::parse(action.bytes))
        abort();
    }
  }
  control.disconnected(1);
  control.disconnected(2);
  const madv_emulator::Counters& counters = control.counters();
  if (counters.sessions_opened != counters.sessions_closed) abort();
  return 0;
}
