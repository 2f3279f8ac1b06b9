// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere calibrate: makes a lens profile from a few pictures.

#include <gst/gst.h>
#include <png.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/lens/agreement.h"
#include "gst/sphere/lens/calibrate.h"
#include "gst/sphere/lens/profile.h"
#include "gst/tools/command.h"
#include "gst/tools/forced_end.h"
#include "gst/tools/lens_pictures.h"
#include "gst/tools/output_file.h"
#include "gst/tools/progress.h"
#include "gst/tools/signal_handlers.h"
#include "gst/tools/stitch_input.h"
#include "gst/tools/stitch_options.h"

namespace sphere::tool {

namespace {

// More pictures do not improve the result, and all are in memory.
constexpr size_t most_pictures = 16;

constexpr const char* description =
    "PICTURES are JPEG or PNG files of one size, each with both fisheyes of one camera side by "
    "side.\n"
    "One picture is enough to make scale, centres and rotations of the lenses fit at the seam.\n"
    "Three or more pictures of one scene, with the camera turned by 30 to 90 degrees between "
    "them,\n"
    "give radial terms too, and the fall-off more exactly. The result is best if there is detail\n"
    "along the whole seam, and nothing is nearer than some metres.\n"
    "\n"
    "LENS is replaced only when the new file is complete.\n"
    "\n"
    "Examples:\n"
    "  sphere calibrate street-1.jpg street-2.jpg street-3.jpg -o my-camera.json\n"
    "  sphere calibrate street.png --lens gear360 -o gear360-mine.json --pictures seams/\n";

struct CalibrateArguments {
  std::vector<std::string> pictures;
  std::string output, lens, seams, name;
  bool clobber = true, quiet = false, verbose = false, json = false;
};

// A step of the calculation may take longer than a person waits.
constexpr unsigned longest_end = 15;  // s

volatile std::sig_atomic_t interrupted = 0;

Status parse(int argc, char** argv, CalibrateArguments* to) {
  g_autofree char* output = nullptr;
  g_autofree char* lens = nullptr;
  g_autofree char* seams = nullptr;
  g_autofree char* name = nullptr;
  gboolean no_clobber = FALSE, quiet = FALSE, verbose = FALSE, json = FALSE;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
       "The profile to write; its name ends in .json", "LENS"},
      {"lens", 'l', 0, G_OPTION_ARG_FILENAME, &lens,
       "Start from this profile or lens file (default: found in the pictures)", "NAME|FILE"},
      {"pictures", 0, 0, G_OPTION_ARG_FILENAME, &seams,
       "Write pictures of the seam, before and after, into this folder", "FOLDER"},
      {"name", 0, 0, G_OPTION_ARG_STRING, &name, "Name of the profile (default: from LENS)",
       "NAME"},
      {"no-clobber", 0, 0, G_OPTION_ARG_NONE, &no_clobber, "Fail if LENS exists", nullptr},
      {"quiet", 0, 0, G_OPTION_ARG_NONE, &quiet, "Print no progress and no result", nullptr},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "Print each step", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print the result as JSON", nullptr},
      {}};
  const Status parsed =
      parse_options("calibrate", "PICTURES -o LENS",
                    "Calculates the two lenses of a camera from a few of its pictures.",
                    description, entries, argc, argv, &to->pictures);
  to->quiet = quiet;
  to->verbose = verbose;
  to->json = json;
  to->clobber = !no_clobber;
  if (!parsed) return parsed;
  if (to->pictures.empty()) return invalid("PICTURES are missing");
  if (to->pictures.size() > most_pictures)
    return invalid(std::to_string(to->pictures.size()) + " pictures are too many; " +
                   std::to_string(most_pictures) + " are the most");
  if (!output || !*output) return invalid("-o LENS is missing");
  to->output = output;
  if (!to->output.ends_with(".json"))
    return invalid(to->output + ": the name must end in .json, so that it is found as a profile");
  if (const Status named = check_lens_name(lens); !named) return named;
  if (lens) to->lens = lens;
  if (seams && !*seams) return invalid("--pictures is empty");
  to->seams = to_string(seams);
  const GString_ base(g_path_get_basename(to->output.c_str()));
  to->name = name ? name : std::string(base.get()).substr(0, std::strlen(base.get()) - 5);
  if (to->name.empty()) return invalid("the profile has no name; give it one with --name");
  return ok();
}

Result<GreyPicture> load(const std::string& path, MessagePrinter* printer) {
  const Result<StitchInput> input = open_stitch_input(path, printer);
  if (!input) return input.error();
  if (input->video()) return invalid(path + ": is a video; use pictures");
  if (input->spherical()) return invalid(path + ": is a 360 picture already" + take_fisheyes);
  Result<std::vector<GreyPicture>> read = read_lens_pictures(path, 1);
  if (!read) return read.error();
  GreyPicture& picture = read->front();
  const std::string refusal =
      lack_of_fisheyes(media::classify_picture({picture.pixels.data(), picture.size.width, 1,
                                                picture.size.width, picture.size.height}),
                       "picture");
  if (!refusal.empty()) return invalid(path + ": " + refusal + take_fisheyes);
  return std::move(picture);
}

