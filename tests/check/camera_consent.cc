// SPDX-License-Identifier: LGPL-2.1-or-later
// What the camera is asked for, and told, hangs on consent.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gst/sphere/consent/gstsphereconsent.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/position.h"
#include "gst/sphere/storage/binding.h"
#include "gst/sphere/storage/stores.h"
#include "hw/madv/emulator/emulator.h"
#include "tests/check/pipeline.h"
#include "tests/check/rtsp_warnings.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using madv_emulator::Emulator;
using madv_emulator::EmulatorOptions;

namespace {

constexpr const char* sound_live = "consent/audio, state=(string)given, purpose=(string)live";

std::unique_ptr<Emulator> camera_with_sound() {
  EmulatorOptions options;
  options.scene.width = 320;
  options.scene.height = 160;
  options.scene.sound = true;
  options.photo_bytes = "a photo";
  options.video_bytes = "a video";
  Result<std::unique_ptr<Emulator>> camera = Emulator::start(std::move(options));
  fail_unless(bool(camera), "%s", camera ? "" : camera.error().message.c_str());
  return std::move(*camera);
}

std::string source(const Emulator& camera, const std::string& more = "") {
  return "spherecamsrc name=camera timeout=60 latency=0 protocols=tcp location=\"" + camera.uri() +
         "\" " + more;
}

void give(test::Pipeline& pipeline, const char* text) {
  const CapsRef caps(text ? gst_caps_from_string(text) : nullptr);
  g_object_set(pipeline.child("camera").get(), "consent", caps.get(), nullptr);
}

void pull(test::Pipeline& pipeline, int count) {
  for (int i = 0; i < count; ++i) fail_unless(pipeline.pull() != nullptr);
}

/// Polls until it is true, because the other threads do not signal it.
void until(const char* what, const std::function<bool()>& so) {
  for (int i = 0; !so(); ++i) {
    fail_unless(i < 60000, "%s does not come", what);
    g_usleep(1000);
  }
}

bool asked_for_sound(const Emulator& camera) {
  const std::vector<int> tracks = camera.tracks();
  return std::count(tracks.begin(), tracks.end(), 1) > 0;
}

bool was_asked(const Emulator& camera, int id) {
  const auto asked = camera.asked();
  return std::any_of(asked.begin(), asked.end(), [&](const auto& a) { return a.id == id; });
}

bool has_sound_pad(test::Pipeline& pipeline) {
  const GstRef<GstElement> element = pipeline.child("camera");
  return GstRef<GstPad>(gst_element_get_static_pad(element.get(), "audio")) != nullptr;
}

/// Links the pad `audio` to a chain that ends in an appsink `sound`, whenever it appears.
void link_sound(test::Pipeline& pipeline) {
  const GstRef<GstElement> element = pipeline.child("camera");
  g_signal_connect(element.get(), "pad-added",
                   G_CALLBACK(+[](GstElement*, GstPad* pad, GstElement* bin) {
                     if (g_strcmp0(GST_PAD_NAME(pad), "audio") != 0) return;
                     const GstRef<GstElement> sink(gst_bin_get_by_name(GST_BIN(bin), "sound"));
                     const GstRef<GstPad> in(gst_element_get_static_pad(sink.get(), "sink"));
                     gst_pad_link(pad, in.get());
                   }),
                   pipeline.element());
}

test::SampleRef next_sound(test::Pipeline& pipeline) {
  const GstRef<GstElement> sink = pipeline.child("sound");
  return test::SampleRef(gst_app_sink_try_pull_sample(GST_APP_SINK(sink.get()), test::deadline));
}

bool silent(GstSample* sample) {
  return GST_BUFFER_FLAG_IS_SET(gst_sample_get_buffer(sample), GST_BUFFER_FLAG_GAP);
}

constexpr const char* binding_given =
    "consent/device, state=(string)given, purpose=(string)bind; "
    "consent/network, state=(string)given, purpose=(string)bind";

std::vector<storage::StoredFile> kept_in(storage::Store store) {
  const auto files = storage::list_files(store);
  fail_unless(bool(files));
  return *files;
}

/// Does not list the folder, because the file has another name while it is written.
Result<storage::Binding> remembered() {
  return storage::read_binding(storage::binding_path("MJXJ00000000EMUL"));
}

void hold_nothing() {
  for (const storage::Store store : {storage::Store::cameras, storage::Store::tables})
    for (const storage::StoredFile& one : kept_in(store)) fail_unless(bool(storage::erase(one)));
}

/// A folder for this test below the tests' folders. Set before anything reads the XDG variables.
[[maybe_unused]] const bool own_folders = [] {
  for (const char* name : {"XDG_DATA_HOME", "XDG_CACHE_HOME"})
    g_setenv(name, (to_string(g_getenv(name)) + "/camera_consent").c_str(), TRUE);
  return true;
}();

/// Two sinks: one that throws pictures away, one for the sound.
std::string both(const Emulator& camera, const std::string& more = "") {
  return source(camera, more) +
         " camera.video ! fakesink sync=false appsink name=sound sync=false async=false "
         "wait-on-eos=false "
         "max-buffers=4 drop=true";
}

}  // namespace

