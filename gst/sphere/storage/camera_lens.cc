// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/storage/camera_lens.h"

#include <fcntl.h>
#include <unistd.h>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/chain.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/private_file.h"
#include "gst/sphere/storage/stores.h"

namespace sphere::storage {

namespace {

constexpr size_t name_length = 32;
// Profiles have some kilobytes.
constexpr size_t max_file = 1 << 16;

bool given() { return consent::own_ledger_gives(Category::device, Purpose::bind); }

std::string path_of_key(const CameraLensKey& key) {
  return path_of(Store::lenses) + "/" + camera_lens_prefix(key.serial) +
         consent::sha256(key.model + "\n" + key.form).substr(0, name_length) + ".json";
}

}  // namespace

std::string camera_lens_prefix(const std::string& serial) {
  return consent::sha256(serial).substr(0, name_length) + "-";
}

Result<bool> write_camera_lens(const CameraLensKey& key, const std::string& profile) {
  if (!given() || key.model.empty()) return false;
  if (const auto folder = make_folder(Store::lenses); !folder) return folder.error();
  const std::string path = path_of_key(key);
  g_autoptr(GError) error = nullptr;
  if (!g_file_set_contents_full(path.c_str(), profile.data(), static_cast<gssize>(profile.size()),
                                G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    return failed(std::string("the lenses of this camera can't be stored: ") + error->message);
  // Withdrawn meanwhile: the files were removed, perhaps before this one was written.
  if (given()) return true;
  unlink(path.c_str());
  return false;
}

std::optional<std::string> read_camera_lens(const CameraLensKey& key) {
  if (!given() || key.model.empty()) return std::nullopt;
  const std::string path = path_of_key(key);
  const auto file = consent::open_private(path, O_RDONLY);
  if (!file) return std::nullopt;
  std::string text(max_file + 1, '\0');
  const ssize_t size = pread(file->descriptor.get(), text.data(), text.size(), 0);
  if (size <= 0 || static_cast<size_t>(size) > max_file) return std::nullopt;
  text.resize(static_cast<size_t>(size));
  mark_used(path);
  return text;
}

}  // namespace sphere::storage
