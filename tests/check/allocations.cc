// SPDX-License-Identifier: LGPL-2.1-or-later
// From the first frames on a stitcher allocates nothing: C++'s own allocations are counted, and the
// pictures come from a pool.

#include <atomic>
#include <cstdlib>
#include <new>
#include <set>
#include <string>

#include "tests/check/pipeline.h"

#include <gst/check/gstharness.h>

#include "gst/sphere/orientation/gstsphereorientationmeta.h"
#include "tests/check/profile.h"

namespace {

std::atomic<bool> counting{false};
std::atomic<int> counted{0};

void* allocate(std::size_t size) {
  if (counting.load(std::memory_order_relaxed)) counted.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size ? size : 1);
}

}  // namespace

// These serve all libraries of the process.
void* operator new(std::size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

using namespace sphere;
using namespace sphere::test;

namespace {

using HarnessRef = std::unique_ptr<GstHarness, Call<gst_harness_teardown>>;

constexpr int warm_up = 20, frames = 100;
constexpr int width = 320, height = 160;

struct Case {
  const char* format;
  const char* options;
  bool turns = false;  // a new orientation with each frame
};

/// Some light everywhere, and detail that differs from frame to frame.
GstBuffer* picture(const GstVideoInfo& info) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  GstMapInfo map;
  fail_unless(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; ++i) map.data[i] = static_cast<guint8>(90 + i * 7 % 61);
  gst_buffer_unmap(buffer, &map);
  return buffer;
}

}  // namespace

GST_START_TEST(allocations_are_counted) {
  counting = true;
  const std::string longer_than_what_a_string_keeps_within_itself(100, ' ');
  counting = false;
  fail_unless_equals_int(counted.exchange(0), 1);
}
GST_END_TEST;

GST_START_TEST(no_allocation_in_a_hundred_frames) {
  // The path of the profile is too long for the memory inside a std::string, and must be allocated.
  const Profile profile({.baseline = 0.02, .front = R"(, "gain": 1.1)"});
  const Case cases[] = {
      {"NV12", "blend=off"},
      {"NV12", ""},
      {"I420", "interpolation=cubic", true},
      {"RGBA", "match=gain align=seam"},
      {"NV12", "match=gain align=seam", true},
      {"P010_10LE", "match=gain align=seam interpolation=cubic", true},
      {"Y444", "blend-width=8 stitch-distance=2 yaw=20", true},
  };
  for (const Case& one : cases) {
    HarnessRef h(gst_harness_new_parse(
        (std::string("cpuspherestitch level=full smoothing=0.5 threads=3 lens=") + profile.path() +
         " " + one.options)
            .c_str()));
    const std::string caps = std::string("video/x-raw,framerate=30/1,format=") + one.format +
                             ",width=" + std::to_string(width) +
                             ",height=" + std::to_string(height);
    gst_harness_set_src_caps_str(h.get(), caps.c_str());
    GstVideoInfo info;
    fail_unless(gst_video_info_from_caps(&info, CapsRef(gst_caps_from_string(caps.c_str())).get()));
    std::set<const void*> pictures;
    for (int n = 0; n < warm_up + frames; ++n) {
      GstBuffer* buffer = picture(info);
      GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(n, GST_SECOND, 30);
      const double half = one.turns ? n * 0.01 : 0.05;
      gst_buffer_add_sphere_orientation_meta(buffer, std::cos(half), 0, std::sin(half), 0);
      counting = n >= warm_up;
      const GstFlowReturn flow = gst_harness_push(h.get(), buffer);
      counting = false;
      fail_unless_equals_int(flow, GST_FLOW_OK);
      GstBuffer* out = gst_harness_pull(h.get());
      fail_unless(out != nullptr);
      pictures.insert(gst_buffer_peek_memory(out, 0));
      gst_buffer_unref(out);
    }
    const int made = counted.exchange(0);
    fail_unless(made == 0, "%s %s: %d allocations in %d frames", one.format, one.options, made,
                frames);
    fail_unless(pictures.size() < 8, "%s %s: %zu pictures", one.format, one.options,
                pictures.size());
  }
}
GST_END_TEST;

static Suite* allocations_suite() {
  Suite* suite = suite_create("allocations");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, allocations_are_counted);
  tcase_add_test(tcase, no_allocation_in_a_hundred_frames);
  return suite;
}

GST_CHECK_MAIN(allocations)
