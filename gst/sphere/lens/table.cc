// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/table.h"

#include <glib.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "gst/sphere/base/bytes.h"

namespace sphere {

namespace {

// Eight pictures: first of the right lens, then of the left one. For each lens: whole pixels of x,
// thousandths of x, and the same for y.
constexpr int pictures = 8;
constexpr std::array<const char*, pictures> picture_names = {
    "r_x_int", "r_x_min", "r_y_int", "r_y_min", "l_x_int", "l_x_min", "l_y_int", "l_y_min"};
constexpr size_t directory_size = pictures * 8;
constexpr Size smallest_grid = {91, 46}, largest_grid = {4096, 2048};
constexpr double half_width = table_frame.width / 2.0;

// The angle from the axis that both lenses must show, so that they can be blended; and the largest
// angle that is read.
const double least_angle = radians(92), most_angle = radians(97.5);

constexpr int correction_nodes = 193;

// --- PNG ----------------------------------------------------------------------------------------

constexpr uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

/// The size of a 16-bit grey picture, from its header.
std::optional<Size> size_of_png(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  const std::span<const uint8_t> signature = reader.take(sizeof png_signature);
  if (!reader.ok() || std::memcmp(signature.data(), png_signature, sizeof png_signature) != 0)
    return std::nullopt;
  const uint32_t length = reader.u32();
  const bool header = reader.starts_with("IHDR");
  const uint32_t width = reader.u32(), height = reader.u32();
  const uint8_t depth = reader.u8(), colour = reader.u8();
  if (!reader.ok() || length != 13 || !header || depth != 16 || colour != 0 || width > INT32_MAX ||
      height > INT32_MAX)
    return std::nullopt;
  return Size{static_cast<int>(width), static_cast<int>(height)};
}

struct PngInput {
  const uint8_t* next;
  size_t left;
};

void read_png_bytes(png_structp png, png_bytep out, png_size_t count) {
  auto* input = static_cast<PngInput*>(png_get_io_ptr(png));
  if (count > input->left) png_error(png, "the end of the picture is missing");
  std::memcpy(out, input->next, count);
  input->next += count;
  input->left -= count;
}

void ignore_warning(png_structp, png_const_charp) {}
// libpng must not print on the terminal.
void jump_back(png_structp png, png_const_charp) { png_longjmp(png, 1); }

/// libpng's errors jump back into this function (setjmp), therefore nothing in it may have a
/// destructor.
bool decode_png(PngInput* input, Size size, uint16_t* samples, png_bytep* rows) {
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, jump_back, ignore_warning);
  if (!png) return false;
  png_infop info = png_create_info_struct(png);
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  png_set_user_limits(png, static_cast<png_uint_32>(largest_grid.width),
                      static_cast<png_uint_32>(largest_grid.height));
  png_set_chunk_malloc_max(png, 1 << 20);
  png_set_read_fn(png, input, read_png_bytes);
  png_read_info(png, info);
  if (png_get_image_width(png, info) != static_cast<png_uint_32>(size.width) ||
      png_get_image_height(png, info) != static_cast<png_uint_32>(size.height) ||
      png_get_bit_depth(png, info) != 16 || png_get_color_type(png, info) != PNG_COLOR_TYPE_GRAY)
    png_error(png, "the header changed");
  if (G_BYTE_ORDER == G_LITTLE_ENDIAN) png_set_swap(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  for (int y = 0; y < size.height; ++y)
    rows[y] = reinterpret_cast<png_bytep>(samples + static_cast<size_t>(y) * size.width);
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  png_destroy_read_struct(&png, &info, nullptr);
  return true;
}

void write_png_bytes(png_structp png, png_bytep bytes, png_size_t count) {
  auto* out = static_cast<std::vector<uint8_t>*>(png_get_io_ptr(png));
  out->insert(out->end(), bytes, bytes + count);
}

/// As decode_png(). The caller owns `out`.
bool encode_png(const uint16_t* samples, Size size, png_bytep* rows, std::vector<uint8_t>* out) {
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, jump_back, ignore_warning);
  if (!png) return false;
  png_infop info = png_create_info_struct(png);
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    return false;
  }
  png_set_write_fn(png, out, write_png_bytes, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(size.width),
               static_cast<png_uint_32>(size.height), 16, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  if (G_BYTE_ORDER == G_LITTLE_ENDIAN) png_set_swap(png);
  for (int y = 0; y < size.height; ++y)
    rows[y] = reinterpret_cast<png_bytep>(
        const_cast<uint16_t*>(samples + static_cast<size_t>(y) * size.width));
  png_write_image(png, rows);
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return true;
}

// --- the grid -----------------------------------------------------------------------------------

/// The points at which one lens shows the directions of an equirectangular grid, in pixels of the
/// lens's half. The first and the last samples of the grid are on its edges.
struct Grid {
  Size size;
  std::vector<float> x, y;

