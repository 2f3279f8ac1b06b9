// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/lens/calibration_file.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <vector>

#include "gst/sphere/base/number.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/lens/storage.h"

namespace sphere {

namespace {

// The largest error of the elements of a rotation matrix in a file.
constexpr double rotation_tolerance = 0.01;
constexpr double frame_shape = 1.5;

struct Camera {
  ModelKind kind = ModelKind::kannala_brandt;
  std::array<double, 4> k{};
  double fx = 0, fy = 0, cx = 0, cy = 0;
  Size size;
  Mat3 to_first;
  Vec3 position;
};

/// Reads values by name and keeps the first error, like JsonDocument.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  const std::optional<Error>& problem() const { return problem_; }
  void complain(const std::string& path, const std::string& what) {
    if (!problem_) problem_ = invalid(name_ + ": " + path + ": " + what);
  }

  double number(const StorageNode& node, const std::string& path, double min, double max) {
    if (node.kind != StorageNode::Kind::scalar) {
      complain(path, node.present() ? "must be a number" : "is missing");
      return min;
    }
    const std::optional<double> value = parse_number(trimmed(node.text));
    if (!value || !(*value >= min && *value <= max)) {
      char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
      complain(path, "is '" + node.text.substr(0, 32) + "', must be a number within " +
                         g_ascii_formatd(low, sizeof low, "%.10g", min) + " and " +
                         g_ascii_formatd(high, sizeof high, "%.10g", max));
      return min;
    }
    return *value;
  }

  /// All numbers of a list, of a list of lists, or of a matrix of OpenCV.
  std::vector<double> numbers(const StorageNode& node, const std::string& path, size_t count,
                              double limit) {
    std::vector<double> found;
    if (!node.present())
      complain(path, "is missing");
    else
      collect(node["data"].present() ? node["data"] : node, path, limit, found);
    if (!problem_ && found.size() != count)
      complain(path, "has " + std::to_string(found.size()) + " numbers, " + std::to_string(count) +
                         " are needed");
    found.resize(count);
    return found;
  }

  Mat3 rotation_of(const std::vector<double>& m, size_t row, const std::string& path) {
    Mat3 r;
    for (size_t i = 0; i < 3; ++i) r.row[i] = {m[i * row], m[i * row + 1], m[i * row + 2]};
    for (int i = 0; i < 3; ++i) {
      const Vec3 next = cross(r.row[(i + 1) % 3], r.row[(i + 2) % 3]);
      if (!(length(r.row[i] - next) < rotation_tolerance) ||
          !(std::abs(length(r.row[i]) - 1) < rotation_tolerance)) {
        complain(path, "is not a rotation");
        return {};
      }
    }
    // Rounding errors, because the text has fewer digits.
    r.row[0] = normalised(r.row[0]);
    r.row[1] = normalised(r.row[1] - dot(r.row[1], r.row[0]) * r.row[0]);
    r.row[2] = cross(r.row[0], r.row[1]);
    return r;
  }

 private:
  void collect(const StorageNode& node, const std::string& path, double limit,
               std::vector<double>& into) {
    if (node.kind == StorageNode::Kind::list) {
      for (const StorageNode& child : node.children) collect(child, path, limit, into);
    } else {
      into.push_back(number(node, path, -limit, limit));
    }
  }

