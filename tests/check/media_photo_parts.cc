// SPDX-License-Identifier: LGPL-2.1-or-later
// What photos tell: it is found, it is taken out without a change of the picture, and positions and
// the marking of a 360 picture are put in.

#include "tests/check/pipeline.h"

#include <cstring>
#include <random>
#include <span>
#include <string_view>

#include "gst/sphere/makers/madv_write.h"
#include "gst/sphere/makers/makers.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/embedded.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/place.h"
#include "gst/sphere/media/png_walk.h"
#include "gst/sphere/media/tiff.h"
#include "gst/sphere/media/tiff_write.h"
#include "gst/sphere/media/xmp.h"
#include "tests/check/photo_builder.h"
#include "tests/fuzz/redacted.h"

using namespace sphere;
using namespace sphere::media;
using sphere::test::made_by;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
bool has(std::span<const uint8_t> bytes, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(text) !=
         std::string_view::npos;
}

Bytes number(uint64_t value, int size, bool little) {
  Bytes bytes;
  for (int i = 0; i < size; ++i)
    bytes.push_back(static_cast<uint8_t>(value >> 8 * (little ? i : size - 1 - i)));
  return bytes;
}
Bytes segment(int marker, const Bytes& content) {
  return Bytes{0xff, static_cast<uint8_t>(marker)} + number(content.size() + 2, 2, false) + content;
}
constexpr std::string_view exif_mark("Exif\0\0", 6);
constexpr std::string_view xmp_mark("http://ns.adobe.com/xap/1.0/\0", 29);

/// A TIFF with one directory, or a further directory that begins at `offset`.
Bytes directory(const std::vector<TiffValue>& values, bool little, uint32_t offset) {
  Bytes head = number(values.size(), 2, little), data;
  const uint64_t data_begin = offset + 2 + 12 * values.size() + 4;
  for (const TiffValue& value : values) {
    head = head + number(value.tag, 2, little) + number(value.type, 2, little) +
           number(value.count, 4, little);
    Bytes field = value.bytes;
    if (field.size() > 4) {
      field = number(data_begin + data.size(), 4, little);
      data = data + value.bytes;
      if (data.size() & 1) data.push_back(0);
    }
    field.resize(4);
    head = head + field;
  }
  return head + number(0, 4, little) + data;
}
TiffValue text(uint16_t tag, std::string_view what) {
  return {tag, 2, static_cast<uint32_t>(what.size()) + 1, bytes_of(what) + Bytes{0}};
}

const Position somewhere{39.9042, -116.4074, 43.5};

/// With a position, a serial number, times, the maker's data and an orientation.
Bytes telling_exif(bool little, std::string_view mark) {
  const std::string name(mark);
  std::vector<TiffValue> first = {
      text(0x010e, name + "description"),   text(0x010f, "Maker"),
      {0x0112, 3, 1, number(6, 2, little)}, text(0x013b, name + "artist"),
      {0x8769, 4, 1, number(0, 4, little)}, {0x8825, 4, 1, number(0, 4, little)}};
  std::vector<TiffValue> more = {text(0x9003, "2020:01:02 03:04:05"),
                                 {0x927c, 7, 40, bytes_of(name + std::string(40, 'm'))},
                                 text(0xa431, name + "serial"),
                                 {0x9000, 7, 4, bytes_of("0232")}};
  std::ranges::sort(more, {}, &TiffValue::tag);
  more[1].bytes.resize(40);
  const auto gps = gps_values(somewhere, 1'577'934'245'000'000, little);
  const Bytes head =
      bytes_of(little ? std::string_view("II*\0", 4) : std::string_view("MM\0*", 4)) +
      number(8, 4, little);
  const auto exif_at = static_cast<uint32_t>(8 + directory(first, little, 8).size());
  const auto gps_at = static_cast<uint32_t>(exif_at + directory(more, little, exif_at).size());
  first[4].bytes = number(exif_at, 4, little);
  first[5].bytes = number(gps_at, 4, little);
  return head + directory(first, little, 8) + directory(more, little, exif_at) +
         directory(gps, little, gps_at);
}

std::string telling_xmp(std::string_view mark) {
  const std::string name(mark);
  return "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
         "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
         "rdf:about='' xmlns:exif='http://ns.adobe.com/exif/1.0/' "
         "xmlns:GPano='http://ns.google.com/photos/1.0/panorama/' "
         "xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' "
         "xmlns:own='urn:own' exif:GPSLatitude='39,54.252N' exif:GPSLongitude='116,24.444W' "
         "GPano:ProjectionType='equirectangular' own:words='" +
         name + "attribute'><own:more>" + name +
         "element</own:more><GPano:FullPanoWidthPixels>48</GPano:FullPanoWidthPixels>"
         "<GPano:PoseHeadingDegrees>123</GPano:PoseHeadingDegrees>"
         "<Iptc4xmpExt:LocationCreated rdf:parseType='Resource'><Iptc4xmpExt:City>" +
         name +
         "city</Iptc4xmpExt:City></Iptc4xmpExt:LocationCreated></rdf:Description></rdf:RDF>"
         "</x:xmpmeta><?xpacket end='w'?>";
}

Bytes plain_jpeg() {
  static const Bytes jpeg = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=48,height=24 ! jpegenc ! "
      "filesink location=%s");
  return jpeg;
}
/// Puts segments behind the picture's begin.
Bytes with_segments(const Bytes& segments) {
  const Bytes jpeg = plain_jpeg();
  return Bytes(jpeg.begin(), jpeg.begin() + 2) + segments + Bytes(jpeg.begin() + 2, jpeg.end());
}
Bytes exif_segment(std::string_view mark) {
  return segment(0xe1, bytes_of(exif_mark) + telling_exif(true, mark));
}

