// SPDX-License-Identifier: LGPL-2.1-or-later
// The readers that check whether a file is complete: complete files pass, cut ones are refused, and
// no size in a file is trusted.

#include "tests/check/pipeline.h"

#include <zlib.h>

#include <cstring>
#include <random>
#include <span>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/riff.h"
#include "gst/sphere/media/source.h"
#include "gst/sphere/media/tiff_picture.h"

using namespace sphere;
using namespace sphere::media;
using sphere::test::made_by;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes small_jpeg() {
  return made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=48,height=24 ! jpegenc ! "
      "filesink location=%s");
}
Bytes small_png() {
  return made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=48,height=24 ! pngenc ! "
      "filesink location=%s");
}
Bytes small_mp4(const char* mux) {
  const std::string line = std::string(
                               "videotestsrc num-buffers=5 ! video/x-raw,width=32,height="
                               "16,framerate=30/1 ! jpegenc quality=20 ! image/jpeg ! ") +
                           mux + " name=m ! filesink location=%s";
  return made_by(line.c_str());
}
Bytes small_avi() {
  return made_by(
      "videotestsrc num-buffers=3 ! video/x-raw,width=32,height=16,framerate=30/1 ! "
      "jpegenc quality=20 ! avimux ! filesink location=%s");
}
Bytes small_webp(const char* options) {
  const std::string line =
      std::string(
          "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=48,height=24 ! "
          "webpenc ") +
      options + " ! filesink location=%s";
  return made_by(line.c_str());
}
constexpr const char* fragmented = "qtmux fragment-duration=60";
constexpr const char* movie_first = "qtmux faststart=true";

template <typename Info>
void expect_refused(const Result<Info>& result) {
  fail_unless(!result);
  fail_if(result.error().message.empty());
}

void put32(Bytes* bytes, size_t place, uint32_t value) {
  for (int i = 0; i < 4; ++i) (*bytes)[place + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

void append32(Bytes* bytes, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes->push_back(static_cast<uint8_t>(value >> shift));
}

/// Where the content of the first such box begins.
size_t find_box(const Bytes& bytes, const char* type) {
  for (size_t i = 4; i + 4 <= bytes.size(); ++i)
    if (std::memcmp(bytes.data() + i, type, 4) == 0) return i + 4;
  ck_abort_msg("no box '%s'", type);
  return 0;
}

}  // namespace

GST_START_TEST(test_byte_reader) {
  const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  ByteReader reader(bytes);
  ck_assert_int_eq(reader.u8(), 1);
  ck_assert_int_eq(reader.u16(), 0x0203);
  ck_assert_int_eq(reader.u16_little(), 0x0504);
  fail_unless(reader.ok());
  // Past the end it reads zeros, and stays so.
  ck_assert_int_eq(reader.u64(), 0);
  fail_unless(!reader.ok());
  ck_assert_int_eq(reader.u8(), 0);
  ck_assert_int_eq(reader.remaining(), 0);

  ByteReader other(bytes);
  other.skip(SIZE_MAX);
  fail_unless(!other.ok());
  ByteReader third(bytes);
  third.seek(9);
  fail_unless(third.ok());
  third.seek(10);
  fail_unless(!third.ok());
}
GST_END_TEST

GST_START_TEST(test_jpeg) {
  const Bytes whole = small_jpeg();
  const Result<JpegInfo> info = check_jpeg(MemorySource(whole));
  fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
  ck_assert_int_eq(info->width, 48);
  ck_assert_int_eq(info->height, 24);
  ck_assert_int_eq(info->components, 3);
  ck_assert_int_eq(info->orientation, 1);
  ck_assert_int_eq(info->trailing, 0);
  fail_unless(info->half_chroma());
  for (size_t cut = 0; cut < whole.size(); ++cut)
    expect_refused(check_jpeg(MemorySource(std::span(whole).first(cut))));

  Bytes longer = whole;
  longer.insert(longer.end(), 100, 0xd9);
  const Result<JpegInfo> trailed = check_jpeg(MemorySource(longer));
  fail_unless(bool(trailed));
  ck_assert_int_eq(trailed->length, whole.size());
  ck_assert_int_eq(trailed->trailing, 100);

  const Bytes full = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=Y444,width=48,height=24 ! jpegenc ! "
      "filesink location=%s");
  const Result<JpegInfo> full_info = check_jpeg(MemorySource(full));
  fail_unless(bool(full_info) && !full_info->half_chroma());
}
GST_END_TEST

