// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/output.h"

#include <array>

namespace sphere::live {

using consent::bit;
using consent::Purpose;

namespace {

constexpr size_t kinds = static_cast<size_t>(TargetKind::window) + 1;

/// A static object of another file may be made before this file's own.
std::array<OutputFactory, kinds>& factories() {
  static std::array<OutputFactory, kinds> all{};
  return all;
}

}  // namespace

std::string_view name_of(OutputState state) {
  static constexpr std::array<std::string_view, 5> names = {"connecting", "running", "failing",
                                                            "waiting", "ended"};
  return names[static_cast<size_t>(state)];
}

OutputRegistration::OutputRegistration(TargetKind kind, OutputFactory factory) {
  factories()[static_cast<size_t>(kind)] = factory;
}

Result<std::unique_ptr<Output>> make_output(const Target& target) {
  const OutputFactory factory = factories()[static_cast<size_t>(target.kind)];
  if (!factory)
    return unsupported("this build can't stream to '" + std::string(name_of(target.kind)) + "'");
  return factory(target);
}

consent::Purposes audio_purposes(const Target& target) {
  if (target.kind == TargetKind::file) return bit(Purpose::record);
  return bit(Purpose::live) | (target.leaves ? bit(Purpose::share) : 0);
}

consent::Purposes location_purposes(const Target& target) {
  if (target.kind == TargetKind::window) return 0;  // nothing is written or sent
  return bit(Purpose::geotag) | (target.leaves ? bit(Purpose::share) : 0);
}

}  // namespace sphere::live