GST_START_TEST(without_consent_no_sound_is_requested_and_no_position_sent) {
  const auto camera = camera_with_sound();
  for (const char* consent :
       {"", "consent=EMPTY", "consent=ANY", "consent=\"consent/audio, state=(string)denied\"",
        "consent=\"consent/audio, state=yes\"",
        "consent=\"consent/audio, state=(string)given, purpose=(string)record\""}) {
    test::Pipeline pipeline(source(*camera, std::string(consent) + " position=52.52,13.405") +
                            " ! appsink name=sink sync=false");
    pipeline.play();
    pull(pipeline, 10);
    fail_unless(!has_sound_pad(pipeline), "%s", consent);
    const GstRef<GstElement> element = pipeline.child("camera");
    gboolean done = FALSE;
    g_signal_emit_by_name(element.get(), "start-recording", &done);
    fail_unless(done);
    g_signal_emit_by_name(element.get(), "stop-recording", &done);
    pipeline.set_state(GST_STATE_NULL);
  }
  fail_unless(!camera->tracks().empty());
  fail_unless(!asked_for_sound(*camera));
  for (int id : {4097, 1539, 4917}) fail_unless(!was_asked(*camera, id), "%d was asked", id);
  int with = 0, without = 0;
  for (const auto& asked : camera->asked())
    if (asked.id == 513) ++(asked.param == "0" ? with : without);
  // The last of them allowed sound in recordings only.
  fail_unless_equals_int(without, 5);
  fail_unless_equals_int(with, 1);
}
GST_END_TEST;

GST_START_TEST(sound_until_consent_is_withdrawn) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(both(*camera, std::string("consent=\"") + sound_live + "\""));
  link_sound(pipeline);
  pipeline.play();
  test::SampleRef sample = next_sound(pipeline);
  fail_unless(sample != nullptr);
  const GstStructure* caps = gst_caps_get_structure(gst_sample_get_caps(sample.get()), 0);
  int rate = 0;
  fail_unless(gst_structure_has_name(caps, "audio/mpeg"));
  fail_unless(gst_structure_get_int(caps, "rate", &rate) && rate == 48000);
  fail_unless(asked_for_sound(*camera));
  // The gate inside knows that consent events are never late here, so it holds no buffer back.
  const GstRef<GstElement> gate = pipeline.child("gate");
  const GstRef<GstPad> gate_sink(gst_element_get_static_pad(gate.get(), "sink"));
  fail_unless(consent::is_consent_event_peer(gate_sink.get()));
  until("sound", [&] {
    sample = next_sound(pipeline);
    fail_unless(sample != nullptr);
    return !silent(sample.get());
  });
  // The gate knows when the call returns, although GObject delays notifications while another
  // thread sets a property.
  const GstRef<GstElement> source = pipeline.child("camera");
  g_object_freeze_notify(G_OBJECT(source.get()));
  give(pipeline, nullptr);
  g_autoptr(GstCaps) left = nullptr;
  g_object_get(gate.get(), "consent", &left, nullptr);
  fail_unless(left && gst_caps_is_empty(left));
  g_object_thaw_notify(G_OBJECT(source.get()));
  // The sound that the sink already has left before the withdrawal; later sound is silent.
  for (int i = 0; i < 6; ++i) sample = next_sound(pipeline);
  for (int i = 0; i < 20; ++i) {
    sample = next_sound(pipeline);
    fail_unless(sample && silent(sample.get()), "sound after it was taken back");
  }
  // Given again, it is back without a new connection.
  const size_t tracks = camera->tracks().size();
  give(pipeline, sound_live);
  until("sound again", [&] {
    sample = next_sound(pipeline);
    fail_unless(sample != nullptr);
    return !silent(sample.get());
  });
  fail_unless(camera->tracks().size() == tracks);
}
GST_END_TEST;

