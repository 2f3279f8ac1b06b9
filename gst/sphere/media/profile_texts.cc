// SPDX-License-Identifier: LGPL-2.1-or-later
// ICC.1:2022, and ICC.1:2001-04 for the texts of version 2.

#include "gst/sphere/media/profile_texts.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "gst/sphere/base/bytes.h"
#include "gst/sphere/base/text.h"

namespace sphere::media {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t list_at = 128, entry_size = 12, time_at = 24, time_size = 12;
// Letters that programs and devices are registered with.
constexpr size_t program_at = 4, maker_at = 48, model_at = 52, author_at = 80;
constexpr size_t own_attributes_at = 56, checksum_at = 84, checksum_size = 16, reserved_at = 100;
constexpr size_t longest_neutral = 80;

/// What colours are computed from, and how they are looked at.
constexpr std::string_view colour_tags[] = {
    "A2B0", "A2B1", "A2B2", "B2A0", "B2A1", "B2A2", "D2B0", "D2B1", "D2B2", "D2B3", "B2D0",
    "B2D1", "B2D2", "B2D3", "gamt", "pre0", "pre1", "pre2", "wtpt", "bkpt", "rXYZ", "gXYZ",
    "bXYZ", "rTRC", "gTRC", "bTRC", "kTRC", "aarg", "aagg", "aabg", "chad", "chrm", "cicp",
    "lumi", "clro", "tech", "meas", "view", "rig0", "rig2", "ciis", "arts"};
/// Forms of numbers.
constexpr std::string_view number_types[] = {"XYZ ", "curv", "para", "mft1", "mft2", "mAB ", "mBA ",
                                             "mpet", "sf32", "uf32", "ui08", "ui16", "ui32", "view",
                                             "meas", "chrm", "cicp", "clro", "sig ", "vcgt"};

/// Names of colour spaces, in profiles that many devices and programs have as they were published.
constexpr std::string_view published[] = {
    "sRGB IEC61966-2.1",
    "sRGB IEC61966-2-1",
    "sRGB",
    "sRGB2014",
    "c2",
    "c2ci",
    "uRGB",
    "Display P3",
    "DCI-P3 D65",
    "Adobe RGB (1998)",
    "Apple RGB",
    "ColorMatch RGB",
    "ProPhoto RGB",
    "Wide Gamut RGB",
    "Rec. ITU-R BT.709-5",
    "Rec. ITU-R BT.2020-1",
    "Generic RGB Profile",
    "Generic Gray Profile",
    "Generic Gray Gamma 2.2 Profile",
    "Generic CMYK Profile",
    "Dot Gain 15%",
    "Dot Gain 20%",
    "Gray Gamma 2.2",
    "Gray Gamma 1.8",
    "U.S. Web Coated (SWOP) v2",
    "Coated FOGRA27 (ISO 12647-2:2004)",
    "Coated FOGRA39 (ISO 12647-2:2004)",
    "Japan Color 2001 Coated",
};
/// The same, in profiles that programs make anew each time, and other texts of those above.
constexpr std::string_view neutral[] = {
    "-",
    "sRGB built-in",
    "GIMP built-in sRGB",
    "RGB built-in",
    "Lab identity built-in",
    "IEC http://www.iec.ch",
    "IEC 61966-2.1 Default RGB colour space - sRGB",
    "IEC 61966-2-1 Default RGB Colour Space - sRGB",
    "Reference Viewing Condition in IEC61966-2.1",
    "Reference Viewing Condition in IEC 61966-2-1",
};
/// Copyrights, of which only the letters count: years and commas differ.
constexpr std::string_view copyrights[] = {
    "copyrightchewlettpackardcompany",
    "copyrighthewlettpackardcompany",
    "copyrightappleinc",
    "copyrightappleincallrightsreserved",
    "copyrightapplecomputerincallrightsreserved",
    "copyrightadobesystemsincorporated",
    "copyrightadobesystemsinc",
    "copyrightinternationalcolorconsortium",
    "publicdomain",
    "nocopyrightusefreely",
    "googleinc",
    "fb",
    "cc",
};
constexpr size_t most_digits = 8;

/// Of programs, makers and colour spaces.
constexpr std::string_view neutral_letters[] = {"appl", "APPL", "ADBE", "lcms", "Lino", "IEC ",
                                                "sRGB", "none", "HP  ", "KCMS", "MSFT", "GOOG"};

constexpr std::string_view new_description = "Colour profile", new_copyright = "-";

template <size_t n>
bool is_one_of(std::string_view text, const std::string_view (&list)[n]) {
  return std::ranges::find(list, text) != std::end(list);
}

bool is_neutral(std::string_view text) {
  if (text.size() > longest_neutral) return false;
  // As much of it as there was room for.
  if (new_description.starts_with(text)) return true;
  if (is_one_of(text, published) || is_one_of(text, neutral)) return true;
  std::string letters;
  for (const char c : text)
    if (g_ascii_isalpha(c)) letters += g_ascii_tolower(c);
  const auto digits = std::ranges::count_if(text, [](char c) { return g_ascii_isdigit(c); });
  const bool is_ascii = std::ranges::all_of(text, [](char c) { return g_ascii_isprint(c); });
  return is_ascii && static_cast<size_t>(digits) <= most_digits && is_one_of(letters, copyrights);
}

bool is_zero(std::span<const uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

void put(Bytes* bytes, size_t at, uint64_t value, int size) {
  for (int i = 0; i < size; ++i)
    (*bytes)[at + static_cast<size_t>(i)] = static_cast<uint8_t>(value >> 8 * (size - 1 - i));
}

std::string utf8_of(std::span<const uint8_t> utf16) {
  std::vector<gunichar2> units;
  for (size_t i = 0; i + 1 < utf16.size(); i += 2)
    units.push_back(static_cast<gunichar2>(utf16[i] << 8 | utf16[i + 1]));
  while (!units.empty() && units.back() == 0) units.pop_back();
  if (units.empty()) return {};
  g_autofree char* text =
      g_utf16_to_utf8(units.data(), static_cast<glong>(units.size()), nullptr, nullptr, nullptr);
  return text ? text : "?";
}

/// The texts of a tag. Nothing if it has another form, or something beside them.
std::optional<std::vector<std::string>> texts_of(std::span<const uint8_t> tag) {
  std::vector<std::string> texts;
  ByteReader reader(tag);
  const auto take = [&](size_t count) {
    const std::string_view text = as_text(reader.take(count));
    texts.emplace_back(text.substr(0, text.find('\0')));
    return text.find_first_not_of('\0', texts.back().size()) == text.npos;
  };
  const std::string_view type = as_text(reader.take(4));
  reader.skip(4);
  bool clean = true;
  if (type == "text") {
    clean = take(reader.remaining());
  } else if (type == "desc") {
    constexpr size_t mac_size = 67;
    clean = take(reader.u32());
    reader.skip(4);
    texts.push_back(utf8_of(reader.take(reader.u32() * size_t{2})));
    reader.skip(3);
    clean = clean && take(mac_size);
  } else if (type == "mluc") {
    const uint32_t count = reader.u32();
    // In any order, and shared by several languages.
    constexpr size_t head = 16;
    if (reader.u32() != entry_size ||
        count > (tag.size() - std::min(head, tag.size())) / entry_size)
      return std::nullopt;
    std::vector<bool> used(tag.size());
    std::fill_n(used.begin(), head + count * entry_size, true);
    for (uint32_t i = 0; i < count; ++i) {
      reader.skip(4);
      const size_t length = reader.u32(), offset = reader.u32();
      if (!reader.ok() || offset > tag.size() || length > tag.size() - offset) return std::nullopt;
      texts.push_back(utf8_of(tag.subspan(offset, length)));
      std::fill_n(used.begin() + static_cast<ptrdiff_t>(offset), length, true);
    }
    for (size_t i = 0; i < tag.size(); ++i) clean = clean && (used[i] || tag[i] == 0);
    reader = ByteReader({});
  } else {
    return std::nullopt;
  }
  if (!clean || !reader.ok() || !is_zero(reader.take(reader.remaining()))) return std::nullopt;
  return texts;
}

/// A tag of the same form and length with one text; empty where it has no room.
Bytes tag_with(std::string_view text, std::span<const uint8_t> tag) {
  Bytes made(tag.size());
  const std::string_view type = as_text(tag.first(std::min<size_t>(4, tag.size())));
  std::copy_n(type.begin(), type.size(), made.begin());
  const auto room = [&](size_t needed) { return made.size() >= needed; };
  const auto write = [&](size_t at, size_t most) {
    std::copy_n(text.begin(), std::min(most, text.size()),
                made.begin() + static_cast<ptrdiff_t>(at));
  };
  constexpr size_t text_at = 8, desc_at = 12, after_desc = 78, mluc_at = 28;
  if (type == "desc" && room(desc_at + after_desc + 1)) {
    const size_t length = std::min(text.size(), made.size() - desc_at - after_desc - 1);
    put(&made, text_at, length + 1, 4);
    write(desc_at, length);
  } else if (type == "mluc" && room(mluc_at + 2)) {
    const size_t length = std::min(text.size(), (made.size() - mluc_at) / 2);
    put(&made, 8, 1, 4);
    put(&made, 12, entry_size, 4);
    put(&made, 16, 0x656e5553, 4);  // enUS
    put(&made, 20, 2 * length, 4);
    put(&made, 24, mluc_at, 4);
    for (size_t i = 0; i < length; ++i) made[mluc_at + 2 * i + 1] = static_cast<uint8_t>(text[i]);
  } else if (type == "text" && room(text_at + 1)) {
    write(text_at, made.size() - text_at - 1);
  } else {
    made.clear();
  }
  return made;
}

class Cleaner {
 public:
  explicit Cleaner(std::span<const uint8_t> bytes)
      : bytes_(bytes), made_(bytes.begin(), bytes.end()) {
    ByteReader reader(bytes);
    reader.skip(list_at);
    const uint32_t count = reader.u32();
    for (uint32_t i = 0; i < count && reader.ok(); ++i) {
      Entry entry;
      entry.name = as_text(reader.take(4));
      entry.offset = reader.u32();
      entry.length = reader.u32();
      if (reader.ok()) entries_.push_back(entry);
    }
    for (Entry& entry : entries_) judge(&entry);
    for (Entry& entry : entries_)
      if (entry.fate == Fate::replace && !can_be_replaced(entry)) entry.fate = Fate::remove;
    judge_letters();
  }

  bool tells_identity() const { return tells_; }
  const std::string& value() const { return value_; }
  /// Zero, or the one of a profile that many have, tells nothing.
  bool tells_time() const { return !is_published_ && !is_zero(bytes_.subspan(time_at, time_size)); }
  std::string time() const {
    ByteReader reader(bytes_.subspan(time_at, time_size));
    int parts[6];
    for (int& part : parts) part = reader.u16();
    char text[48];
    g_snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", parts[0], parts[1], parts[2],
               parts[3], parts[4], parts[5]);
    return text;
  }

  Bytes cleaned(bool identity, bool time) {
    if (identity) remove_identity();
    if (time) zero(time_at, time_size);
    zero(checksum_at, checksum_size);
    return std::move(made_);
  }

 private:
  enum class Fate { keep, replace, remove };
  struct Entry {
    std::string_view name;
    size_t offset = 0, length = 0;
    Fate fate = Fate::keep;
  };

  /// It has room for another text, and no other tag needs its bytes for something else.
  bool can_be_replaced(const Entry& entry) const {
    const auto disturbs = [&](const Entry& other) {
      const bool same = other.offset == entry.offset && other.length == entry.length;
      return other.fate != Fate::remove && !(same && other.fate == Fate::replace) &&
             other.offset < entry.offset + entry.length &&
             entry.offset < other.offset + other.length;
    };
    return !tag_with("", content(entry)).empty() && std::ranges::none_of(entries_, disturbs);
  }

  std::span<const uint8_t> content(const Entry& entry) const {
    return bytes_.subspan(entry.offset, entry.length);
  }
  void zero(size_t at, size_t size) {
    std::fill_n(made_.begin() + static_cast<ptrdiff_t>(at), size, uint8_t{0});
  }

  void judge(Entry* entry) {
    const auto tag = content(*entry);
    const std::string_view type = as_text(tag.first(std::min<size_t>(4, tag.size())));
    if (is_one_of(entry->name, colour_tags) && is_one_of(type, number_types)) return;
    const auto texts = texts_of(tag);
    const bool needed = entry->name == "desc" || entry->name == "cprt";
    if (entry->name == "desc" && texts)
      is_published_ = std::ranges::all_of(*texts, [](const std::string& text) {
        return text.empty() || is_one_of(text, published);
      });
    if (texts && std::ranges::all_of(*texts, is_neutral)) return;
    entry->fate = needed ? Fate::replace : Fate::remove;
    tells_ = true;
    if (!texts) return tell(entry->name);
    for (const std::string& text : *texts) tell(text);
  }
  void tell(std::string_view text) {
    if (text.empty() || is_neutral(text) || value_.find(text) != value_.npos) return;
    value_ += (value_.empty() ? "" : ", ") + std::string(text);
  }

  bool is_neutral_at(size_t at) const {
    const auto letters = bytes_.subspan(at, 4);
    return is_zero(letters) || is_one_of(as_text(letters), neutral_letters);
  }
  void judge_letters() {
    for (const size_t at : {program_at, maker_at, model_at, author_at})
      if (!is_neutral_at(at)) {
        tells_ = true;
        tell(as_text(bytes_.subspan(at, 4)));
      }
    tells_ |= !is_zero(bytes_.subspan(own_attributes_at, 4)) ||
              !is_zero(bytes_.subspan(reserved_at, list_at - reserved_at));
  }

  void remove_identity() {
    for (const size_t at : {program_at, maker_at, model_at, author_at})
      if (!is_neutral_at(at)) zero(at, 4);
    zero(own_attributes_at, 4);
    zero(reserved_at, list_at - reserved_at);
    std::vector<bool> used(made_.size());
    for (const Entry& entry : entries_)
      if (entry.fate == Fate::keep)
        std::fill_n(used.begin() + static_cast<ptrdiff_t>(entry.offset), entry.length, true);
    const auto write = [&](const Entry& entry, const Bytes& content) {
      for (size_t i = 0; i < content.size(); ++i)
        if (!used[entry.offset + i]) made_[entry.offset + i] = content[i];
    };
    for (const Entry& entry : entries_)
      if (entry.fate != Fate::keep) write(entry, Bytes(entry.length));
    for (const Entry& entry : entries_)
      if (entry.fate == Fate::replace)
        write(entry,
              tag_with(entry.name == "desc" ? new_description : new_copyright, content(entry)));
    size_t at = list_at + 4, kept = 0;
    zero(at, entries_.size() * entry_size);
    for (const Entry& entry : entries_) {
      if (entry.fate == Fate::remove) continue;
      std::ranges::copy(entry.name, made_.begin() + static_cast<ptrdiff_t>(at));
      put(&made_, at + 4, entry.offset, 4);
      put(&made_, at + 8, entry.length, 4);
      at += entry_size;
      ++kept;
    }
    put(&made_, list_at, kept, 4);
  }

  const std::span<const uint8_t> bytes_;
  Bytes made_;
  std::vector<Entry> entries_;
  std::string value_;
  bool tells_ = false, is_published_ = false;
};

}  // namespace

std::optional<std::vector<uint8_t>> clean_profile(std::span<const uint8_t> bytes,
                                                  const Where& where, Findings* findings) {
  Cleaner cleaner(bytes);
  const bool identity =
      cleaner.tells_identity() &&
      !findings->add(where, {PartClass::identity, "texts of the colour profile", cleaner.value()});
  const bool time =
      cleaner.tells_time() &&
      !findings->add(where, {PartClass::time, "time of the colour profile", cleaner.time()});
  if (!identity && !time) return std::nullopt;
  return cleaner.cleaned(identity, time);
}

}  // namespace sphere::media
