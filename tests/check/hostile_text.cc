// SPDX-License-Identifier: LGPL-2.1-or-later
// Text from a camera, a lens file or a file's name on its way to a person: it arrives printable,
// and of a damaged reply nothing arrives at all.

#include <memory>
#include <string>
#include <vector>

#include <glib/gstdio.h>

#include "gst/sphere/lens/profile.h"
#include "hw/madv/core.h"
#include "hw/madv/uri.h"
#include "tests/check/hostile.h"
#include "tests/check/pipeline.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::madv;
using test::hostile_texts;
using test::is_printable;
using namespace std::chrono_literals;

namespace {

std::string escaped(std::string_view text) { return printable(text); }

/// Checks it, and whether anything hostile had to be escaped in it.
bool expect_printable(const std::string& message) {
  fail_unless(is_printable(message), "not printable: %s", escaped(message).c_str());
  return message.find("\\x") != std::string::npos || message.find("\\u{") != std::string::npos;
}

/// A session with a camera that has given it a token.
std::unique_ptr<SessionCore> open_session(CoreSettings settings = {}) {
  auto core = std::make_unique<SessionCore>(std::move(settings));
  core->start(1s);
  core->received(R"({"rval":0,"msg_id":257,"param":7})", 1s);
  return core;
}

std::string failure_of(SessionCore& core) {
  for (const Event& event : core.take_events())
    if (event.kind == Event::Kind::ended && event.failure) return event.failure->message;
  return {};
}

/// All texts that have `fresh` in the place of one word of `text`.
std::vector<std::string> with_a_word_replaced(const std::string& text, std::string_view fresh) {
  std::vector<std::string> all;
  const char* const between = " \t\r\n";
  size_t at = text.find_first_not_of(between);
  while (at != std::string::npos) {
    const size_t end = std::min(text.find_first_of(between, at), text.size());
    all.push_back(text.substr(0, at) + std::string(fresh) + text.substr(end));
    all.push_back(text.substr(0, at + 1) + std::string(fresh) + text.substr(end));
    at = text.find_first_not_of(between, end);
  }
  return all;
}

}  // namespace

GST_START_TEST(damaged_reply_is_not_shown) {
  const std::vector<std::string> secrets = {"SERIAL0815", "MJXJ-HOME", "PASSWD4711"};
  std::string reply = R"({"rval":0,"msg_id":1539,"param":")";
  for (const std::string& secret : secrets) reply += secret + " ";
  reply += "\"}";
  std::vector<std::string> damaged = {"SERIAL0815 MJXJ-HOME PASSWD4711"};
  for (size_t at = 0; at < reply.size(); ++at) {
    for (const char c : {'"', '}', ']', ',', '\\', '\x1b', '\xff', ' '}) {
      std::string one = reply;
      one[at] = c;
      damaged.push_back(one);
    }
  }
  int ended = 0;
  for (const std::string& one : damaged) {
    const auto core = open_session();
    core->received(one, 1s);
    const std::string words = failure_of(*core);
    (void)expect_printable(words);
    for (const std::string& secret : secrets)
      fail_unless(words.find(secret.substr(0, 6)) == std::string::npos, "%s", words.c_str());
    if (words.empty()) continue;
    ++ended;
    fail_unless(words.find("switch the camera off and on") != std::string::npos, "%s",
                words.c_str());
    fail_unless(words.find("brace") == std::string::npos, "%s", words.c_str());
  }
  fail_unless(ended > 100, "only %d were damaged", ended);
}
GST_END_TEST;

GST_START_TEST(text_of_a_camera_is_printable) {
  for (const std::string_view text : hostile_texts) {
    const std::string raw(text);
    const std::string json = g_utf8_validate(raw.data(), static_cast<gssize>(raw.size()), nullptr)
                                 ? json_string(raw)
                                 : "\"" + raw + "\"";
    const std::vector<std::string> all = {
        raw,
        "{" + json + ":1}",
        "{\"msg_id\":" + json + "}",
        "{\"msg_id\":261,\"rval\":" + json + "}",
        "{\"msg_id\":261,\"rval\":0,\"param\":" + json + "}",
        "{\"msg_id\":7,\"type\":" + json + ",\"param\":[{" + json + ":" + json + "}]}",
        "{\"msg_id\":8193,\"param\":" + json + "}",
        "{\"msg_id\":4364,\"rval\":0,\"product\":" + json + ",\"ver\":" + json + "}"};
    for (const std::string& one : all) {
      const auto core = open_session();
      core->received(one, 1s);
      (void)expect_printable(redacted(one));
      (void)expect_printable(core->state().product);
      (void)expect_printable(core->state().firmware);
      for (const Event& event : core->take_events()) {
        if (event.failure) (void)expect_printable(event.failure->message);
        if (event.message)
          (void)expect_printable(unix_path(event.message->param_text().value_or("")));
      }
    }
    // A reason that comes from an application is made printable, too.
    fail_unless(is_printable(Failure(Failure::Reason::gone, raw).message));
    const Result<Uri> uri = Uri::parse("madv://a/?" + raw + "=1");
    fail_unless(!uri);
    (void)expect_printable(uri.error().message);
  }
}
GST_END_TEST;

