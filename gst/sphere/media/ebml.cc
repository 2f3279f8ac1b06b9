// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/ebml.h"

#include <algorithm>
#include <bit>

#include "gst/sphere/media/sample_tables.h"

namespace sphere::media {

namespace {

// A year of pictures at 30 a second and its sound is more; no file is that long.
constexpr uint64_t most_elements = uint64_t{1} << 31;
constexpr uint64_t longest_text = 1 << 16;
// Most elements are skipped, and only their heads are read.
constexpr size_t window_size = 64;

void append_number(std::vector<uint8_t>* bytes, uint64_t value, int count) {
  for (int i = count - 1; i >= 0; --i) bytes->push_back(static_cast<uint8_t>(value >> 8 * i));
}

/// The largest size that a number of so many bytes can say; all ones mean an unknown size.
uint64_t largest_size(int bytes) { return (uint64_t{1} << 7 * bytes) - 2; }

void append_size(std::vector<uint8_t>* bytes, uint64_t size, int count) {
  append_number(bytes, size | uint64_t{1} << 7 * count, count);
}

int bytes_for_size(uint64_t size, int at_least) {
  int bytes = std::max(1, at_least);
  while (bytes < 8 && size > largest_size(bytes)) ++bytes;
  return bytes;
}

int id_bytes(uint32_t id) { return id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1; }

}  // namespace

bool is_top_level(uint32_t id) {
  switch (id) {
    case ebml_id::seek_head:
    case ebml_id::info:
    case ebml_id::tracks:
    case ebml_id::cluster:
    case ebml_id::cues:
    case ebml_id::chapters:
    case ebml_id::attachments:
    case ebml_id::tags:
      return true;
    default:
      return false;
  }
}

EbmlReader::EbmlReader(const Source& source) : source_(source), window_(source, 0, window_size) {}

/// A number of one to eight bytes, whose first one says how many.
Status EbmlReader::variable_number(bool keep_marker, uint64_t* value, bool* unknown) {
  const int first = window_.next();
  if (first < 0) return cut_off();
  const int more = std::countl_zero(static_cast<uint8_t>(first));
  if (more > 7) return damaged("an element where none can be");
  const uint64_t mask = (uint64_t{0x80} >> more) - 1;
  *value = keep_marker ? static_cast<uint64_t>(first) : static_cast<uint64_t>(first) & mask;
  bool ones = (static_cast<uint64_t>(first) & mask) == mask;
  for (int i = 0; i < more; ++i) {
    const int byte = window_.next();
    if (byte < 0) return cut_off();
    *value = *value << 8 | static_cast<uint64_t>(byte);
    ones = ones && byte == 0xff;
  }
  if (unknown) *unknown = ones;
  return ok();
}

Status EbmlReader::element(uint64_t position, uint64_t end, Element* element) {
  if (++elements_ > most_elements) return damaged("it has too many elements");
  window_.seek(position);
  uint64_t id = 0, size = 0;
  if (const Status read = variable_number(true, &id); !read) return read;
  if (const Status read = variable_number(false, &size, &element->unknown_size); !read) return read;
  element->id = static_cast<uint32_t>(std::min<uint64_t>(id, UINT32_MAX));
  element->begin = position;
  element->content = window_.position();
  if (element->unknown_size) {
    element->end = end;
    return ok();
  }
  if (element->content > end || size > end - element->content)
    return end == source_.size() ? cut_off()
                                 : damaged("an element is longer than the one it is in");
  element->end = element->content + size;
  return ok();
}

Status EbmlReader::children(const Element& parent, const Visit& visit) {
  for (uint64_t position = parent.content; position < parent.end;) {
    Element child;
    if (const Status read = element(position, parent.end, &child); !read) return read;
    if (child.unknown_size) {
      if (child.id != ebml_id::cluster) return damaged("an element without a size");
      if (const Status found = find_end(&child); !found) return found;
    }
    if (const Status visited = visit(child); !visited) return visited;
    position = child.end;
  }
  return ok();
}

/// A cluster whose size is unknown ends where the next element of the segment begins.
Status EbmlReader::find_end(Element* cluster) {
  uint64_t position = cluster->content;
  while (position < cluster->end) {
    Element child;
    if (const Status read = element(position, cluster->end, &child); !read) return read;
    if (is_top_level(child.id)) break;
    if (child.unknown_size) return damaged("an element without a size");
    position = child.end;
  }
  cluster->end = position;
  return ok();
}

uint64_t EbmlReader::number(const Element& element) {
  uint64_t value = 0;
  window_.seek(element.content);
  if (element.size() > 8 || !window_.number(static_cast<int>(element.size()), &value)) return 0;
  return value;
}

std::string EbmlReader::text(const Element& element) {
  std::string text(static_cast<size_t>(std::min(element.size(), longest_text)), '\0');
  if (!source_.read_all(element.content, {reinterpret_cast<uint8_t*>(text.data()), text.size()}))
    return {};
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

Status EbmlReader::block_track(const Element& block, uint64_t* track) {
  window_.seek(block.content);
  return variable_number(false, track);
}

std::vector<uint8_t> ebml_element(uint32_t id, const std::vector<uint8_t>& content,
                                  int size_bytes) {
  std::vector<uint8_t> bytes;
  append_number(&bytes, id, id_bytes(id));
  append_size(&bytes, content.size(), bytes_for_size(content.size(), size_bytes));
  bytes.insert(bytes.end(), content.begin(), content.end());
  return bytes;
}

std::vector<uint8_t> ebml_number(uint64_t value, int bytes) {
  while (bytes == 0 || (bytes < 8 && value >> 8 * bytes)) ++bytes;
  std::vector<uint8_t> number;
  append_number(&number, value, bytes);
  return number;
}

std::vector<uint8_t> ebml_size(uint64_t size, int bytes) {
  std::vector<uint8_t> number;
  append_size(&number, size, bytes_for_size(size, bytes));
  return number;
}

std::vector<uint8_t> ebml_void_head(uint64_t length) {
  std::vector<uint8_t> bytes = {ebml_id::void_};
  // The head itself counts, and a longer size may take away the byte that made it necessary.
  const int count = length - 2 <= largest_size(1) ? 1 : length - 3 <= largest_size(2) ? 2 : 8;
  append_size(&bytes, length - 1 - static_cast<uint64_t>(count), count);
  return bytes;
}

}  // namespace sphere::media
