// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/table_cache.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/md5.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/storage/stores.h"
#include "hw/madv/connect.h"

namespace sphere::madv {

namespace {

/// One table is enough for another connection to the same camera.
struct Remembered {
  Mutex mutex;  // protects the two; the innermost
  std::string md5 SPHERE_GUARDED_BY(mutex);
  std::string table SPHERE_GUARDED_BY(mutex);
};
Remembered& remembered() {
  static Remembered one;
  return one;
}

}  // namespace

std::optional<std::string> remembered_table(const std::string& md5) {
  Remembered& last = remembered();
  const Lock lock(last.mutex);
  if (md5.empty() || last.md5 != md5) return std::nullopt;
  return last.table;
}

void remember_table(const std::string& md5, std::string_view table) {
  Remembered& last = remembered();
  const Lock lock(last.mutex);
  last.md5 = md5;
  last.table = table;
}

TableCache::TableCache(std::string folder) : folder_(std::move(folder)) {
  if (folder_.empty()) folder_ = storage::path_of(storage::Store::tables);
}

std::string TableCache::path(const std::string& md5) const { return folder_ + "/" + md5 + ".bin"; }

std::optional<std::string> TableCache::load(const std::string& md5) const {
  // The name comes from the network, therefore it must have only digits to be part of a path.
  if (!read_md5(md5)) return std::nullopt;
  GStatBuf info;
  if (g_stat(path(md5).c_str(), &info) != 0 || info.st_size < 0 ||
      static_cast<size_t>(info.st_size) > ConnectSequence::max_table_size)
    return std::nullopt;
  char* bytes = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(path(md5).c_str(), &bytes, &size, nullptr)) return std::nullopt;
  const GString_ owned(bytes);
  std::string table(bytes, size);
  if (md5_of(table) != md5) return std::nullopt;
  storage::mark_used(path(md5));
  return table;
}

Status TableCache::store(const std::string& md5, std::string_view table) const {
  if (!read_md5(md5) || md5_of(table) != md5)
    return invalid("the lens table does not have the checksum that the camera announced");
  if (g_mkdir_with_parents(folder_.c_str(), 0700) != 0)
    return failed("the folder '" + folder_ + "' can't be made: " + g_strerror(errno));
  g_autoptr(GError) error = nullptr;
  if (!g_file_set_contents_full(path(md5).c_str(), table.data(), static_cast<gssize>(table.size()),
                                G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    return failed(std::string("the lens table can't be stored: ") + error->message);
  return ok();
}

void TableCache::forget(const std::string& md5) const {
  if (read_md5(md5)) g_unlink(path(md5).c_str());
}

}  // namespace sphere::madv
