// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/camera_command.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/printable.h"
#include "gst/tools/question.h"
#include "hw/card_file.h"

namespace sphere::tool {

using hw::Failure;

namespace {

/// The number of characters, for columns.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(g_utf8_strlen(text.c_str(), -1));
}

}  // namespace

CameraCommand::CameraCommand(const char* name, std::string parameters, const char* summary,
                             const char* description)
    : name_(name),
      parameters_(std::move(parameters)),
      summary_(summary),
      description_(description),
      printer_(std::string("sphere ") + name) {}

Status CameraCommand::parse(std::vector<GOptionEntry> own_options, bool asks, int argc,
                            char** argv) {
  gboolean json = FALSE, quiet = FALSE, yes = FALSE;
  g_autofree char* ledger = nullptr;
  std::vector<GOptionEntry> entries = std::move(own_options);
  if (asks) entries.push_back({"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Don't ask", nullptr});
  entries.insert(
      entries.end(),
      {{"timeout", 0, 0, G_OPTION_ARG_INT, &timeout_,
        "Give up connecting after this time (default: 5)", "SECONDS"},
       {"ledger", 0, 0, G_OPTION_ARG_FILENAME, &ledger,
        "The ledger that says what you have agreed to (default: your own)", "FILE"},
       {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", nullptr},
       {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print no progress and no success", nullptr},
       {}});
  std::vector<std::string> words;
  const Status parsed = parse_options(name_, parameters_.c_str(), summary_, description_,
                                      entries.data(), argc, argv, &words);
  if (!parsed) return parsed;
  // Consent is a form of caps.
  gst_init(nullptr, nullptr);
  json_ = json;
  yes_ = yes;
  printer_.quiet = quiet;
  if (const Status range = check_range("--timeout", timeout_, 1, 60); !range) return range;
  if (const Status opened = consent_.set_ledger(ledger ? ledger : "default"); !opened)
    printer_.warn(opened.error().message);
  // The URI is the word with "://"; it may be left out.
  const auto uri = std::ranges::find_if(
      words, [](const std::string& word) { return word.find("://") != std::string::npos; });
  location_ = uri == words.end() ? hw::default_location() : *uri;
  has_uri_ = uri != words.end();
  if (has_uri_) words.erase(uri);
  words_ = std::move(words);
  const Result<const hw::CameraFamily*> family = hw::find_family(location_);
  if (!family) return family.error();
  if (const Status good = (*family)->check_location(location_); !good) return good;
  hw::CameraOptions options;
  options.location = location_;
  options.connect_timeout = std::chrono::seconds(timeout_);
  options.wants_lens_table = false;
  client_ = std::make_shared<hw::CameraClient>(**family, std::move(options));
  return ok();
}

std::optional<int> CameraCommand::connect() {
  if (const auto failure = run([&](auto handler) { client_->connect(std::move(handler)); }))
    return fail(*failure);
  camera_ = client_->camera();
  if (!camera_)
    return fail(Failure(Failure::Reason::gone, "the connection to the camera was lost"));
  return std::nullopt;
}

std::optional<hw::Failure> CameraCommand::reconnect(std::chrono::seconds at_most) {
  // A command that failed with the connection is told of it a little earlier.
  constexpr int most_checks = 100;
  for (int i = 0; i < most_checks && client_->is_ready(); ++i)
    hw::pause(std::chrono::milliseconds(10), cancellable());
  const auto until = std::chrono::steady_clock::now() + at_most;
  hw::RetryPause retry;
  for (;;) {
    const auto failure = hw::connect_and_wait(*client_, cancellable());
    if (!failure) {
      if (std::shared_ptr<hw::Camera> camera = client_->camera()) {
        camera_ = std::move(camera);
        return std::nullopt;
      }
    } else if (!hw::may_pass(*failure) || std::chrono::steady_clock::now() + retry.next() > until) {
      return failure;
    }
    retry.wait(cancellable());
    if (g_cancellable_is_cancelled(cancellable())) return interrupted();
  }
}

std::optional<int> CameraCommand::confirm(const std::string& question) {
  if (yes_) return std::nullopt;
  if (!can_ask()) {
    printer_.error("this can't be undone; say --yes if you want it");
    return exit_failed;
  }
  switch (ask_yes_or_no(question, cancellable())) {
    case Reply::yes:
      return std::nullopt;
    case Reply::interrupted:
      return exit_interrupted;
    default:
      print(stderr, "Nothing was done.\n");
      return exit_failed;
  }
}

int CameraCommand::fail(const Failure& failure) {
  if (signals_.signal()) return exit_interrupted;
  printer_.error(failure.message);
  return exit_failed;
}

int CameraCommand::usage(const std::string& sentence) {
  printer_.error(sentence);
  return exit_usage;
}

int CameraCommand::lacking(const char* what) {
  printer_.error(std::string("cameras of this family have no ") + what);
  return exit_failed;
}

int CameraCommand::done(const std::string& sentence, JsonWriter* json) {
  if (json_) {
    JsonWriter empty;
    return print(json ? *json : empty) ? exit_done : exit_failed;
  }
  if (printer_.quiet) return exit_done;
  return print(stdout, "%s\n", sentence.c_str()) ? exit_done : exit_failed;
}

Error no_uri(const std::string& word) {
  return invalid("'" + word + "' is not the URI of a camera, such as " + hw::default_location());
}

std::string size_text(uint64_t bytes) {
  const GString_ text(g_format_size_full(bytes, G_FORMAT_SIZE_DEFAULT));
  return printable(text.get());
}

std::string table_text(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace sphere::tool