Status add_png(const std::string& path, const GreyPicture& picture, OutputSet* outputs) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.size.width);
  image.height = static_cast<png_uint_32>(picture.size.height);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t size = 0;
  std::vector<uint8_t> bytes;
  const auto encode = [&](void* into) {
    return png_image_write_to_memory(&image, into, &size, 0, picture.pixels.data(), 0, nullptr);
  };
  if (!encode(nullptr)) return failed(path + ": can't be made: " + image.message);
  bytes.resize(size);
  if (!encode(bytes.data())) return failed(path + ": can't be made: " + image.message);
  return outputs->add(path, true, bytes);
}

std::string seam_path(const std::string& folder, size_t picture, const char* when) {
  return folder + "/seam-" + std::to_string(picture) + "-" + when + ".png";
}

Status add_seams(const std::string& folder, const std::vector<GreyPicture>& pictures,
                 const Calibration& found, OutputSet* outputs) {
  for (size_t i = 0; i < pictures.size(); ++i) {
    for (const auto& [when, pair] :
         {std::pair<const char*, const LensPair*>{"before", &found.before}, {"after", &found.pair}})
      if (const Status added =
              add_png(seam_path(folder, i + 1, when), seam_picture(pictures[i], *pair), outputs);
          !added)
        return added;
  }
  return ok();
}

std::string decimals(double value, int count) {
  char format[16], text[G_ASCII_DTOSTR_BUF_SIZE];
  g_snprintf(format, sizeof format, "%%.%df", count);
  return g_ascii_formatd(text, sizeof text, format, value);
}

std::string summary(const Calibration& found, size_t pictures) {
  std::string text = std::to_string(found.overlap_matches) + " things were seen by both lenses";
  if (found.whole_field)
    text += ", and " + std::to_string(found.cross_matches) + " were found again in " +
            std::to_string(found.joined) + " pictures of one scene";
  text += "; they are " + decimals(found.residual, 2) + " pixels apart (" +
          decimals(found.residual_before, 2) + " before); the correlation of the overlap is " +
          decimals(found.correlation, 4) + " (" + decimals(found.correlation_before, 4) +
          " before), and the error that is left at the seam measures " +
          decimals(found.error.degrees, 2) + " degrees";
  const auto tell = [&text](int count, const char* of_one, const char* of_more) {
    if (count > 0)
      text += "; " + std::to_string(count) + (count == 1 ? " picture " : " pictures ") +
              (count == 1 ? of_one : of_more);
  };
  tell(found.unturned,
       "shows the scene from the same direction as another one: turn the camera between them",
       "show the scene from the same direction as another one: turn the camera between them");
  tell(static_cast<int>(pictures) - found.joined - found.unturned,
       "does not show the scene of the first one", "do not show the scene of the first one");
  return text;
}

std::string lens_summary(const char* which, const Lens& lens) {
  return std::string(which) + ": field of view " + decimals(degrees(lens.model.fov()), 2) +
         " degrees at a radius of " + decimals(lens.model.radius(), 1) + " pixels, centre " +
         decimals(lens.centre.x, 1) + " " + decimals(lens.centre.y, 1) + ", " +
         decimals(100 * lens.vignette.at(lens.model.forward(pi / 2) / lens.model.radius()), 0) +
         " % of the light at 90 degrees, gain " + decimals(lens.gain, 3);
}

void print_json(const CalibrateArguments& arguments, const Calibration& found,
                const MessagePrinter& printer) {
  JsonWriter json;
  json.add("output", arguments.output);
  json.add("pictures", arguments.pictures);
  json.add("start", arguments.lens.empty() ? "pictures" : arguments.lens);
  json.add("overlap_matches", found.overlap_matches);
  json.add("cross_matches", found.cross_matches);
  json.add("joined_pictures", found.joined);
  json.add("unturned_pictures", found.unturned);
  json.add("radial_terms", found.whole_field ? "found" : "of the start");
  json.add("fall_off", found.fall_off_found ? "found" : "of the start, or a guess");
  json.add("residual_before", found.residual_before);
  json.add("residual", found.residual);
  json.add("correlation_before", found.correlation_before);
  json.add("correlation", found.correlation);
  json.add("error_at_seam", found.error.degrees);
  json.add("front_fov", degrees(found.pair.front.model.fov()));
  json.add("back_fov", degrees(found.pair.back.model.fov()));
  json.add("warnings", printer.warnings());
  print(json);
}

