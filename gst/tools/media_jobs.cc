// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/media_jobs.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "gst/sphere/base/thread.h"
#include "gst/tools/forced_end.h"
#include "gst/tools/progress.h"
#include "gst/tools/signal_handlers.h"

namespace sphere::tool {

namespace {

namespace fs = std::filesystem;

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr uint64_t megabyte = 1000 * 1000;
// A file on a network or in a pipe may never be read to its end.
constexpr unsigned longest_end = 15;  // s
// More are probably not what the person meant.
constexpr size_t most_files = 1'000'000;

volatile std::sig_atomic_t stop_signal = 0;

Error about(const fs::path& path, const std::error_code& code) {
  const std::string sentence = path.string() + ": " + code.message();
  return code == std::errc::no_such_file_or_directory ? not_found(sentence) : failed(sentence);
}

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

/// Whether a link leads to something outside of the folder, of which `real` has no links in it.
bool leads_out(const fs::path& link, const fs::path& real) {
  std::error_code code;
  const fs::path target = fs::canonical(link, code);
  // Otherwise it leads nowhere, or in a circle.
  return !code && std::ranges::mismatch(real, target).in1 != real.end();
}

using LinkReport = std::function<void(const std::string&)>;

/// Adds the files below a folder; links to folders are not followed, because they can lead in a
/// circle. With `report`, links to files are not followed either, and those that lead out of the
/// folder are reported.
Status add_folder(const fs::path& folder, std::vector<fs::path>* files,
                  const LinkReport& report = nullptr) {
  std::error_code code;
  std::vector<fs::path> found;
  const fs::path real = fs::canonical(folder, code);
  fs::recursive_directory_iterator each(folder, code);
  if (code) return about(folder, code);
  while (each != fs::recursive_directory_iterator()) {
    if (hidden(each->path()))
      each.disable_recursion_pending();
    else if (report && each->is_symlink(code)) {
      if (leads_out(each->path(), real)) report(each->path().string());
    } else if (each->is_regular_file(code))
      found.push_back(each->path());
    if (found.size() + files->size() > most_files)
      return invalid(folder.string() + ": has more than a million files");
    each.increment(code);
    if (code) return about(folder, code);
  }
  std::ranges::sort(found);
  files->insert(files->end(), found.begin(), found.end());
  return ok();
}

/// What the threads that work have reached, for the thread that reports.
class Outcomes {
 public:
  explicit Outcomes(size_t jobs) : outcomes_(jobs) {}

  void set(size_t job, MediaOutcome outcome) {
    const Lock lock(mutex_);
    outcomes_[job] = std::move(outcome);
    changed_.notify_one();
  }