GST_START_TEST(consent_for_sound_while_live_needs_a_new_connection) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(both(*camera));
  link_sound(pipeline);
  pipeline.play();
  until("a preview", [&] { return !camera->tracks().empty(); });
  const GstRef<GstElement> element = pipeline.child("camera");
  until("a picture", [&] {
    GstStructure* stats = nullptr;
    g_object_get(element.get(), "stats", &stats, nullptr);
    guint64 pictures = 0;
    gst_structure_get_uint64(stats, "pictures", &pictures);
    gst_structure_free(stats);
    return pictures > 0;
  });
  fail_unless(!asked_for_sound(*camera) && !has_sound_pad(pipeline));
  give(pipeline, sound_live);
  test::SampleRef sample = next_sound(pipeline);
  fail_unless(sample != nullptr);
  fail_unless(asked_for_sound(*camera));
  // The session was open all the time.
  fail_unless_equals_int(camera->counters().sessions_opened, 1);
  // After a withdrawal and a loss, the next connection has no sound, and the pad is removed.
  give(pipeline, nullptr);
  const size_t before = camera->tracks().size();
  camera->cut_preview();
  until("the next connection", [&] { return camera->tracks().size() > before; });
  until("the pad's end", [&] { return !has_sound_pad(pipeline); });
  const std::vector<int> tracks = camera->tracks();
  fail_unless(std::count(tracks.begin() + static_cast<std::ptrdiff_t>(before), tracks.end(), 1) ==
              0);
}
GST_END_TEST;

/// Downstream of the pictures has had enough: who waits for the end of the sound gets it.
GST_START_TEST(sound_ends_with_the_pictures) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(source(*camera, std::string("consent=\"") + sound_live + "\"") +
                          " camera.video ! fakesink num-buffers=60 sync=false appsink name=sound "
                          "sync=false async=false wait-on-eos=false");
  link_sound(pipeline);
  pipeline.play();
  fail_unless(next_sound(pipeline) != nullptr);
  const std::string error = pipeline.wait();
  fail_unless_equals_string(error.c_str(), "");
}
GST_END_TEST;

/// The application has had enough: both streams end.
GST_START_TEST(sound_ends_when_the_application_ends_it) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(source(*camera, std::string("consent=\"") + sound_live + "\"") +
                          " camera.video ! fakesink sync=false appsink name=sound sync=false "
                          "async=false wait-on-eos=false");
  link_sound(pipeline);
  pipeline.play();
  fail_unless(next_sound(pipeline) != nullptr);
  fail_unless(gst_element_send_event(pipeline.element(), gst_event_new_eos()));
  const std::string error = pipeline.wait();
  fail_unless_equals_string(error.c_str(), "");
}
GST_END_TEST;

