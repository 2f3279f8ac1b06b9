// SPDX-License-Identifier: LGPL-2.1-or-later
// What an emulated Mi Sphere does wrong when it is asked to.

#pragma once

#include <string_view>
#include <vector>

#include "hw/emulator/faults.h"

namespace sphere::madv_emulator {

using emulator::Fault;
using emulator::FaultInfo;

namespace faults {

inline constexpr FaultInfo silent{"silent", 0, "after N requests it answers nothing any more"};
inline constexpr FaultInfo refuse{"refuse", 1000000,
                                  "the first N clients are not given a session (-3)"};
inline constexpr FaultInfo busy{"busy", 3, "N requests are answered with busy (-21)"};
inline constexpr FaultInfo garbage{"garbage", 0, "after N requests it answers what is no JSON"};
inline constexpr FaultInfo huge{"huge", 0, "after N requests it answers an object of 9 MiB"};
inline constexpr FaultInfo brackets{"brackets", 0,
                                    "after N requests it answers 100000 opening brackets"};
inline constexpr FaultInfo wrong_token{"wrong-token", 1, "after N requests no token is right (-4)"};
inline constexpr FaultInfo drop{"drop", 1, "after N requests it closes the connection, once"};
inline constexpr FaultInfo reboot{
    "reboot", 1,
    "after N requests it closes everything, forgets, and is back two seconds later, once"};
inline constexpr FaultInfo late{"late", 1000, "each answer comes N ms late"};
inline constexpr FaultInfo split{"split", 1, "each answer comes in pieces of N bytes", 1};
inline constexpr FaultInfo chatty{"chatty", 10, "N notifications stand before each answer"};
inline constexpr FaultInfo no_card{"no-card", 0, "there is no card in it (-50)"};
inline constexpr FaultInfo card_full{"card-full", 0, "its card is full (-17)"};
inline constexpr FaultInfo low_battery{"low-battery", 0, "its battery is too low to record (-58)"};
inline constexpr FaultInfo no_table{"no-table", 0, "it does not say which lens table it has"};
inline constexpr FaultInfo bad_table{"bad-table", 0, "a byte of the lens table it sends is wrong"};
inline constexpr FaultInfo no_data{"no-data", 0, "its data port accepts clients and sends nothing"};

}  // namespace faults

/// These, and those of the preview.
const std::vector<const FaultInfo*>& fault_list();
Result<Fault> parse_fault(std::string_view text);

}  // namespace sphere::madv_emulator
