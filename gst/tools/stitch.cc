// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere stitch: a photo or a video to 360.

#include <glib-unix.h>
#include <gst/gst.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/gstsphere.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/makers/models.h"
#include "gst/sphere/media/source.h"
#include "gst/sphere/orientation/track.h"
#include "gst/sphere/storage/camera_lens.h"
#include "gst/tools/command.h"
#include "gst/tools/lens_choice.h"
#include "gst/tools/output_file.h"
#include "gst/tools/progress.h"
#include "gst/tools/stitch_finish.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"
#include "gst/tools/stitch_pipeline.h"

namespace sphere::tool {

namespace {

constexpr guint progress_interval_ms = 100;
// Pixels. In smaller pictures nothing can be recognised.
constexpr int least_searched_height = 64;
// Decoded, converted, stitched and converted back: that many pictures are in memory at once.
constexpr double pictures_at_once = 4;
constexpr double most_bytes_a_pixel = 4;

struct Outcome {
  std::optional<Error> error;
  int status = exit_done;
};

Outcome fail_with(Error error, int status = exit_failed) { return {std::move(error), status}; }

std::vector<std::string> lens_names() {
  g_auto(GStrv) names = gst_sphere_lens_list_profiles();
  std::vector<std::string> list;
  for (char** name = names; name && *name; ++name) list.emplace_back(*name);
  return list;
}

Status check_lens(const std::string& lens) {
  if (lens.empty()) return ok();
  g_autoptr(GError) error = nullptr;
  g_autoptr(GstSphereLens) made = gst_sphere_lens_new(lens.c_str(), &error);
  if (made) return ok();
  std::string sentence = error->message;
  if (lens.find('/') == std::string::npos) sentence += suggestion(lens, lens_names());
  return invalid("--lens: " + sentence);
}

/// Glib's and GStreamer's sentences end with a stop, ours don't.
std::string without_stop(std::string sentence) {
  while (!sentence.empty() && (sentence.back() == '.' || sentence.back() == '\n'))
    sentence.pop_back();
  return sentence;
}

bool is_stitcher(GstObject* source) {
  const GstRef<GstObject> held(source ? GST_OBJECT(gst_object_ref(source)) : nullptr);
  return held && g_strrstr(G_OBJECT_TYPE_NAME(held.get()), "SphereStitch");
}

/// Runs one pipeline to its end, its error, or a signal.
class PipelineRun {
 public:
  PipelineRun(const StitchOptions& options, const StitchInput& input, OutputFile* output,
              StitchPipeline* pipeline, MessagePrinter* printer)
      : options_(options),
        input_(input),
        output_(output),
        pipeline_(pipeline),
        printer_(printer),
        progress_(!options.quiet && input.video(), "pictures"),
        loop_(g_main_loop_new(nullptr, FALSE)) {}

  Outcome go() {
    const GstRef<GstBus> bus(gst_element_get_bus(pipeline_->element()));
    gst_bus_add_watch(
        bus.get(),
        +[](GstBus*, GstMessage* message, gpointer self) -> gboolean {
          static_cast<PipelineRun*>(self)->hear(message);
          return G_SOURCE_CONTINUE;
        },
        this);
    const guint timer = g_timeout_add(
        progress_interval_ms,
        +[](gpointer self) -> gboolean {
          static_cast<PipelineRun*>(self)->draw();
          return G_SOURCE_CONTINUE;
        },
        this);
    const GSourceFunc interrupt = +[](gpointer self) -> gboolean {
      static_cast<PipelineRun*>(self)->end(fail_with(failed("interrupted"), exit_interrupted));
      return G_SOURCE_CONTINUE;
    };
    const guint signals[] = {g_unix_signal_add(SIGINT, interrupt, this),
                             g_unix_signal_add(SIGTERM, interrupt, this),
                             g_unix_signal_add(SIGHUP, interrupt, this)};
    // An element that can't start posts why before the state change says so.
    if (gst_element_set_state(pipeline_->element(), GST_STATE_PLAYING) ==
            GST_STATE_CHANGE_FAILURE &&
        !gst_bus_have_pending(bus.get()))
      end(fail_with(failed(options_.input + ": the pipeline can't start")));
    if (!ended_) g_main_loop_run(loop_.get());
    gst_element_set_state(pipeline_->element(), GST_STATE_NULL);
    gst_bus_remove_watch(bus.get());
    g_source_remove(timer);
    for (const guint signal : signals) g_source_remove(signal);
    progress_.clear();
    if (!outcome_.error) check_all_stitched();
    return outcome_;
  }

