// SPDX-License-Identifier: LGPL-2.1-or-later
// Hands one output's stream over from the pipeline that makes it to the pipeline of the output. It
// never blocks the first one: what the output can't take is dropped, up to the next key frame.

#pragma once

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>

#include "gst/live/output.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

/// More than twenty members: what is given, kept and dropped depends on the same state of one
/// stream, part of which is atomic, because the pictures and the sound come in threads of their
/// own.
class Feed {
 public:
  /// The most of the stream that may wait before an output. After a drop, it goes on when less than
  /// `enough_room` waits.
  static constexpr GstClockTime most_queued = 2 * GST_SECOND, enough_room = GST_SECOND / 2;
  /// What a muxer adds to the latency of the session while it waits for sound.
  static constexpr GstClockTime latency = 700 * GST_MSECOND;

  explicit Feed(const OutputNeeds& needs);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  /// Makes the appsinks of the session's pipeline hand over to this object. `end` is called when
  /// the stream of pictures ends. Both sinks may send until they are in NULL, so this object must
  /// live longer.
  /// A flush begins the running time anew, but not the output's: what follows it is later by what
  /// has gone out before.
  void watch_video(GstAppSink* sink, std::function<void()> end);
  void watch_audio(GstAppSink* sink);
  /// Asks the encoder for a key frame. Any thread.
  void request_key_frame();

  /// What follows goes to these elements (audio may be null), from the next key frame on.
  void connect(GstAppSrc* video, GstAppSrc* audio);
  /// Nothing goes anywhere until the next connect().
  void disconnect();
  /// Ends the stream of pictures of the element of connect(). The sound goes on until it has come
  /// to the last picture, or until end_sound().
  void end();
  void end_sound();

  /// Whether pictures have come that need another element: of another size, or of the next part.
  /// Where the output is gapless, they are kept for it. Reset by connect().
  bool needs_new_element() const { return needs_new_element_; }
  /// Whether a picture has gone to the element since connect().
  bool flowing() const { return flowing_; }
  bool dropping() const { return dropping_; }
  /// How much of the stream waits before the element.
  GstClockTime queued() const;
  /// Whether coded pictures have come at all; the format of the last one.
  CapsRef caps() const;

  uint64_t frames() const { return frames_; }
  uint64_t dropped() const { return dropped_; }
  uint64_t bytes() const { return bytes_; }
  /// The time of the last picture that was given to the element.
  GstClockTime last() const { return last_; }
  /// From the time of the last picture to when it came here; NONE: unknown.
  GstClockTime delay() const { return delay_; }
  /// Whether an element has been connected, now or earlier.
  bool connected_before() const { return connected_before_; }
  /// For how long the stream was paused, in all: its running time is behind the element's by this.
  /// Returns what it was before.
  GstClockTime set_paused(GstClockTime paused) { return paused_.exchange(paused); }
  GstClockTime paused() const { return paused_; }

  /// For a source of pictures that is not an appsink. Takes no ownership. One thread for each.
  void take_video(GstSample* sample);
  void take_audio(GstSample* sample);

 private:
  struct Held {
    bool video;
    GstSample* sample;  ///< owned
  };

  GstRef<GstAppSrc> target(bool video) const;
  /// Gives one sample with running times to the element.
  void push(GstAppSrc* source, GstSample* sample, bool video);
  /// Keeps it, if samples are kept now; takes no ownership.
  bool hold(GstSample* sample, bool video);
  void clear_held() SPHERE_REQUIRES(mutex_);
  void clear_early() SPHERE_REQUIRES(mutex_);
  /// Gives the sound that came before the first picture, and belongs to it.
  void push_early(GstAppSrc* audio);
  void push_sound(GstAppSrc* audio, GstSample* sample);
  /// Fills up the sound with silence if it is far behind a picture of this time.
  void fill_gap(GstAppSrc* audio, GstClockTime time);
  void put_silence(GstAppSrc* audio, GstClockTime until) SPHERE_REQUIRES(sound_mutex_);
  void watch_flushes(GstPad* pad, GstPadProbeCallback take);
  void sound_flushed(GstEvent* stop);
  /// Sets by how much the times are later from this picture on.
  void begin(GstSample* first);
  void begin_after_flush(GstSample* first);
  void set_sound_shift(GstClockTime shift) SPHERE_REQUIRES(mutex_);