GST_START_TEST(test_jpeg_orientation) {
  const Bytes whole = small_jpeg();
  for (const bool little : {false, true}) {
    const Bytes big_endian = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,    'M', 'M',
                              0,    42,   0, 0,  0,   8,   0,   1,   1, 0x12, 0,   3,
                              0,    0,    0, 1,  0,   6,   0,   0,   0, 0,    0,   0};
    const Bytes little_endian = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0,    0, 'I', 'I',
                                 42,   0,    8, 0,  0,   0,   1,   0,   0x12, 1, 3,   0,
                                 1,    0,    0, 0,  6,   0,   0,   0,   0,    0, 0,   0};
    const Bytes& exif = little ? little_endian : big_endian;
    Bytes turned(whole.begin(), whole.begin() + 2);
    turned.insert(turned.end(), exif.begin(), exif.end());
    turned.insert(turned.end(), whole.begin() + 2, whole.end());
    const Result<JpegInfo> info = check_jpeg(MemorySource(turned));
    fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
    ck_assert_int_eq(info->orientation, 6);
    // A damaged Exif gives no orientation, and is no reason to refuse the picture.
    for (size_t cut = 0; cut < exif.size() - 10; ++cut) {
      const std::span<const uint8_t> tiff = std::span(exif).subspan(10, cut);
      const int orientation = exif_orientation(tiff);
      fail_unless(orientation == 1 || (orientation == 6 && cut >= 20));
    }
  }
  const uint8_t far_away[] = {'M', 'M', 0, 42, 0xff, 0xff, 0xff, 0xff};
  ck_assert_int_eq(exif_orientation(far_away), 1);
}
GST_END_TEST

/// The whole packet of a picture that says that it is 360, by an attribute or by an element.
static std::string sphere_packet(bool element, const char* projection = "equirectangular") {
  const std::string name = "GPano:ProjectionType", value = projection;
  return "<rdf:Description xmlns:GPano=\"http://ns.google.com/photos/1.0/panorama/\"" +
         (element ? "><" + name + ">\n " + value + "</" + name + "></rdf:Description>"
                  : " " + name + " = \"" + value + "\"/>");
}

static Bytes with_xmp(const Bytes& jpeg, const std::string& packet) {
  const std::string content = std::string("http://ns.adobe.com/xap/1.0/\0", 29) + packet;
  const size_t length = content.size() + 2;
  Bytes marked(jpeg.begin(), jpeg.begin() + 2);
  for (const size_t byte : {size_t{0xff}, size_t{0xe1}, length >> 8, length & 255})
    marked.push_back(static_cast<uint8_t>(byte));
  marked.insert(marked.end(), content.begin(), content.end());
  marked.insert(marked.end(), jpeg.begin() + 2, jpeg.end());
  return marked;
}

