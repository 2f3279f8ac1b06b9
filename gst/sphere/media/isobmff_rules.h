// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known about the boxes of MP4 and MOV files. Everything that is not in these tables is
// unknown, and treated as if it told everything.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gst/sphere/media/box.h"
#include "gst/sphere/media/maker.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

/// What a box is inside of.
enum class BoxParent {
  file,
  movie,
  track,
  media,
  information,
  generic,  ///< QuickTime's gmhd
  tables,
  visual,
  view,  ///< Apple's vexu: how two views, or a sphere, are in the pictures
  sound,
  wave,
  sphere,
  projection,
  edits,
  extends,
  aperture,
  fragment,
  track_fragment,
  user,
  other,  ///< nothing is known here
};

/// What is done with a known box.
enum class Handling {
  keep,          ///< needed, and harmless
  enter,         ///< its boxes are examined
  times,         ///< has times of creation and modification
  handler,       ///< has a name
  references,    ///< dref
  track_list,    ///< tref
  descriptions,  ///< stsd
  colours,       ///< colr
  grouping,      ///< sgpd, sbgp
  track,
  source,      ///< svhd: a text
  mesh,        ///< a mesh of a projection, which can be that of the lenses
  parameters,  ///< units before the first picture: avcC, hvcC, av1C
  flac,
  vendor,  ///< of the codec: four letters and a version before what the decoder needs
  encrypted,
  movie,
  fragment,
  track_fragment,
  media_data,
  index,            ///< sidx
  fragment_offset,  ///< mfra
  sphere_mark,      ///< st3d, sv3d
  ambisonics,       ///< SA3D
};

struct BoxRule {
  BoxParent parent;
  std::string_view type;
  Handling handling;
  BoxParent inside = BoxParent::file;  ///< for those that are entered
};

/// Null for a box that is not known.
const BoxRule* find_rule(BoxParent parent, std::string_view type);

/// The length that the content of a known box has, by what it says; nothing if it can't be told.
std::optional<uint64_t> expected_length(const Source& source, const Box& box);

/// How a text is written.
enum class TextForm {
  none,
  plain,          ///< to the end, or to the first zero
  international,  ///< length, language, text: QuickTime
  three_gpp,      ///< version, flags, language, text
};

struct UserRule {
  std::string_view type;
  PartClass part_class;
  const char* what;
  TextForm form = TextForm::plain;
};

/// A box of `udta`, or an item of iTunes' list (with the same names).
const UserRule* find_user_rule(std::string_view type);
/// A key of QuickTime's list, such as "com.apple.quicktime.location.ISO6709".
const UserRule* find_key_rule(std::string_view key);
/// Whether it is a key that many files have, whose name tells nothing.
bool is_known_key(std::string_view key);

/// Whether the form of a file with this brand is known, of which `ftyp` lists some.
bool is_known_brand(std::string_view brand);

/// Names of handlers that tell nothing.
bool is_neutral_handler(std::string_view name);
/// Names of encoders in a description of pictures that tell nothing.
bool is_neutral_encoder(std::string_view name);

/// The type of a box, as UTF-8: "©xyz".
std::string name_of_type(std::string_view type);
/// "uuid:" and 32 digits for `uuid`, otherwise the name of the type.
std::string name_of_box(const Source& source, const Box& box);

/// The text of a user data box; "" if it has none.
std::string text_of(std::span<const uint8_t> content, TextForm form);
/// For a person: printable, at most some 80 characters.
std::string shortened(std::string_view text);

/// How the samples of a format can be examined.
enum class SampleForm {
  harmless,
  h264,  // from here to png: pictures
  h265,
  av1,
  jpeg,
  mpeg2,  ///< and MPEG-1
  mpeg4,
  prores,
  vc3,  ///< DNxHD and DNxHR
  dv,
  png,
  camm,
  gpmf,
  unknown
};
SampleForm picture_form(std::string_view codec);
constexpr bool is_picture(SampleForm form) {
  return form >= SampleForm::h264 && form <= SampleForm::png;
}
/// Of `mp4v` and `mp4a`, by the object type in their `esds`.
SampleForm form_of_object(uint8_t type, bool sound);
bool is_known_sound(std::string_view codec);
bool is_encrypted_format(std::string_view codec);
/// Of samples (sgpd, sbgp).
bool is_known_group(std::string_view type);

}  // namespace sphere::media
