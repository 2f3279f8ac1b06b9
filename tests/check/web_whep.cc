// SPDX-License-Identifier: LGPL-2.1-or-later
// A WHEP client that is not ours, GStreamer's webrtcbin, plays the page's stream.

// The standard library comes first: check defines `fail` as a macro.
#include <atomic>
#include <memory>
#include <string>

#include <gst/app/gstappsink.h>
#include <gst/sdp/sdp.h>
#define GST_USE_UNSTABLE_API
#include <gst/webrtc/webrtc.h>

#include "gst/live/web/web_bin.h"
#include "gst/live/web/web_server.h"
#include "tests/check/web_client.h"

#include "tests/check/pipeline.h"

namespace {

using namespace sphere;
using namespace sphere::live;

struct StructureFree {
  void operator()(GstPromise* promise) const { gst_promise_unref(promise); }
};
using PromiseRef = std::unique_ptr<GstPromise, StructureFree>;

class Client {
 public:
  // A line with one element would give no pipeline.
  Client(bool sound, const char* bundle)
      : pipeline_(std::string("webrtcbin name=webrtc bundle-policy=") + bundle +
                  "  fakesrc num-buffers=0 ! fakesink async=false") {
    webrtc_ = pipeline_.child("webrtc");
    g_signal_connect(webrtc_.get(), "pad-added", G_CALLBACK(on_pad), this);
    // libnice takes no loopback address by itself, and sends from none to one.
    GstObject* ice = nullptr;
    g_object_get(webrtc_.get(), "ice-agent", &ice, nullptr);
    gboolean added = FALSE;
    g_signal_emit_by_name(ice, "add-local-ip-address", "127.0.0.1", &added);
    gst_object_unref(ice);
    fail_unless(added);
    add("application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000,"
        "packetization-mode=(string)1,profile-level-id=(string)42e01f,rtcp-fb-nack-pli=true");
    if (sound)
      add("application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,"
          "encoding-params=(string)2");
    pipeline_.play();
  }

  std::string offer() {
    const PromiseRef made(gst_promise_new());
    g_signal_emit_by_name(webrtc_.get(), "create-offer", nullptr, made.get());
    fail_unless(gst_promise_wait(made.get()) == GST_PROMISE_RESULT_REPLIED);
    g_autoptr(GstWebRTCSessionDescription) offer = nullptr;
    gst_structure_get(gst_promise_get_reply(made.get()), "offer",
                      GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &offer, nullptr);
    fail_unless(offer != nullptr);
    const PromiseRef set(gst_promise_new());
    g_signal_emit_by_name(webrtc_.get(), "set-local-description", offer, set.get());
    gst_promise_wait(set.get());
    g_autofree char* text = gst_sdp_message_as_text(offer->sdp);
    return text;
  }

  void take(const std::string& answer) {
    GstSDPMessage* message = nullptr;
    fail_unless(gst_sdp_message_new_from_text(answer.c_str(), &message) == GST_SDP_OK);
    g_autoptr(GstWebRTCSessionDescription) description =
        gst_webrtc_session_description_new(GST_WEBRTC_SDP_TYPE_ANSWER, message);
    const PromiseRef set(gst_promise_new());
    g_signal_emit_by_name(webrtc_.get(), "set-remote-description", description, set.get());
    gst_promise_wait(set.get());
  }

  std::atomic<int> pictures{0}, sounds{0};

 private:
  void add(const char* words) {
    const CapsRef caps(gst_caps_from_string(words));
    GstWebRTCRTPTransceiver* made = nullptr;
    g_signal_emit_by_name(webrtc_.get(), "add-transceiver",
                          GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_RECVONLY, caps.get(), &made);
    fail_unless(made != nullptr);
    gst_object_unref(made);
  }

