// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/pto.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/number.h"
#include "gst/sphere/lens/fit.h"

namespace sphere {

namespace {

// A project with hundreds of images is not a pair, and to follow its links would only take time.
constexpr size_t most_images = 64;
// Hugin's values are for linear light; pictures are not linear.
constexpr double encoding = 1 / 2.2;
// From this aspect ratio on, an image of the file is the frame with both circles.
constexpr double frame_shape = 1.5;
constexpr double fit_tolerance = 0.1;  // pixels

std::string shown(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(text, sizeof text, "%.10g", value);
}

/// The values of one image's line, and the first error in them.
class Image {
 public:
  Image(std::string name, int line, int number)
      : where_(std::move(name) + ": line " + std::to_string(line) + " (image " +
               std::to_string(number) + ")") {}

  std::map<std::string, double> values;
  std::map<std::string, int> links;
  std::optional<std::array<double, 4>> crop;
  std::optional<Error> problem;

  void complain(const std::string& what) {
    if (!problem) problem = invalid(where_ + ": " + what);
  }
  double number(const std::string& field, double min, double max, double fallback) {
    const auto found = values.find(field);
    if (found == values.end()) return fallback;
    if (!(found->second >= min && found->second <= max)) {
      complain(field + " is " + shown(found->second) + ", must be within " + shown(min) + " and " +
               shown(max));
      return fallback;
    }
    return found->second;
  }
  double needed(const std::string& field, double min, double max) {
    if (!values.count(field)) complain(field + " is missing");
    return number(field, min, max, min);
  }