Status work(const CalibrateArguments& arguments, MessagePrinter* printer) {
  const gint64 begin = g_get_monotonic_time();
  const bool any_camera = arguments.lens.empty();
  std::optional<LensPair> start;
  if (!any_camera) {
    Result<LensPair> named = load_profile(arguments.lens);
    if (!named) return Error{named.error().kind, "--lens: " + named.error().message};
    start = std::move(*named);
  }
  const std::string from = any_camera ? "what the pictures show" : start->name;
  // Checks first that the result can be written, because the calibration takes minutes.
  OutputSet outputs;
  std::vector<std::string> wanted = {arguments.output};
  if (!arguments.seams.empty()) {
    if (const Status made = outputs.make_folder(arguments.seams); !made) return made;
    wanted.push_back(seam_path(arguments.seams, 1, "before"));
  }
  for (const std::string& path : wanted)
    if (const Result<OutputFile> probe =
            OutputFile::create(path, arguments.clobber || path != arguments.output);
        !probe)
      return probe.error();

  std::vector<GreyPicture> pictures;
  std::vector<std::string> names;
  for (const std::string& path : arguments.pictures) {
    Result<GreyPicture> picture = load(path, printer);
    if (!picture) return picture.error();
    if (!pictures.empty() && picture->size != pictures[0].size)
      return invalid(path + ": is " + std::to_string(picture->size.width) + "x" +
                     std::to_string(picture->size.height) + ", " + arguments.pictures[0] + " is " +
                     std::to_string(pictures[0].size.width) + "x" +
                     std::to_string(pictures[0].size.height) + "; all must have one size");
    const auto same = std::ranges::find(pictures, picture->pixels, &GreyPicture::pixels);
    if (same != pictures.end()) {
      printer->warn(path + ": is the same picture as " +
                    names[static_cast<size_t>(same - pictures.begin())] +
                    ", and is left out; turn the camera by 30 to 90 degrees between two pictures");
      continue;
    }
    pictures.push_back(std::move(*picture));
    names.push_back(path);
  }

  printer->note(std::to_string(pictures.size()) + " of " + std::to_string(pictures[0].size.width) +
                "x" + std::to_string(pictures[0].size.height) + ", starting from " + from);
  Progress progress(!arguments.quiet, "steps");
  CalibrationOptions options;
  options.progress = [&](int done, int total) {
    progress.show(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
    return !interrupted;
  };
  const Result<Calibration> found = any_camera ? find_lenses(pictures, std::nullopt, options)
                                               : calibrate(pictures, *start, options);
  progress.clear();
  if (!found) return found.error();

  const std::string made = "Found by sphere calibrate from " + std::to_string(pictures.size()) +
                           " picture" + (pictures.size() == 1 ? "" : "s") + ", starting from " +
                           from + ": " + summary(*found, pictures.size()) + ".";
  const Result<std::string> text = make_profile(found->pair, arguments.name, made);
  if (!text) return text.error();
  if (!arguments.seams.empty())
    if (const Status added = add_seams(arguments.seams, pictures, *found, &outputs); !added)
      return added;
  const std::span<const char> profile(*text);
  if (const Status added =
          outputs.add(arguments.output, arguments.clobber,
                      {reinterpret_cast<const uint8_t*>(profile.data()), profile.size()});
      !added)
    return added;
  if (interrupted) return failed("interrupted");
  if (const Status written = outputs.commit(); !written) return written;
  const double seconds = static_cast<double>(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
  printer->wrote(arguments.output,
                 arguments.seams.empty() ? "" : "pictures of the seam in " + arguments.seams,
                 seconds);

  if (!found->whole_field)
    printer->warn("radial terms are taken from " +
                  (any_camera ? std::string("an ideal lens") : start->name) +
                  "; to calculate them, three or more pictures of one scene are needed, with the "
                  "camera turned between them");
  if (is_doubtful(*found))
    printer->warn(
        "these lenses may be wrong, or near things make it look so: look at the seam "
        "(--pictures), and use pictures with more detail and fewer near things along it");
  if (arguments.json) {
    print_json(arguments, *found, *printer);
  } else if (!arguments.quiet) {
    print(stdout, "%s\n%s\n%s\n", summary(*found, pictures.size()).c_str(),
          lens_summary("front", found->pair.front).c_str(),
          lens_summary("back", found->pair.back).c_str());
  }
  return ok();
}

int run(int argc, char** argv) {
  MessagePrinter printer("sphere calibrate");
  CalibrateArguments arguments;
  Status done = parse(argc, argv, &arguments);
  const int usage = done ? exit_failed : exit_usage;
  printer.quiet = arguments.quiet;
  printer.verbose = arguments.verbose;
  if (done) {
    gst_init(nullptr, nullptr);
    const SignalHandlers signals(+[](int) {
      interrupted = 1;
      end_process_within(longest_end);
    });
    done = work(arguments, &printer);
  }
  if (done) return exit_done;
  printer.error(done.error().message);
  if (arguments.json) {
    JsonWriter json;
    json.add("error", done.error().message);
    json.add("warnings", printer.warnings());
    print(json);
  }
  return interrupted ? exit_interrupted : usage;
}

const Registration registration({"calibrate", "make a lens profile from a few pictures", run});

}  // namespace

}  // namespace sphere::tool
