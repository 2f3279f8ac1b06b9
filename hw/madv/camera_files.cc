// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/camera_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "hw/madv/generic.h"
#include "hw/madv/outcome.h"

namespace sphere::madv {

namespace {

constexpr const char* media_root = "/tmp/SD0/DCIM/";
constexpr const char* media_folder = "DCIM/";
constexpr std::string_view main_video = "AA.MP4", small_video = "AB.MP4", photo = ".JPG";

// A folder for each day of 27 years.
constexpr size_t max_folders = 10000;

std::string camera_path(const std::string& path) { return std::string(card_root) + "/" + path; }

bool ends_with(std::string_view name, std::string_view ending) {
  return name.size() >= ending.size() &&
         g_ascii_strncasecmp(name.data() + name.size() - ending.size(), ending.data(),
                             ending.size()) == 0;
}

/// Names come from the camera, and become names of files on this machine.
bool is_safe_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.size() <= 255 &&
         std::ranges::all_of(
             name, [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != '\\' && c != '"'; });
}

bool is_media(std::string_view name) {
  if (ends_with(name, small_video)) return false;
  return std::ranges::any_of(std::initializer_list<std::string_view>{".jpg", ".dng", ".mp4"},
                             [&](std::string_view ending) { return ends_with(name, ending); });
}

/// The name of a folder with media: a day, "20171216", or a number and a word, "100MEDIA", as
/// related cameras have it.
bool is_media_folder(std::string_view name) {
  const auto all = [](std::string_view part, auto is) { return std::ranges::all_of(part, is); };
  const auto is_digit = [](char c) { return g_ascii_isdigit(c) != 0; };
  const auto is_word = [](char c) { return g_ascii_isalnum(c) || c == '_'; };
  if (name.empty() || name.size() > 64) return false;
  return all(name, is_digit) ||
         (name.size() == 8 && all(name.substr(0, 3), is_digit) && all(name.substr(3), is_word));
}

/// The value of an entry: a time, or "SIZE bytes|TIME".
void read_entry(const std::string& value, hw::CameraFile& file) {
  const size_t bar = value.find('|');
  file.date = printable(bar == std::string::npos ? value : value.substr(bar + 1), 64);
  guint64 size = 0;
  constexpr std::string_view unit = " bytes";
  if (bar != std::string::npos && bar > unit.size() &&
      value.compare(bar - unit.size(), unit.size(), unit) == 0 &&
      g_ascii_string_to_unsigned(value.substr(0, bar - unit.size()).c_str(), 10, 0, G_MAXUINT64,
                                 &size, nullptr))
    file.size = size;
}

std::optional<Failure> failure_of(const Status& status) {
  if (status) return std::nullopt;
  using Reason = Failure::Reason;
  const Error& error = status.error();
  const Reason reason = error.kind == Error::Kind::invalid       ? Reason::broken
                        : error.kind == Error::Kind::unsupported ? Reason::refused
                                                                 : Reason::gone;
  return Failure(reason, error.message);
}

}  // namespace

struct MadvFiles::Listing {
  std::function<bool(std::vector<hw::CameraFile>)> found;
  Done done;
  std::vector<std::string> folders;  // not read yet, the newest at the end
};

bool is_media_path(std::string_view path) {
  for (;;) {
    const size_t end = path.find('/');
    if (!is_safe_name(path.substr(0, end))) return false;
    if (end == std::string_view::npos) return is_media(path);
    path.remove_prefix(end + 1);
  }
}

std::vector<hw::CameraFile> files_of_listing(
    const std::string& folder, const std::vector<std::pair<std::string, std::string>>& entries) {
  std::vector<hw::CameraFile> files;
  for (const auto& [name, value] : entries) {
    if (!is_safe_name(name) || !is_media(name)) continue;
    hw::CameraFile file;
    file.path = folder + name;
    read_entry(value, file);
    files.push_back(std::move(file));
  }
  std::ranges::sort(files, std::greater(), &hw::CameraFile::path);
  return files;
}