  bool valid(size_t n) const {
    return x[n] > 0 && x[n] < half_width && y[n] > 0 && y[n] < table_frame.height;
  }

  /// The interpolated point: cubic if all samples around it exist, else linear. Empty in a hole.
  std::optional<Point> at(Vec3 direction) const {
    const LonLat a = lonlat_of(direction);
    const int period = size.width - 1;
    const double u = (a.lon / (2 * pi) + 0.5) * period, v = (0.5 - a.lat / pi) * (size.height - 1);
    const int i = std::clamp(static_cast<int>(u), 0, period - 1);
    const int j = std::clamp(static_cast<int>(v), 0, size.height - 2);
    const double fx = u - i, fy = v - j;
    const auto node = [&](int column, int row) {
      return static_cast<size_t>(row) * size.width + (column + period) % period;
    };
    const bool inner = j >= 1 && j + 2 < size.height;
    bool around = inner, near = true;
    for (int row = -1; row <= 2; ++row)
      for (int column = -1; column <= 2; ++column) {
        const bool corner = row >= 0 && row <= 1 && column >= 0 && column <= 1;
        if (!inner && !corner) continue;
        const bool there = valid(node(i + column, j + row));
        around = around && there;
        if (corner) near = near && there;
      }
    if (!near) return std::nullopt;
    std::array<double, 4> across{}, down{};
    if (around) {
      across = cubic(fx);
      down = cubic(fy);
    } else {
      across = {0, 1 - fx, fx, 0};
      down = {0, 1 - fy, fy, 0};
    }
    Point p;
    for (int row = -1; row <= 2; ++row) {
      if (down[row + 1] == 0) continue;
      for (int column = -1; column <= 2; ++column) {
        const double weight = down[row + 1] * across[column + 1];
        if (weight == 0) continue;
        const size_t n = node(i + column, j + row);
        p.x += weight * x[n];
        p.y += weight * y[n];
      }
    }
    return p;
  }

