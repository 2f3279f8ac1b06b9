// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/xmp.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "gst/sphere/media/place.h"
#include "gst/sphere/media/xml.h"
#include "gst/sphere/media/xmp_rules.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr std::string_view meta_uri = "adobe:ns:meta/";
constexpr std::string_view packet_begin =
    "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n";
constexpr std::string_view packet_end = "\n<?xpacket end=\"w\"?>";
constexpr int64_t second_us = 1'000'000;

bool is_element(const xmlNode* node) { return node->type == XML_ELEMENT_NODE; }

const xmlNode* first_element(const xmlNode* parent) {
  const xmlNode* node = parent ? parent->children : nullptr;
  while (node && !is_element(node)) node = node->next;
  return node;
}
const xmlNode* next_element(const xmlNode* node) {
  do node = node->next;
  while (node && !is_element(node));
  return node;
}

/// Whether it has a text and nothing else.
bool is_simple(const xmlNode* element) { return !first_element(element) && !element->properties; }

/// Of a property, "exif:GPSLatitude".
std::string display_name(std::string_view uri, const xmlNs* space, std::string_view name) {
  const XmlNamespace* known = find_namespace(uri);
  const std::string_view prefix = known ? known->prefix : text_of(space ? space->prefix : nullptr);
  return std::string(prefix) + (prefix.empty() ? "" : ":") + std::string(name);
}

/// Finds the element rdf:RDF. It is the root, or in it.
xmlNode* find_rdf(xmlDoc* document) {
  xmlNode* root = xmlDocGetRootElement(document);
  if (!root) return nullptr;
  const auto is_rdf = [](const xmlNode* node) {
    return text_of(node->name) == "RDF" && uri_of(node->ns) == rdf_uri;
  };
  if (is_rdf(root)) return root;
  for (xmlNode* node = root->children; node; node = node->next)
    if (is_element(node) && is_rdf(node)) return node;
  return nullptr;
}

/// A packet that is made.
class PacketWriter {
 public:
  PacketWriter() : document_(xmlNewDoc(nullptr)) {
    document_->encoding = xmlStrdup(xml(std::string("UTF-8")));
    xmlNode* meta = xmlNewDocNode(document_.get(), nullptr, xml("xmpmeta"), nullptr);
    xmlDocSetRootElement(document_.get(), meta);
    xmlSetNs(meta, xmlNewNs(meta, xml(std::string(meta_uri)), xml("x")));
    xmlNode* rdf = xmlNewChild(meta, nullptr, xml("RDF"), nullptr);
    rdf_ = xmlNewNs(rdf, xml(std::string(rdf_uri)), xml("rdf"));
    xmlSetNs(rdf, rdf_);
    description_ = xmlNewChild(rdf, rdf_, xml("Description"), nullptr);
    xmlNewNsProp(description_, rdf_, xml("about"), xml(""));
  }
  /// Puts further properties into a packet that exists.
  PacketWriter(XmlDocument document, xmlNode* rdf) : document_(std::move(document)) {
    rdf_ = space_for(rdf, rdf_uri, "rdf");
    for (xmlNode* node = rdf->children; node && !description_; node = node->next)
      if (is_element(node) && text_of(node->name) == "Description") description_ = node;
    if (description_) return;
    description_ = xmlNewChild(rdf, rdf_, xml("Description"), nullptr);
    xmlNewNsProp(description_, rdf_, xml("about"), xml(""));
  }

  void add(std::string_view uri, std::string_view name, const std::string& value) {
    empty_ = false;
    xmlNewTextChild(description_, space_for(description_, uri, {}), xml(std::string(name)),
                    xml(value));
  }
  /// Copies an element with what is in it: structures, lists, languages.
  void copy(const xmlNode* from) {
    empty_ = false;
    copy(description_, from);
  }
  bool empty() const { return empty_; }

  Bytes bytes() const {
    const std::string text = std::string(packet_begin) +
                             dump(document_.get(), xmlDocGetRootElement(document_.get()), true) +
                             std::string(packet_end);
    return {text.begin(), text.end()};
  }

