// SPDX-License-Identifier: LGPL-2.1-or-later
// What HLS and MP4 files of a stream are made of: playlists and fragments.

// The standard library comes first: check defines `fail` as a macro.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <glib/gstdio.h>
#include <gst/app/gstappsrc.h>

#include "gst/live/fragments.h"
#include "gst/live/part_writer.h"
#include "gst/live/playlist.h"
#include "gst/sphere/base/gobject.h"

#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::live;

namespace {

constexpr int64_t second = 1'000'000;

}  // namespace

GST_START_TEST(playlists_follow_the_rules) {
  Playlist playlist(4, 3);
  std::vector<std::string> gone;
  for (int i = 0; i < 10; ++i) {
    PlaylistSegment segment{.file = "s" + std::to_string(i) + ".m4s",
                            .map = i < 5 ? "a.mp4" : "b.mp4",
                            .seconds = 2.0 + i * 0.001,
                            .utc = 1'700'000'000'000'000 + i * 2 * second,
                            .discontinuity = i == 5};
    for (const std::string& file : playlist.add(segment)) {
      fail_if(std::find(gone.begin(), gone.end(), file) != gone.end(), "%s twice", file.c_str());
      fail_if(playlist.text(false).find(file) != std::string::npos, "%s is listed", file.c_str());
      gone.push_back(file);
    }
    const std::string text = playlist.text(false);
    fail_unless(text.starts_with("#EXTM3U\n#EXT-X-VERSION:7\n"));
    fail_unless(text.find("#EXT-X-TARGETDURATION:4\n") != std::string::npos);
    fail_if(text.find("ENDLIST") != std::string::npos);
    // Each list says which header its first segment needs.
    fail_unless(text.find("#EXT-X-MAP") < text.find("#EXTINF"));
    if (i == 5)
      fail_unless(text.find("#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"b.mp4\"") != std::string::npos);
  }
  const std::string text = playlist.text(true);
  fail_unless(text.find("#EXT-X-MEDIA-SEQUENCE:7\n") != std::string::npos, "%s", text.c_str());
  fail_unless(text.find("#EXT-X-DISCONTINUITY-SEQUENCE:1\n") != std::string::npos);
  fail_unless(
      text.find("#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:34.000Z\n#EXTINF:2.007,\ns7.m4s") !=
          std::string::npos,
      "%s", text.c_str());
  fail_unless(text.ends_with("#EXT-X-ENDLIST\n"));
  fail_unless(std::find(gone.begin(), gone.end(), "a.mp4") == gone.end() || gone.size() >= 6);
  const PlaylistStream stream{.playlist = "live.m3u8",
                              .bandwidth = 5000000,
                              .average_bandwidth = 4000000,
                              .codecs = {"avc1.42C01F", "mp4a.40.2"},
                              .width = 1920,
                              .height = 960,
                              .fps = 30};
  const std::string all = multivariant_playlist(stream);
  fail_unless(all.find("REQ-VIDEO-LAYOUT=\"CH-MONO/PROJ-EQUI\"") != std::string::npos);
  fail_unless(all.find("#EXT-X-VERSION:12\n") != std::string::npos);
  fail_unless(all.find("CODECS=\"avc1.42C01F,mp4a.40.2\",RESOLUTION=1920x960,FRAME-RATE=30.000") !=
              std::string::npos);
  fail_unless(stream_description(stream, "index.m3u8").find("equirectangular") !=
              std::string::npos);
}
GST_END_TEST

