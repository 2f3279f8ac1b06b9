// SPDX-License-Identifier: LGPL-2.1-or-later
// Emulated cameras for tests.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <memory>
#include <string>
#include <vector>

#include "hw/madv/emulator/emulator.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

using emulator::Fault;
using madv_emulator::Emulator;
using madv_emulator::EmulatorOptions;

/// Each camera needs another table, because this process remembers the tables it has seen.
inline size_t camera_count = 0;

/// Bytes that stand for the lens table of the latest camera: the control channel does not look into
/// it.
inline std::string some_table() {
  std::string table(300000, '\0');
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<char>((i + camera_count) * 2654435761u >> 11);
  return table;
}

inline EmulatorOptions control_only(std::vector<const char*> faults = {}) {
  EmulatorOptions options;
  options.preview = false;
  ++camera_count;
  options.control.lens_table = some_table();
  options.photo_bytes = std::string("\xff\xd8 a photo \xff\xd9");
  options.video_bytes = "a video";
  for (const char* fault : faults) {
    const Result<Fault> parsed = madv_emulator::parse_fault(fault);
    fail_unless(bool(parsed), "%s", parsed ? "" : parsed.error().message.c_str());
    options.control.faults.push_back(*parsed);
  }
  return options;
}

inline EmulatorOptions with_preview(std::vector<const char*> faults = {}) {
  EmulatorOptions options = control_only(std::move(faults));
  options.preview = true;
  options.scene.width = 320;
  options.scene.height = 160;
  return options;
}

inline std::unique_ptr<Emulator> started(EmulatorOptions options) {
  Result<std::unique_ptr<Emulator>> emulator = Emulator::start(std::move(options));
  fail_unless(bool(emulator), "%s", emulator ? "" : emulator.error().message.c_str());
  return std::move(*emulator);
}

/// How many descriptors this process has open.
inline int open_files() {
  GDir* folder = g_dir_open("/proc/self/fd", 0, nullptr);
  int count = 0;
  while (g_dir_read_name(folder)) ++count;
  g_dir_close(folder);
  return count;
}

}  // namespace sphere::test
