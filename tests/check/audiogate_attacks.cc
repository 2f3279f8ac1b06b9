// SPDX-License-Identifier: LGPL-2.1-or-later
// Attacks on a closed sphereaudiogate: no byte of the sound, nor of what was in memory before, may
// be in what leaves it, in whatever memory, form, header or tag. SPHERE_ATTACK_ROUNDS=N tries more.

// The standard library comes first: check defines `fail` as a macro.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <glib/gstdio.h>
#include <gst/audio/audio.h>

#include "tests/check/audiogate.h"
#include "tests/check/pipeline.h"

using namespace sphere::test;
using sphere::BufferRef;
using sphere::CapsRef;

namespace {

int rounds() {
  const char* text = g_getenv("SPHERE_ATTACK_ROUNDS");
  return text ? std::max(std::atoi(text), 1) : 1;
}

// --- memory of downstream's ------------------------------------------------------------------

constexpr uint8_t untouched = 0x5a;

/// An allocator of memory in one block, which the test examines.
struct Arena {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(1024 * 1024, untouched);
  gsize used = 0;
} arena;

struct ArenaAllocator {
  GstAllocator parent;
};
struct ArenaAllocatorClass {
  GstAllocatorClass parent_class;
};
GType arena_allocator_get_type();
G_DEFINE_TYPE(ArenaAllocator, arena_allocator, GST_TYPE_ALLOCATOR)

struct ArenaMemory {
  GstMemory memory;
  uint8_t* data;
};

GstMemory* arena_alloc(GstAllocator* allocator, gsize size, GstAllocationParams*) {
  if (arena.used + size > arena.bytes.size()) return nullptr;
  auto* made = g_new0(ArenaMemory, 1);
  gst_memory_init(&made->memory, GST_MEMORY_FLAG_NO_SHARE, allocator, nullptr, size, 0, 0, size);
  made->data = arena.bytes.data() + arena.used;
  arena.used += size;
  return &made->memory;
}
void arena_allocator_class_init(ArenaAllocatorClass* klass) {
  GST_ALLOCATOR_CLASS(klass)->alloc = arena_alloc;
  GST_ALLOCATOR_CLASS(klass)->free = [](GstAllocator*, GstMemory* memory) { g_free(memory); };
}
void arena_allocator_init(ArenaAllocator* self) {
  auto* allocator = GST_ALLOCATOR(self);
  allocator->mem_type = "arena";
  allocator->mem_map = [](GstMemory* memory, gsize, GstMapFlags) -> gpointer {
    return reinterpret_cast<ArenaMemory*>(memory)->data;
  };
  allocator->mem_unmap = [](GstMemory*) {};
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

/// A sink that offers a pool, or only an allocator, with memory of the arena.
enum class Offer { pool, allocator };
GstPadProbeReturn offer_memory(GstPad*, GstPadProbeInfo* info, gpointer what) {
  GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
  if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION) return GST_PAD_PROBE_OK;
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  const sphere::GstRef<GstAllocator> allocator(
      GST_ALLOCATOR(gst_object_ref_sink(g_object_new(arena_allocator_get_type(), nullptr))));
  GstAllocationParams params;
  gst_allocation_params_init(&params);
  gst_query_add_allocation_param(query, allocator.get(), &params);
  if (*static_cast<Offer*>(what) == Offer::pool) {
    const sphere::GstRef<GstBufferPool> pool(gst_buffer_pool_new());
    GstStructure* config = gst_buffer_pool_get_config(pool.get());
    gst_buffer_pool_config_set_params(config, caps, 16384, 2, 0);
    gst_buffer_pool_config_set_allocator(config, allocator.get(), &params);
    fail_unless(gst_buffer_pool_set_config(pool.get(), config));
    gst_query_add_allocation_pool(query, pool.get(), 16384, 2, 0);
  }
  gst_query_add_allocation_meta(query, GST_AUDIO_META_API_TYPE, nullptr);
  return GST_PAD_PROBE_HANDLED;
}

/// The number of bytes in the arena that the source of a line has written. `gate` may be empty.
size_t written_to_arena(const std::string& format, const char* gate, Offer offer) {
  std::fill(arena.bytes.begin(), arena.bytes.end(), untouched);
  arena.used = 0;
  Pipeline pipeline("audiotestsrc num-buffers=20 ! audio/x-raw,channels=2,format=" + format +
                    " ! " + gate + " ! fakesink name=sink");
  const sphere::GstRef<GstElement> sink = pipeline.child("sink");
  const sphere::GstRef<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, offer_memory, &offer, nullptr);
  const std::string problem = pipeline.run();
  ck_assert_str_eq(problem.c_str(), "");
  return static_cast<size_t>(std::count_if(arena.bytes.begin(), arena.bytes.end(),
                                           [](uint8_t b) { return b != untouched; }));
}