  std::string name_;
  std::optional<Error> problem_;
};

Size read_size(Reader& reader, const StorageNode& node, const std::string& path) {
  const std::vector<double> size = reader.numbers(node, path, 2, 32768);
  if (!reader.problem() && !(size[0] >= 16 && size[1] >= 16))
    reader.complain(path, "must be at least 16 pixels in both directions");
  return {static_cast<int>(size[0]), static_cast<int>(size[1])};
}

void read_kalibr(Reader& reader, const StorageNode& root, std::array<Camera, 2>& cameras) {
  for (size_t i = 0; i < 2; ++i) {
    const std::string path = "cam" + std::to_string(i);
    const StorageNode& node = root[path];
    if (!node.present())
      return reader.complain(path, "is missing; a pair of lenses needs two cameras");
    Camera& camera = cameras[i];
    const std::string& model = node["camera_model"].text;
    if (model == "ds") {
      const auto v = reader.numbers(node["intrinsics"], path + ".intrinsics", 6, 1e6);
      camera.kind = ModelKind::double_sphere;
      camera.k = {v[0], v[1], 0, 0};
      camera.fx = v[2], camera.fy = v[3], camera.cx = v[4], camera.cy = v[5];
      if (const StorageNode& bend = node["distortion_model"]; bend.present() && bend.text != "none")
        reader.complain(path + ".distortion_model",
                        "is '" + bend.text + "', must be none for a double sphere");
    } else if (model == "pinhole") {
      if (node["distortion_model"].text != "equidistant")
        reader.complain(path + ".distortion_model",
                        "is '" + node["distortion_model"].text +
                            "'; with pinhole, only equidistant lenses show a hemisphere");
      const auto v = reader.numbers(node["intrinsics"], path + ".intrinsics", 4, 1e6);
      camera.fx = v[0], camera.fy = v[1], camera.cx = v[2], camera.cy = v[3];
      const auto k = reader.numbers(node["distortion_coeffs"], path + ".distortion_coeffs", 4, 100);
      std::copy(k.begin(), k.end(), camera.k.begin());
    } else {
      reader.complain(path + ".camera_model",
                      "is '" + model.substr(0, 32) + "', must be pinhole or ds");
    }
    camera.size = read_size(reader, node["resolution"], path + ".resolution");
  }
  // Transforms points from the first camera's axes to the second's.
  const auto m = reader.numbers(root["cam1"]["T_cn_cnm1"], "cam1.T_cn_cnm1", 16, 1000);
  if (reader.problem()) return;
  cameras[1].to_first = reader.rotation_of(m, 4, "cam1.T_cn_cnm1").transposed();
  cameras[1].position = {m[3], m[7], m[11]};
}

void read_basalt(Reader& reader, const StorageNode& document, std::array<Camera, 2>& cameras) {
  const StorageNode& root = document["value0"];
  const StorageNode& poses = root["T_imu_cam"];
  const StorageNode& intrinsics = root["intrinsics"];
  const StorageNode& sizes = root["resolution"];
  for (const auto& [path, list] :
       {std::pair<const char*, const StorageNode*>{"value0.T_imu_cam", &poses},
        {"value0.intrinsics", &intrinsics},
        {"value0.resolution", &sizes}})
    if (list->kind != StorageNode::Kind::list || list->children.size() != 2)
      return reader.complain(path, "must be a list of two; a pair of lenses needs two cameras");
  Mat3 to_rig[2];
  Vec3 position[2];
  for (size_t i = 0; i < 2; ++i) {
    const std::string at = "[" + std::to_string(i) + "]";
    Camera& camera = cameras[i];
    const StorageNode& node = intrinsics.children[i];
    const StorageNode& values = node["intrinsics"];
    const std::string path = "value0.intrinsics" + at;
    const auto value = [&](const char* field, double limit) {
      return reader.number(values[field], path + "." + field, -limit, limit);
    };
    if (node["camera_type"].text == "ds") {
      camera.kind = ModelKind::double_sphere;
      camera.k = {value("xi", 10), value("alpha", 10), 0, 0};
    } else if (node["camera_type"].text == "kb4") {
      camera.k = {value("k1", 100), value("k2", 100), value("k3", 100), value("k4", 100)};
    } else {
      reader.complain(path + ".camera_type",
                      "is '" + node["camera_type"].text.substr(0, 32) + "', must be ds or kb4");
    }
    camera.fx = value("fx", 1e6), camera.fy = value("fy", 1e6);
    camera.cx = value("cx", 1e6), camera.cy = value("cy", 1e6);
    camera.size = read_size(reader, sizes.children[i], "value0.resolution" + at);

    const StorageNode& pose = poses.children[i];
    const std::string pose_path = "value0.T_imu_cam" + at;
    double v[7];
    const char* const fields[] = {"px", "py", "pz", "qx", "qy", "qz", "qw"};
    for (int n = 0; n < 7; ++n)
      v[n] = reader.number(pose[fields[n]], pose_path + "." + fields[n], -1000, 1000);
    const double x = v[3], y = v[4], z = v[5], w = v[6];
    if (!(std::abs(x * x + y * y + z * z + w * w - 1) < rotation_tolerance))
      reader.complain(pose_path, "is not a rotation");
    to_rig[i] =
        reader.rotation_of({1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
                            2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
                            2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)},
                           3, pose_path);
    position[i] = {v[0], v[1], v[2]};
  }
  cameras[1].to_first = to_rig[0].transposed() * to_rig[1];
  cameras[1].position = position[1] - position[0];
}

