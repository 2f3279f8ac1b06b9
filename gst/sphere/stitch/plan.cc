// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/stitch/plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace sphere {

namespace {

constexpr int table_steps = 2048;
// Narrower than a hundredth of a pixel of the largest output: a hard seam, without a division by 0.
constexpr double narrowest_band = 1e-5;
// The last degree of a lens is fringed and dark: the other one has it alone, as far as the overlap
// allows.
constexpr double rim = radians(1);
// Past this angle the division by the sine loses its digits; no pair in use reaches it.
constexpr double farthest_reach = radians(170);
constexpr double aspect_tolerance = 0.01;
// What is worked out for each node: x and y of both lenses, the blend, the gains of both lenses.
constexpr int blend_value = 4, gain_value = 5, values = 7;
constexpr double smallest_gain = 0.1, largest_gain = 10;
// Nothing that a stitch is made for is nearer than some baselines.
constexpr double largest_shift = 0.2;
// By how much larger copies are taken than would have the output's own resolution: what is between
// their samples is a mean of four, and softens them once more. Nearest to the truth at all sizes.
constexpr double sharpness = 0.7;
// Nearer than this to one of the copies, it alone is taken.
constexpr double one_copy = 0.08;

}  // namespace

Status Planner::fits(const LensPair& pair, Size source, double pixel_aspect) {
  char text[320];
  if (source.width < 16 || source.height < 16 || source.width > 32768 || source.height > 32768) {
    std::snprintf(text, sizeof text,
                  "a picture of %dx%d can't be stitched, 16x16 to 32768x32768 can", source.width,
                  source.height);
    return invalid(text);
  }
  const double have = source.width * pixel_aspect / source.height;
  const double want = static_cast<double>(pair.frame.width) / pair.frame.height;
  if (std::abs(have / want - 1) > aspect_tolerance) {
    const int fitting = static_cast<int>(std::lround(source.width * pixel_aspect / want / 2)) * 2;
    std::snprintf(text, sizeof text,
                  "a picture of %dx%d does not fit the lens profile '%s', whose frame is %dx%d: "
                  "at this width it would be %dx%d. Choose the profile of the camera that took "
                  "the picture, or don't crop or stretch it",
                  source.width, source.height, pair.name.c_str(), pair.frame.width,
                  pair.frame.height, source.width, fitting);
    return invalid(text);
  }
  return ok();
}

Result<Planner> Planner::make(const LensPair& pair, Size source, const Canvas& canvas,
                              const PlanOptions& options) {
  const Size output = canvas.size();
  if (output.width < 2 || output.height < 1 || output.width > 32768 || output.height > 32768)
    return invalid("an output of " + std::to_string(output.width) + "x" +
                   std::to_string(output.height) + " can't be made");
  for (const Canvas::Patch& patch : canvas.patches())
    if (patch.size.width < 2 || patch.size.height < 2)
      return invalid("an output of " + std::to_string(output.width) + "x" +
                     std::to_string(output.height) + " is too small for its faces");
  Planner planner(canvas);
  if (options.fov > 0) {
    Result<LensPair> changed = pair.with_fov(options.fov);
    if (!changed) return changed.error();
    planner.pair_ = changed->scaled_to(source);
  } else {
    planner.pair_ = pair.scaled_to(source);
  }

  // t, half the difference of the angles to the back and the front axis, runs across the seam. Both
  // lenses see what lies between their rims; the band sits on the bisector, or as near to it as the
  // narrower lens allows.
  const Lens& front = planner.pair_.front;
  const Lens& back = planner.pair_.back;
  const double apart = angle_between(front.axis(), back.axis());
  const double slack = (pi - apart) / 2;
  const double lowest = pi / 2 - front.half_fov() + slack;
  const double highest = back.half_fov() - pi / 2 - slack;
  const double overlap = std::max(highest - lowest, 0.0);
  const double left_out = std::min(rim, overlap / 4);
  planner.lowest_ = lowest;
  planner.highest_ = highest;
  if (options.distance > 0)
    planner.shift_ = std::clamp(planner.pair_.baseline / 2 / options.distance, 0.0, largest_shift);
  planner.band_ = std::max(std::min(options.blend_width, overlap - 2 * left_out), narrowest_band);
  const double margin = left_out + planner.band_ / 2;
  planner.middle_ = lowest + margin <= highest - margin
                        ? std::clamp(0.0, lowest + margin, highest - margin)
                        : (lowest + highest) / 2;

  for (const Lens* lens : {&front, &back})
    planner.has_gain_ |= lens->gain != 1 || lens->vignette != Vignette{};

  planner.has_gain_ |= planner.pair_.cut;

  const auto set_cell = [&](int cell) {
    planner.look(cell);
    planner.reach_ = std::min(pi / 2 + slack + std::abs(planner.middle_) + planner.band_ / 2 +
                                  3 * planner.coarsest_ + planner.shift_,
                              farthest_reach);
    planner.make_tables();
  };
  if (options.cell > 0) {
    set_cell(std::min(options.cell, largest_cell));
    return planner;
  }
  for (int cell : {16, 8, 4, 2, 1}) {
    if (cell > options.most_cell && cell > 1) continue;
    set_cell(cell);
    if (planner.worst_error() <= tolerance) break;
  }
  return planner;
}

