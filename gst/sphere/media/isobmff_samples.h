// SPDX-License-Identifier: LGPL-2.1-or-later
// What the samples of a video's tracks tell, and edits that take it out. Each edit keeps its
// length, because otherwise all tables would have to be made anew.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "gst/sphere/base/position.h"
#include "gst/sphere/media/findings.h"
#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/isobmff_rules.h"
#include "gst/sphere/media/media_runs.h"
#include "gst/sphere/media/nal.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/sample_tables.h"

namespace sphere::media {

/// What the parts of H.264 are called that players of the usual profiles ignore.
inline constexpr const char* layer_units = "second view, layer or alpha channel";
/// The same of times in MPEG-4 from which those of the pictures are counted.
inline constexpr const char* counted_times = "time code that the pictures need";

/// Counts what samples tell: a part for each kind, however many there are.
class SampleReport {
 public:
  void add(const std::string& path, PartClass part_class, std::string_view what,
           std::string_view value, uint64_t offset, uint64_t length, bool removed);
  void add(const Position& position);
  /// Adds everything to the findings. The positions are spread over the file.
  void finish(Findings* findings);
  /// Whether something that is useful, or a place, stays in the parts with this path, or below it.
  bool keeps_useful(std::string_view path) const;
  /// Whether there is a part of this class.
  bool has(std::string_view path, PartClass part_class) const;
  /// Says so where layers of pictures go, which a person may miss, and where a time can't go.
  void remark(const std::string& path, Findings* findings) const;
  /// The same parts go, because the track goes.
  void remove_all(std::string_view path);
  void identity(std::string_view text);

 private:
  std::map<std::tuple<std::string, PartClass, std::string, bool>, Part> parts_;
  std::vector<Position> positions_;
  std::vector<std::string> identities_;
  uint64_t seen_ = 0, every_ = 1;
};

/// Examines the samples of one track.
class SampleEditor {
 public:
  virtual ~SampleEditor() = default;
  /// Adds the edits of one sample, in order, and what it tells to the report, if there is one.
  virtual Status edit_sample(uint64_t offset, uint64_t size, std::vector<Edit>* edits,
                             SampleReport* report) = 0;
};

/// Which classes stay.
struct Keeps {
  Policy policy;
  bool replaces_position = false;
  /// Of positions that stay rounded; null: they go or stay as they are.
  std::function<Position(const Position&)> rounding;

  static Keeps of(const Request& request) {
    Keeps keeps{request.policy, request.position.has_value(), nullptr};
    if (!keeps(PartClass::place)) keeps.rounding = request.rounding;
    return keeps;
  }
  bool operator()(PartClass part_class) const {
    return policy.allows(part_class) && !(replaces_position && part_class == PartClass::place);
  }
};

/// What a track's samples need, as settings of an editor.
struct SampleSettings {
  SampleForm form = SampleForm::harmless;
  int length_size = 4;  ///< bytes of the length of each unit of H.264 and H.265
  /// Of H.264, by the parameter sets in its description.
  std::vector<PictureTiming> timings;
  bool dolby = false;  ///< units of Dolby Vision belong to the pictures
  bool layer = false;  ///< the description is of a second layer of H.265 (lhvC)
  bool bare = false;   ///< ProRes without its first two words, as Matroska has it
  std::string path;    ///< of the parts
  Keeps keeps;
};

/// Examines samples of formats that have to be read whole.
class WholeSampleEditor : public SampleEditor {
 public:
  /// `largest`: bytes of a sample; `what` is its name in the error of a larger one.
  WholeSampleEditor(const Source& source, const SampleSettings& settings, uint64_t largest,
                    const char* what)
      : source_(source), settings_(settings), largest_(largest), what_(what) {}

  Status edit_sample(uint64_t offset, uint64_t size, std::vector<Edit>* edits,
                     SampleReport* report) override {
    offset_ = offset;
    edits_ = edits;
    report_ = report;
    if (size > largest_)
      return unsupported(settings_.path + " has " + what_ + " that is too large to be examined");
    if (const Status read = read_sample(size); !read) return read;
    return edit();
  }

 protected:
  /// Edits the sample in bytes_.
  virtual Status edit() = 0;
  bool stays(PartClass part_class) const { return settings_.keeps(part_class); }
  Status read_sample(uint64_t size) {
    bytes_.resize(static_cast<size_t>(size));
    return source_.read_all(offset_, bytes_) ? ok() : cut_off();
  }

  const Source& source_;
  const SampleSettings settings_;
  // Of the sample that is edited.
  std::vector<uint8_t> bytes_;
  uint64_t offset_ = 0;
  std::vector<Edit>* edits_ = nullptr;
  SampleReport* report_ = nullptr;

 private:
  const uint64_t largest_;
  const char* const what_;
};

/// Null if samples of this form are harmless. The source must outlive the object.
std::unique_ptr<SampleEditor> make_sample_editor(const Source& source,
                                                 const SampleSettings& settings);
std::unique_ptr<SampleEditor> make_unit_editor(const Source& source,
                                               const SampleSettings& settings);
std::unique_ptr<SampleEditor> make_picture_editor(const Source& source,
                                                  const SampleSettings& settings);
std::unique_ptr<SampleEditor> make_record_editor(const Source& source,
                                                 const SampleSettings& settings);

/// One unit of H.264 or H.265 that is in the description of the pictures.
Status edit_unit(const Source& source, const SampleSettings& settings, uint64_t offset,
                 uint64_t length, std::vector<Edit>* edits, SampleReport* report);

/// Edits one CAMM run: the records that may stay move to its beginning, and zeros follow.
/// `new_sizes` gets the new size of each sample.
Status edit_camm_run(const Source& source, const IsoLayout& layout, const MediaRun& run,
                     const SampleSettings& settings, std::vector<Edit>* edits,
                     std::vector<uint32_t>* new_sizes, SampleReport* report);

/// Edits of all samples of some tracks, in the order of the file.
class SampleEdits : public EditReader {
 public:
  /// `settings` has an entry for each track; those that are not `edited` are left out.
  SampleEdits(const Source& source, std::shared_ptr<const IsoLayout> layout,
              std::vector<SampleSettings> settings, std::vector<bool> edited,
              SampleReport* report = nullptr);
  Result<std::optional<Edit>> next() override;
  /// The track of the edit that was returned last.
  size_t track() const { return run_->track; }
  /// New sizes of the samples of the CAMM runs are put here.
  using NewSizes = std::function<Status(const MediaRun&, const std::vector<uint32_t>&)>;
  void on_new_sizes(NewSizes function) { new_sizes_ = std::move(function); }

 private:
  Status fill();

  const Source& source_;
  std::shared_ptr<const IsoLayout> layout_;
  std::vector<SampleSettings> settings_;
  SampleReport* report_;
  std::vector<std::unique_ptr<SampleEditor>> editors_;
  MediaRuns runs_;
  NewSizes new_sizes_;
  std::optional<MediaRun> run_;
  std::optional<RunSizes> sizes_;
  uint64_t left_ = 0, offset_ = 0;
  std::vector<Edit> ready_;
  size_t next_ready_ = 0;
  bool done_ = false;
};

}  // namespace sphere::media
