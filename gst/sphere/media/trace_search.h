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

/// Searches a file, but not the ranges in `skipped`, which are in order and do not overlap.
/// An error: it can't be read, or `progress` returned false. `progress` gets the number of bytes
/// that are done.
Result<std::optional<FoundTrace>> find_traces(
    const Source& source, const Traces& traces, const Policy& policy,
    const std::function<bool(uint64_t)>& progress = nullptr, std::span<const Position> allowed = {},
    std::span<const ByteRange> skipped = {});

}  // namespace sphere::media