GST_START_TEST(metadata_of_360_pictures) {
  const Bytes jpeg = small_jpeg();
  const auto says = [](const Bytes& bytes) {
    const Result<JpegInfo> info = check_jpeg(MemorySource(bytes));
    fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
    return info->spherical;
  };
  fail_if(says(jpeg));
  for (const bool element : {false, true}) {
    const std::string packet = sphere_packet(element);
    fail_unless(says(with_xmp(jpeg, packet)));
    // Cut anywhere before the value is whole, it says nothing.
    for (size_t cut = 0; cut < packet.find("equirectangular") + 15; ++cut)
      fail_if(says(with_xmp(jpeg, packet.substr(0, cut))), "%zu", cut);
    fail_if(says(with_xmp(jpeg, sphere_packet(element, "cylindrical"))));
  }
  // The same word in another namespace does not count.
  fail_if(says(with_xmp(jpeg, "<x:ProjectionType>equirectangular</x:ProjectionType>")));

  const Bytes png = small_png();
  const auto with_text = [&](const std::string& content) {
    Bytes chunk;
    append32(&chunk, static_cast<uint32_t>(content.size()));
    const std::string named = "iTXt" + content;
    chunk.insert(chunk.end(), named.begin(), named.end());
    const auto* bytes = reinterpret_cast<const Bytef*>(named.data());
    append32(&chunk, static_cast<uint32_t>(crc32(0, bytes, static_cast<uInt>(named.size()))));
    Bytes marked(png.begin(), png.begin() + 33);
    marked.insert(marked.end(), chunk.begin(), chunk.end());
    marked.insert(marked.end(), png.begin() + 33, png.end());
    const Result<PngInfo> info = check_png(MemorySource(marked));
    fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
    return info->spherical;
  };
  const std::string head("XML:com.adobe.xmp\0\0\0\0\0", 22);
  fail_unless(with_text(head + sphere_packet(false)));
  fail_if(with_text("Comment" + sphere_packet(false)));
  fail_if(with_text(head));
}
GST_END_TEST

GST_START_TEST(test_jpeg_hostile) {
  const auto refused = [](const Bytes& bytes) { expect_refused(check_jpeg(MemorySource(bytes))); };
  refused({0xff, 0xd8, 0xff, 0xd9});
  refused({0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xd9});
  refused({0xff, 0xd8, 0xff, 0xe0, 0, 1, 0xff, 0xd9});
  refused({0xff, 0xd8, 0x00, 0x00});
  // Pixels without a frame; a frame without a size; a frame with 200 components.
  refused({0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 2, 0xff, 0xd9});
  refused({0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 0, 0, 9, 1, 1, 0x11, 0, 0xff, 0xd9});
  refused({0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 9, 0, 9, 200, 1, 0x11, 0, 0xff, 0xd9});
}
GST_END_TEST

GST_START_TEST(test_png) {
  const Bytes whole = small_png();
  const Result<PngInfo> info = check_png(MemorySource(whole));
  fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
  ck_assert_int_eq(info->width, 48);
  ck_assert_int_eq(info->height, 24);
  fail_unless(!info->transparent && info->bits == 8);
  for (size_t cut = 0; cut < whole.size(); ++cut)
    expect_refused(check_png(MemorySource(std::span(whole).first(cut))));
  // Every bit is under some check sum, or part of the frame of chunks.
  for (size_t place = 0; place < whole.size(); ++place) {
    Bytes flipped = whole;
    flipped[place] ^= 0x20;
    expect_refused(check_png(MemorySource(flipped)));
  }
  Bytes longer = whole;
  longer.push_back(0);
  const Result<PngInfo> trailed = check_png(MemorySource(longer));
  fail_unless(bool(trailed));
  ck_assert_int_eq(trailed->trailing, 1);

  const Bytes alpha = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=RGBA,width=48,height=24 ! pngenc ! "
      "filesink location=%s");
  const Result<PngInfo> alpha_info = check_png(MemorySource(alpha));
  fail_unless(bool(alpha_info) && alpha_info->transparent);
}
GST_END_TEST

GST_START_TEST(test_png_hostile) {
  Bytes bytes = small_png();
  put32(&bytes, 8, 0x7fffffff);
  expect_refused(check_png(MemorySource(bytes)));
  put32(&bytes, 8, 0xffffffff);
  expect_refused(check_png(MemorySource(bytes)));
}
GST_END_TEST

