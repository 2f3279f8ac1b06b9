// SPDX-License-Identifier: LGPL-2.1-or-later
// How long `sphere redact` takes for a large file, by its phases. Prints one line of JSON.
//
// media copy IN OUT
//   write_ms, look_ms: the examination of IN with the copy, and the final look at OUT.
//   write_cpu_ms, look_cpu_ms: the processor time of both.
//
// media in-place FILE
//   ms, cpu_ms: with the pictures left unread. pass_ms, pass_cpu_ms: with the pictures, afterwards.

#include <gst/gst.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "gst/sphere/makers/makers.h"
#include "gst/tools/media_edit.h"

using namespace sphere;

namespace {

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "media: %s\n", what.c_str());
  std::exit(1);
}

/// Milliseconds of a clock.
double now_ms(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

struct Times {
  double wall = now_ms(CLOCK_MONOTONIC), processor = now_ms(CLOCK_PROCESS_CPUTIME_ID);
  Times since(const Times& before) const {
    return {wall - before.wall, processor - before.processor};
  }
};

media::Request request_of(bool in_place) {
  media::Request request;
  request.policy = media::Policy();
  request.in_place = in_place;
  request.makers = makers::all();
  return request;
}

void check(const tool::EditResult<tool::EditedFile>& result) {
  if (const auto* error = std::get_if<tool::EditError>(&result)) give_up(error->error.message);
  if (std::get<tool::EditedFile>(result).found.edits.empty()) give_up("there was nothing to do");
}

void copy(const char* in, const char* out) {
  const Times begin;
  struct Mark {
    uint64_t done;
    Times times;
  };
  std::vector<Mark> marks;
  uint64_t done = 0;
  const auto result = tool::edit_file(in, out, true, request_of(false), [&](uint64_t bytes) {
    marks.push_back({done += bytes, {}});
    return true;
  });
  const Times end;
  check(result);
  // Each byte of OUT is told of when it is written, and once more when it is searched.
  const uint64_t size = std::get<tool::EditedFile>(result).bytes;
  if (done != 2 * size) give_up("there was no search");
  const auto written = std::ranges::find(marks, size, &Mark::done);
  if (written == marks.end()) give_up("the end of the copy is not known");
  const Times write = written->times.since(begin), look = marks.back().times.since(written->times);
  const Times flush = end.since(marks.back().times);
  std::printf(
      "{\"write_ms\": %.2f, \"write_cpu_ms\": %.2f, \"look_ms\": %.2f, \"look_cpu_ms\": %.2f, "
      "\"flush_ms\": %.2f}\n",
      write.wall, write.processor, look.wall, look.processor, flush.wall);
}

void in_place(const char* path) {
  media::Request request = request_of(true);
  request.skip_pictures = true;
  const Times begin;
  check(tool::edit_file_in_place(path, true, request, nullptr));
  const Times quick = Times().since(begin);
  request.skip_pictures = false;
  const Times again;
  const auto passed = tool::edit_file_in_place(path, true, request, nullptr);
  const Times pass = Times().since(again);
  if (const auto* error = std::get_if<tool::EditError>(&passed)) give_up(error->error.message);
  std::printf("{\"ms\": %.2f, \"cpu_ms\": %.2f, \"pass_ms\": %.2f, \"pass_cpu_ms\": %.2f}\n",
              quick.wall, quick.processor, pass.wall, pass.processor);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "copy" && argc == 4)
    copy(argv[2], argv[3]);
  else if (what == "in-place" && argc == 3)
    in_place(argv[2]);
  else
    give_up("usage: media copy IN OUT | media in-place FILE");
  return 0;
}
