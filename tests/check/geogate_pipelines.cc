// SPDX-License-Identifier: LGPL-2.1-or-later
// The gate for places in pipelines: no file, sink, log and bus message tells a place that was not
// given, whatever encodes and muxes behind it; one that was given arrives; and after a withdrawal
// nothing is written.

// The standard library comes first: check defines `fail` as a macro.
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <random>
#include <set>

#include "tests/check/geogate.h"
#include "tests/check/pipeline.h"

using namespace sphere;
using namespace sphere::test;

namespace {

// Set by hand on an element before the gate.
constexpr const char* tagged =
    "taginject name=tags tags=\"title=Walk,geo-location-latitude=39.90421,"
    "geo-location-longitude=116.40741,geo-location-elevation=44.5,geo-location-name=CANARY,"
    "device-model=CANARY,comment=CANARY\"";

struct Chain {
  const char* name;
  std::string before, after;  // the gate is between them
};

std::vector<Chain> chains() {
  const std::string video =
      "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=32,framerate=25/1 ! ";
  const std::string sound = "audiotestsrc num-buffers=6 ! ";
  const std::string h264 = "x264enc speed-preset=ultrafast ! ";
  return {
      {"mp4mux", video, h264 + "mp4mux ! "},
      {"mp4mux, fragmented", video, h264 + "mp4mux fragment-duration=40 ! "},
      {"mp4mux, faststart", video, h264 + "mp4mux faststart=true ! "},
      {"mp4mux, behind the encoder", video + h264, "mp4mux ! "},
      {"qtmux, jpegenc", video, "jpegenc ! qtmux ! "},
      {"jpegenc, jifmux", video, "jpegenc ! jifmux ! "},
      {"matroskamux", video, h264 + "matroskamux ! "},
      {"flvmux", video, h264 + "flvmux ! "},
      {"mpegtsmux", video, h264 + "mpegtsmux ! "},
      {"rtph264pay", video, h264 + "rtph264pay ! "},
      {"vorbisenc, oggmux", sound, "audioconvert ! vorbisenc ! oggmux ! "},
      {"oggmux, behind vorbisenc", sound + "audioconvert ! vorbisenc ! ", "oggmux ! "},
      {"flacenc", sound, "flacenc ! "},
      {"opusenc, oggmux", sound, "audioconvert ! audioresample ! opusenc ! oggmux ! "},
  };
}

/// What is told behind the gate: bytes, caps and events at the sink, messages on the bus, and what
/// is logged there.
class Listener {
 public:
  explicit Listener(Pipeline& pipeline, const std::vector<const char*>& before) {
    for (const char* name : before) before_.insert(name);
    const GstRef<GstElement> sink = pipeline.child("sink");
    const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
    gst_pad_add_probe(
        pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                     GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
        [](GstPad*, GstPadProbeInfo* info, gpointer self) {
          static_cast<Listener*>(self)->hear(info);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
    gst_bus_set_sync_handler(
        bus.get(),
        [](GstBus*, GstMessage* message, gpointer self) {
          if (const GstStructure* content = gst_message_get_structure(message))
            static_cast<Listener*>(self)->told(content, message->src);
          return GST_BUS_PASS;
        },
        this, nullptr);
  }

  std::string all() {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  size_t buffers() {
    const std::lock_guard lock(mutex_);
    return buffers_;
  }

 private:
  void add(std::string_view text) {
    const std::lock_guard lock(mutex_);
    text_ += text;
    text_ += '\n';
  }
  void told(const GstStructure* content, GstObject* from) {
    if (from && before_.contains(GST_OBJECT_NAME(from))) return;
    g_autofree char* text = gst_structure_to_string(content);
    add(text);
  }
  void hear(GstPadProbeInfo* info) {
    const auto take = [&](GstBuffer* buffer) {
      const auto bytes = bytes_of(buffer);
      add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      const std::lock_guard lock(mutex_);
      ++buffers_;
    };
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER) take(GST_PAD_PROBE_INFO_BUFFER(info));
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
      GstBufferList* list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
      for (guint i = 0; i < gst_buffer_list_length(list); ++i) take(gst_buffer_list_get(list, i));
    }
    if (info->type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM)
      if (const GstStructure* content = gst_event_get_structure(GST_PAD_PROBE_INFO_EVENT(info)))
        told(content, nullptr);
  }

  std::set<std::string> before_;
  std::mutex mutex_;  // protects what follows; held for nothing else
  std::string text_;
  size_t buffers_ = 0;
};

/// Everything that is logged by the gate's source pad and by what comes behind it, at the highest
/// level. GStreamer itself logs what elements before the gate push into it.
class LogCapture {
 public:
  explicit LogCapture(std::set<std::string> before) : before_(std::move(before)) {
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_add_log_function(log, this, nullptr);
    gst_debug_set_threshold_from_string("*:9", TRUE);
    gst_debug_set_active(TRUE);
  }
  ~LogCapture() {
    gst_debug_set_threshold_from_string("*:0", TRUE);
    gst_debug_remove_log_function(log);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  size_t lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  bool is_before(GObject* object) const {
    if (!object || !GST_IS_OBJECT(object)) return false;
    GstObject* at = GST_OBJECT(object);
    if (GST_IS_PAD(at)) {
      const GstObject* parent = GST_OBJECT_PARENT(at);
      const std::string name = std::string(parent ? GST_OBJECT_NAME(parent) : "") + ":" +
                               (GST_OBJECT_NAME(at) ? GST_OBJECT_NAME(at) : "");
      if (before_.contains(name)) return true;
      at = GST_OBJECT_PARENT(at);
    }
    return at && GST_OBJECT_NAME(at) && before_.contains(GST_OBJECT_NAME(at));
  }
  static void log(GstDebugCategory* category, GstDebugLevel, const gchar*, const gchar*, gint,
                  GObject* object, GstDebugMessage* message, gpointer data) {
    auto* self = static_cast<LogCapture*>(data);
    if (self->is_before(object)) return;
    // It logs its own tags without telling who it is.
    if (g_str_equal(gst_debug_category_get_name(category), "taginject")) return;
    const char* text = gst_debug_message_get(message);
    const std::lock_guard lock(self->mutex_);
    ++self->lines_;
    if (!leaks_in(std::string_view(text)).empty()) self->text_ += std::string(text) + "\n";
  }

  const std::set<std::string> before_;
  std::mutex mutex_;  // protects what follows; held for nothing else
  std::string text_;
  size_t lines_ = 0;
};

std::string line_of(const Chain& chain, const std::string& gate) {
  return chain.before + tagged + " ! " + gate + chain.after + "fakesink name=sink sync=false";
}

std::string heard(const std::string& line, const char* name) {
  Pipeline pipeline(line);
  Listener listener(pipeline, {"tags"});
  const std::string problem = pipeline.run();
  fail_unless(problem.empty(), "%s: %s", name, problem.c_str());
  pipeline.set_state(GST_STATE_NULL);  // the listener is deleted before the pipeline
  fail_unless(listener.buffers() > 0, "%s", name);
  return listener.all();
}

std::string file_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The tags that a file's demuxer finds.
TagListRef read_back(const std::string& path) {
  const std::string line = "filesrc location=" + path + " ! qtdemux ! fakesink";
  Pipeline pipeline(line);
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
  pipeline.play();
  TagListRef all(gst_tag_list_new_empty());
  for (;;) {
    const MessageRef message(gst_bus_timed_pop_filtered(
        bus.get(), deadline,
        static_cast<GstMessageType>(GST_MESSAGE_TAG | GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    fail_unless(message && GST_MESSAGE_TYPE(message.get()) != GST_MESSAGE_ERROR);
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return all;
    GstTagList* tags = nullptr;
    gst_message_parse_tag(message.get(), &tags);
    gst_tag_list_insert(all.get(), tags, GST_TAG_MERGE_APPEND);
    gst_tag_list_unref(tags);
  }
}

class Folder {
 public:
  Folder() : path_(g_dir_make_tmp("sphere-XXXXXX", nullptr)) { fail_unless(path_ != nullptr); }
  ~Folder() {
    g_unlink(file().c_str());
    g_rmdir(path_.get());
  }
  std::string file() const { return std::string(path_.get()) + "/file"; }

 private:
  GString_ path_;
};

}  // namespace

GST_START_TEST(test_denied_places_reach_nothing) {
  size_t leaking = 0;
  for (const Chain& chain : chains()) {
    // Without a gate the place must be found, or the test proves nothing. Some muxers take the tags
    // and do not write a place.
    leaking += !leaks_in(heard(line_of(chain, ""), chain.name)).empty();
    const std::string with = heard(line_of(chain, "spheregeogate ! "), chain.name);
    fail_unless(leaks_in(with).empty(), "%s: %s", chain.name, leaks_in(with).c_str());
  }
  fail_unless(leaking >= 10, "%zu", leaking);
}
GST_END_TEST

GST_START_TEST(test_denied_places_are_not_logged) {
  for (const Chain& chain : chains()) {
    if (chain.name != std::string_view("mp4mux") && chain.name != std::string_view("rtph264pay"))
      continue;
    Pipeline pipeline(line_of(chain, "spheregeogate name=gate position=39.90421,116.40741 ! "));
    // GStreamer logs an event at the pad that it is pushed to, before the gate sees it.
    LogCapture log({"tags", "tags:src", "gate:sink"});
    fail_unless(pipeline.run().empty());
    pipeline.set_state(GST_STATE_NULL);
    fail_unless(log.lines() > 1000, "%zu", log.lines());
    fail_unless(log.text().empty(), "%s", log.text().c_str());
  }
}
GST_END_TEST

GST_START_TEST(test_given_places_arrive) {
  for (const char* mux : {"mp4mux", "mp4mux faststart=true", "mp4mux fragment-duration=40"}) {
    const Folder folder;
    Pipeline pipeline("videotestsrc num-buffers=6 ! video/x-raw,width=64,height=32 ! " +
                      std::string(tagged) + " ! spheregeogate " + with_consent(location_given) +
                      " ! x264enc speed-preset=ultrafast ! " + mux +
                      " ! filesink location=" + folder.file());
    fail_unless(pipeline.run().empty());
    const TagListRef tags = read_back(folder.file());
    fail_unless(std::abs(*number_of(tags.get(), GST_TAG_GEO_LOCATION_LATITUDE) - latitude) < 1e-7);
    fail_unless(std::abs(*number_of(tags.get(), GST_TAG_GEO_LOCATION_LONGITUDE) - longitude) <
                1e-7);
    fail_unless(std::abs(*number_of(tags.get(), GST_TAG_GEO_LOCATION_ELEVATION) - altitude) < 1e-3);
    fail_unless_equals_int(gst_tag_list_get_tag_size(tags.get(), GST_TAG_DEVICE_MODEL), 0);
  }
}
GST_END_TEST

GST_START_TEST(test_own_position_replaces_that_of_the_stream) {
  const Folder folder;
  Pipeline pipeline(
      "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=32 ! " + std::string(tagged) +
      " ! spheregeogate position=-33.8688,151.2093,7 " + with_consent(location_given) +
      " ! x264enc speed-preset=ultrafast ! mp4mux ! filesink location=" + folder.file());
  fail_unless(pipeline.run().empty());
  const TagListRef tags = read_back(folder.file());
  fail_unless(std::abs(*number_of(tags.get(), GST_TAG_GEO_LOCATION_LATITUDE) + 33.8688) < 1e-7);
  fail_unless(std::abs(*number_of(tags.get(), GST_TAG_GEO_LOCATION_LONGITUDE) - 151.2093) < 1e-7);
  const std::string file = file_of(folder.file());
  fail_unless(file.find("39,54.") == std::string::npos);
}
GST_END_TEST

// mp4mux reads its tags at the end of the file.
GST_START_TEST(test_withdrawn_before_the_file_is_finished) {
  for (const bool by_hand : {false, true}) {
    const Folder folder;
    Pipeline pipeline(
        "videotestsrc num-buffers=30 ! video/x-raw,width=64,height=32 ! " + std::string(tagged) +
        " ! spheregeogate name=gate " + with_consent(all_given) +
        " ! x264enc speed-preset=ultrafast ! mp4mux name=mux ! filesink location=" + folder.file());
    const GstRef<GstElement> gate = pipeline.child("gate"), mux = pipeline.child("mux");
    if (by_hand)
      gst_tag_setter_merge_tags(GST_TAG_SETTER(mux.get()), place_tags().get(),
                                GST_TAG_MERGE_REPLACE);
    const GstRef<GstPad> sink(gst_element_get_static_pad(gate.get(), "sink"));
    std::pair<GstElement*, int> state{gate.get(), 0};
    gst_pad_add_probe(
        sink.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo*, gpointer data) {
          auto& [element, count] = *static_cast<std::pair<GstElement*, int>*>(data);
          if (++count == 25) set_consent(element, nullptr);
          return GST_PAD_PROBE_OK;
        },
        &state, nullptr);
    fail_unless(pipeline.run().empty());
    fail_unless_equals_int(state.second, 30);
    const std::string file = file_of(folder.file());
    fail_unless(file.size() > 1000);
    fail_unless(leaks_in(file).empty(), "%s", leaks_in(file).c_str());
  }
}
GST_END_TEST

namespace {

/// Gives and withdraws consent before random buffers, and notes for each buffer behind the gate
/// whether the tags that are valid for it tell the place.
struct Toggler {
  GstElement* gate;
  std::minstd_rand random{3};
  bool given = false;
  int toggles = 0;
  bool told = false;  // by the tags behind the gate
  int wrong = 0;      // buffers behind the gate with a place that was withdrawn
  int missing = 0;    // and those without one that is given
  int buffers = 0, with_place = 0;
};

GstPadProbeReturn toggle(GstPad*, GstPadProbeInfo*, gpointer data) {
  auto* self = static_cast<Toggler*>(data);
  if (self->random() % 3 == 0) {
    self->given = !self->given;
    ++self->toggles;
    set_consent(self->gate, self->given ? location_given : nullptr);
  }
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn look(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* self = static_cast<Toggler*>(data);
  if (info->type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) != GST_EVENT_TAG) return GST_PAD_PROBE_OK;
    GstTagList* tags = nullptr;
    gst_event_parse_tag(event, &tags);
    if (gst_tag_list_get_scope(tags) == GST_TAG_SCOPE_GLOBAL)
      self->told = number_of(tags, GST_TAG_GEO_LOCATION_LATITUDE).has_value();
    else if (number_of(tags, GST_TAG_GEO_LOCATION_LATITUDE))
      ++self->wrong;
    return GST_PAD_PROBE_OK;
  }
  ++self->buffers;
  self->with_place += self->told;
  self->wrong += self->told && !self->given;
  self->missing += !self->told && self->given;
  return GST_PAD_PROBE_OK;
}

}  // namespace

// SPHERE_TOGGLES=10000 for more.
GST_START_TEST(test_random_withdrawals) {
  const char* wanted = g_getenv("SPHERE_TOGGLES");
  const int toggles = wanted ? atoi(wanted) : 1000;
  const Folder folder;
  Pipeline pipeline("videotestsrc name=source ! video/x-raw,width=16,height=16 ! " +
                    std::string(tagged) +
                    " ! spheregeogate name=gate position=39.90421,116.40741 ! x264enc "
                    "speed-preset=ultrafast ! mp4mux name=mux ! filesink location=" +
                    folder.file());
  const GstRef<GstElement> gate = pipeline.child("gate"), source = pipeline.child("source");
  g_object_set(source.get(), "num-buffers", toggles * 3 + 10, nullptr);
  Toggler toggler;
  toggler.gate = gate.get();
  const GstRef<GstPad> sink(gst_element_get_static_pad(gate.get(), "sink")),
      src(gst_element_get_static_pad(gate.get(), "src"));
  gst_pad_add_probe(sink.get(), GST_PAD_PROBE_TYPE_BUFFER, toggle, &toggler, nullptr);
  gst_pad_add_probe(
      src.get(),
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
      look, &toggler, nullptr);
  // Before the end of the stream, consent is withdrawn.
  gst_pad_add_probe(
      sink.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
          set_consent(static_cast<Toggler*>(data)->gate, nullptr);
        return GST_PAD_PROBE_OK;
      },
      &toggler, nullptr);
  fail_unless(pipeline.run().empty());
  fail_unless(toggler.toggles > toggles * 9 / 10, "%d", toggler.toggles);
  fail_unless_equals_int(toggler.buffers, toggles * 3 + 10);
  fail_unless(toggler.with_place > toggler.buffers / 3, "%d", toggler.with_place);
  fail_unless_equals_int(toggler.wrong, 0);
  fail_unless_equals_int(toggler.missing, 0);
  const std::string file = file_of(folder.file());
  fail_unless(leaks_in(file).empty(), "%s", leaks_in(file).c_str());
}
GST_END_TEST

static Suite* geogate_pipelines_suite() {
  Suite* s = suite_create("geogate_pipelines");
  TCase* tc = tcase_create("pipelines");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_denied_places_reach_nothing);
  tcase_add_test(tc, test_denied_places_are_not_logged);
  tcase_add_test(tc, test_given_places_arrive);
  tcase_add_test(tc, test_own_position_replaces_that_of_the_stream);
  tcase_add_test(tc, test_withdrawn_before_the_file_is_finished);
  tcase_add_test(tc, test_random_withdrawals);
  return s;
}
GST_CHECK_MAIN(geogate_pipelines)
