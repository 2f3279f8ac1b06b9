// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/lens_choice.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "gst/sphere/lens/agreement.h"
#include "gst/sphere/lens/calibrate.h"
#include "gst/sphere/lens/calibrate_light.h"
#include "gst/sphere/lens/profile.h"
#include "gst/sphere/media/picture_kind.h"
#include "gst/tools/lens_pictures.h"

namespace sphere::tool {

namespace {

// Pictures of a video that can be searched within some seconds.
constexpr int most_video_pictures = 6;
// What the file names was measured, or thought of, for all directions, not for the seam alone: less
// than this is no reason to leave it.
constexpr double least_gain = 0.005;
// Less light than this at the rim is corrected; above it nobody sees it.
constexpr double least_fall_off = 0.97;
// A table that agrees less than this, where lenses are found that agree better by so much, is that
// of another camera.
constexpr double poor_table = 0.7, much_better = 0.15;

double agreement(const std::vector<GreyPicture>& pictures, const LensPair& pair) {
  double sum = 0;
  for (const GreyPicture& picture : pictures)
    sum += overlap_correlation(picture, pair.scaled_to(picture.size));
  return sum / static_cast<double>(pictures.size());
}

bool fits(const LensPair& pair, Size frame) {
  const double shape = static_cast<double>(pair.frame.width) * frame.height /
                       (static_cast<double>(pair.frame.height) * frame.width);
  return std::abs(shape - 1) <= 0.01;
}

/// The pictures of two lenses in one frame each.
Result<std::vector<GreyPicture>> beside(const std::vector<GreyPicture>& left,
                                        const Result<std::vector<GreyPicture>>& right) {
  if (!right) return right.error();
  std::vector<GreyPicture> both;
  for (size_t n = 0; n < std::min(left.size(), right->size()); ++n) {
    const GreyPicture* const parts[] = {&left[n], &(*right)[n]};
    const Size part = parts[0]->size;
    if (parts[1]->size != part) break;
    GreyPicture frame{{2 * part.width, part.height}, {}};
    for (int y = 0; y < part.height; ++y)
      for (const GreyPicture* one : parts) {
        const auto row = one->pixels.begin() + static_cast<ptrdiff_t>(y) * part.width;
        frame.pixels.insert(frame.pixels.end(), row, row + part.width);
      }
    both.push_back(std::move(frame));
  }
  return both;
}

/// The same lenses with the fall-off that the pictures show; "" where they show none, or where it
/// is known already.
std::string with_fall_off(const LensPair& model, const std::string& name,
                          const std::vector<GreyPicture>& pictures, const std::string& path) {
  if (model.front.vignette != Vignette{} || model.back.vignette != Vignette{}) return "";
  const LightFinding light = find_light(pictures, model.scaled_to(pictures[0].size));
  if (!light.measured || light.vignette.at(1) > least_fall_off) return "";
  LensPair pair = model;
  pair.front.vignette = pair.back.vignette = light.vignette;
  const Result<std::string> text =
      make_profile(pair, name, "The profile " + name + " with the fall-off found in " + path + ".");
  return text ? *text : "";
}

std::string two_decimals(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, "%.2f", value);
}

std::string degrees_of(const LensPair& pair) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, "%.1f", degrees(pair.front.model.fov()));
}

}  // namespace

Result<LensChoice> choose_lens(const LensQuestion& question, const KnownLenses& known,
                               const std::function<bool(int done, int total)>& progress) {
  const int most = question.photo ? 1 : most_video_pictures;
  Result<std::vector<GreyPicture>> read =
      read_lens_pictures(question.path, most, question.two_tracks ? 0 : -1);
  if (read && question.two_tracks)
    read = beside(*read, read_lens_pictures(question.path, most, 1));
  else if (read && !question.right.empty())
    read = beside(*read, read_lens_pictures(question.right, most));
  if (!read || read->empty()) return LensChoice();
  const std::vector<GreyPicture>& pictures = *read;
  const Size frame = pictures[0].size;

  LensChoice choice;
  // Half of the rows show too little of the seam.
  if (frame.width > 3 * frame.height || frame.height > 3 * frame.width) return choice;
  if (!question.fisheyes) {
    const media::PictureKind kind = media::classify_picture(
        {pictures[0].pixels.data(), frame.width, 1, frame.width, frame.height});
    if (kind == media::PictureKind::sphere || kind == media::PictureKind::flat) return choice;
  }
  const bool has_table = known.table && fits(*known.table, frame);
  if (has_table) {
    choice.what = "the table in the file";
    choice.agreement = agreement(pictures, *known.table);
    if (!question.search && choice.agreement >= poor_table) return choice;
  } else if (known.model && fits(*known.model, frame)) {
    choice.what = known.name;
    choice.agreement = agreement(pictures, *known.model);
  }

  if (!question.search && known.kept && fits(*known.kept, frame))
    if (const double kept = agreement(pictures, *known.kept);
        kept >= least_agreement(*known.kept) && kept > choice.agreement) {
      choice.what = "found in an earlier file of this camera (agreement at the seam " +
                    two_decimals(kept) + ")";
      choice.profile = known.kept_profile;
      choice.agreement = kept;
      return choice;
    }

  CalibrationOptions options;
  options.progress = progress;
  const std::optional<LensPair> hint =
      !has_table && !choice.what.empty() ? known.model : std::nullopt;
  const Result<Calibration> found = find_lenses(pictures, hint, options);
  const double least = choice.what.empty() ? choice.agreement : choice.agreement + least_gain;
  if (!found || found->correlation <= least) {
    if (!has_table && !choice.what.empty()) {
      choice.profile = with_fall_off(*known.model, known.name, pictures, question.path);
      if (!choice.profile.empty()) choice.what += ", with the fall-off that the pictures show";
    }
    // Who asked for a search is told why it found nothing.
    if (!found && question.search)
      choice.warning = "no lenses are found in it: " + found.error().message;
    if (found || !choice.what.empty() || fits(*load_profile(default_profile), frame)) return choice;
    return invalid(question.path + ": no lenses are found in it: " + found.error().message +
                   "; name them with --lens");
  }
  if (has_table && !question.search) {
    if (found->correlation > choice.agreement + much_better)
      choice.warning =
          "the lens table in the file does not fit its pictures (agreement at the "
          "seam " +
          two_decimals(choice.agreement) +
          "; the lenses that are found in "
          "the pictures have " +
          two_decimals(found->correlation) +
          "). It may be the table of another camera; --lens auto uses the lenses that "
          "are found";
    return choice;
  }
  const Result<std::string> text =
      make_profile(found->pair, "found", "Found by sphere stitch in " + question.path + ".");
  if (!text) return text.error();
  choice.what =
      "found in the pictures (" + degrees_of(found->pair) + " degrees, agreement at the seam " +
      two_decimals(found->correlation) + ", off by " + two_decimals(found->error.degrees) +
      " degrees there" +
      (choice.what.empty() ? "" : "; " + choice.what + " has " + two_decimals(choice.agreement)) +
      ")";
  choice.profile = *text;
  choice.found = true;
  choice.agreement = found->correlation;
  // What is off by less, align=seam moves together.
  constexpr double least_visible_error = 0.35;
  if (is_doubtful(*found, least_visible_error))
    choice.warning = "the lenses that were found may be off by " +
                     two_decimals(found->error.degrees) +
                     " degrees at the seam, or near things make it look so (agreement " +
                     two_decimals(choice.agreement) +
                     " of at most 1); if the seam can be seen, give the lenses with --lens, or "
                     "make a profile with sphere calibrate";
  return choice;
}

}  // namespace sphere::tool
