// SPDX-License-Identifier: LGPL-2.1-or-later
// What HEIC pictures tell is found and taken out, and each item stays where it was.

#include "tests/check/clean_file.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/media/heif_items.h"
#include "tests/check/photo_builder.h"
#include "tests/check/video_builder.h"

using namespace sphere;
using namespace sphere::media;
using namespace sphere::test;

namespace {

struct TestItem {
  std::string type;
  Bytes data;
  std::string name;
  Bytes texts;  ///< after the name
  bool in_idat = false;
};

/// A picture with items; the first one is shown.
struct TestHeif {
  std::vector<TestItem> items;
  std::string brand = "heic";
  Bytes properties;      ///< after the description of the pictures
  Bytes in_meta, more;   ///< boxes in `meta`, and behind all
  Bytes gap;             ///< in the data, behind each item
  Bytes references;      ///< further lists in `iref`
  Bytes more_places;     ///< further boxes `iloc`
  uint8_t property = 2;  ///< the second one of each item; with 0x80 it is needed
  size_t shared = 0;     ///< this item is where the first one is; 0: none

  Bytes build() const {
    // The offsets have always the same size, so that the first round tells how long the head is.
    return make(make(0).first).second;
  }

 private:
  std::pair<uint64_t, Bytes> make(uint64_t begin_of_data) const {
    Bytes entries, places, data, idat;
    for (size_t i = 0; i < items.size(); ++i) {
      const TestItem& item = items[i];
      entries = join(entries, box("infe", big(0x02000000), big(i + 1, 2), big(0, 2),
                                  bytes_of(item.type), bytes_of(item.name), zeros(1), item.texts));
      Bytes& where = item.in_idat ? idat : data;
      uint64_t offset = where.size() + (item.in_idat ? 0 : begin_of_data);
      if (shared && i == shared) offset = begin_of_data;
      places = join(places, big(i + 1, 2), big(item.in_idat ? 1 : 0, 2), big(0, 2), big(1, 2),
                    big(offset), big(item.data.size()));
      where = join(where, item.data, gap);
    }
    // hvcC: one array with one unit.
    const Bytes config = box("hvcC", Bytes{1}, zeros(20), Bytes{3, 1, 0x20}, big(1, 2), big(4, 2),
                             Bytes{0x40, 1, 0x0c, 1});
    Bytes associations;
    for (size_t i = 0; i < items.size(); ++i)
      associations = join(associations, big(i + 1, 2), Bytes{2, 0x81, property});
    const Bytes meta = box(
        "meta", zeros(4),
        box("hdlr", zeros(8), bytes_of("pict"), zeros(12), bytes_of("SECRET"), zeros(1)),
        box("pitm", big(0), big(1, 2)), box("iinf", big(0), big(items.size(), 2), entries),
        box("iloc", big(0x01000000), big(0x4400, 2), big(items.size(), 2), places),
        box("iref", big(0), box("thmb", big(2, 2), big(1, 2), big(1, 2)), references), more_places,
        box("iprp", box("ipco", config, box("ispe", big(0), big(64), big(32)), properties),
            box("ipma", big(0), big(items.size()), associations)),
        box("idat", idat), in_meta);
    const Bytes head = join(box("ftyp", bytes_of(brand), big(0), bytes_of("mif1heic")), meta);
    return {head.size() + 8, join(head, box("mdat", data), more)};
  }
};

/// An Exif with the name of its owner.
Bytes exif() {
  const std::string_view owner("SECRET owner\0", 13);
  return join(big(6), bytes_of(std::string_view("Exif\0\0", 6)),
              bytes_of(std::string_view("II*\0\x08\0\0\0", 8)), Bytes{2, 0},
              // Orientation, Artist.
              Bytes{0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0},
              Bytes{0x3b, 1, 2, 0, 13, 0, 0, 0, 38, 0, 0, 0}, zeros(4), bytes_of(owner));
}
Bytes xmp() {
  return bytes_of(
      "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
      "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' "
      "xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' photoshop:City='SECRET city'/>"
      "</rdf:RDF></x:xmpmeta>");
}
/// A picture of H.265 with a message that tells something before it.
Bytes coded() {
  Bytes message = {39 << 1, 1, 5, static_cast<uint8_t>(16 + 6)};
  message = join(message, bytes_of("0123456789abcdef"), bytes_of("SECRET"), Bytes{0x80});
  return join(nal(message), nal({19 << 1, 1, 0xaf, 0x12, 0x34}));
}

TestHeif telling() {
  TestHeif file;
  const Bytes xmp_type = join(bytes_of("application/rdf+xml"), zeros(1));
  file.items = {
      {"hvc1", coded(), "SECRET picture", {}},
      {"hvc1", coded(), "", {}},
      {"Exif", exif(), "Exif", {}},
      {"mime", xmp(), "", xmp_type},
      {"mime", bytes_of("SECRET notes"), "", join(bytes_of("text/SECRET"), zeros(1))},
      {"abcd", bytes_of("SECRET"), "", {}},
      {"grid", join(Bytes{0, 0, 0, 0, 0, 64, 0, 32}, bytes_of("SECRET")), "", {}, true},
  };
  file.properties = join(
      box("irot", Bytes{1}), box("udes", big(0), bytes_of("SECRET")), box("crtt", big(0), zeros(8)),
      box("auxC", big(0), bytes_of("urn:mpeg:hevc:2015:auxid:1"), zeros(1), bytes_of("SECRET")),
      box("auxC", big(0), bytes_of("urn:SECRET"), zeros(1)), box("colr", bytes_of("profSECRET")),
      box("pixi", big(0), Bytes{3, 8, 8, 8}, bytes_of("SECRET")));
  file.in_meta = join(box("uuid", bytes_of("SECRET4567890123")), box("free", bytes_of("SECRET")));
  file.more = join(box("mpvd", bytes_of("SECRET film")), bytes_of("\1\2\3\4\5\6\7\10SECRET"));
  file.gap = bytes_of("SECRET gap");
  return file;
}

Bytes data_of(const Bytes& file, uint32_t id) {
  const Result<HeifLayout> layout = read_heif(MemorySource(file));
  fail_unless(bool(layout));
  Bytes all;
  for (const ByteRange& extent : layout->item(id)->extents)
    all.insert(all.end(), file.begin() + static_cast<std::ptrdiff_t>(extent.begin),
               file.begin() + static_cast<std::ptrdiff_t>(extent.end));
  return all;
}

}  // namespace

