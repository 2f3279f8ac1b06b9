// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of a session with a clock of the test's own: the lens table, downloads, uploads, and
// the cache of lens tables.

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <glib/gstdio.h>

#include "gst/sphere/base/md5.h"
#include "hw/madv/core.h"
#include "hw/madv/table_cache.h"
#include "tests/check/session_fixture.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::madv;
using namespace sphere::test;
using namespace std::chrono_literals;

GST_START_TEST(a_new_lens_table_is_fetched_and_kept) {
  // More than one chunk, and less than two.
  std::string table(FileTransfers::chunk_size + 12345, '\0');
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char>(i * 2654435761u >> 13);
  const std::string md5 = md5_of(table);
  std::string upper = md5;
  std::transform(upper.begin(), upper.end(), upper.begin(), g_ascii_toupper);

  std::string kept;
  CoreSettings settings = SessionFixture::usual();
  settings.known_table = [&](const std::string& wanted) -> std::optional<std::string> {
    same(wanted, md5);
    return std::nullopt;
  };
  settings.keep_table = [&](const std::string&, std::string_view bytes) { kept = bytes; };
  SessionFixture rig(settings);
  rig.open(upper);
  fail_unless(rig.kinds() == std::vector({K::preview_ready, K::ready}) &&
              rig.core.transfers().connection_wanted());
  rig.core.transfers().data_ready(rig.time);
  rig.pass(150ms);
  Message asked = rig.sent_one(1285);
  same(*asked.param_text(), lens_table_path);
  fail_unless_equals_int(*asked.number("offset"), 0);
  const std::string_view all = table;
  const std::string complete =
      R"({"rval":0,"msg_id":7,"type":"get_file_complete","param":[{"bytes sent":)";
  // The first bytes arrive before the reply.
  rig.core.data_received(all.substr(0, 1000), rig.time);
  rig.camera(R"({"rval":0,"msg_id":1285,"rem_size":1,"size":1})");
  rig.core.data_received(all.substr(1000, FileTransfers::chunk_size - 1000), rig.time);
  rig.camera(complete + std::to_string(FileTransfers::chunk_size) + "},{\"md5sum\":\"\"}]}");
  rig.pass(150ms);
  asked = rig.sent_one(1285);
  fail_unless_equals_int(*asked.number("offset"), FileTransfers::chunk_size);
  // The notification arrives before the last bytes.
  rig.camera(R"({"rval":0,"msg_id":1285,"rem_size":1,"size":1})" + complete + "12345}]}");
  rig.core.data_received(all.substr(FileTransfers::chunk_size, 345), rig.time);
  fail_unless(kept.empty());
  rig.core.data_received(all.substr(FileTransfers::chunk_size + 345), rig.time);
  fail_unless(kept == table);
  bool seen = false;
  std::vector<Event> events = rig.events();
  for (const Event& event : events)
    if (event.kind == K::lens_table) seen = event.bytes == table;
  fail_unless(seen && events.back().kind == K::lens_table);

  // A known table is not downloaded.
  settings.known_table = [&](const std::string&) { return table; };
  SessionFixture second(settings);
  second.open(md5);
  fail_unless(second.kinds() == std::vector({K::preview_ready, K::lens_table, K::ready}));
  second.pass(1s);
  second.sent_nothing();

  // A table that is not wanted is not downloaded either.
  settings.want_lens_table = false;
  SessionFixture third(settings);
  third.open(md5);
  fail_unless(third.kinds() == std::vector({K::preview_ready, K::ready}));
}
GST_END_TEST;

