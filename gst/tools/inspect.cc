// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere inspect: what a file tells about people.

#include <glib.h>

#include <string>
#include <vector>

#include "gst/tools/command.h"
#include "gst/tools/media_jobs.h"
#include "gst/tools/media_report.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Each line is one thing that was found: its class, where in the file it is, what it is, and "
    "what it says.\n"
    "\n"
    "Classes: place (where somebody was), sound (hidden in a photo), identity (serial numbers, "
    "owners),\n"
    "time (when it was made), unknown (not examined, so it may tell anything), stitching (lens "
    "data),\n"
    "useful (needed to show the medium; listed with --all).\n"
    "\n"
    "Nothing is sent anywhere. 'sphere redact' takes out what was found.\n"
    "\n"
    "Exit status: 0 all files could be examined, 3 one could not, or not as a whole: then it is\n"
    "listed as far as it is known, and 'sphere redact' would refuse it, too.\n"
    "\n"
    "Examples:\n"
    "  sphere inspect holiday.jpg\n"
    "  sphere inspect --json DCIM/ > found.json\n";

int inspect(int argc, char** argv) {
  MessagePrinter printer("sphere inspect");
  gboolean all = FALSE, json = FALSE, quiet = FALSE;
  gint threads = 0;
  GOptionEntry entries[] = {
      {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "List useful parts, too", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", nullptr},
      {"threads", 0, 0, G_OPTION_ARG_INT, &threads,
       "Work on this many files at once (default: 0, as many as there are processors)", "N"},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Show no progress", nullptr},
      {}};
  std::vector<std::string> paths;
  const Status parsed =
      parse_options("inspect", "FILE|FOLDER...", "Lists what photos and videos tell about people.",
                    description, entries, argc, argv, &paths);
  const Status counted = parsed ? check_range("--threads", threads, 0, 256) : parsed;
  if (!counted || paths.empty()) {
    printer.error(counted ? "FILE is missing" : counted.error().message);
    return exit_usage;
  }
  printer.quiet = quiet;
  const Result<std::vector<MediaJob>> jobs = list_media(paths);
  if (!jobs) {
    printer.error(jobs.error().message);
    return exit_failed;
  }
  if (jobs->empty()) printer.warn(listed(paths) + ": there are no files in it");

  JsonWriter list;
  list.open_list("files");
  bool first = true, refused = false;
  const auto work = [&](const MediaJob& job, const WorkProgress& progress) {
    EditResult<Inspection> inspected = inspect_file(job.input);
    progress(job.bytes);
    if (auto* error = std::get_if<EditError>(&inspected)) return EditResult<EditedFile>(*error);
    auto& [found, why] = std::get<Inspection>(inspected);
    return EditResult<EditedFile>(EditedFile{std::move(found), 0, std::move(why)});
  };
  const auto report = [&](const MediaJob& job, const MediaOutcome& outcome) {
    const std::optional<Error>& why = outcome.result.refused;
    refused |= why.has_value();
    if (json) {
      list.open();
      list.add("file", job.input);
      if (outcome.error)
        list.add("error", outcome.error->error.message);
      else
        add_parts(list, outcome.result.found, all);
      if (why) list.add("error", why->message);
      list.close();
    }
    if (outcome.error) {
      printer.error(outcome.error->error.message);
    } else if (!json) {
      const media::Examination& found = outcome.result.found;
      const std::string counts = count_by_class(found, false);
      print(stdout, "%s%s (%s): %s\n", first ? "" : "\n", job.input.c_str(), name_of(found.kind),
            !counts.empty() ? counts.c_str()
            : why           ? "nothing was found in what is known"
                            : "nothing that tells about people");
      print_text(stdout, part_table(found, all, false));
    }
    if (why) printer.error(why->message + "; more than is listed may be in it");
    first = false;
  };
  const int status =
      run_media_jobs(*jobs, {.threads = threads, .progress = !quiet, .passes = 1}, work, report);
  list.close_list();
  if (json) print(list);
  return status == exit_done && refused ? exit_unexamined : status;
}

const Registration registration({"inspect", "list what a file tells about people", inspect});

}  // namespace

}  // namespace sphere::tool
