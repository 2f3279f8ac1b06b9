// SPDX-License-Identifier: LGPL-2.1-or-later
// The target web:PORT: its settings, and what it tells of itself.

// The standard library comes first: check defines `fail` as a macro.
#include <memory>
#include <string>
#include <thread>

#include <glib/gstdio.h>

#include "tests/check/web_client.h"

#include "gst/live/output.h"
#include "gst/live/target.h"
#include "gst/live/web/certificate.h"
#include "gst/live/web/web_output.h"

#include "tests/check/pipeline.h"

namespace {

using namespace sphere;
using namespace sphere::live;

std::unique_ptr<Output> made(const std::string& words) {
  const auto target = parse_target(words);
  fail_unless(static_cast<bool>(target), "%s", words.c_str());
  auto output = make_web_output(*target);
  fail_unless(static_cast<bool>(output), "%s: %s", words.c_str(),
              output ? "" : output.error().message.c_str());
  return std::move(*output);
}

void refused(const std::string& words, const std::string& why) {
  const auto target = parse_target(words);
  fail_unless(static_cast<bool>(target), "%s", words.c_str());
  const auto output = make_web_output(*target);
  fail_unless(!output, "%s", words.c_str());
  fail_unless(output.error().message.find(why) != std::string::npos, "%s: %s", words.c_str(),
              output.error().message.c_str());
}

StreamInfo stream_info() {
  StreamInfo stream;
  stream.width = 320;
  stream.height = 160;
  return stream;
}

GST_START_TEST(needs) {
  const auto here = made("web:0"), everywhere = made("web:0.0.0.0:0?width=1280");
  using consent::bit;
  using consent::Purpose;
  fail_unless(here->needs().video == VideoForm::h264);
  fail_unless(here->needs().profile == H264Profile::constrained_baseline);
  fail_unless(here->needs().audio == AudioForm::opus);
  ck_assert_int_eq(here->needs().max_width, 1920);
  ck_assert_int_eq(everywhere->needs().max_width, 1280);
  fail_unless(here->needs().audio_purposes == bit(Purpose::live));
  fail_unless(everywhere->needs().audio_purposes == (bit(Purpose::live) | bit(Purpose::share)));
}
GST_END_TEST

GST_START_TEST(settings) {
  refused("web:0?colour=red", "colour");
  refused("web:0?viewers=0", "viewers");
  refused("web:0?udp-port=70000", "udp-port");
  refused("web:0?token=short", "16");
  refused("web:0?key=key.pem", "cert");
  refused("web:0?cert=nonesuch.pem", "nonesuch.pem");
  g_autofree char* folder = g_dir_make_tmp("sphere-XXXXXX", nullptr);
  const std::string path = std::string(folder) + "/page.pem";
  fail_unless(g_file_set_contents(path.c_str(), "junk", -1, nullptr));
  refused("web:0?cert=" + path, "certificate");
  auto certificate = Certificate::make("test", {"localhost"}, 2);
  fail_unless(g_file_set_contents(path.c_str(), certificate->pem().c_str(), -1, nullptr));
  const auto output = made("web:127.0.0.1:0?cert=" + path + "&token=a-token-for-the-tests");
  auto bin = output->open(stream_info());
  fail_unless(static_cast<bool>(bin));
  gst_object_unref(gst_object_ref_sink(*bin));
  OutputStatus status;
  output->describe(&status);
  ck_assert_uint_eq(status.links.size(), 1);
  fail_unless(status.links[0].starts_with("https://127.0.0.1:") &&
                  status.links[0].ends_with("/#token=a-token-for-the-tests"),
              "%s", status.links[0].c_str());
  fail_unless(status.note.find(fingerprint_text(certificate->fingerprint())) != std::string::npos);
  fail_unless(status.words.empty());
  output->closed(Output::Closed::ended);
  g_unlink(path.c_str());
  g_rmdir(folder);
}
GST_END_TEST

GST_START_TEST(page_outlives_the_element) {
  const auto output = made("web:0");
  OutputStatus status;
  output->describe(&status);
  fail_unless(status.links.empty() && !status.viewers);
  std::string link;
  test::WebSession http;
  for (int i = 0; i < 3; ++i) {
    auto bin = output->open(stream_info());
    fail_unless(static_cast<bool>(bin));
    const GstRef<GstElement> element(GST_ELEMENT(gst_object_ref_sink(*bin)));
    fail_unless(GST_PAD_IS_SINK(element->sinkpads->data));
    ck_assert_int_eq(element->numsinkpads, 1);
    output->describe(&status);
    fail_unless(i == 0 || status.links[0] == link);
    link = status.links[0];
    ck_assert_uint_eq(*status.viewers, 0);
    // What the page says is that the stream comes back, unless it has ended.
    const auto why = i == 0   ? Output::Closed::broken
                     : i == 1 ? Output::Closed::replaced
                              : Output::Closed::ended;
    output->closed(why);
    const std::string facts = http.ask("GET", link + "stream.json").body;
    const char* state = i == 2 ? "\"ended\"" : "\"waiting\"";
    fail_unless(facts.find(state) != std::string::npos, "%s", facts.c_str());
  }
  // A port that is taken is an error that can go away.
  const auto other =
      made("web:" + link.substr(link.rfind(':') + 1, link.rfind('/') - link.rfind(':') - 1));
  const auto taken = other->open(stream_info());
  fail_unless(!taken && !other->is_final());
  fail_unless(taken.error().message.find("Another program") != std::string::npos);
}
GST_END_TEST

GST_START_TEST(viewers_are_told_of_the_end) {
  const auto output = made("web:0");
  auto bin = output->open(stream_info());
  fail_unless(static_cast<bool>(bin));
  gst_object_unref(gst_object_ref_sink(*bin));
  OutputStatus status;
  output->describe(&status);
  const std::string link = status.links[0];
  test::WebSession http;
  test::WebViewer viewer;
  viewer.join(http, link);
  output->describe(&status);
  ck_assert_uint_eq(*status.viewers, 1);
  // As the page does: it asks how the stream is, and leaves when that has ended.
  std::thread page([&] {
    while (http.ask("GET", link + "stream.json").body.find("\"ended\"") == std::string::npos) {
    }
    http.ask("DELETE", link + viewer.location.substr(1));
  });
  const gint64 begin = g_get_monotonic_time();
  output->closed(Output::Closed::ended);
  const gint64 took = g_get_monotonic_time() - begin;
  output->describe(&status);
  const unsigned left = *status.viewers;
  page.join();
  // A viewer that takes longer is left behind.
  fail_unless(left == 0 || took >= 2'500'000, "%u after %" G_GINT64_FORMAT " us", left, took);
}
GST_END_TEST

Suite* web_output_suite() {
  Suite* suite = suite_create("web_output");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, needs);
  tcase_add_test(tests, settings);
  tcase_add_test(tests, page_outlives_the_element);
  tcase_add_test(tests, viewers_are_told_of_the_end);
  return suite;
}

}  // namespace

GST_CHECK_MAIN(web_output)
