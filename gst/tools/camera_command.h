// SPDX-License-Identifier: LGPL-2.1-or-later
// The common parts of the subcommands that talk to a camera.

#pragma once

#include <glib.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "gst/sphere/consent/guard.h"
#include "gst/tools/command.h"
#include "gst/tools/stop_signals.h"
#include "hw/await.h"
#include "hw/camera_client.h"

namespace sphere::tool {

class CameraCommand {
 public:
  /// `parameters` is the help's word for the arguments after the URI.
  CameraCommand(const char* name, std::string parameters, const char* summary,
                const char* description);

  /// `asks`: the command destroys something, and has the option --yes.
  Status parse(std::vector<GOptionEntry> own_options, bool asks, int argc, char** argv);
  /// Connects to the camera. Without success, prints why, and returns an exit status.
  std::optional<int> connect();
  /// After a loss: connects again, for up to `at_most`.
  std::optional<hw::Failure> reconnect(std::chrono::seconds at_most);

  hw::CameraClient& client() { return *client_; }
  hw::Camera& camera() { return *camera_; }
  /// The arguments without the URI.
  const std::vector<std::string>& words() const { return words_; }
  const std::string& location() const { return location_; }
  /// Whether the URI was typed; otherwise it is the usual one.
  bool has_uri() const { return has_uri_; }
  bool json() const { return json_; }
  MessagePrinter& printer() { return printer_; }
  GCancellable* cancellable() const { return signals_.cancellable(); }
  /// What the person who types the command has given.
  const consent::Consent& consent() const { return consent_; }

  /// Calls an asynchronous function of the camera, and waits for its handler's arguments.
  template <typename... Values, typename Start>
  std::optional<std::tuple<Values...>> wait(Start start) {
    return hw::await<Values...>(cancellable(), std::move(start));
  }
  /// The same for a function whose handler gets only the failure.
  template <typename Start>
  std::optional<hw::Failure> run(Start start) {
    const auto outcome = wait<std::optional<hw::Failure>>(std::move(start));
    return outcome ? std::get<0>(*outcome) : interrupted();
  }
  static hw::Failure interrupted() { return {hw::Failure::Reason::stopped, "interrupted"}; }

  /// Asks a person on the terminal; without a terminal, --yes is needed. Without consent, prints
  /// why, and returns an exit status.
  std::optional<int> confirm(const std::string& question);
  /// After Ctrl-C has ended a part of the command: see StopSignals.
  bool forget_interrupt() { return signals_.forget_interrupt(); }
  /// Prints the failure, and returns the exit status.
  int fail(const hw::Failure& failure);
  int usage(const std::string& sentence);
  /// Prints the parts of the camera that this family lacks, and returns the exit status.
  int lacking(const char* what);
  /// Prints `sentence`, or with --json the object.
  int done(const std::string& sentence, JsonWriter* json = nullptr);

 private:
  const char* const name_;
  const std::string parameters_;
  const char *const summary_, *const description_;
  StopSignals signals_;
  MessagePrinter printer_;
  consent::Consent consent_;
  std::string location_;
  std::vector<std::string> words_;
  bool json_ = false, yes_ = false, has_uri_ = false;
  int timeout_ = 5;
  std::shared_ptr<hw::CameraClient> client_;
  std::shared_ptr<hw::Camera> camera_;
};

/// Of a word where only a camera's URI can be.
Error no_uri(const std::string& word);
/// "3456 MB", "1.2 GB".
std::string size_text(uint64_t bytes);
/// Rows as columns for a person: each as wide as its widest cell.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace sphere::tool
