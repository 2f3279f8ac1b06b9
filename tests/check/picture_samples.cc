// SPDX-License-Identifier: LGPL-2.1-or-later
// What is hidden beside the pictures of a video is replaced, and the pictures are not touched.

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include <gst/check/gstcheck.h>

#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/isobmff_samples.h"
#include "gst/sphere/media/png_walk.h"
#include "tests/check/video_builder.h"

using namespace sphere;
using namespace sphere::media;
using namespace sphere::test;

namespace {

constexpr std::string_view secret = "SECRET";

/// The sample after its edits, before which something else lies in the file. Empty: it is refused.
Bytes after_edits(SampleForm form, const Bytes& sample, const Policy& policy) {
  const Bytes before = zeros(100);
  const Bytes file = join(before, sample);
  const MemorySource source(file);
  SampleSettings settings;
  settings.form = form;
  settings.keeps.policy = policy;
  const std::unique_ptr<SampleEditor> editor = make_sample_editor(source, settings);
  Examination examination;
  SampleReport report;
  const Status done =
      editor->edit_sample(before.size(), sample.size(), &examination.edits, &report);
  if (!done) return {};
  fail_unless(bool(check_edits(source, examination, true)));
  const auto made = edited(file, examination);
  fail_unless(bool(made));
  return {made->begin() + static_cast<std::ptrdiff_t>(before.size()), made->end()};
}

bool has_secret(const Bytes& bytes) {
  return std::search(bytes.begin(), bytes.end(), secret.begin(), secret.end()) != bytes.end();
}

/// Everything but the secret stays, and nothing is left to do.
void check_clean(SampleForm form, const Bytes& sample, const Bytes& expected) {
  fail_unless(has_secret(sample));
  const Bytes clean = after_edits(form, sample, Policy());
  fail_unless(clean == expected);
  fail_unless(after_edits(form, clean, Policy()) == clean);
  fail_unless(after_edits(form, sample, Policy::everything()) == sample);
}
void check_stays(SampleForm form, const Bytes& sample) {
  fail_unless(after_edits(form, sample, Policy()) == sample);
}
void check_refused(SampleForm form, const Bytes& sample) {
  fail_unless(after_edits(form, sample, Policy()).empty());
}

Bytes text() { return bytes_of(secret); }
Bytes zero_text() { return zeros(secret.size()); }

}  // namespace

GST_START_TEST(av1) {
  const auto unit = [](int type, const Bytes& content) {
    return join(Bytes{static_cast<uint8_t>(type << 3 | 2), static_cast<uint8_t>(content.size())},
                content);
  };
  const Bytes padding = unit(15, join(zeros(5), Bytes{0x80}));
  const Bytes frame = unit(6, {0x10, 0x20, 0x30});
  // Of libaom and of SVT: 8 bits, full colours of RGB, grey, 12 bits.
  const std::vector<Bytes> headers = {
      {0x00, 0x00, 0x00, 0x03, 0x2c, 0x1c, 0x4d, 0xaf, 0x90, 0x04},
      {0x20, 0x00, 0x00, 0x03, 0x2c, 0x1c, 0x4d, 0xaf, 0x92, 0x02, 0x1a, 0x00, 0x40},
      {0x00, 0x00, 0x00, 0x03, 0x2c, 0x1c, 0x4d, 0xaf, 0x92, 0xa0},
      {0x40, 0x00, 0x00, 0x03, 0x2c, 0x1c, 0x4d, 0xaf, 0x96, 0x22},
      {0x00, 0x00, 0x00, 0x03, 0x37, 0xff, 0xe0, 0x17, 0xc0, 0x02}};
  for (const Bytes& header : headers) {
    check_stays(SampleForm::av1, join(unit(1, header), frame));
    check_clean(SampleForm::av1, join(unit(1, join(header, text())), frame),
                join(unit(1, join(header, zero_text())), frame));
  }
  const Bytes sequence = unit(1, headers.front());
  const Bytes start = unit(2, {});
  check_stays(SampleForm::av1, join(start, sequence, unit(5, {1, 0, 9, 0, 9}), frame, padding));
  // A delimiter with a content, metadata of a program, lists of tiles, what is reserved, padding.
  for (const int type : {2, 5, 8, 9, 14, 15})
    check_clean(SampleForm::av1, join(start, sequence, unit(type, text()), frame),
                join(start, sequence, padding, frame));
  // The last unit may be without its size.
  check_clean(SampleForm::av1, join(frame, Bytes{15 << 3}, text()),
              join(frame, Bytes{15 << 3}, zeros(5), Bytes{0x80}));
  Bytes cut = join(start, frame);
  cut.pop_back();
  check_refused(SampleForm::av1, cut);
  check_refused(SampleForm::av1, {0x80 | 6 << 3});
}
GST_END_TEST

