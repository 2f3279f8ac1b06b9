// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/warp/gridbuilder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace sphere {

namespace {

constexpr int largest_side = 32768;
// The values that are calculated for each node: x and y of both layers, the weight of the first
// layer, the gains of both layers.
constexpr int first_weight_value = 4, gain_value = 5, values = 7;
// The copies that are used are larger, by this power of two, than copies of the output's own
// resolution, because the interpolation between their samples blurs them once more. With this
// value, the result is nearest to the exact picture at all sizes.
constexpr double sharpness = 0.7;
// Pixels of the source. In cells of a whole sphere with a larger interpolation error than this,
// points are not interpolated. It is half of GridBuilder::tolerance, because the error is estimated
// at the nodes, not in the middle of the cell.
constexpr float most_bend = 0.045f;
// Exact points take about ten times as long as interpolated ones, and cells of half the size one
// and a half times as long. If more than this part of the cells is exact, smaller cells take less
// time.
constexpr double most_exact = 0.08;
// A segment of the kernel's has at least so many samples.
constexpr int least_cell_of_sphere = 8;
// Reductions that are nearer than this to one of the copies are rounded, so that only this copy is
// read.
constexpr double one_copy = 0.08;

/// The reduction for a number of pixels of the source per pixel of the output.
float reduction_of(double scale) {
  const double reduction = std::max(0.0, std::log2(scale) - sharpness);
  const double nearest = std::round(reduction);
  return static_cast<float>(std::min<double>(
      std::abs(reduction - nearest) < one_copy ? nearest : reduction, most_reductions));
}

/// The distance from one point of a sphere to another to its right, in the shorter direction.
float to_right(float point, float from, float width) {
  float apart = point - from;
  if (apart > width / 2) apart -= width;
  if (apart < -width / 2) apart += width;
  return apart;
}

}  // namespace

Status GridBuilder::fits(const Canvas& canvas) {
  const Size output = canvas.size();
  const std::string size = std::to_string(output.width) + "x" + std::to_string(output.height);
  if (output.width < 2 || output.height < 1 || output.width > largest_side ||
      output.height > largest_side)
    return invalid("an output of " + size + " can't be made");
  for (const Canvas::Patch& patch : canvas.patches())
    if (patch.size.width < 2 || patch.size.height < 2)
      return invalid("an output of " + size + " is too small for its faces");
  return ok();
}

void GridBuilder::choose_cell(WarpSource& source, const CellOptions& options) {
  const auto set = [&](int cell) {
    set_cell(cell, source);
    source.set_node_angle(node_angle_);
  };
  if (options.cell > 0) return set(std::min(options.cell, largest_cell));
  for (int cell : {16, 8, 4, 2, 1}) {
    if (cell > options.most_cell && cell > 1) continue;
    set(cell);
    const Quality quality = measure(source);
    if (quality.worst_error <= tolerance &&
        (quality.exact_share <= most_exact || cell <= least_cell_of_sphere))
      break;
  }
}

void GridBuilder::set_cell(int cell, const WarpSource& source) {
  cell_ = cell;
  node_angle_ = 0;
  float most = 0;
  const double resolution = source.resolution();
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
        node_angle_ = std::max(node_angle_, step);
        nodes.reduction[n] = reduction_of(step / cell * resolution);
        most = std::max(most, nodes.reduction[n]);
      }
  }
  reductions_ = static_cast<int>(std::ceil(most));
}

float GridBuilder::reduction(double pixel, const WarpSource& source) const {
  return reduction_of(pixel * source.resolution());
}

