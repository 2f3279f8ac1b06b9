// SPDX-License-Identifier: LGPL-2.1-or-later
// What the clusters of a Matroska file tell: blocks of tracks that may not stay, data beside the
// pictures, elements that are not known.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/media/ebml.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/matroska_elements.h"
#include "gst/sphere/media/part.h"

namespace sphere::media {

struct BlockTrack {
  uint64_t number = 0;
  bool video = false;
  bool dropped = false;  ///< may not stay
  bool encoded = false;  ///< compressed once more
  bool alpha = false;    ///< each block of VP8 or VP9 has a second one with the transparency
  CodecData data = CodecData::none;
  int length_size = 4;  ///< bytes of the length of each unit of H.264 and H.265
  std::vector<PictureTiming> timings;
  Element codec_private;
  size_t private_head = 0;  ///< bytes of it that are no data of the codec
  std::string codec;        ///< as Matroska names it
  std::string what;         ///< in words
  std::string path;         ///< of the parts
};

/// Examines what a decoder needs, from `offset` of the source, and sets the track's length_size and
/// timings.
Status examine_codec_private(const Source& source, uint64_t offset, std::span<const uint8_t> bytes,
                             BlockTrack* track, Findings* findings, std::vector<Edit>* edits);

/// Adds the edits that make a Void of these bytes.
void append_void(uint64_t begin, uint64_t length, std::vector<Edit>* edits);

/// The edits of all clusters, in order. The source must exist longer.
class ClusterEdits : public EditReader {
 public:
  /// `report`, where it is not null, gets what was found.
  ClusterEdits(const Source& source, const Element& segment,
               std::shared_ptr<const std::vector<BlockTrack>> tracks, const Keeps& keeps,
               SampleReport* report);
  Result<std::optional<Edit>> next() override;

 private:
  Status fill();
  Status edit_element(const Element& element);
  /// What is beside a block: the transparency of its picture stays.
  Status edit_additions(const Element& additions, const Element& block);
  Status edit_group(const Element& group);
  Status edit_block(const Element& block, const Element& whole);
  void remove(const Element& element, const std::string& path, const char* what);

  const Source& source_;
  EbmlReader reader_;
  std::shared_ptr<const std::vector<BlockTrack>> tracks_;
  const Keeps keeps_;
  SampleReport* report_;
  std::vector<std::unique_ptr<SampleEditor>> editors_;  ///< of each track; null: nothing to edit
  uint64_t position_, end_;
  uint64_t cluster_end_ = 0;
  std::vector<Edit> ready_;
  size_t next_ready_ = 0;
};

}  // namespace sphere::media
