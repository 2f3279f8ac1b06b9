// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/storage/binding.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "gst/sphere/base/json.h"
#include "gst/sphere/base/json_writer.h"
#include "gst/sphere/base/md5.h"
#include "gst/sphere/consent/chain.h"
#include "gst/sphere/consent/private_file.h"
#include "gst/sphere/storage/stores.h"

namespace sphere::storage {

namespace {

// Serial numbers have about 16 characters, Wi-Fi names at most 32 bytes.
constexpr size_t max_text = 128;
constexpr size_t max_file = 4096;
constexpr size_t name_length = 32;

bool is_text(const std::string& text) {
  return text.size() <= max_text &&
         g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) &&
         std::none_of(text.begin(), text.end(), [](char c) { return g_ascii_iscntrl(c); });
}

Status check(const Binding& binding) {
  if (binding.serial.empty()) return invalid("the camera does not tell its serial number");
  for (const std::string* text :
       {&binding.model, &binding.serial, &binding.firmware, &binding.wifi})
    if (!is_text(*text)) return invalid("the camera's answer has a name that is not valid");
  if (!binding.table.empty() && read_md5(binding.table) != binding.table)
    return invalid("this is not an MD5");
  return ok();
}

}  // namespace

std::string binding_path(const std::string& serial) {
  return path_of(Store::cameras) + "/" + consent::sha256(serial).substr(0, name_length) + ".json";
}

Status write_binding(const Binding& binding) {
  if (const Status checked = check(binding); !checked) return checked;
  if (const auto folder = make_folder(Store::cameras); !folder) return folder.error();
  JsonWriter json;
  json.add("model", binding.model);
  json.add("serial", binding.serial);
  json.add("firmware", binding.firmware);
  json.add("wifi", binding.wifi);
  if (!binding.table.empty()) json.add("table", binding.table);
  const std::string text = json.finish_text();
  g_autoptr(GError) error = nullptr;
  if (!g_file_set_contents_full(binding_path(binding.serial).c_str(), text.data(),
                                static_cast<gssize>(text.size()), G_FILE_SET_CONTENTS_CONSISTENT,
                                0600, &error))
    return failed(std::string("the data about this camera can't be stored: ") + error->message);
  return ok();
}

Result<Binding> read_binding(const std::string& path) {
  const auto file = consent::open_private(path, O_RDONLY);
  if (!file) return file.error();
  std::string text(max_file + 1, '\0');
  const ssize_t size = pread(file->descriptor.get(), text.data(), text.size(), 0);
  if (size < 0) return failed(path + " can't be read: " + std::strerror(errno));
  text.resize(static_cast<size_t>(size));
  auto document = JsonDocument::parse(text, path, max_file);
  if (!document) return document.error();
  const JsonValue root = document->root();
  root.expect_only({"model", "serial", "firmware", "wifi", "table"});
  Binding binding{.model = root["model"].text(max_text),
                  .serial = root["serial"].text(max_text),
                  .firmware = root["firmware"].text(max_text),
                  .wifi = root["wifi"].text(max_text),
                  .table = {}};
  if (const JsonValue table = root.optional("table"); table.present()) binding.table = table.text();
  if (document->problem()) return *document->problem();
  if (const Status checked = check(binding); !checked)
    return invalid(path + ": " + checked.error().message);
  return binding;
}

Status remove_binding(const std::string& serial) {
  const std::string path = binding_path(serial);
  const auto binding = read_binding(path);
  Status done = erase(StoredFile{.store = Store::cameras, .path = path});
  if (binding && !binding->table.empty()) {
    const Status table = erase(StoredFile{
        .store = Store::tables, .path = path_of(Store::tables) + "/" + binding->table + ".bin"});
    if (!table) return table;
  }
  return done;
}

}  // namespace sphere::storage
