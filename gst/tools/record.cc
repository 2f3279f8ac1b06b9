// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere record: the camera records to its card.

#include <string>
#include <vector>

#include "gst/tools/camera_command.h"
#include "gst/tools/capture_options.h"
#include "gst/tools/fetch.h"
#include "gst/tools/progress.h"
#include "gst/tools/saved_files.h"
#include "hw/card_file.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Records to the camera's card until --duration has passed or Ctrl-C is pressed, and prints "
    "where\n"
    "the video is. With -o, fetches it.\n"
    "Sound is recorded only if you have agreed to it: 'sphere consent give audio --purpose "
    "record'.\n"
    "\n"
    "Kinds: normal, short (--seconds 10, 20 or 30), time-lapse (a picture every --seconds),\n"
    "slow-motion (--slowness 2 or 4), one-lens (--back).\n"
    "\n"
    "Examples:\n"
    "  sphere record --duration 60 -o ride.mp4\n"
    "  sphere record --kind time-lapse --seconds 5\n"
    "  sphere record --stop\n";

constexpr std::chrono::seconds longest_closing{60}, longest_loss{30};

/// A camera goes on recording when it has lost its client, so it is looked for, and then the
/// recording goes on here, too.
std::optional<hw::Failure> find_again(CameraCommand& command, SavedFiles& saved) {
  if (auto failure = command.reconnect(longest_loss)) {
    failure->message += "; if the camera still records, 'sphere record --stop' ends it";
    return failure;
  }
  saved.connected_again();
  if (command.camera().state().recording) return std::nullopt;
  return hw::Failure(hw::Failure::Reason::gone,
                     "the connection to the camera was lost, and the camera does not record any "
                     "more; look for the video with 'sphere files ls'");
}

/// Asks the camera, because a saved file alone says nothing: an earlier recording, whose client did
/// not wait for its file, may be saved only now, and a part of a long one is told, too.
bool is_recording(CameraCommand& command) {
  // Not interrupted, because the camera would go on recording.
  const auto failure = hw::await<std::optional<hw::Failure>>(
      nullptr, [&](auto handler) { command.camera().update_state(std::move(handler)); });
  return !std::get<0>(*failure) && command.camera().state().recording;
}

