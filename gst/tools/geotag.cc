// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere geotag: puts a position into a file.

#include <glib.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/position.h"
#include "gst/sphere/consent/guard.h"
#include "gst/sphere/consent/position.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/capture_time.h"
#include "gst/sphere/media/gpx.h"
#include "gst/tools/command.h"
#include "gst/tools/consent_option.h"
#include "gst/tools/media_command.h"

namespace sphere::tool {

namespace {

using consent::Category;
using consent::Purpose;

constexpr const char* description =
    "IN and OUT are files, or folders. The position replaces all places that IN tells, in all the "
    "forms\n"
    "that players read: Exif and XMP in a photo; ISO 6709, 3GPP or QuickTime's in a video. What "
    "is not\n"
    "known goes, too, because it may tell another place.\n"
    "\n"
    "With --gpx the position is that of the track at the time that IN tells, between two points "
    "on the\n"
    "straight line between them. MP4 and MOV files get a track with all positions, too (CAMM). A "
    "photo\n"
    "without a time zone has the time of this computer's zone. If the clock of the camera was "
    "wrong by\n"
    "some time, --offset adds it.\n"
    "\n"
    "It is written only with your consent, rounded as you gave it:\n"
    "  sphere consent give location --purpose geotag\n"
    "\n"
    "Examples:\n"
    "  sphere geotag panorama.jpg tagged.jpg --position 48.8584,2.2945,324\n"
    "  sphere geotag DCIM/ tagged/ --gpx walk.gpx --offset -1:00\n"
    "  sphere geotag ride.mp4 tagged.mp4 --position 48.86,2.29 \\\n"
    "    --consent 'consent/location, state=given, purpose=geotag, precision=city'\n";

constexpr int64_t second_us = 1'000'000;
constexpr int64_t longest_offset = int64_t{10} * 365 * 24 * 3600;  // a clock that was never set

/// `SECONDS`, `H:MM` or `H:MM:SS` with or without a sign, as microseconds.
Result<int64_t> parse_offset(const char* text) {
  const bool negative = *text == '-';
  if (negative || *text == '+') ++text;
  std::vector<int64_t> parts;
  for (const char* at = text;; ++at) {
    char* end = nullptr;
    if (!g_ascii_isdigit(*at)) return invalid("--offset is SECONDS, H:MM or H:MM:SS");
    parts.push_back(g_ascii_strtoll(at, &end, 10));
    at = end;
    if (*at == '\0') break;
    if (*at != ':' || parts.size() == 3) return invalid("--offset is SECONDS, H:MM or H:MM:SS");
  }
  int64_t seconds = parts[0];
  for (const int64_t part : parts)
    if (part > longest_offset) return invalid("--offset is more than ten years");
  for (size_t i = 1; i < parts.size(); ++i)
    if (parts[i] > 59) return invalid("--offset has more than 59 minutes or seconds");
  if (parts.size() > 1) seconds = parts[0] * 3600 + parts[1] * 60;
  if (parts.size() > 2) seconds += parts[2];
  if (seconds > longest_offset) return invalid("--offset is more than ten years");
  return (negative ? -seconds : seconds) * second_us;
}

/// As if the clock of this computer had shown a time, which is given as if it were UTC.
int64_t from_local_time(int64_t time_us) {
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time_us / second_us);
  g_autoptr(GDateTime) local =
      utc ? g_date_time_new_local(g_date_time_get_year(utc), g_date_time_get_month(utc),
                                  g_date_time_get_day_of_month(utc), g_date_time_get_hour(utc),
                                  g_date_time_get_minute(utc), g_date_time_get_second(utc))
          : nullptr;
  return local ? time_us - g_date_time_get_utc_offset(local) : time_us;
}

std::string utc_text(int64_t time_us) {
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_us / second_us);
  g_autofree char* text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC") : nullptr;
  return text ? text : "an unknown time";
}