  static void on_pad(GstElement*, GstPad* pad, gpointer data) {
    auto* self = static_cast<Client*>(data);
    if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC) return;
    const CapsRef caps(gst_pad_get_current_caps(pad));
    const bool video = g_str_equal(
        gst_structure_get_string(gst_caps_get_structure(caps.get(), 0), "media"), "video");
    GstElement* bin = gst_parse_bin_from_description(
        video ? "rtph264depay ! h264parse ! avdec_h264 ! fakesink name=sink signal-handoffs=true "
                "sync=false"
              : "rtpopusdepay ! opusdec ! fakesink name=sink signal-handoffs=true sync=false",
        TRUE, nullptr);
    fail_unless(bin != nullptr);
    const GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(bin), "sink"));
    g_signal_connect(sink.get(), "handoff", G_CALLBACK(on_buffer),
                     video ? &self->pictures : &self->sounds);
    gst_bin_add(GST_BIN(self->pipeline_.element()), bin);
    gst_element_sync_state_with_parent(bin);
    const GstRef<GstPad> its(gst_element_get_static_pad(bin, "sink"));
    fail_unless(gst_pad_link(pad, its.get()) == GST_PAD_LINK_OK);
  }
  static void on_buffer(GstElement*, GstBuffer*, GstPad*, gpointer count) {
    ++*static_cast<std::atomic<int>*>(count);
  }

  test::Pipeline pipeline_;
  GstRef<GstElement> webrtc_;
};

void wait_for(const char* what, const std::atomic<int>& count, int until) {
  const gint64 end = g_get_monotonic_time() + static_cast<gint64>(test::deadline / 1000);
  while (count < until) {
    fail_unless(g_get_monotonic_time() < end, "%s: %d", what, count.load());
    g_usleep(5000);
  }
}

bool there(const char* name) {
  const GstRef<GstElementFactory> factory(gst_element_factory_find(name));
  if (!factory) g_print("skip: there is no %s\n", name);
  return factory != nullptr;
}

GST_START_TEST(webrtcbin_plays) {
  if (!there("webrtcbin") || !there("nicesink") || !there("dtlsenc") || !there("srtpenc") ||
      !there("avdec_h264"))
    return;
  WebBin bin;
  WebServer::Settings settings;
  settings.request_key_frame = [&] { bin.request_key_frame(); };
  auto server = WebServer::start(std::move(settings));
  fail_unless(static_cast<bool>(server));
  auto made = bin.make(**server, {true, g_get_real_time()});
  test::Pipeline pipeline(
      "videotestsrc is-live=true ! video/x-raw,width=320,height=160,framerate=30/1 ! x264enc "
      "tune=zerolatency speed-preset=ultrafast ! video/x-h264,profile=constrained-baseline,"
      "stream-format=byte-stream,alignment=au ! identity name=coded-video "
      "audiotestsrc is-live=true ! opusenc ! identity name=coded-audio");
  gst_bin_add(GST_BIN(pipeline.element()), *made);
  for (const char* name : {"video", "audio"})
    fail_unless(gst_element_link_pads(pipeline.child((std::string("coded-") + name).c_str()).get(),
                                      "src", *made, name));
  pipeline.play();

  test::WebSession http;
  const std::string base = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/";
  struct Case {
    const char* bundle;
    bool sound;  ///< the stream has
    bool heard;
  };
  // webrtcbin's own usual is no bundle: then there are the pictures alone.
  for (const Case& one :
       {Case{"max-bundle", true, true}, {"max-bundle", false, false}, {"none", true, false}}) {
    StreamFacts facts;
    facts.state = StreamFacts::State::playing;
    facts.sound = one.sound;
    (*server)->set_facts(facts);
    Client client(true, one.bundle);
    const test::WebAnswer answer =
        http.ask("POST", base + "whep", client.offer(), "application/sdp");
    fail_unless(answer.status == 201, "%u %s", answer.status, answer.body.c_str());
    client.take(answer.body);
    wait_for("pictures", client.pictures, 30);
    if (one.heard) wait_for("sound", client.sounds, 30);
    fail_unless(one.heard || client.sounds == 0);
    ck_assert_uint_eq(http.ask("DELETE", base + answer.location.substr(1)).status, 200);
  }
  ck_assert_uint_eq((*server)->viewers(), 0);
  pipeline.set_state(GST_STATE_NULL);
  bin.closed();
}
GST_END_TEST

Suite* web_whep_suite() {
  Suite* suite = suite_create("web_whep");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, webrtcbin_plays);
  return suite;
}

}  // namespace

GST_CHECK_MAIN(web_whep)
