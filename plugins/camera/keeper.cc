// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/keeper.h"

#include <algorithm>

#include "gst/sphere/lens/gstspherelens.h"

GST_DEBUG_CATEGORY_EXTERN(spherecamsrc_debug);
#define GST_CAT_DEFAULT spherecamsrc_debug

namespace sphere::camera {

using namespace sphere::madv;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

// The lens that this family has, until the camera's own table says better.
constexpr const char* nominal_lens = "mi-sphere";

// The name of an rtspsrc, one for each connection, begins so.
constexpr const char* connection_prefix = "connection";

constexpr Clock::duration first_pause = 500ms;
constexpr Clock::duration longest_pause = 8s;
// A preview that stands for so long while the camera answers is opened anew.
constexpr auto picture_timeout = 5s;

const char* card_name(Card card) {
  switch (card) {
    case Card::none:
      return "none";
    case Card::bad:
      return "bad";
    case Card::slow:
      return "slow";
    case Card::mounted:
      return "mounted";
    case Card::unknown:
      break;
  }
  return "unknown";
}

}  // namespace

Keeper::Keeper(GstBin* bin, GstElement* depayloader, GstPad* source)
    : bin_(bin),
      depayloader_(depayloader),
      timeline_(source, [this] { preview_ended(); }),
      sound_(bin, consent_),
      beacon_(GST_ELEMENT(bin), consent_),
      binder_(GST_ELEMENT(bin), consent_) {
  consent_.on_change([this] { nudge(); });
}

bool Keeper::start() {
  const Result<Uri> uri = Uri::parse(settings().location);
  if (!uri || !uri->is_preview()) {
    GST_ELEMENT_ERROR(bin_, RESOURCE, SETTINGS,
                      ("%s", uri ? "This URI names a file; spherecamsrc shows the preview, "
                                   "madv://HOST."
                                 : uri.error().message.c_str()),
                      (nullptr));
    return false;
  }
  uri_ = *uri;
  timeline_.set_lens(gst_event_new_sphere_lens(nominal_lens));
  const sphere::GString_ id(gst_pad_create_stream_id(GST_PAD(GST_ELEMENT(bin_)->srcpads->data),
                                                     GST_ELEMENT(bin_), nullptr));
  const guint group = gst_util_group_id_next();
  timeline_.restart(id.get(), group);
  sound_.restart(group);
  beacon_.restart();
  records_with_sound_ = false;
  {
    const Lock lock(mutex_);
    happened_ = {};
    quit_ = false;
    connections_ = losses_ = 0;
    table_ = sound_offered_ = sound_asked_ = false;
  }
  pause_ = first_pause;
  attempt_at_ = Clock::now();
  only_preview_ = session_open_ = failed_ = false;
  thread_ = std::thread([this] { run(); });
  return true;
}

