// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere record: the camera records to its card.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gst/tools/camera_command.h"
#include "gst/tools/capture_options.h"
#include "gst/tools/fetch.h"
#include "gst/tools/progress.h"
#include "gst/tools/saved_files.h"
#include "gst/tools/untold_parts.h"
#include "hw/card_file.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Records to the camera's card until --duration has passed or Ctrl-C is pressed, and prints "
    "where\n"
    "the video is. With -o, fetches it. Of a recording that the camera cuts into parts, each part "
    "is\n"
    "printed and fetched: FILE, FILE-2, FILE-3 and so on, before the ending.\n"
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

constexpr const char* only_on_card =
    "If it cuts recordings into parts, one that it has closed meanwhile is on the card only: "
    "'sphere "
    "files ls' lists it";

std::string in_lines(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : "\n") + word;
  return all;
}

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
/// not wait for its file, may be saved only now.
bool is_recording(CameraCommand& command) {
  // Not interrupted, because the camera would go on recording.
  const auto failure = hw::await<std::optional<hw::Failure>>(
      nullptr, [&](auto handler) { command.camera().update_state(std::move(handler)); });
  return !std::get<0>(*failure) && command.camera().state().recording;
}

/// The files of one recording, relative to the card, in their order. A camera may cut a recording
/// into parts.
struct RecordedFiles {
  std::vector<std::string> paths;
  bool has_last = false;

  void add(const SavedFile& file) {
    if (std::ranges::find(paths, file.path) == paths.end()) paths.push_back(file.path);
    has_last = !file.is_part;
  }
};

/// Waits for `seconds` (0: for ever), or until the command is interrupted or the last file is
/// saved, and shows the time.
std::optional<hw::Failure> wait_for_end(CameraCommand& command, SavedFiles& saved, int seconds,
                                        RecordedFiles& files, UntoldParts* untold) {
  Progress progress(!command.printer().quiet && !command.json());
  const gint64 begin = g_get_monotonic_time();
  GPollFD poll = {};
  if (!g_cancellable_make_pollfd(command.cancellable(), &poll)) return std::nullopt;
  std::optional<hw::Failure> failure;
  for (;;) {
    const gint64 passed = (g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
    progress.show_time(static_cast<uint64_t>(passed), static_cast<uint64_t>(seconds));
    // First of all: what is saved before the end that follows is not its last file.
    while (!files.has_last) {
      const std::optional<SavedFile> file = saved.take();
      if (!file) break;
      if (file->is_part || !is_recording(command)) files.add(*file);
    }
    if (files.has_last || (seconds && passed >= seconds)) break;
    if (g_cancellable_is_cancelled(command.cancellable())) break;
    if (!command.client().is_ready()) {
      failure = find_again(command, saved);
      if (failure) break;
      const std::string sentence = "the connection to the camera was lost; it records on";
      // Otherwise the parts are searched at the end.
      command.printer().warn(untold ? sentence : sentence + ". " + only_on_card);
      if (untold) untold->go_on(command);
    }
    g_poll(&poll, 1, 200);
  }
  g_cancellable_release_fd(command.cancellable());
  return failure;
}

/// Fetches them, and prints where they are on this machine. Returns an exit status.
int fetch_recorded(CameraCommand& command, const std::vector<std::string>& paths,
                   const std::string& output, bool clobber, JsonWriter& json) {
  const auto fetched = fetch_files(command, paths, output, {.clobber = clobber, .parts = true});
  if (!fetched) return command.fail({hw::Failure::Reason::stopped, fetched.error().message});
  json.add("files", fetched->files);
  if (!fetched->problems.empty()) json.add("problems", fetched->problems);
  const int printed = fetched->files.empty() && !command.json()
                          ? exit_done
                          : command.done(in_lines(fetched->files), &json);
  if (fetched->problems.empty()) return printed;
  if (paths.size() == 1)
    return command.fail({hw::Failure::Reason::stopped, fetched->problems.front()});
  for (const std::string& problem : fetched->problems) command.printer().error(problem);
  return command.fail({hw::Failure::Reason::stopped,
                       std::to_string(fetched->files.size()) + " of the " +
                           std::to_string(paths.size()) +
                           " parts of the recording were fetched; 'sphere files get' fetches one "
                           "that is on the card"});
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
  RecordedFiles recorded;
  // What is fetched is to be whole.
  std::optional<UntoldParts> untold;
  if (!stop && !capture.output().empty()) {
    untold.emplace();
    if (const auto failure = untold->note_card(command)) return command.fail(*failure);
  }
  if (!stop) {
    const consent::Answer sound = given();
    request.with_sound = sound.allowed;
    hw::Camera::Wanted wanted;
    // Consent may be withdrawn while the command is queued.
    if (sound.allowed) wanted = [given] { return given().allowed; };
    if (const auto failure = call([&](auto handler) {
          command.camera().start_recording(
              request, wanted, [&saved, handler = std::move(handler)](const auto& answer) {
                // What was told before belongs to an earlier recording.
                saved.forget();
                handler(answer);
              });
        }))
      return command.fail(*failure);
    if (untold) untold->begin();
    if (!sound.allowed)
      command.printer().warn("the recording is without sound, because you have not agreed to it (" +
                             sound.reason +
                             "); 'sphere consent give audio --purpose record' does that");
    if (start) return command.done("Recording.");
    if (const auto failure = wait_for_end(command, saved, is_given(duration) ? duration : 0,
                                          recorded, untold ? &*untold : nullptr))
      return command.fail(*failure);
  }
  if (!recorded.has_last) {
    const auto end = [&] {
      return call([&](auto handler) { command.camera().stop(std::move(handler)); });
    };
    std::optional<hw::Failure> failure = end();
    if (failure && hw::may_pass(*failure)) {
      failure = find_again(command, saved);
      if (!failure && untold) untold->go_on(command);
      if (!failure) failure = end();
    }
    if (failure) return command.fail(*failure);
  }
  // Ctrl-C has ended the recording; the file is still wanted. A second one ends the command.
  if (command.forget_interrupt()) saved.wait_again();
  while (!recorded.has_last) {
    const Result<SavedFile> next = saved.next(longest_closing);
    if (!next && g_cancellable_is_cancelled(command.cancellable())) break;
    if (!next)
      return command.fail(
          {hw::Failure::Reason::silent,
           next.error().message + (recorded.paths.empty()
                                       ? std::string()
                                       : "; on the card are its parts " + listed(recorded.paths))});
    recorded.add(*next);
  }
  JsonWriter json;
  if (!recorded.has_last) {
    if (capture.output().empty()) return command.done("The recording is ended.", &json);
    command.printer().error("interrupted; the recording is ended, its video stays on the card");
    return exit_interrupted;
  }
  if (untold) {
    if (auto all = untold->complete(command, recorded.paths))
      recorded.paths = std::move(*all);
    else
      command.printer().warn("the connection to the camera was lost. " + std::string(only_on_card));
  }
  json.add("video", recorded.paths.front());
  json.add("videos", recorded.paths);
  if (capture.output().empty()) return command.done(in_lines(recorded.paths), &json);
  return fetch_recorded(command, recorded.paths, capture.output(), capture.clobber(), json);
}

const Registration registration({"record", "record to the camera's card", record});

}  // namespace

}  // namespace sphere::tool