 private:
  xmlNs* space_for(xmlNode* node, std::string_view uri, std::string_view prefix) {
    if (xmlNs* known = xmlSearchNsByHref(document_.get(), node, xml(std::string(uri))))
      if (known->prefix) return known;
    const XmlNamespace* usual = find_namespace(uri);
    std::string name(usual ? usual->prefix : prefix);
    // Another schema may have the name already.
    for (int number = 1; name.empty() || xmlSearchNs(document_.get(), node, xml(name)); ++number)
      name = "ns" + std::to_string(number);
    return xmlNewNs(node, xml(std::string(uri)), xml(name));
  }

  void copy(xmlNode* into, const xmlNode* from) {
    xmlNs* space = from->ns ? space_for(description_, uri_of(from->ns), {}) : nullptr;
    xmlNode* made = xmlNewTextChild(into, space, from->name,
                                    first_element(from) ? nullptr : xml(content_of(from)));
    for (const xmlAttr* attribute = from->properties; attribute; attribute = attribute->next) {
      const std::string_view uri = uri_of(attribute->ns);
      const std::string value = content_of(reinterpret_cast<const xmlNode*>(attribute));
      if (uri == text_of(XML_XML_NAMESPACE))
        xmlSetNsProp(made, xmlSearchNsByHref(document_.get(), made, XML_XML_NAMESPACE),
                     attribute->name, xml(value));
      else
        xmlNewNsProp(made, uri.empty() ? nullptr : space_for(description_, uri, {}),
                     attribute->name, xml(value));
    }
    for (const xmlNode* node = first_element(from); node; node = next_element(node))
      copy(made, node);
  }

  XmlDocument document_;
  xmlNs* rdf_ = nullptr;
  xmlNode* description_ = nullptr;
  bool empty_ = true;
};

void add_position(const Request& request, PacketWriter* writer) {
  const Position& position = *request.position;
  writer->add(exif_uri, "GPSVersionID", "2.3.0.0");
  writer->add(exif_uri, "GPSLatitude", xmp_angle(position.latitude, "NS"));
  writer->add(exif_uri, "GPSLongitude", xmp_angle(position.longitude, "EW"));
  if (position.altitude) {
    const double height = std::min(std::abs(*position.altitude), 1e6);
    writer->add(exif_uri, "GPSAltitudeRef", *position.altitude < 0 ? "1" : "0");
    writer->add(exif_uri, "GPSAltitude", std::to_string(std::lround(height * 1000)) + "/1000");
  }
  writer->add(exif_uri, "GPSMapDatum", "WGS-84");
  if (!request.position_time || *request.position_time < 0) return;
  const std::unique_ptr<GDateTime, decltype(&g_date_time_unref)> time(
      g_date_time_new_from_unix_utc(*request.position_time / second_us), g_date_time_unref);
  if (!time) return;
  const std::unique_ptr<char, decltype(&g_free)> text(
      g_date_time_format(time.get(), "%Y-%m-%dT%H:%M:%SZ"), g_free);
  if (text) writer->add(exif_uri, "GPSTimeStamp", text.get());
}

int heading(double yaw) { return static_cast<int>((std::lround(yaw) % 360 + 360) % 360); }

void add_mark(const SphereMark& mark, int width, int height, PacketWriter* writer) {
  const auto add = [&](std::string_view name, const std::string& value) {
    writer->add(gpano_uri, name, value);
  };
  add("UsePanoramaViewer", "True");
  add("ProjectionType", "equirectangular");
  add("StitchingSoftware", mark.software);
  add("CroppedAreaImageWidthPixels", std::to_string(width));
  add("CroppedAreaImageHeightPixels", std::to_string(height));
  add("FullPanoWidthPixels", std::to_string(width));
  add("FullPanoHeightPixels", std::to_string(height));
  add("CroppedAreaLeftPixels", "0");
  add("CroppedAreaTopPixels", "0");
  if (mark.yaw == 0 && mark.pitch == 0 && mark.roll == 0) return;
  add("InitialViewHeadingDegrees", std::to_string(heading(mark.yaw)));
  add("InitialViewPitchDegrees", std::to_string(std::lround(mark.pitch)));
  add("InitialViewRollDegrees", std::to_string(std::lround(mark.roll)));
}

