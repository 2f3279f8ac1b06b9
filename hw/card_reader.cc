// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/card_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "hw/card_file.h"
#include "hw/stored_pins.h"

namespace sphere::hw {

namespace {

using Reason = Failure::Reason;

class CardReader : public PartReader {
 public:
  CardReader(std::shared_ptr<CameraClient> client, std::string path,
             std::chrono::milliseconds idle_timeout)
      : client_(std::move(client)), path_(std::move(path)), idle_timeout_(idle_timeout) {}

  std::optional<Failure> open(uint64_t& size, const Sink& sink,
                              GCancellable* cancellable) override {
    // Made here, in the thread that uses it.
    file_.emplace(*client_, path_, FileTransport::any, &pins_);
    MediaInfo info;
    if (auto failure = file_->describe(info, cancellable)) return failure;
    // The web server tells the size of files that are too large for the camera's own protocol.
    const uint64_t first = info.size ? std::min(*info.size, ReadAhead::first_ahead) : uint64_t{1};
    if (first > 0)
      if (auto failure = file_->read_all(0, first, sink, idle_timeout_, cancellable))
        return failure;
    if (!file_->size()) return Failure(Reason::refused, "the camera does not tell the file's size");
    size = *file_->size();
    return std::nullopt;
  }

  std::optional<Failure> read(uint64_t offset, uint64_t count, const Sink& sink,
                              GCancellable* cancellable) override {
    return file_->read_all(offset, count, sink, idle_timeout_, cancellable);
  }

 private:
  const std::shared_ptr<CameraClient> client_;
  const std::string path_;
  const std::chrono::milliseconds idle_timeout_;
  StoredPins pins_;
  std::optional<CardFile> file_;
};

}  // namespace

std::unique_ptr<PartReader> make_card_reader(std::shared_ptr<CameraClient> client, std::string path,
                                             std::chrono::milliseconds idle_timeout) {
  return std::make_unique<CardReader>(std::move(client), std::move(path), idle_timeout);
}

}  // namespace sphere::hw