  /// Which lenses it was, for a person; "" before a picture was stitched.
  const std::string& lens() const { return lens_; }

 private:
  void end(Outcome outcome) {
    if (ended_) return;
    ended_ = true;
    outcome_ = std::move(outcome);
    g_main_loop_quit(loop_.get());
  }

  void draw() {
    const uint64_t stitched = pipeline_->counts().stitched;
    const uint64_t expected = input_.video() ? input_.video()->pictures : 1;
    // How many there are is an estimate in some containers.
    progress_.show(stitched, expected ? std::max(stitched, expected) : 0);
  }

  void hear(GstMessage* message) {
    switch (GST_MESSAGE_TYPE(message)) {
      case GST_MESSAGE_EOS:
        end({});
        break;
      case GST_MESSAGE_ERROR:
        end(fail_with(explain(message)));
        break;
      case GST_MESSAGE_WARNING:
        warn(message);
        break;
      case GST_MESSAGE_APPLICATION:
        end(fail_with(invalid(options_.input + ": " + pipeline_->refusal())));
        break;
      case GST_MESSAGE_ELEMENT:
        if (const GstStructure* said = gst_message_get_structure(message);
            said && gst_structure_has_name(said, "sphere-lens")) {
          const std::string lens = to_string(gst_structure_get_string(said, "lens"));
          lens_ = lens == "table"   ? options_.table_from
                  : lens == "given" ? options_.lens_name
                                    : lens;
        } else if (said && gst_structure_has_name(said, "sphere-stitcher")) {
          const char* reason = gst_structure_get_string(said, "reason");
          progress_.clear();
          printer_->note(std::string(gst_structure_get_string(said, "stitcher")) +
                         " stitches: " + to_string(reason));
        }
        break;
      default:
        break;
    }
  }

  void warn(GstMessage* message) {
    g_autoptr(GError) error = nullptr;
    gst_message_parse_warning(message, &error, nullptr);
    const GstStructure* details = nullptr;
    gst_message_parse_warning_details(message, &details);
    // Told when the file was looked through.
    for (const std::string& problem : input_.capture.problems)
      if (g_strrstr(error->message, problem.c_str())) return;
    progress_.clear();
    if (GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline_->element())) {
      printer_->warn(options_.input + ": " + error->message);
    } else if (!is_stitcher(GST_MESSAGE_SRC(message))) {
      printer_->note(without_stop(error->message));
    } else if (details && gst_structure_has_field(details, "assumed-lens")) {
      std::string known;
      for (const std::string& name : lens_names()) known += (known.empty() ? "" : ", ") + name;
      printer_->warn(
          options_.input +
          " does not name its lenses, so two ideal lenses (dual-190) are assumed; choose "
          "others with --lens: " +
          known + ", or a profile file");
    } else {
      printer_->warn(without_stop(error->message));
    }
  }

  Error explain(GstMessage* message) {
    g_autoptr(GError) error = nullptr;
    g_autofree char* detail = nullptr;
    gst_message_parse_error(message, &error, &detail);
    printer_->note(to_string(detail));
    if (const std::string refusal = pipeline_->refusal(); !refusal.empty())
      return invalid(options_.input + ": " + refusal);
    const char* factory = nullptr;
    if (GST_IS_ELEMENT(GST_MESSAGE_SRC(message)))
      if (GstElementFactory* made_by =
              gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(message))))
        factory = GST_OBJECT_NAME(made_by);

