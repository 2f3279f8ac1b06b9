// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of an emulated Mi Sphere are those of a real one, in what is known of them: sizes,
// Exif, boxes, small copies and thumbnails.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/descriptor.h"
#include "gst/sphere/makers/capture.h"
#include "gst/sphere/makers/madv.h"
#include "gst/sphere/makers/madv_write.h"
#include "gst/sphere/media/box.h"
#include "gst/sphere/media/isobmff.h"
#include "gst/sphere/media/part.h"
#include "gst/sphere/media/picture.h"
#include "gst/sphere/media/tiff.h"
#include "gst/sphere/media/tiff_picture.h"
#include "hw/madv/emulator/file_forms.h"
#include "tests/check/emulator_session.h"
#include "tests/check/http.h"
#include "tests/check/same.h"

#include <gst/app/gstappsink.h>
#include <gst/check/gstcheck.h>

using namespace sphere;
using emulator::Card;
using media::Box;
using media::find_box;
using media::MemorySource;
using test::Client;
using test::Emulator;
using test::EmulatorOptions;
using test::Event;
using test::Request;
using test::same;
using test::started;

namespace {

using Bytes = std::vector<uint8_t>;

/// A camera that draws its scene, quickly.
EmulatorOptions drawing() {
  EmulatorOptions options;
  options.preview = false;
  options.make_table = true;
  options.scene.width = 320;
  options.scene.height = 160;
  return options;
}

Bytes file_of(const Emulator& camera, const std::string& camera_path) {
  const std::string path =
      camera.card_folder() + madv::unix_path(camera_path).substr(strlen(madv::card_root));
  g_autofree char* contents = nullptr;
  gsize length = 0;
  fail_unless(g_file_get_contents(path.c_str(), &contents, &length, nullptr), "no %s",
              path.c_str());
  return {contents, contents + length};
}

std::string param_of(const Event& event) { return *event.message->param_text(); }

std::string photo(Client& client) {
  client.call(Request(4864));
  return param_of(client.expect_notification(8193));
}

/// A camera that draws its pictures, and a client of it that is ready; it takes single photos of
/// this size (or raw ones).
struct PhotoCamera {
  explicit PhotoCamera(const char* size) {
    client.expect(Event::Kind::ready);
    client.call(Request(4611, "1"));
    client.call(Request(4872, size));
  }

  const std::unique_ptr<Emulator> camera = started(drawing());
  Client client{*camera};
};

/// Starts a recording, and ends it when it has a second.
std::string video(Client& client) {
  client.call(Request(513, "1"));
  while (client.call(Request(515))->param_number() == 0) {
  }
  client.call(Request(514));
  return param_of(client.expect_notification(8192));
}

/// A directory of Exif of the photo.
struct Exif {
  explicit Exif(const Bytes& file) : whole(file) {
    const auto jpeg = media::check_jpeg(MemorySource(whole));
    fail_unless(bool(jpeg), "%s", jpeg ? "" : jpeg.error().message.c_str());
    info = *jpeg;
    const auto begin = whole.begin() + static_cast<ptrdiff_t>(info.exif_offset);
    bytes.assign(begin, begin + static_cast<ptrdiff_t>(info.exif_length));
    source.emplace(bytes);
    const auto opened = media::Tiff::open(*source);
    fail_unless(bool(opened));
    tiff = *opened;
  }
  std::vector<uint16_t> tags(uint64_t offset) const {
    std::vector<uint16_t> all;
    for (const media::TiffEntry& entry : tiff->directory(offset).entries) all.push_back(entry.tag);
    return all;
  }

  const Bytes whole;
  media::JpegInfo info;
  Bytes bytes;
  std::optional<MemorySource> source;
  std::optional<media::Tiff> tiff;
};

Bytes box_of(const Bytes& file, std::initializer_list<const char*> path) {
  const MemorySource source(file);
  Box box;
  box.end = file.size();
  bool top = true;
  for (const char* type : path) {
    const auto found = find_box(source, box.content, box.end, top, type);
    fail_unless(found.has_value(), "no %s", type);
    box = *found;
    top = false;
  }
  return {file.begin() + static_cast<ptrdiff_t>(box.content),
          file.begin() + static_cast<ptrdiff_t>(box.end)};
}

}  // namespace

