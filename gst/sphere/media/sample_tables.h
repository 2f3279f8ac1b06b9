// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the samples of an MP4 or MOV file are: the tables of a track, and the runs of a fragment.
// They are read in pieces, because they may be larger than memory.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Sizes of a track's samples, from stsz or stz2.
struct SampleSizes {
  Box box;
  uint64_t table = 0;  ///< offset of the list, if sizes differ
  uint32_t same = 0;   ///< the size of all samples; 0: each has its own
  int bits = 32;
  uint64_t count = 0;
  bool present = false;
};

/// stco, co64 or stsc.
struct ChunkTable {
  Box box;
  uint64_t table = 0;  ///< offset of the first entry
  uint64_t count = 0;
  int entry = 4;  ///< bytes
  bool present = false;
};

struct SampleTables {
  Box trak;
  Box descriptions;  ///< stsd
  SampleSizes sizes;
  ChunkTable offsets;     ///< stco or co64
  ChunkTable runs;        ///< stsc
  bool ascending = true;  ///< each chunk begins where the one before ends, or later
};

/// Samples that follow each other in the file.
struct Chunk {
  uint64_t offset = 0, length = 0;
  uint64_t first_sample = 0, samples = 0;  ///< counted from 0
};

/// The sizes of the samples, one after the other.
class SizeReader {
 public:
  SizeReader(const Source& source, const SampleSizes& sizes, size_t window = 1 << 12);
  /// Goes to a sample, counted from 0.
  void seek(uint64_t sample);
  /// False if the file ends before.
  bool next(uint64_t* size);

 private:
  SampleSizes sizes_;
  Window window_;
  bool low_half_ = false;  ///< of a byte with two sizes of four bits
  uint64_t pair_ = 0;
};

/// The chunks of a track, in the order of its tables.
class ChunkReader {
 public:
  ChunkReader(const Source& source, const SampleTables& tables, size_t window = 1 << 12);
  /// False at the end. Chunks after the last sample are not returned.
  Result<bool> next(Chunk* chunk);

 private:
  uint64_t source_size_;
  SampleTables tables_;
  Window offsets_, runs_;
  SizeReader sizes_;
  uint64_t runs_left_;
  uint64_t number_ = 0;  ///< of the chunk that was returned last, counted from 1
  uint64_t first_ = 0, per_chunk_ = 0, next_first_ = 0;
  uint64_t seen_ = 0;
};

/// Samples of a fragment that follow each other in the file: a `trun`.
struct FragmentRun {
  Box box;
  uint64_t offset = 0, length = 0, samples = 0;
  uint64_t offset_field =
      0;                 ///< where its offset is written, 4 bytes; 0: it follows the run before
  uint64_t entries = 0;  ///< offset of the list of samples
  uint32_t entry = 0;    ///< bytes of an entry
  int size_at = -1;      ///< where the size is in an entry; -1: all samples have the same size
  uint32_t same = 0;
};

/// A `traf`: the runs of one track in a fragment.
struct FragmentTrack {
  /// What the offsets of its runs are counted from.
  enum class Base { fragment, own, track_before };
  Box box;
  uint32_t id = 0;
  Base kind = Base::fragment;
  uint64_t base = 0;
  uint64_t base_field = 0;  ///< where an own base is written, 8 bytes
  std::vector<FragmentRun> runs;
};

/// From `trex`: the size of a track's samples, where a fragment does not tell it.
struct FragmentDefault {
  uint32_t id = 0, size = 0;
};

/// The sizes of the samples of a run, one after the other.
class RunSizeReader {
 public:
  RunSizeReader(const Source& source, const FragmentRun& run);
  bool next(uint64_t* size);

 private:
  FragmentRun run_;
  Window window_;
};

/// Reads a `moof`. An error if samples are not within the file, or a box is damaged.
Result<std::vector<FragmentTrack>> read_fragment(const Source& source, const Box& moof,
                                                 const std::vector<FragmentDefault>& defaults);

/// Calls a function for each child of a box that begins after `skip` bytes of its content. A child
/// that ends after its parent is an error. `count` is the number of boxes of the file so far.
Status for_each_child(const Source& source, const Box& parent, uint64_t skip, int* count,
                      const std::function<Status(const Box&)>& visit);

/// Whether a list of QuickTime ends with a box of the type zero here.
bool is_terminator(const Source& source, uint64_t position, const Box& parent);

/// The largest number of boxes. Real files have some tens, fragmented ones thousands.
inline constexpr int max_boxes = 1 << 20;

Error cut_off();
Error damaged(const std::string& what);

}  // namespace sphere::media
