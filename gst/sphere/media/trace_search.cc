// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/trace_search.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/find_keys.h"

namespace sphere::media {

namespace {

// Bytes. A shorter text is found by chance in the pixels of a long video.
constexpr size_t shortest_alone = 6;
// Bytes. Latitude and longitude of one position are that close in all formats that are known.
constexpr uint64_t pair_distance = 96;
// The first bytes of a pattern, by which it is looked up.
constexpr size_t key_size = KeyGroups::key_size;
// The groups of more patterns find so many bytes that are no pattern that it is faster to look up
// the offsets one by one.
constexpr size_t most_grouped = 512;
constexpr double largest_chance = 1.0 / 64;
// Bytes that are searched with groups at once; offsets of keys have 16 bits.
constexpr size_t piece = 1 << 13;
// The filter looks at this many bytes, and only at each second offset: of a pattern, the bytes at
// its beginning and those one further on are in it. This is faster than a filter of each offset.
constexpr size_t gram_size = key_size - 1;
// Of the size of the filter. With few patterns it is in the first cache of a processor.
constexpr int fewest_filter_bits = 18, most_filter_bits = 22, slots_a_pattern_bits = 6;
constexpr size_t longest_identity = 256;
constexpr size_t block = 1 << 18;
// Bytes. What a reader of the format reads in smaller steps is read once more for the search.
constexpr size_t smallest_passed = 1 << 14;

enum class Axis { latitude, longitude };

struct Pattern {
  std::string bytes;
  const char* encoding = "";
  Axis axis = Axis::latitude;
  /// The position that it belongs to; -1: an identity.
  int position = -1;
  /// Found by chance in long files: counts only if the other axis of the position is near.
  bool needs_pair = false;
};

uint32_t key_of(const char* bytes) {
  uint32_t key;
  std::memcpy(&key, bytes, sizeof key);
  return key;
}

/// A bit for each slot of the patterns' first bytes: most offsets of a file are ruled out by it
/// alone.
class Filter {
 public:
  explicit Filter(size_t patterns) {
    int bits = fewest_filter_bits;
    while (bits < most_filter_bits && patterns << slots_a_pattern_bits > size_t{1} << bits) ++bits;
    shift_ = 32 - bits;
    words_.resize((size_t{1} << bits) / 64);
  }
  void add(uint32_t gram) {
    const uint32_t slot = slot_of(gram);
    words_[slot / 64] |= uint64_t{1} << slot % 64;
  }
  /// The fourth byte of `bytes` does not count.
  bool may_have(uint32_t bytes) const {
    const uint32_t slot = slot_of(bytes);
    return words_[slot / 64] >> slot % 64 & 1;
  }

 private:
  static_assert(std::endian::native == std::endian::little);
  uint32_t slot_of(uint32_t bytes) const { return ((bytes << 8) * 0x9e3779b1u) >> shift_; }

  int shift_;
  std::vector<uint64_t> words_;
};

template <typename T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string reversed(std::string bytes) {
  std::ranges::reverse(bytes);
  return bytes;
}
std::string utf16(std::string_view text, bool little) {
  std::string wide;
  for (const char letter : text) {
    if (!little) wide += '\0';
    wide += letter;
    if (little) wide += '\0';
  }
  return wide;
}
/// What base64 makes of a text that begins at the first, second or third byte of a group, without
/// the characters that also depend on the bytes around it.
std::string base64(std::string_view text, size_t phase) {
  const std::string padded = std::string(phase, 'x') + std::string(text);
  const GString_ all(
      g_base64_encode(reinterpret_cast<const guchar*>(padded.data()), padded.size()));
  const size_t begin = (phase * 8 + 5) / 6, end = padded.size() * 8 / 6;
  return end > begin ? std::string(all.get()).substr(begin, end - begin) : std::string();
}

/// A pattern of few different bytes, such as mostly zeros, is found everywhere.
bool distinctive(std::string_view bytes) {
  const auto zeros = std::ranges::count_if(bytes, [](char c) { return c == 0 || c == '\xff'; });
  return bytes.size() - static_cast<size_t>(zeros) >= 5;
}

class PatternList {
 public:
  void add_position(const Position& position, int index) {
    add_axis(position.latitude, Axis::latitude, index);
    add_axis(position.longitude, Axis::longitude, index);
  }

  /// Removes the patterns that these positions have, too.
  void drop_those_of(std::span<const Position> positions) {
    if (list_.empty()) return;
    std::set<std::string> dropped;
    for (const Position& position : positions) {
      PatternList own;
      own.add_position(position, 0);
      for (const Pattern& pattern : own.list_)
        if (all_.contains(pattern.bytes)) dropped.insert(pattern.bytes);
    }
    std::erase_if(list_, [&](const Pattern& pattern) { return dropped.contains(pattern.bytes); });
  }