GridBuilder::Quality GridBuilder::measure(const WarpSource& source) const {
  // The error is measured in the middles of some cells, where it is largest, for two views: a level
  // one, and one with other edges and axes.
  constexpr int cells_across = 48, cells_down = 24;
  const int cell = cell_;
  const double finer =
      std::max(1.0, static_cast<double>(source.size().width) / canvas_.size().width);
  const auto width = static_cast<float>(source.size().width);
  WarpGrid grid;
  double worst = 0;
  int cells = 0, exact_cells = 0;
  for (const Angles& angles : {Angles{}, Angles{37, 52, 23}})
    for (int patch = 0; patch < patches(); ++patch) {
      const Mat3 view = rotation(angles);
      build(source, view, grid, patch);
      const int step_across = std::max(1, grid.columns / cells_across);
      const int step_down = std::max(1, grid.rows / cells_down);
      for (int row = 0; row < grid.rows; row += step_down) {
        for (int column = row % step_across; column < grid.columns; column += step_across) {
          const size_t node = static_cast<size_t>(row) * grid.nodes_per_row() + column;
          const size_t below = node + grid.nodes_per_row();
          ++cells;
          const Vec3 d = view * canvas_.direction(canvas_.patches()[patch],
                                                  {(column + 0.5) * cell, (row + 0.5) * cell});
          const double coarser = grid.reduction.empty()
                                     ? finer
                                     : std::max<double>(finer, std::exp2(grid.reduction[node]));
          const auto mean = [&](const std::vector<float>& v) {
            return (v[node] + v[node + 1] + v[below] + v[below + 1]) / 4.0;
          };
          if (grid.flags(column, row) & cell_exact) {
            ++exact_cells;
            const Vec3 is = {mean(grid.direction[0]), mean(grid.direction[1]),
                             mean(grid.direction[2])};
            worst = std::max(worst, angle_between(is, d) * source.resolution() / coarser);
            continue;
          }
          const double first_weight = source.first_weight(d);
          for (int i = 0; i < source.layers(); ++i) {
            if (i ? first_weight >= 1 : first_weight <= 0) continue;
            const Point exact =
                grid.cube ? grid.cube->point(grid.face[node], d) : source.project(i, d);
            const WarpGrid::Layer& layer = grid.layer[i];
            double across = mean(layer.x) - exact.x;
            if (grid.edges_meet()) across = std::remainder(across, width) * std::hypot(d.x, d.z);
            worst = std::max(worst, std::hypot(across, mean(layer.y) - exact.y) / coarser);
          }
        }
      }
    }
  return {worst, cells ? static_cast<double>(exact_cells) / cells : 0};
}

void GridBuilder::build(const WarpSource& source, const Mat3& view, WarpGrid& grid,
                        int patch) const {
  const Directions& nodes = patches_[patch];
  const Canvas::Patch& area = canvas_.patches()[patch];
  const int layers = source.layers();
  grid.output = area.size;
  grid.left = area.x;
  grid.top = area.y;
  grid.source = source.size();
  grid.cell = cell_;
  grid.columns = nodes.columns;
  grid.rows = nodes.rows;
  for (int i = 0; i < 2; ++i) {
    WarpGrid::Layer& layer = grid.layer[i];
    const size_t count = i < layers ? grid.node_count() : 0;
    if (i < layers) layer.region = source.region(i);
    layer.x.resize(count);
    layer.y.resize(count);
    layer.gain.resize(source.has_gain() ? count : 0);
    for (std::vector<float>& tint : layer.tint) tint.clear();
  }
  grid.azimuth.clear();
  grid.height.clear();
  grid.first_weight.resize(layers > 1 ? grid.node_count() : 0);
  grid.reduction.resize(reductions_ ? grid.node_count() : 0);
  grid.cells.resize(static_cast<size_t>(grid.columns) * grid.rows);
  for (std::vector<float>& axis : grid.direction)
    axis.resize(source.is_sphere() ? grid.node_count() : 0);
  if (const CubeLayout* cube = source.cube())
    grid.cube = *cube;
  else
    grid.cube.reset();
  grid.face.resize(grid.cube ? grid.node_count() : 0);
  if (source.is_sphere()) {
    build_sphere_points(source, view, nodes, grid);
    flag_sphere_cells(grid);
  } else {
    build_points(source, view, nodes, grid);
    flag_cells(grid);
  }
}

void GridBuilder::build_points(const WarpSource& source, const Mat3& view, const Directions& nodes,
                               WarpGrid& grid) const {
  // One for each thread that builds grids. It is allocated once.
  thread_local std::vector<float> scratch;
  const int across = grid.nodes_per_row(), layers = source.layers();
  const bool has_gain = source.has_gain();

  // A straight line between two nodes on a curve is always on the same side of the curve. If the
  // nodes are moved to the other side, by half of the error in the middle, the largest error is
  // halved. The error is calculated from the neighbours, therefore one more node is needed on each
  // side of the grid. Three rows are kept at a time.
  const int padded = nodes.nodes_per_row();
  scratch.resize(static_cast<size_t>(padded) * 3 * values);
  const auto exact = [&](int r, int value) {
    return scratch.data() + static_cast<size_t>((r + 3) % 3 * values + value) * padded;
  };
  const auto project_row = [&](int r) {
    const size_t row = nodes.at(-1, r);
    ProjectedRow out{};
    for (int i = 0; i < layers; ++i)
      out.layer[i] = {exact(r, 2 * i), exact(r, 2 * i + 1),
                      has_gain ? exact(r, gain_value + i) : nullptr};
    out.first_weight = layers > 1 ? exact(r, first_weight_value) : nullptr;
    source.project_row(view, {&nodes.x[row], &nodes.y[row], &nodes.z[row], padded}, out);
  };

  project_row(-1);
  project_row(0);
  for (int r = 0; r <= grid.rows; ++r) {
    project_row(r + 1);
    const size_t first = static_cast<size_t>(r) * across;
    for (int i = 0; i < layers; ++i) {
      WarpGrid::Layer& layer = grid.layer[i];
      if (has_gain) std::copy_n(exact(r, gain_value + i) + 1, across, &layer.gain[first]);
      for (int axis = 0; axis < 2; ++axis) {
        const float* const here = exact(r, 2 * i + axis);
        float* const points = axis ? &layer.y[first] : &layer.x[first];
        const float* const above = exact(r - 1, 2 * i + axis);
        const float* const below = exact(r + 1, 2 * i + axis);
        for (int c = 0; c < across; ++c) {
          const float bend = here[c] + here[c + 2] + above[c + 1] + below[c + 1] - 4 * here[c + 1];
          points[c] = here[c + 1] - bend * (1.0f / 16);
        }
      }
    }
    if (layers > 1)
      std::copy_n(exact(r, first_weight_value) + 1, across, &grid.first_weight[first]);
    if (reductions_) std::copy_n(&nodes.reduction[nodes.at(0, r)], across, &grid.reduction[first]);
  }
}

