// SPDX-License-Identifier: LGPL-2.1-or-later
// Recordings that know their lenses and how they were held: found without an option, level, and at
// their own time after any seek.

#include "tests/check/rolling.h"

#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <random>

#include "gst/sphere/geometry/quaternion.h"
#include "gst/sphere/gstsphere.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/makers/madv_write.h"

using namespace sphere;
using namespace sphere::test;

namespace {

using makers::madv::CameraData;

/// A pair whose lenses differ from the ideal ones, like those of a real camera.
LensPair imperfect() {
  return *parse_profile(R"({
    "format": "gst-sphere-lens", "version": 1, "name": "imperfect", "frame": [3456, 1728],
    "layout": "side-by-side", "lenses": {
      "front": { "position": "right", "model": "kannala-brandt", "coefficients": [0.03, -0.008, 0.001, 0],
                 "fov": 194, "radius": 858, "centre": [2601, 859], "rotation": [1.5, -0.7, 2] },
      "back": { "position": "left", "model": "kannala-brandt", "coefficients": [-0.02, 0.004, 0, 0],
                "fov": 196, "radius": 861, "centre": [859, 868], "rotation": [-0.8, 1.1, -1.3] } } })",
                        "imperfect");
}

/// A file in a folder of its own; the destructor removes both.
class File {
 public:
  explicit File(const char* ending = "mp4") {
    g_autofree char* folder = g_dir_make_tmp("sphere-level-XXXXXX", nullptr);
    fail_unless(folder != nullptr);
    folder_ = folder;
    path = folder_ + "/file." + ending;
  }
  ~File() {
    g_unlink(path.c_str());
    g_rmdir(folder_.c_str());
  }
  File(const File&) = delete;
  Bytes bytes() const {
    g_autofree char* content = nullptr;
    gsize size = 0;
    fail_unless(g_file_get_contents(path.c_str(), &content, &size, nullptr));
    return {content, content + size};
  }
  void write(const Bytes& bytes) const {
    fail_unless(g_file_set_contents(path.c_str(), reinterpret_cast<const char*>(bytes.data()),
                                    static_cast<gssize>(bytes.size()), nullptr));
  }
  std::string path;

 private:
  std::string folder_;
};

/// A recording without losses, of pictures that do not depend on each other, without camera data.
Bytes plain_clip(const LensPair& lens, const std::function<Mat3(int)>& to_world) {
  const File file;
  Pipeline pipeline(
      "appsrc name=src format=time caps=video/x-raw,format=RGB,width=480,height=240,framerate=30/1 "
      "! pngenc compression-level=1 ! qtmux ! filesink location=" +
      file.path);
  const GstRef<GstElement> source = pipeline.child("src");
  const std::vector<Vec3> directions = directions_of(lens);
  for (int n = 0; n < pictures; ++n) {
    const Bytes pixels = picture(directions, to_world(n));
    GstBuffer* buffer = gst_buffer_new_memdup(pixels.data(), pixels.size());
    GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(n, GST_SECOND, rate);
    GST_BUFFER_DURATION(buffer) =
        gst_util_uint64_scale(n + 1, GST_SECOND, rate) - GST_BUFFER_PTS(buffer);
    fail_unless_equals_int(gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer), GST_FLOW_OK);
  }
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  const std::string problem = pipeline.run();
  ck_assert_str_eq(problem.c_str(), "");
  return file.bytes();
}

const Bytes& rolling_clip() {
  static const Bytes clip = plain_clip(lens_of_clip(), [](int n) { return rotation(held(n)); });
  return clip;
}

constexpr const char* secret = "SERIAL-0815-PLACE-4711";

/// Writes the recording of the rolling camera with this data, and with data that must not leak.
void write_clip(const File& file, const CameraData& data, size_t room = 0) {
  Bytes others = {0, 0, 0, 136, 'c', 'a', 'i', 'f'};
  for (int n = 0; n < 128; ++n)
    others.push_back(static_cast<uint8_t>(secret[n % std::strlen(secret)]));
  file.write(
      *makers::madv::add_to_video(rolling_clip(), makers::madv::make_box(data, room, others)));
}