GST_START_TEST(test_memory_of_downstream) {
  for (Offer offer : {Offer::pool, Offer::allocator})
    for (const char* format :
         {"S16LE", "F32LE,layout=interleaved", "S32LE,layout=non-interleaved"}) {
      const size_t without = written_to_arena(format, "identity", offer);
      fail_unless(without > 1000, "the source does not use what it is offered: %d",
                  static_cast<int>(without));
      for (const std::string gate : {"sphereaudiogate", "sphereaudiogate ! queue",
                                     "audioconvert ! sphereaudiogate ! identity"}) {
        const size_t written = written_to_arena(format, gate.c_str(), offer);
        fail_unless(written == 0, "%s: %d bytes of the sink's memory were written", gate.c_str(),
                    static_cast<int>(written));
      }
      // Consent may be withdrawn after the sound was written and before it is examined here.
      const std::string open = std::string("sphereaudiogate ") + with_given;
      fail_unless(written_to_arena(format, open.c_str(), offer) == 0);
    }
}
GST_END_TEST

GST_START_TEST(test_metas_of_downstream_hold) {
  const HarnessRef h(gst_harness_new("sphereaudiogate"));
  gst_harness_set_src_caps_str(h.get(), mono);
  gst_harness_add_propose_allocation_meta(h.get(), GST_AUDIO_CLIPPING_META_API_TYPE, nullptr);
  GstQuery* query = gst_query_new_allocation(caps_of(mono).get(), TRUE);
  fail_unless(gst_pad_peer_query(h->srcpad, query));
  fail_unless(gst_query_find_allocation_meta(query, GST_AUDIO_CLIPPING_META_API_TYPE, nullptr));
  fail_unless_equals_int(gst_query_get_n_allocation_pools(query), 0);
  fail_unless_equals_int(gst_query_get_n_allocation_params(query), 0);
  gst_query_unref(query);
}
GST_END_TEST

/// The contents of the shared memory of this process.
std::vector<uint8_t> shared_memory() {
  std::vector<uint8_t> all;
  g_autofree char* begin = g_strdup_printf("shmpipe.%5d.", static_cast<int>(getpid()));
  g_autoptr(GDir) folder = g_dir_open("/dev/shm", 0, nullptr);
  while (const char* name = folder ? g_dir_read_name(folder) : nullptr) {
    if (!g_str_has_prefix(name, begin)) continue;
    g_autofree char* content = nullptr;
    gsize size = 0;
    const std::string path = std::string("/dev/shm/") + name;
    if (g_file_get_contents(path.c_str(), &content, &size, nullptr))
      all.insert(all.end(), content, content + size);
  }
  return all;
}

/// A folder for sockets and files.
struct Folder {
  Folder() : path(g_dir_make_tmp("sphere-test-XXXXXX", nullptr)) { fail_unless(path != nullptr); }
  ~Folder() {
    g_unlink(file("file").c_str());
    g_unlink(file("socket").c_str());
    g_rmdir(path.get());
  }
  std::string file(const char* name) const { return std::string(path.get()) + "/" + name; }
  sphere::GString_ path;
};

bool have(const char* element) {
  const sphere::GstRef<GstElementFactory> factory(gst_element_factory_find(element));
  return factory != nullptr;
}

