// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/fetch.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "gst/sphere/base/file.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/makers/makers.h"
#include "gst/tools/media_edit.h"
#include "gst/tools/progress.h"
#include "hw/stored_pins.h"

namespace sphere::tool {

namespace {

constexpr uint64_t megabyte = 1000 * 1000;

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_folder(const std::string& path) { return g_file_test(path.c_str(), G_FILE_TEST_IS_DIR); }

std::string in_folder(const std::string& folder, const std::string& name) {
  const GString_ path(g_build_filename(folder.c_str(), name.c_str(), nullptr));
  return path.get();
}

Status check_storage_consent() {
  if (!consent::own_ledger_withdraws(consent::Category::storage)) return ok();
  return invalid(
      "you have withdrawn consent to storing media of a camera on this machine; 'sphere consent "
      "give storage' gives it again");
}

/// What a file is called until it is cleaned.
std::string not_cleaned(const std::string& destination) { return destination + ".as-it-was"; }

/// Writes the cleaned form of a fetched file, and removes that.
Status clean(const std::string& fetched, const std::string& destination, bool clobber) {
  media::Request request;
  request.policy = media::Policy();
  request.makers = makers::all();
  EditResult<EditedFile> edited =
      edit_file(fetched, destination, clobber, request, [](uint64_t) { return true; });
  // Nobody asked for the file as it is.
  g_unlink(fetched.c_str());
  if (auto* error = std::get_if<EditError>(&edited))
    return failed(error->error.message + "; it was not kept");
  return ok();
}

/// A file to fetch.
struct Planned {
  std::string path, destination;
  bool is_companion = false;
};

/// The position of the ending in a name of a file, such as ".jpg"; its end if there is none.
size_t ending_of(const std::string& name) {
  const size_t dot = name.rfind('.');
  const size_t slash = name.rfind('/');
  const bool has_one =
      dot != std::string::npos && dot > 0 && (slash == std::string::npos || dot > slash + 1);
  return has_one ? dot : name.size();
}

std::string small_letters(std::string text) {
  for (char& c : text) c = g_ascii_tolower(c);
  return text;
}

/// Folders of the card may have files with the same name, of which none may replace another.
void keep_apart(std::vector<Planned>* all) {
  std::set<std::string> paths, destinations;
  std::erase_if(*all, [&](const Planned& one) { return !paths.insert(one.path).second; });
  for (Planned& one : *all) {
    const std::string wanted = one.destination;
    for (int number = 2; !destinations.insert(one.destination).second; ++number) {
      one.destination = wanted;
      one.destination.insert(ending_of(wanted), "-" + std::to_string(number));
    }
  }
}

Result<std::vector<Planned>> plan(CameraCommand& command, const std::vector<std::string>& paths,
                                  const std::string& output, const FetchOptions& options) {
  const bool in_there = is_folder(output);
  if (!in_there && paths.size() > 1 && !options.numbers && !options.parts)
    return invalid(output + ": must be a folder that exists, for several files");
  // A name that ends in a slash is meant as a folder.
  if (!in_there && output.ends_with('/')) return invalid(output + ": there is no such folder");
  std::vector<Planned> all;
  for (size_t i = 0; i < paths.size(); ++i) {
    const std::string path = card_path(paths[i]);
    std::string destination = output;
    if (in_there)
      destination = in_folder(output, name_of(path));
    else if (paths.size() > 1 && (i > 0 || !options.parts))
      destination.insert(ending_of(output), "-" + std::to_string(i + 1));
    all.push_back({path, destination});
    if (!options.companions || !command.camera().files()) continue;
    for (const std::string& other : command.camera().files()->companions(path)) {
      // It may be in the list itself, with its own name.
      const auto same = [&](const std::string& listed) { return card_path(listed) == other; };
      if (std::ranges::any_of(paths, same)) continue;
      const std::string ending = other.substr(ending_of(other));
      std::string beside =
          in_there ? in_folder(output, name_of(other))
                   : destination.substr(0, ending_of(destination)) + small_letters(ending);
      // Two files can't have one name.
      if (small_letters(beside) == small_letters(destination))
        return invalid(output + ": must be a folder, because each video has a small copy");
      all.push_back({other, std::move(beside), true});
    }
  }
  keep_apart(&all);
  return all;
}

/// False if there is no such file, and it need not exist.
Result<bool> fetch_file(CameraCommand& command, const Planned& one, const FetchOptions& options,
                        hw::StoredPins* pins) {
  hw::DownloadOptions download;
  download.path = one.path;
  // The final name shows up only when the file is as it was asked for.
  download.destination = options.redact ? not_cleaned(one.destination) : one.destination;
  download.clobber = options.clobber || options.redact;
  download.transport = options.transport;
  download.pins = pins;
  Progress progress(!command.printer().quiet && !command.json(), "MB");
  download.progress = [&](uint64_t done, std::optional<uint64_t> total) {
    progress.show(done / megabyte, total.value_or(0) / megabyte);
  };
  hw::DownloadReport report;
  const gint64 begin = g_get_monotonic_time();
  const auto failure = hw::download(command.client(), download, command.cancellable(), &report);
  progress.clear();
  if (failure && one.is_companion && failure->reason == hw::Failure::Reason::refused) return false;
  if (failure) return failed(one.path + ": " + failure->message);
  if (options.redact)
    if (const Status cleaned = clean(download.destination, one.destination, options.clobber);
        !cleaned)
      return cleaned.error();
  const double seconds = static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
  std::string what = size_text(report.size);
  if (report.cuts)
    what += ", resumed " + std::to_string(report.cuts) + (report.cuts == 1 ? " time" : " times");
  command.printer().wrote(one.destination, what, seconds);
  return true;
}

}  // namespace

std::string card_path(const std::string& written) {
  std::string path = written;
  for (const std::string_view prefix : {"/tmp/SD0/", "/"})
    if (path.starts_with(prefix)) path.erase(0, prefix.size());
  return path.starts_with("DCIM/") ? path : "DCIM/" + path;
}

Status check_destination(const std::string& output, bool clobber) {
  if (const Status allowed = check_storage_consent(); !allowed) return allowed;
  const bool in_there = is_folder(output);
  const GString_ parent(g_path_get_dirname(output.c_str()));
  const std::string folder = in_there ? output : parent.get();
  if (!is_folder(folder)) return invalid(folder + ": there is no such folder");
  if (access(folder.c_str(), W_OK) != 0)
    return invalid(folder + ": you can't write into this folder");
  if (!in_there && output.ends_with('/')) return invalid(output + ": there is no such folder");
  if (in_there) return ok();
  const Result<OutputPlace> place = find_output_place(output);
  if (!place) return place.error();
  return place->mode && !clobber ? Status(invalid(output + ": exists already")) : ok();
}

Result<Fetched> fetch_files(CameraCommand& command, const std::vector<std::string>& paths,
                            const std::string& output, const FetchOptions& options) {
  if (const Status allowed = check_storage_consent(); !allowed) return allowed.error();
  const auto planned = plan(command, paths, output, options);
  if (!planned) return planned.error();
  if (options.redact && !options.clobber)
    for (const Planned& one : *planned)
      if (g_file_test(one.destination.c_str(), G_FILE_TEST_EXISTS))
        return invalid(one.destination + ": exists already");
  hw::StoredPins pins;
  // Before the first one is fetched.
  if (!options.parts)
    for (const Planned& one : *planned)
      if (const Result<OutputPlace> place = find_output_place(one.destination); !place)
        return place.error();
  Fetched fetched;
  for (const Planned& one : *planned) {
    const Result<bool> written = fetch_file(command, one, options, &pins);
    if (written) {
      if (*written) fetched.files.push_back(one.destination);
      continue;
    }
    if (!options.parts) return written.error();
    fetched.problems.push_back(written.error().message);
    if (g_cancellable_is_cancelled(command.cancellable())) break;
  }
  return fetched;
}

}  // namespace sphere::tool