/// Waits for `seconds` (0: for ever), or until the command is interrupted or the video is saved,
/// and shows the time.
std::optional<hw::Failure> wait_for_end(CameraCommand& command, SavedFiles& saved, int seconds,
                                        std::optional<std::string>& path) {
  Progress progress(!command.printer().quiet && !command.json());
  const gint64 begin = g_get_monotonic_time();
  GPollFD poll = {};
  if (!g_cancellable_make_pollfd(command.cancellable(), &poll)) return std::nullopt;
  std::optional<hw::Failure> failure;
  for (;;) {
    const gint64 passed = (g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
    progress.show_time(static_cast<uint64_t>(passed), static_cast<uint64_t>(seconds));
    if (seconds && passed >= seconds) break;
    path = saved.take();
    if (path && is_recording(command)) path.reset();
    if (path || g_cancellable_is_cancelled(command.cancellable())) break;
    if (!command.client().is_ready()) {
      failure = find_again(command, saved);
      if (failure) break;
      command.printer().warn("the connection to the camera was lost; it records on");
    }
    g_poll(&poll, 1, 200);
  }
  g_cancellable_release_fd(command.cancellable());
  return failure;
}

int record(int argc, char** argv) {
  CameraCommand command("record", "[URI]", "Records to the camera's card.", description);
  CaptureOptions capture({"normal", "short", "time-lapse", "slow-motion", "one-lens"}, "the video");
  double seconds = no_number;
  gint duration = no_integer, slowness = no_integer;
  gboolean stop = FALSE, start = FALSE, mark = FALSE;
  const std::vector<GOptionEntry> options = {
      {"duration", 'd', 0, G_OPTION_ARG_INT, &duration, "End the recording after this time",
       "SECONDS"},
      {"seconds", 's', 0, G_OPTION_ARG_DOUBLE, &seconds,
       "The length of a short video, or the time between two pictures of a time-lapse", "SECONDS"},
      {"slowness", 0, 0, G_OPTION_ARG_INT, &slowness, "2 or 4 times slower", "N"},
      {"start", 0, 0, G_OPTION_ARG_NONE, &start, "Start, and leave the camera recording", nullptr},
      {"stop", 0, 0, G_OPTION_ARG_NONE, &stop, "End a recording that is being made", nullptr},
      {"mark", 0, 0, G_OPTION_ARG_NONE, &mark, "Mark this moment in the recording", nullptr}};
  hw::RecordingRequest request;
  const auto read = [&]() -> Status {
    if (const Status parsed = capture.parse(command, options, argc, argv); !parsed) return parsed;
    request.kind = static_cast<hw::RecordingRequest::Kind>(capture.kind());
    request.back_lens = capture.back_lens();
    if (start + stop + mark > 1)
      return invalid("--start, --stop and --mark can't be used together");
    if (start && is_given(duration))
      return invalid("--start leaves the camera recording; --duration can't be used with it");
    if ((start || mark) && !capture.output().empty())
      return invalid("-o can't be used with --start and --mark, after which there is no video yet");
    for (const Status& used :
         {capture.check_use("--seconds", is_given(seconds), {"short", "time-lapse"}),
          capture.check_use("--slowness", is_given(slowness), {"slow-motion"})})
      if (!used) return used;
    if (is_given(seconds)) {
      if (const Status good = check_range("--seconds", seconds, 0.5, 3600); !good) return good;
      request.seconds = seconds;
    }
    if (is_given(slowness)) {
      if (const Status good = check_range("--slowness", slowness, 2, 8); !good) return good;
      request.slowness = slowness;
    }
    return is_given(duration) ? check_range("--duration", duration, 1, 86400) : ok();
  };
  if (const Status status = read(); !status) return command.usage(status.error().message);
  // Nothing is taken in vain.
  if (!capture.output().empty())
    if (const Status good = check_destination(capture.output(), capture.clobber()); !good)
      return command.fail({hw::Failure::Reason::stopped, good.error().message});
  if (const auto status = command.connect()) return *status;

  SavedFiles saved(command);
  const auto call = [&](auto function) -> std::optional<hw::Failure> {
    // Not interrupted, because the camera would go on recording.
    const auto answer = hw::await<hw::Camera::Answer>(nullptr, function);
    if (std::get<0>(*answer).done) return std::nullopt;
    return std::get<0>(*answer).failure;
  };
  if (mark) {
    const auto failure = call([&](auto handler) { command.camera().mark(std::move(handler)); });
    if (failure && !command.camera().state().recording)
      return command.fail({failure->reason, "the camera is not recording"});
    return failure ? command.fail(*failure) : command.done("Marked.");
  }
  const auto given = [&command] {
    return command.consent().ask(consent::Category::audio, consent::Purpose::record);
  };
  std::optional<std::string> path;
  if (!stop) {
    const consent::Answer sound = given();
    request.with_sound = sound.allowed;
    hw::Camera::Wanted wanted;
    // Consent may be withdrawn while the command is queued.
    if (sound.allowed) wanted = [given] { return given().allowed; };
    if (const auto failure = call([&](auto handler) {
          command.camera().start_recording(request, wanted, std::move(handler));
        }))
      return command.fail(*failure);
    if (!sound.allowed)
      command.printer().warn("the recording is without sound, because you have not agreed to it (" +
                             sound.reason +
                             "); 'sphere consent give audio --purpose record' does that");
    if (start) return command.done("Recording.");
    if (const auto failure = wait_for_end(command, saved, is_given(duration) ? duration : 0, path))
      return command.fail(*failure);
  }
  if (!path) {
    const auto end = [&] {
      return call([&](auto handler) { command.camera().stop(std::move(handler)); });
    };
    std::optional<hw::Failure> failure = end();
    if (failure && hw::may_pass(*failure)) {
      failure = find_again(command, saved);
      if (!failure) failure = end();
    }
    if (failure) return command.fail(*failure);
  }
  // Ctrl-C has ended the recording; the file is still wanted. A second one ends the command.
  if (command.forget_interrupt()) saved.wait_again();
  if (!path) {
    const Result<std::string> next = saved.next(longest_closing);
    if (next)
      path = *next;
    else if (!g_cancellable_is_cancelled(command.cancellable()))
      return command.fail({hw::Failure::Reason::silent, next.error().message});
  }
  JsonWriter json;
  if (!path) {
    if (capture.output().empty()) return command.done("The recording is ended.", &json);
    command.printer().error("interrupted; the recording is ended, its video stays on the card");
    return exit_interrupted;
  }
  json.add("video", *path);
  if (!capture.output().empty()) {
    const auto files =
        fetch_files(command, {*path}, capture.output(), {.clobber = capture.clobber()});
    if (!files) return command.fail({hw::Failure::Reason::stopped, files.error().message});
    json.add("files", *files);
    path = files->front();
  }
  return command.done(*path, &json);
}

const Registration registration({"record", "record to the camera's card", record});

}  // namespace

}  // namespace sphere::tool
