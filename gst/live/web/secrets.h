// SPDX-License-Identifier: LGPL-2.1-or-later
// Random texts that nobody can guess, and their comparison.

#pragma once

#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sphere::live {

/// Letters and digits that are the same in addresses, SDP and JSON; 5 bits of randomness each.
inline std::string random_text(size_t length) {
  static constexpr std::string_view letters = "abcdefghijkmnpqrstuvwxyz23456789";
  std::string text(length, '\0');
  // It fails only where the system has no randomness, and then nothing here may go on.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(length)) != 1)
    g_error("the system has no random numbers");
  for (char& c : text) c = letters[static_cast<uint8_t>(c) & 31];
  return text;
}

inline uint32_t random_number() {
  uint32_t number = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) != 1)
    g_error("the system has no random numbers");
  return number;
}

/// Takes the same time whichever characters differ.
inline bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sphere::live
