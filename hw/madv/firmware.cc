// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/firmware.h"

#include <glib.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace sphere::madv {

namespace {

using namespace std::string_view_literals;

// The one size that was published is 2,287,780 bytes. The bounds are ours: far below and far above
// what a system for such a camera, or a program for its remote control, can have.
constexpr uint64_t least_camera = 1 << 20, most_camera = 256 << 20;
constexpr uint64_t least_remote = 4 << 10, most_remote = 16 << 20;

/// What begins with these bytes, `at` bytes after the beginning, is a file of another kind.
struct OtherKind {
  size_t at;
  std::string_view bytes;
  const char* name;
};
constexpr OtherKind other_kinds[] = {
    {0, "\xff\xd8\xff"sv, "a JPEG picture"},
    {0, "\x89PNG\r\n"sv, "a PNG picture"},
    {0, "GIF8"sv, "a GIF picture"},
    {0, "II*\0"sv, "a TIFF or DNG picture"},
    {0, "MM\0*"sv, "a TIFF or DNG picture"},
    {0, "RIFF"sv, "a picture, video or sound in RIFF"},
    {4, "ftyp"sv, "a picture or video in the format of MP4"},
    {4, "moov"sv, "a video in the format of QuickTime"},
    {4, "mdat"sv, "a video in the format of QuickTime"},
    {0, "\x1a\x45\xdf\xa3"sv, "a Matroska or WebM video"},
    {0, "OggS"sv, "sound or video in Ogg"},
    {0, "fLaC"sv, "sound in FLAC"},
    {0, "ID3"sv, "sound in MP3"},
    {0, "%PDF"sv, "a PDF document"},
    {0, "PK\x03\x04"sv, "a ZIP archive; if the firmware is in it, unpack it first"},
    {0, "\x1f\x8b\x08"sv, "a gzip archive; if the firmware is in it, unpack it first"},
    {0, "Rar!\x1a\x07"sv, "a RAR archive; if the firmware is in it, unpack it first"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive; if the firmware is in it, unpack it first"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "an xz archive; if the firmware is in it, unpack it first"},
    {0,
     "\x7f"
     "ELF"sv,
     "a program for a computer"},
    {0, "MZ"sv, "a program for a computer"},
};

std::string small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = g_ascii_tolower(c);
  return small;
}

/// A browser numbers a second download, as in "MadvSysFW (1).bin".
bool has_name(const std::string& name, std::string_view wanted) {
  const std::string small = small_letters(name), full = small_letters(wanted);
  return small.starts_with(full.substr(0, full.rfind('.'))) && small.ends_with(".bin");
}

bool is_text(const std::string& beginning) {
  const bool has_controls = std::ranges::any_of(beginning, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
  });
  if (has_controls) return false;
  const char* end = nullptr;
  (void)g_utf8_validate(beginning.data(), static_cast<gssize>(beginning.size()), &end);
  // The last character may be cut.
  return end + 4 > beginning.data() + beginning.size();
}

}  // namespace

const char* firmware_name(bool remote_control) {
  return remote_control ? "rc_firmware.bin" : "MadvSysFW.bin";
}

Status check_firmware(const hw::FirmwareFile& file) {
  const std::string quoted = "'" + file.name + "'";
  if (file.size == 0) return invalid(quoted + " is empty");
  // The bytes say more than the name.
  for (const OtherKind& kind : other_kinds)
    if (file.beginning.size() >= kind.at &&
        std::string_view(file.beginning).substr(kind.at).starts_with(kind.bytes))
      return invalid(quoted + " is no firmware: it is " + kind.name);
  if (is_text(file.beginning)) return invalid(quoted + " is no firmware: it is text");
  if (file.beginning.find_first_not_of(file.beginning.substr(0, 1)) == std::string::npos)
    return invalid(quoted + " is no firmware: all its first bytes are the same; fetch it again");
  if (has_name(file.name, firmware_name(!file.remote_control)))
    return invalid(quoted + (file.remote_control
                                 ? " is the camera's firmware, not its remote control's"
                                 : " is the remote control's firmware, not the camera's"));
  if (!has_name(file.name, firmware_name(file.remote_control)))
    return invalid(quoted + " has not the vendor's name of this firmware, '" +
                   firmware_name(file.remote_control) + "'; take the vendor's file as it is");
  const uint64_t least = file.remote_control ? least_remote : least_camera;
  const uint64_t most = file.remote_control ? most_remote : most_camera;
  if (file.size < least || file.size > most)
    return invalid(quoted + " is no firmware: it has " + std::to_string(file.size) +
                   " bytes, and a file of firmware " + std::to_string(least) + " to " +
                   std::to_string(most));
  return ok();
}

}  // namespace sphere::madv
