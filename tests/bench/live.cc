// SPDX-License-Identifier: LGPL-2.1-or-later
// Times the live way, from an emulated camera to the stitched picture. Prints one line of JSON:
//
//   first_ms    from PLAYING to the first stitched picture
//   glass_ms    median time from when the camera saw a picture to when the sink has it, stitched
//   encode_ms, decode_ms, stitch_ms
//               the medians of these parts of it
//   beyond_ms   what is left of glass_ms without both codecs and `latency`: the protocol and the
//               stitcher
//
// live PICTURES LATENCY TIMING       TIMING: 1 with the real camera's pauses, 0 without

#define GST_USE_UNSTABLE_API
#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "hw/madv/emulator/emulator.h"
#include "tests/bench/push_times.h"
#include "tests/tools/number.h"

using namespace sphere;

namespace {

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "live: %s\n", what.c_str());
  std::exit(1);
}

double median(std::vector<double> values) {
  if (values.empty()) give_up("nothing was measured");
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 4) give_up("usage: live PICTURES LATENCY TIMING");
  const int pictures = std::atoi(argv[1]);
  const double latency = std::atof(argv[2]);

  madv_emulator::EmulatorOptions options;
  options.control.timing = std::atoi(argv[3]) != 0;
  options.make_table = true;
  const auto camera = madv_emulator::Emulator::start(std::move(options));
  if (!camera) give_up(camera.error().message);

  g_autoptr(GError) error = nullptr;
  GstElement* made = gst_parse_launch(
      ("spherecamsrc timeout=30 location=\"" + (*camera)->uri() + "\" latency=" + argv[2] +
       " ! decodebin ! cpuspherestitch ! appsink name=sink")
          .c_str(),
      &error);
  if (!made) give_up(error->message);
  const GstRef<GstElement> pipeline(static_cast<GstElement*>(gst_object_ref_sink(made)));
  const GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(made), "sink"));
  const GstRef<GstTracer> tracer(
      static_cast<GstTracer*>(g_object_new(bench_tracer_get_type(), nullptr)));

  const gint64 begin = g_get_monotonic_time();
  gst_element_set_state(made, GST_STATE_PLAYING);
  double first = 0;
  struct Shown {
    uint32_t number;
    gint64 at;
  };
  std::vector<Shown> shown;
  for (int i = 0; i < pictures; ++i) {
    GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), 30 * GST_SECOND);
    if (!sample) give_up("a picture is missing");
    const gint64 now = g_get_monotonic_time();
    if (i == 0) first = static_cast<double>(now - begin) / 1e3;
    const auto number = test::number_in(sample);
    gst_sample_unref(sample);
    if (!number) give_up("a picture has no number");
    shown.push_back({*number, now});
  }
  gst_element_set_state(made, GST_STATE_NULL);

  PushTimes& pushes = PushTimes::of_all();
  const std::vector<gint64> seen = pushes.of("spheretestsrc"), coded = pushes.of("x264enc"),
                            arrived = pushes.of("rtph264depay"), decoded = pushes.of("avdec_h264"),
                            stitched = pushes.of("cpuspherestitch");
  // The k-th picture that was decoded is the k-th that was shown. What was parsed but not decoded,
  // because it came before the first key frame, stands before them.
  if (decoded.size() < shown.size() || stitched.size() < shown.size()) give_up("pictures are lost");
  std::vector<double> glass, encode, decode, stitch;
  for (size_t k = 5; k < shown.size(); ++k) {
    const Shown& s = shown[k];
    if (s.number >= seen.size() || s.number >= coded.size()) continue;
    const auto ms = [](gint64 from, gint64 to) { return static_cast<double>(to - from) / 1e3; };
    glass.push_back(ms(seen[s.number], s.at));
    encode.push_back(ms(seen[s.number], coded[s.number]));
    // The one that came last before it was decoded.
    const auto in = std::upper_bound(arrived.begin(), arrived.end(), decoded[k]);
    if (in != arrived.begin()) decode.push_back(ms(*(in - 1), decoded[k]));
    stitch.push_back(ms(decoded[k], stitched[k]));
  }
  const double beyond = median(glass) - latency - median(encode) - median(decode);
  std::printf(
      "{\"first_ms\": %.0f, \"glass_ms\": %.1f, \"encode_ms\": %.1f, \"decode_ms\": %.1f, "
      "\"stitch_ms\": %.1f, \"beyond_ms\": %.1f}\n",
      first, median(glass), median(encode), median(decode), median(stitch), beyond);
  return 0;
}