static void check_whole_movie(const Bytes& whole) {
  const Result<IsoFile> file = check_isobmff(MemorySource(whole));
  fail_unless(bool(file), "%s", file ? "" : file.error().message.c_str());
  const Track* video = file->first("vide");
  fail_unless(video != nullptr && file->first("soun") == nullptr);
  ck_assert_int_eq(video->width, 32);
  ck_assert_int_eq(video->height, 16);
  ck_assert_int_eq(video->samples, 5);
  fail_unless(video->timescale > 0 && !video->rotated && !video->codec.empty());
  ck_assert_int_eq(file->trailing, 0);
}

GST_START_TEST(test_movie) {
  for (const char* mux : {"qtmux", movie_first}) {
    const Bytes whole = small_mp4(mux);
    check_whole_movie(whole);
    for (size_t cut = 0; cut < whole.size(); ++cut) {
      const Result<IsoFile> file = check_isobmff(MemorySource(std::span(whole).first(cut)));
      fail_unless(!file, "%s cut to %zu of %zu bytes was taken for whole", mux, cut, whole.size());
    }
    Bytes longer = whole;
    longer.insert(longer.end(), 100, 0);
    const Result<IsoFile> trailed = check_isobmff(MemorySource(longer));
    fail_unless(bool(trailed));
    ck_assert_int_eq(trailed->trailing, 100);
  }
}
GST_END_TEST

GST_START_TEST(test_movie_in_fragments) {
  const Bytes whole = small_mp4(fragmented);
  check_whole_movie(whole);
  fail_unless(check_isobmff(MemorySource(whole))->fragmented);
  // A cut between two fragments can not be noticed. Any other cut is refused, or takes only bytes
  // without samples.
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    const Result<IsoFile> file = check_isobmff(MemorySource(std::span(whole).first(cut)));
    fail_unless(!file || file->trailing < 8);
  }
}
GST_END_TEST

/// A file in which the first boxes of these types, one inside the other, grew by what is put at the
/// end of the last.
static Bytes grown(const Bytes& whole, std::initializer_list<const char*> holders,
                   const Bytes& more, size_t before_end = 0) {
  Bytes bytes = whole;
  size_t end = 0;
  for (const char* holder : holders) {
    const size_t at = find_box(bytes, holder) - 8;
    uint32_t size = 0;
    for (int i = 0; i < 4; ++i) size = size << 8 | bytes[at + i];
    end = at + size;
    put32(&bytes, at, size + static_cast<uint32_t>(more.size()));
  }
  bytes.insert(bytes.begin() + static_cast<long>(end - before_end), more.begin(), more.end());
  return bytes;
}

static Bytes box_of(const char* type, const Bytes& content) {
  Bytes box;
  append32(&box, static_cast<uint32_t>(content.size() + 8));
  box.insert(box.end(), type, type + 4);
  box.insert(box.end(), content.begin(), content.end());
  return box;
}

GST_START_TEST(metadata_of_360_movies) {
  // The index follows the samples, so that the samples do not move when the index grows.
  const Bytes whole = small_mp4("qtmux");
  const auto says = [](const Bytes& bytes) {
    const Result<IsoFile> file = check_isobmff(MemorySource(bytes));
    fail_unless(bool(file), "%s", file ? "" : file.error().message.c_str());
    return file->first("vide")->spherical;
  };
  fail_if(says(whole));
  const Bytes id = {0xff, 0xcc, 0x82, 0x63, 0xf8, 0x55, 0x4a, 0x93,
                    0x88, 0x14, 0x58, 0x7a, 0x02, 0x52, 0x1f, 0xdd};
  const auto first_form = [&](Bytes content, const std::string& text) {
    content.insert(content.end(), text.begin(), text.end());
    return says(grown(whole, {"moov", "trak"}, box_of("uuid", content)));
  };
  const std::string spherical = "<GSpherical:Spherical>true</GSpherical:Spherical>";
  fail_unless(first_form(id, spherical));
  fail_unless(first_form(id, spherical + "<GSpherical:Stitched>true</GSpherical:Stitched>"));
  fail_if(first_form(id, spherical + "<GSpherical:Stitched>false</GSpherical:Stitched>"));
  fail_if(first_form(id, "<GSpherical:Spherical>false</GSpherical:Spherical>"));
  fail_if(first_form(Bytes(16, 0), spherical));
  fail_if(first_form(Bytes(5, 0xff), ""));

  const auto second_form = [&](const char* outer, const char* inner, const char* projection) {
    const Bytes entry = box_of(outer, box_of(inner, box_of(projection, Bytes(20, 0))));
    // qtmux ends the list by four zero bytes.
    return says(grown(whole, {"moov", "trak", "mdia", "minf", "stbl", "stsd", "jpeg"}, entry, 4));
  };
  fail_unless(second_form("sv3d", "proj", "equi"));
  fail_unless(second_form("sv3d", "proj", "cbmp"));
  // A mesh may describe fisheyes.
  fail_if(second_form("sv3d", "proj", "mshp"));
  fail_if(second_form("sv3d", "prox", "equi"));
  fail_if(second_form("st3d", "proj", "equi"));
}
GST_END_TEST