  void add_identity(std::string_view text) {
    if (text.size() < shortest_alone) return;
    text = text.substr(0, longest_identity);
    Pattern pattern;
    pattern.encoding = "an identity as text";
    add(pattern, std::string(text));
    pattern.encoding = "an identity as UTF-16";
    for (const bool little : {false, true}) add(pattern, utf16(text, little));
    pattern.encoding = "an identity as base64";
    for (size_t phase = 0; phase < 3; ++phase) add(pattern, base64(text, phase));
  }

  std::vector<Pattern> take() {
    std::ranges::sort(list_, {}, [](const Pattern& p) { return key_of(p.bytes.data()); });
    return std::move(list_);
  }

 private:
  void add(Pattern pattern, std::string bytes) {
    if (bytes.size() < key_size) return;
    if (bytes.size() < shortest_alone && pattern.position < 0) return;
    if (!seen_.insert({bytes, pattern.position}).second) return;
    all_.insert(bytes);
    pattern.bytes = std::move(bytes);
    list_.push_back(std::move(pattern));
  }

  void add_axis(double degrees, Axis axis, int index) {
    const bool north = axis == Axis::latitude;
    Pattern pattern;
    pattern.axis = axis;
    pattern.position = index;
    const auto number = [&](const char* encoding, const std::string& bytes) {
      pattern.encoding = encoding;
      pattern.needs_pair = bytes.size() < 8 || !distinctive(bytes);
      add(pattern, bytes);
      add(pattern, reversed(bytes));
    };
    number(north ? "latitude as 64-bit float" : "longitude as 64-bit float", raw(degrees));
    number(north ? "latitude as 32-bit float" : "longitude as 32-bit float",
           raw(static_cast<float>(degrees)));
    const auto integer = [&](const char* encoding, double scaled) {
      if (std::abs(scaled) > static_cast<double>(std::numeric_limits<int32_t>::max())) return;
      for (const double value : {std::trunc(scaled), std::round(scaled), std::floor(scaled)})
        number(encoding, raw(static_cast<int32_t>(value)));
    };
    integer(north ? "latitude in 1e-7 degrees" : "longitude in 1e-7 degrees", degrees * 1e7);
    integer(north ? "latitude in 1e-6 degrees" : "longitude in 1e-6 degrees", degrees * 1e6);
    integer(north ? "latitude as 16.16" : "longitude as 16.16", degrees * 65536);
    integer(north ? "latitude as 32-bit angle" : "longitude as 32-bit angle",
            degrees / (north ? 90 : 180) * 2147483647);
    add_rationals(std::abs(degrees), pattern);
    add_texts(std::abs(degrees), pattern);
  }

  /// Exif's form: degrees and minutes as whole numbers, with any form of the seconds.
  void add_rationals(double degrees, Pattern pattern) {
    pattern.encoding =
        pattern.axis == Axis::latitude ? "latitude as Exif has it" : "longitude as Exif has it";
    // Small numbers with ones between them are also found in tables.
    pattern.needs_pair = true;
    const auto whole = static_cast<uint32_t>(degrees);
    const auto minutes = static_cast<uint32_t>((degrees - whole) * 60);
    for (const bool big : {false, true}) {
      std::string bytes;
      for (const uint32_t value : {whole, 1u, minutes, 1u})
        bytes += big ? reversed(raw(value)) : raw(value);
      add(pattern, bytes);
    }
  }

  void add_texts(double degrees, Pattern pattern) {
    const bool north = pattern.axis == Axis::latitude;
    std::set<std::string> decimal, other;
    // Three decimals are 100 metres; of small numbers more are needed, to have enough letters.
    const int digits = degrees < 10 ? 4 : 3;
    const double scale = std::pow(10, digits);
    for (const double value :
         {std::floor(degrees * scale) / scale, std::round(degrees * scale) / scale})
      decimal.insert(formatted(value, digits));
    const int whole = static_cast<int>(degrees);
    const double minutes = (degrees - whole) * 60;
    const std::string minute = formatted(std::floor(minutes * 10) / 10, 1);
    other.insert(std::to_string(whole) + "," + minute);
    other.insert(std::to_string(whole) + (minutes < 10 ? "0" : "") + minute);
    const std::string full = std::to_string(static_cast<int>(minutes));
    for (const char* sign : {" deg ", "\xc2\xb0", "\xc2\xb0 "})
      other.insert(std::to_string(whole) + sign + full + "'");
    pattern.encoding = north ? "latitude as decimal text" : "longitude as decimal text";
    for (const std::string& text : decimal) add_text(pattern, text);
    pattern.encoding = north ? "latitude as text in minutes" : "longitude as text in minutes";
    for (const std::string& text : other) add_text(pattern, text);
  }