/// `no-more-pads` closes a set of pads: it comes after each pad that appears, and once only,
/// however often the camera is connected to.
GST_START_TEST(no_more_pads_is_emitted_once) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(both(*camera));
  link_sound(pipeline);
  static std::mutex mutex;
  static std::string told;
  told.clear();
  const auto add = [](const char* what) {
    const std::lock_guard lock(mutex);
    told += what;
  };
  static const auto tell = add;
  const auto so_far = [] {
    const std::lock_guard lock(mutex);
    return told;
  };
  const GstRef<GstElement> element = pipeline.child("camera");
  g_signal_connect(element.get(), "pad-added",
                   G_CALLBACK(+[](GstElement*, GstPad*, gpointer) { tell("+"); }), nullptr);
  g_signal_connect(element.get(), "no-more-pads",
                   G_CALLBACK(+[](GstElement*, gpointer) { tell("."); }), nullptr);
  const auto connections = [&] {
    GstStructure* stats = nullptr;
    g_object_get(element.get(), "stats", &stats, nullptr);
    int count = 0;
    gst_structure_get_int(stats, "connections", &count);
    gst_structure_free(stats);
    return count;
  };
  pipeline.play();
  until("a picture", [&] { return connections() == 1; });
  until("no more pads", [&] { return so_far() == "."; });
  give(pipeline, sound_live);
  until("the sound", [&] { return so_far() == ".+."; });
  for (int i = 3; i < 5; ++i) {
    camera->cut_preview();
    until("a new connection", [&] { return connections() == i; });
    fail_unless(next_sound(pipeline) != nullptr);
  }
  const std::string all = so_far();
  fail_unless_equals_string(all.c_str(), ".+.");
}
GST_END_TEST;

// Consent is withdrawn and given again after the camera was asked for sound and before its pad
// exists: the sound that is on its way then was captured while it was denied.
GST_START_TEST(buffers_in_flight_while_denied_are_silent) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(both(*camera, std::string("latency=200 consent=\"") + sound_live + "\""));
  link_sound(pipeline);
  std::atomic<GstClockTime> earliest = GST_CLOCK_TIME_NONE;
  const GstRef<GstElement> sink = pipeline.child("sound");
  const GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad*, GstPadProbeInfo* info, gpointer data) {
        const GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        auto* first = static_cast<std::atomic<GstClockTime>*>(data);
        GstClockTime none = GST_CLOCK_TIME_NONE;
        if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP))
          first->compare_exchange_strong(none, GST_BUFFER_PTS(buffer));
        return GST_PAD_PROBE_OK;
      },
      &earliest, nullptr);
  pipeline.play();
  until("a preview", [&] { return asked_for_sound(*camera); });
  GstClockTime given_from = 0;
  until("a pad", [&] {
    give(pipeline, nullptr);
    const GstClockTime now = gst_element_get_current_running_time(pipeline.element());
    give(pipeline, sound_live);
    if (has_sound_pad(pipeline)) return true;
    given_from = now;
    return false;
  });
  until("sound", [&] { return earliest != GST_CLOCK_TIME_NONE; });
  fail_unless(given_from > 0 && earliest >= given_from,
              "sound of %" GST_TIME_FORMAT ", given from %" GST_TIME_FORMAT,
              GST_TIME_ARGS(earliest.load()), GST_TIME_ARGS(given_from));
}
GST_END_TEST;

GST_START_TEST(consent_of_an_application_context) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(both(*camera));
  link_sound(pipeline);
  const CapsRef caps(gst_caps_from_string(sound_live));
  GstContext* context = gst_context_new_sphere_consent(caps.get());
  gst_element_set_context(pipeline.element(), context);
  gst_context_unref(context);
  pipeline.play();
  test::SampleRef sample;
  until("sound", [&] {
    sample = next_sound(pipeline);
    fail_unless(sample != nullptr);
    return !silent(sample.get());
  });
  // All sources of consent that are present must allow.
  give(pipeline, "consent/audio, state=(string)denied");
  for (int i = 0; i < 6; ++i) sample = next_sound(pipeline);
  for (int i = 0; i < 10; ++i) {
    sample = next_sound(pipeline);
    fail_unless(sample && silent(sample.get()));
  }
}
GST_END_TEST;