bool has_https(std::string_view firmware) {
  // The vendor's client uses HTTPS with firmware that is newer than this.
  constexpr std::array last_without = {1, 3, 105, 114, 5, 18100};
  for (const int known : last_without) {
    int number = 0;
    const auto [end, error] =
        std::from_chars(firmware.data(), firmware.data() + firmware.size(), number);
    if (error != std::errc()) return false;
    if (number != known) return number > known;
    firmware.remove_prefix(static_cast<size_t>(end - firmware.data()));
    if (firmware.starts_with('.')) firmware.remove_prefix(1);
  }
  return !firmware.empty();
}

std::optional<uint64_t> told_size(const Message& message) {
  const std::optional<int64_t> size = message.number(field::size);
  if (!size || *size < INT32_MIN) return std::nullopt;
  return static_cast<uint64_t>(*size < 0 ? *size + (int64_t{1} << 32) : *size);
}

void MadvFiles::list(std::function<bool(std::vector<hw::CameraFile>)> found, Done done) {
  const auto listing = std::make_shared<Listing>(Listing{std::move(found), std::move(done), {}});
  {
    const Lock lock(mutex_);
    listings_.push_back(listing);
    if (listings_.size() > 1) return;
  }
  next_listing();
}

/// Related cameras tell sizes if they are asked.
Request MadvFiles::list_request() const {
  return session_.state().dialect == Dialect::generic ? Request(msg_list, generic::detailed_list)
                                                      : Request(msg_list);
}

void MadvFiles::newest(std::function<void(const std::optional<std::string>& path)> done) {
  const auto path = std::make_shared<std::optional<std::string>>();
  list(
      [path](const std::vector<hw::CameraFile>& files) {
        *path = files.front().path;
        return false;
      },
      [path, done = std::move(done)](const std::optional<Failure>&) { done(*path); });
}

void MadvFiles::next_listing() {
  std::shared_ptr<Listing> listing;
  {
    const Lock lock(mutex_);
    if (listings_.empty()) return;
    listing = listings_.front();
  }
  session_.request(Request(msg_change_folder, media_root), [this, listing](const Reply& reply) {
    // A card without this folder has no pictures yet.
    if (reply.message && reply.message->rval() == rval_invalid_path)
      return end_listing(listing, std::nullopt);
    if (const auto failure = madv::failure_of(reply, "open its folder of pictures"))
      return end_listing(listing, failure);
    session_.request(list_request(), [this, listing](const Reply& answer) {
      if (const auto failure = madv::failure_of(answer, "list its folders"))
        return end_listing(listing, failure);
      for (const auto& [name, value] : answer.message->entries("listing")) {
        const std::string_view folder =
            std::string_view(name).substr(0, name.ends_with('/') ? name.size() - 1 : 0);
        if (is_media_folder(folder) && listing->folders.size() < max_folders)
          listing->folders.emplace_back(folder);
      }
      std::ranges::sort(listing->folders);
      // Files that are not in a folder of a day.
      std::vector<hw::CameraFile> files =
          files_of_listing(media_folder, answer.message->entries("listing"));
      if (!files.empty() && !listing->found(std::move(files)))
        return end_listing(listing, std::nullopt);
      list_folder(listing);
    });
  });
}

void MadvFiles::list_folder(std::shared_ptr<Listing> listing) {
  if (listing->folders.empty()) return end_listing(listing, std::nullopt);
  const std::string folder = listing->folders.back();
  listing->folders.pop_back();
  session_.request(Request(msg_change_folder, media_root + folder + "/"),
                   [this, listing, folder](const Reply& reply) {
                     // It may have been removed in the meantime.
                     if (reply.message && reply.message->rval() == rval_invalid_path)
                       return list_folder(listing);
                     if (const auto failure = madv::failure_of(reply, "open a folder"))
                       return end_listing(listing, failure);
                     session_.request(list_request(), [this, listing, folder](const Reply& answer) {
                       if (const auto failure = madv::failure_of(answer, "list a folder"))
                         return end_listing(listing, failure);
                       std::vector<hw::CameraFile> files = files_of_listing(
                           media_folder + folder + "/", answer.message->entries("listing"));
                       if (!files.empty() && !listing->found(std::move(files)))
                         return end_listing(listing, std::nullopt);
                       list_folder(listing);
                     });
                   });
}

