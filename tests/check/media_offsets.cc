// SPDX-License-Identifier: LGPL-2.1-or-later
// Videos of more than 4 GiB, of which only some bytes exist: offsets that a longer index moves past
// 4 GiB get tables of 64 bits.

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <utility>
#include <vector>

#include "gst/sphere/media/isobmff_layout.h"
#include "gst/sphere/media/part.h"
#include "tests/check/video_builder.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::media;
using namespace sphere::test;

namespace {

constexpr uint64_t four_gib = uint64_t{1} << 32;

/// Bytes at the beginning, samples somewhere, and zeros between them.
class HugeFile : public Source {
 public:
  HugeFile(Bytes head, uint64_t size) : head_(std::move(head)), size_(size) {}
  uint64_t size() const override { return size_; }
  size_t read(uint64_t position, std::span<uint8_t> into) const override {
    if (position >= size_) return 0;
    const auto count = static_cast<size_t>(std::min<uint64_t>(into.size(), size_ - position));
    std::fill_n(into.begin(), count, uint8_t{0});
    place(head_, 0, position, into.first(count));
    for (const auto& [offset, bytes] : samples_) place(bytes, offset, position, into.first(count));
    return count;
  }
  void put(uint64_t offset, Bytes bytes) { samples_.emplace_back(offset, std::move(bytes)); }

 private:
  static void place(const Bytes& bytes, uint64_t offset, uint64_t position,
                    std::span<uint8_t> into) {
    const uint64_t begin = std::max(offset, position);
    const uint64_t end = std::min(offset + bytes.size(), position + into.size());
    for (uint64_t i = begin; i < end; ++i) into[i - position] = bytes[i - offset];
  }
  Bytes head_;
  uint64_t size_;
  std::vector<std::pair<uint64_t, Bytes>> samples_;
};

size_t find(const Bytes& bytes, std::string_view what) {
  return static_cast<size_t>(std::search(bytes.begin(), bytes.end(), what.begin(), what.end()) -
                             bytes.begin());
}

/// A film whose index is first, and whose last picture begins at this offset. `head` is everything
/// before the media.
HugeFile film(uint64_t last, Bytes* head) {
  TestVideo video;
  video.movie_first = video.wide = true;
  TestTrack track{"vide", "VideoHandler", picture_entry(), {picture(1), picture(2), picture(3)}};
  video.tracks = {track};
  Bytes all = video.build();
  const size_t sample = track.samples[0].size();
  head->assign(all.begin(), all.end() - static_cast<std::ptrdiff_t>(3 * sample));
  const uint64_t first = head->size();
  const std::vector<uint64_t> offsets = {first, first + sample, last};
  const size_t table = find(*head, "stco") + 12;
  for (size_t i = 0; i < offsets.size(); ++i)
    std::ranges::copy(big(offsets[i]), head->begin() + static_cast<std::ptrdiff_t>(table + 4 * i));
  const uint64_t end = last + sample;
  const Bytes size = big(end - (first - 16), 8);
  std::ranges::copy(size, head->end() - 8);
  HugeFile file(*head, end);
  for (size_t i = 0; i < offsets.size(); ++i) file.put(offsets[i], track.samples[i]);
  return file;
}

Request marking() {
  Request request;
  request.mark = SphereMark();
  return request;
}

/// The bytes before the media with their edits; everything that changes is there.
Bytes edited_head(const Bytes& head, const std::vector<Edit>& edits) {
  Bytes edited;
  uint64_t position = 0;
  for (const Edit& edit : edits) {
    fail_unless(edit.offset >= position && edit.offset + edit.length <= head.size());
    edited.insert(edited.end(), head.begin() + static_cast<std::ptrdiff_t>(position),
                  head.begin() + static_cast<std::ptrdiff_t>(edit.offset));
    edited.insert(edited.end(), edit.bytes.begin(), edit.bytes.end());
    position = edit.offset + edit.length;
  }
  edited.insert(edited.end(), head.begin() + static_cast<std::ptrdiff_t>(position), head.end());
  return edited;
}

GST_START_TEST(offsets_get_64_bits_where_they_pass_4_gib) {
  // The last offset passes 4 GiB by the marking, by the wider table alone, and not at all.
  for (const uint64_t last : {four_gib - 8, four_gib - 200, four_gib - 100'000}) {
    Bytes head;
    const HugeFile file = film(last, &head);
    const auto found = examine(file, marking());
    fail_unless(bool(found), "%s", found ? "" : found.error().message.c_str());
    const Bytes new_head = edited_head(head, found->edits);
    const uint64_t longer = new_head.size() - head.size();
    fail_unless(longer > 0);
    HugeFile result(new_head, file.size() + longer);
    const std::vector<Bytes> pictures = {picture(1), picture(2), picture(3)};
    result.put(new_head.size(), pictures[0]);
    result.put(new_head.size() + pictures[0].size(), pictures[1]);
    result.put(last + longer, pictures[2]);

    const auto layout = read_isobmff(result);
    fail_unless(bool(layout), "%s", layout ? "" : layout.error().message.c_str());
    const SampleTables& tables = layout->tables[0];
    fail_unless_equals_int(tables.offsets.entry, last + longer >= four_gib ? 8 : 4);
    fail_unless_equals_int(find(new_head, "stco") == new_head.size(), last + longer >= four_gib);
    ChunkReader chunks(result, tables);
    for (const Bytes& picture : pictures) {
      Chunk chunk;
      const Result<bool> more = chunks.next(&chunk);
      fail_unless(more && *more);
      Bytes bytes(static_cast<size_t>(chunk.length));
      fail_unless(result.read_all(chunk.offset, bytes));
      fail_unless(bytes == picture, "a picture is not where its table says");
    }
    // Done once is done.
    const auto again = examine(result, marking());
    fail_unless(bool(again), "%s", again ? "" : again.error().message.c_str());
    fail_unless(edited_head(new_head, again->edits) == new_head);
  }
}
GST_END_TEST

}  // namespace

static Suite* media_offsets_suite() {
  Suite* suite = suite_create("media_offsets");
  TCase* cases = tcase_create("media_offsets");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, offsets_get_64_bits_where_they_pass_4_gib);
  return suite;
}
GST_CHECK_MAIN(media_offsets)
