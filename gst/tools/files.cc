// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere files: the photos and videos on a camera's card.

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gst/tools/camera_command.h"
#include "gst/tools/fetch.h"
#include "gst/tools/output_file.h"
#include "hw/stored_pins.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Works with the files on a camera's card:\n"
    "  ls                  list the photos and videos, the newest first\n"
    "  info PATH...        what the camera tells about a file\n"
    "  get PATH... [-o FOLDER]  fetch files; a transfer that was cut continues where it was\n"
    "  thumb PATH -o FILE  fetch the small picture of a photo, or the first one of a video "
    "(H.264)\n"
    "  rm PATH...          delete files; the small copy of a video goes with it\n"
    "  format              delete everything on the card\n"
    "PATH is as 'ls' prints it.\n"
    "\n"
    "Files are fetched as the camera made them, byte for byte, also with the place where they "
    "were\n"
    "taken; --redact takes out what they tell about people and places.\n"
    "\n"
    "Examples:\n"
    "  sphere files ls\n"
    "  sphere files get --all -o pictures/\n"
    "  sphere files madv://192.168.42.1 get DCIM/20171216/IMG_20171216_030505.JPG\n"
    "  sphere files rm --all\n";

struct Options {
  bool all = false, companions = false, clobber = false, redact = false;
  std::string output;
  std::string transport = "any";
};

using Failed = std::optional<hw::Failure>;

/// In the order of hw::FileTransport.
const std::vector<std::string> transports = {"any", "web", "data"};

int list(CameraCommand& command, hw::CameraFiles& files) {
  JsonWriter json;
  json.open_list("files");
  bool written = true, none = true;
  const auto answer = command.wait<Failed>([&](auto handler) {
    files.list(
        [&](std::vector<hw::CameraFile> found) {
          // A folder's rows are printed as soon as it is read.
          std::vector<std::vector<std::string>> rows;
          for (const hw::CameraFile& file : found) {
            if (command.json()) {
              json.open();
              json.add("path", file.path);
              if (!file.date.empty()) json.add("date", file.date);
              if (file.size) json.add("size", *file.size);
              json.close();
            } else {
              rows.push_back({file.path, file.date, file.size ? size_text(*file.size) : ""});
            }
          }
          none = none && found.empty();
          if (!command.json()) written = print_text(stdout, table_text(rows));
          std::fflush(stdout);
          return written && !g_cancellable_is_cancelled(command.cancellable());
        },
        std::move(handler));
  });
  if (!answer) {
    // The list uses variables of this function until it has ended.
    command.client().disconnect();
    return command.fail(CameraCommand::interrupted());
  }
  if (const auto& failure = std::get<0>(*answer)) return command.fail(*failure);
  json.close_list();
  if (command.json()) written = print(json);
  if (none && !command.json() && isatty(STDOUT_FILENO))
    print(stderr, "There are no photos and videos on the card.\n");
  return written ? exit_done : exit_failed;
}

int describe(CameraCommand& command, const std::vector<std::string>& paths) {
  hw::StoredPins pins;
  JsonWriter json;
  json.open_list("files");
  for (const std::string& path : paths) {
    hw::MediaInfo info;
    if (const auto failure = hw::describe_file(command.client(), card_path(path), &pins, info,
                                               command.cancellable()))
      return command.fail(*failure);
    json.open();
    json.add("path", card_path(path));
    std::vector<std::vector<std::string>> rows = {{"Path", card_path(path)}};
    const auto add = [&](const char* name, const char* member, const std::string& value) {
      if (value.empty()) return;
      rows.push_back({name, value});
      json.add(member, value);
    };
    if (info.size) {
      rows.push_back({"Size", size_text(*info.size)});
      json.add("size", *info.size);
    }
    add("Date", "date", info.date);
    add("Resolution", "resolution", info.resolution);
    if (info.seconds) {
      rows.push_back({"Length", std::to_string(static_cast<int64_t>(*info.seconds)) + " s"});
      json.add("seconds", *info.seconds);
    }
    add("Type", "type", info.type);
    if (info.stitched) {
      rows.push_back({"Picture", *info.stitched ? "stitched" : "two fisheyes"});
      json.add("stitched", *info.stitched);
    }
    json.close();
    if (!command.json() && !print_text(stdout, table_text(rows))) return exit_failed;
  }
  json.close_list();
  return !command.json() || print(json) ? exit_done : exit_failed;
}

/// All photos and videos on the card.
Result<std::vector<std::string>> all_paths(CameraCommand& command, hw::CameraFiles& files) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  const auto answer = command.wait<Failed>([&](auto handler) {
    files.list(
        [paths](const std::vector<hw::CameraFile>& found) {
          for (const hw::CameraFile& file : found) paths->push_back(file.path);
          return true;
        },
        std::move(handler));
  });
  if (!answer) return failed("interrupted");
  if (const auto& failure = std::get<0>(*answer)) return failed(failure->message);
  return *paths;
}

int get(CameraCommand& command, const std::vector<std::string>& paths, const Options& options) {
  FetchOptions fetch;
  fetch.clobber = options.clobber;
  fetch.companions = options.companions;
  fetch.redact = options.redact;
  const Result<int> transport = choose("--transport", options.transport, transports);
  if (!transport) return command.usage(transport.error().message);
  fetch.transport = static_cast<hw::FileTransport>(*transport);
  const auto written =
      fetch_files(command, paths, options.output.empty() ? "." : options.output, fetch);
  if (!written) return command.fail({hw::Failure::Reason::stopped, written.error().message});
  if (!command.json()) return exit_done;
  JsonWriter json;
  json.add("files", written->files);
  return print(json) ? exit_done : exit_failed;
}