GST_START_TEST(everything_that_tells_goes) {
  const Bytes file = telling().build();
  const Bytes clean = changed(file, removing());
  no_secret(clean);
  fail_unless_equals_uint64(clean.size(), file.size());
  // The pictures stay, with their properties; of Exif, what is useful.
  const Bytes slice = {19 << 1, 1, 0xaf, 0x12, 0x34};
  for (const uint32_t id : {1, 2}) fail_unless(has(data_of(clean, id), slice));
  fail_unless(has(data_of(clean, 3), {0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0}));
  fail_unless(has(clean, bytes_of("urn:mpeg:hevc:2015:auxid:1")));
  fail_unless(has(clean, bytes_of("application/rdf+xml")));
  const Result<HeifLayout> before = read_heif(MemorySource(file));
  const Result<HeifLayout> after = read_heif(MemorySource(clean));
  fail_unless(after && after->properties.size() == before->properties.size());
  fail_unless(after->items.size() == before->items.size());
  fail_unless(changed(clean, removing()) == clean);
  const Result<Examination> again = examine(MemorySource(clean), removing());
  for (const Part& part : again->parts)
    fail_unless(part.part_class == PartClass::useful, "%s: %s", part.path.c_str(),
                part.what.c_str());
}
GST_END_TEST

/// A small picture and an auxiliary one are JPEGs, with an Exif of their own.
GST_START_TEST(pictures_beside_the_picture_are_examined) {
  const Bytes plain = made_by(
      "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=48,height=24 ! jpegenc ! "
      "filesink location=%s");
  const auto segment = [](uint8_t marker, const Bytes& content) {
    return join(Bytes{0xff, marker}, big(content.size() + 2, 2), content);
  };
  const Bytes own = exif(), begin(plain.begin(), plain.begin() + 2);
  const Bytes rest(plain.begin() + 2, plain.end());
  const Bytes jpeg =
      join(begin, segment(0xe1, Bytes(own.begin() + 4, own.end())),
           segment(0xe1, join(bytes_of("http://ns.adobe.com/xap/1.0/"), zeros(1), xmp())),
           segment(0xfe, bytes_of("SECRET comment")), rest);
  TestHeif file = telling();
  const auto first = static_cast<uint32_t>(file.items.size() + 1);
  file.items.push_back({"jpeg", jpeg, "", {}});
  file.items.push_back({"jpeg", jpeg, "", {}});
  file.items.push_back({"mime", jpeg, "", join(bytes_of("image/jpeg"), zeros(1))});
  file.items.push_back({"Exif", own, "", {}});
  file.references = join(file.references, box("thmb", big(first, 2), big(1, 2), big(1, 2)),
                         box("auxl", big(first + 1, 2), big(1, 2), big(1, 2)),
                         box("cdsc", big(first + 3, 2), big(1, 2), big(first, 2)));
  const Bytes clean = changed(file.build(), removing());
  no_secret(clean);
  for (const uint32_t id : {first, first + 1}) fail_unless(has(data_of(clean, id), rest));
  fail_unless(changed(clean, removing()) == clean);
}
GST_END_TEST

