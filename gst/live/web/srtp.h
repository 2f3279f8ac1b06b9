// SPDX-License-Identifier: LGPL-2.1-or-later
// Encrypts what goes to one viewer, and decrypts its RTCP.

#pragma once

#include <srtp2/srtp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gst/live/web/dtls.h"
#include "gst/sphere/base/gobject.h"

namespace sphere::live {

class Srtp {
 public:
  /// The most bytes by which encryption makes a packet longer.
  static constexpr size_t max_growth = SRTP_MAX_TRAILER_LEN + 4;

  /// Prepares the library, which may not be done in two threads at a time. False if it fails.
  static bool prepare();

  explicit Srtp(const SrtpKeys& keys);
  explicit operator bool() const { return out_ && in_; }

  /// In place; false if nothing may be sent. A packet may be encrypted again to be repeated.
  bool protect_rtp(std::vector<uint8_t>& packet);
  bool protect_rtcp(std::vector<uint8_t>& packet);
  /// In place; false if it is not the viewer's, or was seen before.
  bool unprotect_rtcp(std::vector<uint8_t>& packet);

 private:
  using SessionRef = std::unique_ptr<srtp_ctx_t, Call<srtp_dealloc>>;
  SessionRef out_, in_;
};

}  // namespace sphere::live
