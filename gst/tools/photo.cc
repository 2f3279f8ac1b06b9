// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere photo: the camera takes photos.

#include <chrono>
#include <string>
#include <vector>

#include "gst/tools/camera_command.h"
#include "gst/tools/capture_options.h"
#include "gst/tools/fetch.h"
#include "gst/tools/saved_files.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Takes a photo, or a series of photos, and prints where they are on the camera's card.\n"
    "With -o, fetches them and prints where they are on this machine: into a folder under the "
    "camera's\n"
    "names, or as FILE; several become FILE-1, FILE-2 and so on, before the ending. A raw picture "
    "(DNG)\n"
    "that the camera writes beside a photo is fetched with it.\n"
    "\n"
    "Kinds: single, timed (--seconds 3 to 10), interval (one every --seconds; Ctrl-C or --count "
    "ends\n"
    "it), burst (--count 3, 6 or 10), bracketing (--ev 0.5 to 3), one-lens (--back).\n"
    "Without a number, the camera's own setting is used.\n"
    "\n"
    "Examples:\n"
    "  sphere photo -o room.jpg\n"
    "  sphere photo --kind timed --seconds 10\n"
    "  sphere photo --kind bracketing --ev 1 -o room.jpg\n"
    "  sphere photo --kind interval --seconds 30 --count 20 -o pictures/\n";

// The longest exposure takes 32 s, and the camera needs about as long to process it.
constexpr std::chrono::seconds longest_photo{90};

// During a burst or a bracketing, the camera is asked this often whether it has ended. At its end,
// a file may still come for so long.
constexpr std::chrono::milliseconds between_questions{1000};

/// The files of one command as they are saved.
class SavedPhotos {
 public:
  SavedPhotos(CameraCommand& command, const hw::PhotoRequest& request, bool prints)
      : command_(command),
        prints_(prints),
        longest_(longest_photo + std::chrono::seconds(request.seconds.value_or(10))),
        saved_(command) {}

  const std::vector<std::string>& paths() const { return paths_; }

  /// Waits for so many; 0: until the command is interrupted.
  Status wait_for(int count) {
    while (count == 0 || static_cast<int>(paths_.size()) < count) {
      const Result<SavedFile> file = saved_.next(longest_);
      if (!file) return file.error();
      add(file->path);
    }
    return ok();
  }

  /// Waits until the camera does nothing any more: it tells each file, but not which one is the
  /// last.
  Status wait_for_end() {
    auto until = std::chrono::steady_clock::now() + longest_;
    for (;;) {
      while (const auto file = saved_.take(between_questions)) {
        add(file->path);
        until = std::chrono::steady_clock::now() + longest_;
      }
      if (const auto failure = command_.run(
              [&](auto handler) { command_.camera().update_state(std::move(handler)); }))
        return failed(failure->message);
      if (!command_.camera().state().taking_photos && !paths_.empty()) break;
      if (std::chrono::steady_clock::now() > until) return wait_for(1);
    }
    while (const auto file = saved_.take(between_questions)) add(file->path);
    return ok();
  }

  /// After the end of a series, a photo that was begun is still taken. `counts`: it is one of those
  /// that were asked for.
  void wait_until_idle(bool counts) {
    saved_.wait_again();
    const auto until = std::chrono::steady_clock::now() + longest_;
    while (std::chrono::steady_clock::now() < until) {
      if (command_.run([&](auto handler) { command_.camera().update_state(std::move(handler)); }))
        break;
      const bool is_idle = !command_.camera().state().taking_photos;
      while (const auto file =
                 saved_.take(is_idle ? std::chrono::milliseconds(0) : between_questions))
        if (counts) add(file->path);
      if (is_idle) break;
    }
  }

 private:
  void add(const std::string& path) {
    paths_.push_back(path);
    if (prints_) print(stdout, "%s\n", path.c_str());
  }

  CameraCommand& command_;
  const bool prints_;
  const std::chrono::seconds longest_;
  SavedFiles saved_;
  std::vector<std::string> paths_;
};