 private:
  /// Catmull-Rom weights.
  static std::array<double, 4> cubic(double t) {
    const double t2 = t * t, t3 = t2 * t;
    return {(-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2,
            (t3 - t2) / 2};
  }
};

/// A direction in the axes of a lens: the angle from its axis, and the azimuth around it.
Vec3 off_axis(double angle, double side) {
  return {std::sin(angle) * std::cos(side), std::sin(angle) * std::sin(side), std::cos(angle)};
}

/// The lens that a grid describes: an equidistant model, and a correction for the difference.
Result<Lens> lens_of_grid(const Grid& grid, bool is_back, const std::string& name) {
  const std::string whose =
      "lens table '" + name + "': the " + (is_back ? "left" : "right") + " lens ";
  constexpr int sides = 90;
  Lens lens;
  lens.to_camera = rotation({is_back ? 180.0 : 0.0, 0, 0});
  const auto point_at = [&](double angle, double side) {
    return grid.at(lens.to_camera * off_axis(angle, side));
  };
  const std::optional<Point> centre = point_at(0, 0);
  if (!centre) return invalid(whose + "has no value for the direction of its axis");

  // From the axis outwards, on all sides: no value may be missing, and the distance must grow.
  double reach = 0, scale = 0;
  std::vector<double> before(sides, 0.0);
  for (double angle = radians(2); angle <= most_angle; angle += radians(0.5)) {
    double sum = 0;
    bool whole = true;
    for (int k = 0; k < sides && whole; ++k) {
      const std::optional<Point> p = point_at(angle, 2 * pi * k / sides);
      whole = p.has_value();
      if (!whole) break;
      const double distance = std::hypot(p->x - centre->x, p->y - centre->y);
      if (distance <= before[k])
        return invalid(whose + "has distances that do not grow with the angle off its axis");
      before[k] = distance;
      sum += distance;
    }
    if (!whole) break;
    reach = angle;
    scale = sum / sides / angle;
  }
  if (reach < least_angle) {
    char text[160];
    std::snprintf(
        text, sizeof text,
        "has holes from %.1f degrees off its axis on; up to %.0f degrees there must be none",
        degrees(reach), degrees(least_angle));
    return invalid(whose + text);
  }

  const Result<RadialModel> model =
      RadialModel::make(ModelKind::equidistant, 2 * reach, scale * reach);
  if (!model) return model.error();
  lens.model = *model;
  lens.region = {is_back ? 0 : half_width, 0, is_back ? half_width : table_frame.width,
                 static_cast<double>(table_frame.height)};
  lens.centre = {centre->x + lens.region.left, centre->y};

  Correction c;
  c.columns = c.rows = correction_nodes;
  const double side = lens.model.radius() * 1.1;
  c.left = lens.centre.x - side;
  c.top = lens.centre.y - side;
  c.step_x = c.step_y = 2 * side / (correction_nodes - 1);
  // The difference between the table and the model. Beyond `reach` it is extrapolated.
  const auto shift = [&](double angle, double around) -> std::optional<Point> {
    const std::optional<Point> p = point_at(angle, around);
    if (!p) return std::nullopt;
    return Point{p->x - centre->x - scale * angle * std::cos(around),
                 p->y - centre->y - scale * angle * std::sin(around)};
  };
  for (int j = 0; j < c.rows; ++j)
    for (int i = 0; i < c.columns; ++i) {
      const double x = c.left + i * c.step_x - lens.centre.x;
      const double y = c.top + j * c.step_y - lens.centre.y;
      const double angle = std::hypot(x, y) / scale, around = std::atan2(y, x);
      // Between the sides that were checked, the values may end a little before `reach`.
      double edge = std::min(angle, reach);
      std::optional<Point> s = shift(edge, around);
      for (int tries = 0; !s && tries < 8; ++tries) {
        edge -= radians(0.25);
        s = shift(edge, around);
      }
      if (s && angle > edge) {
        const double inner = edge - radians(2);
        if (const std::optional<Point> t = shift(inner, around)) {
          const double more = (angle - edge) / (edge - inner);
          s = Point{s->x + more * (s->x - t->x), s->y + more * (s->y - t->y)};
        }
      }
      if (!s) return invalid(whose + "has holes");
      if (std::hypot(s->x, s->y) > lens.model.radius() / 3)
        return invalid(whose + "has a rotation or a distortion that is not possible for a lens");
      c.shift_x.push_back(static_cast<float>(s->x));
      c.shift_y.push_back(static_cast<float>(s->y));
    }
  lens.correction = std::make_shared<const Correction>(std::move(c));
  return lens;
}

}  // namespace

bool looks_like_table(std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  const uint32_t offset = reader.u32_little();
  reader.seek(offset);
  const std::span<const uint8_t> signature = reader.take(sizeof png_signature);
  return reader.ok() && offset >= directory_size &&
         std::memcmp(signature.data(), png_signature, sizeof png_signature) == 0;
}

Result<LensPair> parse_table(std::span<const uint8_t> bytes, const std::string& name) {
  const std::string complaint = "lens table '" + name + "': ";
  if (bytes.size() > largest_table) return invalid(complaint + "it is too large for a table");
  if (bytes.size() < directory_size) return invalid(complaint + "it ends inside its directory");
  ByteReader directory(bytes.first(directory_size));
  std::array<std::span<const uint8_t>, pictures> parts;
  Size size;
  for (int k = 0; k < pictures; ++k) {
    const std::string which = complaint + "the picture " + picture_names[k] + " ";
    const uint32_t offset = directory.u32_little(), count = directory.u32_little();
    if (offset < directory_size || offset > bytes.size() || count > bytes.size() - offset)
      return invalid(which + "is outside of the table");
    parts[k] = bytes.subspan(offset, count);
    const std::optional<Size> is = size_of_png(parts[k]);
    if (!is) return invalid(which + "is not a PNG with 16-bit grey");
    if (k == 0) size = *is;
    if (*is != size) return invalid(which + "has another size than the first");
  }
  if (size.width < smallest_grid.width || size.height < smallest_grid.height ||
      size.width > largest_grid.width || size.height > largest_grid.height)
    return invalid(complaint + "its grid is " + std::to_string(size.width) + "x" +
                   std::to_string(size.height) + ", 91x46 to 4096x2048 can be read");

  const size_t samples = static_cast<size_t>(size.width) * size.height;
  std::vector<uint16_t> whole(samples), thousandths(samples);
  std::vector<png_bytep> rows(size.height);
  const auto decode = [&](int k, std::vector<uint16_t>& out) {
    PngInput input = {parts[k].data(), parts[k].size()};
    return decode_png(&input, size, out.data(), rows.data());
  };
  LensPair pair;
  pair.name = name;
  pair.frame = table_frame;
  for (int i = 0; i < 2; ++i) {
    Grid grid;
    grid.size = size;
    for (int axis = 0; axis < 2; ++axis) {
      const int k = i * 4 + axis * 2;
      if (!decode(k, whole) || !decode(k + 1, thousandths))
        return invalid(complaint + "the picture " + picture_names[k] + " or " +
                       picture_names[k + 1] + " is damaged");
      std::vector<float>& values = axis ? grid.y : grid.x;
      values.resize(samples);
      for (size_t n = 0; n < samples; ++n) {
        if (thousandths[n] > 1000)
          return invalid(complaint + "the picture " + picture_names[k + 1] +
                         " has a fraction of more than 1000 thousandths");
        values[n] = static_cast<float>(whole[n]) + static_cast<float>(thousandths[n]) * 0.001f;
      }
    }
    Result<Lens> lens = lens_of_grid(grid, i == 1, name);
    if (!lens) return lens.error();
    pair[i] = std::move(*lens);
  }
  return pair;
}

Result<std::vector<uint8_t>> make_table(const LensPair& pair, Size grid) {
  if (grid.width < smallest_grid.width || grid.height < smallest_grid.height ||
      grid.width > largest_grid.width || grid.height > largest_grid.height)
    return invalid("a lens table has a grid of 91x46 to 4096x2048");
  const LensPair scaled = pair.scaled_to(table_frame);
  if (scaled.front.region.left < half_width || scaled.back.region.right > half_width)
    return unsupported(
        "the profile '" + pair.name +
        "' can't be written as a table: in a table the front lens is in the right half");
  std::vector<uint8_t> table(directory_size);
  const size_t samples = static_cast<size_t>(grid.width) * grid.height;
  std::vector<uint16_t> values[4];
  for (std::vector<uint16_t>& v : values) v.resize(samples);
  std::vector<png_bytep> rows(grid.height);
  int k = 0;
  for (int i = 0; i < 2; ++i) {
    const Lens& lens = scaled[i];
    for (int y = 0; y < grid.height; ++y)
      for (int x = 0; x < grid.width; ++x) {
        const Vec3 d = direction_of({(static_cast<double>(x) / (grid.width - 1) - 0.5) * 2 * pi,
                                     (0.5 - static_cast<double>(y) / (grid.height - 1)) * pi});
        Point p = lens.project(d);
        // The formula ends at some angle behind the rim. Directions that are not shown have a point
        // on the edge.
        if (lens.angle_to_axis(d) > most_angle + radians(5)) p = {lens.region.left, 0};
        const auto put = [&](int axis, double value, double most) {
          const long parts = std::lround(std::clamp(value, 0.0, most) * 1000);
          const size_t n = static_cast<size_t>(y) * grid.width + x;
          values[axis * 2][n] = static_cast<uint16_t>(parts / 1000);
          values[axis * 2 + 1][n] = static_cast<uint16_t>(parts % 1000);
        };
        put(0, p.x - lens.region.left, half_width);
        put(1, p.y, table_frame.height);
      }
    for (const std::vector<uint16_t>& v : values) {
      const size_t begin = table.size();
      if (!encode_png(v.data(), grid, rows.data(), &table))
        return failed("libpng reported an error");
      const auto put = [&](size_t at, size_t value) {
        for (int byte = 0; byte < 4; ++byte)
          table[at + byte] = static_cast<uint8_t>(value >> (8 * byte));
      };
      put(k * 8, begin);
      put(k * 8 + 4, table.size() - begin);
      ++k;
    }
  }
  return table;
}

}  // namespace sphere
