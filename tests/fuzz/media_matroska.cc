// SPDX-License-Identifier: LGPL-2.1-or-later
// A Matroska file with anything in it is refused, or nothing is left in it that may not stay:
// edited as a file, and edited while it comes in pieces.

#include <algorithm>

#include "gst/sphere/media/stream_editor.h"
#include "tests/fuzz/redacted.h"

namespace {

using namespace sphere;
using namespace sphere::media;

/// What comes out of a stream; empty if it was refused.
std::vector<uint8_t> streamed(std::span<const uint8_t> bytes, const Request& request, size_t step) {
  const std::unique_ptr<StreamEditor> editor = make_matroska_stream_editor(true);
  std::vector<StreamEditor::Write> writes;
  for (size_t at = 0; at < bytes.size(); at += step)
    if (!editor->take(at, bytes.subspan(at, std::min(step, bytes.size() - at)), request, &writes))
      return {};
  if (!editor->end(request, &writes)) return {};
  std::vector<uint8_t> file;
  for (const StreamEditor::Write& write : writes) {
    test::require(write.offset <= file.size(), "a gap in the file");
    const auto begin = static_cast<size_t>(write.offset);
    file.resize(std::max(file.size(), begin + write.bytes.size()));
    std::ranges::copy(write.bytes, file.begin() + static_cast<std::ptrdiff_t>(begin));
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::span<const uint8_t> file(bytes, size);
  test::check_photo(&examine_matroska, file);
  Request request;
  request.policy = {};
  request.makers = makers::all();
  const std::vector<uint8_t> whole = streamed(file, request, std::max<size_t>(1, size));
  test::require(whole == streamed(file, request, 7), "the pieces matter");
  if (whole.empty()) return 0;
  const Result<Examination> found = examine_matroska(MemorySource(whole), request);
  if (!found) return 0;
  for (const Part& part : found->parts)
    test::require(!part.removed, (part.path + " is left in a stream: " + part.what).c_str());
  return 0;
}
