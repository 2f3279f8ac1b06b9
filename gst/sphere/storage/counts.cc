// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/storage/counts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "gst/sphere/base/json.h"
#include "gst/sphere/base/json_writer.h"
#include "gst/sphere/consent/ledger.h"

namespace sphere::storage {

namespace {

constexpr size_t max_file = 1 << 16;
constexpr double max_count = 1e12;
constexpr const char* marker_prefix = "running-";

bool given() { return consent::own_ledger_gives(Category::statistics, Purpose::improve); }

std::string month(int64_t now) {
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / G_USEC_PER_SEC);
  const GString_ text(time ? g_date_time_format(time, "%Y-%m") : nullptr);
  return to_string(text.get());
}

/// A file that can't be read counts as empty, because these numbers are not important enough for an
/// error.
std::map<std::string, int64_t> read_counts(int descriptor) {
  std::string text(max_file + 1, '\0');
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  std::map<std::string, int64_t> counts;
  auto document = JsonDocument::parse(text, "counts", max_file);
  if (!document || !JSON_NODE_HOLDS_OBJECT(document->root_node())) return counts;
  const JsonValue root = document->root();
  JsonObject* object = json_node_get_object(document->root_node());
  const std::unique_ptr<GList, Call<g_list_free>> names(json_object_get_members(object));
  for (const GList* name = names.get(); name; name = name->next) {
    const auto* key = static_cast<const char*>(name->data);
    counts[key] = static_cast<int64_t>(root[key].number(0, max_count));
  }
  if (document->problem()) counts.clear();
  return counts;
}

Status write_counts(int descriptor, const std::map<std::string, int64_t>& counts) {
  JsonWriter json;
  for (const auto& [name, value] : counts) json.add(name.c_str(), value);
  const std::string text = json.finish_text();
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return failed(std::string("the counts can't be written: ") + std::strerror(errno));
  return ok();
}

}  // namespace

int any_chance(int count) { return g_random_int_range(0, count); }

Status count(Store store, const std::vector<std::string>& names, int64_t now, Chance chance) {
  if (!given()) return ok();
  std::vector<std::string> up;
  for (const std::string& name : names)
    if (chance(count_step) == 0) up.push_back(name);
  if (up.empty()) return ok();
  const auto folder = make_folder(store);
  if (!folder) return folder.error();
  const std::string path = *folder + "/" + month(now) + ".json";
  const auto file = consent::open_private(path, O_RDWR | O_CREAT);
  if (!file) return file.error();
  const int descriptor = file->descriptor.get();
  if (flock(descriptor, LOCK_EX) != 0)
    return failed(path + " can't be locked: " + std::strerror(errno));
  auto counts = read_counts(descriptor);
  for (const std::string& name : up) counts[name] += count_step;
  const Status written = write_counts(descriptor, counts);
  // If consent was withdrawn in the meantime, the files were removed, perhaps before this one was
  // written.
  if (!given()) unlink(path.c_str());
  return written;
}

std::string duration_name(int64_t microseconds) {
  struct Step {
    int64_t seconds;
    const char* name;
  };
  constexpr std::array<Step, 4> steps = {
      {{1, "under-1-s"}, {10, "under-10-s"}, {60, "under-1-min"}, {600, "under-10-min"}}};
  for (const Step& step : steps)
    if (microseconds < step.seconds * G_USEC_PER_SEC) return step.name;
  return "longer";
}

void RunningCommand::begin(int64_t now, Chance chance) {
  if (!given()) return;
  const auto folder = make_folder(Store::crashes);
  if (!folder) return;
  const auto files = list_files(Store::crashes);
  if (!files) return;
  for (const StoredFile& one : *files) {
    if (one.path.find(std::string("/") + marker_prefix) == std::string::npos) continue;
    const auto left = consent::open_private(one.path, O_RDWR);
    if (!left || flock(left->descriptor.get(), LOCK_EX | LOCK_NB) != 0) continue;
    // If two commands find the same file, only the one that removes it counts it.
    if (unlink(one.path.c_str()) == 0) (void)count(Store::crashes, {"did-not-end"}, now, chance);
  }
  // The file is locked before it gets its name. Otherwise another command could find it without a
  // lock and count it.
  std::string name = *folder + "/new-XXXXXX";
  lock_ = Descriptor(mkostemp(name.data(), O_CLOEXEC));
  if (lock_.get() < 0) return;
  const std::string marked = *folder + "/" + marker_prefix + name.substr(name.size() - 6);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 || rename(name.c_str(), marked.c_str()) != 0) {
    unlink(name.c_str());
    return;
  }
  path_ = marked;
  if (!given()) end();
}

void RunningCommand::end() {
  if (!path_.empty()) unlink(path_.c_str());
  path_.clear();
  lock_ = Descriptor();
}

}  // namespace sphere::storage
