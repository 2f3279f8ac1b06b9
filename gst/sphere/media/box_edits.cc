// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/box_edits.h"

#include <algorithm>
#include <utility>

namespace sphere::media {

void append32(std::vector<uint8_t>* bytes, uint64_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes->push_back(static_cast<uint8_t>(value >> shift));
}

void append64(std::vector<uint8_t>* bytes, uint64_t value) {
  append32(bytes, value >> 32);
  append32(bytes, value);
}

std::vector<uint8_t> make_box(const char* type, std::span<const uint8_t> content) {
  std::vector<uint8_t> bytes;
  append32(&bytes, content.size() + 8);
  bytes.insert(bytes.end(), type, type + 4);
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

int64_t BoxEdits::remove(const Box& box) {
  if (!in_place_) return cut(box.begin, box.end - box.begin);
  put32(box.begin + 4, 0x66726565);  // "free"
  zero(box.content, box.size());
  return 0;
}

int64_t BoxEdits::cut(uint64_t offset, uint64_t length) {
  if (length == 0) return 0;
  // Many boxes that go, one after the other, are one edit.
  const bool follows = edits_.size() > marked_ && edits_.back().length > 0 &&
                       edits_.back().bytes.empty() && edits_.back().zeros == in_place_ &&
                       edits_.back().offset + edits_.back().length == offset;
  if (follows)
    edits_.back().length += length;
  else
    edits_.push_back({offset, length, {}, in_place_});
  return in_place_ ? 0 : -static_cast<int64_t>(length);
}

int64_t BoxEdits::insert(uint64_t offset, std::vector<uint8_t> bytes) {
  return replace(offset, 0, std::move(bytes));
}

int64_t BoxEdits::replace(uint64_t offset, uint64_t length, std::vector<uint8_t> bytes) {
  const int64_t change = static_cast<int64_t>(bytes.size()) - static_cast<int64_t>(length);
  if (length || !bytes.empty()) edits_.push_back({offset, length, std::move(bytes), false});
  return change;
}

void BoxEdits::overwrite(uint64_t offset, std::vector<uint8_t> bytes) {
  const uint64_t length = bytes.size();
  replace(offset, length, std::move(bytes));
}

void BoxEdits::zero(uint64_t offset, uint64_t length) {
  if (length) edits_.push_back({offset, length, {}, true});
}

void BoxEdits::put32(uint64_t offset, uint64_t value) {
  std::vector<uint8_t> bytes;
  append32(&bytes, value);
  overwrite(offset, std::move(bytes));
}

void BoxEdits::put64(uint64_t offset, uint64_t value) {
  std::vector<uint8_t> bytes;
  append64(&bytes, value);
  overwrite(offset, std::move(bytes));
}

void BoxEdits::resize(const Box& box, int64_t change) {
  if (change == 0 || box.to_the_end) return;
  const uint64_t size = box.end - box.begin + static_cast<uint64_t>(change);
  if (box.content - box.begin >= 16)
    put64(box.begin + 8, size);
  else
    put32(box.begin, size);
}

namespace {

void sort(std::vector<Edit>* edits) {
  std::ranges::stable_sort(*edits, [](const Edit& a, const Edit& b) {
    return std::pair(a.offset, a.length != 0) < std::pair(b.offset, b.length != 0);
  });
}

}  // namespace

std::vector<Edit> BoxEdits::take() {
  sort(&edits_);
  return std::exchange(edits_, {});
}

std::vector<Edit> joined(std::vector<Edit> edits) {
  sort(&edits);
  size_t last = 0;
  for (size_t i = 1; i < edits.size(); ++i) {
    Edit& before = edits[last];
    Edit& edit = edits[i];
    if (before.offset != edit.offset || before.length != 0) {
      if (++last != i) edits[last] = std::move(edit);
      continue;
    }
    before.length = edit.length;
    before.bytes.insert(before.bytes.end(), edit.bytes.begin(), edit.bytes.end());
    if (edit.zeros) before.bytes.resize(before.bytes.size() + static_cast<size_t>(edit.length));
  }
  if (!edits.empty()) edits.resize(last + 1);
  return edits;
}

OffsetMap::OffsetMap(std::span<const Edit> edits, int64_t shift) : shift_(shift) {
  int64_t sum = shift;
  for (const Edit& edit : edits) {
    const int64_t change =
        static_cast<int64_t>(edit.new_length()) - static_cast<int64_t>(edit.length);
    if (change == 0) continue;
    sum += change;
    steps_.push_back({edit.offset + edit.length, sum, edit.offset, edit.new_length()});
  }
}

uint64_t OffsetMap::operator()(uint64_t offset) const {
  const auto after = std::ranges::upper_bound(steps_, offset, {}, &Step::from);
  const int64_t shift = after == steps_.begin() ? shift_ : std::prev(after)->shift;
  if (after != steps_.end() && offset > after->begin)
    offset = std::min(offset, after->begin + after->length);
  return offset + static_cast<uint64_t>(shift);
}

}  // namespace sphere::media
