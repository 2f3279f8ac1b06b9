// SPDX-License-Identifier: LGPL-2.1-or-later
// The one model of a media file that all formats share: its parts, what each part tells, and the
// edits that take parts out or put parts in. docs/metadata.md explains it.

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/position.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// What a part of a file tells.
enum class PartClass {
  place,      ///< where somebody was
  sound,      ///< sound hidden in a photo
  identity,   ///< serial numbers, owners, device ids, names of files
  time,       ///< when the medium was made
  stitching,  ///< lens tables and orientations: needed until the fisheyes are stitched, and
              ///< different for each camera
  useful,     ///< needed to show the medium, and harmless
  unknown,    ///< not examined, therefore treated as if it told everything
};
inline constexpr std::array<std::string_view, 7> part_class_names = {
    "place", "sound", "identity", "time", "stitching", "useful", "unknown"};
constexpr std::string_view name_of(PartClass part_class) {
  return part_class_names[static_cast<size_t>(part_class)];
}

/// Which classes may stay in a file. By default nothing that tells about people may.
struct Policy {
  bool place = false;
  bool sound = false;
  bool identity = false;
  bool time = false;
  bool stitching = true;
  /// The sound tracks of a video; not the class `sound`.
  bool sound_tracks = true;

  /// An unknown part may stay only where everything may.
  bool allows(PartClass part_class) const;
  static Policy everything() { return {true, true, true, true, true, true}; }
};

/// One thing that was found in a file. The smallest unit that has one class: a tag of Exif, a box,
/// a kind of records in a track.
struct Part {
  uint64_t offset = 0, length = 0;  ///< its bytes in the file, with its header
  std::string path;                 ///< where it is, such as "moov/udta/©xyz" or "Exif/GPS"
  PartClass part_class = PartClass::unknown;
  std::string what;      ///< in words, such as "position" or "serial number of the camera"
  std::string value;     ///< what it says, for a person; "" if that can't be said in a line
  uint64_t count = 1;    ///< how many there are, if a part stands for equal ones, such as samples
  bool removed = false;  ///< an edit takes it out
};

/// What was found that must not be in the edited file in any form. The final look searches for it.
struct Traces {
  /// At most this many of each are collected, spread over the file.
  static constexpr size_t most = 64;

  std::vector<Position> positions;
  std::vector<std::string> identities;  ///< UTF-8, as found, without spaces and zeros at the ends

  void add(const Position& position);
  void add_identity(std::string_view text);
};

/// Replaces `length` bytes at `offset` of the original file. Edits are sorted and don't overlap.
struct Edit {
  uint64_t offset = 0, length = 0;
  std::vector<uint8_t> bytes;
  /// Instead of `bytes`: as many zeros as the length.
  bool zeros = false;

  uint64_t new_length() const { return zeros ? length : bytes.size(); }
};

/// Sorts edits by their offsets. What is put in comes before what is changed at the same offset.
void sort_edits(std::vector<Edit>* edits);

/// Edits that would be too many to be held in memory, such as those of each picture of a video.
/// Each keeps its length.
class EditReader {
 public:
  virtual ~EditReader() = default;
  /// The next edit, in the order of offsets; nothing at the end.
  virtual Result<std::optional<Edit>> next() = 0;
};

/// The marking of a stitched 360 picture or video.
struct SphereMark {
  enum class Stereo { mono, top_bottom, left_right };
  Stereo stereo = Stereo::mono;
  /// Of the view that a player begins with, degrees, with the signs of docs/conventions: the centre
  /// of the picture is at 0, 0, 0.
  double yaw = 0, pitch = 0, roll = 0;
  std::string software = "gst-sphere";
  /// The first sound track has ambisonics of this order, in the order ACN and with the norm SN3D;
  /// -1: no.
  int ambisonic_order = -1;
};

/// A position at a time of a video.
struct TimedPosition {
  uint64_t time_ns = 0;  ///< presentation time
  Position position;
};

/// What one vendor's cameras put into files. Each function returns nothing for what is not the
/// vendor's. The folder gst/sphere/makers implements it.
class Maker;

/// What shall be done with a file.
struct Request {
  Policy policy = Policy::everything();
  std::optional<SphereMark> mark;
  /// Replaces a position that the file has. It is already rounded to what was agreed.
  std::optional<Position> position;
  /// UTC, microseconds since 1970, of the position; nothing: not known or not agreed.
  std::optional<int64_t> position_time;
  /// Positions along the time of a video, in its order, rounded likewise; `position` is the first.
  /// Only MP4 and MOV have them all.
  std::vector<TimedPosition> positions;
  /// Rounds the positions in records of tracks (CAMM, GPMF) to what was agreed: they stay then,
  /// although places may not, and tell nothing else. Null: they go.
  std::function<Position(const Position&)> rounding;
  /// All edits keep their lengths, so that a large file can be edited where it is.
  bool in_place = false;
  /// The coded pictures of a video stay without being read, which is all that takes long in place.
  bool skip_pictures = false;
  std::vector<const Maker*> makers;
  /// Of a picture in a picture. The readers count it, and don't look deeper than most_depth.
  int depth = 0;
  static constexpr int most_depth = 8;
  /// How many pictures in pictures were looked at, in all of the file; null outside of them.
  std::shared_ptr<size_t> pictures;
};

/// What a reader has found, and the edits that the request needs.
struct Examination {
  Kind kind = Kind::unknown;
  uint64_t duration_ns = 0;  ///< of an MP4 or MOV file
  std::vector<Part> parts;
  Traces traces;
  std::vector<Edit> edits;
  /// Makes a reader of further edits, which don't overlap `edits`; null if there are none.
  std::function<std::unique_ptr<EditReader>()> sample_edits;
  /// Things that a person should know, each a sentence without a full stop: a signature was removed
  /// because it would no longer be valid.
  std::vector<std::string> remarks;
  /// The request has skipped coded pictures, in which more may be told.
  bool skipped_pictures = false;

  bool changes() const { return !edits.empty() || sample_edits; }
};

/// Reads a file of any known format, whatever it is called. An error says what and where: the
/// format is not known, the file is damaged or encrypted, a limit was passed. Then nothing is known
/// about it, and it must not be passed on.
Result<Examination> examine(const Source& source, const Request& request);

/// The readers of the formats, called by examine().
Result<Examination> examine_jpeg(const Source& source, const Request& request);
Result<Examination> examine_png(const Source& source, const Request& request);
Result<Examination> examine_webp(const Source& source, const Request& request);
Result<Examination> examine_tiff(const Source& source, const Request& request);
Result<Examination> examine_isobmff(const Source& source, const Request& request);
Result<Examination> examine_matroska(const Source& source, const Request& request);
Result<Examination> examine_heif(const Source& source, const Request& request);

}  // namespace sphere::media