GST_START_TEST(test_shared_memory) {
  if (!have("shmsink")) return;
  const Folder folder;
  const std::string sink =
      " ! shmsink wait-for-connection=false sync=false shm-size=4000000 "
      "socket-path=" +
      folder.file("socket");
  for (const std::string gate :
       {"identity", "sphereaudiogate", "sphereaudiogate ! queue", "sphereaudiogate mode=drop"}) {
    Pipeline pipeline("audiotestsrc num-buffers=40 ! audio/x-raw,format=S16LE ! " + gate + sink);
    const std::string problem = pipeline.run();
    ck_assert_str_eq(problem.c_str(), "");
    const std::vector<uint8_t> bytes = shared_memory();
    const auto sound = std::count_if(bytes.begin(), bytes.end(), [](uint8_t b) { return b != 0; });
    fail_unless(!bytes.empty());
    if (gate == "identity")
      fail_unless(sound > 1000);
    else
      fail_unless(sound == 0, "%s: %d bytes of sound in shared memory", gate.c_str(),
                  static_cast<int>(sound));
  }
}
GST_END_TEST

// --- every raw format ------------------------------------------------------------------------

constexpr uint8_t sound_byte = 0x5b;
constexpr int heap_byte = 0x3c;  // and its complement, 0xc3: what malloc gives and free leaves

struct Form {
  const GstAudioFormatInfo* info;
  bool planar;
  std::string caps;
  bool silenceable() const { return info->format != GST_AUDIO_FORMAT_ENCODED; }
  gsize sample() const { return static_cast<gsize>(info->width) / 8; }

  /// One sample of silence, from the format's description alone.
  std::vector<uint8_t> silence() const {
    std::vector<uint8_t> bytes(sample(), 0);
    constexpr auto around_zero = GST_AUDIO_FORMAT_FLAG_SIGNED | GST_AUDIO_FORMAT_FLAG_FLOAT;
    if (!silenceable() || info->flags & around_zero) return bytes;
    const uint64_t middle = uint64_t{1} << (info->depth - 1);
    for (gsize i = 0; i < bytes.size(); ++i)
      bytes[info->endianness == G_BIG_ENDIAN ? bytes.size() - 1 - i : i] =
          static_cast<uint8_t>(middle >> 8 * i);
    return bytes;
  }
};

constexpr int channels = 3;

std::vector<Form> all_forms() {
  std::vector<Form> all;
  auto* formats = static_cast<GEnumClass*>(g_type_class_ref(GST_TYPE_AUDIO_FORMAT));
  for (guint i = 0; i < formats->n_values; ++i) {
    const auto format = static_cast<GstAudioFormat>(formats->values[i].value);
    if (format == GST_AUDIO_FORMAT_UNKNOWN) continue;
    for (const bool planar : {false, true})
      all.push_back({gst_audio_format_get_info(format), planar,
                     std::string("audio/x-raw, format=") + gst_audio_format_to_string(format) +
                         ", rate=48000, channels=3, channel-mask=(bitmask)0x7, layout=" +
                         (planar ? "non-interleaved" : "interleaved")});
  }
  g_type_class_unref(formats);
  fail_unless(all.size() > 60);
  return all;
}

/// Buffers of many sizes, and the expected output for each.
struct Input {
  std::vector<BufferRef> buffers;
  std::vector<uint8_t> expected;
};

void add(Input& input, const Form& form, gsize size, bool with_meta) {
  BufferRef buffer = buffer_of(size, sound_byte, input.buffers.size() * ms, ms);
  const gsize frame = form.sample() * channels;
  gsize whole = form.sample() ? size / form.sample() : 0, rest = 0;
  if (form.silenceable()) {
    if (form.planar && with_meta) {
      GstAudioInfo info;
      fail_unless(gst_audio_info_from_caps(&info, caps_of(form.caps).get()));
      gst_buffer_add_audio_meta(buffer.get(), &info, size / frame, nullptr);
    }
    rest = size % form.sample();
    if (form.planar) {
      whole = size / frame * channels;
      rest = 0;
    }
    const std::vector<uint8_t> silence = form.silence();
    for (gsize i = 0; i < whole; ++i)
      input.expected.insert(input.expected.end(), silence.begin(), silence.end());
    input.expected.insert(input.expected.end(), rest, 0);
  }
  input.buffers.push_back(std::move(buffer));
}

Input input_of(const Form& form, std::mt19937& random) {
  Input input;
  const gsize frame = std::max<gsize>(form.sample() * channels, 1);
  add(input, form, 200 * frame, true);
  for (const gsize size :
       {gsize{0}, gsize{1}, frame - 1, frame + 1, 200 * frame + 1, 200 * frame - 1, 5 * frame})
    add(input, form, size, false);
  for (int i = 1; i < rounds(); ++i) add(input, form, random() % 5000, false);
  return input;
}