void GridBuilder::build_sphere_points(const WarpSource& source, const Mat3& view,
                                      const Directions& nodes, WarpGrid& grid) const {
  const int across = grid.nodes_per_row();
  WarpGrid::Layer& layer = grid.layer[0];
  for (int r = 0; r <= grid.rows; ++r) {
    const size_t first = static_cast<size_t>(r) * across, from = nodes.at(0, r);
    for (int k = 0; k < 3; ++k) {
      const auto x = static_cast<float>(view.row[k].x), y = static_cast<float>(view.row[k].y),
                 z = static_cast<float>(view.row[k].z);
      float* const to = &grid.direction[k][first];
      for (int c = 0; c < across; ++c)
        to[c] = x * nodes.x[from + c] + y * nodes.y[from + c] + z * nodes.z[from + c];
    }
    if (reductions_) std::copy_n(&nodes.reduction[from], across, &grid.reduction[first]);
    const float *const x = &grid.direction[0][first], *const y = &grid.direction[1][first],
                       *const z = &grid.direction[2][first];
    if (!grid.cube) {
      ProjectedRow out{};
      out.layer[0] = {&layer.x[first], &layer.y[first], nullptr};
      source.project_row(Mat3{}, {x, y, z, across}, out);
      continue;
    }
    for (int c = 0; c < across; ++c) {
      const Vec3 d = {x[c], y[c], z[c]};
      const int face = grid.cube->face_of(d);
      const Point at = grid.cube->point(face, d);
      grid.face[first + c] = static_cast<uint8_t>(face);
      layer.x[first + c] = static_cast<float>(at.x);
      layer.y[first + c] = static_cast<float>(at.y);
    }
  }
}

void GridBuilder::flag_cells(WarpGrid& grid) const {
  // The corners tell which layers a cell needs, because interpolated values are between those of
  // the corners.
  const int across = grid.nodes_per_row();
  const bool two_layers = !grid.first_weight.empty();
  const bool has_gain = !grid.layer[0].gain.empty();
  const uint8_t all_inside =
      two_layers ? cell_first_inside | cell_second_inside : cell_first_inside;
  for (int r = 0; r < grid.rows; ++r) {
    for (int c = 0; c < grid.columns; ++c) {
      const size_t node = static_cast<size_t>(r) * across + c;
      const std::array<size_t, 4> corners = {node, node + 1, node + across, node + across + 1};
      uint8_t flags = has_gain ? cell_gained : 0, inside = all_inside;
      float reduction = 0;
      if (reductions_)
        for (size_t n : corners) reduction = std::max(reduction, grid.reduction[n]);
      if (reduction > 0) flags |= cell_reduced;
      const float margin = margin_for(reduction);
      for (size_t n : corners) {
        if (!two_layers) {
          flags |= cell_first;
        } else {
          if (grid.first_weight[n] > 0) flags |= cell_first;
          if (grid.first_weight[n] < 1) flags |= cell_second;
        }
        for (int i = 0; i < (two_layers ? 2 : 1); ++i) {
          const WarpGrid::Layer& layer = grid.layer[i];
          if (!well_inside(layer.region, layer.x[n], layer.y[n], margin))
            inside &= static_cast<uint8_t>(~(i ? cell_second_inside : cell_first_inside));
        }
      }
      grid.cells[static_cast<size_t>(r) * grid.columns + c] = flags | inside;
    }
  }
}