int photo(int argc, char** argv) {
  using Kind = hw::PhotoRequest::Kind;
  CameraCommand command("photo", "[URI]", "Takes photos.", description);
  CaptureOptions capture({"single", "timed", "interval", "burst", "bracketing", "one-lens"},
                         "the photos");
  gint seconds = no_integer, count = no_integer;
  double ev = no_number;
  const std::vector<GOptionEntry> options = {
      {"seconds", 's', 0, G_OPTION_ARG_INT, &seconds,
       "Before a timed photo, or between two photos of an interval", "SECONDS"},
      {"count", 'n', 0, G_OPTION_ARG_INT, &count, "The number of photos", "N"},
      {"ev", 0, 0, G_OPTION_ARG_DOUBLE, &ev, "The step of bracketing, 0.5 to 3", "EV"}};
  hw::PhotoRequest request;
  const auto read = [&]() -> Status {
    if (const Status parsed = capture.parse(command, options, argc, argv); !parsed) return parsed;
    request.kind = static_cast<Kind>(capture.kind());
    request.back_lens = capture.back_lens();
    for (const Status& used :
         {capture.check_use("--seconds", is_given(seconds), {"timed", "interval"}),
          capture.check_use("--count", is_given(count), {"interval", "burst"}),
          capture.check_use("--ev", is_given(ev), {"bracketing"})})
      if (!used) return used;
    if (is_given(seconds)) {
      if (const Status good = check_range("--seconds", seconds, 1, 3600); !good) return good;
      request.seconds = seconds;
    }
    if (is_given(count)) {
      if (const Status good = check_range("--count", count, 1, 100000); !good) return good;
      request.count = count;
    }
    if (!is_given(ev)) return ok();
    request.ev_step = ev;
    return check_range("--ev", ev, 0.5, 3);
  };
  if (const Status status = read(); !status) return command.usage(status.error().message);
  // Nothing is taken in vain.
  if (!capture.output().empty())
    if (const Status good = check_destination(capture.output(), capture.clobber()); !good)
      return command.fail({hw::Failure::Reason::stopped, good.error().message});
  if (const auto status = command.connect()) return *status;

  const bool fetches = !capture.output().empty();
  SavedPhotos photos(command, request, !command.json() && !fetches);
  const auto answer = command.wait<hw::Camera::Answer>(
      [&](auto handler) { command.camera().take_photo(request, std::move(handler)); });
  if (!answer) return command.fail(CameraCommand::interrupted());
  if (!std::get<0>(*answer).done) return command.fail(std::get<0>(*answer).failure);

  const bool is_series = request.kind == Kind::interval;
  // Without a number, only the camera knows how many it takes.
  const bool until_end =
      request.kind == Kind::bracketing || (request.kind == Kind::burst && !request.count);
  const Status taken = until_end ? photos.wait_for_end()
                                 : photos.wait_for(is_series ? request.count.value_or(0)
                                                   : request.kind == Kind::burst ? *request.count
                                                                                 : 1);
  // A series or a timer goes on in the camera until it is told to stop.
  const bool is_cancelled = g_cancellable_is_cancelled(command.cancellable());
  if (is_series || (is_cancelled && request.kind == Kind::timed))
    (void)hw::await<hw::Camera::Answer>(
        nullptr, [&](auto handler) { command.camera().stop(std::move(handler)); });
  // Ctrl-C ends the series; a second one ends the command.
  bool ended_by_person = false;
  if (is_series) {
    ended_by_person = command.forget_interrupt();
    if (taken || ended_by_person) photos.wait_until_idle(ended_by_person);
  }
  if (ended_by_person && photos.paths().empty()) return exit_interrupted;
  if (!taken && !ended_by_person)
    return command.fail({hw::Failure::Reason::silent, taken.error().message});
  JsonWriter json;
  json.add("photos", photos.paths());
  if (fetches) {
    const auto files =
        fetch_files(command, photos.paths(), capture.output(),
                    {.clobber = capture.clobber(), .companions = true, .numbers = true});
    if (!files) return command.fail({hw::Failure::Reason::stopped, files.error().message});
    json.add("files", files->files);
    for (const std::string& file : files->files)
      if (!command.json() && !command.printer().quiet) print(stdout, "%s\n", file.c_str());
  }
  return !command.json() || print(json) ? exit_done : exit_failed;
}

const Registration registration({"photo", "take photos", photo});

}  // namespace

}  // namespace sphere::tool