const StorageNode& any_of(const StorageNode& root, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (root[name].present()) return root[name];
  return root[*names.begin()];
}

void read_opencv(Reader& reader, const StorageNode& root, std::array<Camera, 2>& cameras) {
  const StorageNode* k[] = {&any_of(root, {"K1", "M1", "cameraMatrix1", "camera_matrix_1"}),
                            &any_of(root, {"K2", "M2", "cameraMatrix2", "camera_matrix_2"})};
  const StorageNode* d[] = {&any_of(root, {"D1", "distCoeffs1", "distortion_coefficients_1"}),
                            &any_of(root, {"D2", "distCoeffs2", "distortion_coefficients_2"})};
  if (!k[0]->present() &&
      any_of(root, {"K", "camera_matrix", "cameraMatrix", "Camera_Matrix"}).present())
    return reader.complain("K2",
                           "is missing; this file has one camera, but a pair of lenses needs two");
  Size size;
  if (root["image_width"].present()) {
    size = {static_cast<int>(reader.number(root["image_width"], "image_width", 16, 32768)),
            static_cast<int>(reader.number(root["image_height"], "image_height", 16, 32768))};
  } else {
    size = read_size(reader, any_of(root, {"image_size", "imageSize", "size"}), "image_size");
  }
  for (size_t i = 0; i < 2; ++i) {
    const std::string number = std::to_string(i + 1);
    const auto m = reader.numbers(*k[i], "K" + number, 9, 1e6);
    if (m[1] != 0) reader.complain("K" + number, "has a skew, which is not supported");
    Camera& camera = cameras[i];
    camera.fx = m[0], camera.cx = m[2], camera.fy = m[4], camera.cy = m[5];
    const auto bend = reader.numbers(*d[i], "D" + number, 4, 100);
    std::copy(bend.begin(), bend.end(), camera.k.begin());
    camera.size = size;
  }
  const auto r = reader.numbers(root["R"], "R", 9, 2);
  if (!reader.problem()) cameras[1].to_first = reader.rotation_of(r, 3, "R").transposed();
  if (root["T"].present()) {
    const auto t = reader.numbers(root["T"], "T", 3, 1e6);
    cameras[1].position = {t[0], t[1], t[2]};
  }
}

