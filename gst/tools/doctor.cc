// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere doctor: what works on this machine, what does not, and how to repair it.

#include "gst/tools/doctor.h"

#include <gst/gst.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/decision.h"
#include "gst/sphere/consent/source.h"
#include "gst/tools/command.h"
#include "gst/tools/output_file.h"
#include "gst/tools/question.h"

namespace sphere::tool {

namespace {

using State = Finding::State;

constexpr const char* description =
    "ok: it works. fallback: it works, but not in the best way. wrong: it does not work; a line\n"
    "with an arrow tells how to repair it. The exit status is 1 if anything is wrong.\n"
    "\n"
    "A report is a file for a person who helps you. The whole report is shown before it is "
    "written,\n"
    "and it is never sent anywhere. It describes the system, the processors and the graphics of "
    "this\n"
    "machine only while you consent to it: sphere consent give environment --purpose repair\n";

const char* word(State state) {
  switch (state) {
    case State::good:
      return "ok";
    case State::fallback:
      return "fallback";
    case State::wrong:
      break;
  }
  return "wrong";
}

std::string in_words(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    char head[40];
    std::snprintf(head, sizeof head, "%-9s %-10s", word(finding.state), finding.topic.c_str());
    text += std::string(head) + finding.text + "\n";
    if (!finding.remedy.empty()) text += "                    -> " + finding.remedy + "\n";
  }
  return text;
}

/// Whether the user's ledger allows details of this machine in a report.
consent::Answer environment_given() {
  constexpr auto category = consent::Category::environment;
  constexpr auto purpose = consent::Purpose::repair;
  const auto ledger = consent::open_ledger("default");
  consent::GrantSource::Grants grants;
  if (ledger)
    grants = (*ledger)->grants(category, purpose);
  else
    grants.problem = ledger.error().message;
  if (grants.problem.empty())
    return consent::evaluate(grants.caps.get(), category, purpose, g_get_real_time());
  consent::Answer denied;
  denied.reason = grants.problem;
  return denied;
}

std::string report_of(std::vector<Finding> findings) {
  const consent::Answer answer = environment_given();
  std::string text = "gst-sphere report\n\n";
  if (!answer.allowed) {
    std::erase_if(findings, [](const Finding& finding) { return finding.environment; });
    text += "Not included: the system, the processors and the graphics of this machine\n(" +
            answer.reason + ").\n\n";
  }
  text += in_words(findings);
  // The path of the home folder contains the user's name.
  const std::string home = to_string(g_get_home_dir());
  for (size_t at = 0; home.size() > 1 && (at = text.find(home, at)) != std::string::npos; ++at)
    text.replace(at, home.size(), "~");
  return text;
}

Status write_report(const std::string& path, const std::string& text, bool clobber) {
  Result<OutputFile> file = OutputFile::create(path, clobber);
  if (!file) return file.error();
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = write(file->descriptor(), text.data() + at, text.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed(path + " can't be written: " + std::strerror(errno));
    at += static_cast<size_t>(written);
  }
  return file->commit();
}

void print_json(const std::vector<Finding>& findings) {
  JsonWriter json;
  for (const State state : {State::good, State::fallback, State::wrong}) {
    std::vector<std::string> lines;
    for (const Finding& finding : findings)
      if (finding.state == state)
        lines.push_back(finding.topic + ": " + finding.text +
                        (finding.remedy.empty() ? "" : " -> " + finding.remedy));
    json.add(word(state), lines);
  }
  print(json);
}

int run(int argc, char** argv) {
  MessagePrinter printer("sphere doctor");
  g_autofree char* report = nullptr;
  gboolean yes = FALSE, json = FALSE, no_clobber = FALSE;
  GOptionEntry entries[] = {
      {"report", 0, 0, G_OPTION_ARG_FILENAME, &report,
       "Write a report into this file, after showing it", "FILE"},
      {"yes", 0, 0, G_OPTION_ARG_NONE, &yes, "Do not ask before writing the report", nullptr},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if FILE exists", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", nullptr},
      {}};
  std::vector<std::string> rest;
  Status status = parse_options(
      "doctor", nullptr, "Shows what this machine can do, what is wrong, and how to repair it.",
      description, entries, argc, argv, &rest);
  if (status && !rest.empty()) status = invalid("'" + rest[0] + "' is one word too many");
  if (status && report && json) status = invalid("--report and --json can't be used together");
  if (status && report && !yes && !can_ask())
    status =
        invalid("there is no terminal to ask on; add --yes to write the report without a question");
  if (!status) {
    printer.error(status.error().message);
    return exit_usage;
  }

  gst_init(nullptr, nullptr);
  std::vector<Finding> findings;
  for (const auto check :
       {check_versions, check_elements, check_graphics, check_network, check_proxies, check_ledger})
    std::ranges::move(check(), std::back_inserter(findings));

  if (report) {
    const std::string text = report_of(findings);
    if (!print_text(stdout, text)) return exit_failed;
    if (!yes && ask_yes_or_no("Write this?", nullptr) != Reply::yes) {
      printer.note("nothing was written");
      return exit_failed;
    }
    if (const Status written = write_report(report, text, !no_clobber); !written) {
      printer.error(written.error().message);
      return exit_failed;
    }
    return exit_done;
  }
  if (json)
    print_json(findings);
  else if (!print_text(stdout, in_words(findings)))
    return exit_failed;
  const bool wrong = std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.state == State::wrong; });
  return wrong ? exit_failed : exit_done;
}

const Registration registration(
    {"doctor", "show what this machine can do, what is wrong, and how to repair it", run});

}  // namespace

}  // namespace sphere::tool
