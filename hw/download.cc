// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/download.h"

#include <fcntl.h>
#include <glib.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/file.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::hw {

namespace {

using Reason = Failure::Reason;
using Clock = std::chrono::steady_clock;

constexpr size_t suffix_digits = 8;

Failure file_failure(const std::string& path, const char* what) {
  const int error = errno;
  std::string message = "'" + path + "' can't be " + what + ": " + std::strerror(error);
  if (error == ENOSPC || error == EDQUOT) message += "; make room, and start again: it continues";
  return {Reason::stopped, message};
}

/// The file with what has arrived so far.
class PartFile {
 public:
  /// `key` is different for each version of each file on the card.
  PartFile(std::string destination, const std::string& key) : destination_(std::move(destination)) {
    const GString_ digest(g_compute_checksum_for_string(G_CHECKSUM_SHA256, key.c_str(), -1));
    path_ = destination_ + "." + std::string(digest.get(), suffix_digits) + ".part";
  }

  std::optional<Failure> open() {
    descriptor_ =
        Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!descriptor_) return file_failure(path_, "written");
    if (flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0)
      return Failure(Reason::held, "another program is fetching '" + destination_ + "'");
    struct stat status = {};
    if (fstat(descriptor_.get(), &status) != 0 || !S_ISREG(status.st_mode))
      return Failure(Reason::stopped, "'" + path_ + "' is not a regular file; remove it");
    size_ = static_cast<uint64_t>(status.st_size);
    return std::nullopt;
  }

  uint64_t size() const { return size_; }

  std::optional<Failure> append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written =
          pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return file_failure(path_, "written");
      size_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return std::nullopt;
  }

  std::optional<Failure> restart() {
    if (ftruncate(descriptor_.get(), 0) != 0) return file_failure(path_, "written");
    size_ = 0;
    return std::nullopt;
  }

  /// Gives it its name. `date` is the camera's time, "2017-01-01 20:46:24"; it may be empty.
  std::optional<Failure> commit(const std::string& date, bool clobber) {
    set_time(date);
    if (fsync(descriptor_.get()) != 0) return file_failure(path_, "written");
    const unsigned flags = clobber ? 0 : RENAME_NOREPLACE;
    if (syscall(SYS_renameat2, AT_FDCWD, path_.c_str(), AT_FDCWD, destination_.c_str(), flags) == 0)
      return std::nullopt;
    if (errno == EEXIST) return Failure(Reason::stopped, "'" + destination_ + "' exists already");
    // Some file systems don't know the flag.
    if (errno == EINVAL && (clobber || access(destination_.c_str(), F_OK) != 0) &&
        rename(path_.c_str(), destination_.c_str()) == 0)
      return std::nullopt;
    return file_failure(destination_, "written");
  }

 private:
  /// The camera has no time zone: its clock is set to the time of this machine.
  void set_time(const std::string& date) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (std::sscanf(date.c_str(), "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute,
                    &second) != 6)
      return;
    g_autoptr(GDateTime) time = g_date_time_new_local(year, month, day, hour, minute, second);
    if (!time) return;
    const timespec both = {static_cast<time_t>(g_date_time_to_unix(time)), 0};
    const timespec times[] = {both, both};
    futimens(descriptor_.get(), times);
  }

  const std::string destination_;
  std::string path_;
  Descriptor descriptor_;
  uint64_t size_ = 0;
};

class Downloader {
 public:
  Downloader(CameraClient& client, const DownloadOptions& options, GCancellable* cancellable)
      : options_(options),
        cancellable_(cancellable),
        file_(client, options.path, options.transport, options.pins) {}

