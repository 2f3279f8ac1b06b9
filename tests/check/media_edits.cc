// SPDX-License-Identifier: LGPL-2.1-or-later
// Edits of a file are carried out exactly, and the search for traces finds what must not be there.

// check defines `fail` as a macro, so the standard library comes first.
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>

#include <unistd.h>

#include <gst/check/gstcheck.h>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/media/edits.h"
#include "gst/sphere/media/trace_search.h"

using namespace sphere;
using namespace sphere::media;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

std::string apply(const char* before, std::vector<Edit> edits) {
  Examination examination;
  examination.edits = std::move(edits);
  const Bytes bytes = bytes_of(before);
  const Result<Bytes> after = edited(bytes, examination);
  return after ? text_of(*after) : "error: " + after.error().message;
}

/// Replaces the second byte of each group of four.
class GroupEdits : public EditReader {
 public:
  explicit GroupEdits(uint64_t size) : size_(size) {}
  Result<std::optional<Edit>> next() override {
    if (next_ >= size_) return std::optional<Edit>();
    Edit edit{next_, 1, {'*'}};
    next_ += 4;
    return std::optional(edit);
  }

 private:
  uint64_t next_ = 1;
  const uint64_t size_;
};

Descriptor temporary_file(const Bytes& bytes) {
  char name[] = "/tmp/sphere-edits-XXXXXX";
  Descriptor descriptor(mkstemp(name));
  fail_unless(static_cast<bool>(descriptor));
  unlink(name);
  fail_unless(write(descriptor.get(), bytes.data(), bytes.size()) ==
              static_cast<ssize_t>(bytes.size()));
  return descriptor;
}

void zero(Bytes* bytes, size_t offset, size_t count) {
  for (size_t i = 0; i < count; ++i) bytes->at(offset + i) = 0;
}

Bytes noise(size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

constexpr Position fix{39.904211, 116.407395, 43.5};

/// `crowded`: among many others, which is another way of searching.
Traces fix_traces(bool crowded = false) {
  Traces traces;
  std::mt19937 random(4);
  std::uniform_real_distribution<double> latitude(-89, 89), longitude(-179, 179);
  while (crowded && traces.positions.size() + 1 < Traces::most)
    traces.add(Position{latitude(random), longitude(random), {}});
  traces.add(fix);
  traces.add_identity(" SN-0012345 ");
  return traces;
}

/// The encoding in which `text` is found between these many bytes of noise, in blocks of `step`
/// bytes; "" if it is not found.
std::string found_encoding(const std::string& text, size_t before, size_t step, size_t after = 1000,
                           bool crowded = false) {
  Bytes bytes = noise(before, 7);
  bytes.insert(bytes.end(), text.begin(), text.end());
  const Bytes more = noise(after, 8);
  bytes.insert(bytes.end(), more.begin(), more.end());
  TraceSearch search(fix_traces(crowded), Policy());
  for (size_t i = 0; i < bytes.size(); i += step) {
    const auto part = std::span(bytes).subspan(i, std::min(step, bytes.size() - i));
    if (const auto found = search.search(part)) {
      fail_unless(found->offset >= before && found->offset < before + text.size());
      return found->encoding;
    }
  }
  return {};
}

template <typename T>
std::string raw(T value, bool big = false) {
  std::string bytes(reinterpret_cast<const char*>(&value), sizeof value);
  return big ? std::string(bytes.rbegin(), bytes.rend()) : bytes;
}

std::string rational(uint32_t value, uint32_t divisor, bool big) {
  return raw(value, big) + raw(divisor, big);
}

std::string exif_fix(bool big) {
  return rational(39, 1, big) + rational(54, 1, big) + rational(15160, 1000, big) +
         rational(116, 1, big) + rational(24, 1, big) + rational(26622, 1000, big);
}

std::string base64(const std::string& text) {
  g_autofree char* coded =
      g_base64_encode(reinterpret_cast<const guchar*>(text.data()), text.size());
  return coded;
}

std::string utf16(const std::string& text) {
  std::string wide;
  for (const char c : text) wide += std::string(1, c) + '\0';
  return wide;
}

void expect(const std::string& is, const char* should) { ck_assert_str_eq(is.c_str(), should); }

}  // namespace

