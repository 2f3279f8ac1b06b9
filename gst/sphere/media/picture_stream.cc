// SPDX-License-Identifier: LGPL-2.1-or-later

#include <utility>

#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/stream_editor.h"

namespace sphere::media {

namespace {

// Bytes. Pictures of the largest cameras have some 100 MB.
constexpr size_t largest_picture = 512 << 20;

class PictureStreamEditor : public StreamEditor {
 public:
  Status take(uint64_t offset, std::span<const uint8_t> bytes, const Request&,
              std::vector<Write>*) override {
    if (offset > picture_.size()) return invalid("bytes of the picture are missing");
    if (bytes.size() > largest_picture || offset > largest_picture - bytes.size())
      return invalid("the picture is larger than 512 MiB");
    const auto begin = static_cast<size_t>(offset);
    if (picture_.size() < begin + bytes.size()) picture_.resize(begin + bytes.size());
    std::copy(bytes.begin(), bytes.end(), picture_.begin() + static_cast<std::ptrdiff_t>(begin));
    return ok();
  }

  Status end(const Request& request, std::vector<Write>* writes) override {
    const std::vector<uint8_t> picture = std::exchange(picture_, {});
    if (picture.empty()) return ok();
    const Result<Examination> found = examine(MemorySource(picture), request);
    if (!found) return found.error();
    Result<std::vector<uint8_t>> made = edited(picture, *found);
    if (!made) return made.error();
    writes->push_back({0, std::move(*made)});
    return ok();
  }

 private:
  std::vector<uint8_t> picture_;
};

}  // namespace

std::unique_ptr<StreamEditor> make_picture_stream_editor(bool) {
  return std::make_unique<PictureStreamEditor>();
}

}  // namespace sphere::media