/// The list of one further picture. Its offset is written later.
Bytes mpf_segment(size_t size) {
  const Bytes pictures =
      number(0x030000, 4, true) + Bytes(12) + number(0, 4, true) + number(size, 4, true) + Bytes(8);
  return segment(0xe2, bytes_of({"MPF\0II*\0\x08\0\0\0", 12}) +
                           directory({{0xb000, 7, 4, bytes_of("0100")},
                                      {0xb002, 7, 32, pictures},
                                      {0xb003, 7, 8, bytes_of("SECRET6.")}},
                                     true, 8));
}
/// Where the list says that the further picture is.
size_t second_picture(const Bytes& jpeg) {
  const std::string_view all(reinterpret_cast<const char*>(jpeg.data()), jpeg.size());
  const size_t list = all.find("II*", all.find(std::string_view("MPF\0", 4)));
  const std::span<const uint8_t> tiff = std::span(jpeg).subspan(list);
  const MemorySource source(tiff);
  const Bytes entries = Tiff::open(source)->bytes(*Tiff::open(source)->find(0xb002));
  return list + (entries[24] | entries[25] << 8);
}

/// A JPEG with private data in all known places. The texts begin with SECRET and a number.
Bytes telling_jpeg() {
  const Bytes second = with_segments(exif_segment("SECRET1"));
  const std::string iptc = std::string("8BIM\x04\x04\0\0\0\0\0\x11\x1c\x02\x5a\0\x0c", 17) +
                           "SECRET2_city" + std::string(1, '\0');
  const std::string guid(32, 'A'), extension = telling_xmp("SECRET3");
  Bytes segments = segment(0xe1, bytes_of(exif_mark) + telling_exif(false, "SECRET4"));
  segments = segments + segment(0xe1, bytes_of(xmp_mark) + bytes_of(telling_xmp("SECRET5")));
  segments = segments + segment(0xe1, bytes_of({"http://ns.adobe.com/xmp/extension/\0", 35}) +
                                          bytes_of(guid) + number(extension.size(), 4, false) +
                                          number(0, 4, false) + bytes_of(extension));
  segments = segments +
             segment(0xe2, bytes_of({"ICC_PROFILE\0\1\1", 14}) + test::colour_profile("KEEP_ICC"));
  segments = segments + mpf_segment(second.size());
  segments = segments + segment(0xe5, bytes_of({"RMETA\0SECRET7", 13}));
  segments = segments + segment(0xeb, bytes_of("JP..........jumbc2paSECRET8"));
  segments = segments + segment(0xed, bytes_of({"Photoshop 3.0\0", 14}) + bytes_of(iptc));
  segments = segments + segment(0xf3, bytes_of("SECRET9"));
  segments = segments + segment(0xfe, bytes_of("SECRET10"));
  segments = segments + exif_segment("SECRET11");
  Bytes jpeg = with_segments(segments);
  const size_t wrong = second_picture(jpeg), right = jpeg.size();
  const Bytes offset = number(right - wrong, 4, true);
  const std::string_view all(reinterpret_cast<const char*>(jpeg.data()), jpeg.size());
  const Bytes entry = number(second.size(), 4, true) + Bytes(8);
  const size_t at = all.find({reinterpret_cast<const char*>(entry.data()), entry.size()},
                             all.find(std::string_view("MPF\0", 4)));
  std::ranges::copy(offset, jpeg.begin() + static_cast<ptrdiff_t>(at + 4));
  return jpeg + second + bytes_of("SECRET12");
}

