// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/view/expression.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "gst/sphere/base/number.h"

namespace sphere {

namespace {

constexpr int deepest = 32;
constexpr size_t longest_text = 4096;

class Reader {
 public:
  Reader(std::string_view text, const ExpressionTimes& times) : text_(text), times_(times) {}

  std::optional<double> whole() {
    const double value = sum();
    skip_blanks();
    if (wrong_ || at_ != text_.size() || !std::isfinite(value)) return std::nullopt;
    return value;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(char wanted) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  double fail() {
    wrong_ = true;
    at_ = text_.size();
    return 0;
  }

  double sum() {
    if (++depth_ > deepest) return fail();
    double value = product();
    while (!wrong_) {
      if (take('+'))
        value += product();
      else if (take('-'))
        value -= product();
      else
        break;
    }
    --depth_;
    return value;
  }
  double product() {
    double value = factor();
    while (!wrong_) {
      if (take('*'))
        value *= factor();
      else if (take('/'))
        value /= factor();
      else
        break;
    }
    return value;
  }
  double factor() {
    if (++depth_ > deepest) return fail();
    double value;
    if (take('-')) {
      value = -factor();
    } else if (take('+')) {
      value = factor();
    } else {
      value = primary();
      if (take('^')) value = std::pow(value, factor());
    }
    --depth_;
    return value;
  }
  double primary() {
    skip_blanks();
    if (at_ == text_.size()) return fail();
    if (take('(')) {
      const double value = sum();
      return take(')') ? value : fail();
    }
    const char first = text_[at_];
    if (g_ascii_isdigit(first) || first == '.') return number();
    if (g_ascii_isalpha(first)) return name();
    return fail();
  }
  double number() {
    std::string_view rest = text_.substr(at_);
    const std::optional<double> value = take_number(&rest);
    if (!value) return fail();
    at_ = text_.size() - rest.size();
    return *value;
  }
  double name() {
    const size_t begin = at_;
    while (at_ < text_.size() && (g_ascii_isalnum(text_[at_]) || text_[at_] == '_')) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (!take('(')) return constant(word);
    std::vector<double> arguments;
    if (!take(')')) {
      do {
        arguments.push_back(sum());
      } while (!wrong_ && take(',') && arguments.size() < 8);
      if (!take(')')) return fail();
    }
    return call(word, arguments);
  }
  double constant(std::string_view word) {
    const double length = times_.end - times_.begin;
    if (word == "T") return times_.now;
    if (word == "TS") return times_.begin;
    if (word == "TE") return times_.end;
    if (word == "TI") return length > 0 ? (times_.now - times_.begin) / length : 0;
    if (word == "PI") return std::numbers::pi;
    if (word == "E") return std::numbers::e;
    return fail();
  }
  double call(std::string_view word, const std::vector<double>& a) {
    if (a.size() == 1) {
      if (word == "sin") return std::sin(a[0]);
      if (word == "cos") return std::cos(a[0]);
      if (word == "tan") return std::tan(a[0]);
      if (word == "asin") return std::asin(a[0]);
      if (word == "acos") return std::acos(a[0]);
      if (word == "atan") return std::atan(a[0]);
      if (word == "exp") return std::exp(a[0]);
      if (word == "log") return std::log(a[0]);
      if (word == "sqrt") return std::sqrt(a[0]);
      if (word == "abs") return std::abs(a[0]);
      if (word == "floor") return std::floor(a[0]);
      if (word == "ceil") return std::ceil(a[0]);
      if (word == "round") return std::round(a[0]);
      if (word == "trunc") return std::trunc(a[0]);
    }
    if (a.size() == 2) {
      if (word == "min") return std::min(a[0], a[1]);
      if (word == "max") return std::max(a[0], a[1]);
      if (word == "pow") return std::pow(a[0], a[1]);
      if (word == "mod") return std::fmod(a[0], a[1]);
      if (word == "atan2") return std::atan2(a[0], a[1]);
      if (word == "hypot") return std::hypot(a[0], a[1]);
      if (word == "lt") return a[0] < a[1];
      if (word == "lte") return a[0] <= a[1];
      if (word == "gt") return a[0] > a[1];
      if (word == "gte") return a[0] >= a[1];
      if (word == "eq") return a[0] == a[1];
      if (word == "if") return a[0] != 0 ? a[1] : 0;
    }
    if (a.size() == 3) {
      if (word == "lerp") return a[0] + (a[1] - a[0]) * a[2];
      if (word == "clip") return std::min(std::max(a[0], a[1]), a[2]);
      if (word == "between") return a[0] >= a[1] && a[0] <= a[2];
      if (word == "if") return a[0] != 0 ? a[1] : a[2];
      if (word == "ifnot") return a[0] != 0 ? a[2] : a[1];
    }
    return fail();
  }

  const std::string_view text_;
  const ExpressionTimes times_;
  size_t at_ = 0;
  int depth_ = 0;
  bool wrong_ = false;
};

}  // namespace

std::optional<double> evaluate(std::string_view text, const ExpressionTimes& times) {
  if (text.size() > longest_text) return std::nullopt;
  return Reader(text, times).whole();
}

}  // namespace sphere
