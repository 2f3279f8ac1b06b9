// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/models.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <span>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/box.h"

namespace sphere::makers {

namespace {

using media::Box;
using media::Source;

struct Model {
  std::string_view make;   ///< how the maker's name begins; "": any
  std::string_view model;  ///< how the model's name begins
  const char* profile;
};

// Some cameras stitch pictures of other modes themselves; those are refused by their marks or by
// their look, whatever the profile.
constexpr Model models[] = {
    {"", "sm-c200", "gear360"},
    {"", "sm-r210", "gear360-2017"},
    {"lg", "lg-r105", "lg-360"},
    {"ricoh", "ricoh theta s", "theta-s"},
    {"", "sp360 4k", "pixpro-sp360-4k"},
    {"", "pixpro sp360 4k", "pixpro-sp360-4k"},
    {"", "kodak pixpro sp360 4k", "pixpro-sp360-4k"},
};

constexpr uint16_t tag_make = 0x010f, tag_model = 0x0110;
constexpr uint64_t longest_name = 64;
// Real files have some tens.
constexpr int most_boxes = 1 << 12;

std::string lower(std::string_view text) {
  std::string letters(text);
  std::transform(letters.begin(), letters.end(), letters.begin(), [](char letter) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  });
  return letters;
}

/// The text of a user data box of QuickTime: its length and its language stand before it. Some
/// makers leave both out.
std::string text_of(const Source& source, const Box& box) {
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min(box.size(), longest_name)));
  if (!source.read_all(box.content, bytes)) return {};
  ByteReader reader(bytes);
  const uint16_t length = reader.u16();
  size_t begin = 0;
  if (box.size() >= 4 && length == box.size() - 4) begin = 4;
  std::string text(bytes.begin() + static_cast<ptrdiff_t>(std::min(begin, bytes.size())),
                   bytes.end());
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

}  // namespace

std::string profile_of_model(std::string_view make, std::string_view model) {
  const std::string maker = lower(make), name = lower(model);
  for (const Model& known : models)
    if (maker.starts_with(known.make) && name.starts_with(known.model)) {
      // A Theta S is not a Theta SC.
      const size_t length = known.model.size();
      if (name.size() == length || !std::isalpha(static_cast<unsigned char>(name[length])))
        return known.profile;
    }
  return {};
}

std::string profile_of_exif(const media::Tiff& tiff) {
  return profile_of_model(tiff.text(tag_make), tiff.text(tag_model));
}

std::string profile_of_video(const Source& source) {
  const std::optional<Box> movie = find_box(source, 0, source.size(), true, "moov");
  if (!movie) return {};
  const std::optional<Box> user = find_box(source, movie->content, movie->end, false, "udta");
  if (!user) return {};
  std::string make, model;
  uint64_t position = user->content;
  for (int count = 0; count < most_boxes; ++count) {
    Box box;
    if (box_at(source, position, user->end, false, &box) != media::Next::box) break;
    if (box.type == "\xa9mak" || box.type == "@mak" || box.type == "manu")
      make = text_of(source, box);
    if (box.type == "\xa9mod" || box.type == "@mod" || box.type == "modl")
      model = text_of(source, box);
    position = box.end;
  }
  return profile_of_model(make, model);
}

}  // namespace sphere::makers
