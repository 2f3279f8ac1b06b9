// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/fragment_server.h"

#include <algorithm>

namespace sphere::live {

namespace {

/// Bytes. A viewer whose network is further behind gets nothing more until a key frame.
constexpr size_t most_queued = 2 << 20;
constexpr unsigned most_waiting = 120;

constexpr guint status_unavailable = SOUP_STATUS_SERVICE_UNAVAILABLE;

/// Its running time, in units of the time scale; nothing where it has none.
std::optional<uint64_t> decode_time(GstSample* sample, uint32_t timescale) {
  const GstClockTime time =
      gst_segment_to_running_time(gst_sample_get_segment(sample), GST_FORMAT_TIME,
                                  GST_BUFFER_PTS(gst_sample_get_buffer(sample)));
  if (!GST_CLOCK_TIME_IS_VALID(time)) return std::nullopt;
  return gst_util_uint64_scale_round(time, timescale, GST_SECOND);
}

uint32_t duration_of(GstSample* sample, uint32_t timescale, GstClockTime fallback) {
  GstClockTime duration = GST_BUFFER_DURATION(gst_sample_get_buffer(sample));
  int n = 0, d = 1;
  if (!GST_CLOCK_TIME_IS_VALID(duration)) {
    const GstStructure* caps = gst_caps_get_structure(gst_sample_get_caps(sample), 0);
    duration = gst_structure_get_fraction(caps, "framerate", &n, &d) && n > 0
                   ? gst_util_uint64_scale_int(GST_SECOND, d, n)
                   : fallback;
  }
  return static_cast<uint32_t>(gst_util_uint64_scale_round(
      std::min<GstClockTime>(duration, 10 * GST_SECOND), timescale, GST_SECOND));
}

std::vector<uint8_t> bytes_of(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  std::vector<uint8_t> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace

FragmentServer::~FragmentServer() {
  end_all();
  for (Viewer& viewer : viewers_)
    g_signal_handlers_disconnect_by_data(viewer.message.get(), &viewer);
}

void FragmentServer::push_video(GstSample* sample) {
  if (!watched_ || !gst_sample_get_buffer(sample)) return;
  const auto time = decode_time(sample, video_timescale);
  GstCaps* caps = gst_sample_get_caps(sample);
  if (!time || !caps) return;
  Unit unit;
  unit.picture = split_access_unit(bytes_of(sample));
  unit.decode_time = *time;
  unit.duration = duration_of(sample, video_timescale, GST_SECOND / 30);
  int width = 0, height = 0;
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  gst_structure_get_int(structure, "width", &width);
  gst_structure_get_int(structure, "height", &height);
  unit.width = static_cast<uint16_t>(width);
  unit.height = static_cast<uint16_t>(height);
  post(std::move(unit));
}

void FragmentServer::push_audio(GstSample* sample) {
  if (!watched_ || !gst_sample_get_buffer(sample)) return;
  const auto time = decode_time(sample, audio_timescale);
  GstCaps* caps = gst_sample_get_caps(sample);
  if (!time || !caps) return;
  Unit unit;
  unit.audio = true;
  unit.sound = bytes_of(sample);
  unit.decode_time = *time;
  unit.duration = duration_of(sample, audio_timescale, 20 * GST_MSECOND);
  int channels = 2;
  gst_structure_get_int(gst_caps_get_structure(caps, 0), "channels", &channels);
  // More need a table that tells where each belongs; the page's sound is stereo at most.
  unit.channels = static_cast<uint8_t>(std::clamp(channels, 1, 2));
  post(std::move(unit));
}

void FragmentServer::post(Unit unit) {
  if (waiting_ >= most_waiting) {
    if (!unit.audio) lost_picture_ = true;
    return;
  }
  ++waiting_;
  unit.after_loss = lost_picture_.exchange(false);
  loop_.later([this, unit = std::move(unit)] {
    --waiting_;
    if (unit.after_loss) wait_for_key_frame();
    if (unit.audio)
      send_sound(unit);
    else
      send_picture(unit);
    remove_finished();
  });
}

/// A picture is missing, and what follows it can't be decoded.
void FragmentServer::wait_for_key_frame() {
  for (Viewer& viewer : viewers_) viewer.waits_for_key = true;
  want_key_frame_();
}

void FragmentServer::add(SoupServerMessage* message, ViewerSlots::Slot slot) {
  connections_.set_streaming(message);
  viewers_.push_back(
      {this, ObjectRef<SoupServerMessage>(static_cast<SoupServerMessage*>(g_object_ref(message))),
       std::move(slot), g_get_monotonic_time()});
  Viewer& viewer = viewers_.back();
  g_signal_connect(message, "wrote-body-data", G_CALLBACK(on_wrote), &viewer);
  g_signal_connect(message, "finished", G_CALLBACK(on_finished), &viewer);
  g_signal_connect(message, "disconnected", G_CALLBACK(on_finished), &viewer);
  soup_server_message_pause(message);
  watched_ = true;
  want_key_frame_();
}

void FragmentServer::on_wrote(SoupServerMessage*, guint size, gpointer data) {
  auto* viewer = static_cast<Viewer*>(data);
  viewer->queued -= std::min<size_t>(viewer->queued, size);
  viewer->since = g_get_monotonic_time();
}

void FragmentServer::on_finished(SoupServerMessage*, gpointer data) {
  static_cast<Viewer*>(data)->finished = true;
}

void FragmentServer::remove_finished() {
  viewers_.remove_if([](Viewer& viewer) {
    if (!viewer.finished) return false;
    g_signal_handlers_disconnect_by_data(viewer.message.get(), &viewer);
    return true;
  });
  watched_ = !viewers_.empty();
}

void FragmentServer::begin(Viewer& viewer, const FragmentFormat& format) {
  SoupServerMessage* message = viewer.message.get();
  SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
  const std::string type = "video/mp4; codecs=\"" + codecs_of(format) + "\"";
  soup_message_headers_replace(headers, "Content-Type", type.c_str());
  soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
  soup_server_message_set_status(message, SOUP_STATUS_OK, nullptr);
  viewer.format = format;
  append(viewer, write_beginning(format));
}

void FragmentServer::append(Viewer& viewer, const std::vector<uint8_t>& bytes) {
  soup_message_body_append(soup_server_message_get_response_body(viewer.message.get()),
                           SOUP_MEMORY_COPY, bytes.data(), bytes.size());
  // Nothing has waited, so the time of the network begins anew.
  if (viewer.queued == 0) viewer.since = g_get_monotonic_time();
  viewer.queued += bytes.size();
  soup_server_message_unpause(viewer.message.get());
}

void FragmentServer::end(Viewer& viewer) {
  if (viewer.ended || viewer.finished) return;
  SoupServerMessage* message = viewer.message.get();
  if (!viewer.format) {
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Retry-After",
                                 "2");
    soup_server_message_set_status(message, status_unavailable, nullptr);
  }
  soup_message_body_complete(soup_server_message_get_response_body(message));
  soup_server_message_unpause(message);
  // It is watched until its network has taken the rest.
  viewer.ended = true;
  viewer.since = g_get_monotonic_time();
  viewer.slot = {};
}

void FragmentServer::send_picture(const Unit& unit) {
  if (!unit.picture.sps.empty()) sps_ = unit.picture.sps;
  if (!unit.picture.pps.empty()) pps_ = unit.picture.pps;
  if (unit.picture.data.empty() || sps_.size() < 4 || pps_.empty()) return;
  const FragmentFormat format = {sps_, pps_, unit.width, unit.height, audio_, channels_};
  for (Viewer& viewer : viewers_) {
    if (viewer.ended || viewer.finished) continue;
    if (viewer.waits_for_key && !unit.picture.is_key) continue;
    if (!viewer.format) {
      begin(viewer, format);
    } else if (unit.picture.is_key && *viewer.format != format) {
      // Another size, or sound came or went: the viewer asks again and gets it.
      end(viewer);
      continue;
    }
    if (viewer.queued > most_queued) {
      viewer.waits_for_key = true;
      continue;
    }
    viewer.waits_for_key = false;
    append(viewer, write_fragment({Track::video, viewer.next_number++, unit.decode_time,
                                   unit.duration, unit.picture.is_key, unit.picture.data}));
  }
}

void FragmentServer::send_sound(const Unit& unit) {
  channels_ = unit.channels;
  for (Viewer& viewer : viewers_) {
    if (viewer.ended || viewer.finished || !viewer.format || !viewer.format->audio ||
        viewer.waits_for_key)
      continue;
    append(viewer, write_fragment({Track::audio, viewer.next_number++, unit.decode_time,
                                   unit.duration, true, unit.sound}));
  }
}

void FragmentServer::tick() {
  const gint64 now = g_get_monotonic_time();
  for (Viewer& viewer : viewers_) {
    if (viewer.finished || now - viewer.since < longest_silence_) continue;
    const bool slow = viewer.ended || viewer.queued > 0;
    const bool gone = !slow && connections_.is_closed(viewer.message.get());
    if (slow || gone) connections_.cut(viewer.message.get());
    if (!viewer.format || gone) end(viewer);
  }
  remove_finished();
}

void FragmentServer::end_all() {
  for (Viewer& viewer : viewers_) end(viewer);
  remove_finished();
}

}  // namespace sphere::live
