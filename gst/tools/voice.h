// SPDX-License-Identifier: LGPL-2.1-or-later
// A voice for a film: it is recorded while the finished film is shown, and becomes a sound track.

#pragma once

#include <glib.h>

#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/tools/command.h"
#include "gst/tools/consent_option.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

struct VoiceChoice {
  bool wanted = false;
  /// The elements that record, as in a launch line, and the one that shows the film.
  std::string source = "autoaudiosrc", sink = "autovideosink";
  /// Where consent comes from, as the elements have it.
  std::optional<std::string> consent, ledger;

  bool has_window() const { return sink.find("fake") == std::string::npos; }
};

class VoiceOption {
 public:
  VoiceOption() = default;
  ~VoiceOption();
  VoiceOption(const VoiceOption&) = delete;
  VoiceOption& operator=(const VoiceOption&) = delete;

  /// They point into this object.
  std::vector<GOptionEntry> entries();
  /// `options` is what the other options say. An error: they don't go together.
  Result<VoiceChoice> parse(const StitchOptions& options) const;

 private:
  gboolean wanted_ = FALSE;
  char* source_ = nullptr;
  char* sink_ = nullptr;
  ConsentOption consent_;
};

/// Before a film is made: whether a voice may be recorded now, and whether there is a screen. To be
/// called after gst_init().
Status prepare_voice(const VoiceChoice& voice);

/// Shows `film`, which is complete, and records; then returns the film with the voice as one more
/// sound track. It goes where `options` say.
Result<OutputFile> add_voice(const VoiceChoice& voice, const OutputFile& film,
                             const StitchOptions& options, MessagePrinter* printer);

}  // namespace sphere::tool
