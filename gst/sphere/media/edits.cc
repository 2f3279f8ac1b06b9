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
  AllEdits edits(examination);
  Writer writer(source, sink, progress);
  uint64_t position = 0;
  for (;;) {
    const Result<std::optional<Edit>> next = edits.next();
    if (!next) return next.error();
    if (!*next) break;
    const Edit& edit = **next;
    if (edit.offset < position || edit.offset > source.size() ||
        edit.length > source.size() - edit.offset)
      return wrong_edits();
    if (const Status copied = writer.copy(position, edit.offset); !copied) return copied;
    const Status sent = edit.zeros ? writer.zeros(edit.length) : writer.send(edit.bytes);
    if (!sent) return sent;
    position = edit.offset + edit.length;
  }
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

Status edit_in_place(int descriptor, const Source& source, const Examination& examination,
                     const EditProgress& progress) {
  AllEdits edits(examination);
  uint64_t position = 0;
  for (;;) {
    const Result<std::optional<Edit>> next = edits.next();
    if (!next) return next.error();
    if (!*next) return ok();
    const Edit& edit = **next;
    if (edit.offset < position || edit.offset > source.size() ||
        edit.length > source.size() - edit.offset || edit.new_length() != edit.length)
      return wrong_edits();
    position = edit.offset;
    if (!edit.zeros) {
      if (const Status written = put(descriptor, edit.bytes, position); !written) return written;
    }
    const std::vector<uint8_t> zeros(
        edit.zeros ? static_cast<size_t>(std::min<uint64_t>(block, edit.length)) : 0);
    const uint64_t end = edit.offset + edit.length;
    while (edit.zeros && position < end) {
      const auto now = static_cast<size_t>(std::min<uint64_t>(zeros.size(), end - position));
      const Status written = put(descriptor, std::span(zeros).first(now), position);
      if (!written) return written;
      position += now;
    }
    position = end;
    if (progress && !progress(position)) return edit_stopped();
  }
}

}  // namespace sphere::media
