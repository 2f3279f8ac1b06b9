// SPDX-License-Identifier: LGPL-2.1-or-later
// Goes through the boxes of a video, lists what they tell, and makes the edits that a request
// needs, apart from those of offsets. It needs the boxes only, not the media: a `moov` in memory
// will do.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/media/isobmff_rules.h"
#include "gst/sphere/media/movie_editor.h"

namespace sphere::media {

class BoxEditor : private MovieEditor {
 public:
  using MovieEditor::MovieEditor;

  /// A `trak` box that is put into the movie.
  void add_track(std::vector<uint8_t> trak, uint32_t id) {
    added_track_ = std::move(trak);
    added_id_ = id;
  }

  struct Outcome {
    int64_t change = 0;  ///< bytes by which the box became longer
    bool kept = true;
  };
  /// A box that is at the top of the file, if `where` is `file`.
  Result<Outcome> edit(const Box& box, BoxParent where, const std::string& parent);

 private:
  struct Children {
    int64_t change = 0;
    size_t kept = 0, removed = 0;
    uint64_t end = 0;  ///< where another one can be put in: before QuickTime's terminator
  };
  const Request& request() const { return findings_.request(); }

  // isobmff_movie.cc: the structure.
  Result<Children> edit_children(const Box& parent, uint64_t skip, BoxParent inside,
                                 const std::string& path);
  Result<Outcome> enter(const Box& box, uint64_t skip, BoxParent inside, const std::string& path);
  Result<Outcome> edit_known(const Box& box, const BoxRule& rule, const std::string& path);
  Result<Outcome> edit_table(const Box& box, const std::string& path);
  /// Of `sdtp`, which says how each sample depends on others.
  std::optional<uint64_t> length_of_dependencies(const Box& box) const;
  Result<Outcome> edit_movie(const Box& box, const std::string& path);
  Result<Outcome> edit_track(const Box& box, const std::string& path);
  Result<Outcome> edit_track_fragment(const Box& box, const std::string& path);
  Result<Outcome> edit_times(const Box& box, const std::string& path);
  Result<Outcome> edit_handler(const Box& box, const std::string& path);
  Result<Outcome> edit_references(const Box& box, const std::string& path);
  Result<Outcome> edit_track_list(const Box& box, const std::string& path);
  Result<Outcome> edit_descriptions(const Box& box, const std::string& path);
  Result<Outcome> edit_description(const Box& entry, const std::string& path);
  void edit_vendor(const Box& entry, std::span<const uint8_t> bytes, const std::string& path);
  Result<Outcome> edit_codec_vendor(const Box& box, const std::string& path);
  Result<Outcome> edit_visual(const Box& entry, const std::string& path);
  Result<Outcome> edit_sound(const Box& entry, const std::string& path);
  /// What the codec says of the channels of a sample entry, whose boxes begin after `skip` bytes.
  std::optional<int> coded_channels(const Box& entry, uint64_t skip);
  Result<Outcome> edit_colours(const Box& box, const std::string& path);
  Result<Outcome> edit_grouping(const Box& box, const std::string& path);
  Result<Outcome> edit_parameters(const Box& box, const std::string& path);
  Status edit_esds(const Box& box, std::span<const uint8_t> bytes, const SampleSettings& settings,
                   std::vector<Edit>* edits, SampleReport* report);
  Status edit_vorbis(const Box& box, std::span<const uint8_t> content,
                     std::span<const uint8_t> specific, const std::string& path);
  Result<Outcome> edit_flac(const Box& box, const std::string& path);
  Result<Outcome> edit_svhd(const Box& box, const std::string& path);
  /// Bytes that the box has after what its own fields say.
  Outcome cut_excess(const Box& box, uint64_t expected);
  void zero_reserved(uint64_t offset, std::span<const uint8_t> bytes, const std::string& path);
  /// Names that may not stay are zeroed where they are.
  void zero_text(const std::string& path, const char* what, uint64_t offset, uint64_t length,
                 std::string_view text);

  // isobmff_user.cc: what is not part of the structure.
  Result<Outcome> edit_foreign(const Box& box, BoxParent where, const std::string& path);
  Result<Outcome> edit_user_data(const Box& box, const std::string& path);
  Result<Outcome> edit_meta(const Box& box, const std::string& path);
  Result<Outcome> edit_items(const Box& list, const std::string& path,
                             const std::vector<std::string>& keys, bool add);
  Result<Outcome> edit_item(const Box& item, const std::string& path,
                            const std::vector<std::string>& keys);
  Result<std::vector<std::string>> edit_keys(const Box& box, const std::string& path);
  Result<Outcome> edit_packet(const Box& box, uint64_t skip, const std::string& path,
                              bool video_xml);
  PartRule rule_of(const Box& box, BoxParent where, const std::string& path,
                   std::span<const uint8_t> content);
  /// Lists what a picture in a box tells.
  void list_file(uint64_t begin, uint64_t end, const std::string& path, bool removed);
  Outcome apply(const Box& box, const std::string& path, const PartRule& rule);
  std::vector<uint8_t> head(const Box& box, size_t most) const;
  void note(uint64_t offset, uint64_t length, const std::string& path, const PartRule& rule,
            bool removed);

  Keeps keeps_ = Keeps::of(findings_.request());
  int count_ = 0;  ///< boxes
  int depth_ = 0;
  size_t track_ = 0;             ///< whose boxes are examined now
  uint64_t samples_ = 0;         ///< of this track, or of its fragment
  bool user_data_done_ = false;  ///< the position was put into the movie's user data
  bool meta_done_ = false;       ///< likewise into QuickTime's list
  bool ambisonics_done_ = false;
  std::vector<uint8_t> added_track_;
  uint32_t added_id_ = 0;
  std::map<std::string, size_t> repeated_;  ///< parts that stand for several boxes
};

}  // namespace sphere::media
