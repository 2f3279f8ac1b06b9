// SPDX-License-Identifier: LGPL-2.1-or-later

#include <glib.h>

#include <cmath>
#include <initializer_list>

#include "gst/sphere/lens/profile.h"

namespace sphere {

namespace {

std::string number(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  // Ten digits: more accurate than a ten-thousandth of a pixel in the widest frame, and no values
  // such as 0.29999999999999999.
  return g_ascii_formatd(text, sizeof text, "%.10g", value);
}

std::string list(std::initializer_list<double> values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "[" : ", ") + number(value);
  return text + "]";
}

std::string quoted(const std::string& text, size_t longest) {
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    if (c == '"' || c == '\\') out += '\\';
    // The text may be a file name, which can have any characters. It is only read by people,
    // therefore all but printable ASCII is replaced.
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '_' : c;
  }
  return out + "\"";
}

std::string lens_text(const Lens& lens, bool is_back, bool over_under) {
  const bool second = over_under ? lens.region.top > 0 : lens.region.left > 0;
  const Angles a = angles_of(rotation({is_back ? 180.0 : 0.0, 0, 0}).transposed() * lens.to_camera);
  const std::array<double, 4>& k = lens.model.coefficients();
  std::string text = "{\n      \"position\": ";
  text += over_under ? (second ? "\"bottom\"" : "\"top\"") : (second ? "\"right\"" : "\"left\"");
  text +=
      ", \"model\": \"" + std::string(model_names[static_cast<size_t>(lens.model.kind())]) + "\"";
  if (lens.model.kind() == ModelKind::kannala_brandt)
    text += ", \"coefficients\": " + list({k[0], k[1], k[2], k[3]});
  if (lens.model.kind() == ModelKind::panotools)
    text += ", \"coefficients\": " + list({k[0], k[1], k[2], 0, 0});
  if (lens.model.kind() == ModelKind::double_sphere)
    text += ", \"coefficients\": " + list({k[0], k[1]});
  text += ",\n      \"fov\": " + number(degrees(lens.model.fov())) +
          ", \"radius\": " + number(lens.model.radius()) +
          ", \"centre\": " + list({lens.centre.x, lens.centre.y}) +
          ",\n      \"rotation\": " + list({a.yaw, a.pitch, a.roll}) +
          ", \"vignette\": " + list({lens.vignette.b, lens.vignette.c, lens.vignette.d}) +
          ", \"gain\": " + number(lens.gain) + "\n    }";
  return text;
}

}  // namespace

Result<std::string> make_profile(const LensPair& pair, const std::string& name,
                                 const std::string& description) {
  const double w = pair.frame.width, h = pair.frame.height;
  const bool over_under = pair.front.region.top != pair.back.region.top;
  for (int i = 0; i < 2; ++i) {
    const Lens& lens = pair[i];
    const double width = lens.region.right - lens.region.left;
    const double height = lens.region.bottom - lens.region.top;
    if (lens.correction) return unsupported("a camera's own table can't be written as a profile");
    if (std::abs(lens.stretch - 1) > 1e-9)
      return unsupported("a profile has no field for pixels that are not square");
    if (std::abs(width - (over_under ? w : w / 2)) > 1 ||
        std::abs(height - (over_under ? h / 2 : h)) > 1)
      return unsupported("in a profile, each lens must have one half of the frame");
  }
  const std::string text =
      "{\n  \"format\": \"gst-sphere-lens\",\n  \"version\": 1,\n  \"name\": " + quoted(name, 64) +
      ",\n  \"description\": " + quoted(description, 2000) + ",\n  \"frame\": " + list({w, h}) +
      ",\n  \"layout\": " + (over_under ? "\"over-under\"" : "\"side-by-side\"") +
      ",\n  \"baseline\": " + number(pair.baseline) +
      ",\n  \"lenses\": {\n    \"front\": " + lens_text(pair.front, false, over_under) +
      ",\n    \"back\": " + lens_text(pair.back, true, over_under) + "\n  }\n}\n";
  // Checks that the text can be read again.
  if (const Result<LensPair> read = parse_profile(text, "the new profile"); !read)
    return read.error();
  return text;
}

}  // namespace sphere