GST_START_TEST(photos_have_the_exif_of_a_real_one) {
  const auto camera = started(drawing());
  Client client(*camera);
  client.expect(Event::Kind::ready);
  client.call(Request(4611, "1"));

  const Exif exif(file_of(*camera, photo(client)));
  fail_unless(exif.info.width == 6912 && exif.info.height == 3456);
  same(exif.tiff->text(0x010F), "MADV");
  same(exif.tiff->text(0x0110), "QJXJ01FJ");
  same(exif.tiff->text(0x0131),
       std::string("14079/MJXJ00000000EMUL;") + madv_emulator::firmware_version);
  fail_unless(exif.tiff->text(0x0132).size() == 19);
  fail_unless(exif.tiff->number(0xA002) == 6912u && exif.tiff->number(0xA003) == 3456u);
  using Field = std::array<uint8_t, 4>;
  fail_unless(exif.tiff->value_field(0xA301) == Field({0, 0, 0x59, 0x54}));
  fail_unless(exif.tiff->value_field(0xA300) == Field({0, 0, 0, 0x59}));
  const auto level = makers::madv::read_jpeg(MemorySource(exif.whole), exif.info);
  fail_unless(level.fisheyes && level.orientations.size() == 1 && level.orientations[0]);
  fail_unless(level.lens_table.size() > 100000 && level.problems.empty());

  // As in the real photo whose beginning is known, in every directory.
  const std::vector<media::Tiff> others = exif.tiff->other_directories();
  g_autofree char* path =
      g_build_filename(g_getenv("SPHERE_SHARED"), "data", "misphere-photo-head.jpg", nullptr);
  g_autofree char* head = nullptr;
  gsize length = 0;
  if (g_file_get_contents(path, &head, &length, nullptr)) {
    const MemorySource real({reinterpret_cast<uint8_t*>(head) + 12, length - 12});
    const auto tiff = media::Tiff::open(real);
    fail_unless(bool(tiff));
    const auto types = [](const media::Tiff& of, uint64_t offset) {
      std::vector<std::array<uint32_t, 2>> all;
      for (const media::TiffEntry& entry : of.directory(offset).entries)
        all.push_back({entry.tag, entry.type});
      return all;
    };
    fail_unless(types(*tiff, tiff->first()) == types(*exif.tiff, exif.tiff->first()));
    for (const uint16_t directory : {0x8769, 0x8825, 0xA005})
      fail_unless(types(*tiff, *tiff->number(directory)) ==
                      types(*exif.tiff, *exif.tiff->number(directory)),
                  "directory %04x differs", directory);
    fail_unless(types(*tiff, tiff->directory(tiff->first()).next) ==
                types(*exif.tiff, exif.tiff->directory(exif.tiff->first()).next));
  } else {
    g_print("SKIP: %s is not here\n", path);
  }

  // Without a place, there is only the version of the directory for it.
  fail_unless(exif.tags(*exif.tiff->number(0x8825)) == std::vector<uint16_t>({0}));
  client.call(
      Request(4917).with("lat", "-33.856780").with("lon", "151.215300").with("alt", "58.48"));
  client.call(Request(4872, "1"));
  const Exif placed(file_of(*camera, photo(client)));
  fail_unless(placed.info.width == 3456 && placed.info.height == 1728);
  fail_unless(placed.tags(*placed.tiff->number(0x8825)) ==
              std::vector<uint16_t>({0, 1, 2, 3, 4, 5, 6}));
  // The smaller size is stitched.
  fail_unless(placed.tiff->value_field(0xA301) == Field({0, 0, 0, 0}));
  const auto examined = media::examine(MemorySource(placed.whole), {.policy = media::Policy()});
  fail_unless(bool(examined), "%s", examined ? "" : examined.error().message.c_str());
  fail_unless_equals_int(examined->traces.positions.size(), 1);
  const Position& position = examined->traces.positions.front();
  fail_unless(std::abs(position.latitude + 33.85678) < 1e-5 &&
              std::abs(position.longitude - 151.2153) < 1e-5 &&
              std::abs(position.altitude.value_or(0) - 58.48) < 1e-5);
}
GST_END_TEST;

/// The mean brightness of a photo, 0 to 255.
double brightness(const Bytes& jpeg) {
  gst_init(nullptr, nullptr);
  g_autofree char* folder = g_dir_make_tmp("sphere-test-XXXXXX", nullptr);
  const std::string path = std::string(folder) + "/photo.jpg";
  fail_unless(g_file_set_contents(path.c_str(), reinterpret_cast<const char*>(jpeg.data()),
                                  static_cast<gssize>(jpeg.size()), nullptr));
  const std::string line = "filesrc location=" + path +
                           " ! jpegdec ! videoconvert ! videoscale ! "
                           "video/x-raw,format=GRAY8,width=64,height=32 ! appsink name=sink";
  g_autoptr(GstElement) pipeline = gst_parse_launch(line.c_str(), nullptr);
  fail_unless(pipeline != nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  g_autoptr(GstSample) sample = gst_app_sink_pull_sample(GST_APP_SINK(sink));
  fail_unless(sample != nullptr);
  GstMapInfo map;
  fail_unless(gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ));
  double sum = 0;
  for (size_t i = 0; i < map.size; ++i) sum += map.data[i];
  const double mean = sum / static_cast<double>(map.size);
  gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return mean;
}