GST_START_TEST(test_movie_hostile) {
  const Bytes whole = small_mp4("qtmux");
  const auto with = [&](const char* box, size_t offset, uint32_t value) {
    Bytes bytes = whole;
    put32(&bytes, find_box(whole, box) + offset, value);
    expect_refused(check_isobmff(MemorySource(bytes)));
  };
  // More samples, chunks or runs than the table has; chunks outside the file; empty chunks.
  with("stsz", 8, 0x7fffffff);
  with("stsz", 8, 0xffffffff);
  with("stco", 4, 0xffffffff);
  with("stco", 8, 0xfffffff0);
  with("stsc", 4, 0xffffffff);
  with("stsc", 12, 0);
  with("stsc", 8, 7);
  // One size for all, far too large.
  with("stsz", 4, 0x7fffffff);
  // A box that is longer than the file, or shorter than its own head.
  for (const uint32_t size : {0u, 7u, 0x7fffffffu}) {
    Bytes bytes = whole;
    put32(&bytes, find_box(whole, "trak") - 8, size);
    expect_refused(check_isobmff(MemorySource(bytes)));
  }
  // Two indexes.
  const size_t movie = find_box(whole, "moov") - 8;
  Bytes twice = whole;
  twice.insert(twice.end(), whole.begin() + static_cast<long>(movie), whole.end());
  expect_refused(check_isobmff(MemorySource(twice)));
}
GST_END_TEST

GST_START_TEST(test_avi) {
  const Bytes whole = small_avi();
  const Result<AviFile> info = check_avi(MemorySource(whole));
  fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
  ck_assert_int_eq(info->trailing, 0);
  fail_unless(sniff(MemorySource(whole)) == Kind::avi);
  for (size_t cut = 0; cut < whole.size(); ++cut)
    expect_refused(check_avi(MemorySource(std::span(whole).first(cut))));
  Bytes longer = whole;
  longer.insert(longer.end(), 100, 0x55);
  ck_assert_int_eq(check_avi(MemorySource(longer))->trailing, 100);
  // Switched off while recording: the sizes were never written.
  Bytes open_end = whole;
  std::fill_n(open_end.begin() + 4, 4, uint8_t{0});
  expect_refused(check_avi(MemorySource(open_end)));
  // A part that is longer than the one it is in.
  Bytes long_part = whole;
  std::fill_n(long_part.begin() + 16, 3, uint8_t{0xff});
  expect_refused(check_avi(MemorySource(long_part)));
}
GST_END_TEST