CameraData whole_data() {
  static const Bytes table = *make_table(lens_of_clip(), {181, 91});
  return {table, track(pictures), false};
}

std::string line(const File& file, const std::string& options,
                 const std::string& stitcher = "cpuspherestitch") {
  const bool gl = stitcher == "glspherestitch";
  return "filesrc location=" + file.path + " ! qtdemux ! pngdec ! videoconvert ! " +
         (gl ? "glupload ! " : "video/x-raw,format=RGBA ! ") + stitcher + " name=stitch " +
         options + (gl ? " ! gldownload" : "") +
         " ! video/x-raw,format=RGBA,width=128,height=64 ! appsink name=sink sync=false";
}

/// The texts of all warnings on the bus until the end of the stream, one a line.
std::string warnings_of(const Pipeline& pipeline) {
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
  std::string texts;
  for (;;) {
    const MessageRef message(gst_bus_timed_pop_filtered(
        bus.get(), deadline,
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)));
    fail_unless(message != nullptr);
    fail_if(GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR);
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return texts;
    g_autoptr(GError) error = nullptr;
    gst_message_parse_warning(message.get(), &error, nullptr);
    texts += std::string(error->message) + "\n";
  }
}

/// Plays to the end and calls `check` for each picture. Returns all warnings.
std::string each(const std::string& text, const std::function<void(int, GstSample*)>& check) {
  Pipeline pipeline(text);
  pipeline.play();
  int n = 0;
  while (const SampleRef sample = pipeline.pull()) check(n++, sample.get());
  ck_assert_int_eq(n, pictures);
  return warnings_of(pipeline);
}

std::vector<std::string> stitchers() {
  std::vector<std::string> names = {"cpuspherestitch", "spherestitch"};
  g_autoptr(GstElementFactory) gl = gst_element_factory_find("glspherestitch");
  if (gl) names.push_back("glspherestitch");
  return names;
}

void expect(const std::string& text, const char* word) {
  fail_unless(text.find(word) != std::string::npos, "'%s' does not say '%s'", text.c_str(), word);
}

/// The tags of an event that a probe sees; null if it has none.
const GstTagList* tags_in(GstPadProbeInfo* info) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  GstTagList* tags = nullptr;
  if (GST_EVENT_TYPE(event) == GST_EVENT_TAG) gst_event_parse_tag(event, &tags);
  return tags;
}

/// How many boxes of the camera are among the tags.
int camera_boxes(const GstTagList* tags) {
  return static_cast<int>(gst_tag_list_get_tag_size(tags, "private-qt-tag"));
}

}  // namespace

GST_START_TEST(rolling_recording_is_levelled) {
  const File file;
  write_clip(file, whole_data(), 1000);
  for (const std::string& stitcher : stitchers()) {
    double most = 0;
    const std::string warning = each(line(file, "level=full", stitcher), [&](int n, GstSample* s) {
      most = std::max(most, off(s, {}));
      fail_unless(off(s, {}) < 0.1, "%s, picture %d: %g degrees", stitcher.c_str(), n, off(s, {}));
    });
    ck_assert_str_eq(warning.c_str(), "");
    each(line(file, "level=horizon", stitcher), [&](int n, GstSample* s) {
      most = std::max(most, tilt(s));
      fail_unless(tilt(s) < 0.1, "%s, picture %d: %g degrees", stitcher.c_str(), n, tilt(s));
      fail_unless(off(s, {held(n).yaw, 0, 0}) < 0.1);
    });
    GST_INFO("%s: at most %g degrees", stitcher.c_str(), most);
    // Without the property it is not levelled.
    each(line(file, "", stitcher),
         [&](int n, GstSample* s) { fail_unless(off(s, held(n)) < 0.1, "%g", off(s, held(n))); });
  }
}
GST_END_TEST;