/// Numerator of a signed rational of Exif in parts of 28, as the camera writes it.
int32_t exposure_bias(const Exif& exif) {
  const media::TiffEntry* entry = exif.tiff->find(0x9204);
  fail_unless(entry != nullptr);
  int32_t numbers[2] = {};
  const Bytes bytes = exif.tiff->bytes(*entry);
  fail_unless(bytes.size() == sizeof numbers);
  memcpy(numbers, bytes.data(), sizeof numbers);
  fail_unless_equals_int(numbers[1], 28);
  return numbers[0];
}

GST_START_TEST(exposures_change_the_pictures) {
  PhotoCamera photos("1");
  Client& client = photos.client;
  const auto& camera = photos.camera;
  client.call(Request(4918, "3"));
  client.call(Request(5029));
  std::vector<double> light;
  for (const int halves : {-3, 0, 3}) {
    const Exif exif(file_of(*camera, param_of(client.expect_notification(8193))));
    fail_unless_equals_int(exposure_bias(exif), halves * 14);
    light.push_back(brightness(exif.whole));
  }
  // Light that is 1.5 EV less or more, as it is coded: 0.62 and 1.6 times the value, which bright
  // parts do not reach.
  fail_unless(light[0] > 0.5 * light[1] && light[0] < 0.75 * light[1], "%g, %g", light[0],
              light[1]);
  fail_unless(light[2] > 1.1 * light[1] && light[2] < 1.7 * light[1], "%g, %g", light[2], light[1]);
  // The setting for all photos is added.
  client.call(Request(5169, "-3"));
  const Exif darker(file_of(*camera, photo(client)));
  fail_unless_equals_int(exposure_bias(darker), -3 * 14);
  fail_unless(std::abs(brightness(darker.whole) - light[0]) < 2);
}
GST_END_TEST;

GST_START_TEST(one_lens_makes_a_square) {
  PhotoCamera photos("1");
  Client& client = photos.client;
  const auto& camera = photos.camera;
  for (const char* lens : {"0", "1"}) {
    client.call(Request(4914, lens));
    client.call(Request(5029));
    const Exif exif(file_of(*camera, param_of(client.expect_notification(8193))));
    fail_unless(exif.info.width == 1728 && exif.info.height == 1728);
    fail_unless(exif.tiff->number(0xA002) == 1728u && exif.tiff->number(0xA003) == 1728u);
    // The table is for both lenses.
    const auto capture = makers::madv::read_jpeg(MemorySource(exif.whole), exif.info);
    fail_unless(capture.fisheyes && capture.lens_table.empty() && capture.problems.empty());
  }
}
GST_END_TEST;

GST_START_TEST(raw_photos_have_a_dng_beside_them) {
  PhotoCamera photos("3");
  Client& client = photos.client;
  const auto& camera = photos.camera;
  const std::string path = photo(client);
  const Exif jpeg(file_of(*camera, path));
  const Bytes raw = file_of(*camera, path.substr(0, path.size() - 3) + "DNG");
  const MemorySource source(raw);
  const auto tiff = media::Tiff::open(source);
  fail_unless(bool(tiff));
  fail_unless(tiff->number(0x0100) == 6912u && tiff->number(0x0101) == 3456u);
  // Samples of two bytes, all of them in the file.
  fail_unless(tiff->number(0x0117) == 6912u * 3456u * 2 &&
              *tiff->number(0x0111) + *tiff->number(0x0117) <= raw.size());
  fail_unless(media::is_dng(source));
  const auto capture = makers::read_tiff(source);
  fail_unless(bool(capture), "%s", capture ? "" : capture.error().message.c_str());
  fail_unless(capture->lens_table.size() > 100000 && capture->orientations.size() == 1);
  // The picture for viewing is the one of the photo.
  const auto preview = media::check_dng(source);
  fail_unless(preview && preview->jpeg.width == 320 && preview->jpeg.height == 160);
  // The sensor saw something: dark and bright samples.
  const auto* samples = raw.data() + *tiff->number(0x0111);
  int least = 65535, most = 0;
  for (size_t i = 0; i < 6912 * 3456; i += 101) {
    const int sample = samples[2 * i] | samples[2 * i + 1] << 8;
    least = std::min(least, sample);
    most = std::max(most, sample);
  }
  fail_unless(least < 100 && most > 1000 && most <= makers::madv::raw_white, "%d to %d", least,
              most);
  // A photo without raw data has none.
  client.call(Request(4872, "1"));
  const std::string plain = madv::unix_path(photo(client));
  const std::string beside =
      camera->card_folder() +
      plain.substr(strlen(madv::card_root), plain.size() - 3 - strlen(madv::card_root)) + "DNG";
  fail_unless(!g_file_test(beside.c_str(), G_FILE_TEST_EXISTS));
}
GST_END_TEST;