  const bool takes_new_sizes_, coded_, gapless_;
  const AudioForm sound_form_;
  const GstClockTime part_length_;  ///< 0: no parts
  std::function<void()> end_;
  GstRef<GstPad> video_pad_, audio_pad_;

  std::atomic<bool> connected_before_ = false, needs_new_element_ = false, flowing_ = false,
                    dropping_ = false;
  std::atomic<uint64_t> frames_ = 0, dropped_ = 0, bytes_ = 0;
  std::atomic<GstClockTime> delay_ = GST_CLOCK_TIME_NONE, paused_ = 0;
  /// What is added to the running times of pictures, in their thread, and of sound.
  std::atomic<GstClockTime> shift_ = 0, sound_shift_ = 0;
  /// Of the thread of the pictures: one has come; what follows begins with a key frame.
  bool begun_ = false, needs_key_ = false;
  /// A flush has come before the next picture; with `restarted_`, the running time begins anew.
  std::atomic<bool> flushed_ = false, restarted_ = false;
  /// The times of the first picture since connect(), and of the end of the sound so far.
  std::atomic<GstClockTime> begin_ = GST_CLOCK_TIME_NONE, sound_end_ = 0;
  /// Of the last picture, of its end, and of the end: sound from then on is not wanted.
  std::atomic<GstClockTime> last_ = 0, pictures_end_ = 0, end_at_ = GST_CLOCK_TIME_NONE;

  // The order of what goes to the element of the sound, which only queues it: silence comes from
  // the thread of the pictures. Before mutex_.
  Mutex sound_mutex_;
  CapsRef sound_caps_ SPHERE_GUARDED_BY(sound_mutex_);  ///< of the last sound
  /// Of a buffer of it that does not tell its own.
  GstClockTime sound_duration_ SPHERE_GUARDED_BY(sound_mutex_) = 0;
  /// Of what has gone since connect(); null: nothing has.
  CapsRef sent_caps_ SPHERE_GUARDED_BY(sound_mutex_);
  bool silent_ SPHERE_GUARDED_BY(sound_mutex_) = false;  ///< silence went last
  /// How far sound has come behind the pictures when silence was in its place.
  GstClockTime sound_delay_ SPHERE_GUARDED_BY(sound_mutex_) = 0;

  // Protects the targets and the caps. Held while references are copied; never across a push.
  mutable Mutex mutex_;
  GstRef<GstAppSrc> video_ SPHERE_GUARDED_BY(mutex_), audio_ SPHERE_GUARDED_BY(mutex_);
  CapsRef caps_ SPHERE_GUARDED_BY(mutex_), element_caps_ SPHERE_GUARDED_BY(mutex_);
  /// The latest sound while no picture has gone: it takes a shorter way than pictures do.
  std::deque<GstSample*> early_ SPHERE_GUARDED_BY(mutex_);
  bool pushing_early_ SPHERE_GUARDED_BY(mutex_) = false;
  /// Sound was flushed, and waits for the first picture after its flush.
  bool sound_waits_ SPHERE_GUARDED_BY(mutex_) = false;
  /// The pictures were flushed, and the sound will be; NONE: not.
  GstClockTime next_sound_shift_ SPHERE_GUARDED_BY(mutex_) = GST_CLOCK_TIME_NONE;
  std::deque<Held> held_ SPHERE_GUARDED_BY(mutex_);
  size_t held_bytes_ SPHERE_GUARDED_BY(mutex_) = 0;
  bool pushing_held_ SPHERE_GUARDED_BY(mutex_) = false;  ///< to the element of connect()
  /// From this time on samples are kept; NONE: they are not.
  GstClockTime hold_from_ SPHERE_GUARDED_BY(mutex_) = GST_CLOCK_TIME_NONE;
};

}  // namespace sphere::live
