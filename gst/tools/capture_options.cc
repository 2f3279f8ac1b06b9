// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/capture_options.h"

#include <algorithm>
#include <utility>

#include "gst/sphere/base/gobject.h"

namespace sphere::tool {

namespace {

constexpr const char* one_lens = "one-lens";

}  // namespace

CaptureOptions::CaptureOptions(std::vector<std::string> kinds, const char* what)
    : kinds_(std::move(kinds)),
      kind_words_(alternatives(kinds_)),
      kind_help_("What is taken (default: " + kinds_.front() + ")"),
      output_help_(std::string("Fetch ") + what) {}

CaptureOptions::~CaptureOptions() {
  g_free(typed_kind_);
  g_free(typed_output_);
}

Status CaptureOptions::parse(CameraCommand& command, std::vector<GOptionEntry> own_options,
                             int argc, char** argv) {
  std::vector<GOptionEntry> entries = {
      {"kind", 'k', 0, G_OPTION_ARG_STRING, &typed_kind_, kind_help_.c_str(), kind_words_.c_str()}};
  entries.insert(entries.end(), own_options.begin(), own_options.end());
  entries.insert(
      entries.end(),
      {{"back", 0, 0, G_OPTION_ARG_NONE, &back_, "With one-lens: the lens on the back", nullptr},
       {"output", 'o', 0, G_OPTION_ARG_FILENAME, &typed_output_, output_help_.c_str(),
        "FILE|FOLDER"},
       {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber_, "Fail if the file exists", nullptr}});
  if (const Status parsed = command.parse(std::move(entries), false, argc, argv); !parsed)
    return parsed;
  if (!command.words().empty()) return no_uri(command.words()[0]);
  if (typed_kind_) {
    const Result<int> chosen = choose("--kind", typed_kind_, kinds_);
    if (!chosen) return chosen.error();
    kind_ = *chosen;
  }
  if (kinds_[static_cast<size_t>(kind_)] == one_lens)
    back_lens_ = back_ != FALSE;
  else if (back_)
    return invalid(std::string("--back needs --kind ") + one_lens);
  output_ = to_string(typed_output_);
  return ok();
}

Status CaptureOptions::check_use(const char* option, bool given,
                                 const std::vector<std::string>& kinds) const {
  if (!given || std::ranges::count(kinds, kinds_[static_cast<size_t>(kind_)])) return ok();
  std::string words;
  for (const std::string& kind : kinds) words += (words.empty() ? "" : " or ") + kind;
  return invalid(std::string(option) + " needs --kind " + words);
}

}  // namespace sphere::tool
