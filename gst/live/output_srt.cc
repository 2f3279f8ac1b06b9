// SPDX-License-Identifier: LGPL-2.1-or-later
// SRT: MPEG-TS over a network that loses packets, encrypted where there is a passphrase.

#include <gio/gio.h>
#include <gst/video/video-event.h>

#include <memory>

#include "gst/live/debug_log.h"
#include "gst/live/output.h"
#include "gst/live/output_parts.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

namespace {

constexpr double default_latency_ms = 125, most_latency_ms = 8000;
constexpr size_t shortest_passphrase = 10, longest_passphrase = 79;

struct SrtSettings {
  bool listener = false;
  std::string passphrase, stream_id;
  int key_length = 0;
  int latency = 0;
};

class SrtOutput : public Output {
 public:
  SrtOutput(const Target& target, const SrtSettings& settings)
      : target_(target), settings_(settings) {
    needs_.audio_purposes = audio_purposes(target);
    needs_.location_purposes = location_purposes(target);
    needs_.adapts = true;
    needs_.keeps_times = false;  // mpegtsmux gives its packets the times of earlier ones
  }

  const OutputNeeds& needs() const override { return needs_; }

  Result<GstElement*> open(const StreamInfo& stream) override {
    std::string words =
        "mpegtsmux name=mux alignment=7 ! srtsink name=sink sync=false wait-for-connection=false "
        "h264parse name=video ! video/x-h264,stream-format=byte-stream,alignment=au ! mux. ";
    if (stream.audio)
      words += "aacparse name=audio ! audio/mpeg,mpegversion=4,stream-format=adts ! mux. ";
    Result<GstElement*> bin = make_output_bin(words);
    if (!bin) return bin;
    limit_debug_log({"srtobject", "srtsink", "srtlib"});  // they log the passphrase
    GstElement* sink = child_of(*bin, "sink");
    sink_.reset(GST_ELEMENT(gst_object_ref(sink)));
    answered_at_ = 0;
    std::string address = settings_.listener && target_.host.empty()
                              ? "srt://:" + std::to_string(target_.port)
                              : target_.address;
    // Only with the mode in it does the sink take host and port as those to listen on.
    address += settings_.listener ? "?mode=listener" : "?mode=caller";
    g_object_set(sink, "uri", address.c_str(), "latency", settings_.latency, nullptr);
    if (settings_.listener)
      g_signal_connect(sink, "caller-added", G_CALLBACK(request_key_frame),
                       child_of(*bin, "video"));
    if (!settings_.passphrase.empty())
      g_object_set(sink, "passphrase", settings_.passphrase.c_str(), "pbkeylen",
                   settings_.key_length, nullptr);
    if (!settings_.stream_id.empty())
      g_object_set(sink, "streamid", settings_.stream_id.c_str(), nullptr);
    // The runner opens it again, and says so.
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(sink), "auto-reconnect"))
      g_object_set(sink, "auto-reconnect", FALSE, nullptr);
    return bin;
  }

  void closed(Closed) override { sink_.reset(); }

  int64_t unanswered() override {
    if (!sink_) return 0;
    GstStructure* read = nullptr;
    g_object_get(sink_.get(), "stats", &read, nullptr);
    const std::unique_ptr<GstStructure, Call<gst_structure_free>> stats(read);
    gint64 sent = 0;
    int answers = 0;
    // A listener has these for each of its callers, of whom one may go at any time.
    if (!stats || !gst_structure_get_int64(stats.get(), "packets-sent", &sent) ||
        !gst_structure_get_int(stats.get(), "packet-ack-received", &answers))
      return 0;
    const int64_t now = g_get_monotonic_time();
    if (!answered_at_ || answers != answers_ || sent == sent_) answered_at_ = now;
    answers_ = answers;
    sent_ = sent;
    return now - answered_at_;
  }

  std::string explain(GstMessage* error) override {
    g_autoptr(GError) problem = nullptr;
    g_autofree char* detail = nullptr;
    gst_message_parse_error(error, &problem, &detail);
    if (!problem || problem->domain != GST_RESOURCE_ERROR) return {};
    const std::string text = to_string(problem->message) + " " + to_string(detail);
    if (settings_.listener && text.find("ind") != std::string::npos &&
        problem->code == GST_RESOURCE_ERROR_OPEN_WRITE)
      return "the port " + std::to_string(target_.port) +
             " can't be listened on: another program may use it";
    if (text.find("assword") != std::string::npos || text.find("ecur") != std::string::npos)
      return target_.shown + " refuses the connection: check the passphrase";
    return "no connection to " + target_.shown +
           ": check the address, the passphrase, and that the other end listens";
  }

 private:
  /// Who connects can show nothing before the next key frame.
  static void request_key_frame(GstElement*, int, GSocketAddress*, gpointer parser) {
    const GstRef<GstPad> pad(gst_element_get_static_pad(GST_ELEMENT(parser), "sink"));
    gst_pad_push_event(pad.get(),
                       gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  }

  const Target target_;
  const SrtSettings settings_;
  OutputNeeds needs_;
  GstRef<GstElement> sink_;  ///< while it is open
  /// What was seen last: packets that were sent, and answers, and when there was a new answer or
  /// nothing to answer; 0: not read yet.
  gint64 sent_ = 0;
  int answers_ = 0;
  int64_t answered_at_ = 0;
};

Result<std::unique_ptr<Output>> make(const Target& target) {
  if (const Status found = check_elements({"mpegtsmux", "srtsink", "h264parse", "aacparse"});
      !found)
    return found.error();
  if (const Status known =
          check_settings(target, {"mode", "passphrase", "pbkeylen", "streamid", "latency"});
      !known)
    return known.error();
  SrtSettings settings;
  const std::string mode = target.setting("mode");
  if (!mode.empty() && mode != "caller" && mode != "listener")
    return invalid("the mode of SRT is 'caller' (the other end listens) or 'listener'");
  settings.listener = mode == "listener" || (mode.empty() && target.host.empty());
  if (!settings.listener && target.host.empty())
    return invalid("SRT needs a host to call: write srt://HOST:PORT");
  settings.passphrase = target.setting("passphrase");
  if (target.settings.count("passphrase") && (settings.passphrase.size() < shortest_passphrase ||
                                              settings.passphrase.size() > longest_passphrase))
    return invalid("a passphrase of SRT has 10 to 79 characters");
  const Result<double> length = number_setting(target, "pbkeylen", 32, 16, 32);
  if (!length) return length.error();
  settings.key_length = static_cast<int>(*length);
  if (settings.key_length != 16 && settings.key_length != 24 && settings.key_length != 32)
    return invalid("'pbkeylen' is 16, 24 or 32");
  const Result<double> latency =
      number_setting(target, "latency", default_latency_ms, 0, most_latency_ms);
  if (!latency) return latency.error();
  settings.latency = static_cast<int>(*latency);
  settings.stream_id = target.setting("streamid");
  return std::unique_ptr<Output>(new SrtOutput(target, settings));
}

const OutputRegistration registration(TargetKind::srt, make);

}  // namespace

}  // namespace sphere::live