GST_START_TEST(videos_have_the_boxes_and_a_small_copy) {
  const auto camera = started(drawing());
  Client client(*camera);
  client.expect(Event::Kind::ready);
  client.call(Request(4612, "1"));
  client.call(Request(4917).with("lat", "52.5").with("lon", "13.25").with("alt", "40"));
  const std::string path = video(client);
  fail_unless(path.ends_with("AA.MP4"));
  const Bytes large = file_of(*camera, path);
  const Bytes small = file_of(*camera, madv_emulator::small_copy(path));
  const auto sizes = [](const Bytes& file) {
    const auto checked = media::check_isobmff(MemorySource(file));
    fail_unless(bool(checked), "%s", checked ? "" : checked.error().message.c_str());
    return *checked->first("vide");
  };
  fail_unless(sizes(large).width == 2304 && sizes(large).height == 1152);
  fail_unless(sizes(small).width == 320 && sizes(small).height == 160);
  const makers::CaptureInfo info = makers::madv::read_video(MemorySource(large));
  fail_unless(info.problems.empty() && info.lens_table.size() > 100000);
  // More records than pictures, and some pictures before the first record.
  fail_unless(info.orientations.size() > sizes(large).samples + 2, "%zu records, %d pictures",
              info.orientations.size(), static_cast<int>(sizes(large).samples));
  fail_unless(box_of(large, {"moov", "udta", "madv", "fltr"}) == Bytes({2, 0, 0, 0}));
  fail_unless(box_of(large, {"moov", "udta", "madv", "gpsx"}).size() == 594);
  const Bytes camera_box = box_of(large, {"moov", "udta", "madv", "caif"});
  fail_unless(camera_box.size() == 128 && camera_box[16] == '1');
  const Bytes track = box_of(large, {"moov", "udta", "madv", "tlyd"});
  fail_unless(track.size() == 36 * 65083);
  client.session().stop();
}
GST_END_TEST;

/// Each has at least one picture, also if nobody waited for it.
GST_START_TEST(a_recording_may_end_at_once) {
  const auto camera = started(drawing());
  Client client(*camera);
  client.expect(Event::Kind::ready);
  for (int i = 0; i < 10; ++i) {
    client.call(Request(513, "1"));
    client.call(Request(514));
    const Bytes file = file_of(*camera, param_of(client.expect_notification(8192)));
    fail_unless(bool(media::check_isobmff(MemorySource(file))));
  }
  client.session().stop();
}
GST_END_TEST;

GST_START_TEST(a_recording_in_segments_tells_each_file) {
  EmulatorOptions options = test::control_only();
  options.segment_time = std::chrono::milliseconds(100);
  const auto camera = started(std::move(options));
  Client client(*camera);
  client.expect(Event::Kind::ready);
  client.call(Request(4617, "1"));
  client.call(Request(513, "1"));
  std::vector<std::string> closed;
  for (int i = 0; i < 9; ++i) closed.push_back(param_of(client.expect_notification(8195)));
  client.call(Request(514));
  const std::string last = param_of(client.expect_notification(8192));
  fail_unless(std::ranges::find(closed, last) == closed.end());
  file_of(*camera, last);
  file_of(*camera, madv_emulator::small_copy(last));
  file_of(*camera, closed.back());
  // In a loop, the oldest ones go.
  const std::string folder = camera->card_folder() + "/DCIM/";
  const std::string first =
      folder + madv::unix_path(closed.front()).substr(strlen("/tmp/SD0/DCIM/"));
  fail_unless(!g_file_test(first.c_str(), G_FILE_TEST_EXISTS), "%s is still there", first.c_str());
  fail_unless(!g_file_test(madv_emulator::small_copy(first).c_str(), G_FILE_TEST_EXISTS));
}
GST_END_TEST;

