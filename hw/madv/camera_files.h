// SPDX-License-Identifier: LGPL-2.1-or-later
// Implements hw/camera_files.h with the control channel and the data port.

#pragma once

#include <deque>
#include <memory>
#include <string_view>

#include "gst/sphere/base/thread.h"
#include "hw/camera_files.h"
#include "hw/madv/session.h"
#include "hw/madv/uri.h"

namespace sphere::madv {

/// The photos and videos among the entries of a folder: names with their times, newest name first.
/// Names that a client could not use safely are left out, and the small copies of videos.
std::vector<hw::CameraFile> files_of_listing(
    const std::string& folder, const std::vector<std::pair<std::string, std::string>>& entries);

/// Whether this path below the card's root is that of a photo or a video, with names that a client
/// could use safely: a camera must not choose what is written on this machine beside them.
bool is_media_path(std::string_view path);

/// Whether the web server of a camera with this firmware, such as "1.3.97.85.5.13333", uses HTTPS.
bool has_https(std::string_view firmware);

/// The size in the reply to `media-info`: it has 32 bits, and above 2 GiB it is negative.
std::optional<uint64_t> told_size(const Message& message);

class MadvFiles : public hw::CameraFiles {
 public:
  MadvFiles(Session& session, const Uri& uri) : session_(session), uri_(uri) {}

  void list(std::function<bool(std::vector<hw::CameraFile>)> found, Done done) override;
  void info(const std::string& path,
            std::function<void(const hw::MediaInfo&, const std::optional<Failure>&)> done) override;
  void thumbnail(const std::string& path,
                 std::function<void(hw::Thumbnail, const std::optional<Failure>&)> done) override;
  unsigned read(hw::FileRead read) override;
  void cancel(unsigned number) override { session_.cancel_transfer(number); }
  void remove(const std::string& path, Done done) override;
  std::vector<std::string> companions(const std::string& path) const override;
  std::optional<hw::FileAddress> address(const std::string& path) const override;
  /// The newest file by its name; empty if there is none.
  void newest(std::function<void(const std::optional<std::string>& path)> done);

 private:
  /// One list at a time: the camera has one current folder.
  struct Listing;
  Request list_request() const;
  void next_listing();
  void list_folder(std::shared_ptr<Listing> listing);
  void end_listing(const std::shared_ptr<Listing>& listing, const std::optional<Failure>& failure);
  void remove_companions(std::vector<std::string> paths, Done done);

  Session& session_;
  const Uri& uri_;
  Mutex mutex_;  // protects listings_; never held during a request
  std::deque<std::shared_ptr<Listing>> listings_ SPHERE_GUARDED_BY(mutex_);  // the first is active
};

}  // namespace sphere::madv
