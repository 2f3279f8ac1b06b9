// SPDX-License-Identifier: LGPL-2.1-or-later
// spheretestsrc: a known scene through known lenses, or the exact equirectangular picture of it.

/**
 * SECTION:element-spheretestsrc
 * @title: spheretestsrc
 *
 * Draws a street as a dual-lens camera shows it: with fine detail, straight edges, words,
 * colour and moving things, two of which cross the seams. With `output=equirect` the same
 * moment is drawn as the exact equirectangular picture, to compare a stitched one with. Nothing in
 * the scene is symmetric, and everything is infinitely far away, so both lenses see it from
 * one point. With `depth=true` things have distances, some at the seams only half
 * a metre, and each lens sees them from its own position, half of the profile's baseline from the
 * middle; the exact picture is drawn from the middle.
 *
 * A plate in front, below the equator, shows the number of the picture as cells that a program can
 * read. The first picture has 0, and after a seek each picture has the same number as without it.
 *
 * The event `sphere-lens` tells the stitcher after it which lenses took the pictures.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 spheretestsrc ! spherestitch ! videoconvert ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 spheretestsrc num-buffers=1 output=equirect ! videoconvert ! pngenc ! filesink location=truth.png
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/test/spheretestsrc.h"

#include <gst/video/video.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "gst/sphere/base/element.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/guarded.h"
#include "gst/sphere/base/videoframe.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/scene/render.h"
#include "gst/sphere/stitch/plan.h"
#include "gst/sphere/warp/workers.h"
#include "plugins/test/testpicture.h"

GST_DEBUG_CATEGORY_STATIC(spheretestsrc_debug);
#define GST_CAT_DEFAULT spheretestsrc_debug

namespace {

// Chroma is the mean of the pixels that share it, therefore its position is their middle.
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE(
        "{ NV12, I420 }") ", chroma-site=(string)jpeg; " GST_VIDEO_CAPS_MAKE("{ Y444, RGBA }")));

enum class Output { fisheye, equirect };

enum {
  PROP_0,
  PROP_LENS,
  PROP_PATTERN,
  PROP_OUTPUT,
  PROP_SUPERSAMPLE,
  PROP_DEPTH,
  PROP_IS_LIVE,
  PROP_TIMESTAMP_OFFSET,
  PROP_THREADS,
};

constexpr int default_width = 1920, default_rate = 30;
constexpr int default_supersample = 3, most_supersample = 8;
constexpr auto default_pattern = sphere::Pattern::scene;
constexpr auto default_output = Output::fisheye;

GType pattern_get_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(sphere::Pattern::scene), "A street, with words and things that move",
         "scene"},
        {static_cast<int>(sphere::Pattern::graticule),
         "Lines of longitude and latitude with their degrees", "graticule"},
        {0, nullptr, nullptr},
    };
    return sphere::register_plugin_enum("GstSphereTestSrcPattern", values);
  }();
  return type;
}

GType output_get_type() {
  static const GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<int>(Output::fisheye), "The picture of the two lenses", "fisheye"},
        {static_cast<int>(Output::equirect), "The exact equirectangular picture", "equirect"},
        {0, nullptr, nullptr},
    };
    return sphere::register_plugin_enum("GstSphereTestSrcOutput", values);
  }();
  return type;
}

struct Settings {
  std::string lens = sphere::default_profile;
  sphere::Pattern pattern = default_pattern;
  Output output = default_output;
  int supersample = default_supersample;
  bool depth = false;
  int threads = sphere::Workers::default_threads;
  gint64 timestamp_offset = 0;
};

/// The scene in one format and size. The parts that do not move are drawn only once.
class Painter {
 public:
  Painter(const GstVideoInfo& info, sphere::Renderer renderer, const Settings& settings)
      : info_(info), renderer_(std::move(renderer)), picture_(info), pattern_(settings.pattern) {}

  /// Draws with this number of threads; 0: as many as cores. Returns false if `cancelled` became
  /// true before the end.
  bool paint(GstVideoFrame* frame, guint32 number, double seconds, int threads,
             const std::atomic<bool>& cancelled) {
    workers_.set_threads(threads);
    if (!still_ && !paint_still(cancelled)) return false;
    sphere::VideoFrame still(info_, still_.get(), GST_MAP_READ);
    if (!still || !gst_video_frame_copy(frame, still.get())) return false;
    const sphere::MovingThings moving_things(number, seconds);
    for_each_row([&](int row, sphere::Tile& tile) {
      for (int column = 0; column < renderer_.columns(); ++column)
        if (renderer_.draw_moving_things(moving_things, column, row, tile))
          picture_.put(tile, column, row, frame);
    });
    return true;
  }

 private:
  bool paint_still(const std::atomic<bool>& cancelled) {
    sphere::BufferRef buffer(
        gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info_), nullptr));
    if (!buffer) return false;
    sphere::VideoFrame frame(info_, buffer.get(), GST_MAP_READWRITE);
    if (!frame) return false;
    picture_.clear(frame.get());
    for_each_row([&](int row, sphere::Tile& tile) {
      for (int column = 0; column < renderer_.columns() && !cancelled; ++column) {
        renderer_.draw_still(pattern_, column, row, tile);
        picture_.put(tile, column, row, frame.get());
      }
    });
    if (cancelled) return false;
    still_ = std::move(buffer);
    return true;
  }

  template <typename Draw>
  void for_each_row(const Draw& draw) {
    workers_.run(renderer_.rows(), [&](int row) {
      sphere::Tile tile;
      draw(row, tile);
    });
  }

  const GstVideoInfo info_;
  const sphere::Renderer renderer_;
  const sphere::TestPicture picture_;
  const sphere::Pattern pattern_;
  sphere::Workers workers_;
  sphere::BufferRef still_;
};

class SphereTestSrc {
 public:
  explicit SphereTestSrc(GstBaseSrc* element) : element_(element) {}

  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value) const;

  Settings settings() const { return settings_.get(); }

  GstClockTime time_of(guint64 frame) const {
    if (GST_VIDEO_INFO_FPS_N(&info) == 0) return first_time;
    return first_time + gst_util_uint64_scale(frame, GST_VIDEO_INFO_FPS_D(&info) * GST_SECOND,
                                              GST_VIDEO_INFO_FPS_N(&info));
  }

  // State, from start to stop. Used only by the streaming thread.
  std::optional<sphere::LensPair> pair;
  GstVideoInfo info{};
  std::unique_ptr<Painter> painter;
  bool announced = false;       ///< the lens event was sent
  guint64 frame = 0;            ///< since the format was set; backwards, one more than the next
  bool backwards = false;       ///< after a seek with a negative rate
  guint64 first_number = 0;     ///< the number of the first of them
  GstClockTime first_time = 0;  ///< the time of that picture
  std::atomic<bool> cancelled{false};

 private:
  GstBaseSrc* const element_;
  sphere::Guarded<Settings> settings_;
};

}  // namespace

struct _GstSphereTestSrc {
  GstPushSrc parent;
  SphereTestSrc* self;
};

G_DEFINE_TYPE(GstSphereTestSrc, gst_sphere_test_src, GST_TYPE_PUSH_SRC)
GST_ELEMENT_REGISTER_DEFINE(spheretestsrc, "spheretestsrc", GST_RANK_NONE, GST_TYPE_SPHERE_TEST_SRC)

namespace {

GstBaseSrcClass* parent_src_class() { return GST_BASE_SRC_CLASS(gst_sphere_test_src_parent_class); }

GstFlowReturn fill(GstPushSrc* push, GstBuffer* buffer) {
  SphereTestSrc* self = GST_SPHERE_TEST_SRC(push)->self;
  const Settings settings = self->settings();
  if (!self->painter) return GST_FLOW_NOT_NEGOTIATED;
  const bool still = GST_VIDEO_INFO_FPS_N(&self->info) == 0;
  if (self->backwards ? self->frame == 0 : still && self->frame > 0) return GST_FLOW_EOS;

  const guint64 frame_number = self->backwards ? self->frame - 1 : self->frame;
  const GstClockTime time = self->time_of(frame_number), next = self->time_of(frame_number + 1);
  const GstSegment& segment = GST_BASE_SRC(push)->segment;
  if (GST_CLOCK_TIME_IS_VALID(segment.stop) && time >= segment.stop) return GST_FLOW_EOS;

  if (!self->announced && settings.output == Output::fisheye) {
    gst_pad_push_event(GST_BASE_SRC_PAD(push), gst_event_new_sphere_lens(settings.lens.c_str()));
    self->announced = true;
  }

  const guint64 number = self->first_number + frame_number;
  {
    sphere::VideoFrame frame(self->info, buffer, GST_MAP_WRITE);
    if (!frame) {
      GST_ELEMENT_ERROR(push, RESOURCE, WRITE, ("The memory of a picture can't be written."),
                        (nullptr));
      return GST_FLOW_ERROR;
    }
    const double seconds = static_cast<double>(time) / GST_SECOND;
    if (!self->painter->paint(frame.get(), static_cast<guint32>(number), seconds, settings.threads,
                              self->cancelled)) {
      if (self->cancelled) return GST_FLOW_FLUSHING;
      GST_ELEMENT_ERROR(push, RESOURCE, NO_SPACE_LEFT,
                        ("There is not enough memory for the scene."), (nullptr));
      return GST_FLOW_ERROR;
    }
  }
  const auto stamp = static_cast<gint64>(time) + settings.timestamp_offset;
  GST_BUFFER_PTS(buffer) = stamp < 0 ? GST_CLOCK_TIME_NONE : static_cast<GstClockTime>(stamp);
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer) = still ? GST_CLOCK_TIME_NONE : next - time;
  GST_BUFFER_OFFSET(buffer) = number;
  GST_BUFFER_OFFSET_END(buffer) = number + 1;
  self->frame = self->backwards ? frame_number : frame_number + 1;
  return GST_FLOW_OK;
}

void get_times(GstBaseSrc* base, GstBuffer* buffer, GstClockTime* start, GstClockTime* end) {
  *start = *end = GST_CLOCK_TIME_NONE;
  if (!gst_base_src_is_live(base) || !GST_BUFFER_PTS_IS_VALID(buffer)) return;
  *start = GST_BUFFER_PTS(buffer);
  if (GST_BUFFER_DURATION_IS_VALID(buffer)) *end = *start + GST_BUFFER_DURATION(buffer);
}

GstCaps* fixate(GstBaseSrc* base, GstCaps* caps) {
  SphereTestSrc* self = GST_SPHERE_TEST_SRC(base)->self;
  const Settings settings = self->settings();
  caps = gst_caps_make_writable(gst_caps_truncate(caps));
  GstStructure* s = gst_caps_get_structure(caps, 0);
  double aspect = 2;
  if (settings.output == Output::fisheye && self->pair)
    aspect = static_cast<double>(self->pair->frame.width) / self->pair->frame.height;
  const auto even = [](double v) { return std::max(static_cast<int>(std::lround(v / 2)) * 2, 2); };
  if (gst_structure_has_field(s, "pixel-aspect-ratio"))
    gst_structure_fixate_field_nearest_fraction(s, "pixel-aspect-ratio", 1, 1);
  int par_n = 1, par_d = 1, width = 0, height = 0;
  gst_structure_get_fraction(s, "pixel-aspect-ratio", &par_n, &par_d);
  aspect *= static_cast<double>(par_d) / std::max(par_n, 1);
  const bool tall = aspect < 1;
  if (!gst_structure_get_int(s, "width", &width)) {
    const bool have_height = gst_structure_get_int(s, "height", &height);
    gst_structure_fixate_field_nearest_int(
        s, "width",
        have_height ? even(height * aspect) : even(tall ? default_width * aspect : default_width));
    gst_structure_get_int(s, "width", &width);
  }
  gst_structure_fixate_field_nearest_int(s, "height", even(width / aspect));
  gst_structure_fixate_field_nearest_fraction(s, "framerate", default_rate, 1);
  gst_structure_fixate_field(s, "format");
  const char* format = gst_structure_get_string(s, "format");
  if (format && !g_str_equal(format, "RGBA") && !gst_structure_has_field(s, "colorimetry"))
    gst_structure_set(s, "colorimetry", G_TYPE_STRING, GST_VIDEO_COLORIMETRY_BT709, nullptr);
  return parent_src_class()->fixate(base, caps);
}

gboolean set_caps(GstBaseSrc* base, GstCaps* caps) {
  SphereTestSrc* self = GST_SPHERE_TEST_SRC(base)->self;
  const Settings settings = self->settings();
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps) || !self->pair) return FALSE;
  const sphere::Size size = {GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info)};
  std::optional<sphere::Renderer> renderer;
  if (settings.output == Output::fisheye) {
    const double pixel_aspect =
        static_cast<double>(GST_VIDEO_INFO_PAR_N(&info)) / std::max(GST_VIDEO_INFO_PAR_D(&info), 1);
    if (const sphere::Status fits = sphere::Planner::fits(*self->pair, size, pixel_aspect); !fits) {
      GST_ELEMENT_ERROR(base, RESOURCE, SETTINGS, ("%s.", fits.error().message.c_str()), (nullptr));
      return FALSE;
    }
    renderer = sphere::Renderer::fisheye(self->pair->scaled_to(size), settings.supersample,
                                         settings.depth);
  } else {
    renderer = sphere::Renderer::equirect(size, settings.supersample, settings.depth);
  }
  // Times and numbers continue from those of the last format.
  if (self->painter) {
    self->first_time = self->time_of(self->frame);
    self->first_number += self->frame;
    self->frame = 0;
  }
  self->info = info;
  self->painter = std::make_unique<Painter>(info, std::move(*renderer), settings);
  return TRUE;
}

gboolean decide_allocation(GstBaseSrc* base, GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps)) return FALSE;
  auto size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&info));
  guint min = 0, max = 0;
  sphere::GstRef<GstBufferPool> pool;
  const bool offered = gst_query_get_n_allocation_pools(query) > 0;
  if (offered) {
    GstBufferPool* other = nullptr;
    guint wanted = 0;
    gst_query_parse_nth_allocation_pool(query, 0, &other, &wanted, &min, &max);
    pool.reset(other);
    size = std::max(size, wanted);
  }
  if (!pool) pool.reset(gst_video_buffer_pool_new());
  GstStructure* config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(config, caps, size, min, max);
  if (gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr))
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_set_config(pool.get(), config);
  if (offered)
    gst_query_set_nth_allocation_pool(query, 0, pool.get(), size, min, max);
  else
    gst_query_add_allocation_pool(query, pool.get(), size, min, max);
  return parent_src_class()->decide_allocation(base, query);
}

gboolean is_seekable(GstBaseSrc* base) { return !gst_base_src_is_live(base); }

gboolean do_seek(GstBaseSrc* base, GstSegment* segment) {
  SphereTestSrc* self = GST_SPHERE_TEST_SRC(base)->self;
  if (segment->format != GST_FORMAT_TIME) return FALSE;
  segment->time = segment->start;
  self->first_time = 0;
  self->first_number = 0;
  self->backwards = segment->rate < 0;
  if (!self->painter || GST_VIDEO_INFO_FPS_N(&self->info) == 0) {
    self->frame = self->backwards ? 1 : 0;
    return TRUE;
  }
  // Rounded, so that a seek to the time of a picture leads to that picture. Backwards, the first
  // one is the last that begins before the end of the segment.
  self->frame = (self->backwards ? gst_util_uint64_scale_ceil : gst_util_uint64_scale_round)(
      segment->position, GST_VIDEO_INFO_FPS_N(&self->info),
      GST_VIDEO_INFO_FPS_D(&self->info) * GST_SECOND);
  return TRUE;
}

gboolean unlock(GstBaseSrc* base) {
  GST_SPHERE_TEST_SRC(base)->self->cancelled = true;
  return TRUE;
}

gboolean unlock_stop(GstBaseSrc* base) {
  GST_SPHERE_TEST_SRC(base)->self->cancelled = false;
  return TRUE;
}

gboolean start(GstBaseSrc* base) {
  SphereTestSrc* self = GST_SPHERE_TEST_SRC(base)->self;
  sphere::Result<sphere::LensPair> pair = sphere::load_profile(self->settings().lens);
  if (!pair) {
    const char* text = pair.error().message.c_str();
    if (pair.error().kind == sphere::Error::Kind::not_found)
      GST_ELEMENT_ERROR(base, RESOURCE, NOT_FOUND, ("%s.", text), (nullptr));
    else
      GST_ELEMENT_ERROR(base, RESOURCE, SETTINGS, ("%s.", text), (nullptr));
    return FALSE;
  }
  self->pair = std::move(*pair);
  self->announced = false;
  self->frame = self->first_number = 0;
  self->first_time = 0;
  self->backwards = false;
  self->cancelled = false;
  return TRUE;
}

gboolean stop(GstBaseSrc* base) {
  SphereTestSrc* self = GST_SPHERE_TEST_SRC(base)->self;
  self->painter.reset();
  self->pair.reset();
  return TRUE;
}

}  // namespace

bool SphereTestSrc::set_property(guint id, const GValue* value) {
  if (id == PROP_IS_LIVE) {
    gst_base_src_set_live(element_, g_value_get_boolean(value));
    return true;
  }
  bool known = true;
  settings_.change([&](Settings& s) {
    switch (id) {
      case PROP_LENS: {
        const char* name = g_value_get_string(value);
        s.lens = name && *name ? name : sphere::default_profile;
        break;
      }
      case PROP_PATTERN:
        s.pattern = static_cast<sphere::Pattern>(g_value_get_enum(value));
        break;
      case PROP_OUTPUT:
        s.output = static_cast<Output>(g_value_get_enum(value));
        break;
      case PROP_SUPERSAMPLE:
        s.supersample = g_value_get_int(value);
        break;
      case PROP_DEPTH:
        s.depth = g_value_get_boolean(value);
        break;
      case PROP_TIMESTAMP_OFFSET:
        s.timestamp_offset = g_value_get_int64(value);
        break;
      case PROP_THREADS:
        s.threads = g_value_get_int(value);
        break;
      default:
        known = false;
    }
  });
  return known;
}

bool SphereTestSrc::get_property(guint id, GValue* value) const {
  const Settings s = settings();
  switch (id) {
    case PROP_LENS:
      g_value_set_string(value, s.lens.c_str());
      return true;
    case PROP_PATTERN:
      g_value_set_enum(value, static_cast<int>(s.pattern));
      return true;
    case PROP_OUTPUT:
      g_value_set_enum(value, static_cast<int>(s.output));
      return true;
    case PROP_SUPERSAMPLE:
      g_value_set_int(value, s.supersample);
      return true;
    case PROP_DEPTH:
      g_value_set_boolean(value, s.depth);
      return true;
    case PROP_IS_LIVE:
      g_value_set_boolean(value, gst_base_src_is_live(element_));
      return true;
    case PROP_TIMESTAMP_OFFSET:
      g_value_set_int64(value, s.timestamp_offset);
      return true;
    case PROP_THREADS:
      g_value_set_int(value, s.threads);
      return true;
    default:
      return false;
  }
}

static void gst_sphere_test_src_init(GstSphereTestSrc* src) {
  src->self = new SphereTestSrc(GST_BASE_SRC(src));
  gst_base_src_set_format(GST_BASE_SRC(src), GST_FORMAT_TIME);
}

static void gst_sphere_test_src_class_init(GstSphereTestSrcClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spheretestsrc_debug, "spheretestsrc", 0,
                          "a known scene through known lenses");
  auto* object_class = G_OBJECT_CLASS(klass);
  sphere::install_object<GstSphereTestSrc>(object_class);

  constexpr auto ready = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                  GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object_class, PROP_LENS,
      g_param_spec_string("lens", "Lens",
                          "The camera: name of a lens profile (mi-sphere, gear360, theta-s, "
                          "dual-190) or path of a profile file",
                          sphere::default_profile, ready));
  g_object_class_install_property(
      object_class, PROP_PATTERN,
      g_param_spec_enum("pattern", "Pattern", "The scene", pattern_get_type(),
                        static_cast<int>(default_pattern), ready));
  g_object_class_install_property(
      object_class, PROP_OUTPUT,
      g_param_spec_enum("output", "Output", "What is drawn", output_get_type(),
                        static_cast<int>(default_output), ready));
  g_object_class_install_property(
      object_class, PROP_SUPERSAMPLE,
      g_param_spec_int("supersample", "Supersample", "Samples for each pixel, along each side", 1,
                       most_supersample, default_supersample, ready));
  g_object_class_install_property(
      object_class, PROP_DEPTH,
      g_param_spec_boolean(
          "depth", "Depth",
          "Whether things have distances of 0.5 metres and more, and each lens sees them from its "
          "own position (baseline of the profile); otherwise everything is infinitely far away",
          FALSE, ready));
  g_object_class_install_property(
      object_class, PROP_IS_LIVE,
      g_param_spec_boolean("is-live", "Is live", "Whether pictures are produced in real time",
                           FALSE, ready));
  g_object_class_install_property(
      object_class, PROP_TIMESTAMP_OFFSET,
      g_param_spec_int64("timestamp-offset", "Timestamp offset",
                         "Nanoseconds that are added to each timestamp", G_MININT64 / 2,
                         G_MAXINT64 / 2, 0,
                         static_cast<GParamFlags>(ready | GST_PARAM_MUTABLE_PLAYING)));
  g_object_class_install_property(
      object_class, PROP_THREADS,
      g_param_spec_int("threads", "Threads",
                       "Number of threads that draw; 0 means one for each core", 0,
                       sphere::Workers::most_threads, sphere::Workers::default_threads,
                       static_cast<GParamFlags>(ready | GST_PARAM_MUTABLE_PLAYING)));

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Sphere test source", "Source/Video",
      "A known scene as a dual-lens 360 camera shows it, or its exact equirectangular picture",
      "The gst-sphere authors");

  auto* base_class = GST_BASE_SRC_CLASS(klass);
  base_class->get_times = get_times;
  base_class->fixate = fixate;
  base_class->set_caps = set_caps;
  base_class->decide_allocation = decide_allocation;
  base_class->is_seekable = is_seekable;
  base_class->do_seek = do_seek;
  base_class->unlock = unlock;
  base_class->unlock_stop = unlock_stop;
  base_class->start = start;
  base_class->stop = stop;
  GST_PUSH_SRC_CLASS(klass)->fill = fill;
}