GST_START_TEST(colour_profiles_tell_colours) {
  TestHeif file = telling();
  file.properties =
      join(file.properties, box("colr", bytes_of("prof"), colour_profile("KEEP", "SECRET screen")));
  const Bytes whole = file.build(), clean = changed(whole, removing());
  fail_unless_equals_uint64(clean.size(), whole.size());
  no_secret(clean);
  fail_unless(has(clean, "KEEP"));
}
GST_END_TEST

GST_START_TEST(what_is_given_stays) {
  const Bytes file = telling().build();
  fail_unless(changed(file, Request()) == file);
  const Result<Examination> found = examine(MemorySource(file), Request());
  for (const std::string_view what : {"picture", "description", "time of the picture",
                                      "name of an item", "bytes that belong to no item"})
    fail_unless(
        std::ranges::any_of(found->parts, [&](const Part& part) { return part.what == what; }),
        "%.*s", static_cast<int>(what.size()), what.data());
}
GST_END_TEST

GST_START_TEST(what_the_picture_is_made_of_must_stay) {
  TestHeif file = telling();
  file.items[0] = {"grid", {0, 0, 0, 0, 0, 64, 0, 32}, "", {}};
  const auto made_of = [](uint64_t id) { return box("dimg", big(1, 2), big(1, 2), big(id, 2)); };
  file.references = made_of(2);
  fail_unless(refusal(file.build()).empty(), "%s", refusal(file.build()).c_str());
  // A tile in a codec that is not known would be taken out.
  file.references = made_of(6);
  fail_unless(refusal(file.build()).find("abcd") != std::string::npos);
  file.references = join(made_of(2), box("dimg", big(2, 2), big(1, 2), big(6, 2)));
  fail_unless(refusal(file.build()).find("abcd") != std::string::npos);
  // A circle, and an item that is not there.
  file.references = made_of(1);
  fail_unless(refusal(file.build()).empty());
  file.references = made_of(99);
  fail_unless(refusal(file.build()).find("not there") != std::string::npos);
  // Numbers could be letters.
  file.references = join(made_of(2), box("cdsc", big(3, 2), big(3, 2), bytes_of("SECRET")));
  fail_unless(refusal(file.build()).find("not there") != std::string::npos);
  file.references = made_of(2);
  file.in_meta = box("grpl", box("altr", big(0), big(77), big(2), big(1), big(2)));
  fail_unless(refusal(file.build()).empty(), "%s", refusal(file.build()).c_str());
  file.in_meta = box("grpl", box("altr", big(0), big(77), big(2), bytes_of("SECRET78")));
  fail_unless(refusal(file.build()).find("not there") != std::string::npos);

  // A property that is not known goes, but not if the picture can't be shown without it.
  file = telling();
  file.properties = box("abcd", bytes_of("SECRET"));
  file.property = 3;
  no_secret(changed(file.build(), removing()));
  file.property = 0x83;
  fail_unless(refusal(file.build()).find("abcd") != std::string::npos);
  file.property = 99;
  fail_unless(refusal(file.build()).find("not there") != std::string::npos);
}
GST_END_TEST

