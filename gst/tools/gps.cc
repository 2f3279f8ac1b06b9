// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere gps: tells a camera where it is.

#include <string>

#include "gst/sphere/consent/position.h"
#include "gst/tools/camera_command.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Tells the camera where it is; it writes the position into its photos and videos.\n"
    "POSITION is LATITUDE,LONGITUDE[,ALTITUDE] in degrees and metres. --every sends it again and\n"
    "again until Ctrl-C, as the camera's app does.\n"
    "Needs your consent: 'sphere consent give location --purpose camera'. The position is rounded "
    "to\n"
    "the precision that you have agreed to.\n"
    "\n"
    "Examples:\n"
    "  sphere gps 48.2082,16.3738\n"
    "  sphere gps --every 5 -- -33.8688,151.2093,58\n";

int gps(int argc, char** argv) {
  CameraCommand command("gps", "[URI] POSITION", "Tells the camera where it is.", description);
  gint every = no_integer;
  const std::vector<GOptionEntry> options = {{"every", 0, 0, G_OPTION_ARG_INT, &every,
                                              "Send it again after this time, 1 to 60", "SECONDS"}};
  if (const Status parsed = command.parse(options, false, argc, argv); !parsed)
    return command.usage(parsed.error().message);
  if (command.words().size() != 1)
    return command.usage(
        "one POSITION is needed: LATITUDE,LONGITUDE or LATITUDE,LONGITUDE,ALTITUDE");
  const Result<Position> position = parse_position(command.words()[0]);
  if (!position) return command.usage(position.error().message);
  if (is_given(every))
    if (const Status good = check_range("--every", every, 1, 60); !good)
      return command.usage(good.error().message);
  const auto given = [&command] {
    return command.consent().ask(consent::Category::location, consent::Purpose::camera);
  };
  if (const consent::Answer answer = given(); !answer.allowed)
    return command.fail({hw::Failure::Reason::refused,
                         "you have not agreed to tell the camera where it is (" + answer.reason +
                             "); 'sphere consent give location --purpose camera' does that"});
  if (const auto status = command.connect()) return *status;
  for (;;) {
    // Consent may be withdrawn while this runs.
    const consent::Answer answer = given();
    if (!answer.allowed)
      return command.fail(
          {hw::Failure::Reason::refused, "consent was withdrawn: " + answer.reason});
    const Position place = consent::rounded(*position, answer.precision);
    const auto reply = command.wait<hw::Camera::Answer>([&](auto handler) {
      command.camera().set_position(
          {place.latitude, place.longitude, place.altitude.value_or(0)},
          [given] { return given().allowed; }, std::move(handler));
    });
    if (!reply) break;
    if (!std::get<0>(*reply).done) return command.fail(std::get<0>(*reply).failure);
    if (!is_given(every)) break;
    GPollFD poll = {};
    if (!g_cancellable_make_pollfd(command.cancellable(), &poll)) break;
    g_poll(&poll, 1, every * 1000);
    g_cancellable_release_fd(command.cancellable());
    if (g_cancellable_is_cancelled(command.cancellable())) break;
  }
  return command.done("The camera has the position.");
}

const Registration registration({"gps", "tell a camera where it is", gps});

}  // namespace

}  // namespace sphere::tool
