// SPDX-License-Identifier: LGPL-2.1-or-later
// The faults of an emulated Mi Sphere.

#pragma once

#include <string_view>
#include <vector>

#include "hw/emulator/faults.h"

namespace sphere::madv_emulator {

using emulator::Fault;
using emulator::FaultInfo;

namespace faults {

/// A fault whose N counts requests, or seconds.
constexpr FaultInfo counting(const char* name, int usual, const char* what) {
  return {name, usual, what, 0, 1000000, true};
}

inline constexpr FaultInfo silent = counting("silent", 0, "no answers after the first N requests");
inline constexpr FaultInfo half_open =
    counting("half-open", 1, "after N requests, the connection is dead but not closed, once");
inline constexpr FaultInfo refuse =
    counting("refuse", 1000000, "the first N clients get no session (-3)");
inline constexpr FaultInfo busy = counting("busy", 3, "N requests are answered with busy (-21)");
inline constexpr FaultInfo garbage =
    counting("garbage", 0, "after N requests, the answer is not JSON");
inline constexpr FaultInfo huge =
    counting("huge", 0, "after N requests, the answer is an object of 9 MiB");
inline constexpr FaultInfo brackets =
    counting("brackets", 0, "after N requests, the answer has 100000 opening brackets");
inline constexpr FaultInfo wrong_token =
    counting("wrong-token", 1, "after N requests, all tokens are refused (-4)");
inline constexpr FaultInfo drop =
    counting("drop", 1, "after N requests, the connection is closed, once");
inline constexpr FaultInfo reboot =
    counting("reboot", 1, "after N requests, the camera restarts, which takes two seconds, once");
inline constexpr FaultInfo late{"late", 1000, "each answer is delayed by N ms"};
inline constexpr FaultInfo split{"split", 1, "each answer is sent in pieces of N bytes", 1};
inline constexpr FaultInfo joined{"joined", 50,
                                  "answers and notifications of N ms are sent together", 1, 10000};
inline constexpr FaultInfo chatty{"chatty", 10, "N notifications are sent before each answer"};
inline constexpr FaultInfo no_card{"no-card", 0, "there is no memory card (-50)"};
inline constexpr FaultInfo card_full{"card-full", 0, "the memory card is full (-17)"};
inline constexpr FaultInfo slow_card{"slow-card", 0, "the memory card is too slow (-61)"};
inline constexpr FaultInfo bad_card{"bad-card", 0, "the memory card can't be read (-59)"};
inline constexpr FaultInfo low_battery{"low-battery", 0, "the battery is too low to record (-58)"};
inline constexpr FaultInfo no_table{"no-table", 0,
                                    "the camera does not send the MD5 of its lens table"};
inline constexpr FaultInfo bad_table{"bad-table", 0, "one byte of the lens table is wrong"};
inline constexpr FaultInfo no_data{"no-data", 0,
                                   "the data port accepts connections, but sends nothing"};
inline constexpr FaultInfo cut_data{
    "cut-data", 64, "after N KiB of a transfer, the data connection is closed, each time"};
inline constexpr FaultInfo slow_data{"slow-data", 64, "the data port sends N KiB a second", 1};
inline constexpr FaultInfo wrong_md5{"wrong-md5", 0, "the MD5 of each transfer is wrong"};
inline constexpr FaultInfo short_file{"short-file", 1, "each transfer ends N bytes too early", 1};
inline constexpr FaultInfo rem_size_chunk{
    "rem-size-chunk", 0, "rem_size of 1285 tells what comes now, not what is left of the file"};

}  // namespace faults

/// All faults: these, and those of the preview.
const std::vector<const FaultInfo*>& fault_list();
Result<Fault> parse_fault(std::string_view text);

}  // namespace sphere::madv_emulator
