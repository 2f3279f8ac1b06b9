// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/srtp.h"

namespace sphere::live {

namespace {

srtp_t make(SrtpKey key, srtp_ssrc_type_t direction) {
  srtp_policy_t policy = {};
  srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
  srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
  policy.ssrc.type = direction;
  policy.key = key.data();
  policy.window_size = 1024;
  // A repeated packet is the same packet.
  policy.allow_repeat_tx = 1;
  srtp_t session = nullptr;
  return srtp_create(&session, &policy) == srtp_err_status_ok ? session : nullptr;
}

/// Calls a function of the library that changes the packet and its length.
template <typename Function>
bool change(std::vector<uint8_t>& packet, size_t room, Function function) {
  int size = static_cast<int>(packet.size());
  packet.resize(packet.size() + room);
  const bool good = function(packet.data(), &size) == srtp_err_status_ok && size >= 0;
  packet.resize(good ? static_cast<size_t>(size) : 0);
  return good;
}

}  // namespace

bool Srtp::prepare() {
  // Other users in this process may have called it too; that does no harm.
  static const bool ready = srtp_init() == srtp_err_status_ok;
  return ready;
}

Srtp::Srtp(const SrtpKeys& keys) {
  if (!prepare()) return;
  out_.reset(make(keys.ours, ssrc_any_outbound));
  in_.reset(make(keys.theirs, ssrc_any_inbound));
}

bool Srtp::protect_rtp(std::vector<uint8_t>& packet) {
  return change(packet, max_growth,
                [&](void* data, int* size) { return srtp_protect(out_.get(), data, size); });
}

bool Srtp::protect_rtcp(std::vector<uint8_t>& packet) {
  return change(packet, max_growth,
                [&](void* data, int* size) { return srtp_protect_rtcp(out_.get(), data, size); });
}

bool Srtp::unprotect_rtcp(std::vector<uint8_t>& packet) {
  return change(packet, 0,
                [&](void* data, int* size) { return srtp_unprotect_rtcp(in_.get(), data, size); });
}

}  // namespace sphere::live
