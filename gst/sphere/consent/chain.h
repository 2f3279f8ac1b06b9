// SPDX-License-Identifier: LGPL-2.1-or-later
// What a consent ledger says: its entries as lines of text, the chain of hashes that holds them
// together, and the consent that results from them. It opens no file.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"
#include "gst/sphere/consent/decision.h"

namespace sphere::consent {

/// `recover` means that an act was cut off and may have been a withdrawal: all consent is taken
/// back.
enum class Act { give, withdraw, withdraw_all, notice_shown, reset, recover };

inline constexpr std::array<std::string_view, 6> act_names = {
    "give", "withdraw", "withdraw-all", "notice-shown", "reset", "recover"};
constexpr std::string_view name_of(Act act) { return act_names[static_cast<size_t>(act)]; }

/// One line. It holds no personal data: what was agreed to and when, not who.
struct Entry {
  Act act = Act::recover;
  std::optional<Category> category;  // of give and withdraw alone
  Purposes purposes = 0;             // of give
  Precision precision = Precision::exact;
  std::string expires;      // as parse_expiry reads it; empty: never
  std::string how;          // how it was given: `command`, `application`
  std::string notice;       // version of the notice
  std::string notice_hash;  // SHA-256 of its text, in hexadecimal
  std::string time;         // UTC
  std::string previous;     // hash of the entry before; of the first: zeros
  std::string hash;         // SHA-256 over the line without this member
};

/// The one form of an entry: JSON, its members sorted, no blanks, no line break.
std::string serialise(const Entry& entry, bool with_hash = true);
std::string hash_of(const Entry& entry);
/// A line in any other form than the one of serialise(), or with a wrong hash, is no entry.
Result<Entry> read_entry(std::string_view line);
/// A time as entries have it.
std::string time_text(int64_t utc_us);
std::string sha256(std::string_view text);
/// Whether it has the form of one.
bool is_hash(std::string_view text);

inline constexpr size_t max_line = 2048;

/// The state after the entries that were read so far: everything that is needed to continue
/// reading.
struct ChainState {
  ChainState();

  size_t count = 0;  ///< of whole entries
  /// Bytes of the entries that are whole.
  size_t whole = 0;
  /// Bytes after them: an entry that was cut off, and which is never an act.
  size_t torn = 0;
  /// The part that was cut off may have been a withdrawal: everything is denied.
  bool torn_withdrawal = false;
  /// A withdrawal could not be written at all (see Ledger::append()): everything is denied.
  bool blocked = false;
  /// The latest time in it, microseconds since 1970.
  int64_t latest = 0;

  /// The hash of the last entry.
  const std::string& head() const { return head_; }

  /// For each category the last entry that gave it or took it back, and its number.
  struct Last {
    int number = -1;  ///< counted from 0; -1: there is none
    std::optional<Entry> given;
  };
  std::array<Last, categories.size()> last;
  /// How often each purpose of each category was taken back from somebody who had given it.
  std::array<std::array<uint64_t, purpose_names.size()>, categories.size()> taken{};

 private:
  friend Status read_on(ChainState& state, std::string_view text, std::vector<Entry>* entries);
  void add(const Entry& entry);

  std::string head_;
};

/// Whether a line that was cut off may have been a withdrawal, `recover` included: everything that
/// does not plainly begin as an act that gives.
bool may_take_back(std::string_view torn_line);

/// Reads what follows the complete entries of `state`, and continues their number and hash.
/// Everything except an end that was cut off must be valid; the error tells which line is not, and
/// `state` must not be used after that. The entries are appended to `entries` if it is not null.
Status read_on(ChainState& state, std::string_view text, std::vector<Entry>* entries = nullptr);

struct Chain : ChainState {
  std::vector<Entry> entries;
};
/// Reads a ledger from its beginning.
Result<Chain> read_chain(std::string_view text);

/// What holds for one category.
struct CategoryState {
  enum class State { never, given, withdrawn, outdated, expired };
  State state = State::never;
  /// The entry that made it so; -1: none.
  int entry = -1;
};
/// In the order of `categories`. Grants under another notice than this are outdated.
std::array<CategoryState, categories.size()> states_of(const ChainState& chain, int64_t now_utc_us);
/// The same as caps, for evaluate(). Empty if the ledger can't be trusted: the clock is earlier
/// than the last entry, or a withdrawal may have been cut off.
CapsRef caps_of(const ChainState& chain, int64_t now_utc_us);

}  // namespace sphere::consent