GST_START_TEST(session_continues_without_a_lens_table) {
  const std::string table = "table", md5 = md5_of(table);
  const std::string reply = R"({"rval":0,"msg_id":1285})";
  const std::string complete = R"({"msg_id":7,"type":"get_file_complete","param":[{"bytes sent":)";
  struct Case {
    const char* data;
    std::string control;
    bool close;
    Duration wait;
    const char* words;
  };
  for (const Case& c : std::vector<Case>{
           {"", R"({"rval":-26,"msg_id":1285})", false, 0s, "no such file"},
           {"tabel", reply + complete + "5}]}", false, 0s, "checksum"},
           {"table!", reply + complete + "5}]}", false, 0s, "more bytes"},
           {"tab", reply, false, 3s, "data port for 3 s"},
           {"tab", reply, true, 0s, "closed"},
           {"", reply + R"({"msg_id":7,"type":"get_file_fail"})", false, 0s, "ended the transfer"},
           {"", reply + R"({"msg_id":7,"type":"get_file_complete"})", false, 0s, "how much"},
           {"", reply + complete + "99999999999}]}", false, 0s, "more than was requested"},
       }) {
    SessionFixture rig;
    rig.open(md5);
    fail_unless(rig.kinds() == std::vector({K::preview_ready, K::ready}));
    rig.core.transfers().data_ready(rig.time);
    rig.pass(150ms);
    rig.sent_one(1285);
    rig.core.data_received(c.data, rig.time);
    rig.camera(c.control);
    if (c.close) rig.core.transfers().data_closed(rig.time);
    // A camera that says nothing for so long is asked how it is.
    for (Duration waited = 0s; waited < c.wait && rig.core.transfers().connection_wanted();
         waited += 1s) {
      rig.pass(1s);
      for (const Message& asked : rig.sent())
        rig.camera("{\"rval\":0,\"msg_id\":" + std::to_string(asked.id()) + "}");
    }
    std::vector<Event> events = rig.events();
    events.erase(std::remove_if(events.begin(), events.end(),
                                [](const Event& e) { return e.kind == K::notification; }),
                 events.end());
    fail_unless(events.size() == 1, "'%s': %zu events", c.words, events.size());
    fail_unless(events[0].kind == K::no_lens_table);
    fail_unless(events[0].failure->message.find(c.words) != std::string::npos, "'%s': %s", c.words,
                events[0].failure->message.c_str());
    fail_unless(rig.core.is_open());
    // Late bytes do no harm. A camera that may continue to send is told to stop.
    rig.core.data_received("late", rig.time);
    rig.pass(150ms);
    for (const Message& cancelled : rig.sent()) {
      fail_unless_equals_int(cancelled.id(), 1287);
      fail_unless(std::string_view(c.control) == reply, "'%s' was cancelled", c.words);
      rig.camera(R"({"rval":0,"msg_id":1287})");
    }
    rig.pass(150ms);
    rig.core.request(Request(515), nullptr, rig.time);
    rig.sent_one(515);
  }
}
GST_END_TEST;

namespace {

/// An open session without further requests, and the results of a download.
struct Files {
  Files() : rig(settings()) {
    rig.open();
    rig.events();
    rig.pass(150ms);
  }
  static CoreSettings settings() {
    CoreSettings settings = SessionFixture::usual();
    settings.want_lens_table = false;
    return settings;
  }
  Download download(const std::string& path) {
    return {.path = path,
            .sink = [this](std::string_view bytes) -> Status {
              received += bytes;
              return received.size() > most ? Status(failed("it is full")) : ok();
            },
            .done =
                [this](const Status& outcome) {
                  ++told;
                  words = outcome ? "" : outcome.error().message;
                }};
  }
  FileTransfers& files() { return rig.core.transfers(); }
  /// Sends the answer to the request for a chunk, the bytes, and the notification that these were
  /// all.
  void chunk(const std::string& bytes, const std::string& md5 = "") {
    rig.camera(R"({"rval":0,"msg_id":1285,"rem_size":1,"size":1})");
    rig.core.data_received(bytes, rig.time);
    rig.camera(R"({"msg_id":7,"type":"get_file_complete","param":[{"bytes sent":)" +
               std::to_string(bytes.size()) +
               (md5.empty() ? "}]}" : "},{\"md5sum\":\"" + md5 + "\"}]}"));
  }
  Message asked(int id) {
    rig.pass(150ms);
    return rig.sent_one(id);
  }

  SessionFixture rig;
  std::string received, words;
  size_t most = SIZE_MAX;
  int told = 0;
};

}  // namespace

GST_START_TEST(a_part_of_a_file_is_read_in_chunks) {
  Files f;
  Download part = f.download("/tmp/SD0/DCIM/a.MP4");
  part.offset = 1000;
  part.size = FileTransfers::chunk_size + 10;
  f.files().get(2, part, f.rig.time);
  fail_unless_equals_int(f.files().connection_wanted(), 2);
  f.rig.sent_nothing();  // there is no connection yet
  f.files().data_ready(f.rig.time);
  Message asked = f.asked(1285);
  fail_unless_equals_int(*asked.number("offset"), 1000);
  fail_unless_equals_int(*asked.number("fetch_size"), FileTransfers::chunk_size);
  f.chunk(std::string(FileTransfers::chunk_size, 'a'));
  asked = f.asked(1285);
  fail_unless_equals_int(*asked.number("offset"), 1000 + FileTransfers::chunk_size);
  fail_unless_equals_int(*asked.number("fetch_size"), 10);
  fail_unless_equals_int(f.told, 0);
  f.chunk("0123456789");
  fail_unless(f.told == 1 && f.words.empty(), "%s", f.words.c_str());
  fail_unless(f.received == std::string(FileTransfers::chunk_size, 'a') + "0123456789");
  fail_unless_equals_int(f.files().connection_wanted(), 0);

  // A part that ends with the file, and a file that is shorter than announced.
  f.files().get(3, f.download("b"), f.rig.time);
  f.files().data_ready(f.rig.time);
  (void)f.asked(1285);
  f.chunk("short");
  fail_unless(f.told == 2 && f.words.empty());
  Download longer = f.download("c");
  longer.size = 100;
  f.files().get(4, longer, f.rig.time);
  f.files().data_ready(f.rig.time);
  (void)f.asked(1285);
  f.chunk("short");
  fail_unless(f.told == 3 && f.words.find("shorter") != std::string::npos, "%s", f.words.c_str());
}
GST_END_TEST;

