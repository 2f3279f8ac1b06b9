// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/session.h"

#include <algorithm>
#include <utility>

namespace sphere::live {

namespace {

constexpr int64_t second = G_USEC_PER_SEC;
constexpr int64_t adapt_interval = second / 4;
// How long the outputs wait for a camera's sound after its first picture.
constexpr int64_t longest_wait_for_sound = 3 * second / 2;
// Longer than an output may take to end.
constexpr int64_t longest_finish = 2 * second + static_cast<int64_t>(end_timeout / 1000);
constexpr int64_t rate_window = 2 * second;
constexpr int check_interval_ms = 50;
constexpr double default_fps = 30;

std::string plain_text(GstMessage* message) {
  g_autoptr(GError) error = nullptr;
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error(message, &error, nullptr);
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning(message, &error, nullptr);
      break;
    case GST_MESSAGE_INFO:
      gst_message_parse_info(message, &error, nullptr);
      break;
    default:
      break;
  }
  return printable(error ? error->message : "", Error::max_message);
}

bool wants_encoding(const OutputNeeds& needs) { return needs.video != VideoForm::raw; }

}  // namespace

Result<std::unique_ptr<Session>> Session::make(const SessionOptions& options) {
  std::unique_ptr<Session> made(new Session(options));
  if (const Status built = made->build(); !built) return built.error();
  return made;
}

Session::~Session() {
  // The appsinks hand over to the feeds, so they have to be stopped before these are destroyed.
  if (pipeline_) {
    gst_bus_set_flushing(bus_.get(), TRUE);
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  sinks_.clear();
}

void Session::say(std::string sentence) {
  // The list has a limit, because a camera may repeat its failures for hours.
  if (reports_.size() < 100) reports_.push_back(std::move(sentence));
}

std::vector<std::string> Session::take_reports() { return std::exchange(reports_, {}); }

Status Session::build() {
  if (options_.targets.empty()) return invalid("say where the stream goes, with --to or --show");
  pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new("live"))));
  bus_.reset(gst_element_get_bus(pipeline_.get()));
  if (const Status built = build_outputs(); !built) return built;

  SourceOptions source = options_.source;
  for (const auto& sink : sinks_)
    if (const int most = sink->runner->needs().max_width; most > 0 && !source.width)
      source.most_width = std::min(source.most_width, most);
  source.known = [this](int width, double fps) { know_stream(width, fps); };
  if (const Status built = build_encodings(); !built) return built;
  auto made = Source::make(source, GST_BIN(pipeline_.get()));
  if (!made) return made.error();
  source_ = std::move(*made);

  for (const Group& group : groups_)
    if (!gst_element_link(source_->pictures(), group.encoding->element()))
      return failed("the encoder can't be linked");
  for (const auto& sink : sinks_) {
    GstElement* tee = source_->pictures();
    for (const Group& group : groups_)
      if (wants_encoding(sink->runner->needs()) && group.form == sink->runner->needs().video &&
          (group.max_width == 0 || group.max_width == sink->runner->needs().max_width))
        tee = group.tee;
    if (const Status attached = attach(sink.get(), tee); !attached) return attached;
  }
  return ok();
}

Status Session::build_outputs() {
  for (const SessionTarget& asked : options_.targets) {
    auto output = make_output(asked.target);
    if (!output)
      return Error(output.error().kind, asked.target.shown + ": " + output.error().message);
    auto sink = std::make_unique<Sink>();
    sink->asked = asked;
    sink->runner = std::make_unique<Runner>(asked.target, std::move(*output));
    sink->branch = std::make_unique<Branch>(sink->runner->needs(), asked.consent);
    sink->consent = std::make_unique<consent::Consent>();
    const auto& of_sound = asked.consent.sound ? asked.consent.sound : asked.consent.caps;
    if (of_sound) {
      const CapsRef caps(gst_caps_from_string(of_sound->c_str()));
      sink->consent->set_caps(caps.get());
    }
    // A ledger that can't be opened denies everything, and the gates say so.
    if (asked.consent.ledger && !asked.consent.sound)
      (void)sink->consent->set_ledger(*asked.consent.ledger);
    if (asked.withdrawals)
      sink->withdrawals = std::make_unique<WithdrawalWatch>(*asked.withdrawals);
    sinks_.push_back(std::move(sink));
  }
  return ok();
}

