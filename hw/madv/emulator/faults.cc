// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/emulator/faults.h"

#include "hw/emulator/file_server.h"
#include "hw/emulator/preview.h"

namespace sphere::madv_emulator {

const std::vector<const FaultInfo*>& fault_list() {
  static const std::vector<const FaultInfo*> list = [] {
    std::vector<const FaultInfo*> all = {
        &faults::silent,    &faults::half_open,  &faults::refuse,        &faults::busy,
        &faults::garbage,   &faults::huge,       &faults::brackets,      &faults::wrong_token,
        &faults::drop,      &faults::reboot,     &faults::late,          &faults::split,
        &faults::joined,    &faults::chatty,     &faults::no_card,       &faults::card_full,
        &faults::slow_card, &faults::bad_card,   &faults::low_battery,   &faults::no_table,
        &faults::bad_table, &faults::no_data,    &faults::cut_data,      &faults::slow_data,
        &faults::wrong_md5, &faults::short_file, &faults::rem_size_chunk};
    all.insert(all.end(), emulator::http_faults.begin(), emulator::http_faults.end());
    all.insert(all.end(), emulator::preview_faults.begin(), emulator::preview_faults.end());
    return all;
  }();
  return list;
}

Result<Fault> parse_fault(std::string_view text) {
  return emulator::parse_fault(fault_list(), text);
}

}  // namespace sphere::madv_emulator
