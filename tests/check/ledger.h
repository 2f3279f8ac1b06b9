// SPDX-License-Identifier: LGPL-2.1-or-later
// What tests of the consent ledger share: a folder with one in it, acts, and how a pipeline sees
// it.

#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "gst/sphere/consent/chain.h"
#include "gst/sphere/consent/ledger.h"
#include "gst/sphere/consent/source.h"

#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

using namespace sphere;
using namespace sphere::consent;

inline constexpr int64_t begin = INT64_C(1793000000) * G_USEC_PER_SEC;

/// A folder of its own with a ledger in it.
class LedgerFolder {
 public:
  LedgerFolder() : folder_(g_dir_make_tmp("sphere-ledger-XXXXXX", nullptr)) {}
  ~LedgerFolder() {
    for (const char* name : {"/l", "/l.denied", "/l.other", "/other"})
      g_unlink((std::string(folder_.get()) + name).c_str());
    g_rmdir(folder_.get());
  }
  std::string path(const char* name = "/l") const { return std::string(folder_.get()) + name; }
  Ledger ledger() const { return Ledger(path()); }
  std::string text() const {
    char* bytes = nullptr;
    gsize size = 0;
    if (!g_file_get_contents(path().c_str(), &bytes, &size, nullptr)) return {};
    std::string copy(bytes, size);
    g_free(bytes);
    return copy;
  }
  void put(const std::string& text) const {
    const int file = open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    fail_unless(file >= 0 &&
                write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    close(file);
  }

 private:
  GString_ folder_;
};

inline Entry give(Category category, Purposes purposes = 0) {
  return {.act = Act::give,
          .category = category,
          .purposes = purposes ? purposes : default_purposes(category),
          .how = "command"};
}
inline Entry withdraw(Category category) {
  return {.act = Act::withdraw, .category = category, .how = "command"};
}
inline Entry plain(Act act) { return {.act = act, .how = "command"}; }

inline Ledger::Appended must(Result<Ledger::Appended> result) {
  fail_unless(bool(result), "%s", result ? "" : result.error().message.c_str());
  return *result;
}

inline bool allows(const CapsRef& caps, Category category, Purpose purpose, int64_t now) {
  return evaluate(caps.get(), category, purpose, now).allowed;
}
/// Whether a pipeline that checks the ledger now finds consent to sound.
inline bool sound_given(GrantSource& source) {
  source.version();
  const auto grants = source.grants(Category::audio, Purpose::live);
  return evaluate(grants.caps.get(), Category::audio, Purpose::live, g_get_real_time()).allowed;
}
inline std::string problem_of(GrantSource& source) {
  source.version();
  return source.grants(Category::audio, Purpose::live).problem;
}
inline uint64_t taken(GrantSource& source) {
  return source.grants(Category::audio, Purpose::live).taken;
}
inline std::shared_ptr<GrantSource> opened(const LedgerFolder& place) {
  const auto source = open_ledger(place.path());
  fail_unless(bool(source), "%s", source ? "" : source.error().message.c_str());
  return *source;
}

inline bool live(const Ledger& ledger, int64_t now) {
  const auto chain = ledger.read();
  return chain && allows(caps_of(*chain, now), Category::audio, Purpose::live, now);
}
