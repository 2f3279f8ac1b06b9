// SPDX-License-Identifier: LGPL-2.1-or-later
// Files over HTTPS: the first certificate of a camera is trusted, and no other one afterwards. The
// certificates are made by openssl(1).

#include <map>
#include <memory>
#include <string>

#include "hw/madv/uri.h"
#include "hw/web_file.h"
#include "tests/check/emulator.h"
#include "tests/check/same.h"

#include <gst/check/gstcheck.h>

using namespace sphere;

namespace {

/// A certificate and its key as PEM, like that of a camera; empty without openssl(1).
std::string make_certificate() {
  g_autofree char* program = g_find_program_in_path("openssl");
  if (!program) return {};
  g_autofree char* folder = g_dir_make_tmp("sphere-test-XXXXXX", nullptr);
  const std::string key = std::string(folder) + "/key", certificate = std::string(folder) + "/cert";
  const char* words[] = {program,
                         "req",
                         "-x509",
                         "-newkey",
                         "ec",
                         "-pkeyopt",
                         "ec_paramgen_curve:prime256v1",
                         "-nodes",
                         "-days",
                         "1",
                         "-subj",
                         "/O=MADV/CN=192.168.42.1",
                         "-keyout",
                         key.c_str(),
                         "-out",
                         certificate.c_str(),
                         nullptr};
  int status = 0;
  g_autoptr(GError) error = nullptr;
  const bool ran = g_spawn_sync(
      nullptr, const_cast<char**>(words), nullptr,
      static_cast<GSpawnFlags>(G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL), nullptr,
      nullptr, nullptr, nullptr, &status, &error);
  fail_unless(ran && g_spawn_check_wait_status(status, &error), "%s", error ? error->message : "");
  std::string pem;
  for (const std::string& path : {key, certificate}) {
    g_autofree char* text = nullptr;
    fail_unless(g_file_get_contents(path.c_str(), &text, nullptr, nullptr));
    pem += text;
  }
  return pem;
}

bool can_try() {
  if (!g_tls_backend_supports_tls(g_tls_backend_get_default())) {
    g_print("SKIP: GLib has no TLS here; glib-networking has it\n");
    return false;
  }
  static const bool has_program = !make_certificate().empty();
  if (!has_program) g_print("SKIP: openssl is not here\n");
  return has_program;
}

/// As the machine's memory of certificates, for one camera at any port.
class Pins : public hw::CertificatePins {
 public:
  bool accept(const std::string& server, const std::string& fingerprint) override {
    ++asked;
    fail_unless(server.starts_with("127.0.0.1:") && fingerprint.size() == 64);
    if (known.empty()) known = fingerprint;
    return known == fingerprint;
  }
  std::string known;
  int asked = 0;
};

constexpr const char* content = "\xff\xd8 a photo of the card \xff\xd9";

std::unique_ptr<test::Emulator> camera_with(const std::string& certificate) {
  test::EmulatorOptions options = test::control_only();
  options.certificate = certificate;
  auto camera = test::started(std::move(options));
  fail_unless(
      g_file_set_contents((camera->card_folder() + "/DCIM/IMG.JPG").c_str(), content, -1, nullptr));
  return camera;
}

/// Where the photo is over HTTPS; the address over HTTP leads nowhere.
hw::FileAddress address_of(const test::Emulator& camera) {
  madv::Uri uri = *madv::Uri::parse(camera.uri());
  uri.file = "DCIM/IMG.JPG";
  return {"http://127.0.0.1:9/IMG.JPG", uri.https_url()};
}

struct Got {
  std::string bytes;
  hw::WebFileReader::Outcome outcome;
};
Got read(hw::WebFileReader& reader, const hw::FileAddress& address,
         hw::WebFileReader::Part part = {}) {
  Got got;
  got.outcome = reader.read(
      address, part,
      [&](std::string_view bytes) {
        got.bytes += bytes;
        return ok();
      },
      nullptr);
  return got;
}

/// Reads a file, and within the reading, as soon as its first bytes are there, reads it again, down
/// to `depth`: so many connections are in use at a time. Returns how many readings were complete.
int read_within_reading(hw::WebFileReader& reader, const hw::FileAddress& address, int depth,
                        size_t size) {
  int complete = 0;
  size_t got = 0;
  const auto outcome = reader.read(
      address, {},
      [&](std::string_view bytes) {
        if (got == 0 && depth > 1)
          complete += read_within_reading(reader, address, depth - 1, size);
        got += bytes.size();
        return ok();
      },
      nullptr);
  return complete + (!outcome.failure && got == size);
}

}  // namespace

