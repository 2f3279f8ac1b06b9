// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/consent/ledger.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "gst/sphere/consent/notice.h"
#include "gst/sphere/consent/private_file.h"
#include "gst/sphere/consent/watch.h"

namespace sphere::consent {

namespace {

constexpr int64_t lock_wait = 3 * G_USEC_PER_SEC;
constexpr gulong lock_step = 2000;

Error system_error(const std::string& path, const char* what) {
  const int number = errno;
  return Error{number == ENOENT ? Error::Kind::not_found : Error::Kind::failed,
               path + ": " + what + ": " + std::strerror(number)};
}

Result<std::string> read_all(const PrivateFile& file, const std::string& path) {
  std::string text;
  char part[16384];
  for (;;) {
    const ssize_t size =
        pread(file.descriptor.get(), part, sizeof part, static_cast<off_t>(text.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error(path, "can't be read");
    if (size == 0) return text;
    text.append(part, static_cast<size_t>(size));
    if (text.size() > max_ledger) return invalid(path + ": too large for a ledger");
  }
}

bool write_all(int descriptor, std::string_view text, size_t at) {
  while (!text.empty()) {
    const ssize_t size = pwrite(descriptor, text.data(), text.size(), static_cast<off_t>(at));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    text.remove_prefix(static_cast<size_t>(size));
    at += static_cast<size_t>(size);
  }
  return true;
}

/// The file at `path`, locked against other processes; made if it is not there.
Result<PrivateFile> open_locked(const std::string& path, int flags) {
  const int64_t end = g_get_monotonic_time() + lock_wait;
  for (;;) {
    auto file = open_private(path, O_RDWR | flags);
    if (!file) return file;
    while (flock(file->descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) return system_error(path, "can't be locked");
      if (g_get_monotonic_time() > end)
        return failed(path + ": another process holds its lock; try again");
      g_usleep(lock_step);
    }
    // It may have been erased while we waited.
    struct stat now = {};
    if (stat(path.c_str(), &now) == 0 && now.st_ino == file->status.st_ino &&
        now.st_dev == file->status.st_dev)
      return file;
    if (g_get_monotonic_time() > end) return failed(path + ": goes away again and again");
  }
}

bool sync_folder(const std::string& path) {
  const GString_ folder(g_path_get_dirname(path.c_str()));
  const Descriptor opened(::open(folder.get(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && fsync(opened.get()) == 0;
}

/// The counter to be told with. One that can't be used is put out of the way, which the watchers
/// see, if more slowly.
std::unique_ptr<Watch> open_watch(const std::string& path) {
  auto watch = Watch::open(path, Watch::Mode::write);
  if (!watch && unlink(path.c_str()) == 0) watch = Watch::open(path, Watch::Mode::write);
  return watch ? std::move(*watch) : nullptr;
}

void complete(Entry& entry, const std::string& previous, int64_t now) {
  entry.time = time_text(now);
  entry.notice = notice_version;
  entry.notice_hash = notice_hash();
  entry.previous = previous;
  entry.hash = hash_of(entry);
}

}  // namespace

Result<PrivateFile> open_private(const std::string& path, int flags) {
  PrivateFile file;
  // Not blocked by a pipe of that name.
  file.descriptor = Descriptor(
      ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (file.descriptor.get() < 0)
    return errno == ELOOP ? failed(path + ": is a symbolic link, which is not followed")
                          : system_error(path, "can't be opened");
  if (fstat(file.descriptor.get(), &file.status) != 0)
    return system_error(path, "can't be looked at");
  if (!S_ISREG(file.status.st_mode)) return invalid(path + ": is not a regular file");
  if (file.status.st_uid != geteuid()) return failed(path + ": belongs to somebody else");
  if (file.status.st_mode & (S_IWGRP | S_IWOTH))
    return failed(path + ": others can write to it; chmod 600 it, if it can be believed");
  return file;
}

Ledger::Ledger(const std::string& name) : path_(name), own_folder_(name == "default") {
  if (!own_folder_) return;
  const GString_ path(
      g_build_filename(g_get_user_data_dir(), "gst-sphere", "consent.jsonl", nullptr));
  path_ = path.get();
}

Status Ledger::make_folder() const {
  if (!own_folder_) return ok();
  const GString_ folder(g_path_get_dirname(path_.c_str()));
  if (g_mkdir_with_parents(folder.get(), 0700) != 0)
    return system_error(folder.get(), "can't be made");
  return ok();
}

Result<Chain> Ledger::read() const {
  const auto file = open_private(path_, O_RDONLY);
  if (!file) {
    if (file.error().kind == Error::Kind::not_found) return Chain{};
    return file.error();
  }
  const auto text = read_all(*file, path_);
  if (!text) return text.error();
  auto chain = read_chain(*text);
  if (!chain) return invalid(path_ + ": damaged at " + chain.error().message);
  return chain;
}

bool Ledger::blocked() const {
  if (access(watch_path().c_str(), F_OK) != 0) return false;
  const auto watch = Watch::open(watch_path(), Watch::Mode::read);
  return watch && (*watch)->blocked();
}

Result<Ledger::Appended> Ledger::append(Entry entry, std::optional<int64_t> now_utc_us) const {
  if (const Status made = make_folder(); !made) return made.error();
  const bool gives = entry.act == Act::give;
  const bool takes = !gives && entry.act != Act::notice_shown;
  const std::unique_ptr<Watch> watch = open_watch(watch_path());
  const auto deny = [&](const std::string& why) -> Error {
    if (!takes) return failed(why);
    if (!watch) return failed(why + "; it is NOT taken back");
    watch->block(true);
    watch->bump();
    return failed(why + "; until it can be written, everything is denied");
  };

  const auto file = open_locked(path_, O_CREAT);
  if (!file) return deny(file.error().message);
  const auto text = read_all(*file, path_);
  if (!text) return deny(text.error().message);
  const auto chain = read_chain(*text);
  if (!chain) return deny(path_ + ": damaged at " + chain.error().message);
  const int64_t now = now_utc_us.value_or(g_get_real_time());
  if (gives && now < chain->latest)
    return failed(path_ + ": the clock is earlier than the last entry, of " +
                  time_text(chain->latest) + "; set it first");

  Appended appended;
  std::string lines, previous = chain->head();
  appended.recovered = chain->torn_withdrawal || (watch && watch->blocked());
  if (appended.recovered) {
    Entry recover{.act = Act::recover, .how = "recovery"};
    complete(recover, previous, now);
    previous = recover.hash;
    lines = serialise(recover) + "\n";
  }
  complete(entry, previous, now);
  lines += serialise(entry) + "\n";
  const size_t end = chain->whole + lines.size();
  if (end > (takes ? max_ledger : max_ledger - ledger_reserve))
    return deny(path_ + ": full; `sphere consent erase` begins a new one");

  // Over what was cut off: at no moment does it look as if nothing had been begun there.
  const int descriptor = file->descriptor.get();
  errno = 0;
  const bool written =
      write_all(descriptor, lines, chain->whole) &&
      (text->size() <= end || ftruncate(descriptor, static_cast<off_t>(end)) == 0) &&
      fsync(descriptor) == 0 && (!text->empty() || sync_folder(path_));
  if (!written) {
    const Error error = system_error(path_, "can't be written");
    // What is left of an act that gives is nothing; of one that takes back, it denies.
    if (!takes && !appended.recovered &&
        ftruncate(descriptor, static_cast<off_t>(chain->whole)) != 0)
      return deny(error.message + "; and a part of the entry stays");
    return deny(error.message);
  }
  if (watch) {
    watch->block(false);
    watch->bump();
    // What was given before was taken back in between: two changes.
    if (appended.recovered) watch->bump();
  }
  appended.told = watch != nullptr;
  appended.entry = std::move(entry);
  return appended;
}

Status Ledger::erase() const {
  if (access(path_.c_str(), F_OK) != 0 && errno == ENOENT) return ok();
  const std::unique_ptr<Watch> watch = open_watch(watch_path());
  const auto file = open_locked(path_, 0);
  if (!file) return file.error();
  if (unlink(path_.c_str()) != 0) return system_error(path_, "can't be removed");
  sync_folder(path_);
  // The counter stays: it holds nothing, and what runs watches it.
  if (watch) {
    watch->block(false);
    watch->bump();
  }
  return ok();
}

}  // namespace sphere::consent
