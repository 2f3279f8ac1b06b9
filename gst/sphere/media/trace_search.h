// SPDX-License-Identifier: LGPL-2.1-or-later
// Searches bytes for positions and identities in all encodings that files are known to use. It
// knows no format, therefore it also finds what a reader has overlooked.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gst/sphere/base/result.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/source.h"

namespace sphere::media {

/// What was found. It does not repeat the position or the identity.
struct FoundTrace {
  uint64_t offset = 0;
  std::string encoding;  ///< in words, such as "latitude as decimal text"
};

class TraceSearch {
 public:
  /// What shall not be found. A part that the policy allows is not searched for.
  /// `allowed`: positions that were put in; what can't be distinguished from them is no trace.
  TraceSearch(const Traces& traces, const Policy& policy, std::span<const Position> allowed = {});
  ~TraceSearch();
  TraceSearch(TraceSearch&&) noexcept;

  /// Whether there is anything to search for.
  bool empty() const;
  /// The next bytes; blocks may have any length. Returns the first find.
  std::optional<FoundTrace> search(std::span<const uint8_t> bytes);
  /// The bytes between the last block and this offset are not searched.
  void skip_to(uint64_t offset);

 private:
  struct Patterns;
  std::unique_ptr<Patterns> patterns_;
};

/// A source that is searched while it is read: what a reader of its format reads in order is
/// searched then, and finish() searches the rest. Each byte is searched once, in order.
class SearchedSource : public Source {
 public:
  /// The ranges in `skipped` are not searched; they are in order and don't overlap. `progress` gets
  /// the number of bytes that are done, and returns false to stop. Everything must exist longer.
  SearchedSource(const Source& source, TraceSearch search,
                 const std::function<bool(uint64_t)>& progress = nullptr,
                 std::span<const ByteRange> skipped = {});

  uint64_t size() const override { return source_.size(); }
  /// Nothing more can be read after `progress` has returned false.
  size_t read(uint64_t position, std::span<uint8_t> into) const override;
  bool stopped() const { return stopped_; }
  /// The first find. An error: the file can't be read, or `progress` has returned false.
  Result<std::optional<FoundTrace>> finish();

 private:
  bool at_end() const { return found_ || stopped_ || failed_ || position_ >= source_.size(); }
  void pass(std::span<const uint8_t> bytes) const;
  void search_block() const;

  const Source& source_;
  const std::function<bool(uint64_t)>& progress_;
  // Reading does not change the bytes, but it moves the search on.
  mutable TraceSearch search_;
  mutable std::span<const ByteRange> skipped_;
  mutable std::vector<uint8_t> block_;
  mutable uint64_t position_ = 0;  ///< everything before it was searched
  mutable std::optional<FoundTrace> found_;
  mutable bool stopped_ = false, failed_ = false;
};

}  // namespace sphere::media