void Planner::look(int cell) {
  cell_ = cell;
  coarsest_ = 0;
  double most = 0;
  // Pixels of the source a radian, half-way between axis and rim.
  double resolution = 0;
  for (int i = 0; i < 2; ++i) resolution = std::max(resolution, pair_[i].model.forward(0.8) / 0.8);
  patches_.resize(canvas_.patches().size());
  for (size_t k = 0; k < patches_.size(); ++k) {
    const Canvas::Patch& patch = canvas_.patches()[k];
    Directions& nodes = patches_[k];
    nodes.columns = (patch.size.width + 2 * cell - 1) / (2 * cell) * 2;
    nodes.rows = (patch.size.height + cell - 1) / cell;
    const size_t across = nodes.nodes_per_row();
    const size_t count = across * (nodes.rows + 3);
    for (std::vector<float>* v : {&nodes.x, &nodes.y, &nodes.z, &nodes.reduction}) v->resize(count);
    for (int r = -1; r <= nodes.rows + 1; ++r)
      for (int c = -1; c <= nodes.columns + 1; ++c) {
        const Vec3 d = canvas_.direction(
            patch, {static_cast<double>(c) * cell, static_cast<double>(r) * cell});
        const size_t n = nodes.at(c, r);
        nodes.x[n] = static_cast<float>(d.x);
        nodes.y[n] = static_cast<float>(d.y);
        nodes.z[n] = static_cast<float>(d.z);
      }
    for (int r = 0; r <= nodes.rows; ++r)
      for (int c = 0; c <= nodes.columns; ++c) {
        const size_t n = nodes.at(c, r);
        const auto apart = [&](size_t a, size_t b) {
          return std::hypot(nodes.x[a] - nodes.x[b], nodes.y[a] - nodes.y[b],
                            nodes.z[a] - nodes.z[b]) /
                 2.0;
        };
        const double step = std::max(apart(n - 1, n + 1), apart(n - across, n + across));
        coarsest_ = std::max(coarsest_, step);
        const double scale = step / cell * resolution;
        double reduction = std::max(0.0, std::log2(scale) - sharpness);
        const double nearest = std::round(reduction);
        if (std::abs(reduction - nearest) < one_copy) reduction = nearest;
        most = std::max(most, reduction);
        nodes.reduction[n] = static_cast<float>(std::min<double>(reduction, most_reductions));
      }
  }
  reductions_ = std::min(static_cast<int>(std::ceil(most)), most_reductions);
}

void Planner::make_tables() {
  const double lowest = std::cos(reach_);
  for (int i = 0; i < 2; ++i) {
    const Lens& lens = pair_[i];
    Table& table = table_[i];
    table.lowest_cosine = static_cast<float>(lowest);
    table.per_cosine = static_cast<float>(table_steps / (1 - lowest));
    table.scale.resize(table_steps + 2);
    table.gain.resize(has_gain_ ? table_steps + 2 : 0);
    for (int n = 0; n <= table_steps; ++n) {
      const double cosine = lowest + (1 - lowest) * n / table_steps;
      // At the axis the ratio is the slope there; a thousandth of a degree off is near enough.
      const double angle = std::max(std::acos(std::min(cosine, 1.0)), 2e-5);
      const double distance = lens.model.forward(angle);
      table.scale[n] = static_cast<float>(distance / std::sin(angle));
      if (has_gain_)
        table.gain[n] = static_cast<float>(
            std::clamp(1 / lens.brightness(std::min(distance, lens.model.radius())), smallest_gain,
                       largest_gain));
    }
    table.scale[table_steps + 1] = table.scale[table_steps];
    if (has_gain_) table.gain[table_steps + 1] = table.gain[table_steps];
  }
}

double Planner::blend(Vec3 direction) const {
  const double t = (pair_.back.angle_to_axis(direction) - pair_.front.angle_to_axis(direction)) / 2;
  return 0.5 + (t - middle_) / band_;
}

Point Planner::place(int lens, Vec3 direction) const {
  // A lens stands before the middle on its own axis.
  return pair_[lens].project(direction - shift_ * pair_[lens].axis());
}