    if (error->domain == GST_RESOURCE_ERROR && factory && g_str_equal(factory, "fdsink")) {
      const std::string problem = output_->write_problem();
      return failed(options_.output + ": can't be written: " +
                    (problem.empty() ? without_stop(error->message) : problem));
    }
    if (is_stitcher(GST_MESSAGE_SRC(message)))
      return invalid(options_.input + ": " + without_stop(error->message));
    if (g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN) ||
        g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND)) {
      const std::string codec = input_.video() ? " (" + input_.video()->codec + ")" : "";
      return unsupported(options_.input + ": there is no decoder for its pictures" + codec +
                         "; install GStreamer's libav plugin");
    }
    if (error->domain == GST_STREAM_ERROR && !pipeline_->counts().stitched)
      return invalid(options_.input +
                     ": its pictures can't be decoded: " + without_stop(error->message));
    return failed(options_.input + ": " + without_stop(error->message));
  }

  /// A decoder passes over what it can't read and goes on; the result would be shorter.
  void check_all_stitched() {
    const uint64_t read = pipeline_->pictures_read(), stitched = pipeline_->counts().stitched;
    if (stitched >= std::max<uint64_t>(read, 1)) return;
    if (!stitched)
      outcome_ = fail_with(invalid(options_.input + ": none of its pictures can be decoded"));
    else
      outcome_ = fail_with(invalid(options_.input + ": only " + std::to_string(stitched) + " of " +
                                   std::to_string(read) +
                                   " pictures can be decoded; the file is damaged"));
  }

  const StitchOptions& options_;
  const StitchInput& input_;
  OutputFile* output_;
  StitchPipeline* pipeline_;
  MessagePrinter* printer_;
  Progress progress_;
  std::unique_ptr<GMainLoop, Call<g_main_loop_unref>> loop_;
  Outcome outcome_;
  std::string lens_;
  bool ended_ = false;
};

Status check_memory(const StitchOptions& options, const StitchInput& input) {
  const double in = static_cast<double>(input.width()) * input.height();
  const double width = options.width ? options.width : input.width();
  const double need = (in + width * width / 2) * most_bytes_a_pixel * pictures_at_once / 2;
  const double have =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (have <= 0 || need <= have) return ok();
  return failed(options.input + ": pictures of " + std::to_string(input.width()) + "x" +
                std::to_string(input.height()) + " need more memory than this machine has");
}

Status check_kinds(const StitchOptions& options, const StitchInput& input) {
  if (input.video() && options.photo_out)
    return invalid(options.output + ": " + options.input +
                   " is a video; name OUT .mp4, .mov or .mkv");
  if (!input.video() && !options.photo_out)
    return invalid(options.output + ": " + options.input + " is a picture; name OUT .jpg or .png");
  return ok();
}

/// A file that says that it is stitched is refused before anything is decoded.
Status check_not_stitched(const StitchOptions& options, const StitchInput& input) {
  if (options.force || !input.spherical()) return ok();
  return invalid(options.input + ": is a 360 " + (input.video() ? "video" : "picture") +
                 " already" + use_as_it_is);
}

/// The element that drew, looked up in the bin that chooses.
std::string stitcher_name(GstElement* stitcher) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(stitcher), "stitcher")) {
    g_autofree char* chosen = nullptr;
    g_object_get(stitcher, "stitcher", &chosen, nullptr);
    return to_string(chosen);
  }
  return GST_OBJECT_NAME(gst_element_get_factory(stitcher));
}

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
  json.add("stitcher", stitcher_name(pipeline->stitcher()));
  json.add("lens", lens);
  if (options.agreement) json.add("agreement", *options.agreement);
  json.add("level", options.level);
  json.add("warnings", printer.warnings());
  print(json);
}

/// Which level it is where none was asked for: the horizon, if the file says how to find it.
std::string default_level(const StitchInput& input, MessagePrinter* printer) {
  if (input.capture.orientations.empty()) return "off";
  const Result<OrientationTrack> track = OrientationTrack::make(input.capture.orientations);
  if (track) return "horizon";
  printer->warn("its orientation track can't be used, so the picture is not levelled: " +
                track.error().message);
  return "off";
}

#if HAVE_CALIBRATE
/// What the file says of its lenses.
KnownLenses known_lenses(const makers::CaptureInfo& capture) {
  KnownLenses known;
  // A table that can't be used is told of by the stitcher.
  if (!capture.lens_table.empty())
    if (Result<LensPair> table = parse_table(capture.lens_table, "of the camera"); table)
      known.table = std::move(*table);
  if (!capture.profile.empty())
    if (Result<LensPair> model = load_profile(capture.profile); model) {
      known.model = std::move(*model);
      known.name = capture.profile;
    }
  return known;
}

