// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere geotag: puts a position into a file.

#include <glib.h>
#include <gst/gst.h>

#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/position.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/position.h"
#include "gst/tools/command.h"
#include "gst/tools/media_command.h"

namespace sphere::tool {

namespace {

using consent::Category;
using consent::Purpose;

constexpr const char* description =
    "IN and OUT are files, or folders. The position replaces all positions that IN has, in all "
    "the forms\n"
    "that players read: Exif and XMP in a photo; ISO 6709, 3GPP or QuickTime's in a video.\n"
    "\n"
    "It is written only with your consent, rounded as you gave it:\n"
    "  sphere consent give location --purpose geotag\n"
    "\n"
    "Examples:\n"
    "  sphere geotag panorama.jpg tagged.jpg --position 48.8584,2.2945,324\n"
    "  sphere geotag ride.mp4 tagged.mp4 --position 48.86,2.29 \\\n"
    "    --consent 'consent/location, state=given, purpose=geotag, precision=city'\n";

/// Where the position may be written, and how exact.
Result<consent::Precision> ask(const char* caps, const char* ledger) {
  consent::Consent consent;
  if (caps) {
    const CapsRef parsed(gst_caps_from_string(caps));
    if (!parsed) return invalid("--consent: these are no caps: see 'sphere consent caps'");
    consent.set_caps(parsed.get());
  }
  if (ledger || !caps)
    if (const Status opened = consent.set_ledger(ledger ? ledger : "default"); !opened)
      return opened.error();
  const consent::Answer answer = consent.ask(Category::location, Purpose::geotag);
  if (!answer.allowed)
    return invalid("location is not given for geotag (" + answer.reason +
                   "); to give it: sphere consent give location --purpose geotag");
  return answer.precision;
}

int geotag(int argc, char** argv) {
  MediaCommand command("geotag", "Puts a position into photos and videos.", description, false);
  g_autofree char* position = nullptr;
  g_autofree char* caps = nullptr;
  g_autofree char* ledger = nullptr;
  const std::vector<GOptionEntry> options = {
      {"position", 'p', 0, G_OPTION_ARG_STRING, &position,
       "Decimal degrees north and east, and metres above the sea", "LAT,LON[,ALT]"},
      {"consent", 0, 0, G_OPTION_ARG_STRING, &caps, "What is given, as caps", "CAPS"},
      {"ledger", 0, 0, G_OPTION_ARG_FILENAME, &ledger,
       "The consent ledger (default: your own, unless --consent is there)", "FILE|default"}};
  std::optional<Position> where;
  const auto read = [&]() -> Status {
    if (const Status parsed = command.parse(options, argc, argv); !parsed) return parsed;
    if (!position) return invalid("--position is missing");
    const Result<Position> parsed = parse_position(position);
    if (!parsed) return invalid("--position: " + parsed.error().message);
    where = *parsed;
    return ok();
  };
  if (const Status status = read(); !status) {
    command.printer().error(status.error().message);
    return exit_usage;
  }
  gst_init(nullptr, nullptr);
  const Result<consent::Precision> precision = ask(caps, ledger);
  if (!precision) {
    command.printer().error(precision.error().message);
    return exit_failed;
  }
  media::Request request;
  request.position = consent::rounded(*where, *precision);
  return command.run([&](const MediaJob&) { return Result<media::Request>(request); },
                     [](const media::Examination&) -> std::string { return "has the position"; });
}

const Registration registration({"geotag", "put a position into a file", geotag});

}  // namespace

}  // namespace sphere::tool
