// SPDX-License-Identifier: LGPL-2.1-or-later

// Highway compiles this file once for each instruction set, by including it again.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gst/sphere/media/find_keys.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>

#include "gst/sphere/media/find_keys.h"

HWY_BEFORE_NAMESPACE();
namespace sphere::media::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The groups of which some key has these values as its byte `k`.
template <class Tag, class Vector>
HWY_INLINE Vector GroupsOf(Tag tag, const KeyGroups& groups, size_t k, Vector values) {
  const Vector low = hn::And(values, hn::Set(tag, 15));
  const Vector high = hn::ShiftRight<4>(values);
  return hn::And(hn::TableLookupBytes(hn::LoadDup128(tag, groups.low[k]), low),
                 hn::TableLookupBytes(hn::LoadDup128(tag, groups.high[k]), high));
}

size_t FindKeys(const KeyGroups& groups, std::span<const uint8_t> bytes, uint16_t* found) {
  const hn::ScalableTag<uint8_t> tag;
  const size_t step = hn::Lanes(tag);
  size_t count = 0, i = 0;
  for (; i + step + KeyGroups::key_size - 1 <= bytes.size(); i += step) {
    const uint8_t* const at = bytes.data() + i;
    auto all = GroupsOf(tag, groups, 0, hn::LoadU(tag, at));
    all = hn::And(all, GroupsOf(tag, groups, 1, hn::LoadU(tag, at + 1)));
    all = hn::And(all, GroupsOf(tag, groups, 2, hn::LoadU(tag, at + 2)));
    all = hn::And(all, GroupsOf(tag, groups, 3, hn::LoadU(tag, at + 3)));
    const auto hits = hn::Ne(all, hn::Zero(tag));
    if (hn::AllFalse(tag, hits)) continue;
    uint8_t bits[HWY_MAX_BYTES / 8 + 8];
    const size_t bit_bytes = hn::StoreMaskBits(tag, hits, bits);
    for (size_t byte = 0; byte < bit_bytes; ++byte)
      for (unsigned left = bits[byte]; left != 0; left &= left - 1)
        found[count++] =
            static_cast<uint16_t>(i + byte * 8 + static_cast<size_t>(std::countr_zero(left)));
  }
  for (; i + KeyGroups::key_size <= bytes.size(); ++i) {
    unsigned all = 255;
    for (size_t k = 0; k < KeyGroups::key_size; ++k)
      all &= static_cast<unsigned>(groups.low[k][bytes[i + k] & 15]) &
             groups.high[k][bytes[i + k] >> 4];
    if (all) found[count++] = static_cast<uint16_t>(i);
  }
  return count;
}

}  // namespace sphere::media::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sphere::media {

HWY_EXPORT(FindKeys);

namespace {

/// Bits of a group, as sets of values of each half of each byte.
struct Group {
  uint16_t low[KeyGroups::key_size] = {}, high[KeyGroups::key_size] = {};

  void add(std::span<const uint8_t, KeyGroups::key_size> key) {
    for (size_t k = 0; k < KeyGroups::key_size; ++k) {
      low[k] = static_cast<uint16_t>(low[k] | 1 << (key[k] & 15));
      high[k] = static_cast<uint16_t>(high[k] | 1 << (key[k] >> 4));
    }
  }
  double chance() const {
    double all = 1;
    for (size_t k = 0; k < KeyGroups::key_size; ++k)
      all *= std::popcount(low[k]) * std::popcount(high[k]) / 256.0;
    return all;
  }
};

Group group_of(const KeyGroups& groups, size_t number) {
  Group group;
  for (size_t k = 0; k < KeyGroups::key_size; ++k)
    for (unsigned n = 0; n < 16; ++n) {
      group.low[k] = static_cast<uint16_t>(group.low[k] | (groups.low[k][n] >> number & 1) << n);
      group.high[k] = static_cast<uint16_t>(group.high[k] | (groups.high[k][n] >> number & 1) << n);
    }
  return group;
}

}  // namespace

void KeyGroups::add(std::span<const uint8_t, key_size> key) {
  size_t best = 0;
  double least = 2;
  for (size_t number = 0; number < groups; ++number) {
    Group group = group_of(*this, number);
    const double before = group.chance();
    group.add(key);
    const double more = group.chance() - before;
    if (more >= least) continue;
    least = more;
    best = number;
  }
  for (size_t k = 0; k < key_size; ++k) {
    low[k][key[k] & 15] = static_cast<uint8_t>(low[k][key[k] & 15] | 1 << best);
    high[k][key[k] >> 4] = static_cast<uint8_t>(high[k][key[k] >> 4] | 1 << best);
  }
}

double KeyGroups::chance() const {
  double sum = 0;
  for (size_t number = 0; number < groups; ++number) sum += group_of(*this, number).chance();
  return std::min(sum, 1.0);
}

size_t find_keys(const KeyGroups& groups, std::span<const uint8_t> bytes, uint16_t* found) {
  return HWY_DYNAMIC_DISPATCH(FindKeys)(groups, bytes, found);
}

}  // namespace sphere::media
#endif
