// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of an emulated camera over its data port: whole, in part, cancelled in the middle, and with
// the session's end.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "gst/sphere/base/md5.h"
#include "tests/check/emulator_session.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::madv;
using namespace std::chrono_literals;

namespace {

constexpr const char* path = "/tmp/SD0/DCIM/20161121/VID.MP4";

/// A camera with one file on its card, and a session with it.
class Fixture {
 public:
  Fixture() : camera_(test::started(test::control_only())) {
    for (size_t i = 0; i < 5u << 20; ++i) file += static_cast<char>(i * 2654435761u >> 13);
    const std::string folder = camera_->card_folder() + "/DCIM/20161121";
    fail_unless(g_mkdir_with_parents(folder.c_str(), 0700) == 0);
    fail_unless(g_file_set_contents((folder + "/VID.MP4").c_str(), file.data(),
                                    static_cast<gssize>(file.size()), nullptr));
    client_ = std::make_unique<test::Client>(
        *camera_, [](SessionOptions& options) { options.core.want_lens_table = false; });
    client_->expect(Event::Kind::ready);
    session = &client_->session();
  }

  Download download() {
    received.clear();
    told_ = 0;
    return {.path = path,
            .sink = [this](std::string_view bytes) -> Status {
              const std::lock_guard lock(mutex_);
              received += bytes;
              changed_.notify_all();
              return ok();
            },
            .done =
                [this](const Status& outcome) {
                  const std::lock_guard lock(mutex_);
                  words_ = outcome ? "" : outcome.error().message;
                  ++told_;
                  changed_.notify_all();
                }};
  }
  madv_emulator::Emulator& camera() { return *camera_; }
  void wait_for_bytes() {
    wait([this] { return !received.empty(); });
  }
  std::string outcome() {
    wait([this] { return told_ > 0; });
    const std::lock_guard lock(mutex_);
    fail_unless_equals_int(told_, 1);
    return words_;
  }

  std::string file, received;
  Session* session = nullptr;

 private:
  template <typename Condition>
  void wait(Condition condition) {
    std::unique_lock lock(mutex_);
    fail_unless(changed_.wait_for(lock, 60s, condition));
  }

  std::unique_ptr<madv_emulator::Emulator> camera_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int told_ = 0;
  std::string words_;
  std::unique_ptr<test::Client> client_;  // the last: its thread uses the others
};

}  // namespace

GST_START_TEST(files_come_whole_and_in_part) {
  Fixture f;
  Download whole = f.download();
  whole.md5 = md5_of(f.file);
  f.session->get_file(whole);
  const std::string words = f.outcome();
  fail_unless(words.empty(), "%s", words.c_str());
  fail_unless(f.received == f.file);

  Download part = f.download();
  part.offset = 100;
  part.size = 3u << 20;
  f.session->get_file(part);
  fail_unless(f.outcome().empty());
  fail_unless(f.received == f.file.substr(100, 3u << 20));

  Download absent = f.download();
  absent.path = "/tmp/SD0/DCIM/none.MP4";
  f.session->get_file(absent);
  fail_unless(f.outcome().find("no such file") != std::string::npos);
}
GST_END_TEST;

GST_START_TEST(cancelled_transfer_does_not_affect_the_next) {
  Fixture f;
  for (int i = 0; i < 5; ++i) {
    const unsigned number = f.session->get_file(f.download());
    f.wait_for_bytes();
    f.session->cancel_transfer(number);
    const std::string words = f.outcome();
    // It may have been there already.
    fail_unless(words.empty() || words.find("cancelled") != std::string::npos, "%s", words.c_str());
    Download next = f.download();
    next.offset = 4u << 20;
    f.session->get_file(next);
    fail_unless(f.outcome().empty());
    fail_unless(f.received == f.file.substr(4u << 20));
  }
  // The end of the session ends all other transfers.
  f.session->get_file(f.download());
  f.session->stop();
  (void)f.outcome();
  f.session->get_file(f.download());
  fail_unless(f.outcome().find("over") != std::string::npos);
}
GST_END_TEST;

/// Its file has three parts. A camera whose checksums are all wrong is compared with itself.
GST_START_TEST(files_come_from_a_camera_with_wrong_checksums) {
  Fixture f;
  f.session->get_file(f.download());
  fail_unless(f.outcome().empty());
  const uint64_t once = f.camera().file_bytes();
  fail_unless(bool(f.camera().execute("fault wrong-md5")));
  f.session->get_file(f.download());
  const std::string words = f.outcome();
  fail_unless(words.empty(), "%s", words.c_str());
  fail_unless(f.received == f.file);
  fail_unless_equals_uint64(once, f.file.size());
  fail_unless_equals_uint64(f.camera().file_bytes() - once, 2 * f.file.size());
}
GST_END_TEST;

static Suite* madv_transfer_suite() {
  Suite* suite = suite_create("madv_transfer");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, files_come_whole_and_in_part);
  tcase_add_test(tcase, files_come_from_a_camera_with_wrong_checksums);
  tcase_add_test(tcase, cancelled_transfer_does_not_affect_the_next);
  return suite;
}

GST_CHECK_MAIN(madv_transfer)
