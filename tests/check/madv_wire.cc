// SPDX-License-Identifier: LGPL-2.1-or-later
// Framing and messages of the Mi Sphere's control channel, URIs included.

#include <string>
#include <vector>

#include "hw/madv/message.h"
#include "hw/madv/uri.h"
#include "hw/madv/wire.h"
#include "tests/check/madv_transcripts.h"
#include "tests/check/same.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::madv;
using test::same;

namespace {

/// All objects that come out of `framer`; an error fails the test.
std::vector<std::string> drain(Framer& framer) {
  std::vector<std::string> objects;
  for (;;) {
    Result<std::optional<std::string>> next = framer.next();
    fail_unless(bool(next), "%s", next ? "" : next.error().message.c_str());
    if (!*next) return objects;
    objects.push_back(**next);
  }
}

std::string error_of(std::string_view bytes, size_t max_size = Framer::default_max_size) {
  Framer framer(max_size);
  framer.feed(bytes);
  for (;;) {
    const Result<std::optional<std::string>> next = framer.next();
    if (!next) {
      // After an error everything fails, because the next object can not be found.
      framer.feed("{}");
      fail_unless(!framer.next());
      return next.error().message;
    }
    if (!*next) return "";
  }
}

void expect_error(std::string_view bytes, const char* words) {
  const std::string error = error_of(bytes);
  fail_unless(error.find(words) != std::string::npos, "'%s' does not say '%s'", error.c_str(),
              words);
}

Message parsed(std::string_view text) {
  Result<Message> message = Message::parse(text);
  fail_unless(bool(message), "%s", message ? "" : message.error().message.c_str());
  return std::move(message).value();
}

}  // namespace

GST_START_TEST(every_object_cut_at_every_byte) {
  for (const std::string& object : test::all_messages()) {
    for (size_t cut = 0; cut <= object.size(); ++cut) {
      Framer framer;
      framer.feed(std::string_view(object).substr(0, cut));
      std::vector<std::string> objects = drain(framer);
      fail_unless(objects.empty() == (cut < object.size()), "cut at %zu: %s", cut, object.c_str());
      framer.feed(std::string_view(object).substr(cut));
      for (std::string& more : drain(framer)) objects.push_back(std::move(more));
      fail_unless_equals_int(objects.size(), 1);
      same(objects[0], object);
      fail_unless_equals_int(framer.pending(), 0);
    }
  }
}
GST_END_TEST;

GST_START_TEST(every_object_byte_by_byte_and_all_in_one_segment) {
  const std::vector<std::string> all = test::all_messages();
  for (const char* between : {"", " ", "\r\n", "\n\n\t "}) {
    std::string segment;
    for (const std::string& object : all) segment += object + between;
    Framer one, bytes;
    one.feed(segment);
    fail_unless(drain(one) == all);
    std::vector<std::string> objects;
    for (char c : segment) {
      bytes.feed({&c, 1});
      for (std::string& object : drain(bytes)) objects.push_back(std::move(object));
    }
    fail_unless(objects == all);
  }
}
GST_END_TEST;

GST_START_TEST(ten_objects_joined_and_the_eleventh_begun) {
  const std::vector<std::string> all = test::all_messages();
  std::string segment;
  for (size_t i = 0; i < 10; ++i) segment += all[i];
  Framer framer;
  framer.feed(segment + "{\"rval\":0,");
  const std::vector<std::string> ten = drain(framer);
  fail_unless_equals_int(ten.size(), 10);
  for (size_t i = 0; i < 10; ++i) same(ten[i], all[i]);
  framer.feed("\"msg_id\":1}");
  fail_unless_equals_int(drain(framer).size(), 1);
}
GST_END_TEST;

GST_START_TEST(braces_and_quotes_inside_strings_do_not_count) {
  for (const char* text : {R"({"a":"}"})", R"({"a":"{{{"})", R"({"a":"\"}"})",
                           R"({"a":"\\","b":"]"})", R"({"a\"}":["}]{[\\\"",{"b":"}"}]})"}) {
    Framer framer;
    framer.feed(std::string(text) + text);
    const std::vector<std::string> objects = drain(framer);
    fail_unless_equals_int(objects.size(), 2);
    same(objects[1], text);
  }
}
GST_END_TEST;

