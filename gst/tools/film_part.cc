// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/tools/film_part.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/source.h"

namespace sphere::tool {

namespace {

constexpr std::string_view magic = "gst-sphere film part 1\n";
constexpr uint8_t mark_picture = 'P', mark_end = 'E';
constexpr size_t picture_head = 1 + 8 + 8 + 1 + 4;
constexpr size_t digest_size = 32;
// Texts of caps have some hundred bytes; a profile of a lens is not among them.
constexpr uint32_t longest_text = 1 << 20;
constexpr uint64_t most_pictures = 1 << 22;

void put(std::vector<uint8_t>* bytes, uint64_t value, int count) {
  for (int i = count - 1; i >= 0; --i) bytes->push_back(static_cast<uint8_t>(value >> 8 * i));
}

void put_text(std::vector<uint8_t>* bytes, const std::string& text) {
  put(bytes, text.size(), 4);
  bytes->insert(bytes->end(), text.begin(), text.end());
}

std::array<uint8_t, digest_size> digest_of(GChecksum* checksum) {
  std::array<uint8_t, digest_size> digest{};
  gsize size = digest.size();
  g_checksum_get_digest(checksum, digest.data(), &size);
  return digest;
}

Error not_whole() { return invalid("is not a whole part of a film"); }

/// Whether the file's last bytes are the digest of all before.
bool check_digest(const media::Source& file) {
  if (file.size() < magic.size() + digest_size) return false;
  const ChecksumRef checksum(g_checksum_new(G_CHECKSUM_SHA256));
  std::vector<uint8_t> block(1 << 20);
  const uint64_t end = file.size() - digest_size;
  for (uint64_t at = 0; at < end;) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(block.size(), end - at));
    const size_t got = file.read(at, std::span(block).first(wanted));
    if (got == 0) return false;
    g_checksum_update(checksum.get(), block.data(), static_cast<gssize>(got));
    at += got;
  }
  std::array<uint8_t, digest_size> written{};
  return file.read_all(end, written) && written == digest_of(checksum.get());
}

}  // namespace

FilmPartWriter::FilmPartWriter(OutputFile file)
    : file_(std::move(file)), checksum_(g_checksum_new(G_CHECKSUM_SHA256)) {}

Result<std::unique_ptr<FilmPartWriter>> FilmPartWriter::create(const std::string& path) {
  Result<OutputFile> file = OutputFile::create(path, true);
  if (!file) return file.error();
  std::unique_ptr<FilmPartWriter> writer(new FilmPartWriter(std::move(*file)));
  const auto* begin = reinterpret_cast<const uint8_t*>(magic.data());
  if (const Status written = writer->write({begin, magic.size()}); !written) return written.error();
  return writer;
}

Status FilmPartWriter::write(std::span<const uint8_t> bytes) {
  g_checksum_update(checksum_.get(), bytes.data(), static_cast<gssize>(bytes.size()));
  return file_.write(bytes);
}

Status FilmPartWriter::add(GstBuffer* picture, uint64_t shown, uint64_t duration) {
  GstMapInfo map;
  if (!gst_buffer_map(picture, &map, GST_MAP_READ)) return failed("a picture can't be read");
  std::vector<uint8_t> head = {mark_picture};
  put(&head, shown, 8);
  put(&head, duration, 8);
  put(&head, GST_BUFFER_FLAG_IS_SET(picture, GST_BUFFER_FLAG_DELTA_UNIT) ? 0 : 1, 1);
  put(&head, map.size, 4);
  Status written = map.size <= UINT32_MAX ? write(head) : failed("a picture is too large");
  if (written) written = write({map.data, map.size});
  gst_buffer_unmap(picture, &map);
  if (written) ++pictures_;
  return written;
}

Status FilmPartWriter::finish(const FilmPartEnd& end) {
  std::vector<uint8_t> tail = {mark_end};
  put_text(&tail, end.coded);
  put_text(&tail, end.raw);
  put(&tail, end.pictures, 8);
  put(&tail, end.film_end, 8);
  put(&tail, end.ended, 1);
  if (const Status written = write(tail); !written) return written;
  const std::array<uint8_t, digest_size> digest = digest_of(checksum_.get());
  if (const Status written = file_.write(digest); !written) return written;
  // So that a part that has its name is whole after a power cut, too.
  if (const Status flushed = file_.flush(); !flushed) return flushed;
  return file_.commit();
}

Result<FilmPart> FilmPart::open(const std::string& path, bool check) {
  FilmPart part;
  part.descriptor_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!part.descriptor_) return not_found(std::strerror(errno));
  const Result<media::FileSource> file = media::FileSource::make(part.descriptor_.get());
  if (!file) return file.error();
  if (check && !check_digest(*file)) return not_whole();
  std::vector<uint8_t> begin(magic.size());
  if (!file->read_all(0, begin) || !std::equal(begin.begin(), begin.end(), magic.begin()))
    return not_whole();
  uint64_t at = magic.size();
  if (file->size() < at + digest_size) return not_whole();
  for (;;) {
    uint8_t head[picture_head] = {};
    const size_t got = file->read(at, head);
    if (got == 0) return not_whole();
    if (head[0] == mark_end) break;
    if (head[0] != mark_picture || got != picture_head || part.pictures_.size() == most_pictures)
      return not_whole();
    ByteReader reader(head);
    reader.skip(1);
    FilmPicture picture;
    picture.shown = reader.u64();
    picture.duration = reader.u64();
    picture.key = reader.u8();
    picture.size = reader.u32();
    picture.offset = at + picture_head;
    if (picture.size > file->size() - picture.offset) return not_whole();
    at = picture.offset + picture.size;
    part.pictures_.push_back(picture);
  }
  if (file->size() - at > 2 * uint64_t{longest_text} + 1024) return not_whole();
  std::vector<uint8_t> tail(static_cast<size_t>(file->size() - at));
  if (!file->read_all(at, tail)) return not_whole();
  ByteReader reader(tail);
  reader.skip(1);
  for (std::string* text : {&part.end_.coded, &part.end_.raw}) {
    const std::span<const uint8_t> bytes = reader.take(reader.u32());
    text->assign(bytes.begin(), bytes.end());
  }
  part.end_.pictures = reader.u64();
  part.end_.film_end = reader.u64();
  part.end_.ended = reader.u8();
  if (!reader.ok() || reader.remaining() != digest_size ||
      part.end_.pictures != part.pictures_.size())
    return not_whole();
  return part;
}

BufferRef FilmPart::read(const FilmPicture& picture) const {
  const Result<media::FileSource> file = media::FileSource::make(descriptor_.get());
  BufferRef buffer(gst_buffer_new_allocate(nullptr, picture.size, nullptr));
  GstMapInfo map;
  if (!file || !buffer || !gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE)) return nullptr;
  const bool read = file->read_all(picture.offset, {map.data, map.size});
  gst_buffer_unmap(buffer.get(), &map);
  if (!read) return nullptr;
  if (!picture.key) GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  GST_BUFFER_PTS(buffer.get()) = picture.shown;
  GST_BUFFER_DURATION(buffer.get()) = picture.duration;
  return buffer;
}

}  // namespace sphere::tool
