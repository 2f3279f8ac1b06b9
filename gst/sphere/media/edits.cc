// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/edits.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace sphere::media {

namespace {

// Bytes that are copied at once: they stay in the second cache of a processor.
constexpr size_t block = 1 << 18;
// Bytes of edits that are held in memory. Others are read from the file once more.
constexpr size_t most_held = 8 << 20;

/// A table can say that samples lie where boxes are.
Error wrong_edits() {
  return invalid("the file is damaged: parts that have to be changed lie over each other");
}

/// Both kinds of edits of an examination, in the order of offsets.
class AllEdits {
 public:
  explicit AllEdits(const Examination& examination)
      : edits_(examination.edits),
        samples_(examination.sample_edits ? examination.sample_edits() : nullptr) {}

  Result<std::optional<Edit>> next() {
    if (samples_ && !sample_) {
      Result<std::optional<Edit>> read = samples_->next();
      if (!read) return read;
      sample_ = std::move(*read);
      if (!sample_) samples_.reset();
    }
    if (index_ < edits_.size() && (!sample_ || edits_[index_].offset <= sample_->offset))
      return std::optional(edits_[index_++]);
    return std::exchange(sample_, std::nullopt);
  }

 private:
  const std::vector<Edit>& edits_;
  size_t index_ = 0;
  std::unique_ptr<EditReader> samples_;
  std::optional<Edit> sample_;
};

/// Passes blocks of bytes on and reports how far it is.
class Writer {
 public:
  Writer(const Source& source, const ByteSink& sink, const EditProgress& progress)
      : source_(source), sink_(sink), progress_(progress), bytes_(block) {}

  Status copy(uint64_t begin, uint64_t end) {
    while (begin < end) {
      const auto now = static_cast<size_t>(std::min<uint64_t>(bytes_.size(), end - begin));
      const std::span<uint8_t> part = std::span(bytes_).first(now);
      if (!source_.read_all(begin, part))
        return failed("the file became shorter, or can't be read any more");
      if (const Status sent = send(part); !sent) return sent;
      begin += now;
    }
    return ok();
  }
  Status zeros(uint64_t count) {
    std::fill(bytes_.begin(), bytes_.end(), uint8_t{0});
    while (count) {
      const auto now = static_cast<size_t>(std::min<uint64_t>(bytes_.size(), count));
      if (const Status sent = send(std::span(bytes_).first(now)); !sent) return sent;
      count -= now;
    }
    return ok();
  }
  Status send(std::span<const uint8_t> part) {
    if (part.empty()) return ok();
    if (const Status sent = sink_(part); !sent) return sent;
    done_ += part.size();
    return progress_ && !progress_(done_) ? Status(edit_stopped()) : ok();
  }

 private:
  const Source& source_;
  const ByteSink& sink_;
  const EditProgress& progress_;
  std::vector<uint8_t> bytes_;
  uint64_t done_ = 0;
};

/// Whether an edit is in the file, and behind the one that ends at `position`.
bool follows(const Edit& edit, uint64_t position, uint64_t size) {
  return edit.offset >= position && edit.offset <= size && edit.length <= size - edit.offset;
}

/// Calls `visit` with each edit, once it is known to be possible.
Status visit_edits(const Source& source, const Examination& examination, bool in_place,
                   const std::function<Status(Edit&&)>& visit) {
  AllEdits edits(examination);
  uint64_t position = 0;
  for (;;) {
    Result<std::optional<Edit>> next = edits.next();
    if (!next) return next.error();
    if (!*next) return ok();
    Edit& edit = **next;
    if (!follows(edit, position, source.size()) || (in_place && edit.new_length() != edit.length))
      return wrong_edits();
    position = edit.offset + edit.length;
    if (const Status visited = visit(std::move(edit)); !visited) return visited;
  }
}

Status put(int descriptor, std::span<const uint8_t> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t wrote =
        pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return failed(std::string("can't write: ") + std::strerror(errno));
    bytes = bytes.subspan(static_cast<size_t>(wrote));
    offset += static_cast<uint64_t>(wrote);
  }
  return ok();
}