int thumbnail(CameraCommand& command, hw::CameraFiles& files, const std::string& path,
              const Options& options) {
  if (options.output.empty()) return command.usage("-o FILE is missing");
  const auto answer = command.wait<hw::Thumbnail, Failed>(
      [&](auto handler) { files.thumbnail(card_path(path), std::move(handler)); });
  if (!answer) return command.fail(CameraCommand::interrupted());
  if (const auto& failure = std::get<1>(*answer)) return command.fail(*failure);
  OutputSet output;
  const std::string& bytes = std::get<0>(*answer).bytes;
  Status status = output.add(options.output, options.clobber,
                             {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  if (status) status = output.commit();
  if (!status) return command.fail({hw::Failure::Reason::stopped, status.error().message});
  JsonWriter json;
  json.add("file", options.output);
  json.add("format", std::get<0>(*answer).is_jpeg ? "jpeg" : "h264");
  return command.json() ? command.done("", &json) : exit_done;
}

int remove(CameraCommand& command, hw::CameraFiles& files, const std::vector<std::string>& paths,
           const Options& options) {
  if (options.all)
    if (const auto status = command.confirm("Delete all " + std::to_string(paths.size()) +
                                            " photos and videos from the card?"))
      return *status;
  for (const std::string& path : paths) {
    const auto failure =
        command.run([&](auto handler) { files.remove(card_path(path), std::move(handler)); });
    if (failure) {
      command.printer().error(path + ": " + failure->message);
      return exit_failed;
    }
  }
  JsonWriter json;
  json.add("deleted", paths);
  return command.done(
      "Deleted: " + std::to_string(paths.size()) + (paths.size() == 1 ? " file." : " files."),
      &json);
}

int format(CameraCommand& command) {
  hw::CameraUpkeep* upkeep = command.camera().upkeep();
  if (!upkeep) return command.lacking("card that can be formatted over the network");
  if (const auto status = command.confirm("Delete everything on the card?")) return *status;
  if (const auto failure =
          command.run([&](auto handler) { upkeep->format_card(std::move(handler)); }))
    return command.fail(*failure);
  return command.done("The card is empty.");
}

int files(int argc, char** argv) {
  static const std::vector<std::string> verbs = {"ls", "info", "get", "thumb", "rm", "format"};
  CameraCommand command("files", "[URI] " + alternatives(verbs) + " [PATH...]",
                        "Works with the files on a camera's card.", description);
  const std::string transport_words = alternatives(transports);
  gboolean all = FALSE, companions = FALSE, no_clobber = FALSE, redact = FALSE;
  g_autofree char* output = nullptr;
  g_autofree char* transport = nullptr;
  const std::vector<GOptionEntry> entries = {
      {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "All photos and videos", nullptr},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Where to write (default: this folder)",
       "FILE|FOLDER"},
      {"companions", 0, 0, G_OPTION_ARG_NONE, &companions, "Also fetch the small copies of videos",
       nullptr},
      {"redact", 0, 0, G_OPTION_ARG_NONE, &redact,
       "Take out of each file what it tells about people and places", nullptr},
      {"transport", 0, 0, G_OPTION_ARG_STRING, &transport,
       "web is HTTP, data the camera's own protocol (default: any)", transport_words.c_str()},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if a file exists", nullptr}};
  if (const Status parsed = command.parse(entries, true, argc, argv); !parsed)
    return command.usage(parsed.error().message);
  Options options{
      static_cast<bool>(all), static_cast<bool>(companions), !no_clobber, static_cast<bool>(redact),
      to_string(output),      transport ? transport : "any"};
  std::vector<std::string> words = command.words();
  if (words.empty()) return command.usage("a word is missing: " + listed(verbs));
  const std::string verb = words[0];
  words.erase(words.begin());
  if (std::ranges::find(verbs, verb) == verbs.end())
    return command.usage("'" + verb + "' is not one of " + listed(verbs) + suggestion(verb, verbs));
  const bool takes_paths = verb != "ls" && verb != "format";
  if (takes_paths && words.empty() && !(options.all && (verb == "get" || verb == "rm")))
    return command.usage("PATH is missing; 'sphere files ls' prints the paths");
  if (!takes_paths && !words.empty())
    return command.usage("'" + words[0] + "' is not expected after " + verb);
  if (verb == "thumb" && words.size() > 1) return command.usage("thumb takes one PATH");
  if (const auto status = command.connect()) return *status;
  hw::CameraFiles* card = command.camera().files();
  if (!card) return command.lacking("files that can be read over the network");
  if (options.all && takes_paths) {
    const auto paths = all_paths(command, *card);
    if (!paths) return command.fail({hw::Failure::Reason::stopped, paths.error().message});
    words = *paths;
    if (words.empty()) return command.done("There are no photos and videos on the card.");
  }
  if (verb == "ls") return list(command, *card);
  if (verb == "info") return describe(command, words);
  if (verb == "get") return get(command, words, options);
  if (verb == "thumb") return thumbnail(command, *card, words[0], options);
  if (verb == "rm") return remove(command, *card, words, options);
  return format(command);
}

const Registration registration({"files", "list, fetch and delete the files on the card", files});

}  // namespace

}  // namespace sphere::tool