GST_START_TEST(view_is_applied_after_levelling) {
  const File file;
  write_clip(file, whole_data());
  each(line(file, "level=full yaw=30 pitch=20 roll=10"), [&](int n, GstSample* s) {
    fail_unless(off(s, {30, 20, 10}) < 0.1, "picture %d", n);
  });
  each(line(file, "level=horizon yaw=30"), [&](int n, GstSample* s) {
    fail_unless(off(s, {held(n).yaw + 30, 0, 0}) < 0.1, "picture %d", n);
  });
}
GST_END_TEST;

GST_START_TEST(smoothing_follows_and_stays_level) {
  const File file;
  CameraData data = whole_data();
  for (int n = 0; n < pictures; ++n)
    data.matrices[static_cast<size_t>(n)] =
        makers::madv::camera_matrix_of(rotation({n % 2 ? 3.0 : -3.0, 0, 0}));
  const Bytes clip = plain_clip(lens_of_clip(), [](int n) {
    return rotation({n % 2 ? 3.0 : -3.0, 0, 0});
  });
  file.write(*makers::madv::add_to_video(clip, makers::madv::make_box(data)));
  each(line(file, "level=horizon smoothing=0.5"), [&](int n, GstSample* s) {
    fail_unless(off(s, {}) < (n > 12 && n < 17 ? 0.15 : 2), "picture %d: %g", n, off(s, {}));
  });
}
GST_END_TEST;

GST_START_TEST(seeks_keep_pictures_and_orientations_together) {
  const File file;
  write_clip(file, whole_data(), 100);
  Pipeline pipeline(line(file, "level=full"));
  const GstRef<GstElement> sink = pipeline.child("sink");
  pipeline.set_state(GST_STATE_PAUSED);
  fail_unless(gst_element_get_state(pipeline.element(), nullptr, nullptr, deadline) !=
              GST_STATE_CHANGE_FAILURE);
  std::mt19937 random(11);
  std::map<GstClockTime, Bytes> seen;
  int again = 0;
  for (int round = 0; round < 100; ++round) {
    // Seeks into the middle of pictures and to their beginnings.
    const int n = static_cast<int>(random() % pictures);
    const GstClockTime begin = gst_util_uint64_scale(n, GST_SECOND, rate);
    const GstClockTime time = begin + (round % 2 ? random() % (GST_SECOND / rate - 1000) : 0);
    fail_unless(gst_element_seek_simple(
        pipeline.element(), GST_FORMAT_TIME,
        static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE), time));
    const SampleRef sample(gst_app_sink_try_pull_preroll(GST_APP_SINK(sink.get()), deadline));
    fail_unless(sample != nullptr);
    fail_unless(off(sample.get(), {}) < 0.1, "round %d, picture %d: %g degrees", round, n,
                off(sample.get(), {}));
    // The same picture gives exactly the same output.
    GstMapInfo map;
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    fail_unless(gst_buffer_map(buffer, &map, GST_MAP_READ));
    const Bytes bytes(map.data, map.data + map.size);
    gst_buffer_unmap(buffer, &map);
    const auto [before, is_new] = seen.try_emplace(begin, bytes);
    if (!is_new) {
      ++again;
      fail_unless(before->second.size() == bytes.size());
      int most = 0;
      for (size_t i = 0; i < bytes.size(); ++i)
        most = std::max(most, std::abs(before->second[i] - bytes[i]));
      fail_unless(most <= 1, "picture %d differs by %d", n, most);
    }
  }
  fail_unless(again > 50);
}
GST_END_TEST;