Status put_zeros(int descriptor, uint64_t length, uint64_t offset) {
  const std::vector<uint8_t> zeros(static_cast<size_t>(std::min<uint64_t>(block, length)));
  for (const uint64_t end = offset + length; offset < end;) {
    const auto now = static_cast<size_t>(std::min<uint64_t>(zeros.size(), end - offset));
    if (const Status written = put(descriptor, std::span(zeros).first(now), offset); !written)
      return written;
    offset += now;
  }
  return ok();
}

}  // namespace

Error edit_stopped() { return failed("it was stopped"); }

uint64_t edited_size(const Source& source, const Examination& examination) {
  // What keeps its length can't become longer than the file.
  uint64_t size = source.size();
  for (const Edit& edit : examination.edits) size += edit.new_length() - edit.length;
  return size;
}

Status write_edited(const Source& source, const Examination& examination, const ByteSink& sink,
                    const EditProgress& progress) {
  Writer writer(source, sink, progress);
  uint64_t position = 0;
  const Status visited = visit_edits(source, examination, false, [&](Edit&& edit) -> Status {
    if (const Status copied = writer.copy(position, edit.offset); !copied) return copied;
    position = edit.offset + edit.length;
    return edit.zeros ? writer.zeros(edit.length) : writer.send(edit.bytes);
  });
  if (!visited) return visited;
  return writer.copy(position, source.size());
}

Result<std::vector<uint8_t>> edited(std::span<const uint8_t> bytes,
                                    const Examination& examination) {
  std::vector<uint8_t> all;
  all.reserve(bytes.size());
  const Status written =
      write_edited(MemorySource(bytes), examination, [&](std::span<const uint8_t> part) {
        all.insert(all.end(), part.begin(), part.end());
        return ok();
      });
  if (!written) return written.error();
  return all;
}

Status check_edits(const Source& source, const Examination& examination, bool in_place) {
  return visit_edits(source, examination, in_place, [](Edit&&) { return ok(); });
}

Result<HeldEdits> hold_edits(const Source& source, const Examination& examination,
                             const EditProgress& progress) {
  HeldEdits held;
  size_t bytes = 0;
  const Status checked = visit_edits(source, examination, true, [&](Edit&& edit) {
    bytes += sizeof edit + edit.bytes.size();
    if (bytes <= most_held) held.edits.push_back(std::move(edit));
    return progress && !progress(0) ? Status(edit_stopped()) : ok();
  });
  if (!checked) return checked.error();
  if (bytes > most_held) held = {{}, false};
  return held;
}

size_t EditedSource::read(uint64_t position, std::span<uint8_t> into) const {
  const size_t got = source_.read(position, into);
  const uint64_t end = position + got;
  const auto ends_before = [](const Edit& edit, uint64_t offset) {
    return edit.offset + edit.length <= offset;
  };
  for (auto edit = std::lower_bound(edits_.begin(), edits_.end(), position, ends_before);
       edit != edits_.end() && edit->offset < end; ++edit) {
    const uint64_t first = std::max(position, edit->offset);
    const uint64_t last = std::min(end, edit->offset + edit->length);
    const std::span<uint8_t> part =
        into.subspan(static_cast<size_t>(first - position), static_cast<size_t>(last - first));
    if (edit->zeros)
      std::ranges::fill(part, uint8_t{0});
    else
      std::copy_n(edit->bytes.begin() + static_cast<std::ptrdiff_t>(first - edit->offset),
                  part.size(), part.begin());
  }
  return got;
}

Status write_in_place(int descriptor, const Source& source, const Examination& examination,
                      const HeldEdits& held, const EditProgress& progress) {
  const auto write = [&](const Edit& edit) {
    const Status written = edit.zeros ? put_zeros(descriptor, edit.length, edit.offset)
                                      : put(descriptor, edit.bytes, edit.offset);
    if (written && progress) progress(edit.offset + edit.length);
    return written;
  };
  if (!held.complete)
    return visit_edits(source, examination, true, [&](Edit&& edit) { return write(edit); });
  for (const Edit& edit : held.edits)
    if (const Status written = write(edit); !written) return written;
  return ok();
}

}  // namespace sphere::media
