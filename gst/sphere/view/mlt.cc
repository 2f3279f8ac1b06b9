// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/mlt.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/number.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/xml.h"
#include "gst/sphere/view/pieces.h"

namespace sphere {

namespace {

using media::text_of;

constexpr double import_tolerance = 0.01, shortest_piece = 1.0 / 240;
constexpr double usual_field = 90, usual_rate = 25;
constexpr double most_seconds = 1e6;
constexpr std::array<const char*, 4> names = {"yaw", "pitch", "roll", "fov"};
constexpr const char* services[] = {"frei0r.bigsh0t_eq_to_rect", "frei0r.eq_to_rect"};

enum class Pace { discrete, linear, smooth, natural, tight };

struct Key {
  double time = 0, value = 0;
  Pace pace = Pace::linear;  ///< from here to the next one
};

/// One property along time.
class Curve {
 public:
  explicit Curve(double value) : keys_{{0, value}} {}
  explicit Curve(std::vector<Key> keys, double rate) : keys_(std::move(keys)), rate_(rate) {}

  const std::vector<Key>& keys() const { return keys_; }

  /// The value at a time, of the piece that begins at `from` or before.
  double at(double time, double from) const {
    const auto after = std::ranges::upper_bound(keys_, from, {}, &Key::time);
    if (after == keys_.begin()) return keys_.front().value;
    const auto index = static_cast<size_t>(after - keys_.begin()) - 1;
    if (index + 1 == keys_.size()) return keys_.back().value;
    const Key& a = keys_[index];
    const Key& b = keys_[index + 1];
    const double part = std::clamp((time - a.time) / (b.time - a.time), 0.0, 1.0);
    if (a.pace == Pace::discrete) return a.value;
    if (a.pace == Pace::linear) return a.value + (b.value - a.value) * part;
    return spline(index, part);
  }

 private:
  /// A spline by Catmull and Rom. Beyond the ends, the curve goes on level from far away.
  double spline(size_t index, double part) const {
    constexpr double far_away = 10000;  // pictures
    const auto point = [&](size_t i) { return std::pair{keys_[i].time * rate_, keys_[i].value}; };
    const auto p1 = point(index), p2 = point(index + 1);
    const auto p0 = index > 0 ? point(index - 1) : std::pair{p1.first - far_away, p1.second};
    const auto p3 =
        index + 2 < keys_.size() ? point(index + 2) : std::pair{p2.first + far_away, p2.second};
    const Pace pace = keys_[index].pace;
    if (pace == Pace::tight) {
      return p1.second + (p2.second - p1.second) * part * part * (3 - 2 * part);
    }
    const auto length = [&](const auto& a, const auto& b) {
      return pace == Pace::smooth ? 1.0
                                  : std::sqrt(std::hypot(b.first - a.first, b.second - a.second));
    };
    const double before = length(p0, p1), own = length(p1, p2), after = length(p2, p3);
    const double rise = p2.second - p1.second;
    double first =
        rise + own * ((p1.second - p0.second) / before - (p2.second - p0.second) / (before + own));
    double last =
        rise + own * ((p3.second - p2.second) / after - (p3.second - p1.second) / (own + after));
    // The natural one does not go beyond a peak.
    const auto is_peak = [](double a, double b, double c) { return (b - a) * (c - b) <= 0; };
    if (pace == Pace::natural && is_peak(p0.second, p1.second, p2.second)) first = 0;
    if (pace == Pace::natural && is_peak(p1.second, p2.second, p3.second)) last = 0;
    const double t = part, u = 1 - part;
    return p1.second + rise * t * t * (3 - 2 * t) + first * t * u * u - last * t * t * u;
  }

