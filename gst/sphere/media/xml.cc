// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/sphere/media/xml.h"

#include <libxml/parser.h>

#include <limits>

namespace sphere::media {

XmlDocument parse_xml(std::span<const uint8_t> bytes) {
  const auto blank = [](uint8_t byte) {
    return byte == 0 || byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
  };
  while (!bytes.empty() && blank(bytes.front())) bytes = bytes.subspan(1);
  while (!bytes.empty() && blank(bytes.back())) bytes = bytes.first(bytes.size() - 1);
  if (bytes.empty() || bytes.size() > std::numeric_limits<int>::max()) return nullptr;
  // XML_PARSE_HUGE is not set: libxml2 limits the depth and the length of texts.
  constexpr int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                          XML_PARSE_NOCDATA | XML_PARSE_NOBLANKS;
  // The document type is looked for before, in any encoding that XMP may have: libxml2 would read
  // the entities that it defines.
  std::string letters;
  letters.reserve(bytes.size());
  for (const uint8_t byte : bytes)
    if (byte) letters.push_back(static_cast<char>(byte));
  if (letters.find("<!DOCTYPE") != std::string::npos ||
      letters.find("<!ENTITY") != std::string::npos)
    return nullptr;
  const QuietXml quiet;
  return XmlDocument(xmlReadMemory(reinterpret_cast<const char*>(bytes.data()),
                                   static_cast<int>(bytes.size()), nullptr, nullptr, options));
}

std::string content_of(const xmlNode* node) {
  const XmlText text(xmlNodeGetContent(node));
  return std::string(text_of(text.get()));
}

std::string dump(xmlDoc* document, xmlNode* element, bool indent) {
  const std::unique_ptr<xmlBuffer, FreeXml> buffer(xmlBufferCreate());
  if (!buffer || xmlNodeDump(buffer.get(), document, element, 0, indent) < 0) return {};
  return std::string(text_of(xmlBufferContent(buffer.get())));
}

}  // namespace sphere::media