GST_START_TEST(the_table_in_the_file_is_the_lens) {
  // With a lens other than the one that took the pictures, directions would be wrong.
  const File file;
  const Bytes clip = plain_clip(imperfect(), [](int) { return Mat3(); });
  file.write(*makers::madv::add_to_video(
      clip, makers::madv::make_box({*make_table(imperfect()), {}, false})));
  // What the file has is that lens, in a picture of any size.
  const Bytes written = file.bytes();
  const makers::CaptureInfo found = makers::read_video(media::MemorySource(written));
  const Result<LensPair> read = parse_table(found.lens_table, "t");
  fail_unless(static_cast<bool>(read));
  for (const Size size : {Size{2304, 1152}, Size{3840, 1920}}) {
    const LensPair is = read->scaled_to(size), want = imperfect().scaled_to(size);
    for (double angle = 0; angle < 92; angle += 1.3)
      for (double side = 0; side < 360; side += 5)
        for (int i = 0; i < 2; ++i) {
          const double a = radians(angle), s = radians(side);
          const Vec3 d = want[i].to_camera *
                         Vec3{std::sin(a) * std::cos(s), std::sin(a) * std::sin(s), std::cos(a)};
          const Point p = is[i].project(d), q = want[i].project(d);
          fail_unless(std::hypot(p.x - q.x, p.y - q.y) < 0.1, "%g off: %g px", angle,
                      std::hypot(p.x - q.x, p.y - q.y));
        }
  }
  const auto worst = [](GstSample* sample) {
    const Component c[3] = {component_of(sample, 0), component_of(sample, 1),
                            component_of(sample, 2)};
    double most = 0;
    for (int y = 1; y + 1 < c[0].height; ++y)
      for (int x = 0; x < c[0].width; ++x) {
        const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, sphere_size);
        const Vec3 is = {c[0].at(x, y) - middle, c[1].at(x, y) - middle, c[2].at(x, y) - middle};
        most = std::max(most, degrees(angle_between(is, d)));
      }
    return most;
  };
  const std::string warning = each(line(file, ""), [&](int, GstSample* s) {
    fail_unless(worst(s) < 1, "%g degrees", worst(s));
  });
  ck_assert_str_eq(warning.c_str(), "");
  // If the property is set, it decides.
  each(line(file, "lens=mi-sphere"), [&](int, GstSample* s) { fail_unless(worst(s) > 1.5); });
}
GST_END_TEST;

GST_START_TEST(a_recording_or_photo_can_be_the_lens) {
  const LensPair want = imperfect().scaled_to({3840, 1920});
  const CameraData data = {*make_table(imperfect()), {}, false};
  const File photo("jpg");
  Pipeline pipeline("videotestsrc num-buffers=1 ! jpegenc ! filesink location=" + photo.path);
  const std::string problem = pipeline.run();
  fail_unless(problem.empty(), "%s", problem.c_str());
  const Bytes plain_photo = photo.bytes();
  const struct {
    const char* ending;
    Bytes plain, content;
  } cases[] = {{"mp4", rolling_clip(),
                *makers::madv::add_to_video(rolling_clip(), makers::madv::make_box(data))},
               {"JPG", plain_photo, *makers::madv::add_to_jpeg(plain_photo, data)},
               {"dng", makers::madv::make_tiff(data, false), makers::madv::make_tiff(data, true)}};
  for (const auto& one : cases) {
    const File file(one.ending);
    file.write(one.content);
    const Result<LensPair> read = load_profile(file.path);
    fail_unless(bool(read), "%s", read ? "" : read.error().message.c_str());
    const LensPair is = read->scaled_to({3840, 1920});
    for (int i = 0; i < 2; ++i) {
      const Vec3 d = want[i].to_camera * normalised(Vec3{0.3, -0.7, 0.2});
      const Point p = is[i].project(d), q = want[i].project(d);
      fail_unless(std::hypot(p.x - q.x, p.y - q.y) < 0.1, "%s", one.ending);
    }
    file.write(one.plain);
    const Result<LensPair> none = load_profile(file.path);
    fail_if(bool(none), "%s", one.ending);
    expect(none.error().message, "has no lens table");
  }
}
GST_END_TEST;

