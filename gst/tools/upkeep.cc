// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere clock, power, reset and firmware.

#include <glib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/camera_command.h"
#include "gst/tools/progress.h"

namespace sphere::tool {

namespace {

constexpr uint64_t megabyte = 1000 * 1000;
// More is not read to find out what it is.
constexpr uint64_t largest_file = uint64_t{1} << 30;

/// Reads the options of a command without any, and connects. `words`: how many may follow the URI.
std::optional<int> begin(CameraCommand& command, std::vector<GOptionEntry> options, bool asks,
                         size_t words, int argc, char** argv) {
  if (const Status parsed = command.parse(std::move(options), asks, argc, argv); !parsed)
    return command.usage(parsed.error().message);
  if (command.words().size() > words)
    return command.usage("'" + command.words()[words] + "' is not expected");
  return std::nullopt;
}

/// Lets the camera do one thing, with start(upkeep, handler). Returns an exit status.
template <typename Start>
int run_upkeep(CameraCommand& command, hw::CameraUpkeep& upkeep, const char* sentence,
               const Start& start) {
  if (const auto failure = command.run([&](auto handler) { start(upkeep, std::move(handler)); }))
    return command.fail(*failure);
  return command.done(sentence);
}

/// Connects. Without a connection, or if the camera can't do `what`, prints why and returns null;
/// then `status` is the exit status.
hw::CameraUpkeep* connect_upkeep(CameraCommand& command, const char* what, int* status) {
  if (const auto failed = command.connect()) {
    *status = *failed;
    return nullptr;
  }
  hw::CameraUpkeep* upkeep = command.camera().upkeep();
  if (!upkeep) *status = command.lacking(what);
  return upkeep;
}

// --- clock -----------------------------------------------------------------------------------

constexpr const char* clock_description =
    "Sets the camera's clock to the time of this machine, without a time zone, as its app does.\n"
    "Every command of 'sphere' that talks to a Mi Sphere does this when it connects.\n"
    "\n"
    "Example:\n"
    "  sphere clock\n";

int clock(int argc, char** argv) {
  CameraCommand command("clock", "[URI]", "Sets the camera's clock.", clock_description);
  if (const auto status = begin(command, {}, false, 0, argc, argv)) return *status;
  int failed = exit_failed;
  hw::CameraUpkeep* upkeep =
      connect_upkeep(command, "clock that can be set over the network", &failed);
  if (!upkeep) return failed;
  return run_upkeep(command, *upkeep, "The clock is set.",
                    [](hw::CameraUpkeep& one, auto handler) { one.set_clock(handler); });
}

// --- power -----------------------------------------------------------------------------------

constexpr const char* power_description =
    "Sends the camera to standby, wakes it up, or switches it off. Only a person can switch it on\n"
    "again.\n"
    "\n"
    "Examples:\n"
    "  sphere power standby\n"
    "  sphere power off\n";

int power(int argc, char** argv) {
  static const std::vector<std::string> words = {"standby", "wake", "off"};
  CameraCommand command("power", "[URI] " + alternatives(words),
                        "Changes what the camera's power does.", power_description);
  if (const auto status = begin(command, {}, false, 1, argc, argv)) return *status;
  if (command.words().empty()) return command.usage("a word is missing: " + listed(words));
  const Result<int> word = choose("the word", command.words()[0], words);
  if (!word)
    return command.usage("'" + command.words()[0] + "' is not one of " + listed(words) +
                         suggestion(command.words()[0], words));
  int failed = exit_failed;
  hw::CameraUpkeep* upkeep = connect_upkeep(command, "power switch on the network", &failed);
  if (!upkeep) return failed;
  const char* const done = *word == 0   ? "The camera is in standby."
                           : *word == 1 ? "The camera is awake."
                                        : "The camera switches itself off.";
  return run_upkeep(command, *upkeep, done, [&](hw::CameraUpkeep& one, auto handler) {
    one.change_power(static_cast<hw::CameraUpkeep::Power>(*word), handler);
  });
}

// --- reset -----------------------------------------------------------------------------------

constexpr const char* reset_description =
    "Sets the camera's settings back to their factory values. --everything also resets its Wi-Fi\n"
    "(name and password) and its clock. The files on the card stay.\n"
    "\n"
    "Examples:\n"
    "  sphere reset\n"
    "  sphere reset --everything --yes\n";

int reset(int argc, char** argv) {
  CameraCommand command("reset", "[URI]", "Sets the camera back to its factory settings.",
                        reset_description);
  gboolean everything = FALSE;
  if (const auto status = begin(command,
                                {{"everything", 0, 0, G_OPTION_ARG_NONE, &everything,
                                  "Also the Wi-Fi and the clock", nullptr}},
                                true, 0, argc, argv))
    return *status;
  int failed = exit_failed;
  hw::CameraUpkeep* upkeep = connect_upkeep(command, "reset on the network", &failed);
  if (!upkeep) return failed;
  if (const auto status =
          command.confirm(everything ? "Reset all settings, the Wi-Fi and the clock of the camera?"
                                     : "Reset all settings of the camera?"))
    return *status;
  return run_upkeep(command, *upkeep,
                    everything ? "The camera has its factory settings. Its Wi-Fi may have another "
                                 "name and password now; join it again."
                               : "The camera has its factory settings.",
                    [&](hw::CameraUpkeep& one, auto handler) { one.reset(everything, handler); });
}

// --- firmware --------------------------------------------------------------------------------

constexpr const char* firmware_description =
    "Sends new firmware to the camera, which then installs it and restarts. FILE must be the "
    "vendor's\n"
    "file for this camera: with another one the camera may never start again. What is plainly no\n"
    "firmware of this camera is refused, but not every wrong file can be told. Charge the battery\n"
    "first, and don't switch the camera off until its light has stopped blinking.\n"
    "\n"
    "Example:\n"
    "  sphere firmware FIRMWARE.bin\n";

struct OpenFile {
  std::unique_ptr<FILE, Call<std::fclose>> stream;
  hw::FirmwareFile facts;
  std::string md5;
};

Result<OpenFile> open_firmware(const std::string& path) {
  OpenFile file;
  // A pipe without a writer would not open.
  if (!g_file_test(path.c_str(), G_FILE_TEST_EXISTS)) return not_found(path + ": does not exist");
  if (!g_file_test(path.c_str(), G_FILE_TEST_IS_REGULAR))
    return invalid(path + ": is not a regular file");
  file.stream.reset(std::fopen(path.c_str(), "rbe"));
  if (!file.stream) return invalid(path + ": can't be read: " + g_strerror(errno));
  const GString_ name(g_path_get_basename(path.c_str()));
  file.facts.name = name.get();
  const std::unique_ptr<GChecksum, Call<g_checksum_free>> checksum(g_checksum_new(G_CHECKSUM_MD5));
  std::vector<guchar> block(1 << 16);
  while (const size_t count = std::fread(block.data(), 1, block.size(), file.stream.get())) {
    if (file.facts.size == 0)
      file.facts.beginning.assign(
          block.begin(), block.begin() + static_cast<ptrdiff_t>(
                                             std::min(count, hw::FirmwareFile::beginning_size)));
    file.facts.size += count;
    if (file.facts.size > largest_file) return invalid(path + ": is too large to be firmware");
    g_checksum_update(checksum.get(), block.data(), static_cast<gssize>(count));
  }
  if (std::ferror(file.stream.get())) return invalid(path + ": can't be read");
  file.md5 = g_checksum_get_string(checksum.get());
  std::rewind(file.stream.get());
  return file;
}

int firmware(int argc, char** argv) {
  CameraCommand command("firmware", "[URI] FILE", "Sends new firmware to the camera.",
                        firmware_description);
  gboolean remote = FALSE;
  if (const auto status = begin(command,
                                {{"remote-control", 0, 0, G_OPTION_ARG_NONE, &remote,
                                  "FILE is for the camera's remote control", nullptr}},
                                true, 1, argc, argv))
    return *status;
  if (command.words().empty()) return command.usage("FILE is missing");
  Result<OpenFile> file = open_firmware(command.words()[0]);
  if (!file) return command.usage(file.error().message);
  file->facts.remote_control = remote;
  int failed = exit_failed;
  hw::CameraUpkeep* upkeep =
      connect_upkeep(command, "firmware that can be changed over the network", &failed);
  if (!upkeep) return failed;
  if (const Status good = upkeep->check_firmware(file->facts); !good)
    return good.error().kind == Error::Kind::unsupported
               ? command.fail({hw::Failure::Reason::refused, good.error().message})
               : command.usage(good.error().message);
  const hw::CameraState state = command.camera().state();
  if (const auto status =
          command.confirm("Install '" + command.words()[0] + "' on the camera" +
                          (state.firmware.empty() ? "" : ", which has " + state.firmware) + "?"))
    return *status;
  Progress progress(!command.printer().quiet && !command.json(), "MB");
  uint64_t sent = 0;
  // Not interrupted: the camera must get the whole file or nothing.
  const auto outcome = hw::await<std::optional<hw::Failure>>(nullptr, [&](auto handler) {
    hw::FirmwareUpload upload;
    upload.file = file->facts;
    upload.md5 = file->md5;
    upload.source = [&](size_t most) {
      std::string piece(most, '\0');
      piece.resize(g_cancellable_is_cancelled(command.cancellable())
                       ? 0
                       : std::fread(piece.data(), 1, most, file->stream.get()));
      sent += piece.size();
      progress.show(sent / megabyte, file->facts.size / megabyte);
      return piece;
    };
    upkeep->upload_firmware(std::move(upload), std::move(handler));
  });
  progress.clear();
  if (const auto& failure = std::get<0>(*outcome)) return command.fail(*failure);
  return command.done("The camera installs the firmware and restarts. Don't switch it off.");
}

const Registration registrations[] = {
    Registration({"clock", "set a camera's clock", clock}),
    Registration({"power", "standby, wake up, or switch off a camera", power}),
    Registration({"reset", "set a camera back to its factory settings", reset}),
    Registration({"firmware", "install new firmware on a camera", firmware}),
};

}  // namespace

}  // namespace sphere::tool
