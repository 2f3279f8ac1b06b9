// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/untold_parts.h"

#include <glib.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace sphere::tool {

namespace {

using Failed = std::optional<hw::Failure>;
using FolderHandler = std::function<bool(const std::vector<hw::CameraFile>&)>;

// Files beside the folders, and the newest folder.
constexpr size_t most_noted = 2;
// A camera may begin a little after its answer, and tells whole seconds.
constexpr int64_t longest_delay = 3;  // s

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

std::string ending_of(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  const GString_ small(g_ascii_strdown(dot == std::string::npos ? "" : name.c_str() + dot, -1));
  return small.get();
}

/// Calls `found` for each folder of the card, the newest one first, until it returns false. It may
/// be called after this function has returned, if the command is interrupted.
Failed list(CameraCommand& command, FolderHandler found) {
  hw::CameraFiles* const files = command.camera().files();
  if (!files) return hw::Failure(hw::Failure::Reason::refused, "the camera has no list of files");
  return command.run([&](auto handler) {
    files->list([found = std::move(found)](std::vector<hw::CameraFile> one) { return found(one); },
                std::move(handler));
  });
}

}  // namespace

Failed UntoldParts::note_card(CameraCommand& command) {
  const auto noted = std::make_shared<Card>();
  const Failed failure =
      list(command, [noted, folders = size_t{0}](const std::vector<hw::CameraFile>& files) mutable {
        noted->is_whole = ++folders <= most_noted;
        if (!noted->is_whole) return false;
        for (const hw::CameraFile& file : files) {
          noted->paths.insert(file.path);
          noted->folders.insert(folder_of(file.path));
        }
        return true;
      });
  if (g_cancellable_is_cancelled(command.cancellable())) return CameraCommand::interrupted();
  // Without the list, the recording goes on as well.
  if (!failure) before_ = std::move(*noted);
  return std::nullopt;
}

void UntoldParts::begin() { begun_ = g_get_monotonic_time(); }

void UntoldParts::go_on(CameraCommand& command) {
  was_lost_ = true;
  const gint64 asked = g_get_monotonic_time();
  const Failed failure =
      command.run([&](auto handler) { command.camera().update_state(std::move(handler)); });
  const std::optional<int64_t> recorded = command.camera().state().recorded_seconds;
  // Somebody may have pressed the camera's button twice.
  is_certain_ = is_certain_ && before_ && !failure && recorded &&
                *recorded + longest_delay >= (asked - begun_) / G_USEC_PER_SEC;
}

std::optional<std::vector<std::string>> UntoldParts::complete(
    CameraCommand& command, const std::vector<std::string>& told) const {
  if (!was_lost_) return told;
  if (!is_certain_ || told.empty() || !std::ranges::is_sorted(told)) return std::nullopt;
  const auto now = std::make_shared<Card>();
  const Failed failure = list(command, [now, left = before_->folders, whole = before_->is_whole](
                                           const std::vector<hw::CameraFile>& files) mutable {
    for (const hw::CameraFile& file : files) {
      now->paths.insert(file.path);
      left.erase(folder_of(file.path));
    }
    // What is in older folders was there before.
    now->is_whole = whole || left.empty();
    return whole || !left.empty();
  });
  if (failure || !now->is_whole || !now->paths.contains(told.back())) return std::nullopt;
  std::set<std::string> others = before_->paths;
  for (const std::string& path : now->paths)
    for (std::string& companion : command.camera().files()->companions(path))
      others.insert(std::move(companion));
  std::vector<std::string> all = told;
  for (const std::string& path : now->paths)
    if (!others.contains(path) && ending_of(path) == ending_of(told.back()) &&
        std::ranges::find(told, path) == told.end())
      all.push_back(path);
  std::ranges::sort(all);
  return all;
}

}  // namespace sphere::tool