std::string_view scan_of(const Bytes& jpeg) {
  const std::string_view all(reinterpret_cast<const char*>(jpeg.data()), jpeg.size());
  const size_t begin = all.find("\xff\xda"), end = all.find("\xff\xd9", begin);
  return all.substr(begin, end + 2 - begin);
}

Request denied() {
  Request request;
  request.policy = {};
  request.makers = makers::all();
  return request;
}
Examination examined(const Bytes& bytes, const Request& request) {
  Result<Examination> found = examine(MemorySource(bytes), request);
  fail_unless(static_cast<bool>(found), "%s", found ? "" : found.error().message.c_str());
  return std::move(*found);
}
Bytes redacted(const Bytes& bytes, const Request& request) {
  Result<Bytes> made = edited(bytes, examined(bytes, request));
  fail_unless(static_cast<bool>(made));
  return *made;
}
const Part* find_part(const Examination& found, std::string_view path) {
  for (const Part& part : found.parts)
    if (part.path == path) return &part;
  return nullptr;
}

void expect_position(const Bytes& bytes, const Position& wanted) {
  // With everything denied, each position in the file is a trace; there must be one.
  const Examination found = examined(bytes, denied());
  ck_assert_int_ge(static_cast<int>(found.traces.positions.size()), 1);
  for (const Position& position : found.traces.positions) {
    fail_unless(std::abs(position.latitude - wanted.latitude) <= 1e-7, "%.9f", position.latitude);
    fail_unless(std::abs(position.longitude - wanted.longitude) <= 1e-7, "%.9f",
                position.longitude);
  }
}

}  // namespace

GST_START_TEST(forms_of_positions) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> north(-90, 90), east(-180, 180);
  for (int i = 0; i < 10'000; ++i) {
    const Position position{north(random), east(random),
                            i % 2 ? std::optional(12.5) : std::nullopt};
    const auto read = parse_iso6709(iso6709(position));
    fail_unless(read && std::abs(read->latitude - position.latitude) <= 1e-7 &&
                std::abs(read->longitude - position.longitude) <= 1e-7 &&
                read->altitude == position.altitude);
    const auto angle = parse_xmp_angle(xmp_angle(position.longitude, "EW"));
    fail_unless(angle && std::abs(*angle - position.longitude) <= 1e-7);
    for (const bool little : {false, true}) {
      Bytes bytes;
      for (const Rational& part : rational_angle(position.latitude))
        bytes = bytes + number(part.numerator, 4, little) + number(part.denominator, 4, little);
      const auto again = parse_rational_angle(bytes, little);
      fail_unless(again && std::abs(*again - std::abs(position.latitude)) <= 1e-7);
    }
  }
  const auto minutes = parse_iso6709("+3954.252-11624.444/"),
             seconds = parse_iso6709("+395415.12-1162426.64/");
  fail_unless(minutes && std::abs(minutes->latitude - 39.9042) < 1e-6);
  fail_unless(seconds && std::abs(seconds->longitude + 116.4074) < 1e-5);
  for (const char* wrong : {"", "+", "39.9", "+99.0+1.0/", "+1.0", "+1.0+200/"})
    fail_unless(!parse_iso6709(wrong), "%s", wrong);
}
GST_END_TEST

GST_START_TEST(jpeg_with_everything_denied) {
  const Bytes jpeg = telling_jpeg();
  fail_unless(has(jpeg, "SECRET4serial") && has(jpeg, "SECRET12"));
  const Examination found = examined(jpeg, denied());
  for (const char* path : {"Exif/GPS/GPSLatitude", "Exif/BodySerialNumber", "Exif/MakerNote",
                           "second Exif/Artist", "XMP/exif:GPSLatitude", "XMP/own:words",
                           "XMP/own:more", "extended XMP/own:more", "Photoshop/IPTC/2:90", "JUMBF",
                           "comment", "after the picture/picture/Exif/BodySerialNumber"}) {
    const Part* part = find_part(found, path);
    fail_unless(part && part->removed, "%s", path);
  }
  ck_assert_int_eq(static_cast<int>(found.remarks.size()), 1);
  fail_unless(found.remarks[0].find("C2PA") != std::string::npos);
  const auto& names = found.traces.identities;
  fail_unless(std::ranges::find(names, "SECRET4serial") != names.end());

  const Bytes clean = redacted(jpeg, denied());
  fail_unless(!has(clean, "SECRET"));
  fail_unless(has(clean, "KEEP_ICC") && has(clean, "GPano:ProjectionType>equirectangular"));
  fail_unless(!has(clean, "PoseHeading"));
  fail_unless(scan_of(clean) == scan_of(plain_jpeg()));
  const Result<JpegInfo> info = check_jpeg(MemorySource(clean));
  fail_unless(info && info->spherical && info->trailing == 0);
  ck_assert_int_eq(info->orientation, 6);
  test::check_photo(&examine_jpeg, jpeg);
}
GST_END_TEST

