// SPDX-License-Identifier: LGPL-2.1-or-later
// What is done with IN before a pipeline of `sphere stitch` or `sphere reframe` is built: it is
// looked through, and its lenses are found.

#pragma once

#include <optional>
#include <string>

#include "gst/sphere/base/result.h"
#include "gst/sphere/storage/camera_lens.h"
#include "gst/tools/command.h"
#include "gst/tools/output_file.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

/// Opens IN, and the file of the other lens. Completes the options by what the files say: the
/// level, whether IN is a 360 picture, the other file. Refuses what can't be made into OUT.
Result<StitchInput> prepare_input(StitchOptions* options, MessagePrinter* printer);

/// What is done with lenses that were found, once OUT is complete.
struct FoundLens {
  std::optional<OutputFile> file;                ///< of --save-lens
  std::optional<storage::CameraLensKey> camera;  ///< to be kept for
  std::string profile;

  Status save();
  /// Returns whether they are kept.
  bool keep(MessagePrinter* printer) const;
};

/// Where no lens was named: the lenses that are found in the pictures, unless the file's own fit.
Status find_lens(const StitchInput& input, StitchOptions* options, FoundLens* found_lens,
                 MessagePrinter* printer);

}  // namespace sphere::tool
