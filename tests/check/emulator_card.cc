// SPDX-License-Identifier: LGPL-2.1-or-later
// The emulated camera's card: nothing leads out of it, and nothing in it blocks.

#include <memory>
#include <string>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/madv/message.h"
#include "tests/check/emulator.h"
#include "tests/check/http.h"
#include "tests/check/same.h"
#include "tests/check/socket.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using emulator::Card;
using madv::Message;
using test::control_only;
using test::ControlClient;
using test::Emulator;
using test::EmulatorOptions;
using test::http;
using test::same;
using test::started;
using test::write_file;

namespace {

bool exists(const std::string& path) { return g_file_test(path.c_str(), G_FILE_TEST_EXISTS); }

std::string http_of(const Emulator& camera) {
  return "http://127.0.0.1:" + std::to_string(camera.ports().http);
}

/// A folder outside of the card, with a file that no client of the camera may see.
class Outside {
 public:
  Outside() : folder_(GString_(g_dir_make_tmp("sphere-outside-XXXXXX", nullptr)).get()) {
    write_file(file(), "not yours");
  }
  ~Outside() {
    g_unlink(file().c_str());
    g_rmdir(folder_.c_str());
  }
  const std::string& folder() const { return folder_; }
  std::string file() const { return folder_ + "/IMG.JPG"; }

 private:
  const std::string folder_;
};

std::string about(const std::string& path) { return ",\"param\":\"" + path + "\""; }

}  // namespace

GST_START_TEST(links_are_not_followed) {
  const Outside outside;
  Result<Card> card = Card::open("", madv::card_root);
  fail_unless(bool(card));
  const std::string dcim = card->folder() + "/DCIM";
  fail_unless(symlink(outside.file().c_str(), (dcim + "/file.JPG").c_str()) == 0);
  fail_unless(symlink(outside.folder().c_str(), (dcim + "/20200101").c_str()) == 0);
  fail_unless(symlink((outside.folder() + "/new.JPG").c_str(), (dcim + "/new.JPG").c_str()) == 0);
  fail_unless(symlink("/", (card->folder() + "/root").c_str()) == 0);

  for (const char* path :
       {"/tmp/SD0/DCIM/file.JPG", "/tmp/SD0/DCIM/20200101/IMG.JPG", "/tmp/SD0/root/etc/passwd",
        "/tmp/SD0/../../etc/passwd", "/tmp/SD0/DCIM/../../../etc/passwd", "/tmp/SD0x/a"}) {
    fail_unless(!card->info(path), "%s", path);
    fail_unless(!card->read(path, 0, 10), "%s", path);
    fail_unless(!card->open_file(path), "%s", path);
    fail_unless(!card->remove(path), "%s", path);
    fail_unless(!card->list(path), "%s", path);
  }
  for (const char* path : {"/tmp/SD0/DCIM/20200101", "/tmp/SD0/DCIM/20200101/", "/tmp/SD0/root",
                           "/tmp/SD0/root/etc", "/tmp/SD0/.."})
    fail_unless(!card->list(path), "%s", path);
  // Nothing is written through a link, or through a link whose target does not exist.
  fail_unless(!card->create_file("/tmp/SD0/DCIM/20200101/b.JPG"));
  fail_unless(!card->create_file("/tmp/SD0/DCIM/new.JPG"));
  fail_unless(!exists(outside.folder() + "/b.JPG") && !exists(outside.folder() + "/new.JPG"));
  // Files that can't be read are neither listed nor counted.
  fail_unless(card->list("/tmp/SD0/DCIM")->empty());
  fail_unless_equals_int(card->count(".JPG"), 0);
  fail_unless(exists(outside.file()));

  // Real files are.
  write_file(dcim + "/a.JPG", "a");
  fail_unless(card->info("/tmp/SD0/DCIM/a.JPG")->size == 1);
  same(*card->read("tmp/SD0/DCIM//./a.JPG", 0, 10), "a");
  fail_unless(card->list("/tmp/SD0/DCIM/")->size() == 1);
  fail_unless_equals_int(card->count(".JPG"), 1);
  fail_unless(!card->create_file("/tmp/SD0/DCIM/a.JPG"));
  fail_unless(card->remove("/tmp/SD0/DCIM/a.JPG") && !exists(dcim + "/a.JPG"));
}
GST_END_TEST;

