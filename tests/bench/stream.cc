// SPDX-License-Identifier: LGPL-2.1-or-later
// Times a live stream, from an emulated camera through stitcher, encoder and gates to an output,
// by the number in each picture. Prints one line of JSON:
//
//   glass_ms   median time from when the camera saw a picture to when the output has it, coded
//   most_ms    of nine in ten pictures at most
//   stitch_ms  the stitcher in it
//   lost       pictures of the camera that did not come out
//
// stream PICTURES WIDTH LATENCY

#define GST_USE_UNSTABLE_API
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "gst/live/output_parts.h"
#include "tests/bench/camera_stream.h"
#include "tests/tools/number.h"

using namespace sphere;
using namespace sphere::live;

namespace {

struct Coded {
  GstSample* sample;
  gint64 at;
};

/// What came, in order.
class Pictures {
 public:
  void add(GstSample* sample) {
    const Lock lock(mutex_);
    all_.push_back({sample, g_get_monotonic_time()});
  }
  size_t size() const {
    const Lock lock(mutex_);
    return all_.size();
  }
  std::vector<Coded> take() {
    const Lock lock(mutex_);
    return std::move(all_);
  }

 private:
  mutable Mutex mutex_;  // protects what came; held only while it is changed or moved
  std::vector<Coded> all_ SPHERE_GUARDED_BY(mutex_);
};

Pictures& pictures() {
  static Pictures all;
  return all;
}

/// As a server on another machine has it: both gates for places are before it.
class KeepingOutput : public Output {
 public:
  explicit KeepingOutput(const Target& target) {
    needs_.location_purposes = location_purposes(target);
    needs_.audio = AudioForm::none;
  }
  const OutputNeeds& needs() const override { return needs_; }
  Result<GstElement*> open(const StreamInfo&) override {
    auto bin = make_output_bin("appsink name=video sync=false async=false ");
    if (!bin) return bin;
    GstAppSinkCallbacks callbacks = {};
    callbacks.new_sample = [](GstAppSink* sink, gpointer) {
      if (GstSample* sample = gst_app_sink_pull_sample(sink)) pictures().add(sample);
      return GST_FLOW_OK;
    };
    gst_app_sink_set_callbacks(GST_APP_SINK(child_of(*bin, "video")), &callbacks, nullptr, nullptr);
    return bin;
  }

 private:
  OutputNeeds needs_;
};

/// The numbers in coded pictures, in order.
std::vector<uint32_t> numbers_in(const std::vector<Coded>& coded) {
  g_autoptr(GError) error = nullptr;
  const GstRef<GstElement> pipeline(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      "appsrc name=in format=time max-bytes=0 ! h264parse ! avdec_h264 max-threads=1 ! appsink "
      "name=out sync=false",
      &error))));
  if (error) give_up(error->message);
  const GstRef<GstElement> in(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
  const GstRef<GstElement> out(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  for (const Coded& one : coded) gst_app_src_push_sample(GST_APP_SRC(in.get()), one.sample);
  gst_app_src_end_of_stream(GST_APP_SRC(in.get()));
  std::vector<uint32_t> numbers;
  while (GstSample* sample =
             gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), 30 * GST_SECOND)) {
    const auto number = test::number_in(sample);
    gst_sample_unref(sample);
    if (!number) give_up("a picture has no number");
    numbers.push_back(*number);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return numbers;
}

double part(std::vector<double> values, double share) {
  if (values.empty()) give_up("nothing was measured");
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return values[at];
}

const OutputRegistration registration(TargetKind::web, [](const Target& target) {
  return Result<std::unique_ptr<Output>>(std::make_unique<KeepingOutput>(target));
});

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc != 4) give_up("usage: stream PICTURES WIDTH LATENCY");
  const auto wanted = static_cast<size_t>(std::atoi(argv[1]));
  const int width = std::atoi(argv[2]);

  CameraStream stream(width, std::atoi(argv[3]), "web:0.0.0.0:1");
  const gint64 end = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
  while (pictures().size() < wanted && g_get_monotonic_time() < end)
    if (!stream.session().run_for(20)) give_up(stream.session().problem());
  stream.end();

  const std::vector<Coded> coded = pictures().take();
  if (coded.size() < wanted) give_up("pictures are missing");
  const std::vector<uint32_t> numbers = numbers_in(coded);
  PushTimes& pushes = PushTimes::of_all();
  const std::vector<gint64> seen = pushes.of("spheretestsrc"), decoded = pushes.of("avdec_h264"),
                            stitched = pushes.of("cpuspherestitch");
  std::vector<double> glass, stitch;
  size_t lost = 0;
  // The first second is for encoders and caches.
  for (size_t k = std::min<size_t>(30, numbers.size() / 2); k < numbers.size(); ++k) {
    if (numbers[k] >= seen.size()) continue;
    glass.push_back(static_cast<double>(coded[k].at - seen[numbers[k]]) / 1e3);
    lost += numbers[k] - numbers[k - 1] - 1;
  }
  for (size_t k = 30; k < stitched.size(); ++k) {
    // The decoded picture that came last before it.
    const auto in = std::lower_bound(decoded.begin(), decoded.end(), stitched[k]);
    if (in != decoded.begin()) stitch.push_back(static_cast<double>(stitched[k] - *(in - 1)) / 1e3);
  }
  for (const Coded& one : coded) gst_sample_unref(one.sample);
  std::printf("{\"glass_ms\": %.1f, \"most_ms\": %.1f, \"stitch_ms\": %.1f, \"lost\": %zu}\n",
              part(glass, 0.5), part(glass, 0.9), part(stitch, 0.5), lost);
  return 0;
}