 private:
  std::string where_;
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void read_crop(const std::string& text, Image& image) {
  std::array<double, 4> crop{};
  g_auto(GStrv) parts = g_strsplit(text.c_str(), ",", 5);
  if (g_strv_length(parts) != 4) return image.complain("S must be four numbers");
  for (int i = 0; i < 4; ++i) {
    const auto value = parse_number(parts[i]);
    if (!value || std::abs(*value) > 1e6) return image.complain("S must be four numbers");
    crop[i] = *value;
  }
  // Hugin writes 0,0,0,0 for no crop.
  if (crop == std::array<double, 4>{}) return;
  if (!(crop[1] - crop[0] >= 16 && crop[3] - crop[2] >= 16))
    return image.complain("S must be left, right, top, bottom, at least 16 pixels apart");
  image.crop = crop;
}

void read_line(std::string_view line, Image& image) {
  for (size_t at = 1; at < line.size();) {
    while (at < line.size() && is_blank(line[at])) ++at;
    const size_t begin = at;
    bool quoted = false;
    for (; at < line.size() && (quoted || !is_blank(line[at])); ++at)
      if (line[at] == '"') quoted = !quoted;
    const std::string_view token = line.substr(begin, at - begin);
    if (token.empty()) continue;
    size_t letters = 0;
    while (letters < token.size() && g_ascii_isalpha(token[letters])) ++letters;
    // `n"name"` and similar values are not about the lens.
    if (letters < token.size() && token[letters] == '"') continue;
    // A number that is not finite would look like part of the name: "vnan", "vinf".
    static constexpr std::string_view fields[] = {
        "w", "h", "f",   "v",   "a",   "b",   "c",  "d",  "e",  "g",  "t",  "y",
        "p", "r", "TrX", "TrY", "TrZ", "Eev", "Va", "Vb", "Vc", "Vd", "Vx", "Vy"};
    std::string field(token.substr(0, letters));
    std::string rest(token.substr(letters));
    for (const char* word : {"nan", "inf", "infinity"}) {
      const std::string lower(GString_(g_ascii_strdown(field.c_str(), -1)).get());
      if (lower.size() > std::string_view(word).size() && lower.ends_with(word)) {
        rest = field.substr(field.size() - std::string_view(word).size()) + rest;
        field.resize(field.size() - std::string_view(word).size());
      }
    }
    if (field == "S") {
      read_crop(rest, image);
      continue;
    }
    if (std::find(std::begin(fields), std::end(fields), field) == std::end(fields)) continue;
    const bool link = rest.starts_with('=');
    const std::optional<double> value = parse_number(link ? rest.substr(1) : rest);
    if (!value) {
      image.complain(field + " is '" + rest.substr(0, 32) + "', must be a number");
    } else if (!link) {
      image.values[field] = *value;
    } else if (*value != std::floor(*value) || *value < 0 ||
               *value >= static_cast<double>(most_images)) {
      image.complain(field + " is not linked to an image");
    } else {
      image.links[field] = static_cast<int>(*value);
    }
  }
}

void follow_links(std::vector<Image>& images) {
  for (Image& image : images)
    for (const auto& [field, number] : image.links) {
      const auto target = static_cast<size_t>(number);
      if (target >= images.size())
        image.complain(field + " is linked to image " + std::to_string(number) +
                       ", which does not exist");
      else if (!images[target].values.count(field) || images[target].links.count(field))
        image.complain(field + " is linked to image " + std::to_string(number) +
                       ", which does not have it");
      else
        image.values[field] = images[target].values[field];
    }
}

/// The model at the radius of the image circle.
Result<RadialModel> model_of(Image& image, double width, double height, double radius) {
  const int projection = static_cast<int>(image.needed("f", 0, 100));
  const double a = image.number("a", -10, 10, 0), b = image.number("b", -10, 10, 0),
               c = image.number("c", -10, 10, 0);
  const double view = radians(image.needed("v", 1, 720));
  // Pixels per radian at the centre, by Hugin's definition of the field of view of each projection:
  // always of the image's full width, also if it is cropped.
  ModelKind kind = ModelKind::equidistant;
  double focal = width / view;
  switch (projection) {
    case 2:
    case 3:
      break;
    case 8:
      kind = ModelKind::orthographic;
      focal = width / (2 * std::sin(std::min(view, pi) / 2));
      break;
    case 10:
      kind = ModelKind::stereographic;
      focal = width / (4 * std::tan(std::min(view, radians(358)) / 4));
      break;
    case 21:
      kind = ModelKind::equisolid;
      focal = width / (4 * std::sin(std::min(view, 2 * pi) / 4));
      break;
    default:
      image.complain("f is " + std::to_string(projection) +
                     ", which is not a fisheye; 2, 3, 8, 10 and 21 are supported");
  }
  if (image.problem) return *image.problem;

  // The radius at which the polynomial is 1: half of the shorter side.
  const double unit = std::min(width, height) / 2;
  const auto ideal = RadialModel::make(
      kind, radians(120), focal * [&] {
        const double half = radians(60);
        return kind == ModelKind::orthographic    ? std::sin(half)
               : kind == ModelKind::stereographic ? 2 * std::tan(half / 2)
               : kind == ModelKind::equisolid     ? 2 * std::sin(half / 2)
                                                  : half;
      }());
  if (!ideal) return ideal;
  // The same polynomial, from distance to distance.
  const auto bend = RadialModel::make(ModelKind::panotools, 2.0, unit, {a, b, c, 0});
  if (!bend) return bend;
  if (radius >= bend->forward(bend->max_angle()))
    return invalid("with the coefficients a, b and c the image circle can't be as large as this");
  const double straight = bend->inverse(radius) * unit;
  const double half_fov = ideal->inverse(straight);
  if (!(half_fov >= radians(30) && half_fov <= radians(179)) ||
      straight > ideal->forward(ideal->max_angle()) + 1e-6)
    return invalid("v and the image circle lead to a field of view of " +
                   shown(degrees(2 * half_fov)) + " degrees, must be within 60 and 358");
  if (a == 0 && b == 0 && c == 0) return RadialModel::make(kind, 2 * half_fov, radius);
  if (kind != ModelKind::equidistant)
    return fit_kannala_brandt(
        [&](double angle) { return bend->forward(ideal->forward(angle) / unit); }, 2 * half_fov,
        fit_tolerance);
  // The polynomial, scaled to be 1 at the rim of the circle.
  const double s = straight / unit;
  const double sum = s * ((1 - a - b - c) + s * (c + s * (b + s * a)));
  return RadialModel::make(ModelKind::panotools, 2 * half_fov, radius,
                           {a * s * s * s * s / sum, b * s * s * s / sum, c * s * s / sum, 0});
}

Result<Lens> lens_of(Image& image, const Region& half, Size size, Point shift) {
  const double width = size.width, height = size.height;
  Lens lens;
  lens.region = half;
  // The crop is the image circle. Without a crop, the circle touches the sides of the lens's part.
  const double radius =
      image.crop
          ? std::max((*image.crop)[1] - (*image.crop)[0], (*image.crop)[3] - (*image.crop)[2]) / 2
          : std::min(half.right - half.left, half.bottom - half.top) / 2;
  const double far = 4 * std::max(width, height);
  lens.centre = {width / 2 + image.number("d", -far, far, 0) + shift.x,
                 height / 2 + image.number("e", -far, far, 0) + shift.y};
  if (lens.centre.x < half.left || lens.centre.x > half.right || lens.centre.y < half.top ||
      lens.centre.y > half.bottom)
    image.complain("d and e put the centre outside the lens's part of the frame");
  lens.to_camera = rotation({image.number("y", -3600, 3600, 0), image.number("p", -3600, 3600, 0),
                             image.number("r", -3600, 3600, 0)});
  for (const char* field : {"g", "t", "TrX", "TrY", "TrZ"})
    if (image.number(field, -1e9, 1e9, 0) != 0)
      image.complain(std::string(field) +
                     " is not 0; shear and camera translation are not supported");

  const double va = image.number("Va", 0.01, 100, 1), vb = image.number("Vb", -100, 100, 0),
               vc = image.number("Vc", -100, 100, 0), vd = image.number("Vd", -100, 100, 0);
  // Hugin's r is 1 at the image's corner.
  const double s = radius / (std::hypot(width, height) / 2);
  const auto fall_off = [&](double r) {
    const double q = r * r * s * s;
    return 1 + q * (vb + q * (vc + q * vd)) / va;
  };
  for (int i = 0; i <= 32; ++i)
    if (!(fall_off(i / 32.0) > 0.0025)) {
      image.complain("Vb, Vc and Vd leave no light inside the image circle");
      break;
    }
  if (image.problem) return *image.problem;
  lens.vignette = fit_vignette([&](double r) { return std::pow(fall_off(r), encoding); });
  const Result<RadialModel> model = model_of(image, width, height, radius);
  if (!model) {
    image.complain(model.error().message);
    return *image.problem;
  }
  lens.model = *model;
  return lens;
}

}  // namespace

bool looks_like_pto(std::string_view text) {
  return text.starts_with("i ") || text.find("\ni ") != std::string_view::npos;
}

Result<LensPair> parse_pto(std::string_view text, const std::string& name) {
  std::vector<Image> images;
  int number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (!line.starts_with("i ")) continue;
    if (images.size() == most_images) return invalid(name + ": has more than two images");
    images.emplace_back(name, number, static_cast<int>(images.size()));
    read_line(line, images.back());
  }
  if (images.size() != 2)
    return invalid(name + ": has " + std::to_string(images.size()) + " image" +
                   (images.size() == 1 ? "" : "s") +
                   " (lines that start with i), but a pair of lenses needs two");
  follow_links(images);