Status Session::build_encodings() {
  const int width = options_.source.width;
  for (const auto& sink : sinks_) {
    const OutputNeeds& needs = sink->runner->needs();
    if (!wants_encoding(needs)) continue;
    // If the stream is not wider than the limit, it needs no encoding of its own. Without --size it
    // is never wider.
    const int limit = width && needs.max_width && needs.max_width < width ? needs.max_width : 0;
    auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& one) {
      return one.form == needs.video && one.max_width == limit;
    });
    if (group == groups_.end()) {
      groups_.push_back({needs.video, limit, needs.profile, needs.key_interval, nullptr, nullptr});
      continue;
    }
    group->profile = std::min(group->profile, needs.profile);
    group->key_interval = std::min(group->key_interval, needs.key_interval);
  }
  // Encodings with a limit come last, and build() searches from the end.
  std::sort(groups_.begin(), groups_.end(),
            [](const Group& a, const Group& b) { return a.max_width < b.max_width; });
  const double fps = options_.source.fps > 0 ? options_.source.fps : default_fps;
  for (Group& group : groups_) {
    const auto encoder = choose_encoder(options_.encoder, group.form);
    if (!encoder) return encoder.error();
    encoder_ = (*encoder)->name;
    auto encoding = Encoding::make({.form = group.form,
                                    .profile = group.profile,
                                    .encoder = *encoder,
                                    .bitrate = options_.bitrate ? options_.bitrate : 4000,
                                    .key_interval = group.key_interval,
                                    .fps = fps,
                                    .max_width = group.max_width});
    if (!encoding) return encoding.error();
    group.encoding = std::move(*encoding);
    group.tee = gst_element_factory_make("tee", nullptr);
    if (!group.tee) return missing_element("tee");
    g_object_set(group.tee, "allow-not-linked", TRUE, nullptr);
    gst_bin_add_many(GST_BIN(pipeline_.get()), group.encoding->element(), group.tee, nullptr);
    if (!gst_element_link(group.encoding->element(), group.tee))
      return failed("the encoder can't be linked");
  }
  return ok();
}

Status Session::attach(Sink* sink, GstElement* tee) {
  auto video = sink->branch->make_video(&sink->runner->feed(), [this] { source_ended_ = true; });
  if (!video) return video.error();
  gst_bin_add(GST_BIN(pipeline_.get()), *video);
  if (!gst_element_link(tee, *video)) return failed("the gates of an output can't be linked");
  if (sink->runner->needs().audio == AudioForm::none) return ok();
  const auto gates = sink->branch->make_sound_gates();
  if (!gates) return gates.error();
  gst_bin_add(GST_BIN(pipeline_.get()), *gates);
  const auto audio = sink->branch->make_audio(&sink->runner->feed());
  if (!audio) return audio.error();
  gst_bin_add(GST_BIN(pipeline_.get()), *audio);
  if (!gst_element_link_many(source_->sound(), *gates, *audio, nullptr))
    return failed("the gate of an output's sound can't be linked");
  return ok();
}

void Session::know_stream(int width, double fps) {
  // In the thread of the pictures, before the encoders see the first one.
  const int bitrate = options_.bitrate ? options_.bitrate : default_bitrate(width, width / 2, fps);
  asked_bitrate_ = bitrate;
  for (const Group& group : groups_) {
    group.encoding->set_bitrate(group.max_width && !options_.bitrate
                                    ? default_bitrate(group.max_width, group.max_width / 2, fps)
                                    : bitrate);
    group.encoding->set_fps(fps);
  }
}