namespace {

/// A file of two chunks, which the camera sends in these parts with these checksums, where "right"
/// is the right one. Returns the error, if there is one.
struct Part {
  int chunk;
  char letter;
  const char* md5;
};
std::string read_parts(const std::vector<Part>& parts) {
  constexpr size_t second = 10;
  Files f;
  Download file = f.download("/tmp/SD0/DCIM/a.MP4");
  file.size = FileTransfers::chunk_size + second;
  f.files().get(2, file, f.rig.time);
  f.files().data_ready(f.rig.time);
  for (const Part& part : parts) {
    fail_unless_equals_int(f.told, 0);
    const Message asked = f.asked(1285);
    fail_unless_equals_int(*asked.number("offset"), part.chunk * FileTransfers::chunk_size);
    const std::string bytes(part.chunk == 0 ? FileTransfers::chunk_size : second, part.letter);
    f.chunk(bytes, std::string(part.md5) == "right" ? md5_of(bytes) : part.md5);
  }
  fail_unless_equals_int(f.told, 1);
  // Each byte is passed on once.
  if (f.words.empty())
    fail_unless(f.received ==
                std::string(FileTransfers::chunk_size, 'a') + std::string(second, 'b'));
  return f.words;
}

}  // namespace

/// Some cameras tell right checksums only of files that are requested whole: each part is read
/// twice, so that no file is refused, and none passes that was not compared with anything.
GST_START_TEST(parts_with_a_wrong_checksum_are_read_twice) {
  constexpr const char *wrong = "00000000000000000000000000000000", *right = "right", *none = "";
  same(read_parts({{0, 'a', right}, {1, 'b', right}}), "");
  same(read_parts({{0, 'a', none}, {1, 'b', none}}), "");
  same(read_parts({{0, 'a', wrong}, {0, 'a', wrong}, {1, 'b', wrong}, {1, 'b', wrong}}), "");
  // The camera was wrong once.
  same(read_parts({{0, 'a', wrong}, {0, 'a', right}, {1, 'b', right}}), "");
  const auto fails = [](const std::vector<Part>& parts, const char* words) {
    const std::string error = read_parts(parts);
    fail_unless(error.find(words) != std::string::npos, "'%s'", error.c_str());
  };
  // The first reading or the second one was damaged.
  fails({{0, 'x', wrong}, {0, 'a', wrong}}, "another one when it was read again");
  fails({{0, 'x', wrong}, {0, 'a', right}}, "another one when it was read again");
  fails({{0, 'a', wrong}, {0, 'a', wrong}, {1, 'b', wrong}, {1, 'x', wrong}}, "read again");
  // A camera that can tell right ones.
  fails({{0, 'a', right}, {1, 'x', wrong}}, "does not match");
  fails({{0, 'a', wrong}, {0, 'a', wrong}, {1, 'b', right}}, "does not match");
}
GST_END_TEST;

GST_START_TEST(transfers_wait_are_cancelled_and_end) {
  Files f;
  for (unsigned number : {2u, 3u, 4u}) f.files().get(number, f.download("a"), f.rig.time);
  f.files().data_ready(f.rig.time);
  (void)f.asked(1285);
  f.rig.core.data_received("bytes", f.rig.time);
  // A waiting transfer is cancelled without a message to the camera.
  f.files().cancel(3, f.rig.time);
  fail_unless(f.told == 1 && f.words.find("cancelled") != std::string::npos);
  // A running transfer ends at once. The next one waits until the camera has confirmed this.
  f.files().cancel(2, f.rig.time);
  fail_unless_equals_int(f.told, 2);
  fail_unless_equals_int(f.files().connection_wanted(), 0);
  f.rig.core.data_received("late", f.rig.time);
  f.rig.camera(R"({"rval":0,"msg_id":1285})");
  same(f.received, "bytes");
  fail_unless_equals_int(f.asked(1287).id(), 1287);
  f.rig.camera(R"({"rval":0,"msg_id":1287,"transferred_size":9})");
  fail_unless_equals_int(f.files().connection_wanted(), 4);
  f.files().cancel(99, f.rig.time);
  // A name that is too long for the camera is refused before it is asked.
  f.files().get(100, f.download(std::string(2000, 'x')), f.rig.time);
  fail_unless(f.told == 3 && f.words.find("accepts at most 1024") != std::string::npos);
  f.told = 2;
  // A sink that takes no more ends it.
  f.most = 7;
  f.files().data_ready(f.rig.time);
  (void)f.asked(1285);
  f.rig.core.data_received("more", f.rig.time);
  fail_unless(f.told == 3 && f.words == "it is full", "%s", f.words.c_str());
  // The end of the session ends it, too. The number of waiting transfers is limited.
  for (unsigned number = 5; number < 25; ++number)
    f.files().get(number, f.download("a"), f.rig.time);
  const int refused = f.told - 3;
  fail_unless_equals_int(refused, 20 - 1 - static_cast<int>(FileTransfers::max_waiting));
  f.rig.core.finish(f.rig.time);
  fail_unless_equals_int(f.told, 3 + 20);
  f.rig.core.connection_lost(f.rig.time);
  f.files().get(30, f.download("a"), f.rig.time);
  fail_unless_equals_int(f.told, 3 + 20 + 1);
}
GST_END_TEST;