double Planner::worst_error() const {
  // Looked for at the middles of cells, where interpolation is farthest off, over a sample of the
  // grid and two views: level, and with the seam and the axes where they are not when it is level.
  constexpr int cells_across = 48, cells_down = 24;
  const int cell = cell_;
  const double finer = std::max(1.0, static_cast<double>(pair_.frame.width) / canvas_.size().width);
  Plan plan;
  double worst = 0;
  for (const Angles& angles : {Angles{}, Angles{37, 52, 23}})
    for (int patch = 0; patch < patches(); ++patch) {
      const Mat3 view = rotation(angles);
      build(view, plan, patch);
      const int step_across = std::max(1, plan.columns / cells_across);
      const int step_down = std::max(1, plan.rows / cells_down);
      for (int row = 0; row < plan.rows; row += step_down) {
        for (int column = row % step_across; column < plan.columns; column += step_across) {
          const size_t node = static_cast<size_t>(row) * plan.nodes_per_row() + column;
          const size_t below = node + plan.nodes_per_row();
          const Vec3 d = view * canvas_.direction(canvas_.patches()[patch],
                                                  {(column + 0.5) * cell, (row + 0.5) * cell});
          const double coarser = plan.reduction.empty()
                                     ? finer
                                     : std::max<double>(finer, std::exp2(plan.reduction[node]));
          const double share = blend(d);
          for (int i = 0; i < 2; ++i) {
            if (i ? share >= 1 : share <= 0) continue;
            const auto mean = [&](const std::vector<float>& v) {
              return (v[node] + v[node + 1] + v[below] + v[below + 1]) / 4.0;
            };
            const Point exact = place(i, d);
            worst = std::max(
                worst, std::hypot(mean(plan.lens[i].x) - exact.x, mean(plan.lens[i].y) - exact.y) /
                           coarser);
          }
        }
      }
    }
  return worst;
}

