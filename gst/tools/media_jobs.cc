// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/media_jobs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
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

/// Adds the files below a folder; links to folders are not followed, because they can lead in a
/// circle.
Status add_folder(const fs::path& folder, std::vector<fs::path>* files) {
  std::error_code code;
  std::vector<fs::path> found;
  fs::recursive_directory_iterator each(folder, code);
  if (code) return about(folder, code);
  while (each != fs::recursive_directory_iterator()) {
    if (hidden(each->path()))
      each.disable_recursion_pending();
    else if (each->is_regular_file(code))
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

}  // namespace

Result<std::vector<MediaJob>> list_media(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    std::error_code code;
    if (!fs::is_directory(path, code)) {
      files.emplace_back(path);
    } else if (const Status added = add_folder(path, &files); !added) {
      return added.error();
    }
  }
  std::vector<MediaJob> jobs;
  for (const fs::path& file : files) jobs.push_back(job_of(file, {}));
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
  for (const fs::path& file : files)
    jobs.push_back(job_of(file, (fs::path(out) / fs::relative(file, in)).string()));
  for (MediaJob& job : jobs) job.in_folder = true;
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
      if (jobs[i].in_folder) {
        std::error_code code;
        // An error is told when the file can't be made in it.
        fs::create_directories(fs::path(jobs[i].output).parent_path(), code);
      }
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