void Keeper::stop() {
  {
    const Lock lock(mutex_);
    quit_ = true;
    // Connecting to nobody ends now.
    if (session_) session_->request_stop();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  sound_.remove();
}

void Keeper::run() {
  for (;;) {
    Happened happened;
    Settings settings;
    {
      const Lock lock(mutex_);
      for (;;) {
        if (quit_ || happened_.preview_ready || happened_.session_ended ||
            happened_.preview_failed || happened_.finished || happened_.nudged ||
            (position_at_ && Clock::now() >= *position_at_) ||
            (attempt_at_ && Clock::now() >= *attempt_at_))
          break;
        auto next = Clock::now() + 500ms;
        for (const auto& at : {attempt_at_, position_at_})
          if (at) next = std::min(next, *at);
        changed_.wait_until(mutex_, next);
        if (watched_since_) break;
      }
      if (quit_) break;
      happened = std::exchange(happened_, {});
      settings = settings_;
    }
    if (happened.finished) give_up();
    if (failed_) continue;
    if (happened.session_ended) {
      session_open_ = false;
      lost(happened.failure.value_or(Failure{Failure::Reason::gone, "the camera is gone", 0}),
           settings);
      continue;
    }
    if (happened.preview_ready) {
      session_open_ = true;
      open_preview(settings);
    }
    look_at_position();
    look_at_binding();
    look_at_recording();
    if (happened.preview_failed && rtspsrc_) {
      lost(preview_failure(happened), settings);
      continue;
    }
    if (attempt_at_ && Clock::now() >= *attempt_at_) {
      attempt_at_.reset();
      if (only_preview_ && session_open_)
        open_preview(settings);
      else
        begin(settings);
    }
    look_at_sound(settings);
    // The pictures: whether they come, and when they did for a while, that pauses begin anew.
    if (watched_since_) {
      const int64_t last = timeline_.last_picture();
      const auto since = Clock::time_point(std::chrono::microseconds(last));
      const auto from = last ? std::max(since, *watched_since_) : *watched_since_;
      if (last && since > *watched_since_ + 2s) pause_ = first_pause;
      GstState current = GST_STATE_NULL;
      gst_element_get_state(GST_ELEMENT(bin_), &current, nullptr, 0);
      // A pipeline that pauses, or holds a picture back, says nothing about the camera.
      if (current != GST_STATE_PLAYING || pushing_)
        watched_since_ = Clock::now();
      else if (Clock::now() >
               from + picture_timeout + std::chrono::seconds(last ? 0 : settings.timeout))
        lost({Failure::Reason::silent, "the camera answers, but its preview stands still", 0},
             settings);
    }
  }
  close_preview();
  std::shared_ptr<Session> session;
  {
    const Lock lock(mutex_);
    ++session_number_;
    session = std::exchange(session_, nullptr);
  }
  if (session) session->stop();
}

void Keeper::begin(const Settings& settings) {
  close_preview();
  SessionOptions options;
  options.uri = uri_;
  options.connect_timeout = std::chrono::seconds(settings.timeout);
  // A table is one camera's alone.
  options.may_store_tables = [this] {
    return consent_.allowed(consent::Category::device, consent::Purpose::bind);
  };
  std::shared_ptr<Session> old, session;
  {
    const Lock lock(mutex_);
    const unsigned number = ++session_number_;
    session = std::make_shared<Session>(
        options, [this, number](const Event& event) { session_event(event, number); });
    old = std::exchange(session_, session);
    happened_ = {};
  }
  if (old) old->stop();
  binder_.restart();
  only_preview_ = false;
  post_connection("connecting", {}, {});
  session->start();
}

void Keeper::session_event(const Event& event, unsigned number) {
  {
    const Lock lock(mutex_);
    if (quit_ || number != session_number_) return;
    if (event.kind == Event::Kind::preview_ready) happened_.preview_ready = true;
    if (event.kind == Event::Kind::lens_table) table_ = true;
    if (event.kind == Event::Kind::ended) {
      happened_.session_ended = true;
      happened_.failure = event.failure;
    }
    changed_.notify_all();
  }
  switch (event.kind) {
    case Event::Kind::lens_table: {
      // The profile's name is for a stitcher that does not know tables.
      GstEvent* lens = gst_event_new_sphere_lens(nominal_lens);
      const sphere::BytesRef table(g_bytes_new(event.bytes.data(), event.bytes.size()));
      gst_structure_set(gst_event_writable_structure(lens), "table", G_TYPE_BYTES, table.get(),
                        nullptr);
      timeline_.set_lens(lens);
      binder_.table_came(event.bytes);
      break;
    }
    case Event::Kind::no_lens_table:
      GST_WARNING_OBJECT(bin_, "%s", event.failure->message.c_str());
      break;
    case Event::Kind::notification:
      post_notification(*event.message);
      post_state(state());
      break;
    case Event::Kind::ready:
      post_state(state());
      binder_.camera_ready();
      nudge();
      break;
    default:
      break;
  }
}

void Keeper::open_preview(const Settings& settings) {
  close_preview();
  const std::string name = connection_prefix + std::to_string(++previews_);
  GstElement* rtspsrc = gst_element_factory_make("rtspsrc", name.c_str());
  if (!rtspsrc) {
    GST_ELEMENT_ERROR(bin_, CORE, MISSING_PLUGIN,
                      ("The element 'rtspsrc' is missing; install GStreamer's good plugins."),
                      (nullptr));
    return;
  }
  g_object_set(rtspsrc, "location", uri_.rtsp_url().c_str(), "latency", settings.latency,
               "protocols", settings.protocols, "tcp-timeout",
               static_cast<guint64>(settings.timeout) * 1000000, "teardown-timeout",
               static_cast<guint64>(100 * GST_MSECOND), nullptr);
  g_signal_connect(rtspsrc, "pad-added", G_CALLBACK(pad_added), this);
  g_signal_connect(rtspsrc, "no-more-pads", G_CALLBACK(no_more_pads), this);
  g_signal_connect(rtspsrc, "select-stream", G_CALLBACK(select_stream), this);
  {
    const Lock lock(mutex_);
    watched_rtspsrc_ = rtspsrc;
    happened_.preview_failed = false;
    sound_offered_ = sound_asked_ = false;
  }
  // No muxer is to wait for sound that is not asked for any more.
  if (!sound_.allowed()) sound_.remove();
  rtspsrc_ = rtspsrc;
  gst_bin_add(bin_, rtspsrc);
  watched_since_ = Clock::now();
  gst_element_sync_state_with_parent(rtspsrc);
}

void Keeper::close_preview() {
  watched_since_.reset();
  {
    const Lock lock(mutex_);
    watched_rtspsrc_ = nullptr;
  }
  if (!rtspsrc_) return;
  const sphere::GstRef<GstElement> gone(GST_ELEMENT(gst_object_ref(rtspsrc_)));
  rtspsrc_ = nullptr;
  gst_element_set_locked_state(gone.get(), TRUE);
  gst_element_set_state(gone.get(), GST_STATE_NULL);
  g_signal_handlers_disconnect_by_data(gone.get(), this);
  gst_bin_remove(bin_, gone.get());
}

void Keeper::pad_added(GstElement*, GstPad* pad, gpointer data) {
  auto* self = static_cast<Keeper*>(data);
  const CapsRef caps(gst_pad_query_caps(pad, nullptr));
  const char* media = gst_caps_get_size(caps.get()) && !gst_caps_is_any(caps.get())
                          ? gst_structure_get_string(gst_caps_get_structure(caps.get(), 0), "media")
                          : nullptr;
  if (g_strcmp0(media, "audio") == 0) {
    // Agreed to when it was asked for; the gate knows whether it still is.
    self->sound_.take(pad);
    return;
  }
  const sphere::GstRef<GstPad> sink(gst_element_get_static_pad(self->depayloader_, "sink"));
  if (gst_pad_is_linked(sink.get()) || gst_pad_link(pad, sink.get()) != GST_PAD_LINK_OK) return;
  {
    const Lock lock(self->mutex_);
    ++self->connections_;
  }
  self->post_connection("connected", {}, {});
}

void Keeper::no_more_pads(GstElement*, gpointer data) {
  gst_element_no_more_pads(GST_ELEMENT(static_cast<Keeper*>(data)->bin_));
}

gboolean Keeper::select_stream(GstElement*, guint, GstCaps* caps, gpointer data) {
  auto* self = static_cast<Keeper*>(data);
  const char* media = gst_structure_get_string(gst_caps_get_structure(caps, 0), "media");
  if (g_strcmp0(media, "video") == 0) return TRUE;
  if (g_strcmp0(media, "audio") != 0 || !Sound::understands(caps)) return FALSE;
  // Without consent, sound is not even asked for.
  const bool allowed = self->sound_.ask();
  const Lock lock(self->mutex_);
  self->sound_offered_ = true;
  self->sound_asked_ = self->sound_asked_ || allowed;
  return allowed;
}

void Keeper::nudge() {
  const Lock lock(mutex_);
  happened_.nudged = true;
  changed_.notify_all();
}

void Keeper::look_at_sound(const Settings& settings) {
  {
    const Lock lock(mutex_);
    if (!rtspsrc_ || !sound_offered_ || sound_asked_) return;
  }
  if (!sound_.allowed()) return;
  // The tracks of a connection are chosen when it is made.
  open_preview(settings);
}

void Keeper::look_at_position() {
  std::shared_ptr<Session> session;
  if (session_open_) {
    const Lock lock(mutex_);
    session = session_;
  }
  position_at_ = beacon_.step(session.get());
}

void Keeper::look_at_binding() {
  if (!session_open_) return;
  std::shared_ptr<Session> session;
  {
    const Lock lock(mutex_);
    session = session_;
  }
  if (session) binder_.step(*session);
}

void Keeper::records_with_sound(bool so) {
  records_with_sound_ = so;
  // It may have been taken back while the camera began.
  nudge();
}

/// No command is known that turns the microphone off while the camera records.
void Keeper::look_at_recording() {
  if (!session_open_ || !records_with_sound_) return;
  const consent::Answer answer = consent_.ask(consent::Category::audio, consent::Purpose::record);
  if (answer.allowed || !records_with_sound_.exchange(false)) return;
  std::shared_ptr<Session> session;
  {
    const Lock lock(mutex_);
    session = session_;
  }
  if (!session) return;
  session->request(Request(msg_stop_recording), [this, why = answer.reason](const Reply& reply) {
    // It ended before, by the camera's own button or a full card.
    if (reply.message && reply.message->rval() == rval_invalid_operation) return;
    const bool done = reply.message && reply.message->succeeded();
    GST_ELEMENT_WARNING(bin_, RESOURCE, NOT_AUTHORIZED,
                        ("Sound was taken back while the camera recorded with it. %s",
                         done ? "The recording was ended; a new one is without sound."
                              : "The camera did not end the recording, and may go on with sound."),
                        ("%s", why.c_str()));
  });
}

void Keeper::preview_ended() {
  const Lock lock(mutex_);
  if (!watched_rtspsrc_) return;
  happened_.preview_failed = true;
  changed_.notify_all();
}

bool Keeper::finish() {
  const bool first = timeline_.finish();
  const Lock lock(mutex_);
  happened_.finished = true;
  changed_.notify_all();
  return first;
}

bool Keeper::takes(GstMessage* message) {
  const GstMessageType type = GST_MESSAGE_TYPE(message);
  if (type != GST_MESSAGE_ERROR && type != GST_MESSAGE_WARNING && type != GST_MESSAGE_EOS)
    return false;
  // Which of the bin's children it comes from; nobody's, when that was taken out meanwhile.
  GstRef<GstObject> child(
      GST_MESSAGE_SRC(message) ? GST_OBJECT(gst_object_ref(GST_MESSAGE_SRC(message))) : nullptr);
  while (child) {
    GstRef<GstObject> parent(gst_object_get_parent(child.get()));
    if (parent.get() == GST_OBJECT(bin_)) break;
    child = std::move(parent);
  }
  const GString_ name(child ? gst_object_get_name(child.get()) : nullptr);
  if (name && !g_str_has_prefix(name.get(), connection_prefix)) return false;

  const Lock lock(mutex_);
  // What a connection that is being closed still says is no news.
  if (!child || child.get() != GST_OBJECT(watched_rtspsrc_)) return true;
  if (type == GST_MESSAGE_WARNING) return true;
  happened_.preview_failed = true;
  if (type == GST_MESSAGE_ERROR) {
    g_autoptr(GError) error = nullptr;
    g_autofree char* debug = nullptr;
    gst_message_parse_error(message, &error, &debug);
    // The first says why; what follows is its consequence.
    if (happened_.domain == 0) {
      happened_.domain = error->domain;
      happened_.code = error->code;
      happened_.text = error->message;
      happened_.detail = sphere::to_string(debug);
    }
  }
  changed_.notify_all();
  return true;
}

Failure Keeper::preview_failure(const Happened& happened) const {
  const bool resource = happened.domain == GST_RESOURCE_ERROR;
  // rtspsrc tells a status that has no code of its own in its detail.
  const bool bandwidth = happened.detail.find("453") != std::string::npos ||
                         happened.detail.find("Bandwidth") != std::string::npos;
  if (resource && happened.code == GST_RESOURCE_ERROR_NOT_FOUND)
    return {Failure::Reason::not_there,
            "the camera has no preview at " + uri_.rtsp_url() +
                " (404); is it in USB mode, or another kind of camera?",
            0};
  if (resource && happened.code == GST_RESOURCE_ERROR_NOT_AUTHORIZED)
    return {Failure::Reason::refused,
            "the camera's preview wants a password (401), which a Mi Sphere does not; is it "
            "another kind of camera?",
            0};
  if (bandwidth)
    return {Failure::Reason::held,
            "the camera's preview has no room for another viewer (453); close the other one", 0};
  return {Failure::Reason::gone,
          "the camera's preview broke off" +
              (happened.text.empty() ? std::string() : " (" + happened.text + ")"),
          0};
}

void Keeper::lost(const Failure& failure, const Settings& settings) {
  const bool preview_alone = session_open_;
  close_preview();
  const bool ever = timeline_.pictures() > 0;
  if (!ever || !settings.reconnect) {
    // A first attempt that fails is for a person to hear; so is a loss that is not to be mended.
    // The preview of a camera that just started may be a moment late, but then its answer says so.
    fail(failure);
    attempt_at_.reset();
    return;
  }
  {
    const Lock lock(mutex_);
    ++losses_;
  }
  GST_WARNING_OBJECT(bin_, "%s; trying again", failure.message.c_str());
  only_preview_ = preview_alone;
  attempt_at_ = Clock::now() + pause_;
  post_connection("lost", failure.message, pause_);
  pause_ = std::min(2 * pause_, longest_pause);
}

void Keeper::give_up() {
  failed_ = true;
  attempt_at_.reset();
  // The camera is free for others, whatever the application does now.
  const Lock lock(mutex_);
  if (session_) session_->request_stop();
}

void Keeper::fail(const Failure& failure) {
  // In the middle of a sentence elsewhere, the beginning of one here.
  std::string sentence = failure.message;
  if (!sentence.empty()) sentence[0] = g_ascii_toupper(sentence[0]);
  if (!sentence.ends_with('?')) sentence += '.';
  const char* text = sentence.c_str();
  give_up();
  switch (failure.reason) {
    case Failure::Reason::unreachable:
    case Failure::Reason::not_there:
      GST_ELEMENT_ERROR(bin_, RESOURCE, NOT_FOUND, ("%s", text), (nullptr));
      break;
    case Failure::Reason::held:
      GST_ELEMENT_ERROR(bin_, RESOURCE, BUSY, ("%s", text), (nullptr));
      break;
    case Failure::Reason::refused:
      GST_ELEMENT_ERROR(bin_, RESOURCE, NOT_AUTHORIZED, ("%s", text), (nullptr));
      break;
    case Failure::Reason::broken:
      GST_ELEMENT_ERROR(bin_, STREAM, FORMAT, ("%s", text), (nullptr));
      break;
    case Failure::Reason::silent:
    case Failure::Reason::gone:
      GST_ELEMENT_ERROR(bin_, RESOURCE, READ, ("%s", text), (nullptr));
      break;
    case Failure::Reason::stopped:
      break;
  }
}

// --- messages --------------------------------------------------------------------------------

void Keeper::post_connection(const char* state, const std::string& reason, Clock::duration pause) {
  GstStructure* s = gst_structure_new("sphere-connection", "state", G_TYPE_STRING, state, nullptr);
  if (!reason.empty())
    gst_structure_set(
        s, "reason", G_TYPE_STRING, reason.c_str(), "pause", G_TYPE_UINT64,
        static_cast<guint64>(std::chrono::duration_cast<std::chrono::nanoseconds>(pause).count()),
        nullptr);
  gst_element_post_message(GST_ELEMENT(bin_), gst_message_new_element(GST_OBJECT(bin_), s));
}

void Keeper::post_state(const CameraState& state) {
  GstStructure* s = gst_structure_new(
      "sphere-camera", "working-mode", G_TYPE_STRING,
      std::string(working_mode_name(state.working_mode.value_or(-1))).c_str(), "recording",
      G_TYPE_BOOLEAN, state.is_recording(), "card", G_TYPE_STRING, card_name(state.card), nullptr);
  if (state.battery_percent)
    gst_structure_set(s, "battery", G_TYPE_INT, *state.battery_percent, "charging", G_TYPE_BOOLEAN,
                      state.charging, nullptr);
  if (state.mode)
    gst_structure_set(s, "mode", G_TYPE_STRING, *state.mode == 1 ? "photo" : "video", nullptr);
  if (state.card_full) gst_structure_set(s, "card-full", G_TYPE_INT, *state.card_full, nullptr);
  if (state.photos_left)
    gst_structure_set(s, "photos-left", G_TYPE_INT64, *state.photos_left, nullptr);
  if (state.video_seconds_left)
    gst_structure_set(s, "video-seconds-left", G_TYPE_INT64, *state.video_seconds_left, nullptr);
  gst_element_post_message(GST_ELEMENT(bin_), gst_message_new_element(GST_OBJECT(bin_), s));
}

void Keeper::post_notification(const Message& message) {
  const Command* command = find_command(message.id());
  GstStructure* s = gst_structure_new("sphere-notification", "id", G_TYPE_INT, message.id(), "name",
                                      G_TYPE_STRING, command ? command->name : "", nullptr);
  // No more than these: a message of a kind that is not known may have secrets in it.
  const bool saved = message.id() == msg_photo_saved || message.id() == msg_video_saved ||
                     message.id() == msg_segment_saved;
  if (saved && message.param_text())
    gst_structure_set(s, "path", G_TYPE_STRING, unix_path(*message.param_text()).c_str(), nullptr);
  gst_element_post_message(GST_ELEMENT(bin_), gst_message_new_element(GST_OBJECT(bin_), s));
}

CameraState Keeper::state() {
  std::shared_ptr<Session> session;
  {
    const Lock lock(mutex_);
    session = session_;
  }
  return session ? session->state() : CameraState();
}

Result<std::shared_ptr<const Message>> Keeper::call(Request request) {
  std::shared_ptr<Session> session;
  {
    const Lock lock(mutex_);
    session = session_;
  }
  if (!session) return sphere::failed("the camera is not connected");
  return session->call(std::move(request));
}

GstStructure* Keeper::stats() {
  const Lock lock(mutex_);
  return gst_structure_new("application/x-sphere-camera-stats", "pictures", G_TYPE_UINT64,
                           timeline_.pictures(), "connections", G_TYPE_INT, connections_, "losses",
                           G_TYPE_INT, losses_, "lens-table", G_TYPE_BOOLEAN, table_, nullptr);
}

}  // namespace sphere::camera
