// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/makers/models.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/picture.h"

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
    {"", "insta360 air", "insta360-air"},
    {"", "insta360 nano", "insta360-nano"},
    {"lg", "lg-r105", "lg-360"},
    {"ricoh", "ricoh theta s", "theta-s"},
    {"", "sp360 4k", "pixpro-sp360-4k"},
    {"", "pixpro sp360 4k", "pixpro-sp360-4k"},
    {"", "kodak pixpro sp360 4k", "pixpro-sp360-4k"},
};

constexpr uint16_t tag_make = 0x010f, tag_model = 0x0110, tag_serial = 0xa431,
                   tag_dng_serial = 0xc62f;
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

/// The value of an item of QuickTime's list: it stands in a box `data` behind its type and its
/// country.
std::string value_of(const Source& source, const Box& item) {
  constexpr uint64_t head = 8;
  const std::optional<Box> data = find_box(source, item.content, item.end, false, "data");
  if (!data || data->size() < head) return {};
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min(data->size() - head, longest_name)));
  if (!source.read_all(data->content + head, bytes)) return {};
  std::string text(bytes.begin(), bytes.end());
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

/// QuickTime's keys: a list of names, and a list of values whose types are the numbers of the
/// names.
void read_keys(const Source& source, const Box& meta, CameraName* name) {
  // In ISO's form, a version stands first.
  uint64_t begin = meta.content;
  std::optional<Box> keys = find_box(source, begin, meta.end, false, "keys");
  if (!keys && meta.size() > 4) keys = find_box(source, begin += 4, meta.end, false, "keys");
  const std::optional<Box> list = find_box(source, begin, meta.end, false, "ilst");
  if (!keys || !list || keys->size() < 8) return;
  uint32_t make = 0, model = 0;
  uint64_t position = keys->content + 8;
  for (uint32_t number = 1; number <= most_boxes; ++number) {
    Box key;
    if (box_at(source, position, keys->end, false, &key) != media::Next::box) break;
    std::vector<uint8_t> letters(static_cast<size_t>(std::min(key.size(), longest_name)));
    if (!source.read_all(key.content, letters)) break;
    const std::string text(letters.begin(), letters.end());
    if (text == "com.apple.quicktime.make") make = number;
    if (text == "com.apple.quicktime.model") model = number;
    position = key.end;
  }
  position = list->content;
  for (int count = 0; count < most_boxes; ++count) {
    // Its type is a number, which is no type of a box elsewhere.
    uint8_t head[8];
    if (position > list->end || list->end - position < sizeof head ||
        !source.read_all(position, head))
      break;
    ByteReader reader(head);
    const uint32_t size = reader.u32(), number = reader.u32();
    if (size < sizeof head || size > list->end - position) break;
    Box item;
    item.content = position + sizeof head;
    item.end = position + size;
    if (number && number == make) name->make = value_of(source, item);
    if (number && number == model) name->model = value_of(source, item);
    position = item.end;
  }
}

CameraName name_in_video(const Source& source) {
  CameraName name;
  const std::optional<Box> movie = find_box(source, 0, source.size(), true, "moov");
  if (!movie) return name;
  if (const auto meta = find_box(source, movie->content, movie->end, false, "meta"))
    read_keys(source, *meta, &name);
  const std::optional<Box> user = find_box(source, movie->content, movie->end, false, "udta");
  if (!user) return name;
  uint64_t position = user->content;
  for (int count = 0; count < most_boxes; ++count) {
    Box box;
    if (box_at(source, position, user->end, false, &box) != media::Next::box) break;
    if (box.type == "\xa9mak" || box.type == "@mak" || box.type == "manu")
      name.make = text_of(source, box);
    if (box.type == "\xa9mod" || box.type == "@mod" || box.type == "modl")
      name.model = text_of(source, box);
    position = box.end;
  }
  return name;
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
  const CameraName name = name_in_video(source);
  return profile_of_model(name.make, name.model);
}

CameraName identify_camera(const Source& source) {
  CameraName name;
  const auto take_exif = [&](const Source& exif) {
    const Result<media::Tiff> tiff = media::Tiff::open(exif);
    if (!tiff) return;
    name = {tiff->text(tag_make), tiff->text(tag_model), tiff->text(tag_serial)};
    if (name.serial.empty()) name.serial = tiff->text(tag_dng_serial);
  };
  switch (media::sniff(source)) {
    case media::Kind::isobmff:
      return name_in_video(source);
    case media::Kind::jpeg: {
      const Result<media::JpegInfo> jpeg = media::check_jpeg(source);
      if (!jpeg || !jpeg->exif_length) break;
      std::vector<uint8_t> exif(static_cast<size_t>(jpeg->exif_length));
      if (source.read_all(jpeg->exif_offset, exif)) take_exif(media::MemorySource(exif));
      break;
    }
    case media::Kind::tiff:
      take_exif(source);
      break;
    default:
      break;
  }
  return name;
}

}  // namespace sphere::makers