GST_START_TEST(what_is_allowed_stays) {
  Request request = denied();
  request.policy = Policy::everything();
  for (const Bytes& whole : {telling_jpeg(), with_segments(exif_segment("SECRET"))}) {
    const Examination found = examined(whole, request);
    fail_unless(!found.changes() && found.traces.positions.empty());
    fail_unless(std::ranges::none_of(found.parts, &Part::removed));
  }
  request.policy = {};
  request.policy.place = true;
  const Bytes placed = redacted(telling_jpeg(), request);
  expect_position(placed, somewhere);
  fail_unless(has(placed, "SECRET5city") && has(placed, "PoseHeading"));
  for (const char* gone : {"SECRET4serial", "SECRET4artist", "2020:01:02", "SECRET5element"})
    fail_unless(!has(placed, gone), "%s", gone);
  request.policy = {};
  request.policy.time = request.policy.identity = true;
  const Bytes named = redacted(telling_jpeg(), request);
  fail_unless(has(named, "SECRET4serial") && has(named, "2020:01:02"));
  fail_unless(!has(named, "SECRET4description") && !has(named, "39,54.252"));
}
GST_END_TEST

GST_START_TEST(photo_of_a_misphere) {
  makers::madv::CameraData data;
  data.lens_table = number(4, 4, true) + bytes_of("\x89PNG\r\n\x1a\n") + Bytes(100, 7);
  data.matrices = {{-1, 0, 0, 0, -1, 0, 0, 0, 1}};
  const auto made = makers::madv::add_to_jpeg(plain_jpeg(), data);
  fail_unless(static_cast<bool>(made));
  // Bytes between the picture and the table.
  Bytes jpeg = *made;
  jpeg.insert(jpeg.end() - static_cast<ptrdiff_t>(data.lens_table.size() + 4), 3, 'x');
  const auto read = [](const Bytes& bytes) {
    const Result<JpegInfo> info = check_jpeg(MemorySource(bytes));
    fail_unless(static_cast<bool>(info));
    return makers::madv::read_jpeg(MemorySource(bytes), *info);
  };
  const Bytes kept = redacted(jpeg, denied());
  const makers::CaptureInfo before = read(*made), after = read(kept);
  fail_unless(before.lens_table == data.lens_table && after.lens_table == data.lens_table);
  fail_unless(after.fisheyes && after.profile == before.profile && after.problems.empty());
  ck_assert_int_eq(static_cast<int>(after.orientations.size()), 1);
  fail_unless(!has(kept, "xxx"));
  // The entry has the count 1, but four bytes.
  const auto fields = [](const Bytes& bytes, uint16_t tag) {
    const Result<JpegInfo> info = check_jpeg(MemorySource(bytes));
    const MemorySource whole(bytes);
    const RangeSource range(whole, info->exif_offset, info->exif_length);
    const Result<Tiff> tiff = Tiff::open(range);
    fail_unless(static_cast<bool>(tiff));
    return tiff->value_field(tag);
  };
  for (const uint16_t tag : {0xa300, 0xa301}) {
    fail_unless(fields(*made, tag).has_value());
    fail_unless(fields(*made, tag) == fields(kept, tag));
  }
  Request request = denied();
  request.policy.stitching = false;
  const makers::CaptureInfo exported = read(redacted(jpeg, request));
  fail_unless(exported.lens_table.empty() && exported.orientations.empty() && !exported.fisheyes);
  test::check_photo(&examine_jpeg, jpeg);
}
GST_END_TEST