void add_all(const XmpAdditions& additions, const Request& request, PacketWriter* writer) {
  if (!additions.write) return;
  if (additions.mark && request.mark)
    add_mark(*request.mark, additions.width, additions.height, writer);
  if (additions.position && request.position) add_position(request, writer);
}

class Examiner {
 public:
  Examiner(XmlDocument document, xmlNode* rdf, const Where& where, const XmpAdditions& additions,
           Findings* findings)
      : document_(std::move(document)),
        rdf_(rdf),
        where_(where),
        additions_(additions),
        findings_(*findings) {}

  NewPacket run() {
    for (xmlNode* node = rdf_->children; node; node = node->next)
      if (is_element(node)) read_description(node);
    if (where_.removed) return Bytes();
    if (findings_.keeps_everything()) {
      if (!additions_.mark && !additions_.position && additions_.extended) return std::nullopt;
      for (xmlAttr* attribute : replaced_attributes_) xmlRemoveProp(attribute);
      for (xmlNode* element : replaced_elements_) {
        xmlUnlinkNode(element);
        xmlFreeNode(element);
      }
      PacketWriter writer(std::move(document_), rdf_);
      add_all(additions_, findings_.request(), &writer);
      return writer.bytes();
    }
    add_all(additions_, findings_.request(), &writer_);
    return writer_.empty() ? Bytes() : writer_.bytes();
  }

 private:
  void read_description(xmlNode* description) {
    note_position(description);
    for (xmlAttr* attribute = description->properties; attribute; attribute = attribute->next) {
      const std::string_view uri = uri_of(attribute->ns);
      if (uri == rdf_uri || uri == text_of(XML_XML_NAMESPACE)) continue;
      const std::string value = content_of(reinterpret_cast<const xmlNode*>(attribute));
      const std::string_view name = text_of(attribute->name);
      const bool gone = is_replaced(uri, name, nullptr);
      if (gone) replaced_attributes_.push_back(attribute);
      if (add(attribute->ns, name, value, true, gone)) writer_.add(uri, name, value);
    }
    for (xmlNode* node = description->children; node; node = node->next) {
      if (!is_element(node)) continue;
      const std::string_view uri = uri_of(node->ns), name = text_of(node->name);
      const bool gone = is_replaced(uri, name, node), simple = is_simple(node);
      if (gone) replaced_elements_.push_back(node);
      const bool whole = simple || findings_.keeps_everything() || inner_stays(node);
      const bool stays = add(node->ns, name, content_of(node), simple, gone || !whole);
      if (!simple) read_inner(node);
      if (stays && simple)
        writer_.add(uri, name, content_of(node));
      else if (stays)
        writer_.copy(node);
    }
  }

  /// Whether what is added takes its place. A new position may be less exact than agreed names of
  /// places would be, therefore these go too, except where everything may stay.
  bool is_replaced(std::string_view uri, std::string_view name, const xmlNode* element) const {
    if (!additions_.extended && name == "HasExtendedXMP") return true;
    if (uri == gpano_uri) return additions_.mark;
    if (!additions_.position) return false;
    return (uri == exif_uri && name.starts_with("GPS")) ||
           (xmp_rule(uri, name, {}, false).part_class == PartClass::place &&
            (!findings_.keeps_everything() || is_position_name(name))) ||
           (element && has_position(element));
  }
  static bool is_position_name(std::string_view name) {
    return name.starts_with("GPS") || name.starts_with("Gps");
  }
  static bool has_position(const xmlNode* node) {
    for (const xmlNode* inner = first_element(node); inner; inner = next_element(inner)) {
      if (is_position_name(text_of(inner->name)) || has_position(inner)) return true;
      for (const xmlAttr* attribute = inner->properties; attribute; attribute = attribute->next)
        if (is_position_name(text_of(attribute->name))) return true;
    }
    return false;
  }