GST_START_TEST(text_of_a_lens_file_is_printable) {
  const std::string folder =
      std::string(g_getenv("SPHERE_SOURCE")) + "/tests/fuzz/corpus/lens_file";
  g_autoptr(GDir) dir = g_dir_open(folder.c_str(), 0, nullptr);
  fail_unless(dir != nullptr);
  int refused = 0, quoted = 0, files = 0;
  while (const char* name = g_dir_read_name(dir)) {
    g_autofree char* content = nullptr;
    gsize size = 0;
    fail_unless(g_file_get_contents((folder + "/" + name).c_str(), &content, &size, nullptr));
    if (size > 4096) continue;
    ++files;
    for (const std::string_view text : hostile_texts) {
      for (const std::string& one : with_a_word_replaced(std::string(content, size), text)) {
        const Result<LensPair> pair = parse_lens_text(one, name);
        if (pair) continue;
        ++refused;
        quoted += expect_printable(pair.error().message);
      }
    }
  }
  const std::string profile = R"({"format":"gst-sphere-lens","version":1,)";
  for (const std::string_view text : hostile_texts) {
    const std::string named(text);
    for (const std::string& one :
         {profile + json_string(named) + ":1}", profile + "\"name\":\"" + named + "\"}",
          "{\"format\":" + json_string(named) + "}", profile + named}) {
      // The file's name as well.
      for (const std::string& name : {std::string("f"), named}) {
        const Result<LensPair> pair = parse_lens_text(one, name);
        fail_unless(!pair);
        ++refused;
        quoted += expect_printable(pair.error().message);
      }
    }
    const Result<LensPair> absent = load_profile("/nowhere/" + named);
    fail_unless(!absent);
    quoted += expect_printable(absent.error().message);
  }
  // Many messages must quote the text, or the test proves nothing.
  fail_unless(files > 5 && refused > 1000 && quoted > 100, "%d %d %d", files, refused, quoted);
}
GST_END_TEST;

GST_START_TEST(every_message_on_the_bus_is_printable) {
  for (const std::string_view text : hostile_texts) {
    g_autofree char* folder = g_dir_make_tmp("hostile-XXXXXX", nullptr);
    const std::string path = std::string(folder) + "/" + std::string(text) + ".json";
    fail_unless(g_file_set_contents(path.c_str(), "{\x1b", -1, nullptr));
    for (const char* factory : {"cpuspherestitch", "spheretestsrc"}) {
      for (const std::string& lens : {path, "/nowhere/" + std::string(text), std::string(text)}) {
        test::Pipeline pipeline(g_str_equal(factory, "spheretestsrc")
                                    ? "spheretestsrc name=e num-buffers=1 ! fakesink"
                                    : "videotestsrc num-buffers=1 ! cpuspherestitch name=e ! "
                                      "fakesink");
        g_object_set(pipeline.child("e").get(), "lens", lens.c_str(), nullptr);
        pipeline.play();
        const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
        const MessageRef message(
            gst_bus_timed_pop_filtered(bus.get(), test::deadline, GST_MESSAGE_ERROR));
        fail_unless(message != nullptr);
        g_autoptr(GError) error = nullptr;
        g_autofree char* debug = nullptr;
        gst_message_parse_error(message.get(), &error, &debug);
        (void)expect_printable(error->message);
        fail_unless(!debug || test::is_printable_text(debug), "%s", escaped(debug).c_str());
      }
    }
    g_unlink(path.c_str());
    g_rmdir(folder);
  }
}
GST_END_TEST;

static Suite* hostile_text_suite() {
  Suite* suite = suite_create("hostile_text");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, damaged_reply_is_not_shown);
  tcase_add_test(tcase, text_of_a_camera_is_printable);
  tcase_add_test(tcase, text_of_a_lens_file_is_printable);
  tcase_add_test(tcase, every_message_on_the_bus_is_printable);
  return suite;
}

GST_CHECK_MAIN(hostile_text)