GST_START_TEST(size_is_bounded_to_the_byte) {
  const std::string object = R"({"msg_id":1,"param":"xxxxxxxx"})";
  same(error_of(object, object.size()), "");
  fail_unless(error_of(object, object.size() - 1).find("longer") != std::string::npos);
  // The bound is for each object, not for what came in one segment.
  std::string many;
  for (int i = 0; i < 100; ++i) many += object;
  same(error_of(many, object.size()), "");

  std::string huge = R"({"msg_id":1,"param":")";
  huge.append(3 << 20, 'x');
  expect_error(huge + "\"}", "longer than 2097152 bytes");
  expect_error(huge, "longer than 2097152 bytes");
}
GST_END_TEST;

GST_START_TEST(depth_is_limited_before_the_parser) {
  const auto nested = [](int depth) {
    std::string text = "{\"a\":";
    for (int i = 1; i < depth; ++i) text += '[';
    for (int i = 1; i < depth; ++i) text += ']';
    return text + "}";
  };
  same(error_of(nested(Framer::max_depth)), "");
  expect_error(nested(Framer::max_depth + 1), "deeper than 32");
  expect_error(std::string(100000, '{'), "deeper than 32");
  expect_error("{\"a\":" + std::string(100000, '['), "deeper than 32");
  // 32 open square brackets fill the record of open brackets to its last bit.
  expect_error("{\"a\":" + std::string(31, '[') + "}", "do not match");
}
GST_END_TEST;

GST_START_TEST(the_number_of_values_is_bounded_and_white_space_counted) {
  const auto listed = [](int values) {
    std::string text = "{\"a\":[1";
    for (int i = 1; i < values; ++i) text += ",1";
    return text + "]}";
  };
  same(error_of(listed(Framer::max_values - 2)), "");
  expect_error(listed(Framer::max_values), "more than 65536 values");
  // Values in strings are not counted, and each object is counted separately.
  same(error_of("{\"a\":\"" + std::string(100000, ',') + "\"}"), "");
  same(error_of(listed(40000) + listed(40000)), "");
  Framer framer;
  framer.feed("  {} \r\n\t");
  (void)drain(framer);
  fail_unless_equals_int(framer.take_skipped(), 6);
  fail_unless_equals_int(framer.take_skipped(), 0);
}
GST_END_TEST;

GST_START_TEST(garbage_is_an_error) {
  for (const char* garbage : {"HTTP/1.1 200 OK\r\n", "x{}", "}", "[1]", "\"{}\"", "\x01{}",
                              "{\"msg_id\":1}garbage", "{} ,{}", "\xff\xfe"})
    expect_error(garbage, "is not a message of this kind of camera");
  expect_error(std::string_view("\0{}", 3), "is not a message of this kind of camera");
  expect_error("{]", "do not match");
  expect_error("{\"a\":[}]", "do not match");
  // Objects before the garbage are not lost.
  Framer framer;
  framer.feed("{\"msg_id\":1}?");
  fail_unless(bool(*framer.next()));
  fail_unless(!framer.next());
}
GST_END_TEST;

GST_START_TEST(strings_are_written_ascii_and_without_braces) {
  same(json_string("a\"\\b"), R"("a\"\\b")");
  same(json_string("{}\n"), R"("\u007b\u007d\n")");
  same(json_string("\u00e9\U0001f600"), R"("\u00e9\ud83d\ude00")");
  same(json_string("\xff."), R"("\ufffd.")");
  same(json_string(std::string_view("\0a", 2)), R"("\ufffda")");
}
GST_END_TEST;

GST_START_TEST(requests_say_what_the_vendors_client_says) {
  const auto written = [](const Request& request, int64_t token) {
    Result<std::string> json = request.to_json(token);
    fail_unless(bool(json));
    return *json;
  };
  same(written(Request(257), 0), R"({"msg_id":257,"btwifi":2,"token":0})");
  same(written(Request(5169, "3"), 1), R"({"param":"3","msg_id":5169,"btwifi":2,"token":1})");
  const std::string get = written(
      Request(1285, "/tmp/FL0/lut/app_lut.bin").with("offset", "0").with("fetch_size", 1024), 7);
  const Message message = parsed(get);
  fail_unless_equals_int(*message.number("offset"), 0);
  fail_unless_equals_int(*message.number("fetch_size"), 1024);
  fail_unless_equals_int(*message.number("token"), 7);
  // The camera's buffer is of 1024 bytes.
  const size_t rest = Request::max_size - written(Request(1283, ""), 1).size();
  fail_unless_equals_int(written(Request(1283, std::string(rest, 'x')), 1).size(), 1024);
  fail_unless(!Request(1283, std::string(rest + 1, 'x')).to_json(1));
}
GST_END_TEST;