Status Session::start() {
  const GstRef<GstClock> clock(gst_system_clock_obtain());
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock.get());
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
    return ok();
  const MessageRef message(gst_bus_timed_pop_filtered(bus_.get(), 0, GST_MESSAGE_ERROR));
  if (!message) return failed("the source can't be started");
  const std::string explained = source_->explain(message.get());
  return failed(explained.empty() ? plain_text(message.get()) : explained);
}

void Session::take_message(GstMessage* message) {
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      if (problem_.empty()) problem_ = source_->explain(message);
      if (problem_.empty()) problem_ = plain_text(message);
      source_ended_ = true;
      break;
    case GST_MESSAGE_WARNING:
    case GST_MESSAGE_INFO: {
      const std::string text = plain_text(message);
      if (!text.empty()) say(text);
      break;
    }
    case GST_MESSAGE_ELEMENT: {
      const GstStructure* told = gst_message_get_structure(message);
      if (!told || !gst_structure_has_name(told, "sphere-connection")) break;
      const std::string state = to_string(gst_structure_get_string(told, "state"));
      if (state == "lost")
        source_words_ = "the camera is lost: " +
                        printable(to_string(gst_structure_get_string(told, "reason")), 200);
      else if (state == "connecting")
        source_words_ = "connecting to the camera";
      else
        source_words_.clear();
      break;
    }
    case GST_MESSAGE_EOS:
      source_ended_ = true;
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency(GST_BIN(pipeline_.get()));
      break;
    default:
      break;
  }
}

bool Session::run_for(int milliseconds) {
  if (ended_) return false;
  const int64_t until = g_get_monotonic_time() + int64_t{milliseconds} * 1000;
  for (int64_t left = 0; left >= 0;) {
    left = until - g_get_monotonic_time();
    const auto wait = static_cast<GstClockTime>(
        std::clamp<int64_t>(left, 0, int64_t{check_interval_ms} * 1000) * 1000);
    for (MessageRef message(gst_bus_timed_pop(bus_.get(), wait)); message;
         message.reset(gst_bus_pop(bus_.get())))
      take_message(message.get());
    if (const std::string wrong = source_->problem(); !wrong.empty() && problem_.empty()) {
      problem_ = wrong;
      source_ended_ = true;
    }
    watch_consent();
    if (!outputs_started_ && !finishing_) start_outputs();
    watch_outputs();
    adapt();
    if (source_ended_ && !finishing_) finish();
    const bool all_done = std::all_of(sinks_.begin(), sinks_.end(), [](const auto& sink) {
      return !sink->runner->started() || sink->runner->done();
    });
    if ((finishing_ && (all_done || g_get_monotonic_time() > finish_by_)) ||
        (outputs_started_ && all_done)) {
      if (!finishing_ && problem_.empty()) problem_ = "no output is left";
      watch_outputs();
      ended_ = true;
      return false;
    }
    if (left <= 0) break;
  }
  return true;
}

void Session::finish() {
  if (finishing_) return;
  finishing_ = true;
  finish_by_ = g_get_monotonic_time() + longest_finish;
  for (const auto& sink : sinks_) sink->runner->finish();
}

bool Session::sound_allowed(const Sink& sink) const {
  const OutputNeeds& needs = sink.runner->needs();
  if (needs.audio == AudioForm::none) return false;
  for (size_t i = 0; i < consent::purpose_names.size(); ++i) {
    const auto purpose = static_cast<consent::Purpose>(i);
    if ((needs.audio_purposes & consent::bit(purpose)) &&
        !sink.consent->allowed(consent::Category::audio, purpose))
      return false;
  }
  return true;
}