GST_START_TEST(byte_swapped_position) {
  // 23/1, 35/1, 3332/100 in the other byte order, as the Mi Sphere wrote it.
  Bytes swapped;
  for (const uint32_t value : {23, 1, 35, 1, 3332, 100})
    swapped = swapped + number(value, 4, false);
  std::vector<TiffValue> gps = {text(1, "N"), {2, 5, 3, swapped}, text(3, "E"), {4, 5, 3, swapped}};
  const Bytes first = directory({{0x8825, 4, 1, number(26, 4, true)}}, true, 8);
  const Bytes tiff = bytes_of({"II*\0\x08\0\0\0", 8}) + first + directory(gps, true, 26);
  const Examination found =
      examined(with_segments(segment(0xe1, bytes_of(exif_mark) + tiff)), denied());
  const double wanted = 23 + 35 / 60.0 + 33.32 / 3600;
  fail_unless(std::ranges::any_of(found.traces.positions, [&](const Position& position) {
    return std::abs(position.latitude - wanted) < 1e-7;
  }));
}
GST_END_TEST

namespace {

Bytes plain_png() {
  return made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=48,height=24 ! pngenc ! "
      "filesink location=%s");
}
Bytes telling_png() {
  const Bytes png = plain_png();
  const auto header = png.begin() + 33;
  return Bytes(png.begin(), header) + png_chunk("tEXt", bytes_of({"Author\0SECRET1", 14})) +
         png_chunk("tIME", Bytes{7, 228, 1, 2, 3, 4, 5}) +
         png_chunk("eXIf", telling_exif(true, "SECRET2")) +
         png_chunk("iTXt", bytes_of({"XML:com.adobe.xmp\0\0\0\0\0", 22}) +
                               bytes_of(telling_xmp("SECRET3"))) +
         png_chunk("orNT", bytes_of("SECRET4")) + Bytes(header, png.end()) + bytes_of("SECRET5");
}
Bytes chunk(std::string_view type, const Bytes& content) {
  Bytes bytes = bytes_of(type) + number(content.size(), 4, true) + content;
  if (content.size() & 1) bytes.push_back(0);
  return bytes;
}
Bytes webp(const Bytes& chunks) {
  return bytes_of("RIFF") + number(chunks.size() + 4, 4, true) + bytes_of("WEBP") + chunks;
}
// The head of a lossless picture of 16 x 8 pixels.
const Bytes webp_pixels = chunk("VP8L", Bytes{0x2f, 0x0f, 0xc0, 1, 0, 0});
Bytes telling_webp() {
  Bytes header(10);
  header[0] = 0x0c;
  header[4] = 15;
  header[7] = 7;
  return webp(chunk("VP8X", header) + webp_pixels + chunk("EXIF", telling_exif(true, "SECRET1")) +
              chunk("XMP ", bytes_of(telling_xmp("SECRET2"))) +
              chunk("OWN.", bytes_of("SECRET3"))) +
         bytes_of("SECRET4");
}
/// With pixels, XMP, a preview that has an Exif of its own, and bytes that no entry refers to.
Bytes telling_tiff(bool little) {
  const Bytes preview = with_segments(exif_segment("SECRET1"));
  const std::string xmp = telling_xmp("SECRET2");
  const Bytes pixels = bytes_of("PIXELS");
  std::vector<TiffValue> first = {{0x00fe, 4, 1, number(0, 4, little)},
                                  {0x0100, 4, 1, number(6, 4, little)},
                                  {0x0101, 4, 1, number(1, 4, little)},
                                  {0x0111, 4, 1, number(0, 4, little)},
                                  {0x0117, 4, 1, number(pixels.size(), 4, little)},
                                  {0x014a, 4, 1, number(0, 4, little)},
                                  {0x02bc, 1, static_cast<uint32_t>(xmp.size()), bytes_of(xmp)},
                                  text(0xc62f, "SECRET3serial"),
                                  {0xc634, 1, 11, bytes_of("SECRET4data")}};
  const Bytes head =
      bytes_of(little ? std::string_view("II*\0", 4) : std::string_view("MM\0*", 4)) +
      number(8, 4, little);
  const size_t begin = 8 + directory(first, little, 8).size();
  first[3].bytes = number(begin, 4, little);
  const auto inner = static_cast<uint32_t>(begin + pixels.size() + 8);
  first[5].bytes = number(inner, 4, little);
  std::vector<TiffValue> second = {{0x0103, 3, 1, number(7, 2, little)},
                                   {0x0111, 4, 1, number(0, 4, little)},
                                   {0x0117, 4, 1, number(preview.size(), 4, little)},
                                   text(0x0132, "2020:01:02 03:04:05")};
  second[1].bytes = number(inner + directory(second, little, inner).size(), 4, little);
  return head + directory(first, little, 8) + pixels + bytes_of("SECRET5.") +
         directory(second, little, inner) + preview;
}

