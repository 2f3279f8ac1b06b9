// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/camera.h"

#include <algorithm>

#include "gst/sphere/base/printable.h"
#include "gst/sphere/base/thread.h"

namespace sphere::hw {

namespace {

struct Registry {
  Mutex mutex;  // protects `families`; the innermost
  std::vector<const CameraFamily*> families SPHERE_GUARDED_BY(mutex);
};

/// Made at its first use, because the order of static objects in different files is not defined.
Registry& registry() {
  static Registry one;
  return one;
}

// How many CameraThread objects this thread has.
thread_local int camera_threads = 0;

}  // namespace

CameraThread::CameraThread() { ++camera_threads; }
CameraThread::~CameraThread() { --camera_threads; }
bool CameraThread::is_this() { return camera_threads > 0; }

RegisterFamily::RegisterFamily(const CameraFamily& family) {
  Registry& all = registry();
  const Lock lock(all.mutex);
  all.families.push_back(&family);
  std::ranges::sort(all.families, {},
                    [](const CameraFamily* one) { return std::string_view(one->scheme); });
}

void CameraStats::add_answer(std::chrono::microseconds duration) {
  size_t i = 0;
  while (i < limits_ms.size() && duration > std::chrono::milliseconds(limits_ms[i])) ++i;
  ++durations[i];
}

CameraStats& CameraStats::operator+=(const CameraStats& other) {
  requests += other.requests;
  errors += other.errors;
  for (size_t i = 0; i < durations.size(); ++i) durations[i] += other.durations[i];
  return *this;
}

CameraStats& CameraStats::operator-=(const CameraStats& earlier) {
  requests -= earlier.requests;
  errors -= earlier.errors;
  for (size_t i = 0; i < durations.size(); ++i) durations[i] -= earlier.durations[i];
  return *this;
}

void Camera::mark(Handler handler) {
  handler({.failure = {Failure::Reason::refused, "this camera can't mark a recording"}});
}

std::vector<const CameraFamily*> camera_families() {
  Registry& all = registry();
  const Lock lock(all.mutex);
  return all.families;
}

Result<const CameraFamily*> find_family(std::string_view location) {
  const std::vector<const CameraFamily*> all = camera_families();
  const size_t colon = location.find(':');
  const std::string scheme(location.substr(0, colon == std::string_view::npos ? 0 : colon));
  std::string known;
  for (const CameraFamily* family : all) {
    if (g_ascii_strcasecmp(family->scheme, scheme.c_str()) == 0) return family;
    known += (known.empty() ? "" : ", ") + std::string(family->scheme) + "://";
  }
  // The text before an @ may contain a password.
  const bool secret = location.find('@') != std::string_view::npos;
  return invalid((secret ? std::string("this") : "'" + printable(location, 200) + "'") +
                 " is not the URI of a camera: it must begin with " + known);
}

Result<CameraLocation> split_location(const CameraFamily& family, std::string_view location) {
  if (family.split_location) return family.split_location(location);
  if (const Status status = family.check_location(location); !status) return status.error();
  return CameraLocation{std::string(location), {}};
}

const char* default_location() {
  const std::vector<const CameraFamily*> all = camera_families();
  for (const CameraFamily* family : all)
    if (family->default_location) return family->default_location;
  return "";
}

}  // namespace sphere::hw