GST_START_TEST(the_transcript_field_by_field) {
  struct Expected {
    int id;
    std::optional<int> rval;
    std::optional<int64_t> token;
    std::optional<std::string> type, param;
    Message::Kind kind;
  };
  using K = Message::Kind;
  const std::vector<Expected> expected = {
      {257, {}, 0, {}, {}, K::reply},
      {257, 0, {}, {}, "2", K::reply},
      {11, {}, 2, {}, {}, K::reply},
      {11, 0, {}, {}, {}, K::reply},
      {1, {}, 2, "camera_mode", {}, K::reply},
      {1, 0, {}, "camera_mode", "normal_record", K::reply},
      {515, {}, 2, {}, {}, K::reply},
      {515, -14, {}, {}, {}, K::reply},
      {2, {}, 2, "camera_clock", "2022-04-25 10:29:59", K::reply},
      {2, 0, {}, "camera_clock", {}, K::reply},
      {13, {}, 2, {}, {}, K::reply},
      {13, 0, {}, "battery", "75", K::reply},
      {513, {}, 2, {}, {}, K::reply},
      {513, 0, {}, {}, {}, K::reply},
      {7, {}, {}, "start_normal_record", {}, K::notification},
      {515, {}, 2, {}, {}, K::reply},
      {515, 0, {}, {}, "0", K::reply},
      {514, {}, 2, {}, {}, K::reply},
      {514, 0, {}, {}, {}, K::reply},
      {7, {}, {}, "stop_normal_record", {}, K::notification},
  };
  fail_unless_equals_int(expected.size(), test::sister_session.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const Message m = parsed(test::sister_session[i].json);
    const Expected& e = expected[i];
    fail_unless_equals_int(m.id(), e.id);
    fail_unless(m.rval() == e.rval, "line %zu", i);
    fail_unless(m.number("token") == e.token, "line %zu", i);
    fail_unless(m.text("type") == e.type, "line %zu", i);
    fail_unless(m.param_text() == e.param, "line %zu", i);
    fail_unless(m.kind() == e.kind, "line %zu", i);
  }
  const Message info = parsed(test::sister_session[3].json);
  same(*info.text("model"), "SJ8PRO_TAIWAN");
  same(*info.text("media_folder"), "/tmp/SD0/DCIM");
}
GST_END_TEST;

GST_START_TEST(notifications_differ_from_replies) {
  using K = Message::Kind;
  fail_unless(parsed(R"({"rval":0,"msg_id":513})").kind() == K::reply);
  fail_unless(parsed(R"({"rval":128,"msg_id":513,"param":0})").kind() == K::notification);
  fail_unless(parsed(R"({"rval":0,"msg_id":8193,"param":"C:\\DCIM\\a.JPG"})").kind() ==
              K::notification);
  fail_unless(parsed(R"({"msg_id":8192})").kind() == K::notification);
  fail_unless(parsed(R"({"msg_id":1793})").kind() == K::question);
  fail_unless(parsed(R"({"rval":128,"msg_id":1793})").kind() == K::question);
  fail_unless(parsed(R"({"rval":-21,"msg_id":4864})").kind() == K::reply);

  const Message done = parsed(
      R"({"msg_id":7,"type":"get_file_complete","param":[{"bytes sent":12},{"md5sum":"ab"}]})");
  const auto entries = done.entries("param");
  fail_unless_equals_int(entries.size(), 2);
  same(entries[0].first, "bytes sent");
  same(entries[0].second, "12");
  same(entries[1].second, "ab");
}
GST_END_TEST;

GST_START_TEST(hostile_objects_are_refused_or_read_as_nothing) {
  for (const char* text : {"{}", "[]", "1", "", "{", R"({"msg_id":"x"})", R"({"msg_id":-1})",
                           R"({"msg_id":1e99})", R"({"msg_id":99999999999})", R"({"msg_id":{}})",
                           R"({"msg_id":1,"rval":"no"})", R"({"msg_id":1,"rval":[]})",
                           R"({"msg_id":1,"rval":99999999999})", "{\"msg_id\":1,\"a\":\"\xff\"}"})
    fail_unless(!Message::parse(text), "'%s' was taken", text);
  const Message odd = parsed(
      R"({"msg_id":"257","rval":"0","param":{"a":1},"type":null,"listing":[1,[],{},{"a":[]},null]})");
  fail_unless_equals_int(odd.id(), 257);
  fail_unless(odd.succeeded());
  fail_unless(!odd.param_number() && !odd.param_text() && !odd.text("type"));
  fail_unless_equals_int(odd.entries("listing").size(), 1);
  fail_unless(odd.entries("param").empty() && odd.entries("absent").empty());
  fail_unless(!parsed(R"({"msg_id":1,"param":1.5})").param_number());
  fail_unless(!parsed(R"({"msg_id":1,"param":"12x"})").param_number());
  fail_unless_equals_int(*parsed(R"({"msg_id":1,"param":"-3"})").param_number(), -3);
}
GST_END_TEST;

