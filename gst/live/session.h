// SPDX-License-Identifier: LGPL-2.1-or-later
// A live stream from one source to many outputs: stitched once, encoded once for each distinct
// need.
//
//   source ─▶ stitch ─▶ tee ─▶ encoding ─▶ tee ─▶ gates ─▶ feed ┆ output's own pipeline
//                        sound ─▶ tee ─▶ gates ─▶ AAC or Opus ─▶ feed ┆
//
// An output that fails or blocks concerns only itself; see runner.h.

#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/live/adaptation.h"
#include "gst/live/branch.h"
#include "gst/live/encoding.h"
#include "gst/live/runner.h"
#include "gst/live/source.h"
#include "gst/live/withdrawal_watch.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/guard.h"

namespace sphere::live {

struct SessionTarget {
  Target target;
  /// The consent that its gates check.
  OutputConsent consent;
  /// A ledger in which a withdrawal takes back what `consent.sound` gives: where a person has
  /// agreed for this session only, it is not in the ledger, but can be taken back there.
  std::optional<std::string> withdrawals;
};

struct SessionOptions {
  SourceOptions source;
  std::vector<SessionTarget> targets;
  std::string encoder = "auto";
  int bitrate = 0;    ///< kbit/s; 0: what suits the size
  bool adapt = true;  ///< whether size and bit rate may change
};

struct SessionStatus {
  /// Whether pictures come from the source.
  bool streaming = false;
  /// What the source says, such as that the camera was lost.
  std::string source;
  std::string encoder;
  int width = 0, height = 0, bitrate = 0;  ///< as they are now; kbit/s
  int asked_width = 0, asked_bitrate = 0;
  double fps = 0;        ///< encoded pictures a second, lately
  double kbit_s = 0;     ///< coded, lately
  uint64_t arrived = 0;  ///< pictures from the source
  uint64_t encoded = 0;
  uint64_t lost = 0;  ///< pictures that the processor had no time for
  unsigned encodings = 0;
  struct Item {
    std::string name;
    OutputStatus status;
  };
  std::vector<Item> outputs;
};

/// All functions are for one thread.
class Session {
 public:
  /// Makes everything; nothing is opened yet. Errors are wrong settings and missing elements.
  static Result<std::unique_ptr<Session>> make(const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Status start();
  /// For `milliseconds`, handles what happens in the pipeline and in the outputs. False when the
  /// stream has ended: all outputs have, too.
  bool run_for(int milliseconds);
  /// Ends the stream and all outputs properly; run_for() goes on until that is done.
  void finish();

  SessionStatus status() const;
  /// Sentences about what has happened since the last call, for a person.
  std::vector<std::string> take_reports();
  /// Why the stream can't go on, or "".
  const std::string& problem() const { return problem_; }

 private:
  struct Sink {
    SessionTarget asked;
    std::unique_ptr<Branch> branch;
    std::unique_ptr<Runner> runner;
    std::unique_ptr<consent::Consent> consent;     // what its sound needs
    std::unique_ptr<WithdrawalWatch> withdrawals;  // null: not watched
    std::string told;                              ///< the last words about a failure
    bool told_running = false;
  };
  struct Group {
    VideoForm form;
    int max_width;
    H264Profile profile;
    double key_interval;
    std::unique_ptr<Encoding> encoding;
    GstElement* tee = nullptr;
  };
  struct Sample {
    int64_t now;
    uint64_t encoded, bytes;
  };

  explicit Session(const SessionOptions& options) : options_(options) {}
  Status build();
  Status build_outputs();
  Status build_encodings();
  Status attach(Sink* sink, GstElement* tee);
  void know_stream(int width, double fps);
  void take_message(GstMessage* message);
  void start_outputs();
  StreamInfo stream_for(const Sink& sink) const;
  bool sound_allowed(const Sink& sink) const;
  void watch_consent();
  void watch_outputs();
  void adapt();
  uint64_t encoded() const;
  void say(std::string sentence);

  const SessionOptions options_;
  GstRef<GstElement> pipeline_;
  GstRef<GstBus> bus_;
  std::unique_ptr<Source> source_;
  std::vector<Group> groups_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::optional<Adaptation> adaptation_;
  std::vector<std::string> reports_;
  std::string problem_, source_words_, encoder_;
  std::deque<Sample> rates_;
  std::atomic<bool> source_ended_ = false;
  std::atomic<int> asked_bitrate_ = 0;
  bool outputs_started_ = false, finishing_ = false, ended_ = false;
  int64_t first_picture_at_ = 0, finish_by_ = 0, adapted_at_ = 0;
};

}  // namespace sphere::live