void MadvFiles::end_listing(const std::shared_ptr<Listing>& listing,
                            const std::optional<Failure>& failure) {
  {
    const Lock lock(mutex_);
    listings_.pop_front();
  }
  listing->done(failure);
  next_listing();
}

void MadvFiles::info(
    const std::string& path,
    std::function<void(const hw::MediaInfo&, const std::optional<Failure>&)> done) {
  session_.request(
      Request(msg_media_info, camera_path(path)), [done = std::move(done)](const Reply& reply) {
        if (const auto failure = madv::failure_of(reply, "describe the file"))
          return done({}, failure);
        const Message& message = *reply.message;
        hw::MediaInfo info;
        info.size = told_size(message);
        info.date = printable(message.text("date").value_or(""), 64);
        info.resolution = printable(message.text("resolution").value_or(""), 64);
        if (const auto mode = message.number("res_id"); mode && info.resolution.empty())
          if (const Choice* choice = find_choice(msg_video_resolution, static_cast<int>(*mode)))
            info.resolution = choice->words;
        if (const auto seconds = message.number("duration"); seconds && *seconds >= 0)
          info.seconds = static_cast<double>(*seconds);
        info.type = printable(message.text("media_type").value_or(""), 64);
        if (const auto scene = message.number("scene_type")) info.stitched = *scene == 0;
        done(info, std::nullopt);
      });
}

void MadvFiles::thumbnail(const std::string& path,
                          std::function<void(hw::Thumbnail, const std::optional<Failure>&)> done) {
  const bool is_video = ends_with(path, ".mp4");
  // As the vendor's client does it, the small copy of a video is asked for its first picture.
  std::string of = path;
  if (ends_with(path, main_video)) of.replace(of.size() - small_video.size(), 2, "AB");
  ThumbnailRequest request;
  request.path = camera_path(of);
  request.type = is_video ? "idr" : "thumb";
  request.done = [is_video, done = std::move(done)](const Result<std::string>& bytes) {
    if (bytes)
      done({*bytes, !is_video}, std::nullopt);
    else
      done({}, Failure(Failure::Reason::refused, bytes.error().message));
  };
  session_.get_thumbnail(std::move(request));
}

unsigned MadvFiles::read(hw::FileRead read) {
  Download download;
  download.path = camera_path(read.path);
  download.offset = read.offset;
  download.size = read.size;
  download.md5 = std::move(read.md5);
  download.sink = std::move(read.sink);
  download.told_size = std::move(read.told_size);
  download.done = [done = std::move(read.done)](const Status& status) { done(failure_of(status)); };
  return session_.get_file(std::move(download));
}

void MadvFiles::remove(const std::string& path, Done done) {
  ask(session_, Request(msg_delete_file, camera_path(path)), "delete the file",
      [this, path, done = std::move(done)](const std::optional<Failure>& failure) {
        if (failure) return done(failure);
        // A raw picture is in the list, and is deleted by its own name.
        remove_companions(
            ends_with(path, main_video) ? companions(path) : std::vector<std::string>(), done);
      });
}

void MadvFiles::remove_companions(std::vector<std::string> paths, Done done) {
  if (paths.empty()) {
    // The camera counts its files again.
    session_.request(Request(msg_deletion_done), [done](const Reply&) { done(std::nullopt); });
    return;
  }
  const std::string path = paths.back();
  paths.pop_back();
  session_.request(Request(msg_delete_file, camera_path(path)),
                   [this, paths, done](const Reply&) { remove_companions(paths, done); });
}

std::vector<std::string> MadvFiles::companions(const std::string& path) const {
  std::string other = path;
  if (ends_with(path, photo)) {
    other.replace(other.size() - photo.size(), photo.size(), ".DNG");
    return {other};
  }
  if (!ends_with(path, main_video)) return {};
  other.replace(other.size() - small_video.size(), 2, "AB");
  return {other};
}

std::optional<hw::FileAddress> MadvFiles::address(const std::string& path) const {
  // Related cameras say that they have none.
  if (session_.state().dialect == Dialect::generic) return std::nullopt;
  Uri file = uri_;
  file.file = path;
  return hw::FileAddress{file.http_url(),
                         has_https(session_.state().firmware) ? file.https_url() : std::string()};
}

}  // namespace sphere::madv
