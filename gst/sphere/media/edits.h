// SPDX-License-Identifier: LGPL-2.1-or-later
// Carries out the edits of an examination: into a new file, in memory, or where the file is.

#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// Takes the next bytes of the new file.
using ByteSink = std::function<Status(std::span<const uint8_t>)>;
/// Called with the number of bytes that are done; returns false to stop.
using EditProgress = std::function<bool(uint64_t)>;

/// The error of a run that EditProgress stopped.
Error edit_stopped();

/// How long the edited file is.
uint64_t edited_size(const Source& source, const Examination& examination);

/// Writes the edited file, in order, with bounded memory.
Status write_edited(const Source& source, const Examination& examination, const ByteSink& sink,
                    const EditProgress& progress = nullptr);
/// The same for a picture in memory.
Result<std::vector<uint8_t>> edited(std::span<const uint8_t> bytes, const Examination& examination);

/// Whether the edits can be carried out: they are in the file, and don't lie over each other, as a
/// table that says something false can make them. `in_place`: each keeps its length, too.
Status check_edits(const Source& source, const Examination& examination, bool in_place = false);

/// The edits of a file in place, all of which were found to be possible.
struct HeldEdits {
  std::vector<Edit> edits;
  bool complete = true;  ///< false: there are too many to be held in memory, and `edits` is empty
};

/// Checks the edits, and holds them in memory as far as there is room. Nothing is written.
Result<HeldEdits> hold_edits(const Source& source, const Examination& examination,
                             const EditProgress& progress = nullptr);

/// A file as it will be after edits in place. Everything must exist longer.
class EditedSource : public Source {
 public:
  EditedSource(const Source& source, const std::vector<Edit>& edits)
      : source_(source), edits_(edits) {}
  uint64_t size() const override { return source_.size(); }
  size_t read(uint64_t position, std::span<uint8_t> into) const override;

 private:
  const Source& source_;
  const std::vector<Edit>& edits_;
};

/// Writes edits that keep their lengths into the file itself, after all of them were checked. Once
/// it writes it can't be stopped. Those that are not held are made once more.
Status write_in_place(int descriptor, const Source& source, const Examination& examination,
                      const HeldEdits& held, const EditProgress& progress = nullptr);

}  // namespace sphere::media