void feed(Pipeline& pipeline, const Form& form, Input& input) {
  const sphere::GstRef<GstElement> source = pipeline.child("source");
  g_object_set(source.get(), "caps", caps_of(form.caps).get(), "format", GST_FORMAT_TIME, nullptr);
  pipeline.play();
  for (BufferRef& buffer : input.buffers)
    gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer.release());
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
}

void check_bytes(const std::vector<uint8_t>& bytes, const std::vector<uint8_t>& expected,
                 const std::string& what) {
  fail_unless(bytes.size() == expected.size(), "%s: %d bytes in place of %d", what.c_str(),
              static_cast<int>(bytes.size()), static_cast<int>(expected.size()));
  // Not one check for each byte, because Check writes each check to a file.
  const auto wrong = std::mismatch(bytes.begin(), bytes.end(), expected.begin()).first;
  fail_unless(wrong == bytes.end(), "%s: byte %d is 0x%02x", what.c_str(),
              static_cast<int>(wrong - bytes.begin()), wrong == bytes.end() ? 0 : *wrong);
}

GST_START_TEST(test_every_raw_format) {
#ifdef M_PERTURB
  mallopt(M_PERTURB, heap_byte);
#endif
  const Folder folder;
  std::mt19937 random(1);
  const bool shm = have("shmsink");
  int tried = 0;
  for (const Form& form : all_forms()) {
    for (const char* gate : {"sphereaudiogate", "sphereaudiogate mode=drop"}) {
      const std::string before = std::string("appsrc name=source ! ") + gate + " ! ";
      const bool drops = strstr(gate, "drop");
      {
        Input input = input_of(form, random);
        if (drops) input.expected.clear();
        Pipeline pipeline(before + "appsink name=sink sync=false");
        feed(pipeline, form, input);
        std::vector<uint8_t> all;
        while (const SampleRef sample = pipeline.pull()) {
          GstBuffer* buffer = gst_sample_get_buffer(sample.get());
          const std::vector<uint8_t> bytes = bytes_of(buffer);
          all.insert(all.end(), bytes.begin(), bytes.end());
          if (!form.planar) continue;
          GstAudioInfo info;
          GstAudioBuffer map;
          fail_unless(gst_audio_info_from_caps(&info, caps_of(form.caps).get()));
          fail_unless(gst_audio_buffer_map(&map, &info, buffer, GST_MAP_READ));
          gst_audio_buffer_unmap(&map);
        }
        check_bytes(all, input.expected, form.caps + ", " + gate);
        ++tried;
      }
      if (drops) continue;
      {
        Input input = input_of(form, random);
        const std::string path = folder.file("file");
        Pipeline pipeline(before + "filesink location=" + path);
        feed(pipeline, form, input);
        const std::string problem = pipeline.wait();
        ck_assert_str_eq(problem.c_str(), "");
        g_autofree char* content = nullptr;
        gsize size = 0;
        fail_unless(g_file_get_contents(path.c_str(), &content, &size, nullptr));
        const auto* bytes = reinterpret_cast<const uint8_t*>(content);
        check_bytes({bytes, bytes + size}, input.expected, form.caps + " in a file");
      }
      // shmsink itself fails on a planar buffer (it copies the meta before the memory), and on one
      // without memory.
      if (!shm || form.planar) continue;
      Input input = input_of(form, random);
      std::erase_if(input.buffers,
                    [](const BufferRef& one) { return gst_buffer_get_size(one.get()) == 0; });
      Pipeline pipeline(before +
                        "shmsink wait-for-connection=false sync=false shm-size=60000 "
                        "socket-path=" +
                        folder.file("socket"));
      feed(pipeline, form, input);
      const std::string problem = pipeline.wait();
      ck_assert_str_eq(problem.c_str(), "");
      std::set<uint8_t> allowed = {0};
      for (const uint8_t byte : form.silence()) allowed.insert(byte);
      const std::vector<uint8_t> shared = shared_memory();
      const auto other = std::find_if(shared.begin(), shared.end(),
                                      [&](uint8_t byte) { return !allowed.count(byte); });
      fail_unless(!shared.empty() && other == shared.end(), "%s: other bytes in shared memory",
                  form.caps.c_str());
    }
  }
  fail_unless(tried > 120, "%d", tried);
#ifdef M_PERTURB
  mallopt(M_PERTURB, 0);
#endif
}
GST_END_TEST

