// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads spheretestsrc's number off every picture of an equirectangular video, and says whether they
// are all there, in order. Exit status: 0 if so, 1 if not, 2 if the command line is wrong.
//
//   frame-numbers FILE [COUNT]     COUNT: how many there are to be

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include "gst/sphere/base/gobject.h"
#include "tests/tools/number.h"

namespace {

using SampleRef = std::unique_ptr<GstSample, sphere::Call<gst_sample_unref>>;

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: frame-numbers FILE [COUNT]\n");
    return 2;
  }
  g_autoptr(GError) error = nullptr;
  GstElement* made = gst_parse_launch(
      "filesrc name=file ! decodebin ! videoconvert ! video/x-raw,format=GRAY8 ! "
      "appsink name=sink sync=false max-buffers=4",
      &error);
  if (!made) {
    std::fprintf(stderr, "frame-numbers: %s\n", error->message);
    return 1;
  }
  const sphere::GstRef<GstElement> pipeline(static_cast<GstElement*>(gst_object_ref_sink(made)));
  const sphere::GstRef<GstElement> file(gst_bin_get_by_name(GST_BIN(made), "file"));
  const sphere::GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(made), "sink"));
  g_object_set(file.get(), "location", argv[1], nullptr);
  gst_element_set_state(made, GST_STATE_PLAYING);

  uint32_t count = 0, unreadable = 0, out_of_order = 0;
  std::optional<uint32_t> first, last;
  while (const SampleRef sample{gst_app_sink_pull_sample(GST_APP_SINK(sink.get()))}) {
    const std::optional<uint32_t> number = sphere::test::number_in(sample.get());
    if (!number) {
      if (unreadable++ == 0) std::fprintf(stderr, "picture %u has no number\n", count);
    } else {
      if (last && *number != *last + 1) {
        if (out_of_order++ == 0) std::fprintf(stderr, "number %u follows %u\n", *number, *last);
      }
      if (!first) first = number;
      last = number;
    }
    ++count;
  }
  const sphere::GstRef<GstBus> bus(gst_element_get_bus(made));
  const sphere::MessageRef failure(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  gst_element_set_state(made, GST_STATE_NULL);
  if (failure) {
    g_autoptr(GError) why = nullptr;
    gst_message_parse_error(failure.get(), &why, nullptr);
    std::fprintf(stderr, "frame-numbers: %s: %s\n", argv[1], why->message);
    return 1;
  }
  if (!first || unreadable || out_of_order) {
    std::printf("%u frames, %u without a number, %u out of order\n", count, unreadable,
                out_of_order);
    return 1;
  }
  std::printf("%u frames, numbers %u..%u in order, none missing\n", count, *first, *last);
  if (argc == 3 && count != std::strtoul(argv[2], nullptr, 10)) {
    std::fprintf(stderr, "there were to be %s\n", argv[2]);
    return 1;
  }
  return 0;
}