GST_START_TEST(test_webp) {
  for (const char* options : {"", "lossless=true"}) {
    const Bytes whole = small_webp(options);
    const Result<WebpInfo> info = check_webp(MemorySource(whole));
    fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
    ck_assert_int_eq(info->width, 48);
    ck_assert_int_eq(info->height, 24);
    ck_assert_int_eq(info->orientation, 1);
    ck_assert_int_eq(info->length, whole.size());
    fail_if(info->animated || info->spherical);
    for (size_t cut = 0; cut < whole.size(); ++cut)
      expect_refused(check_webp(MemorySource(std::span(whole).first(cut))));
    Bytes longer = whole;
    longer.insert(longer.end(), 7, 0);
    ck_assert_int_eq(check_webp(MemorySource(longer))->trailing, 7);

    // With a part behind the picture: size and content.
    const auto with = [&](const char* type, const std::string& content) {
      Bytes bytes = whole;
      const auto put = [&](size_t place, size_t value) {
        for (int i = 0; i < 4; ++i) bytes[place + i] = static_cast<uint8_t>(value >> (8 * i));
      };
      bytes.insert(bytes.end(), type, type + 4);
      bytes.insert(bytes.end(), 4, 0);
      put(bytes.size() - 4, content.size());
      bytes.insert(bytes.end(), content.begin(), content.end());
      if (content.size() & 1) bytes.push_back(0);
      put(4, bytes.size() - 8);
      return bytes;
    };
    fail_unless(check_webp(MemorySource(with("XMP ", sphere_packet(true))))->spherical);
    fail_if(check_webp(MemorySource(with("JUNK", sphere_packet(true))))->spherical);
    const std::string turned("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", 26);
    const Bytes exif = with("EXIF", turned);
    ck_assert_int_eq(check_webp(MemorySource(exif))->orientation, 6);
    ck_assert_int_eq(check_webp(MemorySource(exif))->exif_length, turned.size());
    // Moving pictures are told as such.
    expect_refused(
        check_webp(MemorySource(with("VP8X", std::string("\x02\0\0\0\0\0\0\0\0\0", 10)))));
  }
}
GST_END_TEST

GST_START_TEST(test_tiff) {
  const Bytes whole = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=48,height=24 ! "
      "avenc_tiff compression-algo=raw ! filesink location=%s");
  const Result<TiffInfo> info = check_tiff(MemorySource(whole));
  fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
  ck_assert_int_eq(info->width, 48);
  ck_assert_int_eq(info->height, 24);
  ck_assert_int_eq(info->bits, 8);
  fail_if(info->spherical || is_dng(MemorySource(whole)));
  // Cut in the directory, which is behind the pixels.
  for (size_t cut = 0; cut < 48 * 24 * 3; ++cut)
    expect_refused(check_tiff(MemorySource(std::span(whole).first(cut))));
  // Without a picture for viewing, it is no DNG that can be read.
  expect_refused(check_dng(MemorySource(whole)));
}
GST_END_TEST

GST_START_TEST(test_dng) {
  const Bytes jpeg = small_jpeg();
  // Two pictures for viewing, the larger one in the second directory.
  const Bytes large = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=96,height=48 ! jpegenc ! "
      "filesink location=%s");
  const auto directory = [](Bytes* bytes, uint32_t offset, uint32_t length, uint32_t next) {
    const uint32_t entries[][4] = {
        {0x0103, 3, 1, 7}, {0x0111, 4, 1, offset}, {0x0117, 4, 1, length}, {0xc612, 1, 4, 0x401}};
    const auto put = [&](uint32_t value, int size) {
      for (int i = 0; i < size; ++i) bytes->push_back(static_cast<uint8_t>(value >> (8 * i)));
    };
    put(4, 2);
    for (const auto& entry : entries) {
      put(entry[0], 2);
      put(entry[1], 2);
      put(entry[2], 4);
      put(entry[3], 4);
    }
    put(next, 4);
  };
  constexpr uint32_t begin = 8, size = 2 + 4 * 12 + 4;
  Bytes whole = {'I', 'I', '*', 0, begin, 0, 0, 0};
  const auto first = begin + 2 * size, second = first + static_cast<uint32_t>(jpeg.size());
  directory(&whole, first, static_cast<uint32_t>(jpeg.size()), begin + size);
  directory(&whole, second, static_cast<uint32_t>(large.size()), 0);
  whole.insert(whole.end(), jpeg.begin(), jpeg.end());
  whole.insert(whole.end(), large.begin(), large.end());
  fail_unless(is_dng(MemorySource(whole)));
  const Result<DngInfo> info = check_dng(MemorySource(whole));
  fail_unless(bool(info), "%s", info ? "" : info.error().message.c_str());
  ck_assert_int_eq(info->jpeg.width, 96);
  ck_assert_int_eq(info->preview.offset, second);
  ck_assert_int_eq(info->preview.length, large.size());
  // Where the larger one is cut off, the smaller one is taken.
  const Result<DngInfo> rest = check_dng(MemorySource(std::span(whole).first(whole.size() - 1)));
  fail_unless(rest && rest->jpeg.width == 48);
  for (size_t cut = 0; cut < second; ++cut)
    expect_refused(check_dng(MemorySource(std::span(whole).first(cut))));
}
GST_END_TEST