GST_START_TEST(position_has_the_accuracy_of_the_consent) {
  const auto camera = camera_with_sound();
  struct Case {
    const char* precision;
    std::vector<std::string> told;
  };
  for (const Case& c : std::vector<Case>{
           {"", {"39.990308", "116.333437", "58.48"}},
           {", precision=(string)street", {"39.990000", "116.333000", "0.00"}},
           {", precision=(string)city", {"40.000000", "116.300000", "0.00"}},
           {", precision=(string)country", {"40.000000", "116.000000", "0.00"}},
       }) {
    test::Pipeline pipeline(
        source(*camera, std::string("position=39.990308,116.333437,58.48 position-interval=1 "
                                    "consent=\"consent/location, state=(string)given, "
                                    "purpose=(string)camera") +
                            c.precision + "\"") +
        " ! appsink name=sink sync=false");
    pipeline.play();
    until("the position", [&] { return camera->position() == c.told; });
    // gst-rtsp-server fails if a client leaves while its media is prepared.
    pull(pipeline, 1);
  }
}
GST_END_TEST;

GST_START_TEST(position_stops_after_a_withdrawal) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(
      source(*camera,
             "position=10.5,20.25 position-interval=1 consent=\"consent/location, "
             "state=(string)given, purpose=(string)camera\"") +
      " ! fakesink sync=false");
  pipeline.play();
  const auto count = [&] {
    const auto asked = camera->asked();
    return std::count_if(asked.begin(), asked.end(), [](const auto& a) { return a.id == 4917; });
  };
  until("the position twice", [&] { return count() >= 2; });
  give(pipeline, nullptr);
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
  const MessageRef message(
      gst_bus_timed_pop_filtered(bus.get(), test::deadline, GST_MESSAGE_WARNING));
  fail_unless(message != nullptr);
  g_autoptr(GError) warning = nullptr;
  gst_message_parse_warning(message.get(), &warning, nullptr);
  fail_unless(g_strrstr(warning->message, "may still keep") != nullptr, "%s", warning->message);
  fail_unless(g_strrstr(warning->message, "10.5") == nullptr);
  const auto told = count();
  // Waits for longer than the interval.
  const GstRef<GstElement> element = pipeline.child("camera");
  GstStructure* stats = nullptr;
  guint64 from = 0, pictures = 0;
  do {
    g_object_get(element.get(), "stats", &stats, nullptr);
    gst_structure_get_uint64(stats, "pictures", &pictures);
    gst_structure_free(stats);
    if (from == 0) from = pictures;
    g_usleep(1000);
  } while (pictures < from + 45);
  fail_unless(count() == told);
  // The log of the emulated camera contains no position.
  for (const auto& asked : camera->asked())
    fail_unless(asked.redacted.find("10.5") == std::string::npos, "%s", asked.redacted.c_str());
}
GST_END_TEST;

GST_START_TEST(recording_with_sound_ends_after_a_withdrawal) {
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(
      source(*camera, "consent=\"consent/audio, state=(string)given, purpose=(string)record\"") +
      " ! appsink name=sink sync=false drop=true max-buffers=1");
  pipeline.play();
  pull(pipeline, 1);
  const GstRef<GstElement> element = pipeline.child("camera");
  const auto record = [&](const char* signal) {
    gboolean done = FALSE;
    g_signal_emit_by_name(element.get(), signal, &done);
    fail_unless(done, "%s", signal);
  };
  const auto asked = [&](int id) {
    const auto all = camera->asked();
    return std::count_if(all.begin(), all.end(), [id](const auto& a) { return a.id == id; });
  };
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.element()));
  const auto saved = [&] {
    for (;;) {
      const MessageRef message(
          gst_bus_timed_pop_filtered(bus.get(), test::deadline, GST_MESSAGE_ELEMENT));
      fail_unless(message != nullptr, "no file");
      const GstStructure* said = gst_message_get_structure(message.get());
      if (gst_structure_has_name(said, "sphere-notification") &&
          gst_structure_has_field(said, "path"))
        return;
    }
  };
  // A recording that has ended, or has no sound, is not stopped.
  record("start-recording");
  record("stop-recording");
  saved();
  give(pipeline, nullptr);
  record("start-recording");
  give(pipeline, "consent/audio, state=(string)given, purpose=(string)record");
  give(pipeline, nullptr);
  record("stop-recording");
  saved();
  fail_unless_equals_int(asked(514), 2);
  give(pipeline, "consent/audio, state=(string)given, purpose=(string)record");
  record("start-recording");
  give(pipeline, nullptr);
  until("the end of the recording", [&] { return asked(514) == 3; });
  std::string warning;
  until("a warning", [&] {
    warning = pipeline.warning();
    return !warning.empty();
  });
  fail_unless(warning.find("was ended") != std::string::npos, "%s", warning.c_str());
  saved();
  // The next recording has no sound.
  record("start-recording");
  record("stop-recording");
  std::string params;
  for (const auto& one : camera->asked())
    if (one.id == 513) params += one.param;
  fail_unless_equals_string(params.c_str(), "0101");
}
GST_END_TEST;

