// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere redact: takes out of a file what it tells about people.

#include <glib.h>

#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/tools/command.h"
#include "gst/tools/media_command.h"
#include "gst/tools/media_report.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "IN and OUT are files, or folders; of a folder, all files are worked on. OUT gets the pictures "
    "and\n"
    "the sound of IN bit by bit, and of the rest only what is known to be useful and harmless.\n"
    "OUT appears only if a second examination and a search of all its bytes find nothing of what "
    "was\n"
    "taken out. IN is never changed, except with --in-place.\n"
    "\n"
    "Classes: place, sound (hidden in a photo), identity, time, stitching (lens data), "
    "soundtrack.\n"
    "place, sound, identity, time and everything unknown are taken out by default. The sound track "
    "of\n"
    "a video stays unless you have withdrawn your consent to sound ('sphere consent withdraw "
    "audio').\n"
    "\n"
    "In place, a video is read once for what is hidden in its pictures. With --skip-pictures only\n"
    "boxes, tags and records are looked at, which is quick for a file of any size, and what is\n"
    "hidden in the pictures stays.\n"
    "\n"
    "Exit status: 0 success, 1 failure, 3 a file can't be examined, or the result was not clean, "
    "4\n"
    "done but for pictures that --skip-pictures left unread. With 1 and 3 the file that was told "
    "of\n"
    "has no OUT.\n"
    "\n"
    "Examples:\n"
    "  sphere redact holiday.jpg shared.jpg\n"
    "  sphere redact DCIM/ shared/ --keep time\n"
    "  sphere redact drive.mp4 shared.mp4 --only place\n"
    "  sphere redact --in-place *.mp4\n";

/// What may stay, as the options say it.
Result<media::Policy> policy_of(const char* keep, const char* only, const char* also) {
  if (keep && only) return invalid("--keep and --only exclude each other");
  media::Policy policy;
  if (only) {
    const Result<media::Policy> set = parse_classes("--only", only);
    if (!set) return set.error();
    policy = {!set->place, !set->sound,     !set->identity,
              !set->time,  !set->stitching, !set->sound_tracks && !set->sound};
  }
  if (keep) {
    const Result<media::Policy> set = parse_classes("--keep", keep);
    if (!set) return set.error();
    policy = {set->place, set->sound, set->identity, set->time, true, true};
  }
  if (also) {
    const Result<media::Policy> set = parse_classes("--also", also);
    if (!set) return set.error();
    policy.place &= !set->place;
    policy.sound &= !set->sound;
    policy.identity &= !set->identity;
    policy.time &= !set->time;
    policy.stitching &= !set->stitching;
    policy.sound_tracks &= !set->sound_tracks;
  }
  return policy;
}

/// Whether the person has taken back the consent to sound.
Result<bool> sound_withdrawn() {
  const Result<consent::Chain> chain = consent::Ledger("default").read();
  if (!chain) return chain.error();
  const auto states = consent::states_of(*chain, g_get_real_time());
  return chain->blocked || chain->torn_withdrawal ||
         states[static_cast<size_t>(consent::Category::audio)].state ==
             consent::CategoryState::State::withdrawn;
}

int redact(int argc, char** argv) {
  MediaCommand command("redact", "Takes out of photos and videos what they tell about people.",
                       description, true);
  g_autofree char* keep = nullptr;
  g_autofree char* only = nullptr;
  g_autofree char* also = nullptr;
  gboolean skip_pictures = FALSE;
  const std::vector<GOptionEntry> options = {
      {"keep", 'k', 0, G_OPTION_ARG_STRING, &keep, "Leave these classes in", "CLASS,..."},
      {"only", 0, 0, G_OPTION_ARG_STRING, &only,
       "Take out nothing but these classes and what is unknown; `sound` means the sound track, too",
       "CLASS,..."},
      {"also", 0, 0, G_OPTION_ARG_STRING, &also, "Take out these, too: stitching, soundtrack",
       "CLASS,..."},
      {"skip-pictures", 0, 0, G_OPTION_ARG_NONE, &skip_pictures,
       "With --in-place: leave the coded pictures of videos unread; the exit status is then 4",
       nullptr}};
  Status parsed = command.parse(options, argc, argv);
  if (parsed && skip_pictures && !command.in_place())
    parsed = invalid("--skip-pictures is for --in-place; a copy reads the pictures anyway");
  const Result<media::Policy> policy = parsed ? policy_of(keep, only, also) : parsed.error();
  if (!policy) {
    command.printer().error(policy.error().message);
    return exit_usage;
  }
  const Result<bool> silent = sound_withdrawn();
  if (!silent) {
    command.printer().error(silent.error().message);
    return exit_failed;
  }
  media::Request request;
  request.policy = *policy;
  request.skip_pictures = skip_pictures;
  request.policy.sound_tracks &= !*silent;
  return command.run([&](const MediaJob&) { return Result<media::Request>(request); },
                     [](const media::Examination& found) {
                       const std::string counts = count_by_class(found, true);
                       return counts.empty() ? "there was nothing to take out"
                                             : "took out " + counts;
                     });
}

const Registration registration({"redact", "take out what a file tells about people", redact});

}  // namespace

}  // namespace sphere::tool
