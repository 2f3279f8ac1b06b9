// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/scene/scene.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "gst/sphere/geometry/equirect.h"
#include "gst/sphere/scene/glyphs.h"
#include "gst/sphere/scene/marker.h"
#include "gst/sphere/scene/parallax.h"

namespace sphere {

namespace {

constexpr Colour white = {0.94f, 0.94f, 0.92f}, black = {0.06f, 0.06f, 0.08f};

Colour mix(Colour a, Colour b, float weight) {
  return {a.r + (b.r - a.r) * weight, a.g + (b.g - a.g) * weight, a.b + (b.b - a.b) * weight};
}

Colour shade(Colour c, float factor) { return {c.r * factor, c.g * factor, c.b * factor}; }

/// 0..1 from two whole numbers, the same everywhere.
float hash(int a, int b) {
  auto h = static_cast<uint32_t>(a) * 0x9e3779b1u ^ static_cast<uint32_t>(b) * 0x85ebca6bu;
  h ^= h >> 15;
  h *= 0x2c1b3c6du;
  h ^= h >> 13;
  return static_cast<float>(h >> 8) * (1.0f / 16777216.0f);
}

int floor_of(float v) { return static_cast<int>(std::floor(v)); }

/// A wave, nearly a sine and far cheaper: 1 at 0 and at every whole number, -1 half-way.
float wave(float turns) {
  const float t = std::abs(turns - std::nearbyint(turns));  // 0..0.5
  const float s = 1 - 4 * t;                                // 1..-1
  return s * (1.5f - 0.5f * s * s);
}

/// Fades out what grows too fine to be drawn: 1 near, 0 where a metre is less than some degree.
float fade(float distance, float far) { return std::clamp(1.5f - distance / far, 0.0f, 1.0f); }

// --- the street ---------------------------------------------------------------------------------
// Metres; the eye is the origin, the ground lies below it, and four walls stand around.

constexpr float eye_height = 1.7f;
constexpr float wall_right = 6, wall_left = 8, wall_front = 12, wall_back = 9;

struct House {
  float begin;  // along its wall, metres
  float height;
  Colour colour;
  float window_width, storey;
};

constexpr House houses[4][4] = {
    // front, from left to right
    {{-99, 7.5f, {0.73f, 0.42f, 0.30f}, 1.6f, 2.5f},
     {-3.2f, 10.4f, {0.80f, 0.72f, 0.52f}, 1.3f, 2.9f},
     {4.1f, 6.1f, {0.42f, 0.55f, 0.62f}, 2.1f, 2.3f},
     {99, 0, {}, 1, 1}},
    // right
    {{-99, 9.2f, {0.62f, 0.66f, 0.45f}, 1.7f, 2.7f},
     {-1.5f, 5.6f, {0.78f, 0.50f, 0.48f}, 1.2f, 2.4f},
     {5.3f, 12.0f, {0.55f, 0.52f, 0.58f}, 2.0f, 3.1f},
     {99, 0, {}, 1, 1}},
    // back
    {{-99, 6.4f, {0.86f, 0.80f, 0.70f}, 1.5f, 2.6f},
     {-2.4f, 11.3f, {0.46f, 0.40f, 0.52f}, 1.9f, 2.8f},
     {3.0f, 8.2f, {0.70f, 0.58f, 0.36f}, 1.4f, 2.2f},
     {99, 0, {}, 1, 1}},
    // left
    {{-99, 5.2f, {0.40f, 0.58f, 0.50f}, 1.8f, 2.3f},
     {-4.0f, 8.8f, {0.84f, 0.60f, 0.40f}, 1.3f, 3.0f},
     {2.6f, 6.8f, {0.58f, 0.62f, 0.72f}, 2.2f, 2.6f},
     {99, 0, {}, 1, 1}},
};

constexpr std::string_view wall_names[4] = {"FRONT", "RIGHT", "BACK", "LEFT"};

Colour sky(Ray d) {
  const float size = 1 / std::sqrt(d.x * d.x + d.y * d.y + d.z * d.z);
  const float up = -d.y * size;
  Colour c = mix({0.80f, 0.87f, 0.93f}, {0.22f, 0.42f, 0.74f}, std::clamp(up * 1.15f, 0.0f, 1.0f));
  const float x = d.x * size, z = d.z * size;
  // Clouds: a few waves that don't repeat.
  const float cloud = wave(1.3f * x + 0.8f * z + 0.2f * wave(1.9f * z + 0.1f)) +
                      wave(2.1f * z - 1.1f * x + 0.3f) + 0.6f * wave(4.3f * x + 3.1f * up) +
                      0.4f * wave(7.7f * z - 5.9f * up + 0.4f);
  c = mix(c, {0.95f, 0.95f, 0.96f}, std::clamp(cloud * 0.45f, 0.0f, 0.85f));
  // The sun, right of the front and high.
  constexpr Vec3 sun = {0.4698, -0.6428, 0.6050};
  if (x * sun.x + up * -sun.y + z * sun.z > 0.9976f) return {1.0f, 0.97f, 0.80f};
  if (up > 0.8f) {
    // UP: on a plane overhead.
    const float scale = 0.016f;
    const float u = d.x / -d.y, v = d.z / -d.y;
    if (has_ink("UP", u / scale + text_width("UP") / 2, v / scale + glyph_height / 2.0f))
      return {0.85f, 0.16f, 0.12f};
  }
  return c;
}

Colour ground(Ray d, Ray eye) {
  const float t = (eye_height - eye.y) / d.y;
  const float x = eye.x + d.x * t, z = eye.z + d.z * t, distance = std::sqrt(x * x + z * z);
  constexpr float dot = 0.055f;
  if (has_ink("DOWN", x / dot + text_width("DOWN") / 2, -z / dot + glyph_height / 2.0f))
    return {0.95f, 0.85f, 0.20f};
  // A carriageway from front to back, off the middle, with a crossing; paving to both sides.
  if (x > -4.2f && x < 2.8f) {
    if (z > 2.6f && z < 4.9f && wave((x + 0.2f) / 1.1f) > 0) return white;
    if (std::abs(x + 0.7f) < 0.07f && wave(z / 2.6f) > -0.2f) return white;
    const float grain = wave(2.3f * x + 1.1f * z) + wave(1.7f * z - 2.9f * x + 0.3f);
    const float gravel = hash(floor_of(x / 0.11f), floor_of(z / 0.11f)) - 0.5f;
    return shade({0.34f, 0.34f, 0.36f},
                 1 + 0.04f * grain * fade(distance, 6) + 0.22f * gravel * fade(distance, 3.5f));
  }
  const float u = x / 0.6f, v = z / 0.6f + (floor_of(u) & 1 ? 0.5f : 0.0f);
  const float tile = 0.9f + 0.2f * hash(floor_of(u), floor_of(v));
  const bool joint = u - std::floor(u) < 0.05f || v - std::floor(v) < 0.05f;
  const float near = fade(distance, 7);
  const float light = 1 + near * ((joint ? 0.72f : tile) - 1);
  return shade({0.62f, 0.58f, 0.54f}, light);
}

/// A wall at a place along it, metres, and above the ground; nothing above its roof.
std::optional<Colour> facade(int wall, float along, float above, float distance) {
  const House* house = houses[wall];
  while (along >= house[1].begin) ++house;
  if (above > house->height) return std::nullopt;
  const int number = static_cast<int>(house - houses[wall]);

  // The name of the wall on a board.
  constexpr float dot = 0.11f;
  const std::string_view name = wall_names[wall];
  const float text_x = along / dot + text_width(name) / 2;
  const float text_y = (3.95f - above) / dot;
  if (text_x > -3 && text_x < text_width(name) + 3 && text_y > -2.5f &&
      text_y < glyph_height + 2.5f)
    return has_ink(name, text_x, text_y) ? white : Colour{0.10f, 0.14f, 0.34f};

  // The cornice, the plinth, and windows between them.
  if (above > house->height - 0.3f) return shade(house->colour, 1.15f);
  if (above < 0.5f) return shade(house->colour, 0.6f);
  const float wx = (along + 0.37f * static_cast<float>(number)) / house->window_width;
  const float wy = (above - 0.5f) / house->storey;
  const float fx = wx - std::floor(wx), fy = wy - std::floor(wy);
  const bool whole = (std::floor(wy) + 1) * house->storey + 0.5f < house->height - 0.3f;
  if (whole && fx > 0.25f && fx < 0.75f && fy > 0.3f && fy < 0.8f) {
    if (fx < 0.29f || fx > 0.71f || fy < 0.34f || fy > 0.77f || std::abs(fx - 0.5f) < 0.015f)
      return white;
    const float lit = hash(floor_of(wx) * 7 + wall, floor_of(wy) * 13 + number);
    if (lit > 0.8f) return Colour{0.96f, 0.84f, 0.52f};
    return mix({0.14f, 0.19f, 0.26f}, {0.45f, 0.56f, 0.66f}, fy);
  }
  // Courses of bricks with their joints, each brick of its own shade, and roughness.
  constexpr float brick_height = 0.30f, brick_length = 0.62f, joint = 0.08f;
  const float course = above / brick_height, row = std::floor(course);
  const float place = along / brick_length + (static_cast<int>(row) & 1 ? 0.5f : 0.0f);
  const bool mortar =
      course - row < joint || place - std::floor(place) < joint * brick_height / brick_length;
  const float brick =
      mortar ? 0.16f : 0.14f * (hash(floor_of(place), static_cast<int>(row)) - 0.5f);
  const float rough = wave(along * 1.13f + above * 0.71f) * wave(above * 0.53f - along * 0.29f);
  return shade(house->colour, 1 + fade(distance, 13) * brick + 0.06f * rough);
}

Colour street(Ray d, Ray eye) {
  const float to_x = d.x > 0 ? wall_right - eye.x : wall_left + eye.x;
  const float to_z = d.z > 0 ? wall_front - eye.z : wall_back + eye.z;
  const float tx = to_x / std::max(std::abs(d.x), 1e-9f);
  const float tz = to_z / std::max(std::abs(d.z), 1e-9f);
  const float t = std::min(tx, tz);
  const float x = eye.x + d.x * t, z = eye.z + d.z * t;
  const float above = eye_height - eye.y - d.y * t;
  if (above < 0) return ground(d, eye);
  const bool side = tx < tz;
  const int wall = side ? (d.x > 0 ? 1 : 3) : (d.z > 0 ? 0 : 2);
  // As one reads it, looking at the wall: from left to right.
  const float along = wall == 0 ? x : wall == 1 ? -z : wall == 2 ? -x : z;
  const float distance = std::sqrt(x * x + z * z);
  if (const std::optional<Colour> c = facade(wall, along, above, distance)) return *c;
  return sky(d);
}

// --- boards near the seams ----------------------------------------------------------------------

struct Board {
  double lon, lat;                // degrees
  float distance;                 // metres
  float half_width, half_height;  // degrees
  Colour colour;
  std::string_view text;
};

// The nearest first: it hides the others.
constexpr Board boards[] = {
    {93, 24, 0.5f, 10, 7, {0.82f, 0.36f, 0.30f}, "0.5"},
    {-92, -14, 0.7f, 12, 8, {0.30f, 0.55f, 0.78f}, "0.7"},
    {87, -44, 1.0f, 13, 8, {0.88f, 0.76f, 0.34f}, "1"},
    {-86, 22, 1.5f, 11, 9, {0.45f, 0.70f, 0.42f}, "1.5"},
    {91, -2, 2.0f, 12, 9, {0.72f, 0.50f, 0.70f}, "2"},
    {-94, 52, 3.0f, 14, 8, {0.90f, 0.62f, 0.42f}, "3"},
    {85, 55, 5.0f, 14, 9, {0.50f, 0.62f, 0.66f}, "5"},
    {-89, 76, 10.0f, 30, 5, {0.66f, 0.66f, 0.50f}, "10"},
};

std::optional<Colour> board_colour(const Board& board, const Mat3& turn, Ray d) {
  const Vec3 p = turn * Vec3{d.x, d.y, d.z};
  if (!(p.z > 0)) return std::nullopt;
  const auto u = static_cast<float>(degrees(p.x / p.z)), v = static_cast<float>(degrees(p.y / p.z));
  if (std::abs(u) > board.half_width || std::abs(v) > board.half_height) return std::nullopt;
  if (std::abs(u) > board.half_width - 0.5f || std::abs(v) > board.half_height - 0.5f) return black;
  constexpr float dot = 0.45f;
  if (has_ink(board.text, u / dot + text_width(board.text) / 2, v / dot + glyph_height / 2.0f))
    return white;
  // Patches of several sizes, as a poster has.
  const float coarse = hash(floor_of(u / 1.7f) + 91, floor_of(v / 1.7f) * 3 + 17);
  const float fine = hash(floor_of(u / 0.6f) * 5 + 3, floor_of(v / 0.6f) + 211);
  return shade(board.colour, 0.55f + 0.45f * coarse + 0.25f * fine);
}

// --- the graticule ------------------------------------------------------------------------------

Colour graticule(Ray d) {
  const auto lon = static_cast<float>(degrees(std::atan2(d.x, d.z)));
  const auto lat = static_cast<float>(degrees(std::atan2(-d.y, std::sqrt(d.x * d.x + d.z * d.z))));
  const float narrow = std::max(std::cos(static_cast<float>(radians(lat))), 0.02f);
  // Each eighth of the sphere has its colour.
  Colour c = {lon > 0 ? 0.60f : 0.38f, lat > 0 ? 0.58f : 0.36f, std::abs(lon) < 90 ? 0.62f : 0.34f};
  c = shade(c, 1 + 0.05f * wave(lat / 3.7f + lon / 11));

  const float next_lon = 30 * std::nearbyint(lon / 30), next_lat = 30 * std::nearbyint(lat / 30);
  if (std::abs(next_lat) < 90) {
    // The degrees stand right of and above each crossing.
    char text[16];
    std::snprintf(text, sizeof text, "%d %d", static_cast<int>(next_lon),
                  static_cast<int>(next_lat));
    constexpr float dot = 0.25f;
    if (has_ink(text, ((lon - next_lon) * narrow - 0.8f) / dot, (next_lat - lat + 2.8f) / dot))
      return white;
  }
  const auto line = [](float value, float every, float half_width) {
    return std::abs(value - every * std::nearbyint(value / every)) < half_width;
  };
  const float wide = std::abs(lat) < 80 ? 1.0f / narrow : 1e9f;
  if (std::abs(lat) < 0.35f || (wide < 1e8f && std::abs(lon) < 0.35f * wide))
    return {0.9f, 0.2f, 0.1f};
  if (line(lat, 30, 0.25f) || (wide < 1e8f && line(lon, 30, 0.25f * wide))) return white;
  if (line(lat, 10, 0.15f) || (wide < 1e8f && line(lon, 10, 0.15f * wide))) return black;
  return c;
}

// --- what moves ---------------------------------------------------------------------------------

enum Thing { thing_ball, thing_sign, thing_clock, thing_plate };

Vec3 looking_at(double lon, double lat) { return direction_of({radians(lon), radians(lat)}); }

/// The axes of a thing that one looks at upright.
Mat3 upright(Vec3 axis) {
  const Vec3 right = normalised(cross(Vec3{0, 1, 0}, axis));
  return {{right, cross(axis, right), axis}};
}

constexpr double ball_radius = 4, sign_half_width = 5, sign_half_height = 2.6, clock_radius = 7;

}  // namespace

Colour still_colour(Pattern pattern, Ray direction) {
  return pattern == Pattern::graticule ? graticule(direction) : street(direction, {});
}

Colour near_colour(Pattern pattern, Ray direction, Ray eye) {
  if (pattern == Pattern::graticule) return graticule(direction);
  struct PlacedBoard {
    Mat3 turn;  // scene to board
    Ray axis;
    float nearest;  // no part of it is further from its axis, as a cosine
  };
  static const auto placed = [] {
    std::array<PlacedBoard, std::size(boards)> all;
    for (size_t i = 0; i < all.size(); ++i) {
      const Board& board = boards[i];
      const Vec3 axis = looking_at(board.lon, board.lat);
      const double half = radians(std::hypot(board.half_width, board.half_height));
      all[i] = {
          upright(axis),
          {static_cast<float>(axis.x), static_cast<float>(axis.y), static_cast<float>(axis.z)},
          static_cast<float>(std::cos(std::atan(half)))};
    }
    return all;
  }();
  const auto length_of = [](Ray r) { return std::sqrt(r.x * r.x + r.y * r.y + r.z * r.z); };
  const float length = length_of(direction), aside = length_of(eye);
  for (size_t i = 0; i < placed.size(); ++i) {
    const Board& board = boards[i];
    const PlacedBoard& at = placed[i];
    // From the eye, a board is seen up to asin(aside / distance) beside its place, which is less
    // than pi / 2 of that, and a cosine changes by less than its angle.
    const float least = at.nearest - 1.6f * aside / board.distance;
    if (direction.x * at.axis.x + direction.y * at.axis.y + direction.z * at.axis.z <
        least * length)
      continue;
    const Ray seen = from_middle(direction, eye, board.distance);
    if (const std::optional<Colour> c = board_colour(board, at.turn, seen)) return *c;
  }
  return street(direction, eye);
}

double MovingThings::distance(int thing) {
  constexpr double metres[count] = {1.2, 0.8, 4, 2.5};
  return metres[thing];
}

MovingThings::MovingThings(uint32_t number, double seconds) : number_(number), seconds_(seconds) {
  const auto set = [&](Thing thing, double lon, double lat, double angle) {
    cones_[thing] = {looking_at(lon, lat), radians(angle)};
    turn_[thing] = upright(cones_[thing].axis);
  };
  // Once round in twelve seconds, up and down on the way.
  set(thing_ball, 30 * seconds - 30, 14 * std::sin(seconds * 1.1) + 4, ball_radius);
  // To and fro over the right seam.
  set(thing_sign, 90 + 22 * std::sin(seconds * 0.9), -16,
      std::hypot(sign_half_width, sign_half_height));
  set(thing_clock, -165, 24, clock_radius);
  using Layout = MarkerLayout;
  set(thing_plate, 0, (Layout::top + Layout::bottom) / 2,
      std::hypot(Layout::right + Layout::border,
                 (Layout::top - Layout::bottom) / 2 + Layout::border));
}

std::optional<Colour> MovingThings::colour(int thing, Ray direction) const {
  const Vec3 d = {direction.x, direction.y, direction.z};
  switch (thing) {
    case thing_ball:
      return ball(turn_[thing] * d);
    case thing_sign:
      return sign(turn_[thing] * d);
    case thing_clock:
      return clock(turn_[thing] * d);
    default:
      return plate(direction);
  }
}

std::optional<Colour> MovingThings::ball(Vec3 d) const {
  static const double edge = std::tan(radians(ball_radius));
  if (!(d.z > 0)) return std::nullopt;
  const double x = d.x / d.z / edge, y = d.y / d.z / edge, square = x * x + y * y;
  if (square > 1) return std::nullopt;
  // A beach ball that rolls: stripes from pole to pole.
  const double z = std::sqrt(1 - square), turn = seconds_ * 2.3;
  const double u = x * std::cos(turn) + z * std::sin(turn),
               w = z * std::cos(turn) - x * std::sin(turn);
  const int stripe = static_cast<int>(std::floor((std::atan2(u, w) / pi + 1) * 3));
  constexpr Colour stripes[6] = {{0.90f, 0.15f, 0.12f}, white, {0.10f, 0.35f, 0.80f},
                                 {0.98f, 0.80f, 0.10f}, white, {0.12f, 0.60f, 0.25f}};
  return shade(stripes[std::clamp(stripe, 0, 5)], static_cast<float>(0.65 + 0.35 * z));
}

std::optional<Colour> MovingThings::sign(Vec3 d) const {
  static const double width = std::tan(radians(sign_half_width)),
                      height = std::tan(radians(sign_half_height));
  if (!(d.z > 0)) return std::nullopt;
  const double x = d.x / d.z / width, y = d.y / d.z / height;
  if (std::abs(x) > 1 || std::abs(y) > 1) return std::nullopt;
  if (std::abs(x) > 0.92 || std::abs(y) > 0.86) return black;
  char text[16];
  std::snprintf(text, sizeof text, "%04u", number_ % 10000u);
  const double dot = text_width(text) / 1.5;
  return has_ink(text, static_cast<float>((x + 0.75) * dot),
                 static_cast<float>((y + 0.6) / 1.2 * glyph_height))
             ? black
             : Colour{0.98f, 0.78f, 0.10f};
}

std::optional<Colour> MovingThings::clock(Vec3 d) const {
  static const double edge = std::tan(radians(clock_radius));
  if (!(d.z > 0)) return std::nullopt;
  const double x = d.x / d.z / edge, y = d.y / d.z / edge, r = std::hypot(x, y);
  if (r > 1) return std::nullopt;
  if (r > 0.9) return black;
  const auto hand = [&](double turns, double reach, double half_width) {
    const double c = std::cos(turns * 2 * pi), s = std::sin(turns * 2 * pi);
    const double along = x * s - y * c, across = x * c + y * s;
    return along > -0.15 && along < reach && std::abs(across) < half_width;
  };
  if (hand(seconds_ / 60, 0.55, 0.045)) return black;
  if (hand(seconds_ / 4, 0.82, 0.03)) return Colour{0.85f, 0.10f, 0.10f};
  const double hour = std::atan2(x, -y) / (2 * pi) * 12;
  if (r > 0.72 && std::abs(hour - std::nearbyint(hour)) * r < 0.09) return black;
  return white;
}

std::optional<Colour> MovingThings::plate(Ray d) const {
  const float lon = std::atan2(d.x, d.z), lat = std::atan2(-d.y, std::sqrt(d.x * d.x + d.z * d.z));
  const std::optional<bool> lit = marker_at(number_, degrees(lon), degrees(lat));
  if (!lit) return std::nullopt;
  return *lit ? Colour{0.98f, 0.98f, 0.98f} : Colour{0.02f, 0.02f, 0.02f};
}

}  // namespace sphere
