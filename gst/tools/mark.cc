// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere mark: says in a file that its pictures are 360.

#include <glib.h>

#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/command.h"
#include "gst/tools/media_command.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "IN is an equirectangular photo (JPEG) or video (MP4, MOV, Matroska, WebM), or a folder of "
    "them.\n"
    "OUT is the same with the marks by which players and web sites know a 360 picture: GPano in a "
    "photo,\n"
    "both versions of Google's spherical metadata in a video, the projection in Matroska.\n"
    "Nothing else is changed; 'sphere redact' takes out what a file tells about people.\n"
    "\n"
    "'sphere stitch' marks what it writes.\n"
    "\n"
    "Examples:\n"
    "  sphere mark panorama.jpg marked.jpg\n"
    "  sphere mark ride.mp4 marked.mp4 --yaw 90 --ambisonics 1\n";

int mark(int argc, char** argv) {
  MediaCommand command("mark", "Says in photos and videos that they are 360.", description, false);
  media::SphereMark mark;
  g_autofree char* stereo = nullptr;
  gint ambisonics = no_integer;
  const std::vector<std::string> modes = {"mono", "top-bottom", "left-right"};
  const std::string mode_words = alternatives(modes);
  const std::vector<GOptionEntry> options = {
      {"stereo", 0, 0, G_OPTION_ARG_STRING, &stereo,
       "How a stereo picture is stored (default: mono)", mode_words.c_str()},
      {"yaw", 0, 0, G_OPTION_ARG_DOUBLE, &mark.yaw,
       "The view begins this far to the right, -180 to 180 degrees (default: 0)", "DEGREES"},
      {"pitch", 0, 0, G_OPTION_ARG_DOUBLE, &mark.pitch,
       "The view begins this far up, -90 to 90 degrees (default: 0)", "DEGREES"},
      {"roll", 0, 0, G_OPTION_ARG_DOUBLE, &mark.roll,
       "The view begins tilted by this, -180 to 180 degrees (default: 0)", "DEGREES"},
      {"ambisonics", 0, 0, G_OPTION_ARG_INT, &ambisonics,
       "The first sound track has ambisonics of this order, 1 to 3, as ACN and SN3D", "ORDER"}};
  const auto read = [&]() -> Status {
    if (const Status parsed = command.parse(options, argc, argv); !parsed) return parsed;
    if (stereo) {
      const Result<int> mode = choose("--stereo", stereo, modes);
      if (!mode) return mode.error();
      mark.stereo = static_cast<media::SphereMark::Stereo>(*mode);
    }
    for (const auto& [name, value, most] : {std::tuple{"--yaw", mark.yaw, 180.0},
                                            {"--pitch", mark.pitch, 90.0},
                                            {"--roll", mark.roll, 180.0}})
      if (const Status checked = check_range(name, value, -most, most); !checked) return checked;
    if (!is_given(ambisonics)) return ok();
    mark.ambisonic_order = ambisonics;
    return check_range("--ambisonics", ambisonics, 1, 3);
  };
  if (const Status status = read(); !status) {
    command.printer().error(status.error().message);
    return exit_usage;
  }
  media::Request request;
  request.mark = mark;
  return command.run([&](const MediaJob&) { return EditResult<media::Request>(request); },
                     [](const MediaJob&, const media::Examination& found) -> std::string {
                       return found.changes() ? "marked as 360" : "has these marks already";
                     });
}

const Registration registration({"mark", "say in a file that it is 360", mark});

}  // namespace

}  // namespace sphere::tool