// Lenses that fit less may have been found in a difficult picture: the next one may be better.
constexpr double least_kept_agreement = 0.9;

/// Under which key the lenses of this camera are kept; nothing without consent, or where the file
/// names no camera.
std::optional<storage::CameraLensKey> camera_of(const StitchInput& input) {
  if (!consent::own_ledger_gives(consent::Category::device, consent::Purpose::bind))
    return std::nullopt;
  const Result<media::FileSource> file = media::FileSource::make(input.descriptor.get());
  if (!file) return std::nullopt;
  const makers::CameraName name = makers::identify_camera(*file);
  if (name.model.empty()) return std::nullopt;
  const int step = std::gcd(input.width(), input.height());
  return storage::CameraLensKey{name.make + " " + name.model, name.serial,
                                (input.video() ? "video " : "photo ") +
                                    std::to_string(input.width() / step) + ":" +
                                    std::to_string(input.height() / step)};
}

/// What is done with lenses that were found, once OUT is complete.
struct FoundLens {
  std::optional<OutputFile> file;                ///< of --save-lens
  std::optional<storage::CameraLensKey> camera;  ///< to be kept for
  std::string profile;

  Status save() {
    if (!file || profile.empty()) return ok();
    return file->commit();
  }
  /// Returns whether they are kept.
  bool keep(MessagePrinter* printer) const {
    if (!camera || profile.empty()) return false;
    const Result<bool> kept = storage::write_camera_lens(*camera, profile);
    if (!kept) printer->warn(kept.error().message);
    return kept && *kept;
  }
};

/// Where no lens was named: the lenses that are found in the pictures, unless the file's own fit.
Status find_lens(const StitchInput& input, StitchOptions* options, FoundLens* found_lens,
                 MessagePrinter* printer) {
  if (!options->lens.empty() || (options->lens_fov > 0 && !options->search)) return ok();
  if (input.height() < least_searched_height && !options->search) return ok();
  // Of a raw picture, only the one for viewing is decoded here.
  if (input.preview)
    return options->search
               ? unsupported(options->input + ": lenses can't be searched in a raw picture (DNG)")
               : ok();
  if (!options->save_lens.empty()) {
    Result<OutputFile> file = OutputFile::create(options->save_lens, options->clobber);
    if (!file) return file.error();
    found_lens->file.emplace(std::move(*file));
  }
  KnownLenses known = known_lenses(input.capture);
  const std::optional<storage::CameraLensKey> camera = camera_of(input);
  if (camera)
    if (const std::optional<std::string> text = storage::read_camera_lens(*camera))
      if (Result<LensPair> kept = parse_profile(*text, "kept of the camera"); kept) {
        known.kept = std::move(*kept);
        known.kept_profile = *text;
      }
  Progress progress(!options->quiet, "steps of the search for the lenses");
  const Result<LensChoice> choice =
      choose_lens({options->input, options->right, input.two_pictures() && !input.right,
                   !input.video(), options->search, options->force || input.capture.fisheyes},
                  known, [&](int done, int total) {
                    progress.show(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
                    return true;
                  });
  progress.clear();
  if (!choice) return choice.error();
  if (!choice->warning.empty()) printer->warn(options->input + ": " + choice->warning);
  if (choice->profile.empty() && options->save_lens.empty()) return ok();
  if (choice->profile.empty())
    return invalid(
        "--save-lens: no lenses were found that fit better than those that the file "
        "names");
  if (found_lens->file) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(choice->profile.data());
    if (const Status written = found_lens->file->write({bytes, choice->profile.size()}); !written)
      return written;
    if (const Status flushed = found_lens->file->flush(); !flushed) return flushed;
  }
  found_lens->profile = choice->profile;
  if (choice->found && choice->agreement >= least_kept_agreement) found_lens->camera = camera;
  options->lens = choice->profile;
  options->lens_name = choice->what;
  options->agreement = choice->agreement;
  return ok();
}
#endif