// --- sound from before a grant, whose times were shifted on its way --------------------------

enum class Shift { none, pad_offset, base_time, base_time_now };

/// Sends sound that waits before the gate while denied, and later sound. Returns how many buffers
/// left as sound.
struct SoundCount {
  int denied = 0, given = 0;
};
SoundCount count_sound_after_grant(const char* line, Shift shift) {
  constexpr int waiting = 90, later = 20;
  constexpr uint8_t denied_byte = 7, given_byte = 9;
  const HarnessRef h(gst_harness_new_parse(line));
  gst_harness_set_src_caps_str(h.get(), mono);
  const sphere::GstRef<GstElement> gate(gst_bin_get_by_name(GST_BIN(h->element), "gate"));
  const sphere::GstRef<GstElement> last(gst_bin_get_by_name(GST_BIN(h->element), "last"));
  const sphere::GstRef<GstPad> pad(gst_element_get_static_pad(last.get(), "src"));
  if (shift == Shift::pad_offset) gst_pad_set_offset(pad.get(), 2 * GST_SECOND);
  SoundCount left;
  GstClockTime now = 0;
  const auto push = [&](uint8_t byte) {
    // 20 ms, captured until now.
    BufferRef buffer = buffer_of(1920, byte, now, 20 * ms);
    now += 20 * ms;
    gst_harness_set_time(h.get(), now);
    fail_unless_equals_int(gst_harness_push(h.get(), buffer.release()), GST_FLOW_OK);
  };
  const auto pull = [&] {
    const BufferRef out(gst_harness_pull(h.get()));
    fail_unless(out != nullptr);
    const std::vector<uint8_t> bytes = bytes_of(out.get());
    left.denied += std::count(bytes.begin(), bytes.end(), denied_byte) > 0;
    left.given += std::count(bytes.begin(), bytes.end(), given_byte) > 0;
  };
  // The gate must have received a buffer before.
  push(denied_byte);
  pull();
  const gulong block = gst_pad_add_probe(
      pad.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER),
      [](GstPad*, GstPadProbeInfo*, gpointer) { return GST_PAD_PROBE_OK; }, nullptr, nullptr);
  for (int i = 0; i < waiting; ++i) push(denied_byte);
  if (shift == Shift::base_time || shift == Shift::base_time_now) {
    gst_element_set_base_time(h->element, shift == Shift::base_time ? now / 2 : now);
    gst_element_set_base_time(gate.get(), shift == Shift::base_time ? now / 2 : now);
  }
  set_consent(gate.get(), given);
  gst_pad_remove_probe(pad.get(), block);
  for (int i = 0; i < waiting; ++i) pull();
  for (int i = 0; i < later; ++i) {
    push(given_byte);
    pull();
  }
  return left;
}

GST_START_TEST(test_shifted_times) {
  for (const char* line :
       {"queue name=last max-size-buffers=0 max-size-time=0 ! sphereaudiogate name=gate",
        "identity ! queue max-size-time=0 ! audioconvert ! queue name=last max-size-time=0 ! "
        "sphereaudiogate name=gate"})
    for (const Shift shift :
         {Shift::none, Shift::pad_offset, Shift::base_time, Shift::base_time_now}) {
      const SoundCount left = count_sound_after_grant(line, shift);
      fail_unless(left.denied == 0, "shift %d: %d buffers captured while denied left as sound",
                  static_cast<int>(shift), left.denied);
      fail_unless(left.given > 10, "shift %d: %d buffers of sound", static_cast<int>(shift),
                  left.given);
    }
}
GST_END_TEST

}  // namespace

static Suite* audiogate_attacks_suite(void) {
  Suite* suite = suite_create("audiogate_attacks");
  TCase* tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_memory_of_downstream);
  tcase_add_test(tests, test_metas_of_downstream_hold);
  tcase_add_test(tests, test_shared_memory);
  tcase_add_test(tests, test_shifted_times);
  tcase_add_test(tests, test_every_raw_format);
  return suite;
}

GST_CHECK_MAIN(audiogate_attacks)
