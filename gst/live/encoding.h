// SPDX-License-Identifier: LGPL-2.1-or-later
// The encoder of a live stream: which one this machine has, how it is set for low latency, and the
// mark in its stream that says that the pictures are 360.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/live/output.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

/// A kind of encoder, by the name that a person types, such as "x264" or "va".
struct EncoderKind {
  const char* name;
  const char* h264;  ///< its elements
  const char* h265;
  bool hardware;
  /// Properties that give low latency and a steady rate, as NAME=VALUE, separated by blanks.
  const char* settings;
  const char* bitrate;   ///< the property of the bit rate
  int bits;              ///< bit/s in one unit of that property
  const char* interval;  ///< the property for the interval of key frames, in pictures
};

/// The names that --encoder takes, and "auto".
std::vector<std::string> encoder_names();
/// An encoder that is installed and whose hardware is there. "auto" takes hardware before software.
Result<const EncoderKind*> choose_encoder(const std::string& name, VideoForm form);

struct EncodingSettings {
  VideoForm form = VideoForm::h264;
  H264Profile profile = H264Profile::high;
  const EncoderKind* encoder = nullptr;
  int bitrate = 4000;       ///< kbit/s
  double key_interval = 2;  ///< seconds from one key frame to the next
  double fps = 30;          ///< the pictures a second that will come, if none are lost
  int max_width = 0;        ///< wider pictures are made smaller; 0: any
  bool spherical = true;
};

/// A default for pictures of this size, in kbit/s.
int default_bitrate(int width, int height, double fps);

/// A bin with the pads `sink` (video/x-raw) and `src` (as VideoForm says). Pictures that come
/// faster than they can be encoded are dropped before it. One thread of its own.
class Encoding {
 public:
  static Result<std::unique_ptr<Encoding>> make(const EncodingSettings& settings);
  ~Encoding();
  Encoding(const Encoding&) = delete;
  Encoding& operator=(const Encoding&) = delete;

  /// Borrowed once it is in another bin.
  GstElement* element() const { return bin_.get(); }
  /// Any thread.
  void set_bitrate(int kbit_s);
  /// Before the first picture.
  void set_fps(double fps);
  uint64_t encoded() const { return encoded_; }

 private:
  explicit Encoding(const EncodingSettings& settings) : settings_(settings) {}
  Status build();
  static GstPadProbeReturn count(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  /// Whether this picture comes so late after the last key frame that a new one is to be asked for.
  bool lacks_key_frame(GstBuffer* picture);
  static GstPadProbeReturn limit_requests(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void request_key_frame();
  /// Gives bit rate and distance of key frames to an encoder of the kernel. It may run.
  void set_controls();

  const EncodingSettings settings_;
  GstRef<GstElement> bin_;
  GstRef<GstElement> encoder_;
  std::atomic<int> bitrate_ = 0, key_interval_ = 0;  ///< what was set last
  std::atomic<uint64_t> encoded_ = 0;
  // Requests for key frames, in microseconds of the monotonic clock.
  std::atomic<int64_t> key_requested_at_ = 0;
  std::atomic<bool> key_wanted_ = false;  ///< one was requested too early, and is made later
  // Of the thread of the coded pictures: the time of the last key frame, or of the request for one.
  GstClockTime key_at_ = GST_CLOCK_TIME_NONE;
};

/// The error if an element with this name can't be made.
Error missing_element(const std::string& factory);

}  // namespace sphere::live