GST_START_TEST(paths_outside_of_the_card_are_refused) {
  const Outside outside;
  const auto camera = started(control_only());
  const std::string dcim = camera->card_folder() + "/DCIM";
  fail_unless(symlink(outside.file().c_str(), (dcim + "/IMG.JPG").c_str()) == 0);
  fail_unless(symlink(outside.folder().c_str(), (dcim + "/20200101").c_str()) == 0);
  for (const char* path : {"/IMG.JPG", "/20200101/IMG.JPG", "/20200101"})
    fail_unless_equals_int(http(http_of(*camera) + path).status, 404);

  ControlClient client(*camera);
  client.open();
  for (const char* path : {"/tmp/SD0/DCIM/IMG.JPG", "/tmp/SD0/DCIM/20200101/IMG.JPG"}) {
    for (const int command : {1281, 1026, 1025})
      fail_unless(!client.ask(command, about(path)).succeeded(), "%d %s", command, path);
    const Message reply = client.ask(1285, about(path) + R"(,"offset":"0","fetch_size":0)");
    fail_unless_equals_int(*reply.rval(), -26);
  }
  fail_unless(!client.ask(1283, about("/tmp/SD0/DCIM/20200101")).succeeded());
  fail_unless(client.ask(1283, about("/tmp/SD0/DCIM")).succeeded());
  fail_unless(client.ask(1282).entries("listing").empty());
  fail_unless(exists(outside.file()));

  // A photo is not written into the folder that a link of today's name leads to.
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  const std::string today = GString_(g_date_time_format(now, "%Y%m%d")).get();
  fail_unless(symlink(outside.folder().c_str(), (dcim + "/" + today).c_str()) == 0);
  fail_unless(client.ask(4611, about("1")).succeeded());
  fail_unless(client.ask(4864).succeeded());
  client.next(4354);
  g_autoptr(GDir) folder = g_dir_open(outside.folder().c_str(), 0, nullptr);
  int files = 0;
  while (g_dir_read_name(folder)) ++files;
  fail_unless_equals_int(files, 1);
}
GST_END_TEST;

GST_START_TEST(special_files_do_not_block) {
  const auto camera = started(control_only());
  const std::string folder = camera->card_folder() + "/DCIM/20200101";
  fail_unless(g_mkdir(folder.c_str(), 0700) == 0);
  fail_unless(mkfifo((folder + "/IMG.JPG").c_str(), 0600) == 0);
  ControlClient client(*camera);
  client.open();
  const std::string path = about("/tmp/SD0/DCIM/20200101/IMG.JPG");
  fail_unless_equals_int(http(http_of(*camera) + "/20200101/IMG.JPG").status, 404);
  fail_unless_equals_int(*client.ask(1285, path + R"(,"offset":"0","fetch_size":0)").rval(), -26);
  fail_unless(!client.ask(1026, path).succeeded());
  fail_unless(!client.ask(1281, path).succeeded());
  fail_unless(client.ask(1283, about("/tmp/SD0/DCIM/20200101")).succeeded());
  fail_unless(client.ask(1282).entries("listing").empty());
  fail_unless_equals_int(*client.ask(4364).number("cam_jpg"), 0);
}
GST_END_TEST;

GST_START_TEST(a_card_whose_dcim_is_a_link_is_refused) {
  const Outside outside;
  const std::string folder = GString_(g_dir_make_tmp("sphere-card-XXXXXX", nullptr)).get();
  fail_unless(symlink(outside.folder().c_str(), (folder + "/DCIM").c_str()) == 0);
  const Result<Card> card = Card::open(folder, madv::card_root);
  fail_unless(!card && card.error().message.find("no symbolic link") != std::string::npos);
  g_unlink((folder + "/DCIM").c_str());
  // The folder itself may be one.
  const std::string link = folder + "/link";
  fail_unless(symlink(folder.c_str(), link.c_str()) == 0);
  fail_unless(bool(Card::open(link, madv::card_root)));
  g_unlink(link.c_str());
  g_rmdir((folder + "/DCIM").c_str());
  g_rmdir(folder.c_str());
}
GST_END_TEST;

GST_START_TEST(a_file_that_is_cut_while_it_is_sent_ends_the_connection) {
  const auto camera = started(control_only());
  const std::string path = camera->card_folder() + "/DCIM/A.MP4";
  // More than all buffers between the two ends can contain.
  write_file(path, std::string(48 << 20, 'x'));
  test::Socket client(camera->ports().http);
  client.send("GET /A.MP4 HTTP/1.1\r\nHost: camera\r\n\r\n");
  fail_unless(client.receive(100).starts_with("HTTP/1.1 200"));
  fail_unless(truncate(path.c_str(), 0) == 0);
  size_t received = 0;
  for (std::string bytes = client.receive(); !bytes.empty(); bytes = client.receive())
    received += bytes.size();
  fail_unless(received < 48 << 20);
  // The camera still answers other requests.
  write_file(path, "short");
  same(http(http_of(*camera) + "/A.MP4").body, "short");
}
GST_END_TEST;

static Suite* emulator_card_suite() {
  Suite* suite = suite_create("emulator_card");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, links_are_not_followed);
  tcase_add_test(tcase, paths_outside_of_the_card_are_refused);
  tcase_add_test(tcase, special_files_do_not_block);
  tcase_add_test(tcase, a_card_whose_dcim_is_a_link_is_refused);
  tcase_add_test(tcase, a_file_that_is_cut_while_it_is_sent_ends_the_connection);
  return suite;
}

GST_CHECK_MAIN(emulator_card)
