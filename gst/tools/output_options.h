// SPDX-License-Identifier: LGPL-2.1-or-later
// The options that all commands share which write a picture or a video: how it is encoded, what
// draws it, and what is printed.

#pragma once

#include <glib.h>

#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/projection.h"
#include "gst/tools/command.h"

namespace sphere::tool {

struct StitchOptions;

/// An option whose value is one of some words.
struct WordOption {
  const char* name;
  const char* typed;  ///< null: the option was not given, and `chosen` stays
  std::string* chosen;
  std::vector<std::string> choices;
};
Status read_words(const std::vector<WordOption>& options);

/// Reads --projection; null changes nothing.
Status read_projection(const char* typed, Projection* projection);
/// Whether --yaw, --pitch and --roll are in their range.
Status check_angles(double yaw, double pitch, double roll);

class OutputOptions {
 public:
  /// What differs from command to command: the name and the help of the option that chooses between
  /// the GPU and the CPU, and the help of --force.
  struct Texts {
    const char* drawer;
    const char* drawer_help;
    const char* force_help;
  };
  explicit OutputOptions(const Texts& texts) : texts_(texts) {}
  ~OutputOptions();
  OutputOptions(const OutputOptions&) = delete;
  OutputOptions& operator=(const OutputOptions&) = delete;

  /// Appends its entries and the end of the list. This object must exist until they are parsed.
  void add_to(std::vector<GOptionEntry>* entries);
  /// What is printed, which must also be known for the message of an error.
  void read_printing(StitchOptions* options) const;
  /// All others. To be called after read_output_kind(), because the kind of file decides which
  /// options it can have.
  Status read(StitchOptions* options) const;

 private:
  const Texts texts_;
  const std::string drawer_option_ = std::string("--") + texts_.drawer;
  char *codec_ = nullptr, *preset_ = nullptr, *drawer_ = nullptr;
  int quality_ = no_integer, threads_ = 0;
  gboolean no_audio_ = FALSE, no_clobber_ = FALSE, force_ = FALSE, quiet_ = FALSE, verbose_ = FALSE,
           json_ = FALSE;
};

}  // namespace sphere::tool
