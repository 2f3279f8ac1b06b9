// SPDX-License-Identifier: LGPL-2.1-or-later
// Sends one coded stream to viewers over HTTP, as fragmented MP4 in one endless answer: for
// networks through which UDP does not get.

#pragma once

#include <gst/gst.h>
#include <libsoup/soup.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/live/web/connections.h"
#include "gst/live/web/fragment_writer.h"
#include "gst/live/web/viewer_slots.h"
#include "gst/sphere/base/loop.h"

namespace sphere::live {

class FragmentServer {
 public:
  /// `loop` is that of the HTTP server and outlives this object, as `connections` does. A viewer
  /// whose network takes nothing for `longest_silence` microseconds is gone.
  FragmentServer(LoopThread& loop, Connections& connections, gint64 longest_silence,
                 std::function<void()> want_key_frame)
      : loop_(loop),
        connections_(connections),
        longest_silence_(longest_silence),
        want_key_frame_(std::move(want_key_frame)) {}
  ~FragmentServer();

  /// A picture as a byte stream of H.264, or a packet of Opus, with caps and segment. Any thread
  /// may call; costs nothing while nobody watches.
  void push_video(GstSample* sample);
  void push_audio(GstSample* sample);
  /// Whether there is sound. What viewers get changes only when they ask again.
  void set_audio(bool audio) { audio_ = audio; }

  // In the thread of the loop.

  /// Answers the message with the stream, which begins with the next key frame.
  void add(SoupServerMessage* message, ViewerSlots::Slot slot);
  /// To be called each second or so.
  void tick();
  /// Ends all answers.
  void end_all();

 private:
  struct Viewer {
    FragmentServer* owner;
    ObjectRef<SoupServerMessage> message;
    ViewerSlots::Slot slot;
    gint64 since;  ///< when it asked, or when the network last took something
    std::optional<FragmentFormat> format;  ///< nothing until its first picture
    bool waits_for_key = true;
    bool ended = false;     ///< it gets nothing more than what is queued
    bool finished = false;  ///< its answer is written, or it is gone
    size_t queued = 0;      ///< bytes that the network has not taken
    uint32_t next_number = 1;
  };
  struct Unit {
    bool audio = false;
    bool after_loss = false;  // a picture before it was lost
    AccessUnit picture;
    std::vector<uint8_t> sound;
    uint64_t decode_time = 0;
    uint32_t duration = 0;
    uint16_t width = 0, height = 0;
    uint8_t channels = 2;
  };

  static void on_wrote(SoupServerMessage*, guint size, gpointer viewer);
  static void on_finished(SoupServerMessage*, gpointer viewer);

  void post(Unit unit);
  void wait_for_key_frame();
  void send_picture(const Unit& unit);
  void send_sound(const Unit& unit);
  void begin(Viewer& viewer, const FragmentFormat& format);
  void append(Viewer& viewer, const std::vector<uint8_t>& bytes);
  void end(Viewer& viewer);
  void remove_finished();

  LoopThread& loop_;
  Connections& connections_;
  const gint64 longest_silence_;
  const std::function<void()> want_key_frame_;
  std::atomic<bool> watched_{false}, audio_{false};
  std::atomic<unsigned> waiting_{0};
  std::atomic<bool> lost_picture_{false};
  // The rest belongs to the thread.
  std::list<Viewer> viewers_;
  std::vector<uint8_t> sps_, pps_;
  uint8_t channels_ = 2;
};

}  // namespace sphere::live