namespace {

Bytes segment(int marker, const Bytes& content) {
  return join(Bytes{0xff, static_cast<uint8_t>(marker)}, big(content.size() + 2, 2), content);
}

struct TestJpeg {
  Bytes first;  ///< segments behind the begin
  Bytes more;   ///< before the pixels
  Bytes pixels = {1, 2, 0xff, 0, 3, 0xff, 0xd0, 4};
  Bytes end = {0xff, 0xd9};

  Bytes build() const {
    const Bytes table = segment(0xdb, join(Bytes{0}, Bytes(64, 7)));
    const Bytes frame = segment(0xc0, {8, 0, 16, 0, 16, 1, 1, 0x11, 0});
    return join(Bytes{0xff, 0xd8}, first, table, frame, more, segment(0xda, {1, 1, 0, 0, 63, 0}),
                pixels, end);
  }
};

}  // namespace

GST_START_TEST(jpeg) {
  const auto with = [](const auto& change) {
    TestJpeg picture;
    change(&picture);
    return picture.build();
  };
  const auto both = [&](const Bytes& before, const Bytes& after, Bytes TestJpeg::*where) {
    check_clean(SampleForm::jpeg, with([&](TestJpeg* p) { p->*where = before; }),
                with([&](TestJpeg* p) { p->*where = after; }));
  };
  const Bytes avi = segment(0xe0, join(bytes_of("AVI1"), Bytes{1, 0}, zeros(8)));
  check_stays(SampleForm::jpeg, with([&](TestJpeg* p) { p->first = avi; }));
  check_stays(SampleForm::jpeg, with([](TestJpeg* p) { p->end.clear(); }));
  check_stays(SampleForm::jpeg, with([](TestJpeg* p) { p->end = {0xff, 0xff, 0xd9, 0, 0, 0}; }));
  for (const int marker : {0xe0, 0xe1, 0xee, 0xef, 0xfe, 0xc8, 0xf0})
    both(segment(marker, text()), segment(marker, zero_text()), &TestJpeg::first);
  both(join(Bytes{0xff, 0xd9}, text()), join(Bytes{0xff, 0xd9}, zero_text()), &TestJpeg::end);
  // Two fields may be in one sample, and no third one.
  const Bytes field = TestJpeg().build();
  check_stays(SampleForm::jpeg, join(field, zeros(2), field));
  const Bytes third = with([](TestJpeg* p) { p->first = segment(0xfe, text()); });
  check_clean(SampleForm::jpeg, join(field, field, third), join(field, field, zeros(third.size())));
  check_refused(SampleForm::jpeg, with([](TestJpeg* p) {
                  p->more = segment(0xdb, join(Bytes{0}, Bytes(64, 7), text()));
                }));
  check_refused(SampleForm::jpeg, with([](TestJpeg* p) { p->more = text(); }));
  check_refused(SampleForm::jpeg, with([](TestJpeg* p) { p->more = segment(0x30, text()); }));
  check_refused(SampleForm::jpeg, text());
  check_refused(SampleForm::jpeg, join(Bytes{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff}, text()));
}
GST_END_TEST