  /// Takes the outcome of a job; nothing if none comes within `at_most`.
  std::optional<MediaOutcome> take(size_t job, std::chrono::milliseconds at_most) {
    const Lock lock(mutex_);
    if (!outcomes_[job]) changed_.wait_for(mutex_, at_most);
    return std::exchange(outcomes_[job], std::nullopt);
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<std::optional<MediaOutcome>> outcomes_ SPHERE_GUARDED_BY(mutex_);
};

MediaJob job_of(const fs::path& input, std::string output) {
  std::error_code code;
  const uint64_t bytes = fs::file_size(input, code);
  return {input.string(), std::move(output), code ? 0 : bytes};
}

/// Of a file, by its path from the folder that was named: that one and those in it.
int folders_below(const fs::path& path) {
  return static_cast<int>(std::distance(path.begin(), path.end()));
}

/// Makes the folders that the output of a job goes into. An error is told when the file can't be
/// made in them.
void make_folders(const MediaJob& job) {
  fs::path source = fs::path(job.input).parent_path(), folder = fs::path(job.output).parent_path();
  std::vector<std::pair<fs::path, fs::path>> both;
  std::error_code code;
  for (int i = 0; i < job.folders && !fs::exists(folder, code); ++i) {
    both.emplace_back(folder, source);
    folder = folder.parent_path();
    source = source.parent_path();
  }
  fs::create_directories(folder, code);
  for (auto each = both.rbegin(); each != both.rend(); ++each)
    make_folder_like(each->first.string(), each->second.string());
}

Result<std::vector<MediaJob>> list_files(const std::vector<std::string>& paths,
                                         const LinkReport& report) {
  std::vector<MediaJob> jobs;
  for (const std::string& path : paths) {
    std::error_code code;
    if (!fs::is_directory(path, code)) {
      jobs.push_back(job_of(path, {}));
      continue;
    }
    std::vector<fs::path> files;
    if (const Status added = add_folder(path, &files, report); !added) return added.error();
    for (const fs::path& file : files) {
      jobs.push_back(job_of(file, {}));
      jobs.back().folders = folders_below(file.lexically_relative(path));
    }
  }
  return jobs;
}

}  // namespace

Result<std::vector<MediaJob>> list_media(const std::vector<std::string>& paths) {
  return list_files(paths, nullptr);
}

Result<std::vector<MediaJob>> list_media_in_place(
    const std::vector<std::string>& paths, const std::function<void(const std::string&)>& report) {
  Result<std::vector<MediaJob>> jobs = list_files(paths, report);
  if (!jobs) return jobs;
  // Two threads must not change one file.
  std::set<std::pair<dev_t, ino_t>> seen;
  std::erase_if(*jobs, [&](const MediaJob& job) {
    struct stat status = {};
    return stat(job.input.c_str(), &status) == 0 &&
           !seen.emplace(status.st_dev, status.st_ino).second;
  });
  return jobs;
}

Result<std::vector<MediaJob>> pair_media(const std::string& in, const std::string& out) {
  std::error_code code;
  const bool out_is_folder = fs::is_directory(out, code);
  if (!fs::is_directory(in, code)) {
    const fs::path output = out_is_folder ? fs::path(out) / fs::path(in).filename() : fs::path(out);
    return std::vector{job_of(in, output.string())};
  }
  if (fs::exists(out, code) && !out_is_folder)
    return invalid(out + ": is a file, but " + in + " is a folder");
  // Otherwise the results would be found as further files to work on.
  const fs::path inside =
      fs::weakly_canonical(out, code).lexically_relative(fs::weakly_canonical(in, code));
  if (!inside.empty() && !inside.string().starts_with(".."))
    return invalid(out + ": is in " + in + "; name a folder outside of it");
  std::vector<fs::path> files;
  if (const Status added = add_folder(in, &files); !added) return added.error();
  std::vector<MediaJob> jobs;
  for (const fs::path& file : files) {
    // As it was found: a link to a file elsewhere does not name the output.
    const fs::path below = file.lexically_relative(in);
    jobs.push_back(job_of(file, (fs::path(out) / below).string()));
    jobs.back().folders = folders_below(below);
  }
  return jobs;
}

int run_media_jobs(
    const std::vector<MediaJob>& jobs, const MediaRunOptions& options,
    const std::function<EditResult<EditedFile>(const MediaJob&, const WorkProgress&)>& work,
    const std::function<void(const MediaJob&, const MediaOutcome&)>& report) {
  stop_signal = 0;
  const SignalHandlers signals(+[](int number) {
    stop_signal = number;
    end_process_within(longest_end);
  });
  uint64_t total = 0;
  for (const MediaJob& job : jobs) total += job.bytes * static_cast<uint64_t>(options.passes);
  std::atomic<uint64_t> done = 0;
  std::atomic<size_t> next = 0;
  Outcomes outcomes(jobs.size());

  const auto worker = [&] {
    for (size_t i = next++; i < jobs.size() && !stop_signal; i = next++) {
      if (jobs[i].folders > 0 && !jobs[i].output.empty()) make_folders(jobs[i]);
      EditResult<EditedFile> result = work(jobs[i], [&](uint64_t bytes) {
        done += bytes;
        return !stop_signal;
      });
      MediaOutcome outcome;
      if (auto* error = std::get_if<EditError>(&result))
        outcome.error = std::move(*error);
      else
        outcome.result = std::move(std::get<EditedFile>(result));
      outcomes.set(i, std::move(outcome));
    }
  };
  const size_t wanted = options.threads > 0 ? static_cast<size_t>(options.threads)
                                            : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < std::min(wanted, jobs.size()); ++i) threads.emplace_back(worker);

  Progress progress(options.progress, "MB");
  const auto show = [&] {
    progress.show(done / megabyte, std::max<uint64_t>(1, total / megabyte));
  };
  // Also of files that are done at once.
  show();
  int status = exit_done;
  for (size_t i = 0; i < jobs.size(); ++i) {
    std::optional<MediaOutcome> outcome;
    while (!stop_signal && !(outcome = outcomes.take(i, redraw_interval))) show();
    if (!outcome) break;
    progress.clear();
    if (outcome->error && status == exit_done) status = outcome->error->status;
    report(jobs[i], *outcome);
  }
  threads.clear();
  return stop_signal ? exit_interrupted : status;
}

}  // namespace sphere::tool
