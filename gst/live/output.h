// SPDX-License-Identifier: LGPL-2.1-or-later
// One place to which a live stream goes: what it needs, the element that takes the stream, and how
// it is doing. The session and `spherelivesink` use outputs only through this interface.

#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/live/target.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/decision.h"

namespace sphere::live {

/// In what form an output takes pictures.
enum class VideoForm {
  h264,  ///< video/x-h264, stream-format=byte-stream, alignment=au, with SPS and PPS at key frames
  h265,  ///< video/x-h265, the same
  raw,   ///< video/x-raw, in any format that `spherestitch` gives
};

/// In what form an output takes sound.
enum class AudioForm {
  none,  ///< it takes none
  aac,   ///< audio/mpeg, mpegversion=4, stream-format=raw, AAC-LC
  opus,  ///< audio/x-opus
  raw,   ///< audio/x-raw
};

/// The profiles of H.264 in rising order. An output gets the one it names or a lower one.
enum class H264Profile { constrained_baseline, main, high };

/// What an output needs of the session. Outputs with the same form and size share one encoding,
/// with the lowest profile and the shortest distance of key frames that one of them names.
struct OutputNeeds {
  VideoForm video = VideoForm::h264;
  H264Profile profile = H264Profile::high;
  /// The widest picture, in pixels; 0: any. A wider stream is encoded for it once more, smaller.
  int max_width = 0;
  /// The longest time between two key frames, in seconds.
  double key_interval = 2.0;
  AudioForm audio = AudioForm::aac;
  /// For which purposes sound and places need consent. All must be allowed.
  consent::Purposes audio_purposes = 0, location_purposes = 0;
  /// Whether pictures of another size can follow in the same stream, with a key frame and new caps.
  /// Otherwise the session ends the element and opens another one.
  bool takes_new_sizes = true;
  /// Whether nothing may be missing between two of its elements, as in the parts of a recording.
  /// What comes while one ends and the next one opens is then kept for that.
  bool gapless = false;
  /// After this time, in seconds, the next key frame begins a new element; 0: never.
  double part_seconds = 0;
  /// Whether the buffers at its sinks have the presentation times of the pictures in them. Where a
  /// muxer gives them others, the latency is that of the last picture that was given to the
  /// element.
  bool keeps_times = true;
  /// Whether it may be the reason that the encoder gets a lower bit rate. A file or a window is
  /// not.
  bool adapts = false;
};

enum class OutputState {
  connecting,  ///< it is being opened, or waits for the first key frame
  running,     ///< pictures pass
  failing,     ///< it runs, but not well: pictures are dropped
  waiting,     ///< it failed, and is tried again after a pause
  ended,       ///< it has ended, and is not tried again
};

std::string_view name_of(OutputState state);

struct OutputStatus {
  OutputState state = OutputState::connecting;
  /// What happened and what to do, as one sentence for a person; "" where all is well.
  std::string words;
  uint64_t bytes = 0;    ///< coded bytes that were given to its element
  uint64_t frames = 0;   ///< pictures that were given to its element
  uint64_t dropped = 0;  ///< pictures that were not, because it was too slow or not connected
  /// From the capture of a picture to the moment when it leaves this process; NONE: not known yet.
  GstClockTime latency = GST_CLOCK_TIME_NONE;
  unsigned reconnects = 0;
  /// Whether the network passes nothing at the moment. A lower bit rate would not help.
  bool unanswered = false;
  /// Whether it has a sound track.
  bool sound = false;
  /// Clients of a server; nothing where the output does not count them.
  std::optional<unsigned> viewers;
  /// What a person should know while all is well, such as the fingerprint of a certificate; ""
  /// where there is nothing.
  std::string note;
  /// Addresses that a person can open, such as the links of a page, most useful first.
  std::vector<std::string> links;
};

/// What an output is told about the stream before it opens. The same until the element is closed.
struct StreamInfo {
  int width = 0, height = 0;
  int fps_n = 30, fps_d = 1;
  int bitrate = 0;  ///< of the pictures, kbit/s
  /// Whether sound comes: the source has it, and consent for all purposes of the output exists. The
  /// element then has a pad `audio`. It may fall silent at any time; no output may hold sound back.
  bool audio = false;
  /// For elements that ask for consent themselves, such as spheremp4tag: the text of the caps
  /// (nothing: not set) and the name of the ledger (nothing: none).
  std::optional<std::string> consent, ledger;
  /// The clock time (UTC, microseconds since 1970) of the running time 0.
  int64_t utc_of_running_time_0 = 0;
  /// Whether the pictures are equirectangular, and so must be marked as 360.
  bool spherical = true;
};

/// An output. It lives as long as the session. All functions are called by the one thread of its
/// runner, except where other threads are named; none may block for longer than some 100 ms.
///
///   make_output(target) → [ open() → element in PLAYING … → NULL → closed() ]*  → destructor
///
/// The runner puts the element of open() into a pipeline of its own, which has the clock and the
/// base time of the session's pipeline. An error message from it therefore reaches nobody else: the
/// runner takes the element to NULL, drops it, calls closed(), and calls open() again after a
/// pause. The element sees:
/// - a first picture that is a key frame, buffers with presentation times that are running times of
///   the session (the segment begins at 0), and EOS at the end, which the element must answer by
///   EOS of all its sinks within `end_timeout`;
/// - leaky queues before it: if it blocks, pictures up to the next key frame are dropped there.
/// Events GstForceKeyUnit that the element sends upstream out of its pad `video` reach the encoder.
class Output {
 public:
  virtual ~Output() = default;

