// SPDX-License-Identifier: LGPL-2.1-or-later
// What a camera tells about its files, its firmware and its Wi-Fi. Names of files become names on
// this machine: whatever comes, they are safe.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "hw/madv/camera_files.h"
#include "hw/madv/camera_upkeep.h"

using namespace sphere;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)madv::has_https(text);
  const hw::CameraWifi wifi = madv::wifi_of(text);
  if (wifi.name.find('\n') != std::string::npos || wifi.password.find('\n') != std::string::npos)
    abort();
  const Result<madv::Message> message = madv::Message::parse(text);
  if (!message) return 0;
  const std::string folder = "DCIM/20171216/";
  for (const hw::CameraFile& file : madv::files_of_listing(folder, message->entries("listing"))) {
    if (!file.path.starts_with(folder)) abort();
    const std::string name = file.path.substr(folder.size());
    if (name.empty() || name.front() == '.' || name.size() > 255) abort();
    for (const char c : name)
      if (c == '/' || c == '\\' || c <= ' ' || c >= 0x7f) abort();
    for (const char c : file.date)
      if (c >= 0 && c < ' ') abort();
  }
  if (const auto told = madv::told_size(*message); told && *told > uint64_t{1} << 63) abort();
  return 0;
}