/// Short files that would need much memory or time.
GST_START_TEST(long_lists_are_refused) {
  TestHeif file = telling();
  Bytes places;
  // Items that are in no list, without pieces.
  for (int i = 0; i < 5000; ++i)
    places = join(places, big(static_cast<uint64_t>(i) + 1000, 2), big(0, 2), big(0, 2), big(0, 2));
  file.more_places = box("iloc", big(0x01000000), big(0x4400, 2), big(5000, 2), places);
  fail_unless(refusal(file.build()).find("too many") != std::string::npos);

  file = telling();
  Bytes list;
  for (int i = 0; i < 1000; ++i) list = join(list, big(1, 2), Bytes{255}, Bytes(255, 2));
  file.in_meta = box("iprp", box("ipma", big(0), big(1000), list));
  fail_unless(refusal(file.build()).find("too many") != std::string::npos);

  file = telling();
  for (int i = 0; i < 20; ++i)
    file.references = join(file.references, box("dimg", big(1, 2), big(1000, 2), Bytes(2000, 1)));
  fail_unless(refusal(file.build()).find("too many") != std::string::npos);
}
GST_END_TEST

/// As exiftool leaves it behind.
GST_START_TEST(descriptions_without_bytes_stay) {
  TestHeif file = telling();
  file.items[2].data.clear();
  file.items[3].data.clear();
  const Bytes clean = changed(file.build(), removing());
  no_secret(clean);
  fail_unless(has(clean, "application/rdf+xml"));
  fail_unless(changed(clean, removing()) == clean);
  file.items[1].data.clear();
  fail_unless(refusal(file.build()).find("picture") != std::string::npos);
}
GST_END_TEST

GST_START_TEST(what_can_not_be_examined_is_refused) {
  const auto with = [](const std::function<void(TestHeif*)>& change) {
    TestHeif file = telling();
    change(&file);
    return refusal(file.build());
  };
  const auto contains = [](const std::string& text, const char* word) {
    fail_unless(text.find(word) != std::string::npos, "%s", text.c_str());
  };
  contains(with([](TestHeif* file) { file->more = box("moov", zeros(8)); }), "sequence");
  contains(with([](TestHeif* file) { file->items[0].type = "vvc1"; }), "vvc1");
  contains(with([](TestHeif* file) { file->shared = 2; }), "overlap");
  contains(with([](TestHeif* file) { file->items[0].data[3] = 200; }), "item 1");
  contains(with([](TestHeif* file) { file->in_meta = box("ipro", zeros(8)); }), "encrypted");
  contains(with([](TestHeif* file) {
             file->in_meta = box("dinf", box("dref", big(0), big(1), box("url ", big(0))));
           }),
           "another file");
  const Bytes whole = telling().build();
  // The film behind the data has 19 bytes, and what is behind it 14.
  for (size_t cut = 0; cut < whole.size() - 33; ++cut)
    fail_if(refusal(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut))).empty(),
            "cut at %zu", cut);
}
GST_END_TEST

static Suite* media_heif_suite(void) {
  Suite* suite = suite_create("media_heif");
  TCase* tc = tcase_create("general");
  suite_add_tcase(suite, tc);
  tcase_add_test(tc, everything_that_tells_goes);
  tcase_add_test(tc, pictures_beside_the_picture_are_examined);
  tcase_add_test(tc, colour_profiles_tell_colours);
  tcase_add_test(tc, what_is_given_stays);
  tcase_add_test(tc, what_the_picture_is_made_of_must_stay);
  tcase_add_test(tc, descriptions_without_bytes_stay);
  tcase_add_test(tc, long_lists_are_refused);
  tcase_add_test(tc, what_can_not_be_examined_is_refused);
  return suite;
}

GST_CHECK_MAIN(media_heif)