StreamInfo Session::stream_for(const Sink& sink) const {
  StreamInfo stream;
  const int most = options_.source.width ? sink.runner->needs().max_width : 0;
  stream.width = most ? std::min(most, source_->width()) : source_->width();
  stream.height = stream.width / 2;
  gst_util_double_to_fraction(source_->fps(), &stream.fps_n, &stream.fps_d);
  stream.bitrate = adaptation_ ? adaptation_->bitrate() : asked_bitrate_.load();
  stream.audio = source_->has_sound() && sound_allowed(sink);
  const OutputConsent given = sink.branch->consent();
  stream.consent = given.caps;
  stream.ledger = given.ledger;
  const GstRef<GstClock> clock(gst_element_get_clock(pipeline_.get()));
  const GstClockTime now = clock ? gst_clock_get_time(clock.get()) : 0;
  stream.utc_of_running_time_0 =
      g_get_real_time() -
      static_cast<int64_t>(now - gst_element_get_base_time(pipeline_.get())) / 1000;
  return stream;
}

void Session::start_outputs() {
  // The base time is known once the pipeline plays.
  GstState state = GST_STATE_NULL;
  gst_element_get_state(pipeline_.get(), &state, nullptr, 0);
  if (!source_->width() || state != GST_STATE_PLAYING) return;
  const int64_t now = g_get_monotonic_time();
  if (!first_picture_at_) first_picture_at_ = now;
  const bool sound_wanted = std::any_of(sinks_.begin(), sinks_.end(),
                                        [this](const auto& sink) { return sound_allowed(*sink); });
  if (sound_wanted && !source_->has_sound() && !source_->complete() &&
      now - first_picture_at_ < longest_wait_for_sound)
    return;
  outputs_started_ = true;
  adaptation_.emplace(AdaptationLimits{.width = source_->width(),
                                       .bitrate = asked_bitrate_,
                                       .fps = source_->fps(),
                                       .sizes = options_.adapt,
                                       .bitrates = options_.adapt});
  const GstRef<GstClock> clock(gst_system_clock_obtain());
  const GstClockTime base = gst_element_get_base_time(pipeline_.get());
  for (const auto& sink : sinks_) sink->runner->start(clock.get(), base, stream_for(*sink), {});
}

void Session::watch_consent() {
  for (const auto& sink : sinks_) {
    if (sink->withdrawals && sink->withdrawals->has_come()) {
      sink->withdrawals.reset();
      sink->branch->take_back_sound();
      source_->take_back_sound();
      const CapsRef nothing(gst_caps_new_empty());
      sink->consent->set_caps(nothing.get());
      say("consent was taken back: " + sink->asked.target.shown + " has no sound any more");
    }
    // A sound track can't be put into a file that has begun without one.
    if (!outputs_started_ || finishing_ || sink->runner->done()) continue;
    if (!sink->runner->stream().audio && source_->has_sound() && sound_allowed(*sink)) {
      say(sink->asked.target.shown + " is opened again, now with sound");
      sink->runner->set_stream(stream_for(*sink));
    }
  }
}

void Session::watch_outputs() {
  for (const auto& sink : sinks_) {
    if (!sink->runner->started()) continue;
    const OutputStatus now = sink->runner->status();
    const std::string& name = sink->asked.target.shown;
    const bool runs = now.state == OutputState::running;
    if (runs && !sink->told_running) {
      say(name + ": running" + (now.reconnects ? " again" : ""));
      sink->told.clear();
    }
    // The same failure is told once, and not with each attempt.
    if (!runs && !now.words.empty() && now.words != sink->told) {
      const char* next = now.state == OutputState::waiting || now.state == OutputState::connecting
                             ? "; it is tried again"
                         : now.state == OutputState::ended ? "; it has ended"
                                                           : "";
      say(name + ": " + now.words + next);
      sink->told = now.words;
    }
    // Between two parts of a recording it connects, too.
    sink->told_running = runs || (sink->told_running && now.words.empty());
  }
}