Lens lens_of(Reader& reader, const Camera& camera, const std::string& path, const Region& region,
             Point shift) {
  Lens lens;
  lens.region = region;
  // In these programs, the middle of the first pixel is 0.
  lens.centre = {camera.cx + 0.5 + shift.x, camera.cy + 0.5 + shift.y};
  lens.to_camera = camera.to_first;
  if (!(camera.fx >= 1 && camera.fy >= 1 && camera.fx / camera.fy > 0.25 &&
        camera.fx / camera.fy < 4)) {
    reader.complain(path, "its focal lengths are impossible");
    return lens;
  }
  if (lens.centre.x < region.left || lens.centre.x > region.right || lens.centre.y < region.top ||
      lens.centre.y > region.bottom) {
    reader.complain(path, "its centre lies outside its part of the frame");
    return lens;
  }
  lens.stretch = camera.fx / camera.fy;
  // The largest angle of the model does not depend on the field of view, therefore any value can be
  // used here.
  const double probe = radians(30), s = probe * probe;
  const double z = camera.k[0] + std::cos(probe);
  const double shape =
      camera.kind == ModelKind::double_sphere
          ? std::sin(probe) / (camera.k[1] * std::hypot(std::sin(probe), z) + (1 - camera.k[1]) * z)
          : probe *
                (1 + s * (camera.k[0] + s * (camera.k[1] + s * (camera.k[2] + s * camera.k[3]))));
  const auto model = RadialModel::make(camera.kind, 2 * probe, camera.fy * shape, camera.k);
  if (!model) {
    reader.complain(path, model.error().message);
    return lens;
  }
  // These files have no image circle. It is taken to touch the sides of the lens's part, or to end
  // at the largest angle of the model.
  const double rim = std::min(region.right - region.left, region.bottom - region.top) / 2;
  const double widest = std::min(model->max_angle() * 0.9999, radians(179));
  const double half_fov = std::min(model->inverse(rim), widest);
  if (!(half_fov >= radians(85))) {
    reader.complain(path, "sees less than 170 degrees, so two of them do not cover the sphere");
    return lens;
  }
  const auto whole =
      RadialModel::make(camera.kind, 2 * half_fov, model->forward(half_fov), camera.k);
  if (whole)
    lens.model = *whole;
  else
    reader.complain(path, whole.error().message);
  return lens;
}

}  // namespace

bool looks_like_calibration(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  text.remove_prefix(first);
  if (text[0] == '<' || text.starts_with("%YAML") || text.starts_with("---")) return true;
  if (text[0] == '{') return text.find("\"value0\"") != std::string_view::npos;
  return text.starts_with("cam0:") || text.find("\ncam0:") != std::string_view::npos;
}

Result<LensPair> parse_calibration(std::string_view text, const std::string& name) {
  const Result<StorageNode> root = parse_storage(text, name);
  if (!root) return root.error();
  Reader reader(name);
  std::array<Camera, 2> cameras;
  if ((*root)["value0"].present())
    read_basalt(reader, *root, cameras);
  else if ((*root)["cam0"].present() || (*root)["cam1"].present())
    read_kalibr(reader, *root, cameras);
  else
    read_opencv(reader, (*root)["opencv_storage"].present() ? (*root)["opencv_storage"] : *root,
                cameras);
  if (reader.problem()) return *reader.problem();
  if (cameras[0].size != cameras[1].size)
    return invalid(name + ": the pictures of its two cameras have different sizes");

  LensPair pair;
  pair.name = name;
  const double w = cameras[0].size.width, h = cameras[0].size.height;
  const bool whole = w >= frame_shape * h;
  pair.frame = whole ? cameras[0].size : Size{2 * cameras[0].size.width, cameras[0].size.height};
  const double half = pair.frame.width / 2.0;
  for (int i = 0; i < 2; ++i) {
    const bool second = whole ? cameras[i].cx > half : i == 1;
    const Region region = {second ? half : 0, 0, second ? 2 * half : half, h};
    pair[i] = lens_of(reader, cameras[i], i ? "the second camera" : "the first camera", region,
                      {whole ? 0 : region.left, 0});
  }
  if (reader.problem()) return *reader.problem();
  if (pair.front.region.left == pair.back.region.left)
    return invalid(name + ": both cameras show the same half of the frame");
  if (angle_between(pair.front.axis(), pair.back.axis()) < min_axis_separation)
    return invalid(name + ": the directions of its two cameras differ by less than 120 degrees");
  pair.baseline = std::min(length(cameras[1].position), 10.0);
  return pair;
}

}  // namespace sphere