GST_START_TEST(playlist_continues_after_an_earlier_process) {
  const auto segment = [](int i, bool discontinuity = false) {
    return PlaylistSegment{.file = "s100-" + std::to_string(i) + ".m4s",
                           .map = "s100.mp4",
                           .seconds = 2,
                           .utc = 1'700'000'000'123'000 + i * 2 * second,
                           .discontinuity = discontinuity};
  };
  const auto tells = [](const Playlist& playlist, const std::string& words) {
    return playlist.text(false).find(words) != std::string::npos;
  };
  Playlist before(4, 3);
  for (int i = 0; i < 8; ++i) before.add(segment(i, i == 1 || i == 6));
  fail_unless(tells(before, "#EXT-X-MEDIA-SEQUENCE:5\n"));

  Playlist after(4, 3);
  fail_if(after.has_begun());
  after.continue_after(before.text(false));
  fail_unless(after.has_begun() && after.size() == 0);
  std::vector<std::string> gone;
  for (int i = 0; i < 6; ++i) {
    PlaylistSegment next = segment(i, i == 0);
    next.file = "s200-" + std::to_string(i) + ".m4s";
    next.map = "s200.mp4";
    for (const std::string& file : after.add(next)) gone.push_back(file);
    if (i != 0) continue;
    fail_unless(tells(after, "#EXT-X-MEDIA-SEQUENCE:8\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n"), "%s",
                after.text(false).c_str());
    fail_unless(tells(after, "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"s200.mp4\""));
    fail_if(tells(after, "s100"));
  }
  // What the earlier process left is removed.
  const std::vector<std::string> old{"s100-2.m4s", "s100-3.m4s", "s100-4.m4s", "s100-5.m4s",
                                     "s100-6.m4s", "s100-7.m4s", "s100.mp4"};
  fail_unless(gone == old);

  // Where all segments stay, they stay listed, unless that was the end.
  Playlist all(4, 0);
  for (int i = 0; i < 3; ++i) all.add(segment(i));
  Playlist more(4, 0);
  more.continue_after(all.text(false));
  fail_unless(more.text(false) == all.text(false), "%s", more.text(false).c_str());
  Playlist anew(4, 0);
  anew.continue_after(all.text(true));
  fail_unless(anew.size() == 0 && tells(anew, "#EXT-X-MEDIA-SEQUENCE:3\n"));
  Playlist other_window(4, 3);
  other_window.continue_after(all.text(true));
  for (int i = 10; i < 16; ++i)
    fail_unless(other_window.add(segment(i)).empty(), "a segment that is kept is removed");

  // Files of others are never named, and therefore never removed.
  for (const char* text :
       {"", "#EXTM3U", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:99999999999999999999\n",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-1\n",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI=\"s1.mp4\"\n#EXTINF:2,\n../s1-1.m4s\n",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI=\"holiday.mp4\"\n#EXTINF:2,\ns1-1.m4s\n",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\ns1-1.m4s\n"}) {
    Playlist other(4, 3);
    other.continue_after(text);
    fail_if(other.has_begun(), "%s", text);
  }
}
GST_END_TEST

namespace {

using Bytes = std::vector<uint8_t>;

void put(Bytes* to, uint64_t value, int bytes) {
  for (int i = bytes; i-- > 0;)
    to->push_back(i < 8 ? static_cast<uint8_t>(value >> (8 * i)) : uint8_t{0});
}
Bytes box(const char* type, const Bytes& content) {
  Bytes all;
  put(&all, content.size() + 8, 4);
  all.insert(all.end(), type, type + 4);
  all.insert(all.end(), content.begin(), content.end());
  return all;
}
Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

constexpr uint32_t first_track = 7;

/// `trak` and `trex`.
std::pair<Bytes, Bytes> track(uint32_t id, std::string_view handler) {
  Bytes tkhd, mdhd, hdlr, entry, trex;
  put(&tkhd, 0, 12);
  put(&tkhd, id, 4);
  put(&mdhd, 0, 12);
  put(&mdhd, 3000, 4);
  put(&hdlr, 0, 8);
  hdlr.insert(hdlr.end(), handler.begin(), handler.end());
  put(&entry, 0, 24);
  put(&entry, 640, 2);
  put(&entry, 320, 2);
  put(&entry, 0, 50);
  const Bytes avc = box("avcC", {1, 0x42, 0xc0, 0x1f});
  entry.insert(entry.end(), avc.begin(), avc.end());
  Bytes stsd;
  put(&stsd, 1, 8);
  const Bytes avc1 = box("avc1", entry);
  stsd.insert(stsd.end(), avc1.begin(), avc1.end());
  put(&trex, 0, 4);
  put(&trex, id, 4);
  put(&trex, 1, 4);
  put(&trex, 100, 4);  // the duration of a sample
  put(&trex, 0, 4);
  put(&trex, 0x10000, 4);  // no key frame
  const Bytes media =
      joined({box("mdhd", mdhd), box("hdlr", hdlr), box("minf", box("stbl", box("stsd", stsd)))});
  return {box("trak", joined({box("tkhd", tkhd), box("mdia", media)})), box("trex", trex)};
}

/// The header of a film with a track for each of these.
Bytes header(std::initializer_list<std::string_view> handlers = {"vide"}) {
  Bytes movie, extends;
  uint32_t id = first_track;
  for (const std::string_view handler : handlers) {
    const auto [trak, trex] = track(id++, handler);
    movie.insert(movie.end(), trak.begin(), trak.end());
    extends.insert(extends.end(), trex.begin(), trex.end());
  }
  return joined({box("ftyp", {'i', 's', 'o', '5', 0, 0, 0, 0}),
                 box("moov", joined({movie, box("mvex", extends)}))});
}

Bytes fragment(uint64_t begin, bool key, uint32_t samples, bool wide = true,
               uint32_t of = first_track) {
  Bytes mfhd, tfhd, tfdt, trun;
  put(&mfhd, 0, 4);
  put(&mfhd, 1, 4);
  put(&tfhd, 0x20000, 4);
  put(&tfhd, of, 4);
  put(&tfdt, wide ? 0x1000000 : 0, 4);
  put(&tfdt, begin, wide ? 8 : 4);
  put(&trun, key ? 4 : 0, 4);
  put(&trun, samples, 4);
  if (key) put(&trun, 0, 4);
  return joined({box("moof", joined({box("mfhd", mfhd),
                                     box("traf", joined({box("tfhd", tfhd), box("tfdt", tfdt),
                                                         box("trun", trun)}))})),
                 box("mdat", Bytes(50, 0xaa))});
}

}  // namespace

GST_START_TEST(fragments_are_cut_anywhere) {
  const Bytes all = joined({header(), fragment(9000, true, 30), fragment(12000, false, 15)});
  for (const size_t step : {size_t{1}, size_t{7}, size_t{100}, all.size()}) {
    FragmentReader reader;
    std::vector<Fragment> found;
    for (size_t at = 0; at < all.size(); at += step) {
      const Status pushed =
          reader.push(std::span(all).subspan(at, std::min(step, all.size() - at)));
      fail_unless(bool(pushed), "%s", pushed ? "" : pushed.error().message.c_str());
      while (auto next = reader.next()) found.push_back(*next);
    }
    fail_unless(reader.header() == header());
    fail_unless(reader.tracks().size() == 1 && reader.tracks()[0].video);
    fail_unless(reader.tracks()[0].codec == "avc1.42C01F", "%s", reader.tracks()[0].codec.c_str());
    fail_unless(reader.tracks()[0].width == 640 && reader.tracks()[0].timescale == 3000);
    fail_unless(found.size() == 2);
    fail_unless(found[0].key && found[0].begin == 9000 && found[0].duration == 3000);
    fail_unless(!found[1].key && found[1].samples == 15);
    fail_unless(found[0].bytes == fragment(9000, true, 30));
  }
}
GST_END_TEST

GST_START_TEST(fragments_are_numbered) {
  Bytes numbered = fragment(9000, true, 30), expected = numbered;
  fail_unless(bool(number_fragment(&numbered, 7)));
  // The last byte of the number, after the heads of two boxes and a version.
  expected[23] = 7;
  fail_unless(numbered == expected);
  Bytes junk = {0, 0, 0, 8, 'f', 'r', 'e', 'e'};
  fail_if(bool(number_fragment(&junk, 1)));
}
GST_END_TEST

GST_START_TEST(sound_is_delayed) {
  const auto delayed = [](std::string_view handler, const Bytes& bytes) {
    FragmentReader reader;
    reader.delay_sound(0.5);
    fail_unless(bool(reader.push(joined({header({handler}), bytes}))));
    const auto found = reader.next();
    fail_unless(found.has_value());
    return *found;
  };
  for (const bool wide : {true, false}) {
    const Fragment sound = delayed("soun", fragment(9000, true, 30, wide));
    fail_unless(sound.begin == 10500 && sound.bytes == fragment(10500, true, 30, wide));
    const Fragment picture = delayed("vide", fragment(9000, true, 30, wide));
    fail_unless(picture.begin == 9000 && picture.bytes == fragment(9000, true, 30, wide));
  }
  // Where the number is full, the time is a little early, and not back at the beginning.
  fail_unless(delayed("soun", fragment(UINT32_MAX - 100, true, 30, false)).begin == UINT32_MAX);
}
GST_END_TEST

/// For GStreamer's demuxer a film begins with its first fragment.
GST_START_TEST(a_file_begins_with_its_pictures) {
  const auto sound = [](uint64_t begin) {
    return fragment(begin, true, 30, true, first_track + 1);
  };
  const GString_ folder(g_dir_make_tmp("sphere-XXXXXX", nullptr));
  const std::string path = to_string(folder.get()) + "/film.mp4";
  PartNames names(path, false);
  PartWriter writer(&names, false);
  // In place of the muxer, whose order can't be told in advance.
  const GstRef<GstElement> pipeline(gst_parse_launch(
      "appsrc name=mux ! appsink name=muxed sync=false async=false max-buffers=1", nullptr));
  writer.watch(pipeline.get());
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const GstRef<GstElement> source(gst_bin_get_by_name(GST_BIN(pipeline.get()), "mux"));
  const Bytes all = joined({header({"vide", "soun"}), sound(900), sound(3900),
                            fragment(0, true, 30), sound(6900), fragment(3000, true, 30)});
  gst_app_src_push_buffer(GST_APP_SRC(source.get()), gst_buffer_new_memdup(all.data(), all.size()));
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  const GstRef<GstBus> bus(gst_element_get_bus(pipeline.get()));
  const MessageRef end(
      gst_bus_timed_pop_filtered(bus.get(), GST_CLOCK_TIME_NONE,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  fail_unless(GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_EOS);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);

  gchar* content = nullptr;
  gsize size = 0;
  fail_unless(g_file_get_contents(path.c_str(), &content, &size, nullptr));
  FragmentReader reader;
  fail_unless(bool(reader.push({reinterpret_cast<const uint8_t*>(content), size})));
  g_free(content);
  std::vector<std::pair<uint32_t, uint64_t>> found;
  while (const auto next = reader.next())
    found.emplace_back(next->track - first_track, next->begin);
  const std::vector<std::pair<uint32_t, uint64_t>> expected{
      {0, 0}, {1, 900}, {1, 3900}, {1, 6900}, {0, 3000}};
  fail_unless(found == expected);
  g_unlink(path.c_str());
  g_rmdir(folder.get());
}
GST_END_TEST

GST_START_TEST(damaged_fragments_are_errors) {
  const Bytes good = joined({header(), fragment(9000, true, 30)});
  // Whatever is changed, it is read to the end or refused.
  for (size_t at = 0; at < good.size(); ++at)
    for (const uint8_t value : {uint8_t{0}, uint8_t{0xff}, uint8_t{0x7f}}) {
      Bytes bad = good;
      bad[at] = value;
      FragmentReader reader;
      if (!reader.push(bad)) continue;
      while (auto next = reader.next()) fail_unless(next->bytes.size() <= bad.size());
    }
  FragmentReader reader;
  Bytes huge;
  put(&huge, 0xf0000000, 4);
  put(&huge, 0x6d6f6f76, 4);
  fail_if(bool(reader.push(huge)), "a box of 4 GB is waited for");
}
GST_END_TEST

static Suite* live_files_suite() {
  Suite* suite = suite_create("live_files");
  TCase* all = tcase_create("all");
  suite_add_tcase(suite, all);
  tcase_add_test(all, playlists_follow_the_rules);
  tcase_add_test(all, playlist_continues_after_an_earlier_process);
  tcase_add_test(all, fragments_are_cut_anywhere);
  tcase_add_test(all, fragments_are_numbered);
  tcase_add_test(all, sound_is_delayed);
  tcase_add_test(all, a_file_begins_with_its_pictures);
  tcase_add_test(all, damaged_fragments_are_errors);
  return suite;
}

GST_CHECK_MAIN(live_files)