/// A picture in strips, with another value.
Bytes tiff_of(const TiffValue& value, int compression, const std::vector<Bytes>& strips) {
  const auto list = [](const std::vector<size_t>& values) {
    Bytes bytes;
    for (const size_t one : values) bytes = bytes + number(one, 4, true);
    return TiffValue{0, 4, static_cast<uint32_t>(values.size()), bytes};
  };
  std::vector<size_t> offsets(strips.size()), sizes;
  for (const Bytes& strip : strips) sizes.push_back(strip.size());
  Bytes file;
  // The first time, to know how long it is.
  for (int i = 0; i < 2; ++i) {
    TiffValue where = list(offsets), length = list(sizes);
    where.tag = 0x0111;
    length.tag = 0x0117;
    std::vector<TiffValue> values = {{0x0100, 4, 1, number(6, 4, true)},
                                     {0x0101, 4, 1, number(1, 4, true)},
                                     {0x0103, 3, 1, number(compression, 2, true)},
                                     where,
                                     length,
                                     value};
    file = bytes_of({"II*\0\x08\0\0\0", 8}) + directory(values, true, 8);
    for (size_t k = 0; k < strips.size(); ++k) {
      offsets[k] = file.size();
      file = file + strips[k];
    }
  }
  return file;
}

struct Format {
  const char* name;
  test::Reader reader;
  Bytes bytes;
};
std::vector<Format> formats() {
  return {{"JPEG", &examine_jpeg, telling_jpeg()},
          {"PNG", &examine_png, telling_png()},
          {"WebP", &examine_webp, telling_webp()},
          {"TIFF", &examine_tiff, telling_tiff(true)},
          {"TIFF of the other byte order", &examine_tiff, telling_tiff(false)}};
}

}  // namespace

GST_START_TEST(other_formats_with_everything_denied) {
  for (const Format& format : formats()) {
    for (const bool in_place : {false, true}) {
      Request request = denied();
      request.in_place = in_place;
      const Bytes clean = redacted(format.bytes, request);
      fail_unless(!has(clean, "SECRET") && !has(clean, "2020:01:02"), "%s", format.name);
      fail_unless(has(clean, "GPano:ProjectionType>equirectangular"), "%s", format.name);
      fail_unless(!in_place || clean.size() == format.bytes.size());
      fail_unless(redacted(clean, request) == clean, "%s is not the same again", format.name);
    }
    test::check_photo(format.reader, format.bytes);
  }
  const Bytes png = redacted(telling_png(), denied()), plain = plain_png();
  const Result<PngInfo> info = check_png(MemorySource(png));
  fail_unless(info && info->spherical && info->trailing == 0 && info->orientation == 6);
  fail_unless(has(png, {reinterpret_cast<const char*>(plain.data()) + 33, plain.size() - 33 - 12}));
  const Bytes tiff = redacted(telling_tiff(true), denied());
  fail_unless(has(tiff, "PIXELS") && has(tiff, scan_of(plain_jpeg())));
  const Bytes small = redacted(telling_webp(), denied());
  ck_assert_int_eq(small[4] + small[5] * 256, static_cast<int>(small.size()) - 8);
}
GST_END_TEST

GST_START_TEST(positions_and_marks_are_put_in) {
  const Position there{-12.3456789, 179.8765432, -12.5};
  std::vector<Format> all = formats();
  all.push_back({"plain JPEG", &examine_jpeg, plain_jpeg()});
  all.push_back({"plain PNG", &examine_png, plain_png()});
  all.push_back({"plain WebP", &examine_webp, webp(webp_pixels)});
  for (const Format& format : all)
    for (const bool everything : {false, true}) {
      Request request = denied();
      if (everything) request.policy = Policy::everything();
      request.policy.place = true;
      request.position = there;
      request.position_time = 1'600'000'000'000'000;
      request.mark = SphereMark{};
      Bytes made = redacted(format.bytes, request);
      // What is behind the picture, and its second Exif, have positions of their own.
      if (!everything) expect_position(made, there);
      if (everything && format.bytes == telling_jpeg())
        fail_unless(made[second_picture(made)] == 0xff && made[second_picture(made) + 1] == 0xd8);
      const Examination found = examined(made, denied());
      fail_unless(has(made, "WGS-84") && has(made, "2020:09:13"), "%s", format.name);
      for (const char* path : {"XMP/GPano:ProjectionType", "XMP/GPano:CroppedAreaTopPixels",
                               "XMP/GPano:FullPanoHeightPixels", "XMP/exif:GPSLatitude"})
        ck_assert_int_eq(static_cast<int>(std::ranges::count(found.parts, path, &Part::path)), 1);
      if (format.reader == &examine_png)
        fail_unless(static_cast<bool>(check_png(MemorySource(made))));
      request.in_place = true;
      const Result<Examination> refused = examine(MemorySource(format.bytes), request);
      fail_unless(!refused || edited(format.bytes, *refused)->size() == format.bytes.size());
    }
}
GST_END_TEST