GST_START_TEST(thumbnails_are_those_of_the_files) {
  const auto camera = started(drawing());
  Client client(*camera);
  client.expect(Event::Kind::ready);
  const Result<Card> card = Card::open(camera->card_folder(), madv::card_root);
  fail_unless(bool(card));
  client.call(Request(4612, "1"));
  const std::string film = madv::unix_path(video(client));
  for (const std::string& path : {film, madv_emulator::small_copy(film)}) {
    const auto picture = madv_emulator::file_thumbnail(*card, path, "idr");
    fail_unless(picture.has_value());
    // A parameter set of the sequence first, and a key frame at the end.
    fail_unless(picture->starts_with(std::string("\0\0\0\1", 4)) && ((*picture)[4] & 0x1f) == 7);
    fail_unless(picture->find(std::string("\0\0\0\1\x65", 5)) != std::string::npos);
  }
  client.call(Request(4611, "1"));
  client.call(Request(4872, "1"));
  const std::string path = madv::unix_path(photo(client));
  const auto thumbnail = madv_emulator::file_thumbnail(*card, path, "thumb");
  fail_unless(thumbnail.has_value());
  const auto jpeg = media::check_jpeg(
      MemorySource({reinterpret_cast<const uint8_t*>(thumbnail->data()), thumbnail->size()}));
  fail_unless(jpeg && jpeg->width == 320 && jpeg->height == 160);
  fail_unless(!madv_emulator::file_thumbnail(*card, path, "idr"));
  fail_unless(!madv_emulator::file_thumbnail(*card, "/tmp/SD0/DCIM/none.JPG", "thumb"));
}
GST_END_TEST;

GST_START_TEST(files_of_many_gigabytes_are_served_in_parts) {
  const auto camera = started(test::control_only());
  const uint64_t size = (uint64_t{5} << 30) + 7;
  const std::string path = camera->card_folder() + "/DCIM/BIG.MP4";
  {
    // With holes: it takes no space.
    const Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    fail_unless(file && ftruncate(file.get(), static_cast<off_t>(size)) == 0);
    fail_unless(pwrite(file.get(), "the end", 7, static_cast<off_t>(size - 7)) == 7);
    fail_unless(pwrite(file.get(), "middle", 6, off_t{3} << 30) == 6);
  }
  madv::Uri uri = *madv::Uri::parse(camera->uri());
  uri.file = "DCIM/BIG.MP4";
  const auto part = [&](const std::string& range) {
    const test::Answer answer = test::http(uri.http_url(), "GET", range.c_str());
    fail_unless_equals_int(answer.status, 206);
    return answer.body;
  };
  same(part("bytes=" + std::to_string(size - 7) + "-"), "the end");
  same(part("bytes=-7"), "the end");
  same(part("bytes=3221225472-3221225477"), "middle");
  fail_unless_equals_int(
      test::http(uri.http_url(), "GET", ("bytes=" + std::to_string(size) + "-").c_str()).status,
      416);

  // And over the data port, which sends it in pieces.
  Client client(*camera);
  client.expect(Event::Kind::ready);
  std::string end;
  std::promise<bool> done;
  madv::Download download;
  download.path = "/tmp/SD0/DCIM/BIG.MP4";
  download.offset = size - (80 << 20);
  download.sink = [&](std::string_view bytes) {
    end.append(bytes);
    end.erase(0, end.size() - std::min<size_t>(end.size(), 7));
    return ok();
  };
  download.done = [&](const Status& status) { done.set_value(bool(status)); };
  client.session().get_file(std::move(download));
  fail_unless(done.get_future().get());
  same(end, "the end");
}
GST_END_TEST;

static Suite* files_suite() {
  Suite* suite = suite_create("emulator_files");
  TCase* tc = tcase_create("files");
  tcase_set_timeout(tc, 240);
  tcase_add_test(tc, photos_have_the_exif_of_a_real_one);
  tcase_add_test(tc, exposures_change_the_pictures);
  tcase_add_test(tc, one_lens_makes_a_square);
  tcase_add_test(tc, raw_photos_have_a_dng_beside_them);
  tcase_add_test(tc, videos_have_the_boxes_and_a_small_copy);
  tcase_add_test(tc, a_recording_may_end_at_once);
  tcase_add_test(tc, a_recording_in_segments_tells_each_file);
  tcase_add_test(tc, thumbnails_are_those_of_the_files);
  tcase_add_test(tc, files_of_many_gigabytes_are_served_in_parts);
  suite_add_tcase(suite, tc);
  return suite;
}

GST_CHECK_MAIN(files)