GST_START_TEST(an_event_with_a_table_comes_before_the_file_and_a_name_after_it) {
  const File file;
  const Bytes clip = plain_clip(imperfect(), [](int) { return Mat3(); });
  file.write(*makers::madv::add_to_video(
      clip, makers::madv::make_box({*make_table(imperfect()), {}, false})));
  const Bytes other = *make_table(lens_of_clip(), {181, 91});
  for (const bool table : {false, true}) {
    Pipeline pipeline(line(file, ""));
    const GstRef<GstElement> stitch = pipeline.child("stitch");
    const GstRef<GstPad> pad(gst_element_get_static_pad(stitch.get(), "sink"));
    const EventRef event(
        table ? gst_event_new_sphere_lens_table(std::unique_ptr<GBytes, Call<g_bytes_unref>>(
                                                    g_bytes_new(other.data(), other.size()))
                                                    .get())
              : gst_event_new_sphere_lens("gear360"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        +[](GstPad* p, GstPadProbeInfo*, gpointer e) -> GstPadProbeReturn {
          // Sent to the pad itself, because its peer is busy with the buffer.
          gst_pad_send_event(p, gst_event_ref(static_cast<GstEvent*>(e)));
          return GST_PAD_PROBE_REMOVE;
        },
        event.get(), nullptr);
    pipeline.play();
    const SampleRef sample = pipeline.pull();
    fail_unless(sample != nullptr);
    fail_unless((off(sample.get(), {}) < 0.1) == !table, "%g", off(sample.get(), {}));
  }
}
GST_END_TEST;

GST_START_TEST(camera_box_is_not_passed_on) {
  const File file;
  write_clip(file, whole_data(), 100);
  for (const std::string& stitcher : stitchers()) {
    Pipeline pipeline(line(file, "level=full", stitcher));
    const GstRef<GstElement> stitch = pipeline.child("stitch");
    struct Seen {
      int before = 0, after = 0, others = 0;
    } seen;
    const GstRef<GstPad> in(gst_element_get_static_pad(stitch.get(), "sink"));
    const GstRef<GstPad> out(gst_element_get_static_pad(stitch.get(), "src"));
    gst_pad_add_probe(
        in.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        +[](GstPad*, GstPadProbeInfo* info, gpointer data) -> GstPadProbeReturn {
          if (const GstTagList* tags = tags_in(info))
            static_cast<Seen*>(data)->before += camera_boxes(tags);
          return GST_PAD_PROBE_OK;
        },
        &seen, nullptr);
    gst_pad_add_probe(
        out.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        +[](GstPad*, GstPadProbeInfo* info, gpointer data) -> GstPadProbeReturn {
          if (const GstTagList* tags = tags_in(info)) {
            static_cast<Seen*>(data)->after += camera_boxes(tags);
            static_cast<Seen*>(data)->others += gst_tag_list_n_tags(tags);
          }
          return GST_PAD_PROBE_OK;
        },
        &seen, nullptr);
    pipeline.play();
    while (pipeline.pull()) {
    }
    fail_unless(seen.before > 0);
    ck_assert_int_eq(seen.after, 0);
    fail_unless(seen.others > 0, "all tags are gone");
    // The sink posts the tags that it received on the bus.
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
    while (const MessageRef message{gst_bus_pop(bus.get())}) {
      g_autofree char* text =
          gst_message_get_structure(message.get())
              ? gst_structure_to_string(gst_message_get_structure(message.get()))
              : nullptr;
      fail_if(text && strstr(text, secret), "%s", text);
      fail_if(text && strstr(text, "private-qt-tag"), "%s", text);
    }
  }
}
GST_END_TEST;

GST_START_TEST(short_track_is_a_warning) {
  const File file;
  CameraData data = whole_data();
  data.matrices = track(pictures - 10);
  write_clip(file, data);
  const Angles last = held(pictures - 11);
  std::string warning = each(line(file, "level=full"), [&](int n, GstSample* s) {
    if (n < pictures - 10) {
      fail_unless(off(s, {}) < 0.1, "picture %d", n);
      return;
    }
    // The orientation of the last entry is used from then on.
    const Mat3 seen = world_in(s), want = rotation(held(n)) * rotation(last).transposed();
    for (int i = 0; i < 3; ++i)
      fail_unless(degrees(angle_between(seen.row[i], want.row[i])) < 0.1, "picture %d", n);
  });
  expect(warning, "has 20 entries and ends before the video");

  data.matrices = track(pictures + 20);
  write_clip(file, data);
  warning = each(line(file, "level=full"),
                 [&](int n, GstSample* s) { fail_unless(off(s, {}) < 0.1, "picture %d", n); });
  ck_assert_str_eq(warning.c_str(), "");
}
GST_END_TEST;

/// The matrix of a real photo: the camera was held upright, a little tilted. The photo itself is
/// not in the tests.
GST_START_TEST(matrix_of_a_real_camera_levels_its_picture) {
  const makers::madv::Matrix real = {-0.99793f, 0.00070f,  -0.06430f, -0.00818f, -0.99321f,
                                     0.11604f,  -0.06379f, 0.11632f,  0.99116f};
  // Camera to world, by hand: the first two rows negated.
  const Mat3 held_like_it = {
      {{0.99793, -0.00070, 0.06430}, {0.00818, 0.99321, -0.11604}, {-0.06379, 0.11632, 0.99116}}};
  fail_unless(degrees(angle_between(held_like_it.transposed() * Vec3{0, 1, 0}, {0, 1, 0})) < 7);
  const Bytes clip = plain_clip(lens_of_clip(), [&](int) { return held_like_it; });
  CameraData data = whole_data();
  data.matrices.assign(pictures, real);
  const File file;
  file.write(*makers::madv::add_to_video(clip, makers::madv::make_box(data)));
  each(line(file, "level=horizon"), [](int, GstSample* s) { fail_unless(tilt(s) < 0.1); });
  each(line(file, "level=full"), [](int, GstSample* s) { fail_unless(off(s, {}) < 0.1); });
  each(line(file, "level=off"), [](int, GstSample* s) { fail_unless(tilt(s) > 6); });
}
GST_END_TEST;

GST_START_TEST(invalid_rotations_are_filled_or_an_error) {
  const File file;
  CameraData data = whole_data();
  for (const size_t n : {size_t{0}, size_t{12}, size_t{13}})
    data.matrices[n].fill(std::numeric_limits<float>::quiet_NaN());
  write_clip(file, data);
  std::string warning = each(line(file, "level=horizon"), [&](int n, GstSample* s) {
    if (n != 0 && n != 12 && n != 13) fail_unless(tilt(s) < 0.1, "picture %d", n);
    // An interpolated orientation is better than none.
    if (n == 12 || n == 13) fail_unless(tilt(s) < 8, "picture %d: %g", n, tilt(s));
  });
  expect(warning, "3 of the 30 entries");

  for (makers::madv::Matrix& entry : data.matrices)
    entry.fill(std::numeric_limits<float>::quiet_NaN());
  write_clip(file, data);
  warning = each(line(file, "level=full"),
                 [&](int n, GstSample* s) { fail_unless(off(s, held(n)) < 0.1, "picture %d", n); });
  expect(warning, "orientation track can't be used");
  // There is no warning if `level` is off.
  warning = each(line(file, ""), [](int, GstSample*) {});
  ck_assert_str_eq(warning.c_str(), "");
}
GST_END_TEST;

GST_START_TEST(bad_tables_in_files_are_warned_of) {
  const File file;
  const Bytes good = whole_data().lens_table;
  Bytes other_size = good;
  other_size[0] = 0xff;
  other_size[3] = 0x7f;
  Bytes no_png = good;
  no_png[65] = 'X';
  struct {
    Bytes table;
    const char* says;
  } const cases[] = {{Bytes(good.begin(), good.begin() + 50), "ends inside its directory"},
                     {Bytes(good.begin(), good.end() - 100), "is outside of the table"},
                     {other_size, "is outside of the table"},
                     {no_png, "not a PNG"}};
  for (const auto& one : cases) {
    CameraData data = whole_data();
    data.lens_table = one.table;
    write_clip(file, data);
    Pipeline pipeline(line(file, "level=full"));
    pipeline.play();
    // The profile of the camera's model is taken in its place.
    while (const SampleRef sample = pipeline.pull()) fail_unless(tilt(sample.get()) < 0.5);
    const std::string warnings = warnings_of(pipeline);
    expect(warnings, "The camera's own lens table can't be used");
    expect(warnings, one.says);
    fail_unless(warnings.find("dual-190") == std::string::npos, "%s", warnings.c_str());
  }
}
GST_END_TEST;

GST_START_TEST(missing_orientation_is_a_single_warning) {
  const File file;
  file.write(rolling_clip());
  Pipeline pipeline(line(file, "level=horizon lens=mi-sphere"));
  pipeline.play();
  while (pipeline.pull()) {
  }
  const std::string warnings = warnings_of(pipeline);
  expect(warnings, "The orientation of the camera is not known");
  ck_assert_int_eq(std::count(warnings.begin(), warnings.end(), '\n'), 1);
}
GST_END_TEST;

GST_START_TEST(strips_are_stitched_where_they_have_rows) {
  constexpr Size size = {640, 320};
  const auto one = [&](const std::string& stitcher, const std::string& crop,
                       const std::string& options) {
    const bool gl = stitcher == "glspherestitch";
    Pipeline pipeline(
        "spheretestsrc num-buffers=1 lens=mi-sphere ! "
        "video/x-raw,format=RGBA,width=640,height=320 ! videocrop " +
        crop + (gl ? " ! glupload ! " : " ! ") + stitcher + " " + options +
        (gl ? " ! gldownload" : "") + " ! video/x-raw,width=640,height=320 ! appsink name=sink");
    pipeline.play();
    const SampleRef sample = pipeline.pull();
    fail_unless(sample != nullptr, "%s %s", stitcher.c_str(), options.c_str());
    return component_of(sample.get(), 1);
  };
  const LensPair pair = lens_of_clip().scaled_to(size);
  const struct {
    const char *strip, *crop;
    double top, bottom;
  } strips[] = {{"top", "bottom=160", 0, 160},
                {"middle", "top=80 bottom=80", 80, 240},
                {"bottom", "top=160", 160, 320}};
  for (const std::string& stitcher : stitchers()) {
    const Component whole = one(stitcher, "", "");
    for (const auto& strip : strips) {
      const Component part = one(stitcher, strip.crop, std::string("strip=") + strip.strip);
      int same = 0, dark = 0;
      for (int y = 0; y < size.height; ++y)
        for (int x = 0; x < size.width; ++x) {
          const Vec3 d = equirect_direction({x + 0.5, y + 0.5}, size);
          if (std::abs(d.z) < 0.06) continue;  // At the seam both lenses are mixed.
          const double row = pair[d.z > 0 ? 0 : 1].project(d).y;
          const double inside = std::min(row - strip.top, strip.bottom - row);
          if (inside > 50) {
            ++same;
            fail_unless(std::abs(part.at(x, y) - whole.at(x, y)) <= 2, "%s, %s: %d,%d",
                        stitcher.c_str(), strip.strip, x, y);
          } else if (inside < -1) {
            ++dark;
            fail_unless(part.at(x, y) <= 1, "%s, %s: %d,%d is %d", stitcher.c_str(), strip.strip, x,
                        y, part.at(x, y));
          }
        }
      fail_unless(same > 20000 && dark > 20000, "%s: %d, %d", strip.strip, same, dark);
    }
  }
}
GST_END_TEST;

static Suite* level_suite() {
  Suite* suite = suite_create("level");
  TCase* file = tcase_create("file");
  tcase_add_test(file, rolling_recording_is_levelled);
  tcase_add_test(file, view_is_applied_after_levelling);
  tcase_add_test(file, smoothing_follows_and_stays_level);
  tcase_add_test(file, seeks_keep_pictures_and_orientations_together);
  tcase_add_test(file, the_table_in_the_file_is_the_lens);
  tcase_add_test(file, a_recording_or_photo_can_be_the_lens);
  tcase_add_test(file, an_event_with_a_table_comes_before_the_file_and_a_name_after_it);
  tcase_add_test(file, camera_box_is_not_passed_on);
  tcase_add_test(file, short_track_is_a_warning);
  tcase_add_test(file, matrix_of_a_real_camera_levels_its_picture);
  tcase_add_test(file, invalid_rotations_are_filled_or_an_error);
  tcase_add_test(file, bad_tables_in_files_are_warned_of);
  tcase_add_test(file, missing_orientation_is_a_single_warning);
  tcase_add_test(file, strips_are_stitched_where_they_have_rows);
  suite_add_tcase(suite, file);
  return suite;
}

GST_CHECK_MAIN(level);