  /// Constant from construction on.
  virtual const OutputNeeds& needs() const = 0;

  /// A new bin, floating, in NULL, with the ghost sink pad `video` and, if `stream.audio` is set,
  /// `audio`. An error ends this attempt like one on the bus. `is_final()` tells which errors are
  /// not worth another attempt.
  virtual Result<GstElement*> open(const StreamInfo& stream) = 0;
  /// Why an element is dropped: it failed or was stopped, another follows at once (it had EOS), or
  /// the stream has ended (likewise).
  enum class Closed { broken, replaced, ended };
  /// The element of the last open() is in NULL and is dropped after this.
  virtual void closed(Closed why) { (void)why; }

  /// An error message of the element or of an element inside it, in the thread that posts it. What
  /// the runner does follows later.
  virtual void take_error(GstMessage* error) { (void)error; }
  /// The same message in the runner's thread. Returns a sentence with what to do where
  /// the output knows the error better than the message does, else "".
  virtual std::string explain(GstMessage* error) {
    (void)error;
    return {};
  }
  /// For how long, in microseconds, the other end has answered nothing although data was sent; 0:
  /// it answers, or that is not known. Called some four times a second while pictures pass.
  virtual int64_t unanswered() { return 0; }
  /// After a failure: whether another attempt has a chance. Asked some twenty times a second before
  /// the next open(); after a minute it is tried all the same.
  virtual bool has_chance() { return true; }
  /// Whether the other end takes the stream. False: the element still waits for that, although it
  /// has got pictures. Called before they count as sent.
  virtual bool accepted() { return true; }
  /// The element has failed, and will be taken to NULL and dropped after this.
  virtual void abandon() {}
  /// Whether the last error of open() or explain() can't go away by trying again, such as a wrong
  /// setting. The output then becomes `ended`.
  virtual bool is_final() const { return false; }

  /// Adds what only the output knows: viewers, links, words while it runs. Any thread may call.
  virtual void describe(OutputStatus* status) const { (void)status; }

 protected:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
};

/// How long an element may take from EOS to the end.
inline constexpr GstClockTime end_timeout = 5 * GST_SECOND;

/// Makes outputs of one kind. Checks everything that can be checked without opening anything, such
/// as names and values of settings, and whether the GStreamer elements that it needs are installed.
using OutputFactory = Result<std::unique_ptr<Output>> (*)(const Target& target);

/// Each kind's file registers its factory by a static object:
///   const OutputRegistration registration(TargetKind::web, make_web_output);
class OutputRegistration {
 public:
  OutputRegistration(TargetKind kind, OutputFactory factory);
};

/// The error names the kind if this build has no factory for it.
Result<std::unique_ptr<Output>> make_output(const Target& target);

/// The purposes for which sound and places need consent at this target: on this machine `live`, in
/// a file `record` and `geotag`; where they leave this machine, `share` besides.
consent::Purposes audio_purposes(const Target& target);
consent::Purposes location_purposes(const Target& target);

}  // namespace sphere::live
