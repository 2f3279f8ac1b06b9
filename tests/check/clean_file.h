// SPDX-License-Identifier: LGPL-2.1-or-later
// What is left of a file in memory after all that tells something was taken out.

#pragma once

#include "tests/check/pipeline.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gst/sphere/base/printable.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/part.h"

namespace sphere::test {

inline media::Request removing() {
  media::Request request;
  request.policy = media::Policy();
  request.makers = makers::all();
  return request;
}

/// What is found. Its edits of samples can't be carried out, because they read the file again.
inline media::Examination examined(const std::vector<uint8_t>& file,
                                   const media::Request& request) {
  Result<media::Examination> examination = media::examine(media::MemorySource(file), request);
  if (!examination) fail("%s", examination.error().message.c_str());
  return std::move(*examination);
}

/// The edited file.
inline std::vector<uint8_t> changed(const std::vector<uint8_t>& file,
                                    const media::Request& request) {
  // The examination reads it again.
  const media::MemorySource source(file);
  const Result<media::Examination> found = media::examine(source, request);
  if (!found) fail("%s", found.error().message.c_str());
  const auto made = media::edited(file, *found);
  if (!made) fail("%s", made.error().message.c_str());
  return *made;
}

/// Why it can't be examined; "" if it can.
inline std::string refusal(const std::vector<uint8_t>& file,
                           const media::Request& request = removing()) {
  const auto examination = media::examine(media::MemorySource(file), request);
  return examination ? "" : examination.error().message;
}

inline bool has(const std::vector<uint8_t>& file, const std::vector<uint8_t>& what) {
  return std::search(file.begin(), file.end(), what.begin(), what.end()) != file.end();
}
inline bool has(const std::vector<uint8_t>& file, std::string_view what) {
  return has(file, std::vector<uint8_t>(what.begin(), what.end()));
}

/// The word that stands for everything that must go.
inline void no_secret(const std::vector<uint8_t>& file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  const size_t at = text.find("SECRET");
  fail_unless(at == text.npos, "at %zu: %s", at,
              printable(text.substr(at < 40 ? 0 : at - 40, 80), 200).c_str());
}

}  // namespace sphere::test
