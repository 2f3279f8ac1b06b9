// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/storage/pins.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/chain.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/private_file.h"
#include "gst/sphere/storage/stores.h"

namespace sphere::storage {

namespace {

constexpr size_t name_length = 32, fingerprint_length = 64;

struct ProcessPins {
  Mutex mutex;  // protects `pins`; the innermost
  std::map<std::string, std::string> pins SPHERE_GUARDED_BY(mutex);
};

ProcessPins& process_pins() {
  static ProcessPins one;
  return one;
}

bool given() { return consent::own_ledger_gives(Category::device, Purpose::bind); }

std::string path_of_camera(const std::string& camera) {
  return path_of(Store::pins) + "/" + consent::sha256(camera).substr(0, name_length);
}

/// The stored fingerprint. A file that can't be read or is not a fingerprint gives an empty one,
/// which no certificate has.
std::optional<std::string> read_pin(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) return std::nullopt;
  const auto file = consent::open_private(path, O_RDONLY);
  if (!file) return std::string();
  std::string text(fingerprint_length + 1, '\0');
  const ssize_t size = pread(file->descriptor.get(), text.data(), text.size(), 0);
  if (size != static_cast<ssize_t>(fingerprint_length)) return std::string();
  text.resize(fingerprint_length);
  mark_used(path);
  return text;
}

void write_pin(const std::string& path, const std::string& fingerprint) {
  if (!make_folder(Store::pins)) return;
  // Without the file, the camera is trusted again in the next process.
  g_file_set_contents_full(path.c_str(), fingerprint.data(),
                           static_cast<gssize>(fingerprint.size()), G_FILE_SET_CONTENTS_CONSISTENT,
                           0600, nullptr);
  // Withdrawn meanwhile: the files were removed, perhaps before this one was written.
  if (!given()) unlink(path.c_str());
}

}  // namespace

bool accept_certificate(const std::string& camera, const std::string& fingerprint) {
  if (fingerprint.size() != fingerprint_length) return false;
  ProcessPins& process = process_pins();
  const bool may_store = given();
  const std::string path = path_of_camera(camera);
  if (may_store)
    if (const std::optional<std::string> pin = read_pin(path)) return *pin == fingerprint;
  {
    const Lock lock(process.mutex);
    const auto [known, is_new] = process.pins.emplace(camera, fingerprint);
    if (known->second != fingerprint) return false;
  }
  if (may_store) write_pin(path, fingerprint);
  return true;
}

}  // namespace sphere::storage
