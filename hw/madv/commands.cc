// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/commands.h"

#include <algorithm>

namespace sphere::madv {

namespace {

constexpr auto R = Access::read;
constexpr auto W = Access::write;
constexpr auto RW = Access::read_write;
constexpr auto N = Access::notice;
constexpr auto open = Privacy::open;
constexpr auto identity = Privacy::identity;
constexpr auto secret = Privacy::secret;

constexpr const char* off_on = "0 off, 1 on";
constexpr const char* white_balance = "0 auto, 1 outdoors, 2 cloudy, 3 incandescent, 4 fluorescent";
constexpr const char* exposure = "-6..6, in halves of a stop";

// By id. The vendor's sheet (product sv1, v1.66), and the ids that only its client names.
constexpr Command table[] = {
    {4, "format-card", W, false, "c", open},
    {5, "card-space", R, false, "type total or free; KB", open},
    {6, "file-count", R, false, "type video or photo", open},
    {7, "transfer-result", N, true, "type get_file_complete, get_file_fail, put_file_complete, ...",
     open},
    {8, "flash-firmware", W, false, "", open},
    {257, "start-session", R, false, "answers with the token", secret},
    {258, "stop-session", W, false, "", open},
    {259, "reset-viewfinder", W, false, "none_force", open},
    {260, "stop-viewfinder", W, false, "", open},
    {261, "client-info", W, false, "type TCP, the client's address; answers with the table's MD5",
     identity},
    {513, "start-recording", W, true, "0 with sound, 1 without", open},
    {514, "stop-recording", W, true, "", open},
    {515, "recording-time", R, false, "seconds", open},
    {1025, "get-thumbnail", R, false, "type thumb or idr, a path", open},
    {1026, "media-info", R, false, "a path", identity},
    {1281, "delete-file", W, false, "a path", open},
    {1282, "list", R, false, "", open},
    {1283, "change-folder", W, false, "a path", open},
    {1285, "get-file", R, false, "a path, with offset and fetch_size", open},
    {1286, "put-file", W, false, "a path, with offset, size, md5sum and ftype", open},
    {1287, "cancel-transfer", W, false, "a path", open},
    {1537, "restart-wifi", W, false, "", open},
    {1539, "get-wifi", R, false, "lines AP_SSID=, AP_PASSWD=, AP_PUBLIC=", secret},
    {1540, "wifi-off", W, false, "", open},
    {1541, "wifi-on", W, false, "", open},
    {1542, "wifi-status", R, false, "", identity},
    {1793, "query-session-holder", N, true, "the token", secret},
    {4097, "serial-number", R, false, "", identity},
    {4098, "vendor", R, false, "", open},
    {4099, "device-name", R, false, "", identity},
    {4100, "firmware-version", R, false, "", open},
    {4353, "card-state", R, true, "-1 bad, 0 none, 1 mounted", open},
    {4354, "card-full", R, true, "0 no, 1 almost, 2 full", open},
    {4356, "video-seconds-left", R, true, "seconds", open},
    {4357, "photos-left", R, true, "a count", open},
    {4358, "storage", R, false, "", open},
    {4359, "card-too-slow", N, true, "", open},
    {4360, "card-needs-format", N, true, "", open},
    {4361, "battery", R, true, "0..4 for 5, 25, 50, 75, 100 percent; with 0x80 while charging",
     open},
    {4362, "working-mode", R, true,
     "0 idle, 1 standby, 2 USB storage, 3 video, 4 short video, 5 time-lapse, 6 photo, 7 timer, "
     "12 interval, 13 slow motion, 14 burst, 15 bracketing",
     open},
    {4363, "all-parameters", R, false, "", identity},
    {4364, "settings", R, false, "", identity},
    {4365, "status", R, false, "", open},
    {4366, "all-parameters-short", R, false, "", identity},
    {4609, "video-filter", RW, false, "", open},
    {4611, "camera-mode", RW, true, "0 video, 1 photo", open},
    {4612, "video-resolution", RW, true,
     "0 3456x1728@30, 1 2304x1152@30, 2 2304x1152@60, 6 3840x1920@30, 7..9 1920x480@120, "
     "10 3456x1728@30 HD, 11 3840x1920@30 HD",
     open},
    {4617, "loop-recording", RW, true, off_on, open},
    {4618, "short-video-length", RW, true, "10, 20, 30 s", open},
    {4620, "start-short-video", W, true, "", open},
    {4621, "time-lapse-interval", RW, true, "1, 2, 5, 10, 30, 60 s; 255 for 0.5 s", open},
    {4623, "start-time-lapse", W, true, "", open},
    {4624, "segmented-recording", RW, false, off_on, open},
    {4625, "mark", W, false, "", open},
    {4626, "segmented-recording-failed", N, true, "", open},
    {4864, "take-photo", W, true, "", open},
    {4866, "photo-timer", RW, true, "3..10 s", open},
    {4868, "start-timed-photo", W, true, "", open},
    {4872, "photo-resolution", RW, true,
     "0 6912x3456, 1 3456x1728, 2 6912x3456 stitched, 3 6912x3456 raw, 4 6912x3456 stitched and "
     "raw",
     open},
    {4914, "single-sensor", RW, true, "0 front, 1 rear", open},
    {4915, "burst-count", RW, true, "3, 6, 10", open},
    {4916, "slow-motion", RW, true, "1, 2, 4", open},
    {4917, "set-location", W, false, "lat, lon, alt", identity},
    {4918, "bracketing", RW, true, "1..6, in halves of a stop", open},
    {4929, "photo-interval", RW, true, "0, 2, 5, 10, 30, 60, 120, 300 s", open},
    {5025, "start-interval-photo", RW, true, "", open},
    {5026, "start-single-sensor-video", W, false, "", open},
    {5027, "start-burst-photo", RW, true, "", open},
    {5028, "start-slow-motion", RW, true, "", open},
    {5029, "start-bracketing", RW, true, "", open},
    {5029, "start-single-sensor-photo", RW, true, "", open},
    {5030, "panoramic-sound", RW, false, off_on, open},
    {5136, "video-white-balance", RW, false, white_balance, open},
    {5137, "video-exposure", RW, false, exposure, open},
    {5139, "video-shutter", RW, false, "0 auto", open},
    {5140, "video-iso", RW, false, "0 auto", open},
    {5168, "photo-white-balance", RW, false, white_balance, open},
    {5169, "photo-exposure", RW, false, exposure, open},
    {5171, "photo-shutter", RW, false, "0 auto, seconds, or 32768 + n for 1/n s", open},
    {5172, "photo-iso", RW, false, "0 auto, 50..3200", open},
    {5634, "set-wifi", W, false, "ssid and passwd", secret},
    {6145, "beep", RW, false, "0..4, in quarters", open},
    {6147, "set-clock", W, false, "yyyy-MM-dd-HH-mm-ss-W", open},
    {6149, "standby-minutes", RW, false, "0..5, 0 for never", open},
    {6151, "power-off-minutes", RW, false, "0 for never, 5, 10", open},
    {6152, "factory-reset", W, false, "", open},
    {6153, "reset-parameters", W, true, "", open},
    {6154, "wake", W, true, "", open},
    {6155, "power-off", W, true, "", open},
    {6156, "led", RW, false, off_on, open},
    {6157, "quick-capture", RW, false, off_on, open},
    {6158, "overheated", N, true, "", open},
    {6159, "hanging-mount", RW, false, "", open},
    {6160, "enter-standby", W, true, "", open},
    {6161, "recover-video", W, true, "", open},
    {6162, "deletion-done", W, false, "", open},
    {6164, "gyro", RW, false, "0 normal, 1 bullet time", open},
    {6165, "calibrate-gyro", W, false, "", open},
    {6402, "record-speed", RW, false, "1, 2, 4, 130, 132", open},
    {6403, "lens-usage", RW, false, "0 logo side, 1 LED side, 2 both", open},
    {6404, "segment-seconds", RW, false, "15, 30, 60, 300 s", open},
    {6405, "video-megabits", RW, false, "Mbit/s", open},
    {8192, "video-saved", N, true, "a path", open},
    {8193, "photo-saved", N, true, "a path", open},
    {8195, "segment-saved", N, true, "a path", open},
    {12288, "remote-test", W, false, "", open},
    {12289, "set-remote-serial", W, false, "", identity},
    {12290, "remote-serial", R, false, "", identity},
    {12291, "set-remote-box-serial", W, false, "", identity},
    {12292, "remote-box-serial", R, false, "", identity},
    {12293, "remote-firmware-version", W, false, "", open},
    {12294, "remote-factory-reset", W, false, "", open},
    {12295, "remote-disconnect", W, false, "", open},
    {12296, "remote-key-test", R, false, "", open},
    {12297, "remote-battery", R, false, "", open},
    {12304, "remote-update-version", R, false, "", open},
    {12305, "test-remote-update", W, false, "", open},
    {12306, "remote-stability-test", W, false, "", open},
};

struct ResultCodeWords {
  int rval;
  const char* words;
};

constexpr ResultCodeWords result_table[] = {
    {0, "it is done"},
    {-1, "something went wrong that it has no name for; try again"},
    {-3,
     "another phone or program holds it; close the camera's app there, or wait until it lets go"},
    {-4, "this session is over (its token is not known any more); connect again"},
    {-5, "as many clients are connected as it takes; close one"},
    {-7, "the request was not well-formed"},
    {-8, "the request did not arrive whole in time"},
    {-9, "the request was not well-formed"},
    {-13, "it does not know that value"},
    {-14, "it can't do that now; look at what it is doing, and whether that is its state already"},
    {-16, "it can't do that while HDMI is plugged in"},
    {-17, "its card is full; delete files, or put in another card"},
    {-18, "its card is write-protected; slide the card's lock"},
    {-19, "it is out of memory; switch it off and on"},
    {-20, "it can't take photos while recording"},
    {-21, "it is busy; try again in a moment"},
    {-22, "it is not ready yet; try again in a moment"},
    {-23, "it does not know that command"},
    {-24, "it does not know that type"},
    {-25, "it does not know that value"},
    {-26, "there is no such file or folder"},
    {-27, "there is a folder of that name already"},
    {-28, "it does not allow that"},
    {-29, "it does not accept this client"},
    {-50, "there is no card in it; put one in"},
    {-56, "it is in another mode; switch it to photo or video first"},
    {-57, "there is no update on its card"},
    {-58, "its battery is too low; charge it"},
    {-59, "its card can't be read; format it, or put in another card"},
    {-61, "its card is too slow for recording; put in a faster card"},
};

}  // namespace

std::span<const Command> commands() { return table; }

const Command* find_command(int id) {
  static_assert(std::is_sorted(std::begin(table), std::end(table),
                               [](const Command& a, const Command& b) { return a.id < b.id; }));
  const auto found = std::lower_bound(std::begin(table), std::end(table), id,
                                      [](const Command& c, int wanted) { return c.id < wanted; });
  return found != std::end(table) && found->id == id ? found : nullptr;
}

const Command* find_command(std::string_view name) {
  const auto found = std::find_if(std::begin(table), std::end(table),
                                  [&](const Command& c) { return c.name == name; });
  return found != std::end(table) ? found : nullptr;
}

std::string command_name(int id) {
  const Command* command = find_command(id);
  return command ? std::string(command->name) + " (" + std::to_string(id) + ")"
                 : "message " + std::to_string(id);
}

Privacy privacy_of(int id) {
  const Command* command = find_command(id);
  return command ? command->privacy : Privacy::secret;
}

std::string result_words(int rval) {
  for (const ResultCodeWords& code : result_table)
    if (code.rval == rval) return code.words;
  return "no, with a code that is not known (" + std::to_string(rval) + ")";
}

}  // namespace sphere::madv