  std::vector<Key> keys_;
  double rate_ = usual_rate;
};

std::optional<double> number_of(std::string_view text) { return parse_number(trimmed(text)); }

/// Seconds of a number of pictures, of a clock (one with a point), or of a time code, of which the
/// last field counts pictures. Below 0: from the end.
std::optional<double> time_of(std::string_view text, double rate) {
  text = trimmed(text);
  const bool from_end = text.starts_with('-');
  if (from_end) text.remove_prefix(1);
  std::vector<double> fields;
  for (size_t begin = 0;;) {
    const size_t end = text.find_first_of(":;", begin);
    std::string field(text.substr(begin, end - begin));
    std::ranges::replace(field, ',', '.');
    const std::optional<double> value = number_of(field);
    if (!value || *value < 0 || fields.size() == 4) return std::nullopt;
    fields.push_back(*value);
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  const bool clock = fields.size() > 1 && text.find_first_of(".,") != std::string_view::npos;
  double seconds = 0;
  const size_t whole = clock ? fields.size() : fields.size() - 1;
  for (size_t i = 0; i < whole; ++i) seconds = seconds * 60 + fields[i];
  if (!clock) seconds += fields.back() / rate;
  return from_end ? -seconds : seconds;
}

class Importer {
 public:
  Importer(std::string name, double rate) : name_(std::move(name)), rate_(rate) {}

  Result<ViewPath> import(const xmlNode* filter) {
    double begin = 0;
    if (const std::string in = attribute(filter, "in"); !in.empty())
      begin = time_of(in, rate_).value_or(0);
    // The last picture is within.
    if (const std::string out = attribute(filter, "out"); !out.empty())
      if (const std::optional<double> end = time_of(out, rate_); end && *end > begin)
        length_ = *end - begin + 1 / rate_;
    std::vector<Curve> curves;
    for (size_t i = 0; i < names.size(); ++i) {
      Result<Curve> curve = read_curve(names[i], property(filter, names[i]), begin, i == 3);
      if (!curve) return curve.error();
      curves.push_back(std::move(*curve));
    }
    return join(curves);
  }

  static std::string attribute(const xmlNode* node, const char* name) {
    for (const xmlAttr* each = node->properties; each; each = each->next)
      if (text_of(each->name) == name && each->children)
        return std::string(text_of(each->children->content));
    return {};
  }

  static std::string property(const xmlNode* node, const std::string& name) {
    for (const xmlNode* each = node->children; each; each = each->next)
      if (each->type == XML_ELEMENT_NODE && text_of(each->name) == "property" &&
          attribute(each, "name") == name)
        return media::content_of(each);
    return {};
  }

 private:
  Error wrong(const char* property, const std::string& what) const {
    return invalid(name_ + ": " + property + ": " + what);
  }

  Result<Curve> read_curve(const char* property, const std::string& text, double begin,
                           bool is_field) {
    if (trimmed(text).empty()) return Curve(is_field ? usual_field : 0);
    if (text.find('=') == std::string::npos) {
      const std::optional<double> value = number_of(text);
      if (!value) return wrong(property, "'" + text + "' is no number");
      return Curve(*value);
    }
    std::vector<Key> keys;
    double last = 0;  ///< time of the keyframe before, not rounded
    for (size_t from = 0; from < text.size();) {
      // A time code may have a semicolon, too: an item goes up to the next one that has a value.
      size_t end = text.find(';', from);
      const size_t equal = text.find('=', from);
      if (equal != std::string::npos && end != std::string::npos && end < equal)
        end = text.find(';', equal);
      end = std::min(end, text.size());
      const std::string_view item = trimmed(std::string_view(text).substr(from, end - from));
      from = end + 1;
      if (item.empty()) continue;
      const std::string which = "keyframe " + std::to_string(keys.size() + 1) + ": ";
      const size_t sign = item.find('=');
      if (sign == std::string_view::npos || sign == 0)
        return wrong(property, which + "TIME=VALUE expected");
      Key key;
      std::string_view time = item.substr(0, sign);
      if (!g_ascii_isdigit(time.back())) {
        const char mark = time.back();
        time.remove_suffix(1);
        if (mark == '|' || mark == '!')
          key.pace = Pace::discrete;
        else if (mark == '~')
          key.pace = Pace::smooth;
        else if (mark == '$')
          key.pace = Pace::natural;
        else if (mark == '-')
          key.pace = Pace::tight;
        else
          return wrong(property, which + "the easing '" + mark +
                                     "' is not known; discrete, linear and smooth ones are");
      }
      std::optional<double> at = time_of(time, rate_);
      if (!at || !(*at <= most_seconds))
        return wrong(property, which + "'" + std::string(time) + "' is no time");
      if (trimmed(time).starts_with('-')) {
        if (length_ <= 0)
          return wrong(property,
                       which + "its time counts from the end, and the filter has no 'out'");
        *at += length_;
      }
      if (*at < 0) return wrong(property, which + "its time is before the beginning");
      const std::optional<double> value = number_of(item.substr(sign + 1));
      if (!value)
        return wrong(property, which + "'" + std::string(item.substr(sign + 1)) + "' is no number");
      // MLT counts whole pictures.
      key.time = begin + std::nearbyint(*at * rate_) / rate_;
      key.value = *value;
      // Of two for one picture, the later one holds.
      if (!keys.empty() && key.time == keys.back().time && *at > last) keys.pop_back();
      last = *at;
      if (!keys.empty() && key.time <= keys.back().time)
        return wrong(property, which + "its time must be later than that of the keyframe before");
      if (keys.size() == ViewPath::most_keyframes)
        return wrong(property,
                     "has more than " + std::to_string(ViewPath::most_keyframes) + " keyframes");
      keys.push_back(key);
    }
    if (keys.empty()) return wrong(property, "has no keyframe");
    return Curve(std::move(keys), rate_);
  }

  Result<ViewPath> join(const std::vector<Curve>& curves) {
    std::vector<double> times;
    for (const Curve& curve : curves)
      if (curve.keys().size() > 1)
        for (const Key& key : curve.keys()) times.push_back(key.time);
    if (times.empty()) times.push_back(0);
    std::ranges::sort(times);
    times.erase(std::unique(times.begin(), times.end()), times.end());
    std::vector<ViewPiece> pieces;
    const auto values = [&](double time, double from) {
      ViewValues all;
      for (size_t i = 0; i < curves.size(); ++i) all[i] = curves[i].at(time, from);
      return all;
    };
    for (size_t i = 0; i + 1 < times.size(); ++i) {
      add_pieces(
          times[i], times[i + 1], [&](double time) { return values(time, times[i]); },
          import_tolerance, shortest_piece, &pieces);
      if (pieces.size() > 4 * ViewPath::most_keyframes)
        return invalid(name_ + ": needs more than " + std::to_string(ViewPath::most_keyframes) +
                       " keyframes");
    }
    const ViewValues last = values(times.back(), times.back());
    pieces.push_back({times.back(), times.back(), last, last});
    Result<ViewPath> path = path_of(pieces, import_tolerance / 10);
    if (!path) return invalid(name_ + ": " + path.error().message);
    return path;
  }

  const std::string name_;
  const double rate_;
  double length_ = 0;  ///< of the filter, seconds; 0: not known
};

/// The first element, in the order of the file, for which this is so. Not recursive: the depth of a
/// file is its own.
template <typename Is>
const xmlNode* find_element(const xmlNode* root, const Is& is) {
  for (const xmlNode* node = root; node;) {
    if (node->type == XML_ELEMENT_NODE && is(node)) return node;
    if (node->children && node->type == XML_ELEMENT_NODE) {
      node = node->children;
      continue;
    }
    while (node && node != root && !node->next) node = node->parent;
    if (!node || node == root) return nullptr;
    node = node->next;
  }
  return nullptr;
}

/// Times as clocks, to the thousandth of a second.
std::string clock_text(double seconds) {
  const auto milliseconds = std::llround(seconds * 1000);
  char text[48];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld.%03lld",
                static_cast<long long>(milliseconds / 3600000),
                static_cast<long long>(milliseconds / 60000 % 60),
                static_cast<long long>(milliseconds / 1000 % 60),
                static_cast<long long>(milliseconds % 1000));
  return text;
}

std::string number_text(double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd(text, sizeof text, "%.4f", value);
  return text;
}

std::string escaped(const std::string& text) {
  const GString_ valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  const GString_ safe(g_markup_escape_text(valid.get(), -1));
  return safe.get();
}

/// One property's keyframes: those between which it does not change are left out.
std::string curve_text(const std::vector<ViewPiece>& pieces, size_t channel, double step) {
  std::string text;
  double last_time = -1;
  const auto add = [&](double time, double value, bool held) {
    // Two keyframes of one picture are one.
    if (last_time >= 0 && time < last_time + step / 2) return;
    last_time = time;
    text += (text.empty() ? "" : ";") + clock_text(time) + (held ? "|=" : "=") + number_text(value);
  };
  for (size_t i = 0; i < pieces.size(); ++i) {
    const ViewPiece& piece = pieces[i];
    const bool still = piece.from[channel] == piece.to[channel];
    const bool same = still && i > 0 && pieces[i - 1].from[channel] == piece.from[channel] &&
                      pieces[i - 1].to[channel] == piece.from[channel];
    if (!same) add(piece.begin, piece.from[channel], still);
    const bool jump =
        i + 1 < pieces.size() && std::abs(piece.to[channel] - pieces[i + 1].from[channel]) > 1e-9;
    // The picture before a jump has the value that is left.
    if (jump && !still) add(piece.end - step, piece.to[channel], true);
  }
  const ViewPiece& end = pieces.back();
  if (end.from[channel] != end.to[channel]) add(end.end, end.to[channel], true);
  return text;
}

}  // namespace

Result<std::string> mlt_text(const ViewPath& path, const ViewFrame& frame) {
  const double step = static_cast<double>(frame.rate_denominator) / frame.rate_numerator;
  const Result<std::vector<ViewPiece>> pieces = pieces_of(path, export_tolerance, step);
  if (!pieces) return pieces.error();
  std::string text =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
      "<mlt LC_NUMERIC=\"C\" version=\"7.12.0\" title=\"gst-sphere\">\n"
      "  <profile width=\"" +
      std::to_string(frame.width) + "\" height=\"" + std::to_string(frame.height) +
      "\" progressive=\"1\" sample_aspect_num=\"1\" sample_aspect_den=\"1\" "
      "display_aspect_num=\"" +
      std::to_string(frame.width) + "\" display_aspect_den=\"" + std::to_string(frame.height) +
      "\" frame_rate_num=\"" + std::to_string(frame.rate_numerator) + "\" frame_rate_den=\"" +
      std::to_string(frame.rate_denominator) +
      "\" colorspace=\"709\"/>\n"
      "  <producer id=\"producer0\">\n"
      "    <property name=\"resource\">" +
      (frame.video.empty() ? std::string("color:black") : escaped(frame.video)) +
      "</property>\n"
      "    <filter id=\"filter0\">\n"
      "      <property name=\"mlt_service\">frei0r.bigsh0t_eq_to_rect</property>\n"
      "      <property name=\"shotcut:filter\">bigsh0t_eq_to_rect</property>\n"
      "      <property name=\"interpolation\">1</property>\n";
  for (size_t i = 0; i < names.size(); ++i)
    text += "      <property name=\"" + std::string(names[i]) + "\">" +
            curve_text(*pieces, i, step) + "</property>\n";
  text +=
      "    </filter>\n"
      "  </producer>\n"
      "  <playlist id=\"playlist0\">\n"
      "    <entry producer=\"producer0\"/>\n"
      "  </playlist>\n"
      "</mlt>\n";
  return text;
}

Result<ViewPath> parse_mlt(std::string_view text, const std::string& name) {
  const media::XmlDocument document =
      media::parse_xml({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  if (!document) return invalid(name + ": is not XML, or has a document type");
  const xmlNode* root = xmlDocGetRootElement(document.get());
  if (!root || text_of(root->name) != "mlt") return invalid(name + ": is no project of MLT");
  double rate = usual_rate;
  if (const xmlNode* profile = find_element(
          root, [](const xmlNode* node) { return text_of(node->name) == "profile"; })) {
    const std::optional<double> numerator =
        number_of(Importer::attribute(profile, "frame_rate_num"));
    const std::optional<double> denominator =
        number_of(Importer::attribute(profile, "frame_rate_den"));
    if (numerator && denominator && *numerator > 0 && *denominator > 0)
      rate = *numerator / *denominator;
    if (!(rate >= 1 && rate <= 1000))
      return invalid(name + ": its profile has no usual number of pictures a second");
  }
  const xmlNode* filter = find_element(root, [](const xmlNode* node) {
    return text_of(node->name) == "filter" &&
           std::ranges::find(services, Importer::property(node, "mlt_service")) !=
               std::end(services);
  });
  if (!filter)
    return invalid(name +
                   ": has no filter \"360: Equirectangular to Rectilinear\" "
                   "(frei0r.bigsh0t_eq_to_rect)");
  return Importer(name, rate).import(filter);
}

}  // namespace sphere