GST_START_TEST(a_wrong_position_is_refused_and_not_repeated) {
  for (const char* wrong : {"here", "91,0", "0,181", "1", "1,2,3,4", "1;2", "nan,0", "1,2,x"}) {
    const auto place = parse_position(wrong);
    fail_unless(!place, "%s", wrong);
    fail_unless(place.error().message.find("LATITUDE") != std::string::npos);
  }
  const auto place = parse_position(" -33.5 , 151.25");
  fail_unless(place && place->latitude == -33.5 && place->longitude == 151.25 && !place->altitude);
  const Position city = consent::rounded(*place, consent::Precision::city);
  fail_unless(std::abs(city.latitude + 33.5) < 1e-9 && std::abs(city.longitude - 151.3) < 1e-9);
  test::Pipeline pipeline("spherecamsrc name=camera ! fakesink");
  pipeline.set_state(GST_STATE_READY);
  g_object_set(pipeline.child("camera").get(), "position", "777.123,5", nullptr);
  const std::string warning = pipeline.warning();
  fail_unless(warning.find("position") != std::string::npos);
  fail_unless(warning.find("777") == std::string::npos);
  // A launch line sets it before the element is in a pipeline, where nobody sees a warning.
  test::Pipeline line("spherecamsrc location=madv://127.0.0.1:1 position=777.123,5 ! fakesink");
  line.play();
  const std::string late = line.warning();
  fail_unless(late.find("position") != std::string::npos, "%s", late.c_str());
  fail_unless(late.find("777") == std::string::npos);
}
GST_END_TEST;

GST_START_TEST(binding_is_stored_with_consent) {
  hold_nothing();
  const auto camera = camera_with_sound();
  test::Pipeline pipeline(source(*camera, std::string("consent=\"") + binding_given + "\"") +
                          " ! fakesink sync=false");
  pipeline.play();
  until("the binding", [&] { return bool(remembered()); });
  fail_unless(was_asked(*camera, 4097) && was_asked(*camera, 1539));
  const auto binding = remembered();
  fail_unless(binding->wifi == "MJXJ-emulator" && binding->model == "sv1" &&
                  binding->firmware == "1.3.97.85.5.13333",
              "%s, %s, %s", binding->wifi.c_str(), binding->model.c_str(),
              binding->firmware.c_str());
  // The answer with the name of the Wi-Fi also contains its password.
  char* text = nullptr;
  fail_unless(g_file_get_contents(storage::binding_path("MJXJ00000000EMUL").c_str(), &text, nullptr,
                                  nullptr));
  const GString_ owned(text);
  fail_unless(strstr(text, "PASSWD") == nullptr && strstr(text, "12345678") == nullptr);
  // Nor is it in the log of the emulated camera.
  for (const auto& asked : camera->asked())
    fail_unless(asked.redacted.find("EMUL") == std::string::npos, "%s", asked.redacted.c_str());
  give(pipeline, nullptr);
  until("the end of the binding", [&] { return kept_in(storage::Store::cameras).empty(); });
  give(pipeline, binding_given);
  until("the binding again", [&] { return bool(remembered()); });
  pipeline.set_state(GST_STATE_NULL);
  // The binding stays, because the consent that was given for this pipeline was not withdrawn.
  fail_unless_equals_int(kept_in(storage::Store::cameras).size(), 1);
  hold_nothing();
}
GST_END_TEST;