GST_START_TEST(logged_messages_have_no_personal_data) {
  const auto hidden = [](std::string_view json, const char* secret) {
    const std::string logged = redacted(json);
    fail_unless(logged.find(secret) == std::string::npos, "%s shows %s", logged.c_str(), secret);
    // The message must be in the log without its secrets.
    fail_unless(logged.find("msg_id") != std::string::npos, "%s", logged.c_str());
  };
  hidden(R"({"rval":0,"msg_id":257,"param":48151623})", "48151623");
  hidden(R"({"msg_id":4365,"token":48151623})", "48151623");
  hidden(R"({"msg_id":1793,"token":48151623,"param":"48151623"})", "48151623");
  hidden(R"({"rval":0,"msg_id":4097,"param":"SERIAL"})", "SERIAL");
  hidden(R"({"rval":0,"msg_id":4364,"v_res":0,"sn":"SERIAL","md5":"HASH"})", "SERIAL");
  hidden(R"({"rval":0,"msg_id":4364,"v_res":0,"sn":"SERIAL","md5":"HASH"})", "HASH");
  hidden(R"({"rval":0,"msg_id":1539,"param":"AP_SSID=NAME\nAP_PASSWD=WORD"})", "NAME");
  hidden(R"({"rval":0,"msg_id":1539,"param":"AP_SSID=NAME\nAP_PASSWD=WORD"})", "WORD");
  hidden(R"({"msg_id":5634,"ssid":"NAME","passwd":"WORD","token":1})", "NAME");
  hidden(R"({"msg_id":5634,"ssid":"NAME","passwd":"WORD","token":1})", "WORD");
  hidden(R"({"msg_id":4917,"lat":"39.990308","lon":"116.333437"})", "39.99");
  hidden(R"({"msg_id":261,"type":"TCP","param":"192.168.42.11"})", "192.168");
  hidden(R"({"rval":0,"msg_id":261,"param":"HASH"})", "HASH");
  hidden(R"({"msg_id":31337,"param":"NEW","unheard":"OF"})", "NEW");
  hidden(R"({"msg_id":31337,"param":"NEW","unheard":"OF"})", "OF");
  hidden(R"({"msg_id":1282,"listing":[{"NAME.JPG":"DATE"}]})", "NAME");
  hidden(R"({"msg_id":1,"SERIAL":1})", "SERIAL");

  const std::string shown = redacted(R"({"rval":-21,"msg_id":4864,"param":"C:\\DCIM\\A.JPG"})");
  fail_unless(shown.find("-21") != std::string::npos && shown.find("A.JPG") != std::string::npos);
  // Of bytes that are not a message, only the size is logged.
  same(redacted("PASSWORD"), "8 bytes that are not a message");
}
GST_END_TEST;

GST_START_TEST(commands_and_results_have_words) {
  same(command_name(4864), "take-photo (4864)");
  same(command_name(31337), "message 31337");
  for (int rval : {-3, -4, -5, -14, -17, -21, -26, -50, -56, -57, -58, -59, -61})
    fail_unless(result_words(rval).find("no known meaning (") == std::string::npos, "%d", rval);
  fail_unless(result_words(-1234).find("-1234") != std::string::npos);
  same(unix_path("C:\\DCIM\\20171216\\IMG.JPG"), "/tmp/SD0/DCIM/20171216/IMG.JPG");
}
GST_END_TEST;

GST_START_TEST(uris_name_the_preview_files_and_ports) {
  const auto read = [](const char* text) {
    Result<Uri> uri = Uri::parse(text);
    fail_unless(bool(uri), "%s", uri ? "" : uri.error().message.c_str());
    // A written message can be read back unchanged.
    const Result<Uri> again = Uri::parse(uri->to_string());
    fail_unless(bool(again) && again->to_string() == uri->to_string());
    fail_unless(again->file == uri->file && again->host == uri->host);
    return *uri;
  };
  for (const char* text : {"madv://", "madv:///live", "madv:///", "MADV://192.168.42.1",
                           "madv://192.168.42.1:7878/live"}) {
    const Uri uri = read(text);
    same(uri.to_string(), "madv://192.168.42.1/live");
    fail_unless(uri.is_preview() && uri.port == 7878 && uri.data_port == 8787);
    same(uri.rtsp_url(), "rtsp://192.168.42.1/live");
  }
  const Uri ports =
      read("madv://localhost:1/live?data-port=2&rtsp-port=3&http-port=4&https-port=65535");
  fail_unless(ports.port == 1 && ports.data_port == 2 && ports.rtsp_port == 3 &&
              ports.http_port == 4 && ports.https_port == 65535);
  same(ports.rtsp_url(), "rtsp://localhost:3/live");
  const Uri file = read("madv://[::1]/DCIM/20161121/VID%20a%25.MP4?http-port=8080");
  fail_unless(!file.is_preview());
  same(file.file, "DCIM/20161121/VID a%.MP4");
  same(file.http_url(), "http://[::1]:8080/20161121/VID%20a%25.MP4");
  same(read("madv:///DCIM/a.JPG").http_url(), "http://192.168.42.1:50422/a.JPG");
}
GST_END_TEST;