GST_START_TEST(mpeg) {
  const auto unit = [](int code, const Bytes& content) {
    return join(Bytes{0, 0, 1, static_cast<uint8_t>(code)}, content);
  };
  // A sequence, a picture with its extension, a slice.
  const Bytes begin = join(unit(0xb3, {1, 2, 3}), unit(0, {9, 9}), unit(0xb5, {0x8f, 1}));
  const Bytes slice = unit(1, {0x55, 0, 0, 2, 0x66});
  check_stays(SampleForm::mpeg2, join(begin, slice));
  for (const int code : {0xb2, 0xb0, 0xb1, 0xb6, 0xb9, 0xff})
    check_clean(SampleForm::mpeg2, join(begin, unit(code, text()), slice),
                join(begin, unit(code, zero_text()), slice));
  // A copyright, and an extension that is reserved: their kind is in the first half of a byte.
  for (const uint8_t kind : {0x4f, 0xbf, 0x0f})
    check_clean(SampleForm::mpeg2, join(begin, unit(0xb5, join(Bytes{kind}, text())), slice),
                join(begin, unit(0xb5, join(Bytes{0}, zero_text())), slice));
  check_clean(SampleForm::mpeg2, join(text(), begin, slice), join(zero_text(), begin, slice));
  check_clean(SampleForm::mpeg2, join(begin, slice, unit(0xb2, text())),
              join(begin, slice, unit(0xb2, zero_text())));

  // A group begins at 14:03:27:05, whose seconds are counted in one of two ways; it is closed.
  for (const uint8_t counted : {0, 0x80}) {
    const auto group = [&](uint8_t first, uint8_t second, uint8_t third, uint8_t last) {
      return join(unit(0xb3, {1, 2, 3}),
                  unit(0xb8, {static_cast<uint8_t>(first | counted), second, third, last}), slice);
    };
    const Bytes told = group(0x38, 0x39, 0xb2, 0xc0), untold = group(0, 0x08, 0, 0x40);
    fail_unless(after_edits(SampleForm::mpeg2, told, Policy()) == untold);
    check_stays(SampleForm::mpeg2, untold);
    Policy times;
    times.time = true;
    fail_unless(after_edits(SampleForm::mpeg2, told, times) == told);
  }
  // Without its mark, with more, or with something behind it: zeros there could make another unit.
  for (const Bytes& more : {join(Bytes{0, 0xb2, 0x66, 1}, bytes_of("SECRET")),
                            join(Bytes{0x38, 0x39, 0xb2, 0xdf}, bytes_of("SECRET")),
                            join(Bytes{0x38, 0x39, 0xb2, 0x80, 1, 0xb2}, bytes_of("SECRET"))})
    check_clean(SampleForm::mpeg2, join(unit(0xb8, more), slice),
                join(unit(0xb8, zeros(more.size())), slice));

  const Bytes plane = unit(0xb6, {0x55, 0x66});
  // Of MPEG-4, the times of the pictures are counted from it.
  check_stays(SampleForm::mpeg4, join(unit(0xb0, {1}), unit(0xb3, {0x70, 0x76, 0xc0}), plane));
  check_stays(SampleForm::mpeg4, join(unit(0xb0, {1}), unit(0x20, {4, 5}), plane));
  for (const int code : {0xb2, 0x30, 0xaf, 0xc3})
    check_clean(SampleForm::mpeg4, join(unit(code, text()), plane),
                join(unit(code, zero_text()), plane));
  // Decoders need to know about errors of some encoders.
  for (const std::string_view mark : {"XviD0069", "DivX503b1393p", "Lavc59.37.100"})
    check_stays(SampleForm::mpeg4, join(unit(0xb2, bytes_of(mark)), plane));
  check_clean(SampleForm::mpeg4, join(unit(0xb2, bytes_of("XviD0069 SECRET")), plane),
              join(unit(0xb2, zeros(15)), plane));
  // The short form, as in H.263, has no units.
  check_stays(SampleForm::mpeg4, {0, 0, 0x82, 0x12, 0x34});
}
GST_END_TEST

GST_START_TEST(prores) {
  const auto picture = [](std::string_view encoder, const Bytes& more) {
    const Bytes head = join(bytes_of("icpf"), big(148, 2), big(0, 2), bytes_of(encoder));
    const Bytes pixels(200, 0x5a);
    return join(big(4 + head.size() + pixels.size()), head, pixels, more);
  };
  check_stays(SampleForm::prores, picture("apl0", zeros(3)));
  check_clean(SampleForm::prores, picture("apl0", text()), picture("apl0", zero_text()));
  fail_unless(after_edits(SampleForm::prores, picture("arri", {}), Policy()) ==
              picture("apl0", {}));
  Bytes larger = picture("apl0", {});
  larger[3] = static_cast<uint8_t>(larger[3] + 1);
  check_refused(SampleForm::prores, larger);
  check_refused(SampleForm::prores, text());
}
GST_END_TEST