GST_START_TEST(edits_change_exactly_what_they_name) {
  expect(apply("0123456789", {}), "0123456789");
  expect(apply("0123456789", {{0, 2, {}}, {5, 0, {'a', 'b'}}, {9, 1, {'Z'}}}), "234ab5678Z");
  expect(apply("0123456789", {{10, 0, {'!'}}}), "0123456789!");
  fail_unless(apply("0123456789", {{2, 3, {}, true}}) == std::string("01\0\0\0"
                                                                     "56789",
                                                                     10));
  // Edits that overlap or lie outside the file are errors.
  for (const auto& edits : std::vector<std::vector<Edit>>{
           {{2, 4, {}}, {5, 1, {}}}, {{5, 1, {}}, {2, 1, {}}}, {{8, 4, {}}}, {{11, 0, {'x'}}}})
    fail_unless(apply("0123456789", edits).starts_with("error: "));
}
GST_END_TEST

GST_START_TEST(edits_of_samples_are_merged_in_order) {
  Examination examination;
  examination.edits = {{0, 1, {'A', 'A'}}, {6, 2, {}}};
  examination.sample_edits = [] { return std::make_unique<GroupEdits>(10); };
  const Bytes bytes = bytes_of("0123456789");
  const Result<Bytes> after = edited(bytes, examination);
  fail_unless(static_cast<bool>(after));
  expect(text_of(*after), "AA*234*8*");
}
GST_END_TEST

GST_START_TEST(edits_of_a_large_file_are_written_in_blocks) {
  const Bytes bytes = noise(3'300'001, 1);
  Examination examination;
  examination.edits = {{10, 1'500'000, {}, true}, {2'000'000, 100, {1, 2, 3}}};
  Bytes written;
  uint64_t told = 0;
  const Status status = write_edited(
      MemorySource(bytes), examination,
      [&](std::span<const uint8_t> part) {
        written.insert(written.end(), part.begin(), part.end());
        return ok();
      },
      [&](uint64_t done) {
        fail_unless(done > told);
        told = done;
        return true;
      });
  fail_unless(static_cast<bool>(status));
  fail_unless_equals_uint64(told, bytes.size() - 97);
  Bytes expected = bytes;
  zero(&expected, 10, 1'500'000);
  expected.erase(expected.begin() + 2'000'000, expected.begin() + 2'000'100);
  expected.insert(expected.begin() + 2'000'000, {1, 2, 3});
  fail_unless(written == expected);
  // It stops when it is told to, and says so.
  const Status stopped = write_edited(
      MemorySource(bytes), examination, [](std::span<const uint8_t>) { return ok(); },
      [](uint64_t) { return false; });
  fail_unless(!stopped);
  fail_unless(stopped.error().message == edit_stopped().message);
}
GST_END_TEST

/// As `sphere redact --in-place` does it: nothing is written before all edits were checked.
Status edit_in_place(int descriptor, const Source& source, const Examination& examination,
                     const EditProgress& progress = nullptr) {
  const Result<HeldEdits> held = hold_edits(source, examination, progress);
  if (!held) return held.error();
  return write_in_place(descriptor, source, examination, *held, progress);
}

GST_START_TEST(edits_in_place_keep_the_length) {
  const Bytes bytes = noise(2'500'000, 2);
  const Descriptor file = temporary_file(bytes);
  const Result<FileSource> source = FileSource::make(file.get());
  Examination examination;
  examination.edits = {{5, 3, {7, 8, 9}}, {1000, 2'000'000, {}, true}};
  fail_unless(static_cast<bool>(edit_in_place(file.get(), *source, examination)));
  Bytes expected = bytes;
  std::copy_n(std::begin({7, 8, 9}), 3, expected.begin() + 5);
  zero(&expected, 1000, 2'000'000);
  Bytes now(bytes.size());
  fail_unless(source->read_all(0, now));
  fail_unless(now == expected);
  // Another length is refused before anything is written.
  examination.edits = {{5, 3, {1}}};
  fail_unless(!edit_in_place(file.get(), *source, examination));
  fail_unless(source->read_all(0, now));
  fail_unless(now == expected);
}
GST_END_TEST