uint64_t Session::encoded() const {
  uint64_t least = UINT64_MAX;
  for (const Group& group : groups_) least = std::min(least, group.encoding->encoded());
  return groups_.empty() ? source_->arrived() : least;
}

void Session::adapt() {
  const int64_t now = g_get_monotonic_time();
  if (now - adapted_at_ < adapt_interval || !source_) return;
  adapted_at_ = now;
  uint64_t bytes = 0;
  for (const auto& sink : sinks_)
    if (wants_encoding(sink->runner->needs()))
      bytes = std::max(bytes, sink->runner->feed().bytes());
  rates_.push_back({now, encoded(), bytes});
  while (rates_.size() > 2 && now - rates_.front().now > rate_window) rates_.pop_front();
  if (!adaptation_ || finishing_ || !options_.adapt || groups_.empty()) return;

  Load load{.now = now, .arrived = source_->arrived(), .encoded = encoded()};
  for (const auto& sink : sinks_) {
    if (!sink->runner->needs().adapts) continue;
    const OutputStatus status = sink->runner->status();
    if (status.state != OutputState::running && status.state != OutputState::failing) continue;
    if (status.unanswered) continue;
    Feed& feed = sink->runner->feed();
    const auto queued = static_cast<int64_t>(GST_TIME_AS_USECONDS(feed.queued()));
    load.losing = load.losing || feed.dropping();
    if (queued <= load.queued && !load.slowest.empty()) continue;
    load.queued = queued;
    load.slowest = sink->asked.target.shown;
  }
  const Sample &first = rates_.front(), &last = rates_.back();
  if (last.now - first.now > second)
    load.kbit_s = static_cast<int>((last.bytes - first.bytes) * 8000 /
                                   static_cast<uint64_t>(last.now - first.now));
  const int width = adaptation_->width();
  const auto step = adaptation_->update(load);
  if (!step) return;
  if (step->width != width) source_->set_width(step->width);
  const double part = static_cast<double>(step->bitrate) / std::max(1, asked_bitrate_.load());
  for (const Group& group : groups_)
    group.encoding->set_bitrate(
        group.max_width ? std::max(1, static_cast<int>(part * default_bitrate(group.max_width,
                                                                              group.max_width / 2,
                                                                              source_->fps())))
                        : step->bitrate);
  for (const auto& sink : sinks_) {
    StreamInfo stream = sink->runner->stream();
    const bool sound = stream.audio;
    stream = stream_for(*sink);
    stream.audio = sound;
    sink->runner->update_stream(stream);
  }
  say(step->words);
}

SessionStatus Session::status() const {
  SessionStatus status;
  status.source = source_words_;
  status.encodings = static_cast<unsigned>(groups_.size());
  status.encoder = encoder_;
  status.arrived = source_->arrived();
  status.encoded = encoded();
  status.lost = status.arrived > status.encoded ? status.arrived - status.encoded : 0;
  status.width = source_->width();
  status.height = status.width / 2;
  status.asked_bitrate = asked_bitrate_;
  status.bitrate = adaptation_ ? adaptation_->bitrate() : asked_bitrate_.load();
  status.asked_width = options_.source.width ? options_.source.width : status.width;
  if (rates_.size() >= 2 && rates_.back().now > rates_.front().now) {
    const double seconds =
        static_cast<double>(rates_.back().now - rates_.front().now) / static_cast<double>(second);
    status.fps = static_cast<double>(rates_.back().encoded - rates_.front().encoded) / seconds;
    status.kbit_s =
        static_cast<double>(rates_.back().bytes - rates_.front().bytes) * 8 / 1000 / seconds;
  }
  status.streaming = status.fps > 0;
  for (const auto& sink : sinks_) {
    SessionStatus::Item item{sink->asked.target.shown, {}};
    item.status = sink->runner->status();
    status.outputs.push_back(std::move(item));
  }
  return status;
}

}  // namespace sphere::live