/// The file of the other lens, where a camera writes two: Insta360's VID_..._00_NNN.insv and
/// VID_..._10_NNN.insv; "" where there is none.
std::string other_file_of(const StitchInput& input) {
  const VideoInfo* video = input.video();
  if (!video || video->width != video->height || input.two_pictures()) return {};
  const size_t name = input.path.rfind('/') + 1;
  const size_t mark = input.path.rfind("_00_");
  if (mark == std::string::npos || mark < name || !input.path.ends_with(".insv")) return {};
  std::string other = input.path;
  other.replace(mark, 4, "_10_");
  return access(other.c_str(), R_OK) == 0 ? other : std::string();
}

Outcome stitch(StitchOptions options, MessagePrinter* printer) {
  const gint64 begin = g_get_monotonic_time();
  if (!options.dng)
    if (const Status lens = check_lens(options.lens); !lens) return fail_with(lens.error());
  Result<StitchInput> input = options.right.empty()
                                  ? open_stitch_input(options.input, printer)
                                  : open_stitch_pair(options.input, options.right, printer);
  if (!input) return fail_with(input.error());
  if (const std::string other = options.right.empty() ? other_file_of(*input) : "";
      !other.empty()) {
    printer->warn(other + ": has the pictures of the other lens, and is stitched, too");
    options.right = other;
    input = open_stitch_pair(options.input, other, printer);
    if (!input) return fail_with(input.error());
  }
  if (options.dng) {
    if (const Status read = read_dng(options.lens, &input->capture); !read)
      return fail_with({read.error().kind, "--lens: " + read.error().message});
    options.table_from = "the table in " + options.lens;
    options.lens.clear();
  }
  if (options.level.empty()) options.level = default_level(*input, printer);
  if (same_file(*input, options.output))
    return fail_with(invalid(options.output + ": is the same file as " + options.input));
  if (const Status kinds = check_kinds(options, *input); !kinds) return fail_with(kinds.error());
  if (const Status fresh = check_not_stitched(options, *input); !fresh)
    return fail_with(fresh.error());
  if (const Status memory = check_memory(options, *input); !memory)
    return fail_with(memory.error());
  Result<OutputFile> output = OutputFile::create(options.output, options.clobber);
  if (!output) return fail_with(output.error());
#if HAVE_CALIBRATE
  FoundLens found_lens;
  if (const Status found = find_lens(*input, &options, &found_lens, printer); !found)
    return fail_with(found.error());
#else
  if (options.search || !options.save_lens.empty())
    return fail_with(
        unsupported("--lens auto and --save-lens: this build of gst-sphere has no "
                    "calibration; build it with Ceres and Eigen"));
#endif

  Result<std::unique_ptr<StitchPipeline>> pipeline =
      StitchPipeline::make(options, *input, output->descriptor());
  if (!pipeline) return fail_with(pipeline.error());
  PipelineRun run(options, *input, &*output, pipeline->get(), printer);
  Outcome outcome = run.go();
  if (outcome.error) return outcome;
  Result<OutputFile> finished = finish_stitched(*output, options, nullptr);
  if (!finished) return fail_with(finished.error());
  if (const Status written = finished->commit(); !written) return fail_with(written.error());
#if HAVE_CALIBRATE
  if (const Status saved = found_lens.save(); !saved) return fail_with(saved.error());
  if (found_lens.keep(printer))
    printer->note("the lenses are kept for this camera; `sphere consent held` lists them");
#endif

  const double seconds = static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
  const StitchCounts& counts = (*pipeline)->counts();
  std::string made =
      std::to_string(counts.width.load()) + "x" + std::to_string(counts.height.load());
  if (input->video()) made += ", " + std::to_string(counts.stitched.load()) + " pictures";
  if (options.agreement) made += "; lenses " + options.lens_name;
  printer->wrote(options.output, made, seconds);
  printer->note("lenses: " + run.lens() + "; level: " + options.level);
  if (options.json)
    print_json(options, *input, pipeline->get(), *finished, run.lens(), seconds, *printer);
  return {};
}

int run(int argc, char** argv) {
  MessagePrinter printer("sphere stitch");
  StitchOptions options;
  const Status parsed = parse_stitch_options(argc, argv, &options);
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

const Registration registration({"stitch", "stitch a photo or a video to a 360 one", run});

}  // namespace

}  // namespace sphere::tool
