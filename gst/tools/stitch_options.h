// SPDX-License-Identifier: LGPL-2.1-or-later
// What `sphere stitch` was asked for.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/geometry/projection.h"

namespace sphere::tool {

/// A place in the picture at a time.
struct FollowTarget {
  double x = 0, y = 0;
  bool in_degrees = false;  ///< yaw and pitch; else pixels of IN
  double time = 0;          ///< seconds
};

/// More than twenty members: one for each option, and what follows from IN and OUT.
struct StitchOptions {
  std::string input, output;
  std::string right;      ///< the file of the other lens; "": IN shows both
  std::string container;  ///< the end of a video's name: .mp4, .mov or .mkv
  std::string codec = "h264";
  bool hevc() const { return codec == "hevc"; }
  bool photo_out = false;  ///< OUT's name ends like a photo's
  bool png_out = false;
  std::string lens;       ///< a name, a file or the text of a profile; empty: what the stream says
  std::string lens_name;  ///< of the text, for a person
  std::optional<double> agreement;  ///< of what both lenses show at the seam, where it was measured
  bool search = false;              ///< look for the lenses in the pictures whatever the file says
  std::string save_lens;            ///< where the lenses that were found go; empty: nowhere
  bool dng = false;                 ///< the lens is a DNG of the camera, with its table
  std::string table_from = "the table in the file";  ///< where the camera's table came from
  Projection projection = Projection::equirect;
  double fov = 0;         ///< across the output, where it is a view; 0: as usual
  double lens_fov = 0;    ///< 0: the profile's
  std::string level;      ///< empty: the horizon, where the file says how
  double smoothing = -1;  ///< -1: the element's default
  double yaw = 0, pitch = 0, roll = 0;
  std::string keyframes;  ///< a file, or the text itself; they replace the view
  // What is looked for in IN before a view of it is drawn: gst/tools/auto_view.h.
  std::optional<FollowTarget> follow;
  double follow_size = 0;      ///< degrees; 0: as usual
  bool find_level = false;     ///< the horizon was asked for, and is looked for
  std::string save_keyframes;  ///< where the keyframes go that were found; empty: nowhere
  bool reframe = false;        ///< a view is wanted; IN may be a 360 picture
  bool from_sphere = false;    ///< IN is taken for a 360 picture, of which a view is drawn
  /// How the 360 picture in IN is stored, a word of the property `input` of sphereview; empty: as
  /// the file says, else equirect.
  std::string stored;
  bool has_faces() const { return !stored.empty() && stored != "equirect"; }
  int width = 0;   ///< 0: that of the two lenses
  int height = 0;  ///< 0: as the projection has it
  // What is best by measure on real pictures: docs/stitching.md. The elements have cheaper
  // defaults.
  std::string blend = "multiband", match = "gain", align = "seam";
  std::string strip = "middle";
  std::string interpolation = "linear";
  double stitch_distance = 0;  ///< metres; 0: infinitely far
  double blend_width = -1;     ///< -1: the element's default
  int quality = -1;            ///< -1: the default of OUT's kind
  std::string preset = "veryfast";
  std::string stitcher = "auto";
  int threads = 0;
  bool audio = true;
  bool clobber = true;
  bool force = false;  ///< stitch what does not show two fisheyes, too
  bool quiet = false, verbose = false, json = false;

  /// What messages say of the level. The search for the horizon turns the view itself, with `level`
  /// off.
  const std::string& level_told() const {
    static const std::string found = "horizon";
    return find_level ? found : level;
  }
};

/// From the command line; every value is within its range afterwards. Fills `options` as far as it
/// gets, so that a complaint can be made in the form asked for.
Status parse_stitch_options(int argc, char** argv, StitchOptions* options);

/// What the end of OUT's name says: the kind of file, and the container of a video.
Status read_output_kind(StitchOptions* options);
/// Refuses a --lens that names no profile that there is. A file is read where it is used.
Status check_lens_name(const char* lens);
/// Whether a name ends so, in small letters or large ones.
bool has_ending(const std::string& name, const char* ending);

// The limits of options that other commands have, too.
inline constexpr int smallest_width = 64;
inline constexpr int largest_width = 16384;
// x264enc's range.
inline constexpr int largest_quantizer = 50;
const std::vector<std::string>& encoder_presets();
/// The words of `stored`.
const std::vector<std::string>& stored_forms();
/// Reads --size: WIDTHxHEIGHT, both even and within the limits above.
Status parse_size(const char* text, int* width, int* height);

}  // namespace sphere::tool
