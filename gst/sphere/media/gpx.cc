// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/gpx.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <libxml/xmlreader.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/number.h"
#include "gst/sphere/base/text.h"
#include "gst/sphere/media/source.h"
#include "gst/sphere/media/xml.h"

namespace sphere::media {

namespace {

using XmlReaderRef = std::unique_ptr<xmlTextReader, Call<xmlFreeTextReader>>;

// gpx, trk, trkseg, trkpt, and what extensions put into it.
constexpr int most_depth = 32;
// A time or a height is shorter.
constexpr size_t most_text = 64;

std::optional<double> number_of(const std::string& text, double least, double most) {
  const std::optional<double> value = parse_number(trimmed(text));
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

std::optional<int64_t> time_of(std::string text) {
  g_strstrip(text.data());
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text.c_str(), utc);
  if (!time) return std::nullopt;
  return g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
}

}  // namespace

/// Walks the XML once; only the point that it is in is in memory.
class GpxReader {
 public:
  explicit GpxReader(std::span<const uint8_t> bytes)
      : reader_(xmlReaderForMemory(
            reinterpret_cast<const char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr,
            nullptr,
            XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA)) {}

  Result<GpxTrack> run() {
    if (!reader_) return failed("there is no memory for the track");
    int more = 0;
    while ((more = xmlTextReaderRead(reader_.get())) == 1)
      if (const Status step = node(); !step) return step.error();
    if (more != 0)
      return invalid("the track is no valid XML: line " +
                     std::to_string(xmlTextReaderGetParserLineNumber(reader_.get())));
    if (!is_gpx_) return invalid("the file is no GPX track");
    if (track_.points_.empty()) return invalid("no point of the GPX track has a time");
    std::ranges::stable_sort(track_.points_, {}, &GpxTrack::Point::time_us);
    return std::move(track_);
  }

 private:
  Status node() {
    if (xmlTextReaderDepth(reader_.get()) > most_depth)
      return invalid("the GPX track is nested too deeply");
    const std::string_view name = text_of(xmlTextReaderConstLocalName(reader_.get()));
    switch (xmlTextReaderNodeType(reader_.get())) {
      case XML_READER_TYPE_DOCUMENT_TYPE:
      case XML_READER_TYPE_ENTITY_REFERENCE:
        return invalid("the GPX track has a document type or entities, which are not read");
      case XML_READER_TYPE_ELEMENT:
        return begin(name);
      case XML_READER_TYPE_TEXT:
      case XML_READER_TYPE_CDATA:
        if (reads_ && text_.size() < most_text)
          text_ += text_of(xmlTextReaderConstValue(reader_.get())).substr(0, most_text);
        return ok();
      case XML_READER_TYPE_END_ELEMENT:
        return end(name);
      default:
        return ok();
    }
  }

  Status begin(std::string_view name) {
    const int depth = xmlTextReaderDepth(reader_.get());
    if (depth == 0) {
      is_gpx_ = name == "gpx";
      return is_gpx_ ? ok() : Status(invalid("the file is no GPX track"));
    }
    const bool empty = xmlTextReaderIsEmptyElement(reader_.get()) == 1;
    if (name == "trkseg" || name == "rte") {
      ++segment_;
    } else if (name == "trkpt" || name == "rtept") {
      point_ = GpxTrack::Point();
      point_depth_ = depth;
      has_time_ = false;
      const auto latitude = attribute("lat", 90), longitude = attribute("lon", 180);
      valid_ = latitude && longitude && !empty;
      if (valid_) point_->position = {*latitude, *longitude, std::nullopt};
    } else if (point_ && depth == point_depth_ + 1 && (name == "time" || name == "ele") && !empty) {
      reads_ = true;
      text_.clear();
    }
    return ok();
  }

  Status end(std::string_view name) {
    if (!point_) return ok();
    const int depth = xmlTextReaderDepth(reader_.get());
    if (reads_ && depth == point_depth_ + 1) {
      reads_ = false;
      if (name == "ele") {
        point_->position.altitude = number_of(text_, -1000, 100000);
      } else if (const auto time = time_of(text_)) {
        has_time_ = true;
        point_->time_us = *time;
      }
    } else if (depth == point_depth_) {
      if (valid_ && has_time_) {
        if (track_.points_.size() == GpxTrack::most_points)
          return unsupported("the GPX track has more than a million points");
        point_->segment = segment_;
        track_.points_.push_back(*point_);
      }
      point_.reset();
    }
    return ok();
  }

  std::optional<double> attribute(const char* name, double most) {
    const XmlText value(
        xmlTextReaderGetAttribute(reader_.get(), reinterpret_cast<const xmlChar*>(name)));
    return value ? number_of(std::string(text_of(value.get())), -most, most) : std::nullopt;
  }

  const QuietXml quiet_;
  const XmlReaderRef reader_;
  GpxTrack track_;
  bool is_gpx_ = false;
  size_t segment_ = 0;
  // The point that the reader is in.
  std::optional<GpxTrack::Point> point_;
  int point_depth_ = 0;
  bool valid_ = false, has_time_ = false;
  bool reads_ = false;  // the text of one of its elements
  std::string text_;
};

Result<GpxTrack> GpxTrack::parse(std::span<const uint8_t> bytes) {
  if (bytes.size() > most_bytes) return unsupported("the GPX track is larger than 64 MiB");
  return GpxReader(bytes).run();
}

Result<GpxTrack> GpxTrack::read(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return not_found("the GPX track '" + path + "' can't be opened");
  const auto source = FileSource::make(descriptor);
  std::vector<uint8_t> bytes;
  Status status = source ? ok() : Status(source.error());
  if (status && source->size() > most_bytes)
    status = unsupported("the GPX track is larger than 64 MiB");
  if (status) {
    bytes.resize(static_cast<size_t>(source->size()));
    if (!source->read_all(0, bytes)) status = failed("the GPX track can't be read");
  }
  close(descriptor);
  if (!status) return status.error();
  return parse(bytes);
}

std::optional<Position> GpxTrack::at(int64_t time_us) const {
  const auto next = std::ranges::lower_bound(points_, time_us, {}, &Point::time_us);
  if (next == points_.end()) return std::nullopt;
  if (next->time_us == time_us) return next->position;
  if (next == points_.begin()) return std::nullopt;
  const Point &a = *(next - 1), &b = *next;
  if (a.segment != b.segment) return std::nullopt;
  const double part =
      static_cast<double>(time_us - a.time_us) / static_cast<double>(b.time_us - a.time_us);
  const auto between = [part](double from, double to) { return from + (to - from) * part; };
  // The shorter way around the Earth.
  double to = b.position.longitude;
  if (to - a.position.longitude > 180) to -= 360;
  if (to - a.position.longitude < -180) to += 360;
  double longitude = between(a.position.longitude, to);
  if (longitude > 180) longitude -= 360;
  if (longitude < -180) longitude += 360;
  Position position{between(a.position.latitude, b.position.latitude), longitude, std::nullopt};
  if (a.position.altitude && b.position.altitude)
    position.altitude = between(*a.position.altitude, *b.position.altitude);
  return position;
}

std::vector<TimedPosition> GpxTrack::from(int64_t time_us) const {
  std::vector<TimedPosition> positions;
  if (const auto first = at(time_us)) positions.push_back({0, *first});
  for (auto point = std::ranges::upper_bound(points_, time_us, {}, &Point::time_us);
       point != points_.end(); ++point)
    positions.push_back({static_cast<uint64_t>(point->time_us - time_us) * 1000, point->position});
  return positions;
}

}  // namespace sphere::media