GST_START_TEST(hostile_xmp) {
  const auto png_with = [](std::string_view packet) {
    const Bytes png = plain_png();
    return Bytes(png.begin(), png.begin() + 33) +
           png_chunk("iTXt", bytes_of({"XML:com.adobe.xmp\0\0\0\0\0", 22}) + bytes_of(packet)) +
           Bytes(png.begin() + 33, png.end());
  };
  const Result<Examination> large =
      examine(MemorySource(png_with(std::string(100 << 20, ' '))), denied());
  fail_unless(!large && large.error().kind == Error::Kind::unsupported);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  const std::string entities =
      "<!DOCTYPE a [<!ENTITY b 'SECRET'><!ENTITY c SYSTEM 'file:///etc/passwd'>]>" +
      telling_xmp("&b;&c;");
  for (const std::string& packet : {deep, entities, telling_xmp("SECRET").substr(0, 700)}) {
    const Bytes png = png_with(packet);
    const Examination found = examined(png, denied());
    fail_unless(find_part(found, "XMP") && find_part(found, "XMP")->removed);
    fail_unless(redacted(png, denied()) == plain_png());
    Request request = denied();
    request.policy = Policy::everything();
    fail_unless(!examined(png, request).changes());
  }
}
GST_END_TEST

GST_START_TEST(damaged_photos) {
  std::mt19937 random(7);
  for (const Format& format : formats()) {
    int whole = 0;
    for (size_t length = 0; length < format.bytes.size(); length += 37)
      test::check_photo(format.reader, std::span(format.bytes).first(length));
    for (int i = 0; i < 300; ++i) {
      Bytes bytes = format.bytes;
      for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes)
        bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
      test::check_photo(format.reader, bytes);
      whole += static_cast<bool>(format.reader(MemorySource(bytes), denied()));
    }
    // The checksums of a PNG let few damaged files pass.
    fail_unless(whole > 0, "%s", format.name);
  }
}
GST_END_TEST

namespace {

Bytes shared_file(const char* name) {
  g_autofree char* path = g_build_filename(g_getenv("SPHERE_SHARED"), "data", name, nullptr);
  g_autofree char* content = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(path, &content, &size, nullptr)) {
    g_print("skip: ../shared/data/%s is absent\n", name);
    return {};
  }
  return {content, content + size};
}

}  // namespace

GST_START_TEST(shared_photos) {
  const Bytes canary = shared_file("canary-photo.jpg");
  if (!canary.empty()) {
    const Bytes clean = redacted(canary, denied());
    fail_unless(has(canary, "CANARY_") && !has(clean, "CANARY_"));
    fail_unless(has(clean, "GPano:ProjectionType") && !has(clean, "39,54") &&
                !has(clean, "39.904"));
    fail_unless(has(clean, scan_of(Bytes(canary.begin() + 4000, canary.end()))));
    test::check_photo(&examine_jpeg, canary);
  }
  for (const char* name : {"theta-s-raw.jpg", "fisheye-208.jpg"})
    if (const Bytes photo = shared_file(name); !photo.empty()) {
      const Bytes clean = redacted(photo, denied());
      const Result<JpegInfo> before = check_jpeg(MemorySource(photo)),
                             after = check_jpeg(MemorySource(clean));
      fail_unless(before && after && before->width == after->width);
    }
}
GST_END_TEST