GST_START_TEST(binding_needs_all_grants) {
  hold_nothing();
  for (const char* half : {"consent/device, state=(string)given, purpose=(string)bind",
                           "consent/network, state=(string)given, purpose=(string)bind",
                           "consent/device, state=(string)given, purpose=(string)share; "
                           "consent/network, state=(string)given, purpose=(string)bind"}) {
    const auto camera = camera_with_sound();
    test::Pipeline pipeline(source(*camera, std::string("consent=\"") + half + "\"") +
                            " ! appsink name=sink sync=false");
    pipeline.play();
    pull(pipeline, 10);
    until("everything", [&] { return was_asked(*camera, 4364); });
    pipeline.set_state(GST_STATE_NULL);
    for (int id : {4097, 1539}) fail_unless(!was_asked(*camera, id), "%d was asked", id);
    fail_unless(kept_in(storage::Store::cameras).empty());
  }
}
GST_END_TEST;

GST_START_TEST(lens_table_is_stored_with_consent) {
  hold_nothing();
  EmulatorOptions options;
  options.scene.width = 320;
  options.scene.height = 160;
  options.make_table = true;
  Result<std::unique_ptr<Emulator>> made = Emulator::start(std::move(options));
  fail_unless(bool(made));
  const std::unique_ptr<Emulator> camera = std::move(*made);
  const auto has_table = [](test::Pipeline& pipeline) {
    GstStructure* stats = nullptr;
    g_object_get(pipeline.child("camera").get(), "stats", &stats, nullptr);
    gboolean table = FALSE;
    gst_structure_get_boolean(stats, "lens-table", &table);
    gst_structure_free(stats);
    return table != FALSE;
  };
  {
    test::Pipeline pipeline(source(*camera) + " ! appsink name=sink sync=false");
    pipeline.play();
    until("the table", [&] { return has_table(pipeline); });
    pull(pipeline, 1);
    fail_unless(kept_in(storage::Store::tables).empty());
  }
  test::Pipeline pipeline(source(*camera, std::string("consent=\"") + binding_given + "\"") +
                          " ! appsink name=sink sync=false");
  pipeline.play();
  until("the table", [&] { return has_table(pipeline); });
  until("the binding", [&] { return bool(remembered()); });
  pull(pipeline, 1);
  const auto binding = remembered();
  fail_unless(binding->table.size() == 32);
  const auto tables = kept_in(storage::Store::tables);
  fail_unless(tables.size() == 1 && tables[0].path.ends_with(binding->table + ".bin"));
  give(pipeline, nullptr);
  until("the end of the table", [&] { return kept_in(storage::Store::tables).empty(); });
  pipeline.set_state(GST_STATE_NULL);
  hold_nothing();
}
GST_END_TEST;

static Suite* camera_consent_suite() {
  test::forgive_rtsp();
  Suite* suite = suite_create("camera_consent");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, without_consent_no_sound_is_requested_and_no_position_sent);
  tcase_add_test(tcase, sound_until_consent_is_withdrawn);
  tcase_add_test(tcase, consent_for_sound_while_live_needs_a_new_connection);
  tcase_add_test(tcase, sound_ends_with_the_pictures);
  tcase_add_test(tcase, sound_ends_when_the_application_ends_it);
  tcase_add_test(tcase, no_more_pads_is_emitted_once);
  tcase_add_test(tcase, buffers_in_flight_while_denied_are_silent);
  tcase_add_test(tcase, consent_of_an_application_context);
  tcase_add_test(tcase, position_has_the_accuracy_of_the_consent);
  tcase_add_test(tcase, position_stops_after_a_withdrawal);
  tcase_add_test(tcase, recording_with_sound_ends_after_a_withdrawal);
  tcase_add_test(tcase, a_wrong_position_is_refused_and_not_repeated);
  tcase_add_test(tcase, binding_is_stored_with_consent);
  tcase_add_test(tcase, binding_needs_all_grants);
  tcase_add_test(tcase, lens_table_is_stored_with_consent);
  return suite;
}

GST_CHECK_MAIN(camera_consent)