GST_START_TEST(wrong_uris_have_helpful_errors) {
  const auto refused = [](const char* text, const char* words) {
    const Result<Uri> uri = Uri::parse(text);
    fail_unless(!uri, "%s was taken", text);
    fail_unless(uri.error().message.find(words) != std::string::npos, "'%s' does not say '%s'",
                uri.error().message.c_str(), words);
  };
  refused("", "begin with madv://");
  refused("rtsp://192.168.42.1/live", "begin with madv://");
  refused("madv:192.168.42.1", "write madv://HOST");
  refused("madv://a:0/", "1 to 65535");
  refused("madv://a:65536/", "ort");
  refused("madv://a:x/", "ort");
  refused("madv://a/movie", "neither /live");
  refused("madv://a/DCIM", "neither /live");
  refused("madv://a/DCIM/", "neither /live");
  refused("madv://a/DCIM/20161121/", "is a folder");
  refused("madv://a/DCIM/../../etc/passwd", "'..'");
  refused("madv://a/DCIM/%2e%2e/x", "'..'");
  refused("madv://a/DCIM//x", "empty");
  refused("madv://a/DCIM/a%0ab", "control character");
  refused("madv://a/DCIM/a%5cb", "backslash");
  refused("madv://a/?dataport=1", "no parameter 'dataport'");
  refused("madv://a/?data-port=1&data-port=2", "given twice");
  refused("madv://a/?data-port=0", "is not a port");
  refused("madv://a/?data-port=-1", "is not a port");
  refused("madv://a/?data-port=70000", "is not a port");
  refused("madv://a/?data-port", "name=value");
  refused("madv://a/#x", "'#'");
  refused("madv://a b/", "");
  refused("madv://a%20b/", "not a host name");
  refused("madv://[zz]/", "");
  refused("madv://me@a/", "no user name");
  // The password of a URI that has one is not repeated.
  for (const char* text : {"madv://me:word@a/", "madv://me:word@a:x/", "http://me:word@a/"}) {
    const Result<Uri> secret = Uri::parse(text);
    fail_unless(!secret && secret.error().message.find("word") == std::string::npos);
  }
  refused(("madv://a/DCIM/" + std::string(5000, 'x')).c_str(), "longer");
}
GST_END_TEST;

static Suite* madv_wire_suite() {
  Suite* suite = suite_create("madv_wire");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, every_object_cut_at_every_byte);
  tcase_add_test(tcase, every_object_byte_by_byte_and_all_in_one_segment);
  tcase_add_test(tcase, ten_objects_joined_and_the_eleventh_begun);
  tcase_add_test(tcase, braces_and_quotes_inside_strings_do_not_count);
  tcase_add_test(tcase, size_is_bounded_to_the_byte);
  tcase_add_test(tcase, depth_is_limited_before_the_parser);
  tcase_add_test(tcase, the_number_of_values_is_bounded_and_white_space_counted);
  tcase_add_test(tcase, garbage_is_an_error);
  tcase_add_test(tcase, strings_are_written_ascii_and_without_braces);
  tcase_add_test(tcase, requests_say_what_the_vendors_client_says);
  tcase_add_test(tcase, the_transcript_field_by_field);
  tcase_add_test(tcase, notifications_differ_from_replies);
  tcase_add_test(tcase, hostile_objects_are_refused_or_read_as_nothing);
  tcase_add_test(tcase, logged_messages_have_no_personal_data);
  tcase_add_test(tcase, commands_and_results_have_words);
  tcase_add_test(tcase, uris_name_the_preview_files_and_ports);
  tcase_add_test(tcase, wrong_uris_have_helpful_errors);
  return suite;
}

GST_CHECK_MAIN(madv_wire)
