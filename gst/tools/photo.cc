// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere photo: the camera takes photos.

#include <cmath>
#include <string>
#include <vector>

#include "gst/tools/camera_command.h"
#include "gst/tools/fetch.h"
#include "gst/tools/saved_files.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Takes a photo, or a series of photos, and prints where it is on the camera's card.\n"
    "With -o, fetches it: -o FILE for one photo, -o FOLDER for any number.\n"
    "\n"
    "Kinds: single, timed (--seconds 3 to 10), interval (one every --seconds; Ctrl-C or --count "
    "ends\n"
    "it), burst (--count 3, 6 or 10), bracketing (--ev 0.5 to 3), one-lens (--back).\n"
    "Without a number, the camera's own setting is used.\n"
    "\n"
    "Examples:\n"
    "  sphere photo -o room.jpg\n"
    "  sphere photo --kind timed --seconds 10\n"
    "  sphere photo --kind interval --seconds 30 --count 20 -o pictures/\n";

// The longest exposure takes 32 s, and the camera needs about as long to process it.
constexpr std::chrono::seconds longest_photo{90};

const std::vector<std::string> kinds = {"single", "timed",      "interval",
                                        "burst",  "bracketing", "one-lens"};

int photos_of(const hw::PhotoRequest& request, int count) {
  switch (request.kind) {
    case hw::PhotoRequest::Kind::interval:
      return count;
    case hw::PhotoRequest::Kind::burst:
      // Without a number, only the camera knows how many it takes; the first one is waited for.
      return request.count.value_or(1);
    case hw::PhotoRequest::Kind::bracketing:
      return 1;
    default:
      return 1;
  }
}

int photo(int argc, char** argv) {
  CameraCommand command("photo", "[URI]", "Takes photos.", description);
  g_autofree char* kind = nullptr;
  g_autofree char* output = nullptr;
  gint seconds = 0, count = 0;
  double ev = 0;
  gboolean back = FALSE, no_clobber = FALSE;
  const std::vector<GOptionEntry> options = {
      {"kind", 'k', 0, G_OPTION_ARG_STRING, &kind,
       "single, timed, interval, burst, bracketing or one-lens (default: single)", "KIND"},
      {"seconds", 's', 0, G_OPTION_ARG_INT, &seconds,
       "Before a timed photo, or between two photos of an interval", "SECONDS"},
      {"count", 'n', 0, G_OPTION_ARG_INT, &count, "The number of photos", "N"},
      {"ev", 0, 0, G_OPTION_ARG_DOUBLE, &ev, "The step of bracketing, 0.5 to 3", "EV"},
      {"back", 0, 0, G_OPTION_ARG_NONE, &back, "With one-lens: the lens on the back", nullptr},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Fetch the photos", "FILE|FOLDER"},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if the file exists", nullptr}};
  hw::PhotoRequest request;
  const auto read = [&]() -> Status {
    if (const Status parsed = command.parse(options, false, argc, argv); !parsed) return parsed;
    if (!command.words().empty())
      return invalid("'" + command.words()[0] + "' is not the URI of a camera");
    if (kind) {
      const Result<int> chosen = choose("--kind", kind, kinds);
      if (!chosen) return chosen.error();
      request.kind = static_cast<hw::PhotoRequest::Kind>(*chosen);
    }
    if (seconds) request.seconds = seconds;
    if (count) request.count = count;
    if (ev != 0) request.ev_step = ev;
    if (request.kind == hw::PhotoRequest::Kind::one_lens) request.back_lens = back;
    if (const Status good = check_range("--seconds", seconds, 0, 3600); !good) return good;
    if (const Status good = check_range("--count", count, 0, 100000); !good) return good;
    return check_range("--ev", ev, 0, 3);
  };
  if (const Status status = read(); !status) return command.usage(status.error().message);
  if (const auto status = command.connect()) return *status;

  SavedFiles saved(command);
  const auto answer = command.wait<hw::Camera::Answer>(
      [&](auto handler) { command.camera().take_photo(request, std::move(handler)); });
  if (!answer) return command.fail(CameraCommand::interrupted());
  if (!std::get<0>(*answer).done) return command.fail(std::get<0>(*answer).failure);

  const bool is_series = request.kind == hw::PhotoRequest::Kind::interval;
  const int wanted = is_series ? count : photos_of(request, count);
  std::vector<std::string> paths;
  std::optional<Error> problem;
  while (is_series && wanted == 0 ? true : static_cast<int>(paths.size()) < wanted) {
    const Result<std::string> path =
        saved.next(longest_photo + std::chrono::seconds(request.seconds.value_or(10)));
    if (!path) {
      if (!(is_series && g_cancellable_is_cancelled(command.cancellable()))) problem = path.error();
      break;
    }
    paths.push_back(*path);
    if (!command.json() && !output) print(stdout, "%s\n", path->c_str());
  }
  // The series goes on in the camera until it is told to stop, also after Ctrl-C.
  if (is_series)
    (void)hw::await<hw::Camera::Answer>(
        nullptr, [&](auto handler) { command.camera().stop(std::move(handler)); });
  if (problem) return command.fail({hw::Failure::Reason::silent, problem->message});
  std::vector<std::string> fetched;
  if (output) {
    const Result<std::vector<std::string>> files =
        fetch_files(command, paths, output, {.clobber = !no_clobber});
    if (!files) return command.fail({hw::Failure::Reason::stopped, files.error().message});
    fetched = *files;
  }
  if (!command.json()) return exit_done;
  JsonWriter json;
  json.add("photos", paths);
  if (output) json.add("files", fetched);
  return print(json) ? exit_done : exit_failed;
}

const Registration registration({"photo", "take photos", photo});

}  // namespace

}  // namespace sphere::tool
