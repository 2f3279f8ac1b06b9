// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/stun.h"

#include <glib.h>
#include <zlib.h>

#include <array>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/text.h"

namespace sphere::live {

namespace {

constexpr uint16_t binding_request = 0x0001, binding_success = 0x0101;
constexpr uint32_t magic_cookie = 0x2112A442, fingerprint_mask = 0x5354554e;
constexpr size_t header_size = 20, hash_size = 20;
constexpr size_t largest_message = 1500;
enum Attribute : uint16_t {
  user_name = 0x0006,
  message_integrity = 0x0008,
  xor_mapped_address = 0x0020,
  use_candidate = 0x0025,
  fingerprint = 0x8028,
};

using Hash = std::array<uint8_t, hash_size>;

/// HMAC-SHA1 over the message up to an attribute, with the length that the message has when it ends
/// with that attribute.
Hash integrity_of(std::span<const uint8_t> before, std::string_view password) {
  const auto length = static_cast<uint16_t>(before.size() - header_size + 4 + hash_size);
  const std::array<uint8_t, 2> length_bytes = {static_cast<uint8_t>(length >> 8),
                                               static_cast<uint8_t>(length & 0xff)};
  const std::unique_ptr<GHmac, Call<g_hmac_unref>> hmac(g_hmac_new(
      G_CHECKSUM_SHA1, reinterpret_cast<const guchar*>(password.data()), password.size()));
  g_hmac_update(hmac.get(), before.data(), 2);
  g_hmac_update(hmac.get(), length_bytes.data(), 2);
  g_hmac_update(hmac.get(), before.data() + 4, static_cast<gssize>(before.size() - 4));
  Hash hash{};
  gsize size = hash.size();
  g_hmac_get_digest(hmac.get(), hash.data(), &size);
  return hash;
}

class Message {
 public:
  Message(uint16_t type, std::span<const uint8_t> transaction) {
    u16(type);
    u16(0);
    u32(magic_cookie);
    bytes_.insert(bytes_.end(), transaction.begin(), transaction.end());
  }
  void attribute(uint16_t type, std::span<const uint8_t> value) {
    u16(type);
    u16(static_cast<uint16_t>(value.size()));
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    while (bytes_.size() % 4) bytes_.push_back(0);
    set_length(bytes_.size() - header_size);
  }
  std::vector<uint8_t> finish(std::string_view password) {
    const Hash hash = integrity_of(bytes_, password);
    attribute(message_integrity, hash);
    // The length counts the fingerprint too, when it is computed.
    set_length(bytes_.size() - header_size + 8);
    const auto crc =
        static_cast<uint32_t>(crc32(0, bytes_.data(), static_cast<uInt>(bytes_.size()))) ^
        fingerprint_mask;
    u16(fingerprint);
    u16(4);
    u32(crc);
    return std::move(bytes_);
  }

 private:
  void u16(uint16_t value) {
    bytes_.push_back(static_cast<uint8_t>(value >> 8));
    bytes_.push_back(static_cast<uint8_t>(value & 0xff));
  }
  void u32(uint32_t value) {
    u16(static_cast<uint16_t>(value >> 16));
    u16(static_cast<uint16_t>(value & 0xffff));
  }
  void set_length(size_t length) {
    bytes_[2] = static_cast<uint8_t>(length >> 8);
    bytes_[3] = static_cast<uint8_t>(length & 0xff);
  }

  std::vector<uint8_t> bytes_;
};

}  // namespace

std::optional<StunCheck> read_check(std::span<const uint8_t> datagram) {
  if (datagram.size() < header_size || datagram.size() > largest_message) return std::nullopt;
  ByteReader reader(datagram);
  const uint16_t type = reader.u16(), length = reader.u16();
  const uint32_t cookie = reader.u32();
  StunCheck check;
  check.message = datagram;
  check.transaction = reader.take(12);
  if (type != binding_request || cookie != magic_cookie || length % 4 != 0 ||
      length != datagram.size() - header_size)
    return std::nullopt;
  bool has_user = false;
  while (reader.remaining() >= 4) {
    const size_t at = reader.position();
    const uint16_t attribute = reader.u16(), size = reader.u16();
    const std::span<const uint8_t> value = reader.take(size);
    reader.skip((4 - size % 4) % 4);
    if (!reader.ok()) return std::nullopt;
    if (attribute == user_name) {
      check.user = as_text(value);
      has_user = true;
    } else if (attribute == use_candidate) {
      check.nominates = true;
    } else if (attribute == message_integrity) {
      if (size != hash_size) return std::nullopt;
      check.integrity = at;
      // RFC 8489: what follows the integrity is not protected by it, so it is not read.
      break;
    }
  }
  if (!has_user || check.integrity == 0) return std::nullopt;
  return check;
}

bool has_integrity(const StunCheck& check, std::string_view password) {
  const Hash hash = integrity_of(check.message.first(check.integrity), password);
  const std::span<const uint8_t> given = check.message.subspan(check.integrity + 4, hash_size);
  // All bytes are compared, so that the time does not tell how many are right.
  uint8_t difference = 0;
  for (size_t i = 0; i < hash_size; ++i)
    difference = static_cast<uint8_t>(difference | (hash[i] ^ given[i]));
  return difference == 0;
}

std::vector<uint8_t> answer_check(const StunCheck& check, const StunAddress& from,
                                  std::string_view password) {
  std::vector<uint8_t> mask = {0x21, 0x12, 0xA4, 0x42};
  mask.insert(mask.end(), check.transaction.begin(), check.transaction.end());
  std::vector<uint8_t> mapped = {0, static_cast<uint8_t>(from.ip.size() == 4 ? 1 : 2)};
  const uint16_t port = from.port ^ 0x2112;
  mapped.push_back(static_cast<uint8_t>(port >> 8));
  mapped.push_back(static_cast<uint8_t>(port & 0xff));
  for (size_t i = 0; i < from.ip.size() && i < mask.size(); ++i)
    mapped.push_back(static_cast<uint8_t>(from.ip[i] ^ mask[i]));
  Message message(binding_success, check.transaction);
  message.attribute(xor_mapped_address, mapped);
  return message.finish(password);
}

}  // namespace sphere::live