void GridBuilder::flag_sphere_cells(WarpGrid& grid) const {
  // One for each thread that builds grids. They are allocated once.
  struct Bend {
    float x = 0, y = 0;
    bool known = true;
    /// `narrow`: the square of the width of a degree of longitude, as a part of that at the
    /// equator.
    float squared(float narrow) const { return x * x * narrow + y * y; }
  };
  thread_local std::vector<Bend> wide, tall;
  const int across = grid.nodes_per_row();
  const auto width = static_cast<float>(grid.source.width);
  WarpGrid::Layer& layer = grid.layer[0];
  /// From one node to the next, in the shorter direction.
  const auto right = [&](size_t from, size_t to) {
    return grid.cube ? layer.x[to] - layer.x[from] : to_right(layer.x[to], layer.x[from], width);
  };
  /// Eight times the distance of the line between a node's neighbours from the curve in its middle,
  /// pixels of the source. It can't be told if they are on different faces.
  const auto bend = [&](size_t n, size_t step) -> Bend {
    if (grid.cube && (grid.face[n - step] != grid.face[n] || grid.face[n + step] != grid.face[n]))
      return {0, 0, false};
    return {right(n, n + step) - right(n - step, n),
            layer.y[n + step] + layer.y[n - step] - 2 * layer.y[n]};
  };
  // Nodes at the grid's edge have no neighbours on one side; the next node's bend is used there.
  wide.resize(grid.node_count());
  tall.resize(grid.node_count());
  for (int r = 0; r <= grid.rows; ++r)
    for (int c = 0; c < across; ++c) {
      const size_t n = static_cast<size_t>(r) * across + c;
      const size_t row = static_cast<size_t>(std::clamp(r, 1, std::max(grid.rows - 1, 1))) * across;
      wide[n] = bend(n - c + std::clamp(c, 1, grid.columns - 1), 1);
      tall[n] = grid.rows > 1 ? bend(row + c, static_cast<size_t>(across)) : Bend{};
    }
  // As in build_points(): nodes on the other side of the curve halve the largest error.
  for (size_t n = 0; n < grid.node_count(); ++n) {
    layer.x[n] -= (wide[n].x + tall[n].x) * (1.0f / 16);
    layer.y[n] -= (wide[n].y + tall[n].y) * (1.0f / 16);
  }

  std::array<Region, CubeLayout::faces> pixels;
  if (grid.cube)
    for (int face = 0; face < CubeLayout::faces; ++face) pixels[face] = grid.cube->pixels(face);
  const float finer = std::max(1.0f, width / static_cast<float>(canvas_.size().width));
  for (int r = 0; r < grid.rows; ++r)
    for (int c = 0; c < grid.columns; ++c) {
      const size_t node = static_cast<size_t>(r) * across + c;
      const std::array<size_t, 4> corners = {node, node + 1, node + across, node + across + 1};
      float reduction = 0;
      if (reductions_)
        for (size_t n : corners) reduction = std::max(reduction, grid.reduction[n]);
      const float margin = margin_for(reduction);
      const float coarser = reduction > 0 ? std::max(finer, std::exp2(reduction)) : finer;
      const Region& region = grid.cube ? pixels[grid.face[node]] : layer.region;
      float across_bend = 0, down_bend = 0, least = layer.x[node], most = least;
      bool plain = true, moved = true;
      float narrow = 1;
      if (!grid.cube) {
        // A degree of longitude is shorter near the poles. The widest of the corners counts.
        narrow = 0;
        for (size_t n : corners) {
          const float east = grid.direction[0][n], north = grid.direction[2][n];
          narrow = std::max(narrow, east * east + north * north);
        }
      }
      for (size_t n : corners) {
        across_bend = std::max(across_bend, wide[n].squared(narrow));
        down_bend = std::max(down_bend, tall[n].squared(narrow));
        moved = moved && wide[n].known && tall[n].known;
        least = std::min(least, layer.x[n]);
        most = std::max(most, layer.x[n]);
        if (!well_inside(region, layer.x[n], layer.y[n], margin) ||
            (grid.cube && grid.face[n] != grid.face[node]))
          plain = false;
      }
      // Two triangles do not follow a twist of the cell, as its four corners do.
      const Bend twist = {
          right(node, node + 1) - right(node + across, node + across + 1),
          layer.y[node + 1] - layer.y[node] - layer.y[node + across + 1] + layer.y[node + across]};
      const float most_error = most_bend * coarser;
      plain = plain && most - least <= width / 2 &&
              (!triangles_ || std::sqrt(twist.squared(narrow)) <= 4 * most_error) &&
              std::sqrt(across_bend) + std::sqrt(down_bend) <= (moved ? 16 : 8) * most_error;
      grid.cells[static_cast<size_t>(r) * grid.columns + c] =
          static_cast<uint8_t>(cell_first | (reduction > 0 ? cell_reduced : 0) |
                               (plain ? cell_first_inside : cell_exact));
    }
}

}  // namespace sphere
