// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds where one of some hundred patterns may begin, by the first bytes of all of them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sphere::media {

/// The first bytes of patterns, in groups. A group knows which values each half of each byte has in
/// its keys, but not which of them belong together: other bytes are found, too.
struct KeyGroups {
  static constexpr size_t key_size = 4, groups = 8;

  /// Adds a key to the group that becomes least coarse by it.
  void add(std::span<const uint8_t, key_size> key);
  /// How many of random bytes are found, from 0 to 1.
  double chance() const;

  /// Of byte `k`: bit `g` of low[k][n] says that a key of group `g` has `n` in its low half.
  alignas(16) uint8_t low[key_size][16] = {}, high[key_size][16] = {};
};

/// Finds the offsets at which a key may begin, all of whose bytes are there. `found` must have room
/// for as many offsets as there are bytes. Returns how many there are.
size_t find_keys(const KeyGroups& groups, std::span<const uint8_t> bytes, uint16_t* found);

}  // namespace sphere::media