void Planner::build(const Mat3& view, Plan& plan, int patch) const {
  // One for each thread that builds plans; grows once.
  thread_local std::vector<float> scratch;
  const Directions& look = patches_[patch];
  const Canvas::Patch& place = canvas_.patches()[patch];
  plan.output = place.size;
  plan.left = place.x;
  plan.top = place.y;
  plan.source = pair_.frame;
  plan.cell = cell_;
  plan.columns = look.columns;
  plan.rows = look.rows;
  const int across = plan.nodes_per_row();
  for (int i = 0; i < 2; ++i) {
    plan.region[i] = pair_[i].region;
    plan.lens[i].x.resize(plan.node_count());
    plan.lens[i].y.resize(plan.node_count());
    plan.lens[i].gain.resize(has_gain_ ? plan.node_count() : 0);
    for (std::vector<float>& tint : plan.lens[i].tint) tint.clear();
  }
  plan.blend.resize(plan.node_count());
  plan.reduction.resize(reductions_ ? plan.node_count() : 0);
  plan.cells.resize(static_cast<size_t>(plan.columns) * plan.rows);

  // Rows of these matrices take a direction of the view to the axes of a lens.
  struct Turn {
    float m[9];
    float cx, cy;
  } turn[2];
  const auto shift = static_cast<float>(shift_);
  for (int i = 0; i < 2; ++i) {
    const Mat3 m = pair_[i].to_camera.transposed() * view;
    for (int r = 0; r < 3; ++r) {
      turn[i].m[3 * r] = static_cast<float>(m.row[r].x);
      turn[i].m[3 * r + 1] = static_cast<float>(m.row[r].y);
      turn[i].m[3 * r + 2] = static_cast<float>(m.row[r].z);
    }
    // The sideways axis alone is in columns; all else is in rows of the source.
    for (int k = 0; k < 3; ++k) turn[i].m[k] *= static_cast<float>(pair_[i].stretch);
    turn[i].cx = static_cast<float>(pair_[i].centre.x);
    turn[i].cy = static_cast<float>(pair_[i].centre.y);
  }

  // Lines between nodes that lie on a curve run along one side of it. Nodes moved off the curve, by
  // half of what the middles are off, halve the worst error; by how much, the neighbours tell. So a
  // margin of one node is worked out around the grid, three rows at a time.
  const int padded = look.nodes_per_row();
  scratch.resize(static_cast<size_t>(padded) * 3 * values);
  const auto exact = [&](int r, int value) {
    return scratch.data() + static_cast<size_t>((r + 3) % 3 * values + value) * padded;
  };

  // Where rows are missing there is no light. It fades within a cell, which is not to reach beyond.
  const auto fade = static_cast<float>(coarsest_ * 1.5 * pair_.frame.width / (2 * pi));
  const auto missing = [&](int i, float y) {
    const Region& region = pair_[i].region;
    return y < static_cast<float>(region.top) + fade ||
           y > static_cast<float>(region.bottom) - fade;
  };
  const float middle = static_cast<float>(middle_), per_band = static_cast<float>(1 / band_);
  const auto work_out = [&](int r) {
    const size_t row = look.at(-1, r);
    const float* const look_x = &look.x[row];
    const float* const look_y = &look.y[row];
    const float* const look_z = &look.z[row];
    float* const blends = exact(r, blend_value);
    for (int i = 0; i < 2; ++i) {
      const Turn& t = turn[i];
      const Table& table = table_[i];
      float* const xs = exact(r, 2 * i);
      float* const ys = exact(r, 2 * i + 1);
      float* const gains = has_gain_ ? exact(r, gain_value + i) : nullptr;
      const float* const scales = table.scale.data();
      const float lowest = table.lowest_cosine, per_cosine = table.per_cosine;
      for (int c = 0; c < padded; ++c) {
        const float vx = look_x[c], vy = look_y[c], vz = look_z[c];
        float x = t.m[0] * vx + t.m[1] * vy + t.m[2] * vz;
        float y = t.m[3] * vx + t.m[4] * vy + t.m[5] * vz;
        float z = t.m[6] * vx + t.m[7] * vy + t.m[8] * vz;
        // The angle between the direction and the plane across this lens's axis.
        const float above = std::asin(std::clamp(z, -1.0f, 1.0f));
        if (shift != 0) {
          const float size = 1 / std::sqrt(1 - shift * (2 * z - shift));
          x *= size;
          y *= size;
          z = (z - shift) * size;
        }
        const float place = (std::clamp(z, lowest, 1.0f) - lowest) * per_cosine;
        const int n = static_cast<int>(place);
        const float part = place - static_cast<float>(n);
        const float scale = scales[n] + part * (scales[n + 1] - scales[n]);
        xs[c] = t.cx + scale * x;
        ys[c] = t.cy + scale * y;
        if (gains) gains[c] = table.gain[n] + part * (table.gain[n + 1] - table.gain[n]);
        blends[c] = i == 0 ? above : 0.5f + ((blends[c] - above) * 0.5f - middle) * per_band;
      }
      if (const Correction* correction = pair_[i].correction.get()) {
        for (int c = 0; c < padded; ++c) {
          const Point shift = correction->at({xs[c], ys[c]});
          xs[c] += static_cast<float>(shift.x);
          ys[c] += static_cast<float>(shift.y);
        }
      }
      if (pair_.cut)
        for (int c = 0; c < padded; ++c)
          if (missing(i, ys[c])) gains[c] = 0;
    }
  };

  work_out(-1);
  work_out(0);
  for (int r = 0; r <= plan.rows; ++r) {
    work_out(r + 1);
    const size_t first = static_cast<size_t>(r) * across;
    for (int i = 0; i < 2; ++i) {
      for (int axis = 0; axis < 2; ++axis) {
        const float* const above = exact(r - 1, 2 * i + axis);
        const float* const here = exact(r, 2 * i + axis);
        const float* const below = exact(r + 1, 2 * i + axis);
        float* const nodes = axis ? &plan.lens[i].y[first] : &plan.lens[i].x[first];
        for (int c = 0; c < across; ++c) {
          const float bend = here[c] + here[c + 2] + above[c + 1] + below[c + 1] - 4 * here[c + 1];
          nodes[c] = here[c + 1] - bend * (1.0f / 16);
        }
      }
      if (has_gain_) std::copy_n(exact(r, gain_value + i) + 1, across, &plan.lens[i].gain[first]);
    }
    std::copy_n(exact(r, blend_value) + 1, across, &plan.blend[first]);
    if (reductions_) std::copy_n(&look.reduction[look.at(0, r)], across, &plan.reduction[first]);
  }

  // Which lens a cell needs follows from its corners: interpolated values lie between theirs.
  for (int r = 0; r < plan.rows; ++r) {
    for (int c = 0; c < plan.columns; ++c) {
      const size_t node = static_cast<size_t>(r) * across + c;
      const std::array<size_t, 4> corners = {node, node + 1, node + across, node + across + 1};
      uint8_t flags = has_gain_ ? cell_lit : 0, inside = cell_front_inside | cell_back_inside;
      float reduction = 0;
      if (reductions_)
        for (size_t n : corners) reduction = std::max(reduction, plan.reduction[n]);
      if (reduction > 0) flags |= cell_reduced;
      const float margin = margin_for(reduction);
      for (size_t n : corners) {
        if (plan.blend[n] > 0) flags |= cell_front;
        if (plan.blend[n] < 1) flags |= cell_back;
        for (int i = 0; i < 2; ++i) {
          if (!well_inside(plan.region[i], plan.lens[i].x[n], plan.lens[i].y[n], margin))
            inside &= static_cast<uint8_t>(~(i ? cell_back_inside : cell_front_inside));
        }
      }
      plan.cells[static_cast<size_t>(r) * plan.columns + c] = flags | inside;
    }
  }
}

}  // namespace sphere
