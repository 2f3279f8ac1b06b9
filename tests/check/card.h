// SPDX-License-Identifier: LGPL-2.1-or-later
// Files on the card of an emulated camera, for tests that read them over the network.

#pragma once

// The standard library comes first: check defines `fail` as a macro.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "tests/check/emulator.h"
#include "tests/check/pipeline.h"

#include <gst/check/gstcheck.h>

namespace sphere::test {

inline std::string path_on_card(const Emulator& camera, const std::string& path) {
  return camera.card_folder() + "/" + path;
}

/// `path` begins with "DCIM/".
inline void put_file(const Emulator& camera, const std::string& path, const std::string& bytes) {
  const std::filesystem::path whole = path_on_card(camera, path);
  std::filesystem::create_directories(whole.parent_path());
  std::ofstream(whole, std::ios::binary) << bytes;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  fail_unless(file.good(), "%s", path.c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The URI of a file; `http_port`: another port of the web server, which may be closed.
inline std::string file_uri(const Emulator& camera, const std::string& path,
                            std::optional<uint16_t> http_port = {}) {
  std::string uri = camera.uri();
  const std::string live = "/live";
  uri.replace(uri.find(live), live.size(), "/" + path);
  if (http_port) {
    const std::string used = "http-port=" + std::to_string(camera.ports().http);
    uri.replace(uri.find(used), used.size(), "http-port=" + std::to_string(*http_port));
  }
  return uri;
}

/// Bytes that differ at each place, and can't be compressed.
inline std::string some_bytes(size_t size, uint32_t seed = 1) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<char>(seed >> 24);
  }
  return bytes;
}

/// The photos on the card, by path.
inline std::map<std::string, std::string> photos_on(const Emulator& camera) {
  std::map<std::string, std::string> photos;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(camera.card_folder() + "/DCIM"))
    if (entry.is_regular_file() && entry.path().extension() == ".JPG")
      photos.emplace(entry.path().string(), read_file(entry.path().string()));
  return photos;
}

inline std::string bytes_of(GstSample* sample) {
  GstMapInfo map;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  fail_unless(gst_buffer_map(buffer, &map, GST_MAP_READ));
  std::string bytes(reinterpret_cast<const char*>(map.data), map.size);
  gst_buffer_unmap(buffer, &map);
  return bytes;
}

/// All bytes up to the end of the stream.
inline std::string pull_all(Pipeline& pipeline) {
  std::string bytes;
  while (const SampleRef sample = pipeline.pull()) bytes += bytes_of(sample.get());
  return bytes;
}

}  // namespace sphere::test