GST_START_TEST(a_file_is_sent_piece_by_piece) {
  for (const bool whole : {true, false}) {
    Files f;
    const std::string file(200000, 'f');
    size_t given = 0;
    Upload upload{.path = "tmp/SD0/update/MadvSysFW.bin",
                  .size = file.size(),
                  .md5 = md5_of(file),
                  .file_type = 1,
                  .source =
                      [&](size_t most) {
                        const std::string piece = file.substr(given, most);
                        given += piece.size();
                        return piece;
                      },
                  .done =
                      [&](const Status& outcome) {
                        ++f.told;
                        f.words = outcome ? "" : outcome.error().message;
                      }};
    f.files().put(2, upload, f.rig.time);
    f.files().data_ready(f.rig.time);
    const Message asked = f.asked(1286);
    same(*asked.text("md5sum"), upload.md5);
    fail_unless(asked.number("size") == 200000 && asked.number("ftype") == 1);
    f.rig.pass(2s);
    fail_unless(f.files().output().empty());  // it has not agreed
    f.rig.camera(R"({"rval":0,"msg_id":1286})");
    f.rig.pass(799ms);
    fail_unless(f.files().output().empty());
    f.rig.pass(1ms);
    size_t sent = 0, most = 0;
    while (!f.files().output().empty()) {
      most = std::max(most, f.files().output().size());
      sent += std::min<size_t>(f.files().output().size(), 1000);
      f.files().output_sent(std::min<size_t>(f.files().output().size(), 1000), f.rig.time);
    }
    fail_unless(sent == file.size() && most <= 65536);
    fail_unless_equals_int(f.told, 0);
    f.rig.camera(R"({"msg_id":7,"type":"put_file_complete","param":[{"bytes received":)" +
                 std::to_string(whole ? sent : sent - 1) + "}]}");
    fail_unless(f.told == 1 && f.words.empty() == whole, "%s", f.words.c_str());
  }
}
GST_END_TEST;

GST_START_TEST(cache_checks_the_md5) {
  g_autofree char* folder = g_dir_make_tmp("madv-tables-XXXXXX", nullptr);
  fail_unless(folder != nullptr);
  const TableCache cache(folder);
  const std::string table("PNG\0PNG", 7), md5 = md5_of(table);
  fail_unless(!cache.load(md5));
  fail_unless(bool(cache.store(md5, table)));
  fail_unless(cache.load(md5) == table);
  fail_unless(!cache.store(md5, "another"));
  fail_unless(!cache.store("../../x", table) && !cache.load("../../x"));
  const std::string path = std::string(folder) + "/" + md5 + ".bin";
  fail_unless(g_file_set_contents(path.c_str(), "damaged", -1, nullptr));
  fail_unless(!cache.load(md5));
  g_unlink(path.c_str());
  g_rmdir(folder);
}
GST_END_TEST;

static Suite* madv_session_files_suite() {
  Suite* suite = suite_create("madv_session_files");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, a_new_lens_table_is_fetched_and_kept);
  tcase_add_test(tcase, session_continues_without_a_lens_table);
  tcase_add_test(tcase, a_part_of_a_file_is_read_in_chunks);
  tcase_add_test(tcase, parts_with_a_wrong_checksum_are_read_twice);
  tcase_add_test(tcase, transfers_wait_are_cancelled_and_end);
  tcase_add_test(tcase, a_file_is_sent_piece_by_piece);
  tcase_add_test(tcase, cache_checks_the_md5);
  return suite;
}

GST_CHECK_MAIN(madv_session_files)