  /// Adds a property of a description.
  bool add(const xmlNs* space, std::string_view name, const std::string& value, bool simple,
           bool replaced) {
    const std::string_view uri = uri_of(space);
    PartRule rule = xmp_rule(uri, name, value, simple);
    Where where = where_.inside(0, where_.length, display_name(uri, space, name));
    where.removed |= replaced;
    const bool stays = findings_.add(where, rule);
    if (!stays && rule.part_class == PartClass::identity && xmp_names_somebody(name))
      findings_.identity(value);
    return stays;
  }

  /// Positions and identities in structures.
  void read_inner(const xmlNode* node) {
    note_position(node);
    for (const xmlNode* inner = first_element(node); inner; inner = next_element(inner)) {
      if (xmp_names_somebody(text_of(inner->name)) && is_simple(inner))
        findings_.identity(content_of(inner));
      read_inner(inner);
    }
  }

  /// Whether everything in a structure may stay. The elements of RDF have no meaning of their own.
  bool inner_stays(const xmlNode* node) const {
    const auto may_stay = [&](std::string_view uri, std::string_view name, const std::string& value,
                              bool simple) {
      return uri == rdf_uri || uri == text_of(XML_XML_NAMESPACE) ||
             findings_.policy().allows(xmp_rule(uri, name, value, simple).part_class);
    };
    for (const xmlAttr* attribute = node->properties; attribute; attribute = attribute->next)
      if (!may_stay(uri_of(attribute->ns), text_of(attribute->name),
                    content_of(reinterpret_cast<const xmlNode*>(attribute)), true))
        return false;
    for (const xmlNode* inner = first_element(node); inner; inner = next_element(inner))
      if (!may_stay(uri_of(inner->ns), text_of(inner->name), content_of(inner), is_simple(inner)) ||
          !inner_stays(inner))
        return false;
    return true;
  }

  /// A latitude and a longitude that stand beside each other.
  void note_position(const xmlNode* node) {
    std::optional<double> north, east;
    const auto note = [&](std::string_view name, const std::string& value) {
      if (name.ends_with("Latitude")) north = parse_xmp_angle(value);
      if (name.ends_with("Longitude") || name.ends_with("Longtitude"))
        east = parse_xmp_angle(value);
    };
    for (const xmlAttr* attribute = node->properties; attribute; attribute = attribute->next)
      note(text_of(attribute->name), content_of(reinterpret_cast<const xmlNode*>(attribute)));
    for (const xmlNode* inner = first_element(node); inner; inner = next_element(inner))
      if (is_simple(inner)) note(text_of(inner->name), content_of(inner));
    if (!north || !east) return;
    const Position position{*north, *east, std::nullopt};
    if (is_position(position)) findings_.position(position);
  }

  XmlDocument document_;
  xmlNode* rdf_;
  const Where& where_;
  const XmpAdditions& additions_;
  Findings& findings_;
  PacketWriter writer_;
  std::vector<xmlAttr*> replaced_attributes_;
  std::vector<xmlNode*> replaced_elements_;
};

Result<NewPacket> finish(NewPacket packet, std::span<const uint8_t> old, const Request& request) {
  if (request.in_place) {
    Result<NewPacket> fitted = keep_length(std::move(packet), old.size(), ' ');
    if (!fitted) return fitted;
    packet = std::move(*fitted);
  }
  if (packet && !packet->empty() && std::ranges::equal(*packet, old)) return NewPacket();
  return packet;
}

using Values = std::vector<std::pair<std::string, std::string>>;

std::string write_video_xml(const Values& values) {
  const XmlDocument document(xmlNewDoc(nullptr));
  xmlNode* root = xmlNewDocNode(document.get(), nullptr, xml("SphericalVideo"), nullptr);
  xmlDocSetRootElement(document.get(), root);
  xmlSetNs(root, xmlNewNs(root, xml(std::string(rdf_uri)), xml("rdf")));
  xmlNs* spherical = xmlNewNs(root, xml(std::string(spherical_uri)), xml("GSpherical"));
  for (const auto& [name, value] : values) xmlNewTextChild(root, spherical, xml(name), xml(value));
  return "<?xml version=\"1.0\"?>" + dump(document.get(), root, false);
}

Error too_large() { return unsupported("the XMP in the file is larger than 4 MiB"); }

}  // namespace

