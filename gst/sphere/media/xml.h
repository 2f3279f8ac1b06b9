// SPDX-License-Identifier: LGPL-2.1-or-later
// Owners for what libxml2 gives, and a careful way to parse XML from a file.

#pragma once

#include <libxml/tree.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sphere::media {

struct FreeXml {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
  void operator()(xmlChar* text) const { xmlFree(text); }
  void operator()(xmlBuffer* buffer) const { xmlBufferFree(buffer); }
};
using XmlDocument = std::unique_ptr<xmlDoc, FreeXml>;
using XmlText = std::unique_ptr<xmlChar, FreeXml>;

/// Null if it is not XML or has a document type, which could define entities. Nothing is loaded
/// from elsewhere.
XmlDocument parse_xml(std::span<const uint8_t> bytes);

inline const xmlChar* xml(const std::string& text) {
  return reinterpret_cast<const xmlChar*>(text.c_str());
}
inline std::string_view text_of(const xmlChar* text) {
  return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}
inline std::string_view uri_of(const xmlNs* space) {
  return space ? text_of(space->href) : std::string_view();
}
/// All the text in an element or an attribute.
std::string content_of(const xmlNode* node);
/// An element as text. `indent` puts each element on a line of its own.
std::string dump(xmlDoc* document, xmlNode* element, bool indent);

}  // namespace sphere::media