/// A request with the positions at the time of one file.
EditResult<media::Request> place_file(const MediaJob& job, const media::GpxTrack& track,
                                      int64_t offset_us, consent::Precision precision,
                                      media::Request request) {
  const auto refused = [](const std::string& sentence) {
    return EditError{invalid(sentence), exit_unexamined};
  };
  media::Request all_parts;
  all_parts.makers = makers::all();
  const EditResult<media::Examination> examined = examine_file(job.input, all_parts);
  if (const auto* error = std::get_if<EditError>(&examined)) return *error;
  const auto& found = std::get<media::Examination>(examined);
  const std::optional<media::CaptureTime> time = media::capture_time(found);
  if (!time) return refused(job.input + ": does not tell when it was made");
  const int64_t begin =
      (time->zone_known ? time->time_us : from_local_time(time->time_us)) + offset_us;
  for (const media::TimedPosition& each : track.from(begin)) {
    if (each.time_ns > 0 && each.time_ns >= found.duration_ns) break;
    const Position position = consent::rounded(each.position, precision);
    const auto same = [&](const Position& other) {
      return position.latitude == other.latitude && position.longitude == other.longitude &&
             position.altitude == other.altitude;
    };
    if (!request.positions.empty() && same(request.positions.back().position)) continue;
    request.positions.push_back({each.time_ns, position});
  }
  if (request.positions.empty())
    return refused(job.input + ": the track has no position at " + utc_text(begin) +
                   "; it is from " + utc_text(track.begin()) + " to " + utc_text(track.end()) +
                   " (see --offset)");
  request.position = request.positions.front().position;
  return request;
}

/// Where the position may be written, and how exact.
Result<consent::Precision> ask(const ConsentOption& options) {
  consent::Consent consent;
  if (const Status opened = options.open(&consent); !opened) return opened.error();
  const consent::Answer answer = consent.ask(Category::location, Purpose::geotag);
  if (!answer.allowed)
    return invalid("location is not given for geotag (" + answer.reason +
                   "); to give it: sphere consent give location --purpose geotag");
  return answer.precision;
}

int geotag(int argc, char** argv) {
  MediaCommand command("geotag", "Puts a position into photos and videos.", description, false);
  g_autofree char* position = nullptr;
  g_autofree char* gpx = nullptr;
  g_autofree char* offset = nullptr;
  ConsentOption consent;
  std::vector<GOptionEntry> options = {
      {"position", 'p', 0, G_OPTION_ARG_STRING, &position,
       "Decimal degrees north and east, and metres above the sea", "LAT,LON[,ALT]"},
      {"gpx", 'g', 0, G_OPTION_ARG_FILENAME, &gpx, "The track of a GPS receiver, instead", "FILE"},
      {"offset", 0, 0, G_OPTION_ARG_STRING, &offset,
       "Add this to the time of the file: [-]SECONDS, [-]H:MM or [-]H:MM:SS", "TIME"},
  };
  for (const GOptionEntry& entry : consent.entries()) options.push_back(entry);
  std::optional<Position> where;
  std::optional<media::GpxTrack> track;
  int64_t offset_us = 0;
  const auto read = [&]() -> Status {
    if (const Status parsed = command.parse(options, argc, argv); !parsed) return parsed;
    if (!position == !gpx) return invalid("--position or --gpx is needed, and not both");
    if (offset) {
      if (!gpx) return invalid("--offset needs --gpx");
      const Result<int64_t> parsed = parse_offset(offset);
      if (!parsed) return parsed.error();
      offset_us = *parsed;
    }
    if (gpx) return ok();
    const Result<Position> parsed = parse_position(position);
    if (!parsed) return invalid("--position: " + parsed.error().message);
    where = *parsed;
    return ok();
  };
  if (const Status status = read(); !status) {
    command.printer().error(status.error().message);
    return exit_usage;
  }
  init_without_plugins();
  if (const Result<consent::Precision> precision = ask(consent); !precision) {
    command.printer().error(precision.error().message);
    return exit_failed;
  }
  if (gpx) {
    Result<media::GpxTrack> parsed = media::GpxTrack::read(gpx);
    if (!parsed) {
      command.printer().error(parsed.error().message);
      return exit_failed;
    }
    track = std::move(*parsed);
  }
  const auto make_request = [&](const MediaJob& job) -> EditResult<media::Request> {
    // It may be taken back between two files of a folder.
    const Result<consent::Precision> precision = ask(consent);
    if (!precision)
      return EditError{invalid(job.input + ": " + precision.error().message), exit_failed};
    media::Request request;
    request.policy.place = false;
    if (!track) {
      request.position = consent::rounded(*where, *precision);
      return request;
    }
    return place_file(job, *track, offset_us, *precision, std::move(request));
  };
  return command.run(make_request, [](const MediaJob&, const media::Examination&) -> std::string {
    return "has the position";
  });
}

const Registration registration({"geotag", "put a position into a file", geotag});

}  // namespace

}  // namespace sphere::tool
