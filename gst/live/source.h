// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a live stream comes from: a camera, a file, another stream or a test picture; up to
// stitched pictures and decoded sound.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"

namespace sphere::live {

/// Tells which pictures come too late: where the decoder has fallen behind, leaving some out lets
/// it catch up. Knows no clock.
class LatePictureDetector {
 public:
  /// How much later than the most punctual one of the last seconds a picture may be.
  static constexpr int64_t most_behind = 700'000, memory = 5'000'000;
  /// `late`: how long after its time the picture has come, both in microseconds.
  bool is_late(int64_t now, int64_t late);

 private:
  struct Best {
    int64_t since, late;
  };
  /// Of the present and of the last span of `memory`.
  std::optional<Best> best_, before_;
};

enum class Projection {
  automatic,  ///< the first picture is examined
  fisheye,    ///< two fisheyes in each picture
  sphere,     ///< equirectangular already
};

struct SourceOptions {
  /// A camera's URI, rtsp://…, another URI, the name of a file, or "test:".
  std::string uri;
  Projection projection = Projection::automatic;
  std::string lens;  ///< "": what the stream says
  int width = 0;     ///< of the stitched pictures; 0: as wide as the source's, up to most_width
  int most_width = 1920;
  double fps = 0;  ///< the most pictures a second; 0: all
  /// For how long a camera's pictures are buffered, in ms; negative: as the element does.
  int latency = -1;
  /// For a camera, which sends sound only with consent.
  std::optional<std::string> consent, ledger;
  /// Called once, in the thread of the pictures and before the first one goes on: the width, and
  /// the pictures a second.
  std::function<void(int width, double fps)> known;
};

/// The elements are in the pipeline of make(), which must outlive this object. More than twenty
/// members: one for each element of the chain that is changed later, and what the first pictures
/// tell, for other threads.
class Source {
 public:
  static Result<std::unique_ptr<Source>> make(const SourceOptions& options, GstBin* pipeline);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// The tees behind which pictures (video/x-raw, equirectangular) and sound (audio/x-raw, 48 kHz)
  /// leave.
  GstElement* pictures() const { return pictures_; }
  GstElement* sound() const { return sound_; }

  /// The size that the pictures have from the next one on; the height is the half. Any thread.
  void set_width(int width);
  /// 0 until the first picture.
  int width() const { return width_; }
  double fps() const { return fps_; }
  uint64_t arrived() const { return arrived_; }
  bool has_sound() const { return has_sound_; }
  /// Whether it is known that no more streams will come.
  bool complete() const { return complete_; }
  /// Whether its end is the end of the stream, and not a pause of a camera.
  bool ends() const { return kind_ == Kind::file; }
  bool camera() const { return kind_ == Kind::camera; }
  /// Takes back the sound that `consent` gave to a camera.
  void take_back_sound();
  /// Why the pictures can't be used, or "".
  std::string problem() const;
  /// What an error of the pipeline means where the source is a file or another stream, or "".
  std::string explain(GstMessage* error) const;

 private:
  enum class Kind { test, camera, live, file };

  Source(const SourceOptions& options, GstBin* pipeline) : options_(options), pipeline_(pipeline) {}
  Status build();
  Status build_test(const std::string& settings);
  Status build_camera(GstElement* camera);
  Status build_uri(const std::string& uri);
  GstElement* add(const char* factory, Status* status);
  /// The elements between the decoder and the tee. In the thread of the pictures, too.
  Status complete_chain(bool stitch, int width);
  void apply_width();
  void set_test_form(int width);
  /// Decides from the first picture whether the pictures have to be stitched.
  Status examine(GstPad* pad, GstBuffer* buffer);
  void take_decoded(GstPad* pad);
  void take_sound(GstPad* pad);

  static GstPadProbeReturn first_picture(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn change_size(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn count(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstPadProbeReturn drop_end(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  const SourceOptions options_;
  GstBin* const pipeline_;
  Kind kind_ = Kind::file;
  // Borrowed from the pipeline.
  GstElement* camera_ = nullptr;
  GstElement* reader_ = nullptr;     ///< reads and decodes a file or another stream
  GstElement* test_form_ = nullptr;  ///< the size in which the test picture is drawn
  GstElement* entry_ = nullptr;      ///< takes decoded pictures
  GstElement* fresh_ = nullptr;  ///< a queue with the latest of them, which the stitcher follows
  GstElement* size_ = nullptr;
  GstElement* pictures_ = nullptr;
  GstElement* sound_in_ = nullptr;
  GstElement* sound_ = nullptr;
  std::atomic<int> width_ = 0;
  std::atomic<bool> size_changed_ = false, test_size_changed_ = false;
  std::atomic<double> fps_ = 0;
  std::atomic<uint64_t> arrived_ = 0;
  std::atomic<bool> has_sound_ = false, complete_ = false;
  std::atomic<int> examined_ = 0;
  LatePictureDetector late_pictures_;  // of the thread of the pictures

  mutable Mutex mutex_;  // protects the sentence; held only while it is copied
  std::string problem_ SPHERE_GUARDED_BY(mutex_);
};

}  // namespace sphere::live