GST_START_TEST(forms_of_a_tiff) {
  const Bytes pixels = bytes_of("PIXELS"), secret = bytes_of("SECRET"), jpeg = plain_jpeg();
  const auto value = [](int tag, const Bytes& bytes) {
    return TiffValue{static_cast<uint16_t>(tag), 7, static_cast<uint32_t>(bytes.size()), bytes};
  };
  const auto clean = [&](const TiffValue& one, int compression, const std::vector<Bytes>& strips) {
    return test::check_redacted(&examine_tiff, tiff_of(one, compression, strips), denied());
  };
  constexpr int profile = 0x8773, extra = 0x0152, tables = 0x015b, operations = 0xc740;
  fail_unless(has(clean(value(profile, test::colour_profile("KEEP")), 1, {pixels}), "KEEP"));
  const Bytes told = clean(value(profile, test::colour_profile("KEEP", "SECRET")), 1, {pixels});
  fail_unless(has(told, "KEEP") && !has(told, "SECRET"));
  const Bytes empty = bytes_of({"\xff\xd8\xff\xd9", 4});
  fail_unless(
      has(clean(value(tables, empty), 1, {pixels}), std::string(empty.begin(), empty.end())));
  const Bytes operation =
      number(1, 4, false) + number(14, 4, false) + Bytes(8) + number(4, 4, false);
  fail_unless(has(clean(value(operations, operation + bytes_of("KEEP")), 1, {pixels}), "KEEP"));
  for (const TiffValue& one :
       {value(profile, secret), value(profile, test::colour_profile("KEEP") + secret),
        value(extra, secret), value(tables, empty + secret),
        value(operations, operation + bytes_of("KEEP") + secret),
        value(tables, bytes_of({"\xff\xd8\xff\xfe\0\x08", 6}) + secret + empty)}) {
    const Bytes made = clean(one, 1, {pixels});
    fail_unless(has(made, "PIXELS"));
    fail_if(has(made, "SECRET"), "a value of %04x", one.tag);
  }
  // Each strip is a JPEG.
  const Bytes comment = bytes_of({"\xff\xfe\0\x08", 4}) + secret;
  const Bytes telling =
      Bytes(jpeg.begin(), jpeg.begin() + 2) + comment + Bytes(jpeg.begin() + 2, jpeg.end());
  for (const int compression : {7, 34892}) {
    const Bytes made = clean(value(tables, empty), compression, {jpeg, telling});
    fail_unless(has(made, scan_of(jpeg)));
    fail_if(has(made, "SECRET"), "a comment of compression %d", compression);
  }
  constexpr int jpeg_2000 = 34712;
  fail_unless(clean(value(tables, empty), jpeg_2000, {pixels}).empty());
}
GST_END_TEST

// Values that lie on each other: the TIFF in each of a hundred, and so on.
GST_START_TEST(pictures_that_are_in_themselves) {
  const auto picture_with = [](const Bytes& inner) {
    constexpr size_t count = 100, entry = 12, head_of_thumbnail = 28;
    constexpr uint16_t tag_photoshop = 0x8649;
    const Bytes resource = bytes_of({"8BIM\x04\x0c\0\0", 8}) +
                           number(head_of_thumbnail + inner.size(), 4, false) +
                           Bytes(head_of_thumbnail) + inner + Bytes(inner.size() % 2);
    const size_t behind = 8 + 2 + entry * (count + 2) + 4;
    Bytes file = bytes_of({"II*\0\x08\0\0\0", 8}) + number(count + 2, 2, true);
    for (const int size : {0x0100, 0x0101})
      file = file + number(static_cast<uint64_t>(size), 2, true) + number(4, 2, true) +
             number(1, 4, true) + number(8, 4, true);
    for (size_t i = 0; i < count; ++i)
      file = file + number(tag_photoshop, 2, true) + number(7, 2, true) +
             number(resource.size(), 4, true) + number(behind, 4, true);
    return file + Bytes(4) + resource;
  };
  Bytes file = picture_with({});
  for (int level = 0; level < 4; ++level) file = picture_with(file);
  fail_unless(file.size() < 20'000);
  fail_if(examine_tiff(MemorySource(file), denied()), "it is not refused");
}
GST_END_TEST

static Suite* media_photo_parts_suite() {
  Suite* suite = suite_create("media_photo_parts");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, forms_of_positions);
  tcase_add_test(tests, jpeg_with_everything_denied);
  tcase_add_test(tests, what_is_allowed_stays);
  tcase_add_test(tests, photo_of_a_misphere);
  tcase_add_test(tests, byte_swapped_position);
  tcase_add_test(tests, other_formats_with_everything_denied);
  tcase_add_test(tests, positions_and_marks_are_put_in);
  tcase_add_test(tests, hostile_xmp);
  tcase_add_test(tests, damaged_photos);
  tcase_add_test(tests, shared_photos);
  tcase_add_test(tests, forms_of_a_tiff);
  tcase_add_test(tests, pictures_that_are_in_themselves);
  return suite;
}

GST_CHECK_MAIN(media_photo_parts)
