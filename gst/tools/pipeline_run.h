// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs one pipeline of `sphere stitch` or `sphere reframe`, and says in words what went wrong.

#pragma once

#include <glib.h>
#include <gst/gst.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/tools/command.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/stitch_pipeline.h"

namespace sphere::tool {

/// How a command ended: an error and the exit status.
struct Outcome {
  std::optional<Error> error;
  int status = exit_done;
};

inline Outcome fail_with(Error error, int status = exit_failed) {
  return {std::move(error), status};
}

/// The names of the lens profiles that are installed.
std::vector<std::string> lens_names();

/// Runs one pipeline to its end, its error, or a signal.
class PipelineRun {
 public:
  /// `write_problem` returns the system's message if nothing more can be written to OUT, else "".
  /// `draw` is called some ten times a second, and `clear` before something is printed. All must
  /// exist longer than this object.
  struct Calls {
    std::function<std::string()> write_problem;
    std::function<void()> draw, clear;
  };
  PipelineRun(const StitchOptions& options, const StitchInput& input, StitchPipeline* pipeline,
              MessagePrinter* printer, Calls calls);

  Outcome run();

  /// Which lenses it was, for a person; "" before a picture was stitched.
  const std::string& lens() const { return lens_; }

 private:
  void play();
  void end(Outcome outcome);
  void handle(GstMessage* message);
  void warn(GstMessage* message);
  Error explain(GstMessage* message);
  /// A decoder passes over what it can't read and goes on; the result would be shorter.
  void check_all_stitched();

  const StitchOptions& options_;
  const StitchInput& input_;
  StitchPipeline* pipeline_;
  MessagePrinter* printer_;
  Calls calls_;
  std::unique_ptr<GMainLoop, Call<g_main_loop_unref>> loop_;
  Outcome outcome_;
  std::string lens_;
  bool ended_ = false;
};

}  // namespace sphere::tool
