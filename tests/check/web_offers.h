// SPDX-License-Identifier: LGPL-2.1-or-later
// Offers in the forms that viewers write.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <initializer_list>
#include <string>

#include <gst/check/gstcheck.h>

namespace sphere::test {

/// check's macros keep pointers into texts that are gone when they compare them.
inline void expect_same(const std::string& found, const std::string& expected) {
  fail_unless(found == expected, "'%s' instead of '%s'", found.c_str(), expected.c_str());
}

/// A SHA-256 hash in SDP's form.
inline std::string hash_text(const std::string& first) {
  std::string text = first;
  while (text.size() < 95) text += ":0F";
  return text;
}

inline std::string lines(std::initializer_list<std::string> all) {
  std::string text;
  for (const std::string& line : all) text += line + "\r\n";
  return text;
}

/// As Chrome's is: many formats, sound first, names instead of addresses, a data channel.
inline std::string browser_offer() {
  const std::string transport = lines({
      "c=IN IP4 0.0.0.0",
      "a=rtcp:9 IN IP4 0.0.0.0",
      "a=candidate:1 1 udp 2113937151 1a2b3c4d-0000-4000-8000-000000000000.local 50000 typ host",
      "a=ice-ufrag:h6vY",
      "a=ice-pwd:VOkJxbRl1RmTxUk/WvJxBt00",
      "a=ice-options:trickle",
      "a=fingerprint:sha-256 " + hash_text("2B:11"),
      "a=setup:actpass",
  });
  return lines({"v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0",
                "a=group:BUNDLE 0 1 2", "a=extmap-allow-mixed", "a=msid-semantic: WMS",
                "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126"}) +
         transport +
         lines({"a=mid:0", "a=recvonly", "a=rtcp-mux", "a=rtcp-rsize", "a=rtpmap:111 opus/48000/2",
                "a=rtcp-fb:111 transport-cc", "a=fmtp:111 minptime=10;useinbandfec=1",
                "a=rtpmap:63 red/48000/2", "a=rtpmap:9 G722/8000",
                "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 109 117"}) +
         transport +
         lines({"a=mid:1",
                "a=extmap:1 urn:ietf:params:rtp-hdrext:toffset",
                "a=recvonly",
                "a=rtcp-mux",
                "a=rtcp-rsize",
                "a=rtpmap:96 VP8/90000",
                "a=rtcp-fb:96 nack",
                "a=rtpmap:97 rtx/90000",
                "a=fmtp:97 apt=96",
                "a=rtpmap:102 H264/90000",
                "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;"
                "profile-level-id=42001f",
                "a=rtpmap:103 rtx/90000",
                "a=fmtp:103 apt=102",
                "a=rtpmap:104 H264/90000",
                "a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;"
                "profile-level-id=42e01f",
                "a=rtpmap:109 H264/90000",
                "a=rtcp-fb:109 goog-remb",
                "a=rtcp-fb:109 transport-cc",
                "a=rtcp-fb:109 ccm fir",
                "a=rtcp-fb:109 nack",
                "a=rtcp-fb:109 nack pli",
                "a=fmtp:109 level-asymmetry-allowed=1;packetization-mode=1;"
                "profile-level-id=42e01f",
                "a=rtpmap:117 H264/90000",
                "a=fmtp:117 level-asymmetry-allowed=1;packetization-mode=1;"
                "profile-level-id=4d001f",
                "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"}) +
         transport + lines({"a=mid:2", "a=sctp-port:5000"});
}

/// As Firefox's may be: the second m-line has what is its own only.
inline std::string bundle_only_offer() {
  return lines({"v=0",
                "o=mozilla...THIS_IS_SDPARTA-99.0 1 0 IN IP4 0.0.0.0",
                "s=-",
                "t=0 0",
                "a=fingerprint:sha-256 " + hash_text("01:02"),
                "a=group:BUNDLE 0 1",
                "a=ice-options:trickle",
                "m=audio 9 UDP/TLS/RTP/SAVPF 109",
                "c=IN IP4 0.0.0.0",
                "a=recvonly",
                "a=mid:0",
                "a=ice-ufrag:aa11bb22",
                "a=ice-pwd:x",
                "a=rtcp-mux",
                "a=rtpmap:109 opus/48000/2",
                "a=setup:actpass",
                "m=video 0 UDP/TLS/RTP/SAVPF 120 126 97",
                "c=IN IP4 0.0.0.0",
                "a=recvonly",
                "a=bundle-only",
                "a=mid:1",
                "a=rtpmap:120 VP8/90000",
                "a=rtpmap:126 H264/90000",
                "a=fmtp:126 profile-level-id=42e01f;level-asymmetry-allowed=1;"
                "packetization-mode=1",
                "a=rtcp-fb:* nack",
                "a=rtpmap:97 H264/90000",
                "a=fmtp:97 profile-level-id=42e01f;level-asymmetry-allowed=1"});
}

/// Two m-lines, each with a transport of its own, which a bundle may join. `bundle`: whether it
/// may.
inline std::string offer_with_two_fragments(bool bundle = true) {
  const auto transport = [](const std::string& user) {
    return lines({"c=IN IP4 0.0.0.0", "a=recvonly", "a=ice-ufrag:" + user,
                  "a=ice-pwd:p4ssword0123456789abcdef",
                  "a=fingerprint:sha-256 " + hash_text("AB:CD"), "a=setup:actpass", "a=rtcp-mux"});
  };
  return lines({"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"}) +
         (bundle ? lines({"a=group:BUNDLE 0 1"}) : "") +
         lines({"m=audio 9 UDP/TLS/RTP/SAVPF 97", "a=mid:0", "a=rtpmap:97 OPUS/48000/2"}) +
         transport("s0und") +
         lines({"m=video 9 UDP/TLS/RTP/SAVPF 100", "a=mid:1", "a=rtpmap:100 H264/90000",
                "a=fmtp:100 packetization-mode=1;profile-level-id=42e01f"}) +
         transport("p1ctures");
}

/// The least that a viewer can write.
inline std::string plain_offer(const std::string& fingerprint = hash_text("AB:CD")) {
  return lines({"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0",
                "m=video 9 UDP/TLS/RTP/SAVPF 100", "c=IN IP4 0.0.0.0", "a=mid:0", "a=recvonly",
                "a=ice-ufrag:u4ser", "a=ice-pwd:p4ssword0123456789abcdef",
                "a=fingerprint:sha-256 " + fingerprint, "a=setup:actpass", "a=rtcp-mux",
                "a=rtpmap:100 H264/90000",
                "a=fmtp:100 level-asymmetry-allowed=1;packetization-mode=1;"
                "profile-level-id=42e01f",
                "a=rtcp-fb:100 nack", "a=rtcp-fb:100 nack pli"});
}

}  // namespace sphere::test
