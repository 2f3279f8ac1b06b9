// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere redact: takes out of a file what it tells about people.

#include <glib.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/thread.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/position.h"
#include "gst/sphere/makers/makers.h"
#include "gst/tools/command.h"
#include "gst/tools/consent_option.h"
#include "gst/tools/media_command.h"
#include "gst/tools/media_report.h"

namespace sphere::tool {

namespace {

using consent::Category;
using consent::Purpose;

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
    "place, sound, identity, time and everything unknown are taken out by default, except what "
    "your\n"
    "ledger gives for share: location (place), audio (sound), device (identity, time). What is "
    "unknown\n"
    "stays only if all of them are given. A place that is given less exactly is rounded: OUT has "
    "the "
    "first\n"
    "position of IN in the forms that players read, and no other. The sound track of a video stays "
    "unless\n"
    "you have withdrawn your consent to sound ('sphere consent withdraw audio'). --only asks no "
    "ledger.\n"
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
    "  sphere redact walk.jpg shared.jpg \\\n"
    "    --consent 'consent/location, state=given, purpose=share, precision=city'\n"
    "  sphere redact --in-place *.mp4\n";

void remove_classes(const media::Policy& set, media::Policy* policy) {
  policy->place &= !set.place;
  policy->sound &= !set.sound;
  policy->identity &= !set.identity;
  policy->time &= !set.time;
  policy->stitching &= !set.stitching;
  policy->sound_tracks &= !set.sound_tracks;
}

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
    remove_classes(*set, &policy);
  }
  return policy;
}

/// What is given for share stays, too.
struct Shared {
  media::Policy policy = {false, false, false, false, true, true};
  /// Of a place that may stay, but only rounded.
  std::optional<consent::Precision> precision;
};

Result<Shared> shared(const ConsentOption& options) {
  consent::Consent consent;
  if (const Status opened = options.open(&consent); !opened) return opened.error();
  const auto given = [&](Category category) { return consent.ask(category, Purpose::share); };
  Shared shared;
  const consent::Answer location = given(Category::location);
  shared.policy.place = location.allowed && location.precision == consent::Precision::exact;
  if (location.allowed && !shared.policy.place) shared.precision = location.precision;
  shared.policy.sound = given(Category::audio).allowed;
  shared.policy.identity = shared.policy.time = given(Category::device).allowed;
  return shared;
}

/// What is done with the next file.
struct Plan {
  media::Request request;
  std::optional<consent::Precision> precision;
};

/// Has the rounded position of the file put in, if it can be; those in records of its tracks are
/// rounded, too.
bool round_place(const MediaJob& job, consent::Precision precision, media::Request* request) {
  const std::optional<Position> position = first_position(job.input);
  if (!position) return false;
  media::Request with_place = *request;
  with_place.position = consent::rounded(*position, precision);
  with_place.makers = makers::all();
  if (!std::holds_alternative<media::Examination>(examine_file(job.input, with_place)))
    return false;
  request->position = with_place.position;
  request->rounding = [precision](const Position& each) {
    return consent::rounded(each, precision);
  };
  return true;
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
  std::vector<GOptionEntry> options = {
      {"keep", 'k', 0, G_OPTION_ARG_STRING, &keep, "Leave these classes in", "CLASS,..."},
      {"only", 0, 0, G_OPTION_ARG_STRING, &only,
       "Take out nothing but these classes and what is unknown; `sound` means the sound track, too",
       "CLASS,..."},
      {"also", 0, 0, G_OPTION_ARG_STRING, &also, "Take out these, too: stitching, soundtrack",
       "CLASS,..."},
      {"skip-pictures", 0, 0, G_OPTION_ARG_NONE, &skip_pictures,
       "With --in-place: leave the coded pictures of videos unread; the exit status is then 4",
       nullptr}};
  ConsentOption consent_option;
  for (const GOptionEntry& entry : consent_option.entries()) options.push_back(entry);
  Status parsed = command.parse(options, argc, argv);
  if (parsed && skip_pictures && !command.in_place())
    parsed = invalid("--skip-pictures is for --in-place; a copy reads the pictures anyway");
  const Result<media::Policy> policy = parsed ? policy_of(keep, only, also) : parsed.error();
  if (!policy) {
    command.printer().error(policy.error().message);
    return exit_usage;
  }
  const media::Policy taken = also ? *parse_classes("--also", also)
                                   : media::Policy{false, false, false, false, false, false};
  init_without_plugins();
  // For each file anew, because it may be taken back between two of a folder.
  const auto ask = [&]() -> Result<Plan> {
    const Result<bool> silent = sound_withdrawn();
    if (!silent) return silent.error();
    Plan plan;
    plan.request.policy = *policy;
    plan.request.skip_pictures = skip_pictures;
    plan.request.policy.sound_tracks &= !*silent;
    if (only) return plan;
    const Result<Shared> given = shared(consent_option);
    if (!given) return given.error();
    media::Policy& all = plan.request.policy;
    all.place |= given->policy.place;
    all.sound |= given->policy.sound;
    all.identity |= given->policy.identity;
    all.time |= given->policy.time;
    remove_classes(taken, &all);
    if (!all.place && !taken.place) plan.precision = given->precision;
    return plan;
  };
  if (const Result<Plan> plan = ask(); !plan) {
    command.printer().error(plan.error().message);
    return exit_failed;
  }
  struct {
    Mutex mutex;
    /// The files whose place should be rounded, and whether it was.
    std::map<std::string, std::pair<consent::Precision, bool>> inputs SPHERE_GUARDED_BY(mutex);
  } rounded;
  const auto make_request = [&](const MediaJob& job) -> EditResult<media::Request> {
    Result<Plan> plan = ask();
    if (!plan) return EditError{failed(job.input + ": " + plan.error().message), exit_failed};
    if (plan->precision) {
      const bool done = !command.in_place() && round_place(job, *plan->precision, &plan->request);
      const Lock lock(rounded.mutex);
      rounded.inputs[job.input] = {*plan->precision, done};
    }
    return std::move(plan->request);
  };
  const auto summary = [&](const MediaJob& job, const media::Examination& found) {
    const std::string counts = count_by_class(found, true);
    std::string text = counts.empty() ? "there was nothing to take out" : "took out " + counts;
    const Lock lock(rounded.mutex);
    const auto place = rounded.inputs.find(job.input);
    if (place == rounded.inputs.end()) return text;
    if (place->second.second)
      text +=
          "; put in the place, rounded to " + std::string(consent::name_of(place->second.first));
    else if (!found.traces.positions.empty())
      text += "; the place could not be rounded in this file, and was taken out";
    return text;
  };
  return command.run(make_request, summary);
}

const Registration registration({"redact", "take out what a file tells about people", redact});

}  // namespace

}  // namespace sphere::tool
