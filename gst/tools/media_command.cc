// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/media_command.h"

#include <utility>

#include "gst/sphere/base/json_writer.h"
#include "gst/sphere/makers/makers.h"
#include "gst/tools/media_report.h"

namespace sphere::tool {

MediaCommand::MediaCommand(const char* name, const char* summary, const char* description,
                           bool can_edit_in_place)
    : name_(name),
      summary_(summary),
      description_(description),
      can_edit_in_place_(can_edit_in_place),
      printer_(std::string("sphere ") + name) {}

Status MediaCommand::parse(std::vector<GOptionEntry> own_options, int argc, char** argv) {
  gboolean in_place = FALSE, no_clobber = FALSE, quiet = FALSE, verbose = FALSE, json = FALSE;
  std::vector<GOptionEntry> entries = std::move(own_options);
  if (can_edit_in_place_)
    entries.push_back({"in-place", 'i', 0, G_OPTION_ARG_NONE, &in_place,
                       "Change the files themselves, without a new length (MP4 and MOV)", nullptr});
  entries.insert(
      entries.end(),
      {{"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if OUT exists", nullptr},
       {"threads", 0, 0, G_OPTION_ARG_INT, &threads_,
        "Work on this many files at once (default: 0, as many as there are processors)", "N"},
       {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print no progress and no report", nullptr},
       {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "List each part that was taken out",
        nullptr},
       {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print the report as JSON", nullptr},
       {}});
  const Status parsed =
      parse_options(name_, "IN OUT", summary_, description_, entries.data(), argc, argv, &paths_);
  if (!parsed) return parsed;
  in_place_ = in_place;
  clobber_ = !no_clobber;
  json_ = json;
  printer_.quiet = quiet;
  printer_.verbose = verbose;
  if (const Status counted = check_range("--threads", threads_, 0, 256); !counted) return counted;
  if (in_place_) return paths_.empty() ? Status(invalid("FILE is missing")) : ok();
  if (paths_.size() < 2) return invalid("IN and OUT are needed");
  if (paths_.size() > 2)
    return invalid(
        "IN and OUT are all that is expected; to work on several files, name their "
        "folder");
  return ok();
}

int MediaCommand::run(const MakeRequest& make_request, const Summary& summary) {
  const auto skipped = [this](const std::string& link) {
    printer_.warn(link +
                  ": is a link that leads out of the folder, and what it leads to stays as "
                  "it is; name it to change it");
  };
  const Result<std::vector<MediaJob>> jobs =
      in_place_ ? list_media_in_place(paths_, skipped) : pair_media(paths_[0], paths_[1]);
  if (!jobs) {
    printer_.error(jobs.error().message);
    return exit_failed;
  }
  if (jobs->empty()) printer_.warn(paths_[0] + ": there are no files in it");
  JsonWriter list;
  list.open_list("files");
  const auto work = [&](const MediaJob& job, const WorkProgress& progress) {
    EditResult<media::Request> made = make_request(job);
    if (auto* error = std::get_if<EditError>(&made)) return EditResult<EditedFile>(*error);
    auto& request = std::get<media::Request>(made);
    request.in_place = in_place_;
    request.makers = makers::all();
    return in_place_ ? edit_file_in_place(job.input, job.folders == 0, request, progress)
                     : edit_file(job.input, job.output, clobber_, request, progress);
  };
  bool incomplete = false;
  const auto report = [&](const MediaJob& job, const MediaOutcome& outcome) {
    const media::Examination& found = outcome.result.found;
    const std::string& output = in_place_ ? job.input : job.output;
    if (json_) {
      list.open();
      list.add("input", job.input);
      list.add("output", output);
      if (outcome.error) {
        list.add("error", outcome.error->error.message);
      } else {
        list.add("bytes", outcome.result.bytes);
        list.add("complete", !found.skipped_pictures);
        add_parts(list, found, false);
      }
      list.close();
    }
    if (outcome.error) return printer_.error(outcome.error->error.message);
    incomplete |= found.skipped_pictures;
    if (json_ || printer_.quiet) return;
    print(stdout, "%s: %s\n", output.c_str(), summary(job, found).c_str());
    if (printer_.verbose) print_text(stdout, part_table(found, false, true));
    for (const std::string& remark : found.remarks) print(stdout, "  %s.\n", remark.c_str());
  };
  // Each byte is written and then read again.
  const int status = run_media_jobs(
      *jobs, {.threads = threads_, .progress = !printer_.quiet, .passes = 2}, work, report);
  list.close_list();
  if (json_ && !printer_.warnings().empty()) list.add("warnings", printer_.warnings());
  if (json_) print(list);
  return status == exit_done && incomplete ? exit_incomplete : status;
}

}  // namespace sphere::tool
