// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes a recording or a photo into one of a camera that says which lenses it has and how it was
// held. Exit status: 0 if so, 1 if the file can't be had or made, 2 if the command line is wrong.
//
//   camera-file IN OUT LENS COUNT YAW PITCH ROLL SERIAL
//
// LENS is a profile, or - for no table; COUNT entries of the track are all the same rotation. OUT
// is a JPEG, a DNG (of which IN is left out) or a video by its name. SERIAL stands beside them in a
// video, as on a camera.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "gst/sphere/lens/profile.h"
#include "gst/sphere/lens/table.h"
#include "gst/sphere/makers/madv_write.h"

using namespace sphere;
using Bytes = std::vector<uint8_t>;

namespace {

Bytes serial_box(const std::string& serial) {
  constexpr size_t size = 8 + 128;
  Bytes box = {0, 0, 0, size, 'c', 'a', 'i', 'f'};
  box.insert(box.end(), serial.begin(), serial.end());
  box.resize(size);
  return box;
}

Result<Bytes> make(const Bytes& in, const std::string& out, const makers::madv::CameraData& data,
                   const std::string& serial) {
  if (out.ends_with(".jpg")) return makers::madv::add_to_jpeg(in, data);
  if (out.ends_with(".dng")) return makers::madv::make_tiff(data, true);
  return makers::madv::add_to_video(in, makers::madv::make_box(data, 1000, serial_box(serial)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 9) return 2;
  makers::madv::CameraData data;
  if (const std::string lens = argv[3]; lens != "-") {
    const Result<LensPair> pair = load_profile(lens);
    if (!pair) return 1;
    Result<Bytes> table = make_table(*pair);
    if (!table) return 1;
    data.lens_table = std::move(*table);
  }
  const Mat3 m = rotation({std::atof(argv[5]), std::atof(argv[6]), std::atof(argv[7])});
  for (int n = 0; n < std::atoi(argv[4]); ++n)
    data.matrices.push_back(makers::madv::camera_matrix_of(m));
  std::ifstream in(argv[1], std::ios::binary);
  const Bytes bytes(std::istreambuf_iterator<char>(in), {});
  const Result<Bytes> made = make(bytes, argv[2], data, argv[8]);
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().message.c_str());
    return 1;
  }
  std::ofstream out(argv[2], std::ios::binary);
  out.write(reinterpret_cast<const char*>(made->data()),
            static_cast<std::streamsize>(made->size()));
  out.close();
  return out ? 0 : 1;
}
