// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere stitch: a photo or a video to 360.

#include <gst/gst.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/auto_view.h"
#include "gst/tools/command.h"
#include "gst/tools/output_file.h"
#include "gst/tools/pipeline_run.h"
#include "gst/tools/progress.h"
#include "gst/tools/stitch_finish.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/stitch_pipeline.h"
#include "gst/tools/stitch_prepare.h"
#include "gst/tools/stitch_run.h"

namespace sphere::tool {

namespace {

void print_json(const StitchOptions& options, const StitchInput& input, StitchPipeline* pipeline,
                const OutputFile& output, const std::string& lens, double seconds,
                const MessagePrinter& printer) {
  JsonWriter json;
  json.add("input", options.input);
  json.add("output", options.output);
  json.add("kind", input.video() ? "video" : "photo");
  const StitchCounts& counts = pipeline->counts();
  json.add("width", counts.width.load());
  json.add("height", counts.height.load());
  json.add("pictures", counts.stitched.load());
  json.add("sound_tracks", counts.sound_tracks.load());
  struct stat status = {};
  if (fstat(output.descriptor(), &status) == 0) json.add("bytes", status.st_size);
  json.add("seconds", std::round(seconds * 1000) / 1000);
  json.add("stitcher", pipeline->stitcher_name());
  if (!options.from_sphere) {
    json.add("lens", lens);
    if (options.agreement) json.add("agreement", *options.agreement);
    json.add("level", options.level_told());
  }
  json.add("warnings", printer.warnings());
  print(json);
}

Outcome stitch(StitchOptions options, MessagePrinter* printer) {
  const gint64 begin = g_get_monotonic_time();
  Result<StitchInput> input = prepare_input(&options, printer);
  if (!input) return fail_with(input.error());
  Result<OutputFile> output = OutputFile::create(options.output, options.clobber);
  if (!output) return fail_with(output.error());
  FoundLens found_lens;
  if (const Status found = find_lens(*input, &options, &found_lens, printer); !found)
    return fail_with(found.error());
  if (const Status found = find_view(*input, {}, &options, printer); !found)
    return fail_with(found.error());

  Result<std::unique_ptr<StitchPipeline>> pipeline =
      StitchPipeline::make(options, *input, output->descriptor());
  if (!pipeline) return fail_with(pipeline.error());
  Progress progress(!options.quiet && input->video(), "pictures");
  const auto draw = [&] {
    const uint64_t stitched = (*pipeline)->counts().stitched;
    const uint64_t expected = input->video() ? input->video()->pictures : 1;
    // How many there are is an estimate in some containers.
    progress.show(stitched, expected ? std::max(stitched, expected) : 0);
  };
  PipelineRun run(options, *input, pipeline->get(), printer,
                  {[&] { return output->write_problem(); }, draw, [&] { progress.clear(); }});
  Outcome outcome = run.run();
  if (outcome.error) return outcome;
  Result<OutputFile> finished = finish_stitched(*output, options, nullptr);
  if (!finished) return fail_with(finished.error());
  if (const Status written = finished->commit(); !written) return fail_with(written.error());
  if (const Status saved = found_lens.save(); !saved) return fail_with(saved.error());
  if (found_lens.keep(printer))
    printer->note("the lenses are kept for this camera; `sphere consent held` lists them");

  const double seconds = static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
  const StitchCounts& counts = (*pipeline)->counts();
  std::string made =
      std::to_string(counts.width.load()) + "x" + std::to_string(counts.height.load());
  if (input->video()) made += ", " + std::to_string(counts.stitched.load()) + " pictures";
  if (options.agreement) made += "; lenses " + options.lens_name;
  printer->wrote(options.output, made, seconds);
  if (!options.from_sphere)
    printer->note("lenses: " + run.lens() + "; level: " + options.level_told());
  if (options.json)
    print_json(options, *input, pipeline->get(), *finished, run.lens(), seconds, *printer);
  return {};
}

int run(int argc, char** argv) {
  StitchOptions options;
  const Status parsed = parse_stitch_options(argc, argv, &options);
  return run_stitch("stitch", parsed, options);
}

const Registration registration({"stitch", "stitch a photo or a video to a 360 one", run});

}  // namespace

int run_stitch(const char* command, const Status& parsed, const StitchOptions& options) {
  MessagePrinter printer(std::string("sphere ") + command);
  printer.quiet = options.quiet;
  printer.verbose = options.verbose;
  Outcome outcome;
  if (!parsed) {
    outcome = fail_with(parsed.error(), exit_usage);
  } else {
    gst_init(nullptr, nullptr);
    outcome = stitch(options, &printer);
  }
  if (outcome.error) {
    printer.error(outcome.error->message);
    if (options.json) {
      JsonWriter json;
      json.add("error", outcome.error->message);
      json.add("warnings", printer.warnings());
      print(json);
    }
  }
  return outcome.status;
}

}  // namespace sphere::tool