GST_START_TEST(the_first_certificate_is_trusted_and_no_other) {
  if (!can_try()) return;
  const std::string first = make_certificate(), other = make_certificate();
  fail_unless(first != other);
  const auto camera = camera_with(first);
  fail_unless(camera->ports().https != 0);
  Pins pins;
  {
    hw::WebFileReader reader(&pins, std::chrono::seconds(30));
    const Got whole = read(reader, address_of(*camera));
    fail_unless(!whole.outcome.failure, "%s", whole.outcome.failure->message.c_str());
    fail_unless_equals_string(whole.bytes.c_str(), content);
    const Got end = read(reader, address_of(*camera), {5, std::nullopt});
    fail_unless(!end.outcome.failure);
    fail_unless_equals_string(end.bytes.c_str(), content + 5);
  }
  fail_unless(pins.asked >= 1 && !pins.known.empty());

  // The same camera after a restart.
  const auto again = camera_with(first);
  hw::WebFileReader later(&pins, std::chrono::seconds(30));
  fail_unless(!read(later, address_of(*again)).outcome.failure);

  // Another device in its place.
  const auto impostor = camera_with(other);
  hw::WebFileReader reader(&pins, std::chrono::seconds(30));
  const Got refused = read(reader, address_of(*impostor));
  fail_unless(refused.outcome.failure.has_value() && refused.bytes.empty());
  fail_unless(refused.outcome.failure->reason == hw::Failure::Reason::refused);
  fail_unless(refused.outcome.failure->message.find("erase --store pins") != std::string::npos,
              "%s", refused.outcome.failure->message.c_str());
}
GST_END_TEST;

GST_START_TEST(a_file_that_is_no_certificate_is_told_of) {
  test::EmulatorOptions options = test::control_only();
  options.certificate = "-----BEGIN NONSENSE-----\n";
  const auto camera = test::Emulator::start(std::move(options));
  fail_unless(!camera);
  fail_unless(camera.error().message.find("certificate") != std::string::npos);
}
GST_END_TEST;

// A camera without HTTPS says no port of it, and has the older firmware.
GST_START_TEST(without_a_certificate_there_is_no_https) {
  const auto camera = test::started(test::control_only());
  fail_unless_equals_int(camera->ports().https, 0);
  for (const auto& [name, port] : camera->named_ports()) fail_unless(name != "https-port");
}
GST_END_TEST;

// libsoup counts connections that the camera has closed, too, and at its limit, which is two by
// default, waits for one of them without an end.
GST_START_TEST(many_readings_at_a_time) {
  constexpr int readings = 6;
  const std::string large(1 << 20, 'x');
  const auto camera = camera_with({});
  test::write_file(camera->card_folder() + "/DCIM/LARGE.JPG", large);
  madv::Uri uri = *madv::Uri::parse(camera->uri());
  uri.file = "DCIM/LARGE.JPG";
  hw::WebFileReader reader(nullptr, std::chrono::seconds(30));
  ck_assert_int_eq(read_within_reading(reader, {uri.http_url(), {}}, readings, large.size()),
                   readings);
}
GST_END_TEST;

static Suite* web_file_suite() {
  Suite* suite = suite_create("web_file");
  TCase* tc = tcase_create("web_file");
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, the_first_certificate_is_trusted_and_no_other);
  tcase_add_test(tc, a_file_that_is_no_certificate_is_told_of);
  tcase_add_test(tc, without_a_certificate_there_is_no_https);
  tcase_add_test(tc, many_readings_at_a_time);
  suite_add_tcase(suite, tc);
  return suite;
}

GST_CHECK_MAIN(web_file)