  Size size[2];
  double ev[2];
  for (int i = 0; i < 2; ++i) {
    size[i] = {static_cast<int>(images[i].needed("w", 16, 32768)),
               static_cast<int>(images[i].needed("h", 16, 32768))};
    ev[i] = images[i].number("Eev", -50, 50, 0);
  }
  for (const Image& image : images)
    if (image.problem) return *image.problem;
  if (size[0] != size[1]) return invalid(name + ": its two images have different sizes");

  LensPair pair;
  pair.name = name;
  const double w = size[0].width, h = size[0].height;
  const bool beside = w >= frame_shape * h, above = h >= frame_shape * w;
  // Two images with one lens each are put side by side, the first on the left.
  pair.frame = beside || above ? size[0] : Size{2 * size[0].width, size[0].height};
  Lens lens[2];
  bool second[2];
  for (int i = 0; i < 2; ++i) {
    Image& image = images[i];
    Point middle = {w / 2 + image.number("d", -1e6, 1e6, 0),
                    h / 2 + image.number("e", -1e6, 1e6, 0)};
    if (image.crop)
      middle = {((*image.crop)[0] + (*image.crop)[1]) / 2,
                ((*image.crop)[2] + (*image.crop)[3]) / 2};
    second[i] = beside ? middle.x > w / 2 : above ? middle.y > h / 2 : i == 1;
    const double k = second[i];
    const Region half = above    ? Region{0, k * h / 2, w, (k + 1) * h / 2}
                        : beside ? Region{k * w / 2, 0, (k + 1) * w / 2, h}
                                 : Region{k * w, 0, (k + 1) * w, h};
    const Result<Lens> read = lens_of(image, half, size[i], {beside || above ? 0 : half.left, 0});
    if (!read) return read.error();
    lens[i] = *read;
    lens[i].gain = std::exp2(((ev[0] + ev[1]) / 2 - ev[i]) * encoding);
    if (!(lens[i].gain >= 0.1 && lens[i].gain <= 10)) {
      image.complain("Eev makes one lens more than a hundred times as bright as the other");
      return *image.problem;
    }
  }
  if (second[0] == second[1])
    return invalid(name + ": both images show the same half of the frame; S or d must tell which");
  const int front = lens[0].axis().z >= lens[1].axis().z ? 0 : 1;
  pair.front = lens[front];
  pair.back = lens[1 - front];
  if (angle_between(pair.front.axis(), pair.back.axis()) < min_axis_separation)
    return invalid(
        name +
        ": with these y, p and r the directions of the two lenses differ by less than 120 degrees");
  return pair;
}

}  // namespace sphere