  std::optional<Failure> run(DownloadReport& report) {
    const Result<OutputPlace> place = find_output_place(options_.destination);
    if (!place) return Failure(Reason::stopped, place.error().message);
    MediaInfo info;
    if (const auto failure = describe(info)) return failure;
    PartFile part(place->path,
                  options_.path + "\n" + std::to_string(info.size.value_or(0)) + "\n" + info.date);
    if (!options_.clobber && access(place->path.c_str(), F_OK) == 0)
      return Failure(Reason::stopped, "'" + options_.destination + "' exists already");
    if (const auto failure = part.open()) return failure;
    if (file_.size() && part.size() > *file_.size()) file_.assume_more_than(part.size());
    const bool is_assumed = file_.size() != info.size;
    const uint64_t before = part.size();
    tell(part);
    std::optional<Failure> failure = fetch(part, report);
    if (failure && is_assumed && part.size() == before && !may_pass(*failure) && !is_cancelled()) {
      // The size was right, and what is there is not a part of this file.
      if (auto again = part.restart()) return again;
      if (auto unknown = describe(info)) return unknown;
      failure = fetch(part, report);
    }
    if (failure) return failure;
    report.size = part.size();
    return part.commit(info.date, options_.clobber);
  }

 private:
  bool is_cancelled() const { return g_cancellable_is_cancelled(cancellable_); }
  static Failure cancelled() { return {Reason::stopped, "the transfer was cancelled"}; }

  void tell(const PartFile& part) {
    if (options_.progress) options_.progress(part.size(), file_.size());
  }

  std::optional<Failure> describe(MediaInfo& info) {
    const Clock::time_point until = Clock::now() + options_.idle_timeout;
    RetryPause retry;
    for (;;) {
      const std::optional<Failure> failure = file_.describe(info, cancellable_);
      if (!failure) return std::nullopt;
      if (is_cancelled()) return cancelled();
      if (!may_pass(*failure) || Clock::now() + retry.next() > until) return failure;
      retry.wait(cancellable_);
      if (is_cancelled()) return cancelled();
    }
  }

  std::optional<Failure> fetch(PartFile& part, DownloadReport& report) {
    Clock::time_point last_byte = Clock::now();
    RetryPause retry;
    while (!file_.size() || part.size() < *file_.size()) {
      const uint64_t before = part.size();
      const std::optional<uint64_t> known = file_.size();
      write_failure_.reset();
      std::optional<Failure> failure = file_.read(
          part.size(), std::nullopt, [&](std::string_view bytes) { return take(part, bytes); },
          cancellable_);
      report.transport = file_.used();
      report.fetched += part.size() - before;
      if (is_cancelled()) return cancelled();
      if (write_failure_) return write_failure_;
      if (!failure) {
        if (!file_.size() || part.size() >= *file_.size()) break;
        // The file is longer than was known when this read began.
        if (part.size() > before && file_.size() != known) continue;
        failure = Failure(Reason::gone, "the camera sent less than the whole file");
      }
      if (failure->reason == Reason::broken && !std::exchange(started_again_, true)) {
        // What has arrived can't be trusted.
        if (const auto again = part.restart()) return again;
        ++report.cuts;
        continue;
      }
      if (part.size() > before) {
        last_byte = Clock::now();
        retry.reset();
      }
      if (!may_pass(*failure)) return failure;
      if (Clock::now() - last_byte > options_.idle_timeout) return failure;
      ++report.cuts;
      retry.wait(cancellable_);
      if (is_cancelled()) return cancelled();
    }
    if (file_.size() && part.size() != *file_.size())
      return Failure(Reason::broken, "the camera sent more than the file's size");
    return std::nullopt;
  }

  Status take(PartFile& part, std::string_view bytes) {
    if (const auto failure = part.append(bytes)) {
      write_failure_ = failure;
      return failed(failure->message);
    }
    tell(part);
    return ok();
  }

  const DownloadOptions& options_;
  GCancellable* const cancellable_;
  CardFile file_;
  bool started_again_ = false;
  std::optional<Failure> write_failure_;  // of the part file
};

}  // namespace

std::optional<Failure> download(CameraClient& client, const DownloadOptions& options,
                                GCancellable* cancellable, DownloadReport* report) {
  DownloadReport own;
  return Downloader(client, options, cancellable).run(report ? *report : own);
}

}  // namespace sphere::hw
