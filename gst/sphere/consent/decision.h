// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether caps say that something is given: categories, purposes, and the closed-world decision.

#pragma once

#include <gst/gst.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sphere::consent {

/// What is given. The order is that of `categories`.
enum class Category { location, audio, storage, device, network, environment, statistics };

/// What for.
enum class Purpose { geotag, camera, share, live, record, edit, save, bind, repair, improve };

/// How exact a place may be, from the exact one to the coarsest.
enum class Precision { exact, street, neighbourhood, city, country };

inline constexpr std::array<std::string_view, 10> purpose_names = {
    "geotag", "camera", "share", "live", "record", "edit", "save", "bind", "repair", "improve"};
inline constexpr std::array<std::string_view, 5> precision_names = {
    "exact", "street", "neighbourhood", "city", "country"};

/// A set of purposes, one bit each.
using Purposes = uint32_t;
constexpr Purposes bit(Purpose purpose) { return Purposes{1} << static_cast<int>(purpose); }

struct CategoryInfo {
  Category category;
  std::string_view name;
  bool sensitive;
  Purposes purposes;
};

/// The table of all categories and their purposes.
inline constexpr std::array<CategoryInfo, 7> categories = {{
    {Category::location, "location", true,
     bit(Purpose::geotag) | bit(Purpose::camera) | bit(Purpose::share)},
    {Category::audio, "audio", true,
     bit(Purpose::live) | bit(Purpose::record) | bit(Purpose::edit) | bit(Purpose::share)},
    {Category::storage, "storage", true, bit(Purpose::save)},
    {Category::device, "device", false, bit(Purpose::bind) | bit(Purpose::share)},
    {Category::network, "network", false, bit(Purpose::bind)},
    {Category::environment, "environment", false, bit(Purpose::repair)},
    {Category::statistics, "statistics", false, bit(Purpose::improve)},
}};

constexpr const CategoryInfo& info_of(Category category) {
  return categories[static_cast<size_t>(category)];
}
constexpr std::string_view name_of(Category category) { return info_of(category).name; }
constexpr std::string_view name_of(Purpose purpose) {
  return purpose_names[static_cast<size_t>(purpose)];
}
constexpr std::string_view name_of(Precision precision) {
  return precision_names[static_cast<size_t>(precision)];
}
std::optional<Category> category_of(std::string_view name);
std::optional<Purpose> purpose_of(std::string_view name);
std::optional<Precision> precision_of(std::string_view name);

/// What a grant without a `purpose` is for: all that is not sharing.
constexpr Purposes default_purposes(Category category) {
  return info_of(category).purposes & ~bit(Purpose::share);
}
/// The grid, in degrees, to which a place is rounded before it is written or sent; 0: as it is.
double grid_degrees(Precision precision);

/// An expiry that never comes.
inline constexpr int64_t never = std::numeric_limits<int64_t>::max();
/// The value of now() for a clock that is not set or went backwards: grants with an expiry are
/// denied.
inline constexpr int64_t no_clock = -1;

/// The answer to "may this be done now?". `reason` says in words why, also when it is allowed.
struct Answer {
  bool allowed = false;
  Precision precision = Precision::country;
  std::string reason;
  /// A problem that a person has to solve before a source can be used again, such as a damaged
  /// ledger; empty: none. With a problem, everything is denied.
  std::string problem;
  /// When an allowed answer ends by itself, microseconds since 1970 UTC.
  int64_t expires = never;
};

/// Everything that is not given in the known form is denied. Caps that contain anything but
/// grants (another structure, caps features) are denied as a whole, because what is not understood
/// may be a restriction. `now_utc_us` is microseconds since
/// 1970.
Answer evaluate(const GstCaps* caps, Category category, Purpose purpose, int64_t now_utc_us);

/// Allowed if there is at least one answer and all of them allow. Their order does not matter.
Answer strictest(std::span<const Answer> answers);

/// The time that an `expires` names, microseconds since 1970: `2027-01-01` (its first moment) or
/// `2027-01-01T12:00:00Z` (seconds and their fraction may be left out). Nothing if it is neither.
std::optional<int64_t> parse_expiry(std::string_view text);

/// Descriptions of everything in the caps that is not a valid grant. Empty caps have no problem.
std::vector<std::string> problems_of(const GstCaps* caps);

/// What a caps text gives, and where it is wrong, in words.
struct CapsCheck {
  std::vector<std::string> grants;
  std::vector<std::string> problems;
};
CapsCheck check_caps_text(std::string_view text, int64_t now_utc_us);

}  // namespace sphere::consent
