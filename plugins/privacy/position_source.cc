// SPDX-License-Identifier: LGPL-2.1-or-later

#include "plugins/privacy/position_source.h"

#include <utility>

namespace sphere::privacy {

void PositionSource::set_position(std::optional<Position> position) {
  const Lock lock(mutex_);
  position_ = position;
}

Status PositionSource::set_gpx(std::optional<std::string> path) {
  std::shared_ptr<const media::GpxTrack> track;
  Status status = ok();
  if (path) {
    auto read = media::GpxTrack::read(*path);
    if (read)
      track = std::make_shared<const media::GpxTrack>(std::move(*read));
    else
      status = read.error();
  }
  const Lock lock(mutex_);
  path_ = std::move(path);
  track_ = std::move(track);
  return status;
}

std::optional<std::string> PositionSource::gpx() const {
  const Lock lock(mutex_);
  return path_;
}

void PositionSource::set_gpsd(std::optional<std::string> address) {
  auto client = address ? std::make_shared<GpsdClient>(*address) : nullptr;
  {
    const Lock lock(mutex_);
    address_ = std::move(address);
    if (client) client->set_wanted(wanted_);
    client_.swap(client);
  }
  // The one before ends here, without the lock.
}

std::optional<std::string> PositionSource::gpsd() const {
  const Lock lock(mutex_);
  return address_;
}

bool PositionSource::exists() const {
  const Lock lock(mutex_);
  return position_ || track_ || client_;
}

bool PositionSource::needs_time() const {
  const Lock lock(mutex_);
  return !position_ && track_;
}

void PositionSource::set_wanted(bool wanted) {
  const Lock lock(mutex_);
  wanted_ = wanted;
  if (client_) client_->set_wanted(wanted);
}

std::optional<Position> PositionSource::at(std::optional<int64_t> time_us) const {
  const Lock lock(mutex_);
  if (position_) return position_;
  if (client_)
    if (const auto position = client_->position()) return position;
  return track_ && time_us ? track_->at(*time_us) : std::nullopt;
}

}  // namespace sphere::privacy
