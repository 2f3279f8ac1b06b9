// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/consent/ledger.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "gst/sphere/consent/notice.h"
#include "gst/sphere/consent/private_file.h"

namespace sphere::consent {

namespace {

constexpr int64_t lock_wait = 3 * G_USEC_PER_SEC;
// Shorter than the time that an act takes. Otherwise a process that writes many acts could take the
// lock again each time, before the waiting process has tried.
constexpr gulong lock_step = 200;

Error system_error(const std::string& path, const char* what) {
  const int number = errno;
  return Error{number == ENOENT ? Error::Kind::not_found : Error::Kind::failed,
               path + ": " + what + ": " + std::strerror(number)};
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
    if (g_get_monotonic_time() > end) return failed(path + ": was removed again and again");
  }
}

bool sync_folder(const std::string& path) {
  const GString_ folder(g_path_get_dirname(path.c_str()));
  const Descriptor opened(::open(folder.get(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.get() >= 0 && fsync(opened.get()) == 0;
}

/// Makes sure that the bytes behind the last complete entry deny everything: either the written
/// part of a withdrawal, or a byte with which no act begins. That byte needs no free block on the
/// disk if the last block of the file has room.
bool leave_torn(int descriptor, size_t whole) {
  char torn[32];
  const auto end = static_cast<off_t>(whole);
  const ssize_t size = pread(descriptor, torn, sizeof torn, end);
  if (size < 0) return false;
  const bool there = size > 0 && may_take_back({torn, static_cast<size_t>(size)});
  if (!there && !write_all(descriptor, std::string_view("\0", 1), whole) &&
      (size > 0 || ftruncate(descriptor, end + 1) != 0))
    return false;
  return fsync(descriptor) == 0;
}

/// Identifies the file at a path, if there is one: device and inode number, which differ between a
/// new file and an old one.
std::optional<std::pair<dev_t, ino_t>> file_at(const std::string& path) {
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0) return std::nullopt;
  return std::pair(status.st_dev, status.st_ino);
}

/// Removes the file at `path` if it is still `expected`. Another process may put a new file there
/// at the same moment. Therefore the file is moved away first and then checked, so that no other
/// file is removed.
bool remove_if_same(const std::string& path,
                    const std::optional<std::pair<dev_t, ino_t>>& expected) {
  const std::string aside = path + ".done";
  if (rename(path.c_str(), aside.c_str()) != 0) return errno == ENOENT;
  if (file_at(aside) == expected && std::remove(aside.c_str()) == 0) return true;
  rename(aside.c_str(), path.c_str());
  return false;
}

void complete(Entry& entry, const std::string& previous, int64_t now) {
  entry.time = time_text(now);
  entry.notice = notice_version;
  entry.notice_hash = notice_hash();
  entry.previous = previous;
  entry.hash = hash_of(entry);
}

thread_local uint64_t bytes_read = 0;

}  // namespace

Result<std::string> read_from(const PrivateFile& file, const std::string& path, size_t offset) {
  std::string text;
  char part[16384];
  for (;;) {
    const size_t at = offset + text.size();
    const ssize_t size = pread(file.descriptor.get(), part, sizeof part, static_cast<off_t>(at));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error(path, "can't be read");
    if (size == 0) return text;
    bytes_read += static_cast<uint64_t>(size);
    text.append(part, static_cast<size_t>(size));
    if (offset + text.size() > max_ledger) return invalid(path + ": is too large for a ledger");
  }
}

uint64_t ledger_bytes_read() { return bytes_read; }

Result<PrivateFile> open_private(const std::string& path, int flags) {
  PrivateFile file;
  // O_NONBLOCK: to open a pipe of that name would wait for somebody who writes into it.
  file.descriptor = Descriptor(
      ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (file.descriptor.get() < 0)
    return errno == ELOOP ? failed(path + ": is a symbolic link, which is not followed")
                          : system_error(path, "can't be opened");
  if (fstat(file.descriptor.get(), &file.status) != 0)
    return system_error(path, "can't be checked");
  if (!S_ISREG(file.status.st_mode)) return invalid(path + ": is not a regular file");
  if (file.status.st_uid != geteuid()) return failed(path + ": belongs to another user");
  if (file.status.st_mode & (S_IWGRP | S_IWOTH))
    return failed(path +
                  ": other users can write to it; if you trust its content, run chmod 600 on it");
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
    if (file.error().kind != Error::Kind::not_found) return file.error();
    Chain nothing;
    nothing.blocked = blocked();
    return nothing;
  }
  const auto text = read_from(*file, path_, 0);
  if (!text) return text.error();
  auto chain = read_chain(*text);
  if (!chain) return invalid(path_ + ": damaged at " + chain.error().message);
  chain->blocked = blocked();
  return chain;
}

bool Ledger::blocked() const { return file_at(denial_path()).has_value(); }

bool Ledger::block() const {
  std::string name = denial_path() + "-XXXXXX";
  const Descriptor file(mkostemp(name.data(), O_CLOEXEC));
  if (file.get() < 0) return false;
  // A folder with this name denies, too.
  if (rename(name.c_str(), denial_path().c_str()) != 0) {
    unlink(name.c_str());
    return blocked();
  }
  sync_folder(path_);
  return true;
}

Result<Ledger::Appended> Ledger::append(Entry entry, std::optional<int64_t> now_utc_us) const {
  if (const Status made = make_folder(); !made) return made.error();
  const bool gives = entry.act == Act::give;
  const bool takes = !gives && entry.act != Act::notice_shown;
  const auto deny = [&](const std::string& why, bool denied = false) -> Error {
    if (!takes) return failed(why);
    if (!denied && !block()) return failed(why + "; consent is NOT taken back");
    return failed(why + "; until it can be written, everything is denied");
  };

  const auto file = open_locked(path_, O_CREAT);
  if (!file) return deny(file.error().message);
  const auto text = read_from(*file, path_, 0);
  if (!text) return deny(text.error().message);
  const auto chain = read_chain(*text);
  if (!chain) return deny(path_ + ": damaged at " + chain.error().message);
  const auto denial = file_at(denial_path());
  const int64_t now = now_utc_us.value_or(g_get_real_time());
  if (gives && now < chain->latest)
    return failed(path_ + ": the clock is earlier than the last entry, of " +
                  time_text(chain->latest) + "; set the clock first");
  const int descriptor = file->descriptor.get();

  Appended appended;
  std::string lines, previous = chain->head();
  appended.recovered = chain->torn_withdrawal || denial.has_value();
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
    return deny(path_ + ": is full; `sphere consent erase` removes it, so that a new one can begin",
                takes && leave_torn(descriptor, chain->whole));

  // Written over what was cut off, which is not removed first: a reader sees at every moment that
  // an act was cut off, or the new act.
  errno = 0;
  const bool written =
      write_all(descriptor, lines, chain->whole) &&
      (text->size() <= end || ftruncate(descriptor, static_cast<off_t>(end)) == 0) &&
      fsync(descriptor) == 0 && (!text->empty() || sync_folder(path_));
  if (!written) {
    const Error error = system_error(path_, "can't be written");
    if (takes) return deny(error.message, leave_torn(descriptor, chain->whole));
    // An act that gives leaves nothing behind. If an earlier act was cut off and denies, it stays.
    if (!appended.recovered && ftruncate(descriptor, static_cast<off_t>(chain->whole)) != 0)
      return failed(error.message + "; and a part of the entry is left in the file");
    return error;
  }
  // If somebody else could not write a withdrawal meanwhile, their file stays and denies.
  if (denial) remove_if_same(denial_path(), denial);
  appended.entry = std::move(entry);
  return appended;
}

Status Ledger::erase() const {
  const auto denial = file_at(denial_path());
  if (access(path_.c_str(), F_OK) != 0 && errno == ENOENT && !denial) return ok();
  const auto file = open_locked(path_, 0);
  if (!file && file.error().kind != Error::Kind::not_found) return file.error();
  if (file && unlink(path_.c_str()) != 0) return system_error(path_, "can't be removed");
  if (denial && !remove_if_same(denial_path(), denial))
    return failed(denial_path() + ": can't be removed; everything is denied while it exists");
  sync_folder(path_);
  return ok();
}

namespace {

/// Whether there is an own ledger, and its chain if it is valid now.
struct OwnLedger {
  bool exists = false;
  std::optional<Chain> chain;
  int64_t now = 0;
};

OwnLedger read_own_ledger() {
  const Ledger ledger("default");
  OwnLedger own;
  // What can't be looked at, a link to nothing, and a withdrawal that could not be written deny.
  struct stat status = {};
  const bool nothing =
      lstat(ledger.path().c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
  own.exists = !nothing || ledger.blocked();
  if (!own.exists) return own;
  auto chain = ledger.read();
  own.now = g_get_real_time();
  if (chain && !chain->blocked && !chain->torn_withdrawal && own.now >= chain->latest)
    own.chain = std::move(*chain);
  return own;
}

}  // namespace

bool own_ledger_gives(Category category, Purpose purpose) {
  const OwnLedger own = read_own_ledger();
  if (!own.chain) return false;
  const CategoryState one = states_of(*own.chain, own.now)[static_cast<size_t>(category)];
  return one.state == CategoryState::State::given &&
         (own.chain->entries[static_cast<size_t>(one.entry)].purposes & bit(purpose)) != 0;
}

bool own_ledger_withdraws(Category category) {
  const OwnLedger own = read_own_ledger();
  if (!own.chain) return own.exists;
  return states_of(*own.chain, own.now)[static_cast<size_t>(category)].state ==
         CategoryState::State::withdrawn;
}

}  // namespace sphere::consent
