// SPDX-License-Identifier: LGPL-2.1-or-later
// Downloads of a file whose size needs more than 32 bits. It is sparse, and only its last part is
// transferred, because the rest is there already.

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/base/gobject.h"
#include "hw/card_file.h"
#include "hw/download.h"
#include "tests/check/emulator.h"

#include <fcntl.h>
#include <gst/check/gstcheck.h>

using namespace sphere;

namespace {

constexpr uint64_t mib = 1 << 20;
// The lower 32 bits are those of a valid size, too: 512 MiB and something.
constexpr uint64_t whole = 4608 * mib + 12345;
// More than one chunk of the data port.
constexpr uint64_t missing = 5 * mib;
constexpr const char* file = "DCIM/20171216/VID_20171216_030505AA.MP4";

std::string last_bytes() {
  std::string bytes(missing, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  return bytes;
}

void put_file(const std::string& path, const std::string& tail) {
  const GString_ folder(g_path_get_dirname(path.c_str()));
  fail_unless(g_mkdir_with_parents(folder.get(), 0700) == 0);
  const Descriptor made(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  fail_unless(bool(made));
  fail_unless(ftruncate(made.get(), static_cast<off_t>(whole - tail.size())) == 0,
              "this file system has no files of %llu bytes",
              static_cast<unsigned long long>(whole));
  fail_unless(pwrite(made.get(), tail.data(), tail.size(),
                     static_cast<off_t>(whole - tail.size())) == static_cast<ssize_t>(tail.size()));
}

std::string read_end(const std::string& path, size_t count) {
  std::string bytes(count, '\0');
  const Descriptor read(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  fail_unless(pread(read.get(), bytes.data(), count, static_cast<off_t>(whole - count)) ==
              static_cast<ssize_t>(count));
  return bytes;
}

std::vector<std::string> part_files(const std::string& folder) {
  std::vector<std::string> found;
  GDir* dir = g_dir_open(folder.c_str(), 0, nullptr);
  while (const char* name = g_dir_read_name(dir))
    if (g_str_has_suffix(name, ".part")) found.push_back(folder + "/" + name);
  g_dir_close(dir);
  return found;
}

/// A camera with the file on its card, and a folder for downloads.
class Fixture {
 public:
  Fixture() : camera_(test::started(test::control_only())) {
    put_file(camera_->card_folder() + "/" + file, tail);
    char* made = g_dir_make_tmp("sphere-download-XXXXXX", nullptr);
    fail_unless(made != nullptr);
    folder = made;
    g_free(made);
    hw::CameraOptions options;
    options.location = camera_->uri();
    options.wants_lens_table = false;
    client.emplace(**hw::find_family(options.location), options);
  }
  ~Fixture() {
    client->disconnect();
    for (const char* name : {"/whole.mp4"}) unlink((folder + name).c_str());
    for (const std::string& part : part_files(folder)) unlink(part.c_str());
    rmdir(folder.c_str());
  }

  hw::MediaInfo info() {
    hw::MediaInfo told;
    fail_unless(!hw::describe_file(*client, file, nullptr, told, nullptr));
    return told;
  }

  hw::DownloadOptions options(hw::FileTransport transport) const {
    hw::DownloadOptions all;
    all.path = file;
    all.destination = folder + "/whole.mp4";
    all.transport = transport;
    return all;
  }

  /// The part file of a download that was cancelled at its beginning.
  std::string begin(hw::FileTransport transport) {
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    hw::DownloadOptions all = options(transport);
    all.progress = [&](uint64_t done, std::optional<uint64_t>) {
      if (done > 0) g_cancellable_cancel(cancellable);
    };
    const auto failure = hw::download(*client, all, cancellable);
    fail_unless(failure && failure->reason == hw::Failure::Reason::stopped, "%s",
                failure ? failure->message.c_str() : "it is complete");
    const std::vector<std::string> parts = part_files(folder);
    fail_unless(parts.size() == 1);
    return parts[0];
  }

  const std::string tail = last_bytes();
  std::string folder;
  std::optional<hw::CameraClient> client;

 private:
  std::unique_ptr<madv_emulator::Emulator> camera_;
};

}  // namespace

GST_START_TEST(more_than_4_gib_are_continued_near_the_end) {
  for (const auto transport : {hw::FileTransport::data, hw::FileTransport::web}) {
    Fixture f;
    const std::string part = f.begin(transport);
    fail_unless(f.info().size == whole);
    fail_unless(truncate(part.c_str(), static_cast<off_t>(whole - missing)) == 0);
    hw::DownloadOptions options = f.options(transport);
    uint64_t least = whole, most = 0;
    std::optional<uint64_t> total;
    options.progress = [&](uint64_t done, std::optional<uint64_t> all) {
      least = std::min(least, done);
      most = std::max(most, done);
      total = all;
    };
    hw::DownloadReport report;
    const auto failure = hw::download(*f.client, options, nullptr, &report);
    fail_unless(!failure, "%s", failure ? failure->message.c_str() : "");
    fail_unless(report.transport == transport && report.cuts == 0);
    fail_unless(report.size == whole && report.fetched == missing, "%llu of %llu bytes",
                static_cast<unsigned long long>(report.fetched),
                static_cast<unsigned long long>(report.size));
    fail_unless(least == whole - missing && most == whole && total == whole);
    fail_unless(read_end(options.destination, missing) == f.tail);
    fail_unless(part_files(f.folder).empty());
  }
}
GST_END_TEST;

// The camera tells only 32 bits of the size. What is there must not be taken for the whole file.
GST_START_TEST(the_first_part_is_not_taken_for_the_whole) {
  for (const auto transport : {hw::FileTransport::data, hw::FileTransport::web}) {
    Fixture f;
    const std::string part = f.begin(transport);
    // The rest of the size that is told first is 2 MiB.
    fail_unless(truncate(part.c_str(), static_cast<off_t>(whole % (uint64_t{1} << 32) - 2 * mib)) ==
                0);
    hw::DownloadOptions options = f.options(transport);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    bool more = false;
    options.progress = [&](uint64_t done, std::optional<uint64_t> total) {
      if (done <= whole % (uint64_t{1} << 32)) return;
      more = total == whole;
      g_cancellable_cancel(cancellable);
    };
    const auto failure = hw::download(*f.client, options, cancellable);
    fail_unless(failure && failure->reason == hw::Failure::Reason::stopped);
    fail_unless(more);
    fail_unless(access(options.destination.c_str(), F_OK) != 0);
  }
}
GST_END_TEST;

// A part file of another origin is longer than the file on the card.
GST_START_TEST(what_is_not_a_part_is_fetched_anew) {
  for (const auto transport : {hw::FileTransport::data, hw::FileTransport::web}) {
    Fixture f;
    const std::string part = f.begin(transport);
    fail_unless(truncate(part.c_str(), static_cast<off_t>(whole + mib)) == 0);
    hw::DownloadOptions options = f.options(transport);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    uint64_t least = whole;
    options.progress = [&](uint64_t done, std::optional<uint64_t>) {
      least = std::min(least, done);
      if (done > 0 && done < mib * 1024) g_cancellable_cancel(cancellable);
    };
    const auto failure = hw::download(*f.client, options, cancellable);
    fail_unless(failure && failure->reason == hw::Failure::Reason::stopped, "%s",
                failure ? failure->message.c_str() : "");
    fail_unless(least < mib * 1024);
  }
}
GST_END_TEST;

static Suite* download_suite() {
  Suite* suite = suite_create("card_download");
  TCase* tc = tcase_create("card_download");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, more_than_4_gib_are_continued_near_the_end);
  tcase_add_test(tc, the_first_part_is_not_taken_for_the_whole);
  tcase_add_test(tc, what_is_not_a_part_is_fetched_anew);
  suite_add_tcase(suite, tc);
  return suite;
}

GST_CHECK_MAIN(download)