GST_START_TEST(test_noise) {
  // Random changes: each gives an answer, and (for sanitizers) no access outside the bytes.
  std::mt19937 random(1);
  const Bytes files[] = {small_jpeg(),          small_png(), small_mp4("qtmux"),
                         small_mp4(fragmented), small_avi(), small_webp("lossless=true")};
  size_t answers = 0;
  for (const Bytes& whole : files) {
    for (int round = 0; round < 2000; ++round) {
      Bytes bytes = whole;
      for (int i = 0; i < 1 + round % 8; ++i)
        bytes[random() % bytes.size()] = static_cast<uint8_t>(random() % 3 ? random() : 0xff);
      const MemorySource source(bytes);
      sniff(source);
      const bool whole_jpeg(check_jpeg(source)), whole_png(check_png(source)),
          whole_movie(check_isobmff(source)), whole_avi(check_avi(source)),
          whole_webp(check_webp(source));
      // The first bytes of the formats differ, so no file has two of them.
      fail_unless(whole_jpeg + whole_png + whole_movie + whole_avi + whole_webp <= 1);
      ++answers;
    }
  }
  ck_assert_int_eq(answers, 12000);
}
GST_END_TEST

GST_START_TEST(test_sniff) {
  fail_unless(sniff(MemorySource(small_jpeg())) == Kind::jpeg);
  fail_unless(sniff(MemorySource(small_png())) == Kind::png);
  fail_unless(sniff(MemorySource(small_mp4("qtmux"))) == Kind::isobmff);
  const Bytes empty, text = {'H', 'e', 'l', 'l', 'o', ',', ' ', 'w', 'o', 'r', 'l', 'd', '!'};
  const Bytes heif = {0, 0, 0, 16, 'f', 't', 'y', 'p', 'h', 'e', 'i', 'c', 0, 0, 0, 0};
  fail_unless(sniff(MemorySource(empty)) == Kind::unknown);
  fail_unless(sniff(MemorySource(text)) == Kind::unknown);
  fail_unless(sniff(MemorySource(heif)) == Kind::heif);
}
GST_END_TEST

static Suite* media_suite() {
  Suite* suite = suite_create("media");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_byte_reader);
  tcase_add_test(tcase, test_jpeg);
  tcase_add_test(tcase, test_jpeg_orientation);
  tcase_add_test(tcase, metadata_of_360_pictures);
  tcase_add_test(tcase, test_jpeg_hostile);
  tcase_add_test(tcase, test_png);
  tcase_add_test(tcase, test_png_hostile);
  tcase_add_test(tcase, test_movie);
  tcase_add_test(tcase, test_movie_in_fragments);
  tcase_add_test(tcase, metadata_of_360_movies);
  tcase_add_test(tcase, test_movie_hostile);
  tcase_add_test(tcase, test_avi);
  tcase_add_test(tcase, test_webp);
  tcase_add_test(tcase, test_tiff);
  tcase_add_test(tcase, test_dng);
  tcase_add_test(tcase, test_noise);
  tcase_add_test(tcase, test_sniff);
  return suite;
}

GST_CHECK_MAIN(media)