  void add_text(Pattern pattern, const std::string& text) {
    pattern.needs_pair = text.size() < shortest_alone;
    add(pattern, text);
    for (const bool little : {false, true}) add(pattern, utf16(text, little));
    for (size_t phase = 0; phase < 3; ++phase) {
      const std::string bytes = base64(text, phase);
      // Base64 of unrelated bytes has all combinations of letters.
      pattern.needs_pair = bytes.size() < 8;
      add(pattern, bytes);
    }
  }

  static std::string formatted(double value, int digits) {
    char format[8], text[G_ASCII_DTOSTR_BUF_SIZE];
    g_snprintf(format, sizeof format, "%%.%df", digits);
    return g_ascii_formatd(text, sizeof text, format, value);
  }

  std::vector<Pattern> list_;
  std::set<std::pair<std::string, int>> seen_;
  std::set<std::string> all_;
};

}  // namespace

struct TraceSearch::Patterns {
  explicit Patterns(std::vector<Pattern> sorted) : list(std::move(sorted)), filter(list.size()) {
    for (const Pattern& pattern : list) {
      const uint32_t key = key_of(pattern.bytes.data());
      filter.add(key);
      filter.add(key >> 8);
      longest = std::max(longest, pattern.bytes.size());
    }
    if (list.size() > most_grouped) return;
    for (const Pattern& pattern : list) {
      const auto* const first = reinterpret_cast<const uint8_t*>(pattern.bytes.data());
      groups.add(std::span<const uint8_t, key_size>(first, key_size));
    }
    use_groups = groups.chance() <= largest_chance;
  }

  const std::vector<Pattern> list;  ///< sorted by their keys
  Filter filter;
  KeyGroups groups;
  bool use_groups = false;
  size_t longest = key_size;
  /// The last bytes of the blocks before, in which a pattern may begin.
  std::vector<uint8_t> kept;
  uint64_t offset = 0;  ///< of the next block
  /// Where each axis of each position was last found; ~0: nowhere.
  std::vector<std::array<uint64_t, 2>> last;

  /// Compares at one offset of `bytes`; `room` bytes are there.
  const Pattern* at(const uint8_t* bytes, size_t room, uint64_t begin) {
    const uint32_t key = key_of(reinterpret_cast<const char*>(bytes));
    const auto key_of_pattern = [](const Pattern& p) { return key_of(p.bytes.data()); };
    for (auto each = std::ranges::lower_bound(list, key, {}, key_of_pattern);
         each != list.end() && key_of_pattern(*each) == key; ++each) {
      const Pattern& pattern = *each;
      if (pattern.bytes.size() > room ||
          std::memcmp(pattern.bytes.data(), bytes, pattern.bytes.size()) != 0)
        continue;
      if (pattern.position < 0 || !pattern.needs_pair) return &pattern;
      auto& found = last[static_cast<size_t>(pattern.position)];
      found[static_cast<size_t>(pattern.axis)] = begin;
      const uint64_t other = found[pattern.axis == Axis::latitude ? 1 : 0];
      if (other != ~uint64_t{0} && begin - other <= pair_distance) return &pattern;
    }
    return nullptr;
  }

  /// Searches for the patterns that begin in the first `starts` of these bytes; `begin` is the
  /// offset of the first one in the file.
  std::optional<FoundTrace> search(std::span<const uint8_t> bytes, size_t starts, uint64_t begin) {
    starts = std::min(starts, bytes.size() - std::min(bytes.size(), key_size - 1));
    return use_groups ? search_groups(bytes, starts, begin) : search_grams(bytes, starts, begin);
  }

 private:
  std::optional<FoundTrace> search_groups(std::span<const uint8_t> bytes, size_t starts,
                                          uint64_t begin) {
    std::array<uint16_t, piece> keys;
    for (size_t first = 0; first < starts; first += piece) {
      const size_t now = std::min(piece, starts - first);
      const size_t count = find_keys(groups, bytes.subspan(first, now + key_size - 1), keys.data());
      for (const uint16_t offset : std::span(keys).first(count)) {
        const uint8_t* const at_key = bytes.data() + first + offset;
        if (!filter.may_have(key_of(reinterpret_cast<const char*>(at_key)))) continue;
        const uint64_t place = begin + first + offset;
        if (const Pattern* pattern = at(at_key, bytes.size() - first - offset, place))
          return FoundTrace{place, pattern->encoding};
      }
    }
    return std::nullopt;
  }

