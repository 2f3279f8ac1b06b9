// SPDX-License-Identifier: LGPL-2.1-or-later
// Framing: any bytes, in any pieces, give the same objects, each of them balanced and within
// bounds.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "hw/madv/message.h"
#include "hw/madv/wire.h"

namespace {

constexpr size_t max_size = 4096;

struct Outcome {
  std::vector<std::string> objects;
  bool broken = false;
};

void take(sphere::madv::Framer& framer, Outcome& outcome) {
  while (!outcome.broken) {
    auto next = framer.next();
    if (!next) {
      outcome.broken = true;
      return;
    }
    if (!*next) return;
    outcome.objects.push_back(std::move(**next));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Outcome whole, pieces;
  sphere::madv::Framer one(max_size), other(max_size);
  one.feed(bytes);
  take(one, whole);
  // The pieces' sizes come from the bytes themselves.
  for (size_t at = 0; at < size;) {
    const size_t length = 1 + data[at] % 7;
    other.feed(bytes.substr(at, length));
    take(other, pieces);
    at += length;
  }
  if (whole.broken != pieces.broken || whole.objects != pieces.objects) abort();
  for (const std::string& object : whole.objects) {
    if (object.size() > max_size || object.front() != '{' || object.back() != '}') abort();
    if (sphere::json_depth(object) > sphere::madv::Framer::max_depth) abort();
    (void)sphere::madv::Message::parse(object);
  }
  return 0;
}
