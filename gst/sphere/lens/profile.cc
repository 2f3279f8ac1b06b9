// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/profile.h"

#include <gio/gio.h>

#include <algorithm>
#include <set>

#include "gst/sphere/base/file.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/json.h"
#include "gst/sphere/lens/calibration_file.h"
#include "gst/sphere/lens/pto.h"
#include "gst/sphere/lens/recording.h"
#include "gst/sphere/lens/table.h"

namespace sphere {

namespace {

constexpr const char* resource_folder = "/org/gstsphere/profiles/";
constexpr const char* suffix = ".json";
// A text with one of these endings is a path, even without a `/`.
constexpr std::string_view file_suffixes[] = {".json", ".bin", ".pto", ".yaml", ".yml",
                                              ".xml",  ".mp4", ".jpg", ".dng"};

struct Layout {
  bool over_under;
  Size frame;

  Region region(bool second) const {
    const double w = frame.width, h = frame.height;
    if (over_under) return {0, second ? h / 2 : 0, w, second ? h : h / 2};
    return {second ? w / 2 : 0, 0, second ? w : w / 2, h};
  }
};

bool read_position(const JsonValue& value, const Layout& layout) {
  return layout.over_under ? value.choice({"top", "bottom"}) == 1
                           : value.choice({"left", "right"}) == 1;
}

Lens read_lens(const JsonValue& value, const Layout& layout, bool is_back) {
  value.expect_only({"position", "model", "fov", "radius", "centre", "rotation", "coefficients",
                     "vignette", "gain"});
  Lens lens;
  lens.region = layout.region(read_position(value["position"], layout));

  const auto kind = static_cast<ModelKind>(
      value["model"].choice({model_names[0], model_names[1], model_names[2], model_names[3],
                             model_names[4], model_names[5], model_names[6]}));
  const double largest = 4.0 * std::max(layout.frame.width, layout.frame.height);
  const double fov = radians(value["fov"].number(60, 358));
  const double radius = value["radius"].number(1, largest);

  lens.centre = {(lens.region.left + lens.region.right) / 2,
                 (lens.region.top + lens.region.bottom) / 2};
  if (const JsonValue centre = value.optional("centre"); centre.present()) {
    const std::vector<double> c = centre.numbers(2, -largest, largest);
    lens.centre = {c[0], c[1]};
    const Region& r = lens.region;
    if (c[0] < r.left || c[0] > r.right || c[1] < r.top || c[1] > r.bottom)
      centre.complain("lies outside the part of the frame that `position` gives this lens");
  }

  std::array<double, 4> k{};
  const JsonValue coefficients = value.optional("coefficients");
  if (kind == ModelKind::kannala_brandt) {
    const std::vector<double> c = value["coefficients"].numbers(4, -10, 10);
    std::copy(c.begin(), c.end(), k.begin());
  } else if (kind == ModelKind::panotools) {
    const std::vector<double> c = value["coefficients"].numbers(5, -largest, largest);
    std::copy(c.begin(), c.begin() + 3, k.begin());
    lens.centre.x += c[3];
    lens.centre.y += c[4];
  } else if (kind == ModelKind::double_sphere) {
    const std::vector<double> c = value["coefficients"].numbers(2, -10, 10);
    std::copy(c.begin(), c.end(), k.begin());
  } else if (coefficients.present()) {
    coefficients.complain(
        "only kannala-brandt (k1 k2 k3 k4), panotools (a b c d e) and double-sphere (xi alpha) "
        "have coefficients");
  }

  const Result<RadialModel> model = RadialModel::make(kind, fov, radius, k);
  if (model)
    lens.model = *model;
  else
    value["fov"].complain(model.error().message);

  Angles angles;
  if (const JsonValue rotation_value = value.optional("rotation"); rotation_value.present()) {
    const std::vector<double> a = rotation_value.numbers(3, -360, 360);
    angles = {a[0], a[1], a[2]};
  }
  lens.to_camera = rotation({is_back ? 180.0 : 0.0, 0, 0}) * rotation(angles);

  if (const JsonValue vignette = value.optional("vignette"); vignette.present()) {
    const std::vector<double> v = vignette.numbers(3, -4, 4);
    lens.vignette = {v[0], v[1], v[2]};
    for (int i = 0; i <= 32; ++i) {
      if (lens.vignette.at(i / 32.0) < 0.05) {
        vignette.complain("leaves less than 5 % of the light inside the image circle");
        break;
      }
    }
  }
  lens.gain = value.optional("gain").number_or(1, 0.1, 10);
  return lens;
}

Result<std::string> read_profile(const std::string& path,
                                 size_t limit = JsonDocument::default_max_size) {
  return read_file(path, limit, "lens profile");
}

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::vector<std::string> profile_folders() {
  std::vector<std::string> folders;
  if (const char* path = g_getenv("GST_SPHERE_PROFILE_PATH")) {
    g_auto(GStrv) parts = g_strsplit(path, G_SEARCHPATH_SEPARATOR_S, -1);
    for (char** part = parts; *part; ++part)
      if (**part) folders.emplace_back(*part);
  }
  const auto add = [&](const char* base) {
    folders.push_back(std::string(base) + "/gst-sphere/profiles");
  };
  add(g_get_user_data_dir());
  for (const char* const* base = g_get_system_data_dirs(); *base; ++base) add(*base);
  return folders;
}

}  // namespace

Result<LensPair> parse_profile(std::string_view text, const std::string& name) {
  Result<JsonDocument> parsed = JsonDocument::parse(text, name);
  if (!parsed) return parsed.error();
  JsonDocument& document = *parsed;
  const JsonValue root = document.root();

  root["format"].choice({"gst-sphere-lens"});
  root["version"].integer(1, 1);
  root.expect_only({"format", "version", "name", "description", "source", "frame", "layout",
                    "baseline", "lenses"});
  LensPair pair;
  pair.name = root["name"].text(64);
  root.optional("description").text(4096);
  root.optional("source").text(4096);
  const std::vector<double> frame = root["frame"].numbers(2, 16, 32768);
  if (frame[0] != std::floor(frame[0]) || frame[1] != std::floor(frame[1]))
    root["frame"].complain("whole pixels expected");
  pair.frame = {static_cast<int>(frame[0]), static_cast<int>(frame[1])};
  pair.baseline = root.optional("baseline").number_or(0, 0, 10);

  const JsonValue layout_value = root["layout"];
  const Layout layout = {layout_value.choice({"side-by-side", "over-under"}) == 1, pair.frame};
  const JsonValue lenses = root["lenses"];
  lenses.expect_only({"front", "back"});
  const JsonValue front = lenses["front"], back = lenses["back"];
  // The error about a missing lens is reported already; its members would only repeat it.
  if (!document.problem()) {
    pair.front = read_lens(front, layout, false);
    pair.back = read_lens(back, layout, true);
  }
  if (!document.problem() &&
      read_position(front["position"], layout) == read_position(back["position"], layout))
    back["position"].complain("is the position of the front lens");
  if (!document.problem() &&
      angle_between(pair.front.axis(), pair.back.axis()) < min_axis_separation)
    lenses.complain(
        "with these rotations the directions of the two lenses differ by less than 120 degrees");
  if (document.problem()) return *document.problem();
  return pair;
}

Result<LensPair> parse_lens_text(std::string_view text, const std::string& name) {
  if (looks_like_calibration(text)) return parse_calibration(text, name);
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  if (!json && looks_like_pto(text)) return parse_pto(text, name);
  return parse_profile(text, name);
}

Result<LensPair> load_profile(const std::string& name_or_file) {
  if (is_profile_text(name_or_file)) return parse_profile(name_or_file, "the given profile");
  // Cameras write the endings in capitals.
  const GString_ lower(g_ascii_strdown(name_or_file.c_str(), -1));
  const bool is_file =
      name_or_file.find('/') != std::string::npos ||
      std::any_of(std::begin(file_suffixes), std::end(file_suffixes),
                  [&](auto end) { return std::string_view(lower.get()).ends_with(end); });
  if (is_file) {
    Result<std::string> text = read_profile(name_or_file);
    if (!text) return text.error();
    if (is_recording(bytes_of(*text))) return lens_of_recording(name_or_file);
    if (!looks_like_table(bytes_of(*text))) return parse_lens_text(*text, name_or_file);
    text = read_profile(name_or_file, largest_table);
    if (!text) return text.error();
    return parse_table(bytes_of(*text), name_or_file);
  }
  for (const std::string& folder : profile_folders()) {
    const std::string path = folder + "/" + name_or_file + suffix;
    if (!g_file_test(path.c_str(), G_FILE_TEST_IS_REGULAR)) continue;
    const Result<std::string> text = read_profile(path);
    if (!text) return text.error();
    return parse_profile(*text, path);
  }
  const std::string resource = resource_folder + name_or_file + suffix;
  if (const BytesRef bytes{
          g_resources_lookup_data(resource.c_str(), G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr)}) {
    gsize size = 0;
    const auto* data = static_cast<const char*>(g_bytes_get_data(bytes.get(), &size));
    return parse_profile({data, size}, "the built-in profile " + name_or_file);
  }
  const std::string missing = "there is no lens profile '" + name_or_file + "'; ";
  if (g_file_test(name_or_file.c_str(), G_FILE_TEST_IS_REGULAR))
    return not_found(missing + "for a file with this name, write ./" + name_or_file);
  std::string known;
  for (const std::string& name : profile_names()) known += (known.empty() ? "" : ", ") + name;
  return not_found(missing + "known are " + known + ", or the path of a file");
}

std::vector<std::string> profile_names() {
  std::set<std::string> names;
  const auto add = [&](std::string_view file) {
    if (file.ends_with(suffix))
      names.emplace(file.substr(0, file.size() - std::string_view(suffix).size()));
  };
  g_auto(GStrv) built_in =
      g_resources_enumerate_children(resource_folder, G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr);
  for (char** file = built_in; file && *file; ++file) add(*file);
  for (const std::string& folder : profile_folders()) {
    if (g_autoptr(GDir) dir = g_dir_open(folder.c_str(), 0, nullptr))
      while (const char* file = g_dir_read_name(dir)) add(file);
  }
  return {names.begin(), names.end()};
}

}  // namespace sphere
