// SPDX-License-Identifier: LGPL-2.1-or-later
// spherelivesink: a 360 stream to a server, a file or a page.

/**
 * SECTION:element-spherelivesink
 * @title: spherelivesink
 *
 * Streams 360 pictures to one target, as the command `sphere live` does: it encodes what is not
 * encoded, says in the stream that the pictures are 360, passes sound and places only with consent,
 * and connects again when the connection is lost. The pipeline goes on meanwhile. Several of them
 * behind a `tee` stream to several targets.
 *
 * #GstSphereLiveSink:uri is one of: `rtmp://HOST/APP/KEY` and `rtmps://...`, `srt://HOST:PORT`,
 * `rtsp:PORT`, `hls:FOLDER`, `file:NAME.mp4` or `.mkv`, `web:PORT`, `window`.
 *
 * Pictures are raw or H.264; sound is raw or AAC. Without consent there is no sound. What is not
 * live, as a file, is sent as fast as it was taken.
 *
 * A warning on the bus tells when the target fails and is tried again, an info message when it
 * runs.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -e spheretestsrc is-live=true num-buffers=90 ! spherestitch ! spherelivesink uri=file:live.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "plugins/live/spherelivesink.h"

#include <memory>
#include <optional>
#include <string>

#include "gst/live/branch.h"
#include "gst/live/encoding.h"
#include "gst/live/runner.h"
#include "gst/live/spherical_mark.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/element.h"
#include "plugins/live/pacing.h"

GST_DEBUG_CATEGORY_STATIC(spherelivesink_debug);
#define GST_CAT_DEFAULT spherelivesink_debug

namespace {

using namespace sphere::live;
using sphere::CapsRef;
using sphere::GstRef;
using sphere::Lock;
using sphere::Mutex;
using sphere::Result;
using sphere::Status;

#define VIDEO_CAPS                                                          \
  "video/x-raw; video/x-h264, stream-format=(string){ byte-stream, avc }, " \
  "alignment=(string){ au, nal }"
#define AUDIO_CAPS "audio/x-raw; audio/mpeg, mpegversion=(int)4"

GstStaticPadTemplate video_template =
    GST_STATIC_PAD_TEMPLATE("video", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS(VIDEO_CAPS));
GstStaticPadTemplate audio_template =
    GST_STATIC_PAD_TEMPLATE("audio", GST_PAD_SINK, GST_PAD_REQUEST, GST_STATIC_CAPS(AUDIO_CAPS));

enum {
  PROP_URI = sphere::consent::PROP_FIRST_OF_ELEMENT,
  PROP_SPHERICAL,
  PROP_BITRATE,
  PROP_STATS
};

constexpr gboolean default_spherical = TRUE;
constexpr guint default_bitrate_kbit = 0;
constexpr const char* decoded_sound = "audio/x-raw,rate=48000,channels=2";

struct Settings {
  std::string uri;
  bool spherical = default_spherical;
  guint bitrate = default_bitrate_kbit;
};

}  // namespace

/// A pad at which a file waits until the output is open, so that nothing of it is lost.
struct HeldPad {
  GstRef<GstPad> pad;
  gulong probe = 0;  ///< 0: it does not wait yet
};

/// What exists between READY and NULL.
struct LiveState {
  Settings settings;
  std::unique_ptr<Branch> branch;
  std::unique_ptr<Runner> runner;
  std::unique_ptr<Encoding> encoding;  // of the thread of the pictures
  // In the element before it starts, because a gate that comes later takes no sound from before it.
  GstElement* pictures = nullptr;     ///< the gates and the end of the pictures' way
  GstElement* sound_gates = nullptr;  ///< null: the target takes no sound
  GstElement* sound_end = nullptr;    ///< what follows the gates, once sound has come
  bool sound_is_coded = false;        ///< before the gates
};

struct LiveSink {
  explicit LiveSink(GstElement* owner) : element(owner) {}

  GstElement* const element;
  sphere::consent::Consent consent;

  // Protects what follows; never held across a push, a post, or a call of the runner that waits.
  Mutex mutex;
  Settings settings SPHERE_GUARDED_BY(mutex);
  std::shared_ptr<LiveState> state SPHERE_GUARDED_BY(mutex);
  bool playing SPHERE_GUARDED_BY(mutex) = false;
  bool known SPHERE_GUARDED_BY(mutex) = false;  ///< the form and the size of the pictures
  StreamInfo stream SPHERE_GUARDED_BY(mutex);
  bool has_audio SPHERE_GUARDED_BY(mutex) = false;  ///< the pad was asked for
  std::string told SPHERE_GUARDED_BY(mutex);        ///< the last words about the target
  bool told_running SPHERE_GUARDED_BY(mutex) = false;
  bool ended SPHERE_GUARDED_BY(mutex) = false;   ///< pictures have ended
  bool opened SPHERE_GUARDED_BY(mutex) = false;  ///< or the first attempt has failed
  std::vector<HeldPad> held SPHERE_GUARDED_BY(mutex);
  bool files_wait SPHERE_GUARDED_BY(mutex) = false;  ///< at the pads `held`

  std::shared_ptr<LiveState> current() {
    const Lock lock(mutex);
    return state;
  }

  bool is_known() {
    const Lock lock(mutex);
    return known;
  }

  bool set_property(guint id, const GValue* value);
  bool get_property(guint id, GValue* value);
};

struct _GstSphereLiveSink {
  GstBin parent;
  LiveSink* self;
};

G_DEFINE_TYPE(GstSphereLiveSink, gst_sphere_live_sink, GST_TYPE_BIN)
GST_ELEMENT_REGISTER_DEFINE(spherelivesink, "spherelivesink", GST_RANK_NONE,
                            GST_TYPE_SPHERE_LIVE_SINK)

namespace {

LiveSink& sink_of(gpointer element) { return sphere::self_of<GstSphereLiveSink>(element); }

/// The element's own sources of consent, for the gates inside. A context of the application reaches
/// them by itself.
OutputConsent given_by(const LiveSink& self) {
  OutputConsent given;
  if (const CapsRef caps = self.consent.caps()) {
    const sphere::GString_ text(gst_caps_to_string(caps.get()));
    given.caps = text.get();
  }
  given.ledger = self.consent.ledger();
  return given;
}

// --- files wait for the output -----------------------------------------------------------------

/// The output waits for the first caps of the pictures. Sound may come before them in the same
/// thread, so it waits from then on only.
void hold(LiveSink& self, GstElement* element, bool pictures_came) {
  constexpr auto waiting = static_cast<GstPadProbeType>(
      GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  const Lock lock(self.mutex);
  if (self.opened) return;
  self.held.push_back({GstRef<GstPad>(gst_element_get_static_pad(element, "sink"))});
  self.files_wait = self.files_wait || pictures_came;
  if (!self.files_wait) return;
  for (HeldPad& one : self.held)
    if (!one.probe)
      one.probe = gst_pad_add_probe(
          one.pad.get(), waiting,
          [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
}

void release(LiveSink& self) {
  std::vector<HeldPad> held;
  {
    const Lock lock(self.mutex);
    self.opened = true;
    held.swap(self.held);
  }
  for (const HeldPad& one : held)
    if (one.probe) gst_pad_remove_probe(one.pad.get(), one.probe);
}

// --- the runner --------------------------------------------------------------------------------

/// In the runner's thread: its state has changed.
void tell(LiveSink& self, Runner& runner) {
  const OutputStatus status = runner.status();
  const bool waits = status.state == OutputState::waiting;
  const bool runs = status.state == OutputState::running;
  if (waits || runner.feed().connected_before() || runner.done()) release(self);
  bool ended = false, is_new = false;
  {
    const Lock lock(self.mutex);
    // The same failure is told once, and not with each attempt.
    if (waits || runs) {
      is_new = self.told != status.words || runs != self.told_running;
      self.told = status.words;
      self.told_running = runs;
    }
    ended = self.ended;
  }
  const char* name = runner.target().shown.c_str();
  if (waits && is_new)
    GST_ELEMENT_WARNING(self.element, RESOURCE, WRITE,
                        ("%s: %s; it is tried again.", name, status.words.c_str()), (nullptr));
  // gst-launch-1.0 prints of an information only the detail.
  if (runs && is_new)
    GST_ELEMENT_INFO(self.element, RESOURCE, WRITE, ("%s is running.", name),
                     ("%s is running.", name));
  if (!runner.done()) return;
  if (!status.words.empty())
    GST_ELEMENT_ERROR(self.element, RESOURCE, OPEN_WRITE, ("%s: %s.", name, status.words.c_str()),
                      (nullptr));
  else if (ended && status.frames == 0)
    GST_ELEMENT_ERROR(self.element, RESOURCE, WRITE,
                      ("%s: nothing was sent: the stream has ended before its first key frame that "
                       "could be sent.",
                       name),
                      (nullptr));
  else if (ended)
    gst_element_post_message(self.element, gst_message_new_eos(GST_OBJECT(self.element)));
}

bool sound_allowed(const LiveSink& self, sphere::consent::Purposes purposes) {
  for (size_t i = 0; i < sphere::consent::purpose_names.size(); ++i) {
    const auto purpose = static_cast<sphere::consent::Purpose>(i);
    if ((purposes & sphere::consent::bit(purpose)) &&
        !self.consent.allowed(sphere::consent::Category::audio, purpose))
      return false;
  }
  return true;
}

/// Starts the output once the stream is known and the pipeline plays.
void try_to_start(LiveSink& self) {
  std::shared_ptr<LiveState> state;
  StreamInfo stream;
  {
    const Lock lock(self.mutex);
    if (!self.playing || !self.known || !self.state || self.state->runner->started()) return;
    state = self.state;
    stream = self.stream;
    stream.audio = self.has_audio;
  }
  const GstRef<GstClock> clock(gst_element_get_clock(self.element));
  if (!clock) return;
  stream.audio = stream.audio && sound_allowed(self, state->runner->needs().audio_purposes);
  stream.spherical = state->settings.spherical;
  const OutputConsent given = state->branch->consent();
  stream.consent = given.caps;
  stream.ledger = given.ledger;
  const GstClockTime base = gst_element_get_base_time(self.element);
  stream.utc_of_running_time_0 =
      g_get_real_time() - static_cast<int64_t>(gst_clock_get_time(clock.get()) - base) / 1000;
  Runner* runner = state->runner.get();
  const Lock lock(self.mutex);
  if (!runner->started())
    runner->start(clock.get(), base, stream, [&self, runner] { tell(self, *runner); });
}

// --- what comes in -----------------------------------------------------------------------------

/// Adds elements that follow `from` in this order, if they are not there yet.
Status append(LiveSink& self, GstElement* from, const std::vector<GstElement*>& elements) {
  GstElement* before = from;
  for (GstElement* element : elements) {
    if (!GST_OBJECT_PARENT(element)) gst_bin_add(GST_BIN(self.element), element);
    if (!gst_element_link(before, element))
      return sphere::failed("the stream can't be linked to the elements of this target");
    before = element;
  }
  for (size_t i = elements.size(); i-- > 0;) gst_element_sync_state_with_parent(elements[i]);
  return sphere::ok();
}

void remove_child(LiveSink& self, GstElement* element) {
  gst_element_set_state(element, GST_STATE_NULL);
  gst_bin_remove(GST_BIN(self.element), element);
}

Result<GstElement*> make(const char* factory) {
  GstElement* element = gst_element_factory_make(factory, nullptr);
  if (!element) return missing_element(factory);
  return element;
}

Result<GstElement*> make_filter(const char* caps) {
  auto filter = make("capsfilter");
  if (filter) gst_util_set_object_arg(G_OBJECT(*filter), "caps", caps);
  return filter;
}

void finish(LiveSink& self) {
  std::shared_ptr<LiveState> state;
  {
    const Lock lock(self.mutex);
    self.ended = true;
    state = self.state;
  }
  if (!state) return;
  if (state->runner->started())
    state->runner->finish();
  else
    gst_element_post_message(self.element, gst_message_new_eos(GST_OBJECT(self.element)));
}

Status take_video(LiveSink& self, GstElement* from, GstCaps* caps) {
  const std::shared_ptr<LiveState> state = self.current();
  if (!state) return sphere::ok();
  const OutputNeeds& needs = state->runner->needs();
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const bool coded = gst_structure_has_name(structure, "video/x-h264");
  StreamInfo stream;
  gst_structure_get_int(structure, "width", &stream.width);
  gst_structure_get_int(structure, "height", &stream.height);
  gst_structure_get_fraction(structure, "framerate", &stream.fps_n, &stream.fps_d);
  if (stream.fps_n <= 0 || stream.fps_d <= 0) {
    stream.fps_n = 30;
    stream.fps_d = 1;
  }
  const double fps = static_cast<double>(stream.fps_n) / stream.fps_d;
  stream.bitrate = state->settings.bitrate ? static_cast<int>(state->settings.bitrate)
                                           : default_bitrate(stream.width, stream.height, fps);
  std::vector<GstElement*> chain;
  const auto add = [&chain](Result<GstElement*> made) -> Status {
    if (!made) return made.error();
    chain.push_back(*made);
    return sphere::ok();
  };
  if (coded && needs.video != VideoForm::h264)
    return sphere::unsupported(
        "this target takes " +
        std::string(needs.video == VideoForm::raw ? "raw pictures" : "H.265") + ", and gets H.264");
  if (coded) {
    if (const Status added = add(make("h264parse")); !added) return added;
    g_object_set(chain.back(), "config-interval", -1, nullptr);
    if (const Status added =
            add(make_filter("video/x-h264,stream-format=byte-stream,alignment=au"));
        !added)
      return added;
    const GstRef<GstPad> out(gst_element_get_static_pad(chain.back(), "src"));
    if (state->settings.spherical) mark_as_spherical(out.get(), VideoForm::h264);
  } else if (needs.video != VideoForm::raw) {
    if (stream.width % 2 || stream.height % 2)
      return sphere::unsupported("pictures of " + std::to_string(stream.width) + "x" +
                                 std::to_string(stream.height) +
                                 " can't be encoded; make both sides even, with videoscale");
    const auto encoder = choose_encoder("auto", needs.video);
    if (!encoder) return encoder.error();
    auto encoding = Encoding::make({.form = needs.video,
                                    .profile = needs.profile,
                                    .encoder = *encoder,
                                    .bitrate = stream.bitrate,
                                    .key_interval = needs.key_interval,
                                    .fps = fps,
                                    .max_width = needs.max_width,
                                    .spherical = state->settings.spherical});
    if (!encoding) return encoding.error();
    state->encoding = std::move(*encoding);
    chain.push_back(state->encoding->element());
  }
  chain.push_back(state->pictures);
  if (const Status appended = append(self, from, chain); !appended) return appended;
  {
    const Lock lock(self.mutex);
    self.stream = stream;
    self.known = true;
  }
  try_to_start(self);
  return sphere::ok();
}

Status take_audio(LiveSink& self, GstElement* from, GstCaps* caps) {
  const std::shared_ptr<LiveState> state = self.current();
  if (!state) return sphere::ok();
  const OutputNeeds& needs = state->runner->needs();
  if (needs.audio == AudioForm::none) {
    auto sink = make("fakesink");
    if (!sink) return sink.error();
    g_object_set(*sink, "async", FALSE, "sync", FALSE, nullptr);
    return append(self, from, {*sink});
  }
  const bool coded = gst_structure_has_name(gst_caps_get_structure(caps, 0), "audio/mpeg");
  const bool as_it_is = coded && needs.audio == AudioForm::aac;
  std::vector<const char*> names;
  if (coded) names.push_back("aacparse");
  if (coded && !as_it_is) names.push_back("avdec_aac");
  if (!as_it_is) names.insert(names.end(), {"audioconvert", "audioresample"});
  std::vector<GstElement*> chain;
  for (const char* name : names) {
    auto element = make(name);
    if (!element) return element.error();
    chain.push_back(*element);
  }
  auto form = make_filter(as_it_is ? "audio/mpeg,stream-format=raw" : decoded_sound);
  if (!form) return form.error();
  chain.push_back(*form);
  chain.push_back(state->sound_gates);
  // What an earlier pad had.
  if (state->sound_end && state->sound_is_coded != as_it_is)
    remove_child(self, std::exchange(state->sound_end, nullptr));
  if (!state->sound_end) {
    auto end = state->branch->make_audio(&state->runner->feed(), as_it_is);
    if (!end) return end.error();
    chain.push_back(state->sound_end = *end);
    state->sound_is_coded = as_it_is;
  }
  return append(self, from, chain);
}

/// Whether what comes through a pad comes at its own time.
bool is_live(GstPad* pad) {
  GstQuery* query = gst_query_new_latency();
  gboolean live = FALSE;
  if (gst_pad_peer_query(pad, query)) gst_query_parse_latency(query, &live, nullptr, nullptr);
  gst_query_unref(query);
  return live;
}

bool is_of_pictures(GstElement* entry) { return g_str_equal(GST_OBJECT_NAME(entry), "video-in"); }

/// The first caps of a pad tell which elements it needs.
GstPadProbeReturn first_caps(GstPad* pad, GstPadProbeInfo* info, gpointer element) {
  GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    // Otherwise the pipeline would wait for ever: only pictures end it.
    const GstRef<GstPad> video(gst_element_get_static_pad(GST_ELEMENT(element), "video"));
    const GstRef<GstElement> entry(gst_pad_get_parent_element(pad));
    const GstRef<GstPad> out(gst_element_get_static_pad(entry.get(), "src"));
    // Without caps nothing follows that could tell the end.
    if (video && is_of_pictures(entry.get()) && !gst_pad_is_linked(out.get()))
      finish(sink_of(element));
    if (!video)
      GST_ELEMENT_ERROR(element, STREAM, FAILED,
                        ("There are no pictures; link them to the pad 'video'."), (nullptr));
    return GST_PAD_PROBE_OK;
  }
  // No output needs to know of gaps in the pictures, and h264parse in GStreamer 1.22 gives invalid
  // caps if one comes before its first picture.
  if (GST_EVENT_TYPE(event) == GST_EVENT_GAP) {
    const GstRef<GstElement> entry(gst_pad_get_parent_element(pad));
    return is_of_pictures(entry.get()) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
  }
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  LiveSink& self = sink_of(element);
  const GstRef<GstElement> entry(gst_pad_get_parent_element(pad));
  const GstRef<GstPad> out(gst_element_get_static_pad(entry.get(), "src"));
  if (gst_pad_is_linked(out.get())) return GST_PAD_PROBE_OK;
  const bool video =
      g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "video/");
  GstElement* from = entry.get();
  if (!is_live(pad)) {
    // A file comes as fast as it can be read; it is sent as fast as it was taken.
    const auto pace = make_pacing();
    const Status paced = pace ? append(self, from, {*pace}) : pace.error();
    if (!paced) {
      GST_ELEMENT_ERROR(element, STREAM, FORMAT, ("%s.", paced.error().message.c_str()), (nullptr));
      return GST_PAD_PROBE_DROP;
    }
    from = *pace;
    hold(self, from, video || self.is_known());
  }
  const Status taken = video ? take_video(self, from, caps) : take_audio(self, from, caps);
  if (!taken)
    GST_ELEMENT_ERROR(element, STREAM, FORMAT, ("%s.", taken.error().message.c_str()), (nullptr));
  return taken ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

GstPad* request_new_pad(GstElement* element, GstPadTemplate* wanted, const gchar*, const GstCaps*) {
  const char* name = GST_PAD_TEMPLATE_NAME_TEMPLATE(wanted);
  if (const GstRef<GstPad> there{gst_element_get_static_pad(element, name)}) return nullptr;
  GstElement* entry = gst_element_factory_make("identity", (std::string(name) + "-in").c_str());
  if (!entry) return nullptr;
  g_object_set(entry, "silent", TRUE, nullptr);
  gst_bin_add(GST_BIN(element), entry);
  const GstRef<GstPad> sink(gst_element_get_static_pad(entry, "sink"));
  gst_pad_add_probe(sink.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, first_caps, element, nullptr);
  GstPad* pad = gst_ghost_pad_new_from_template(name, sink.get(), wanted);
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element, pad);
  gst_element_sync_state_with_parent(entry);
  if (std::string_view(name) == "audio") {
    LiveSink& self = sink_of(element);
    const Lock lock(self.mutex);
    self.has_audio = true;
  }
  return pad;
}

/// The element after this one that is neither what every pad leads to nor the end.
GstRef<GstElement> follower(const LiveState& state, GstElement* element) {
  const GstRef<GstPad> out(gst_element_get_static_pad(element, "src"));
  const GstRef<GstPad> peer(out ? gst_pad_get_peer(out.get()) : nullptr);
  GstRef<GstElement> next(peer ? gst_pad_get_parent_element(peer.get()) : nullptr);
  if (next.get() == state.pictures || next.get() == state.sound_gates) return {};
  return next;
}

/// What waits in the pad, such as a file until the pipeline plays, is woken up first. Then what the
/// caps have added is removed, so that the pad can be asked for again.
void release_pad(GstElement* element, GstPad* pad) {
  LiveSink& self = sink_of(element);
  const std::string name = std::string(GST_PAD_NAME(pad)) + "-in";
  gst_pad_send_event(pad, gst_event_new_flush_start());
  gst_pad_set_active(pad, FALSE);
  GstRef<GstElement> next(gst_bin_get_by_name(GST_BIN(element), name.c_str()));
  if (next) {
    const GstRef<GstPad> sink(gst_element_get_static_pad(next.get(), "sink"));
    gst_pad_send_event(sink.get(), gst_event_new_flush_stop(FALSE));
  }
  gst_element_remove_pad(element, pad);
  const std::shared_ptr<LiveState> state = self.current();
  while (next) {
    GstRef<GstElement> after = state ? follower(*state, next.get()) : GstRef<GstElement>();
    remove_child(self, next.get());
    next = std::move(after);
  }
  const Lock lock(self.mutex);
  std::erase_if(self.held, [](const HeldPad& one) { return !GST_OBJECT_PARENT(one.pad.get()); });
  if (name == "audio-in") self.has_audio = false;
}

// --- states --------------------------------------------------------------------------------------

Status open(LiveSink& self) {
  auto state = std::make_shared<LiveState>();
  {
    const Lock lock(self.mutex);
    state->settings = self.settings;
  }
  if (state->settings.uri.empty())
    return sphere::invalid("set 'uri' to where the stream goes, such as rtmp://HOST/APP/KEY");
  const auto target = parse_target(state->settings.uri);
  if (!target) return target.error();
  auto output = make_output(*target);
  if (!output) return output.error();
  state->runner = std::make_unique<Runner>(*target, std::move(*output));
  state->branch = std::make_unique<Branch>(state->runner->needs(), given_by(self));
  const auto pictures =
      state->branch->make_video(&state->runner->feed(), [&self] { finish(self); });
  if (!pictures) return pictures.error();
  gst_bin_add(GST_BIN(self.element), state->pictures = *pictures);
  if (state->runner->needs().audio != AudioForm::none) {
    const auto gates = state->branch->make_sound_gates();
    if (!gates) return gates.error();
    gst_bin_add(GST_BIN(self.element), state->sound_gates = *gates);
  }
  const Lock lock(self.mutex);
  self.state = std::move(state);
  self.known = self.ended = self.opened = self.files_wait = false;
  self.told.clear();
  self.told_running = false;
  return sphere::ok();
}

/// Removes what the first caps have added, so that other caps can come after a restart.
void close(LiveSink& self) {
  std::shared_ptr<LiveState> gone;
  {
    const Lock lock(self.mutex);
    gone = std::move(self.state);
    self.playing = self.known = false;
  }
  // Its thread may post messages, so no lock is held.
  if (gone) gone->runner->stop();
  release(self);
  std::vector<GstElement*> children;
  for (GList* child = GST_BIN_CHILDREN(self.element); child; child = child->next) {
    auto* element = GST_ELEMENT(child->data);
    if (!g_str_has_suffix(GST_OBJECT_NAME(element), "-in")) children.push_back(element);
  }
  for (GstElement* element : children) remove_child(self, element);
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  LiveSink& self = sink_of(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) sphere::consent::prepare(self.consent, element);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (const Status opened = open(self); !opened) {
      close(self);
      const char* why = opened.error().message.c_str();
      // Such as a file that exists.
      if (opened.error().kind == sphere::Error::Kind::failed)
        GST_ELEMENT_ERROR(element, RESOURCE, OPEN_WRITE, ("%s.", why), (nullptr));
      else
        GST_ELEMENT_ERROR(element, RESOURCE, SETTINGS, ("%s.", why), (nullptr));
      return GST_STATE_CHANGE_FAILURE;
    }
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_sphere_live_sink_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && result != GST_STATE_CHANGE_FAILURE) {
    {
      const Lock lock(self.mutex);
      self.playing = true;
      if (self.state && self.state->runner->started())
        self.state->runner->resume(gst_element_get_base_time(element));
    }
    try_to_start(self);
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) close(self);
  return result;
}

void handle_message(GstBin* bin, GstMessage* message) {
  // The stream has ended when the output has, and not when its last picture has gone there.
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
    gst_message_unref(message);
    return;
  }
  GST_BIN_CLASS(gst_sphere_live_sink_parent_class)->handle_message(bin, message);
}

// --- properties --------------------------------------------------------------------------------

GstStructure* stats_of(LiveSink& self) {
  OutputStatus status;
  if (const auto state = self.current()) status = state->runner->status();
  GstStructure* stats = gst_structure_new(
      "stats", "state", G_TYPE_STRING, std::string(name_of(status.state)).c_str(), "words",
      G_TYPE_STRING, status.words.c_str(), "bytes", G_TYPE_UINT64, status.bytes, "frames",
      G_TYPE_UINT64, status.frames, "dropped", G_TYPE_UINT64, status.dropped, "latency",
      G_TYPE_UINT64, static_cast<guint64>(status.latency), "reconnects", G_TYPE_UINT,
      status.reconnects, "sound", G_TYPE_BOOLEAN, static_cast<gboolean>(status.sound), nullptr);
  if (status.viewers) gst_structure_set(stats, "viewers", G_TYPE_UINT, *status.viewers, nullptr);
  if (!status.links.empty())
    gst_structure_set(stats, "link", G_TYPE_STRING, status.links.front().c_str(), nullptr);
  return stats;
}

}  // namespace

bool LiveSink::set_property(guint id, const GValue* value) {
  if (sphere::consent::set_property(consent, element, id, value)) {
    if (const auto current_state = current()) {
      const OutputConsent given = given_by(*this);
      current_state->branch->set_consent(given.caps, given.ledger);
    }
    return true;
  }
  const Lock lock(mutex);
  switch (id) {
    case PROP_URI:
      settings.uri = sphere::to_string(g_value_get_string(value));
      return true;
    case PROP_SPHERICAL:
      settings.spherical = g_value_get_boolean(value);
      return true;
    case PROP_BITRATE:
      settings.bitrate = g_value_get_uint(value);
      return true;
    default:
      return false;
  }
}

bool LiveSink::get_property(guint id, GValue* value) {
  if (sphere::consent::get_property(consent, id, value)) return true;
  if (id == PROP_STATS) {
    g_value_take_boxed(value, stats_of(*this));
    return true;
  }
  const Lock lock(mutex);
  switch (id) {
    case PROP_URI: {
      // A target may hold a stream key or a passphrase.
      const auto target = parse_target(settings.uri);
      g_value_set_string(value, target ? target->shown.c_str() : nullptr);
      return true;
    }
    case PROP_SPHERICAL:
      g_value_set_boolean(value, settings.spherical);
      return true;
    case PROP_BITRATE:
      g_value_set_uint(value, settings.bitrate);
      return true;
    default:
      return false;
  }
}

static void gst_sphere_live_sink_init(GstSphereLiveSink* sink) {
  sink->self = new LiveSink(GST_ELEMENT(sink));
  GST_OBJECT_FLAG_SET(sink, GST_ELEMENT_FLAG_SINK);
  gst_bin_set_suppressed_flags(GST_BIN(sink), GST_ELEMENT_FLAG_SINK);
}

static void gst_sphere_live_sink_class_init(GstSphereLiveSinkClass* klass) {
  GST_DEBUG_CATEGORY_INIT(spherelivesink_debug, "spherelivesink", 0,
                          "360 video to servers, files and a page");
  auto* object_class = G_OBJECT_CLASS(klass);
  sphere::install_object<GstSphereLiveSink>(object_class);
  sphere::consent::install_properties(object_class);
  constexpr auto readwrite = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                      GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object_class, PROP_URI,
      g_param_spec_string("uri", "URI",
                          "Where the stream goes: rtmp://HOST/APP/KEY, srt://HOST:PORT, rtsp:PORT, "
                          "hls:FOLDER, file:NAME, web:PORT or window; reads without its secrets",
                          nullptr, readwrite));
  g_object_class_install_property(
      object_class, PROP_SPHERICAL,
      g_param_spec_boolean("spherical", "Spherical", "Say in the stream that the pictures are 360",
                           default_spherical, readwrite));
  g_object_class_install_property(
      object_class, PROP_BITRATE,
      g_param_spec_uint("bitrate", "Bit rate",
                        "Of pictures that are encoded here, in kbit/s (0: what suits their size); "
                        "ignored when they come encoded",
                        0, 200000, default_bitrate_kbit, readwrite));
  g_object_class_install_property(
      object_class, PROP_STATS,
      g_param_spec_boxed("stats", "Statistics",
                         "state, words, bytes, frames, dropped, latency (ns), reconnects, sound; "
                         "viewers and link of a server",
                         GST_TYPE_STRUCTURE,
                         static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

  auto* element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = change_state;
  sphere::consent::install_context<GstSphereLiveSink>(element_class);
  element_class->request_new_pad = request_new_pad;
  element_class->release_pad = release_pad;
  GST_BIN_CLASS(klass)->handle_message = handle_message;
  gst_element_class_add_static_pad_template(element_class, &video_template);
  gst_element_class_add_static_pad_template(element_class, &audio_template);
  gst_element_class_set_static_metadata(
      element_class, "Sphere live sink", "Sink/Network/File",
      "Streams 360 pictures and sound to a server, a file or a page", "The gst-sphere authors");
}
