// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/camera/connection.h"

#include <algorithm>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "gst/sphere/lens/gstspherelens.h"
#include "plugins/camera/bus_messages.h"

GST_DEBUG_CATEGORY_EXTERN(spherecamsrc_debug);
#define GST_CAT_DEFAULT spherecamsrc_debug

namespace sphere::camera {

using namespace std::chrono_literals;
using Input = ConnectionInput;
using Action = ConnectionAction;
using Reason = hw::Failure::Reason;

namespace {

// The prefix of the names of preview elements.
constexpr const char* preview_prefix = "connection";

// A change of the ledger by another process is noticed within this time.
constexpr Duration consent_interval = 500ms;
// If the preview is lost within this time after a warning, the warning is part of the loss.
constexpr Duration warning_delay = 500ms;

Time now() { return Time(g_get_monotonic_time()); }

bool is_working(ConnectionState state) {
  return state != ConnectionState::stopped && state != ConnectionState::ended;
}

hw::Failure broken_off(std::string_view detail = {}) {
  return {Reason::gone,
          "the camera's preview was interrupted; check that the camera is on, and that this "
          "machine is in reach of its Wi-Fi",
          detail};
}

}  // namespace

CameraConnection::CameraConnection(GstBin* bin, GstPad* pictures, GstPad* source)
    : bin_(bin),
      pictures_(pictures ? GST_PAD(gst_object_ref(pictures)) : nullptr),
      splicer_(source, {.ended =
                            [this] {
                              put(PreviewInput{0, {Input::Kind::preview_lost, broken_off()}});
                            },
                        .first_picture =
                            [this] {
                              put(PreviewInput{0, {Input::Kind::picture, {}}});
                            }}),
      audio_(bin, consent_),
      position_(GST_ELEMENT(bin), consent_),
      binding_(GST_ELEMENT(bin), consent_) {
  consent_.on_change([this] {
    audio_.pass_consent();
    consent_changed();
  });
}

// --- start and stop --------------------------------------------------------------------------

bool CameraConnection::start() {
  used_ = settings_.get();
  const ObjectRef<GstSphereCamera> given = camera_property_.get();
  Status status = ok();
  if (!given) {
    const Result<const hw::CameraFamily*> family = hw::find_family(used_.location);
    status = family ? (*family)->check_location(used_.location) : family.error();
  }
  Result<Target> target = status ? find_target(given ? std::string() : used_.location, given.get(),
                                               std::chrono::seconds(used_.timeout))
                                 : status.error();
  if (!target) {
    post_settings_error(GST_ELEMENT(bin_), target.error().message);
    return false;
  }
  const std::shared_ptr<hw::CameraClient> client = target->client;
  family_ = &client->family();
  const GstRef<GstElement> filter(gst_pad_get_parent_element(pictures_.get()));
  const CapsRef caps(gst_caps_from_string(family_->video_caps));
  g_object_set(filter.get(), "caps", caps.get(), nullptr);
  splicer_.set_lens(gst_event_new_sphere_lens(family_->lens));
  const GString_ id(gst_pad_create_stream_id(GST_PAD(GST_ELEMENT(bin_)->srcpads->data),
                                             GST_ELEMENT(bin_), nullptr));
  const guint group = gst_util_group_id_next();
  splicer_.restart(id.get(), group);
  audio_.restart(group);
  position_.restart();
  recording_has_sound_ = sound_.offered = sound_.asked_for = counts_.lens_table = false;
  pads_changed_ = true;
  missing_table_told_ = false;
  counts_.connections = counts_.losses = 0;
  counts_.packets = counts_.lost_packets = 0;
  position_due_.reset();
  warning_.reset();
  const hw::CameraStats before = client->stats();
  {
    const Lock lock(mutex_);
    events_.clear();
    quit_ = false;
    client_ = client;
    stats_before_ = before;
    last_stats_ = {};
  }
  core_.start(core_settings(), now());
  thread_ = std::thread([this] { run(); });
  return true;
}

void CameraConnection::stop() {
  std::shared_ptr<hw::CameraClient> client;
  {
    const Lock lock(mutex_);
    quit_ = true;
    client = client_;
    changed_.notify_all();
  }
  calls_.cancel();
  // The connection is ended at the same time as the preview.
  if (client && thread_.joinable()) client->release(this);
  if (thread_.joinable()) thread_.join();
  audio_.remove();
  if (!client) return;
  hw::CameraStats commands = client->stats();
  const Lock lock(mutex_);
  commands -= stats_before_;
  last_stats_ = commands;
  // The next start may be with another camera, or other settings.
  client_.reset();
}

void CameraConnection::set_playing(bool playing) { put(PlayingChanged{playing}); }

void CameraConnection::consent_changed() { put(CheckAgain{}); }

bool CameraConnection::finish() {
  const bool first = splicer_.finish();
  if (first) put(Finished{});
  return first;
}

bool CameraConnection::end() { return put(EndWanted{}); }

// --- the thread ------------------------------------------------------------------------------

bool CameraConnection::put(Event event) {
  const Lock lock(mutex_);
  if (quit_) return false;
  // Only the newest preview streams, because the earlier one was stopped first.
  if (auto* saw = std::get_if<PreviewInput>(&event); saw && saw->number == 0)
    saw->number = preview_number_;
  events_.push_back(std::move(event));
  changed_.notify_all();
  return true;
}

std::optional<Time> CameraConnection::next_wake_up() {
  if (!is_working(core_.state())) return std::nullopt;
  Time next = now() + consent_interval;
  for (const std::optional<Time>& at :
       {core_.deadline(), position_due_, warning_ ? std::optional(warning_->due) : std::nullopt})
    if (at) next = std::min(next, *at);
  return next;
}

void CameraConnection::run() {
  for (;;) {
    perform_actions();
    const std::optional<Time> wake_up = next_wake_up();
    std::vector<Event> events;
    {
      const Lock lock(mutex_);
      while (!quit_ && events_.empty()) {
        if (!wake_up) {
          changed_.wait(mutex_);
          continue;
        }
        const Duration left = *wake_up - now();
        if (left <= Duration::zero()) break;
        changed_.wait_for(mutex_, left);
      }
      if (quit_) break;
      events.swap(events_);
    }
    ++counts_.wake_ups;
    used_.reconnect = settings_.get().reconnect;
    core_.set_settings(core_settings());
    observe();
    const ConnectionState before = core_.state();
    for (Event& event : events) handle(event);
    core_.advance(now());
    if (core_.state() != before)
      GST_INFO_OBJECT(bin_, "%s -> %s", name_of(before), name_of(core_.state()));
    if (!is_working(core_.state())) continue;
    std::shared_ptr<hw::Camera> open = core_.is_control_open() ? camera() : nullptr;
    position_due_ = position_.update(open.get(), now());
    if (open) binding_.update(*family_, *open);
    update_recording();
    update_sound();
    update_warning(now());
  }
  core_.stop();
  (void)core_.take_actions();
  close_preview();
  closer_.finish();
  close_camera();
  client()->wait_until_free();
}

void CameraConnection::handle(Event& event) {
  if (auto* saw = std::get_if<CameraInput>(&event)) {
    {
      const Lock lock(mutex_);
      if (saw->number != camera_number_) return;
    }
    core_.handle(saw->input, now());
  } else if (auto* preview_saw = std::get_if<PreviewInput>(&event)) {
    {
      const Lock lock(mutex_);
      if (preview_saw->number != preview_number_ || !preview_) return;
    }
    core_.handle(preview_saw->input, now());
  } else if (auto* warned = std::get_if<PreviewWarning>(&event)) {
    {
      const Lock lock(mutex_);
      if (warned->number != preview_number_) return;
    }
    warning_ = std::move(warned->warning);
    warning_->due = now() + warning_delay;
  } else if (std::holds_alternative<Finished>(event) || std::holds_alternative<EndWanted>(event)) {
    if (std::holds_alternative<EndWanted>(event) && splicer_.finish()) splicer_.push_end();
    core_.finish();
    // An EOS, for elements that wait for the end of the sound.
    audio_.remove();
  } else if (auto* changed = std::get_if<PlayingChanged>(&event)) {
    core_.set_playing(changed->playing, now());
  }
  // The actions of an event are done before the next event is read.
  perform_actions();
}

void CameraConnection::perform_actions() {
  // Before they are told, so that who hears of a change finds it counted.
  counts_.connections = core_.connections();
  counts_.losses = core_.losses();
  for (ConnectionAction& action : core_.take_actions()) perform(action);
}

void CameraConnection::observe() {
  Pictures pictures;
  if (const int64_t last = splicer_.last_picture()) pictures.last = Time(last);
  pictures.held = pushing_;
  std::shared_ptr<hw::Preview> preview;
  {
    const Lock lock(mutex_);
    preview = preview_;
  }
  if (preview)
    if (const auto packets = preview->packets()) {
      pictures.packets_arrived = packets->arrived;
      pictures.packets_lost = packets->lost;
    }
  core_.observe(pictures);
}

ConnectionSettings CameraConnection::core_settings() const {
  const bool udp = used_.protocols & (GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_UDP_MCAST);
  return {.timeout = std::chrono::seconds(used_.timeout),
          .reconnect = used_.reconnect,
          .udp_then_tcp = udp && (used_.protocols & GST_RTSP_LOWER_TRANS_TCP)};
}

void CameraConnection::perform(ConnectionAction& action) {
  GstElement* element = GST_ELEMENT(bin_);
  switch (action.kind) {
    case Action::Kind::open_control:
      open_camera();
      break;
    case Action::Kind::close_control:
      close_camera();
      break;
    case Action::Kind::open_preview:
      open_preview(action.tcp_only);
      break;
    case Action::Kind::close_preview:
      close_preview();
      break;
    case Action::Kind::report:
      post_connection(element, action.state, action.text, action.pause);
      break;
    case Action::Kind::warn:
      add_warning(action.failure);
      GST_WARNING_OBJECT(bin_, "%s", printable(action.failure.message).c_str());
      post_warning(element, action.failure, action.text);
      break;
    case Action::Kind::inform:
      post_info(element, action.text);
      break;
    case Action::Kind::give_up:
      add_warning(action.failure);
      post_failure(element, action.failure);
      break;
  }
}

// --- the camera ------------------------------------------------------------------------------

void CameraConnection::open_camera() {
  close_camera();
  const std::shared_ptr<hw::CameraClient> client = this->client();
  // The end of an earlier connection is not told to the next listener.
  client->wait_until_free();
  binding_.restart();
  unsigned number = 0;
  {
    const Lock lock(mutex_);
    if (quit_) return;
    number = ++camera_number_;
  }
  // Each camera has a table of its own.
  client->hold(
      this, [this] { return consent_.allowed(consent::Category::device, consent::Purpose::bind); });
  // There may be a connection already, whose events are told again.
  listener_ = client->join_listeners(
      [this, number](const hw::CameraEvent& event) { camera_event(event, number); });
  client->connect(nullptr);
}

void CameraConnection::close_camera() {
  {
    const Lock lock(mutex_);
    ++camera_number_;
  }
  const std::shared_ptr<hw::CameraClient> client = this->client();
  if (const std::optional<unsigned> listener = std::exchange(listener_, std::nullopt))
    client->remove_listener(*listener);
  // If nobody else needs the connection, its end is waited for when the next one is made.
  client->release(this);
}

void CameraConnection::camera_event(const hw::CameraEvent& event, unsigned number) {
  {
    const Lock lock(mutex_);
    if (quit_ || number != camera_number_) return;
  }
  const std::shared_ptr<hw::Camera> camera = this->camera();
  using Kind = hw::CameraEvent::Kind;
  switch (event.kind) {
    case Kind::preview_ready:
      put(CameraInput{number, {Input::Kind::control_ready, {}}});
      break;
    case Kind::ended:
      put(CameraInput{
          number,
          {Input::Kind::control_lost,
           event.failure.value_or(hw::Failure{Reason::gone, "the camera was disconnected", {}})}});
      break;
    case Kind::lens_table: {
      // The profile's name is for a stitcher that does not know tables.
      GstEvent* lens = gst_event_new_sphere_lens(family_->lens);
      const BytesRef table(g_bytes_new(event.bytes.data(), event.bytes.size()));
      gst_structure_set(gst_event_writable_structure(lens), "table", G_TYPE_BYTES, table.get(),
                        nullptr);
      splicer_.set_lens(lens);
      counts_.lens_table = true;
      binding_.set_lens_table(event.bytes);
      // For the binding.
      put(CheckAgain{});
      break;
    }
    case Kind::no_lens_table:
      if (event.failure) tell_missing_table(*event.failure);
      binding_.set_no_lens_table();
      put(CheckAgain{});
      break;
    case Kind::notification:
      post_notification(GST_ELEMENT(bin_), event);
      if (camera) post_state(GST_ELEMENT(bin_), camera->state());
      break;
    case Kind::ready:
      if (camera) post_state(GST_ELEMENT(bin_), camera->state());
      binding_.set_camera_ready();
      consent_changed();
      break;
  }
}

void CameraConnection::tell_missing_table(const hw::Failure& failure) {
  GST_WARNING_OBJECT(bin_, "%s", printable(failure.message).c_str());
  // A camera that has none is no fault, and the table of an earlier connection is still used.
  if (failure.reason == Reason::missing || counts_.lens_table || missing_table_told_.exchange(true))
    return;
  post_info(GST_ELEMENT(bin_), failure.message + "; pictures are stitched with the usual lens '" +
                                   family_->lens +
                                   "', which fits less well than the camera's own table. It is "
                                   "tried again with the next connection");
}

std::shared_ptr<hw::CameraClient> CameraConnection::client() {
  const Lock lock(mutex_);
  return client_;
}

std::shared_ptr<hw::Camera> CameraConnection::camera() {
  const std::shared_ptr<hw::CameraClient> client = this->client();
  return client ? client->camera() : nullptr;
}

// --- the preview -----------------------------------------------------------------------------

void CameraConnection::open_preview(bool tcp_only) {
  close_preview();
  const std::shared_ptr<hw::Camera> camera = this->camera();
  if (!camera) return;
  unsigned number = 0;
  {
    const Lock lock(mutex_);
    number = ++preview_number_;
  }
  sound_.offered = sound_.asked_for = false;
  // A muxer must not wait for sound that is not requested any more.
  if (!audio_.allowed()) audio_.remove();
  splicer_.expect_connection();

  hw::PreviewOptions options;
  const int protocols = tcp_only ? GST_RTSP_LOWER_TRANS_TCP : used_.protocols;
  options.transports = {.udp = (protocols & GST_RTSP_LOWER_TRANS_UDP) != 0,
                        .udp_multicast = (protocols & GST_RTSP_LOWER_TRANS_UDP_MCAST) != 0,
                        .tcp = (protocols & GST_RTSP_LOWER_TRANS_TCP) != 0};
  options.latency_ms = used_.latency;
  // Only what ConnectionCore's own budget does not end: it knows better what was waited for.
  options.timeout = std::chrono::seconds(used_.timeout) + 1s;
  options.sound_offered = [this] {
    const bool allowed = audio_.allowed_to_ask();
    sound_.offered = true;
    if (allowed) sound_.asked_for = true;
    return allowed;
  };
  options.requested = [this, number] {
    put(PreviewInput{number, {Input::Kind::preview_requested, {}}});
  };
  options.stream_added = [this, number](GstPad* pad, bool is_sound, const std::string& codec) {
    stream_added(pad, is_sound, codec, number);
  };
  options.all_streams_added = [this] { all_streams_added(); };
  const std::string name = preview_prefix + std::to_string(number);
  const std::shared_ptr<hw::Preview> preview =
      camera->make_preview(std::move(options), name.c_str());
  {
    const Lock lock(mutex_);
    preview_ = preview;
  }
  if (!preview) {
    put(PreviewInput{
        number,
        {Input::Kind::preview_lost,
         {Reason::missing,
          "an element for the camera's preview is missing; install GStreamer's good and "
          "bad plugins",
          {}}}});
    return;
  }
  gst_bin_add(bin_, preview->element());
  preview->announce_streams();
  gst_element_sync_state_with_parent(preview->element());
}

void CameraConnection::close_preview() {
  std::shared_ptr<hw::Preview> gone;
  {
    const Lock lock(mutex_);
    ++preview_number_;
    gone = std::exchange(preview_, nullptr);
  }
  if (!gone) return;
  closer_.close(bin_, gone);
  count_packets(*gone);
}

/// Adds those of a preview that is closed.
void CameraConnection::count_packets(const hw::Preview& preview) {
  const auto packets = preview.packets();
  if (!packets) return;
  counts_.packets += packets->arrived;
  counts_.lost_packets += packets->lost;
}

void CameraConnection::stream_added(GstPad* pad, bool is_sound, const std::string& codec,
                                    unsigned number) {
  {
    const Lock lock(mutex_);
    if (number != preview_number_) return;  // of a preview that is being closed
  }
  if (is_sound) {
    // It was allowed when it was requested; the gate checks whether it still is.
    if (audio_.link(pad, codec) == AudioBranch::Linked::to_new_pad) pads_changed_ = true;
    return;
  }
  if (gst_pad_is_linked(pictures_.get())) return;
  if (const GstPadLinkReturn linked = gst_pad_link(pad, pictures_.get());
      GST_PAD_LINK_FAILED(linked))
    put(PreviewInput{number,
                     {Input::Kind::preview_lost,
                      {Reason::broken,
                       "the camera's preview comes as " + printable(codec, 40) +
                           ", but this kind of camera sends another format",
                       gst_pad_link_get_name(linked)}}});
}

/// Once for each change of the pads, not for each connection.
void CameraConnection::all_streams_added() {
  if (pads_changed_.exchange(false)) gst_element_no_more_pads(GST_ELEMENT(bin_));
}

bool CameraConnection::takes(GstMessage* message) {
  const GstMessageType type = GST_MESSAGE_TYPE(message);
  if (type != GST_MESSAGE_ERROR && type != GST_MESSAGE_WARNING && type != GST_MESSAGE_EOS)
    return false;
  // The child of the bin that it comes from; null if that was removed meanwhile.
  GstRef<GstObject> child(
      GST_MESSAGE_SRC(message) ? GST_OBJECT(gst_object_ref(GST_MESSAGE_SRC(message))) : nullptr);
  while (child) {
    GstRef<GstObject> parent(gst_object_get_parent(child.get()));
    if (parent.get() == GST_OBJECT(bin_)) break;
    child = std::move(parent);
  }
  const GString_ name(child ? gst_object_get_name(child.get()) : nullptr);
  if (name && !g_str_has_prefix(name.get(), preview_prefix)) return false;

  std::shared_ptr<hw::Preview> preview;
  unsigned number = 0;
  {
    const Lock lock(mutex_);
    preview = preview_;
    number = preview_number_;
  }
  // Messages of a preview that is being closed are ignored.
  if (!child || !preview || child.get() != GST_OBJECT(preview->element())) return true;
  g_autoptr(GError) error = nullptr;
  g_autofree char* debug = nullptr;
  switch (type) {
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning(message, &error, &debug);
      put(PreviewWarning{number,
                         {error->domain, error->code, printable(error->message, 500),
                          printable(to_string(debug), 1000)}});
      break;
    case GST_MESSAGE_ERROR:
      gst_message_parse_error(message, &error, &debug);
      put(PreviewInput{number, {Input::Kind::preview_lost, preview->failure_of(error, debug)}});
      break;
    default:
      put(PreviewInput{number, {Input::Kind::preview_lost, broken_off()}});
      break;
  }
  return true;
}

void CameraConnection::update_warning(Time now) {
  if (!warning_ || now < warning_->due) return;
  const Warning told = *std::exchange(warning_, std::nullopt);
  post_preview_warning(GST_ELEMENT(bin_), told.domain, told.code, told.text, told.detail);
}

void CameraConnection::add_warning(hw::Failure& failure) {
  const std::optional<Warning> last = std::exchange(warning_, std::nullopt);
  if (last)
    failure.detail +=
        (failure.detail.empty() ? "" : "; before it: ") + last->text + " " + last->detail;
}

// --- what consent changes --------------------------------------------------------------------

void CameraConnection::update_sound() {
  if (!sound_.offered || sound_.asked_for || !audio_.allowed()) return;
  // The streams of a preview are chosen when it is opened.
  core_.handle({Input::Kind::sound_wanted, {}}, now());
}

/// No command is known that turns the microphone off while the camera records.
void CameraConnection::update_recording() {
  if (!recording_has_sound_ || !core_.is_control_open()) return;
  const consent::Answer answer = consent_.ask(consent::Category::audio, consent::Purpose::record);
  if (answer.allowed || !recording_has_sound_.exchange(false)) return;
  const std::shared_ptr<hw::Camera> camera = this->camera();
  if (!camera) return;
  camera->stop([this, why = printable(answer.reason)](const hw::Camera::Answer& reply) {
    // The recording has already ended, because of the camera's button or a full card.
    if (reply.was_idle) return;
    GST_ELEMENT_WARNING(
        bin_, RESOURCE, NOT_AUTHORIZED,
        ("Consent to sound was withdrawn while the camera recorded with sound. %s",
         reply.done ? "The recording was ended. A new recording will be without sound."
                    : "The camera did not end the recording and may still record sound; stop it on "
                      "the camera."),
        ("%s", why.c_str()));
  });
}

// --- commands --------------------------------------------------------------------------------

hw::Camera::Answer CameraConnection::call(const PendingCalls::Command& command) {
  bool quit = false;
  {
    const Lock lock(mutex_);
    quit = quit_;
  }
  const std::shared_ptr<hw::Camera> camera = quit ? nullptr : this->camera();
  if (!camera) return {.failure = {Reason::stopped, "the camera is not connected", {}}};
  return calls_.call(*camera, command, std::chrono::seconds(settings_.get().timeout));
}

hw::Camera::Answer CameraConnection::take_photo() {
  return call([](hw::Camera& camera, hw::Camera::Handler handler) {
    camera.take_photo({}, std::move(handler));
  });
}

hw::Camera::Answer CameraConnection::start_recording() {
  const auto given = [this] {
    return consent_.ask(consent::Category::audio, consent::Purpose::record);
  };
  const consent::Answer sound = given();
  GST_INFO_OBJECT(bin_, "recording %s sound: %s", sound.allowed ? "with" : "without",
                  printable(sound.reason).c_str());
  hw::Camera::Wanted wanted;
  // Consent may be withdrawn while the command is queued.
  if (sound.allowed) wanted = [given] { return given().allowed; };
  const hw::Camera::Answer answer = call([&](hw::Camera& camera, hw::Camera::Handler handler) {
    // Also if the caller does not wait for the answer any more: the camera may record with sound.
    camera.start_recording({.with_sound = sound.allowed}, wanted,
                           [this, with_sound = sound.allowed,
                            handler = std::move(handler)](const hw::Camera::Answer& reply) {
                             if (reply.done && with_sound) recording_has_sound_ = true;
                             handler(reply);
                           });
  });
  // Consent may have been withdrawn while the camera started to record.
  if (answer.done) consent_changed();
  return answer;
}

hw::Camera::Answer CameraConnection::stop_recording() {
  const hw::Camera::Answer answer = call(
      [](hw::Camera& camera, hw::Camera::Handler handler) { camera.stop(std::move(handler)); });
  if (answer.done) recording_has_sound_ = false;
  return answer;
}

/// Nothing in it identifies a camera: it may be sent to somebody who searches for an error.
GstStructure* CameraConnection::stats() {
  std::shared_ptr<hw::CameraClient> client;
  std::shared_ptr<hw::Preview> preview;
  hw::CameraStats commands;
  hw::CameraStats before;
  {
    const Lock lock(mutex_);
    client = client_;
    preview = preview_;
    before = stats_before_;
    commands = last_stats_;
  }
  if (client) {
    commands = client->stats();
    commands -= before;
  }
  uint64_t packets = counts_.packets, lost = counts_.lost_packets;
  if (preview)
    if (const auto now = preview->packets()) {
      packets += now->arrived;
      lost += now->lost;
    }
  const int connections = counts_.connections;
  GstStructure* durations = gst_structure_new_empty("application/x-sphere-durations");
  for (size_t i = 0; i < commands.durations.size(); ++i) {
    const std::string name = i < hw::CameraStats::limits_ms.size()
                                 ? "up-to-" + std::to_string(hw::CameraStats::limits_ms[i]) + "-ms"
                                 : "longer";
    gst_structure_set(durations, name.c_str(), G_TYPE_UINT64,
                      static_cast<guint64>(commands.durations[i]), nullptr);
  }
  GstStructure* all = gst_structure_new(
      "application/x-sphere-camera-stats", "pictures", G_TYPE_UINT64,
      static_cast<guint64>(splicer_.pictures()), "bytes", G_TYPE_UINT64,
      static_cast<guint64>(splicer_.bytes()), "packets", G_TYPE_UINT64,
      static_cast<guint64>(packets), "lost-packets", G_TYPE_UINT64, static_cast<guint64>(lost),
      "connections", G_TYPE_INT, connections, "reconnects", G_TYPE_INT,
      std::max(connections - 1, 0), "losses", G_TYPE_INT, counts_.losses.load(), "requests",
      G_TYPE_UINT64, static_cast<guint64>(commands.requests), "errors", G_TYPE_UINT64,
      static_cast<guint64>(commands.errors), "lens-table", G_TYPE_BOOLEAN,
      counts_.lens_table.load(), "wake-ups", G_TYPE_UINT64, static_cast<guint64>(counts_.wake_ups),
      nullptr);
  gst_structure_set(all, "durations", GST_TYPE_STRUCTURE, durations, nullptr);
  gst_structure_free(durations);
  return all;
}

}  // namespace sphere::camera