  std::optional<FoundTrace> search_grams(std::span<const uint8_t> bytes, size_t starts,
                                         uint64_t begin) {
    const uint8_t* const data = bytes.data();
    const size_t size = bytes.size();
    std::optional<FoundTrace> found;
    const auto look = [&](size_t gram) {
      // The gram is at the beginning of a pattern, or one further on.
      for (size_t start = gram > 0 ? gram - 1 : 0; start <= gram && !found; ++start) {
        if (start >= starts) continue;
        if (const Pattern* pattern = at(data + start, size - start, begin + start))
          found = FoundTrace{begin + start, pattern->encoding};
      }
      return found.has_value();
    };
    size_t i = 0;
    for (; i + key_size <= size; i += 2) {
      uint32_t four;
      std::memcpy(&four, data + i, sizeof four);
      if (filter.may_have(four) && look(i)) return found;
    }
    if (i + gram_size <= size) look(i);
    return found;
  }
};

TraceSearch::TraceSearch(const Traces& traces, const Policy& policy,
                         std::span<const Position> allowed) {
  PatternList list;
  if (!policy.place)
    for (size_t i = 0; i < traces.positions.size(); ++i)
      list.add_position(traces.positions[i], static_cast<int>(i));
  // Two positions that are close have the same whole degrees and minutes.
  list.drop_those_of(allowed);
  if (!policy.identity)
    for (const std::string& text : traces.identities) list.add_identity(text);
  patterns_ = std::make_unique<Patterns>(list.take());
  patterns_->last.assign(traces.positions.size(), {~uint64_t{0}, ~uint64_t{0}});
}

TraceSearch::~TraceSearch() = default;
TraceSearch::TraceSearch(TraceSearch&&) noexcept = default;

bool TraceSearch::empty() const { return patterns_->list.empty(); }

std::optional<FoundTrace> TraceSearch::search(std::span<const uint8_t> bytes) {
  Patterns& p = *patterns_;
  if (p.list.empty()) return std::nullopt;
  // First the patterns that began in the blocks before.
  const size_t kept = p.kept.size();
  p.kept.insert(p.kept.end(), bytes.begin(),
                bytes.begin() + static_cast<ptrdiff_t>(std::min(bytes.size(), p.longest - 1)));
  std::optional<FoundTrace> found = p.search(p.kept, kept, p.offset - kept);
  if (!found) found = p.search(bytes, bytes.size(), p.offset);
  p.offset += bytes.size();
  if (bytes.size() >= p.longest)
    p.kept.assign(bytes.end() - static_cast<ptrdiff_t>(p.longest - 1), bytes.end());
  else if (p.kept.size() >= p.longest)
    p.kept.erase(p.kept.begin(), p.kept.end() - static_cast<ptrdiff_t>(p.longest - 1));
  return found;
}

void TraceSearch::skip_to(uint64_t offset) {
  patterns_->kept.clear();
  patterns_->offset = offset;
}

SearchedSource::SearchedSource(const Source& source, TraceSearch search,
                               const std::function<bool(uint64_t)>& progress,
                               std::span<const ByteRange> skipped)
    : source_(source), progress_(progress), search_(std::move(search)), skipped_(skipped) {
  if (search_.empty()) position_ = source.size();
}

size_t SearchedSource::read(uint64_t position, std::span<uint8_t> into) const {
  // A reader that goes on in small steps, or with a gap, is kept up with in blocks. What is far
  // ahead is searched at the end.
  const bool wide = into.size() >= smallest_passed;
  const auto behind = [&] {
    return skipped_.empty() && !at_end() && position + into.size() > position_;
  };
  while (behind() && (position > position_ || !wide) && position <= position_ + block)
    search_block();
  if (stopped_) return 0;
  const size_t got = source_.read(position, into);
  if (behind() && position <= position_ && position + got > position_)
    pass(std::span<const uint8_t>(into).first(got).subspan(
        static_cast<size_t>(position_ - position)));
  return stopped_ ? 0 : got;
}

void SearchedSource::pass(std::span<const uint8_t> bytes) const {
  found_ = search_.search(bytes);
  position_ += bytes.size();
  stopped_ = progress_ && !progress_(position_);
}

void SearchedSource::search_block() const {
  if (!skipped_.empty() && position_ >= skipped_.front().begin) {
    position_ = std::max(position_, skipped_.front().end);
    skipped_ = skipped_.subspan(1);
    search_.skip_to(position_);
    stopped_ = progress_ && !progress_(position_);
    return;
  }
  if (block_.empty()) block_.resize(block);
  const uint64_t end = skipped_.empty() ? source_.size() : skipped_.front().begin;
  const auto now =
      std::span(block_).first(static_cast<size_t>(std::min<uint64_t>(block, end - position_)));
  failed_ = !source_.read_all(position_, now);
  if (!failed_) pass(now);
}

Result<std::optional<FoundTrace>> SearchedSource::finish() {
  while (!at_end()) search_block();
  if (stopped_) return edit_stopped();
  if (failed_) return failed("the file can't be read any more");
  return std::exchange(found_, std::nullopt);
}

}  // namespace sphere::media