// Nothing may be written before it is known that everything can be.
GST_START_TEST(edits_in_place_leave_the_file_alone_if_one_is_wrong) {
  const Bytes bytes = noise(800'000, 5);
  const Descriptor file = temporary_file(bytes);
  const Result<FileSource> source = FileSource::make(file.get());
  const auto is_untouched = [&] {
    Bytes now(bytes.size());
    return source->read_all(0, now) && now == bytes;
  };
  // The last one lies over the one before, as a table that says something false makes it.
  Examination examination;
  examination.edits = {{5, 3, {7, 8, 9}}, {1000, 10, {}, true}, {1005, 2, {1, 2}}};
  fail_unless(!edit_in_place(file.get(), *source, examination));
  fail_unless(is_untouched());
  // The same with edits of samples, of which one lies over the edit of a table.
  examination.edits = {{5, 3, {7, 8, 9}}, {100'000, 8, {}, true}};
  examination.sample_edits = [] { return std::make_unique<GroupEdits>(700'000); };
  fail_unless(!edit_in_place(file.get(), *source, examination));
  fail_unless(is_untouched());
  // It is stopped in time, or not at all.
  examination.edits = {{0, 1, {7}}};
  const Status stopped =
      edit_in_place(file.get(), *source, examination, [](uint64_t) { return false; });
  fail_unless(!stopped);
  fail_unless(stopped.error().message == edit_stopped().message);
  fail_unless(is_untouched());
  // More edits than are held in memory are made anew.
  fail_unless(static_cast<bool>(edit_in_place(file.get(), *source, examination)));
  Bytes expected = bytes;
  expected[0] = 7;
  for (size_t i = 1; i < 700'000; i += 4) expected[i] = '*';
  Bytes now(bytes.size());
  fail_unless(source->read_all(0, now));
  fail_unless(now == expected);
}
GST_END_TEST

GST_START_TEST(a_planned_file_is_what_it_will_be) {
  const Bytes bytes = noise(100'000, 12);
  const MemorySource source(bytes);
  Examination examination;
  examination.edits = {{0, 3, {7, 8, 9}}, {50, 1000, {}, true}, {99'990, 10, {}, true}};
  const Result<HeldEdits> held = hold_edits(source, examination);
  fail_unless(held && held->complete);
  const EditedSource planned(source, held->edits);
  fail_unless_equals_uint64(planned.size(), bytes.size());
  const Result<Bytes> expected = edited(bytes, examination);
  std::mt19937 random(13);
  for (int round = 0; round < 2000; ++round) {
    Bytes part(random() % 2000);
    const uint64_t at = round % 2 ? random() % 2000 : random() % (bytes.size() + 10);
    const size_t got = planned.read(at, part);
    Bytes plain(part.size());
    fail_unless(got == source.read(at, plain));
    fail_unless(std::equal(part.begin(), part.begin() + static_cast<ptrdiff_t>(got),
                           expected->begin() + static_cast<ptrdiff_t>(std::min(
                                                   static_cast<size_t>(at), bytes.size()))));
  }
}
GST_END_TEST

// However a reader jumps about, each byte is searched.
GST_START_TEST(search_keeps_up_with_a_reader) {
  std::mt19937 random(9);
  const Bytes base = noise(901'000, 10);
  for (int round = 0; round < 60; ++round) {
    Bytes bytes(base.begin(), base.begin() + 900'000 + static_cast<ptrdiff_t>(random() % 1000));
    const size_t at = round % 2 ? random() % (bytes.size() - 10) : bytes.size() - 10;
    std::copy_n("SN-0012345", 10, bytes.begin() + static_cast<ptrdiff_t>(at));
    const MemorySource memory(bytes);
    uint64_t told = 0;
    const std::function<bool(uint64_t)> tell = [&](uint64_t done) {
      fail_unless(done >= told && done <= bytes.size());
      told = done;
      return true;
    };
    SearchedSource source(memory, TraceSearch(fix_traces(), Policy()), tell);
    uint64_t position = 0;
    for (int step = 0; step < 20; ++step) {
      Bytes part(round % 3 ? 1 + random() % 70'000 : 16);
      const size_t got = source.read(position, part);
      fail_unless(std::equal(
          part.begin(), part.begin() + static_cast<ptrdiff_t>(got),
          bytes.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(position, bytes.size()))));
      position = step % 5 == 4 ? random() % bytes.size() : position + got;
    }
    const auto found = source.finish();
    fail_unless(found && found->has_value() && (*found)->offset == at, "round %d", round);
  }
  // It stops when it is told to.
  const Bytes bytes = noise(900'000, 11);
  const MemorySource memory(bytes);
  const std::function<bool(uint64_t)> stop = [](uint64_t) { return false; };
  SearchedSource source(memory, TraceSearch(fix_traces(), Policy()), stop);
  Bytes part(70'000);
  fail_unless(source.read(0, part) == 0 && source.stopped());
  fail_unless(!source.finish());
}
GST_END_TEST

GST_START_TEST(search_finds_each_encoding_of_a_position) {
  const double lat = fix.latitude, lon = fix.longitude;
  const std::vector<std::string> forms = {
      raw(lat),
      raw(lat, true),
      raw(lon),
      raw(lon, true),
      raw(static_cast<float>(lat)) + raw(static_cast<float>(lon)),
      raw(static_cast<int32_t>(lat * 1e7)) + "abcd" + raw(static_cast<int32_t>(lon * 1e7)),
      raw(static_cast<int32_t>(lon * 1e7), true) + raw(static_cast<int32_t>(lat * 1e7), true),
      raw(static_cast<int32_t>(lat * 1e6)) + raw(static_cast<int32_t>(lon * 1e6)),
      raw(static_cast<int32_t>(lon * 65536), true) + raw(static_cast<int32_t>(lat * 65536), true),
      raw(static_cast<int32_t>(lat / 90 * 2147483647), true) +
          raw(static_cast<int32_t>(lon / 180 * 2147483647), true),
      exif_fix(false),
      exif_fix(true),
      "+39.9042+116.4074/",
      "39.904",
      "116.407",
      "lat=39.9042110",
      "39,54.2527N",
      "116,24.4437E",
      "$GPGGA,120000,3954.2527,N,11624.4437,E",
      "39 deg 54' 15.16\"",
      "39\xc2\xb0"
      "54'15\"",
      base64("+39.9042+116.4074/"),
      base64("x+39.9042+116.4074/"),
      base64("xy+39.9042+116.4074/"),
      utf16("39.9042"),
  };
  for (const std::string& form : forms) {
    // At odd and even offsets, at borders of blocks, and at the end of the file, too.
    for (const size_t before : {0, 100, 101, 4092, 4093})
      for (const size_t step : {4096, 1, 2, 3})
        for (const size_t after : {1000, 0})
          fail_if(found_encoding(form, before, step, after).empty(), "form %.30s at %zu by %zu",
                  form.c_str(), before, step);
    // Around the border of the pieces that are searched at once.
    for (size_t before = 8192 - 8; before <= 8192 + 4; ++before)
      fail_if(found_encoding(form, before, 20'000).empty(), "form %.30s at %zu", form.c_str(),
              before);
    for (const size_t before : {100, 101})
      fail_if(found_encoding(form, before, 4096, 1000, true).empty(), "form %.30s at %zu",
              form.c_str(), before);
  }
}
GST_END_TEST

GST_START_TEST(search_finds_an_identity) {
  fail_unless(found_encoding("SN-0012345", 50, 4096) == "an identity as text");
  fail_unless(found_encoding(utf16("SN-0012345"), 50, 3) == "an identity as UTF-16");
  for (const char* before : {"", "a", "ab"})
    fail_unless(found_encoding(base64(std::string(before) + "SN-0012345"), 50, 64) ==
                "an identity as base64");
}
GST_END_TEST

Result<std::optional<FoundTrace>> find_traces(const Bytes& bytes, const Traces& traces,
                                              const Policy& policy,
                                              std::span<const Position> allowed = {}) {
  const MemorySource source(bytes);
  const std::function<bool(uint64_t)> no_progress;
  return SearchedSource(source, TraceSearch(traces, policy, allowed), no_progress).finish();
}

GST_START_TEST(search_finds_nothing_by_chance) {
  const Bytes bytes = noise(64 << 20, 3);
  for (const bool crowded : {true, false}) {
    const auto found = find_traces(bytes, fix_traces(crowded), Policy());
    fail_unless(static_cast<bool>(found));
    fail_if(found->has_value(), "%s at %" G_GUINT64_FORMAT,
            found->has_value() ? (*found)->encoding.c_str() : "",
            found->has_value() ? (*found)->offset : 0);
  }
  // One coordinate alone in a short form does not count; both together do.
  const std::string lat = raw(static_cast<int32_t>(fix.latitude * 1e7));
  const std::string lon = raw(static_cast<int32_t>(fix.longitude * 1e7));
  fail_unless(found_encoding(lat, 10, 4096) == "");
  fail_unless(found_encoding(lat + std::string(200, 'x') + lon, 10, 4096) == "");
}
GST_END_TEST

GST_START_TEST(search_obeys_the_policy) {
  Policy place_stays;
  place_stays.place = true;
  fail_unless(TraceSearch(fix_traces(), Policy::everything()).empty());
  const std::string place = "39.904211", name = "SN-0012345";
  const Bytes both = bytes_of(place + name);
  const auto found = find_traces(both, fix_traces(), place_stays);
  fail_unless(found && found->has_value());
  fail_unless_equals_uint64((*found)->offset, place.size());
  // What it found is told without repeating it.
  fail_unless((*found)->encoding.find("0012345") == std::string::npos);
}
GST_END_TEST

// Another position was put in, which has the same degrees and minutes.
GST_START_TEST(search_finds_what_differs_from_what_was_put_in) {
  const auto found = [](double latitude, const std::vector<Position>& allowed) {
    char text[32];
    g_snprintf(text, sizeof text, "%.7f", latitude);
    const Bytes bytes = bytes_of(text + raw(latitude));
    const auto trace = find_traces(bytes, fix_traces(), Policy(), allowed);
    fail_unless(bool(trace));
    return trace->has_value() ? (*trace)->encoding : std::string();
  };
  const double near = fix.latitude + 1e-6;
  fail_unless(found(near, {}) != "");
  fail_unless(found(near, {{near, fix.longitude, {}}}) == "");
  fail_unless(found(fix.latitude, {{near, fix.longitude, {}}}) == "latitude as 64-bit float");
  fail_unless(found(fix.latitude, {{-near, 10, {}}}) != "");
}
GST_END_TEST

static Suite* media_edits_suite() {
  Suite* suite = suite_create("media_edits");
  TCase* tcase = tcase_create("general");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, edits_change_exactly_what_they_name);
  tcase_add_test(tcase, edits_of_samples_are_merged_in_order);
  tcase_add_test(tcase, edits_of_a_large_file_are_written_in_blocks);
  tcase_add_test(tcase, edits_in_place_keep_the_length);
  tcase_add_test(tcase, edits_in_place_leave_the_file_alone_if_one_is_wrong);
  tcase_add_test(tcase, a_planned_file_is_what_it_will_be);
  tcase_add_test(tcase, search_keeps_up_with_a_reader);
  tcase_add_test(tcase, search_finds_each_encoding_of_a_position);
  tcase_add_test(tcase, search_finds_an_identity);
  tcase_add_test(tcase, search_finds_nothing_by_chance);
  tcase_add_test(tcase, search_obeys_the_policy);
  tcase_add_test(tcase, search_finds_what_differs_from_what_was_put_in);
  return suite;
}

GST_CHECK_MAIN(media_edits)
