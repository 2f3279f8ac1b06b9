// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/qr_code.h"

#ifdef HAVE_QRENCODE
#include <qrencode.h>

#include <memory>

#include "gst/sphere/base/gobject.h"
#endif

namespace sphere::live {

#ifdef HAVE_QRENCODE

std::string qr_code(std::string_view text) {
  const std::unique_ptr<QRcode, Call<QRcode_free>> code(
      QRcode_encodeString8bit(std::string(text).c_str(), 0, QR_ECLEVEL_L));
  if (!code) return {};
  // The standard wants a border of four light cells; two are enough for phones.
  constexpr int quiet = 2;
  const auto dark = [&](int x, int y) {
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1);
  };
  // The light cells are drawn, because terminals are dark more often than light. Readers take a
  // code with exchanged colours too.
  std::string lines;
  for (int y = -quiet; y < code->width + quiet; y += 2) {
    for (int x = -quiet; x < code->width + quiet; ++x) {
      const bool upper = !dark(x, y), lower = !dark(x, y + 1);
      lines += upper ? lower ? "█" : "▀" : lower ? "▄" : " ";
    }
    lines += "\n";
  }
  return lines;
}

#else

std::string qr_code(std::string_view) { return {}; }

#endif

}  // namespace sphere::live