Result<NewPacket> examine_xmp(std::span<const uint8_t> bytes, const Where& where,
                              const XmpAdditions& additions, Findings* findings) {
  if (bytes.size() > largest_xmp) return too_large();
  const Request& request = findings->request();
  XmlDocument document = parse_xml(bytes);
  xmlNode* rdf = document ? find_rdf(document.get()) : nullptr;
  if (rdf)
    return finish(Examiner(std::move(document), rdf, where, additions, findings).run(), bytes,
                  request);
  const bool stays = findings->add(where, {PartClass::unknown, "XMP that can't be read", {}});
  if (where.removed) return NewPacket(Bytes());
  Bytes made = make_xmp(additions, request);
  if (stays && made.empty()) return NewPacket();
  return finish(std::move(made), bytes, request);
}

Bytes make_xmp(const XmpAdditions& additions, const Request& request) {
  PacketWriter writer;
  add_all(additions, request, &writer);
  return writer.empty() ? Bytes() : writer.bytes();
}

Result<NewPacket> examine_video_xml(std::span<const uint8_t> bytes, const Where& where,
                                    Findings* findings) {
  if (bytes.size() > largest_xmp) return too_large();
  const XmlDocument document = parse_xml(bytes);
  const xmlNode* root = document ? xmlDocGetRootElement(document.get()) : nullptr;
  if (!root) {
    const bool stays = findings->add(where, {PartClass::unknown, "XML that can't be read", {}});
    return stays ? NewPacket() : NewPacket(Bytes());
  }
  Values values;
  for (const xmlNode* node = first_element(root); node; node = next_element(node)) {
    // Some programs leave out where the schema is declared; its prefix is in the name then.
    std::string_view name = text_of(node->name);
    name = name.substr(name.find(':') == std::string_view::npos ? 0 : name.find(':') + 1);
    const std::string value = content_of(node);
    const bool known = is_simple(node) && (!node->ns || uri_of(node->ns) == spherical_uri);
    const PartRule rule =
        known ? video_xml_rule(name, value) : PartRule{PartClass::unknown, "not known", value};
    if (findings->add(where.inside(0, where.length, "GSpherical:" + std::string(name)), rule))
      values.emplace_back(name, value);
    else if (known && name == "StitchingSoftware")
      values.emplace_back(name, SphereMark().software);
  }
  if (where.removed) return NewPacket(Bytes());
  if (findings->keeps_everything()) return NewPacket();
  const std::string text = values.empty() ? std::string() : write_video_xml(values);
  return finish(Bytes(text.begin(), text.end()), bytes, findings->request());
}

std::string make_video_xml(const SphereMark& mark, int width, int height) {
  Values values = {{"Spherical", "true"},
                   {"Stitched", "true"},
                   {"StitchingSoftware", mark.software},
                   {"ProjectionType", "equirectangular"}};
  if (mark.stereo == SphereMark::Stereo::top_bottom)
    values.emplace_back("StereoMode", "top-bottom");
  if (mark.stereo == SphereMark::Stereo::left_right)
    values.emplace_back("StereoMode", "left-right");
  if (mark.yaw != 0 || mark.pitch != 0 || mark.roll != 0) {
    values.emplace_back("InitialViewHeadingDegrees", std::to_string(heading(mark.yaw)));
    values.emplace_back("InitialViewPitchDegrees", std::to_string(std::lround(mark.pitch)));
    values.emplace_back("InitialViewRollDegrees", std::to_string(std::lround(mark.roll)));
  }
  if (width > 0 && height > 0) {
    values.emplace_back("FullPanoWidthPixels", std::to_string(width));
    values.emplace_back("FullPanoHeightPixels", std::to_string(height));
    values.emplace_back("CroppedAreaImageWidthPixels", std::to_string(width));
    values.emplace_back("CroppedAreaImageHeightPixels", std::to_string(height));
    values.emplace_back("CroppedAreaLeftPixels", "0");
    values.emplace_back("CroppedAreaTopPixels", "0");
  }
  return write_video_xml(values);
}

}  // namespace sphere::media