GST_START_TEST(vc3) {
  constexpr size_t rows = 4, size = 0x280;
  const auto unit = [](bool interlaced, size_t at, const Bytes& what) {
    Bytes head(size);
    const Bytes start = {0, 0, 2, 0x80, 1, static_cast<uint8_t>(interlaced ? 2 : 1), 0x80, 0xa0};
    std::ranges::copy(start, head.begin());
    head[0x2b] = 0xe4;
    head[0x5f] = 1;
    head[0x16d] = rows;
    std::ranges::copy(what, head.begin() + static_cast<std::ptrdiff_t>(at));
    return join(head, Bytes(300, 0x5a), Bytes{0x60, 0x0d, 0xc0, 0xde});
  };
  check_stays(SampleForm::vc3, unit(false, 0x2c, {0x80}));
  for (const size_t at : {0x08, 0x2d, 0x60, 0x100, 0x180, 0x200})
    check_clean(SampleForm::vc3, unit(false, at, text()), unit(false, at, zero_text()));
  // Both fields.
  check_clean(SampleForm::vc3, join(unit(true, 0x60, {}), unit(true, 0x60, text())),
              join(unit(true, 0x60, {}), unit(true, 0x60, zero_text())));
  check_refused(SampleForm::vc3, text());
  Bytes wrong = unit(false, 0, {});
  wrong[0x16c] = 1;  // more rows than have room
  check_refused(SampleForm::vc3, wrong);
}
GST_END_TEST

GST_START_TEST(dv) {
  const auto block = [](int section, size_t at, const Bytes& what) {
    Bytes bytes(80, 0xff);
    bytes[0] = static_cast<uint8_t>(section << 5 | 0x1f);
    bytes[1] = bytes[2] = 7;
    std::ranges::copy(what, bytes.begin() + static_cast<std::ptrdiff_t>(at));
    return bytes;
  };
  const Bytes pixels = block(4, 3, bytes_of("pixels"));
  const Bytes sound = block(3, 3, join(Bytes{0x50, 1, 2, 3, 4}, bytes_of("sound")));
  const Bytes source = block(2, 3, {0x60, 1, 2, 3, 4});
  check_stays(SampleForm::dv,
              join(block(0, 3, {0x3f, 0x78}), block(1, 3, {0xb0}), source, sound, pixels));
  // When it was recorded, and by which camera.
  const auto goes = [&](int section, size_t at, const Bytes& record) {
    check_clean(SampleForm::dv, join(block(section, at, record), pixels),
                join(block(section, at, Bytes(record.size(), 0xff)), pixels));
  };
  goes(0, 20, text());
  goes(1, 60, text());
  goes(2, 3 + 15 * 5 - 6, text());
  for (const int section : {1, 2, 3}) {
    const Bytes date = join(Bytes{0x62}, bytes_of("1999"));
    const size_t at = section == 1 ? 6 : 3;
    fail_unless(after_edits(SampleForm::dv, block(section, at, date), Policy()) ==
                block(section, at, Bytes(5, 0xff)));
  }
  // The sound is in the pictures' track.
  Policy silent;
  silent.sound_tracks = false;
  fail_unless(after_edits(SampleForm::dv, join(sound, pixels), silent) ==
              join(block(3, 3, join(Bytes{0x50, 1, 2, 3, 4}, zeros(72))), pixels));
  check_refused(SampleForm::dv, join(pixels, text()));
}
GST_END_TEST

GST_START_TEST(png) {
  const Bytes start = bytes_of("\x89PNG\r\n\x1a\n");
  const Bytes header = png_chunk("IHDR", join(big(1), big(1), Bytes{8, 0, 0, 0, 0}));
  // One row of one grey pixel, packed by zlib.
  const Bytes pixels = png_chunk("IDAT", Bytes{0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1});
  const Bytes end = png_chunk("IEND", {});
  check_stays(SampleForm::png, join(start, header, pixels, end));
  const Bytes sample =
      join(start, header, png_chunk("tEXt", bytes_of("SECRET\1SECRET")), pixels, end, text());
  const Bytes clean = after_edits(SampleForm::png, sample, Policy());
  fail_unless(clean.size() == sample.size() && !has_secret(clean));
  fail_unless(std::search(clean.begin(), clean.end(), pixels.begin(), pixels.end()) != clean.end());
  check_stays(SampleForm::png, clean);
  check_refused(SampleForm::png, join(start, header, text()));
}
GST_END_TEST

static Suite* picture_samples_suite(void) {
  Suite* suite = suite_create("picture_samples");
  TCase* tc = tcase_create("general");
  suite_add_tcase(suite, tc);
  tcase_add_test(tc, av1);
  tcase_add_test(tc, jpeg);
  tcase_add_test(tc, mpeg);
  tcase_add_test(tc, prores);
  tcase_add_test(tc, vc3);
  tcase_add_test(tc, dv);
  tcase_add_test(tc, png);
  return suite;
}

GST_CHECK_MAIN(picture_samples)
