// SPDX-License-Identifier: LGPL-2.1-or-later

#include "hw/madv/transfer.h"

#include <algorithm>

#include "gst/sphere/base/md5.h"

namespace sphere::madv {

namespace {

constexpr const char* get_complete = "get_file_complete";
constexpr const char* put_complete = "put_file_complete";
// The vendor's sources have two spellings of each failure.
constexpr const char* failures[] = {"get_file_fail", "get_file_failed", "put_file_fail",
                                    "put_file_failed"};

constexpr size_t output_piece = 64 << 10;

using ChecksumRef = std::unique_ptr<GChecksum, Call<g_checksum_free>>;

std::optional<std::string> entry_text(const Message& message, std::string_view wanted) {
  for (const auto& [name, value] : message.entries("param"))
    if (name == wanted) return value;
  return std::nullopt;
}

std::optional<uint64_t> entry_number(const Message& message, std::string_view wanted) {
  const std::optional<std::string> text = entry_text(message, wanted);
  guint64 number = 0;
  if (text && g_ascii_string_to_unsigned(text->c_str(), 10, 0, G_MAXUINT64, &number, nullptr))
    return number;
  return std::nullopt;
}

}  // namespace

/// The transfer of one file. Each step may end it with an `outcome`.
class FileTransfers::Job {
 public:
  Job(std::string path, TransferDone done) : path(std::move(path)), done(std::move(done)) {}
  virtual ~Job() = default;

  virtual Request request() const = 0;
  virtual void data(std::string_view) { fail("the camera sent bytes that were not requested"); }
  /// The camera has notified that all bytes are sent, or have arrived.
  virtual void completed(const Message& message) = 0;
  /// Whether there are bytes to send, and the next of them.
  virtual bool has_output() const { return false; }
  virtual std::string more_output() { return {}; }

  void replied(const Message& message, Time now) {
    if (!message.succeeded()) {
      camera_is_done = true;
      return refuse("the camera says that " + result_words(message.rval().value_or(-1)));
    }
    is_accepted = true;
    accepted_at = now;
    accepted(message);
    examine();
  }
  /// The camera's reply, which is not a refusal.
  virtual void accepted(const Message&) {}
  virtual void examine() {}

  void fail(const std::string& why) {
    if (!outcome) outcome = failed(why);
  }
  /// The camera does not want to transfer it.
  void refuse(const std::string& why) {
    if (!outcome) outcome = unsupported(why);
  }
  /// The bytes that were passed on are wrong.
  void fail_as_damaged(const std::string& why) {
    if (!outcome) outcome = invalid(why);
  }

  const std::string path;
  const TransferDone done;
  unsigned number = 0;
  std::optional<Status> outcome;
  bool next_chunk_due = false;  // a request for the next chunk is due
  bool camera_is_done = false;  // it has finished the last request
  bool is_accepted = false;
  Time accepted_at{};
  std::optional<Duration> timeout;  // empty: that of the session
};

class FileTransfers::DownloadJob final : public Job {
 public:
  explicit DownloadJob(Download download)
      : Job(download.path, std::move(download.done)),
        offset_(download.offset),
        size_(download.size),
        md5_(std::move(download.md5)),
        sink_(std::move(download.sink)),
        told_size_(std::move(download.told_size)),
        checksum_(md5_.empty() || offset_ > 0 || size_ ? nullptr : g_checksum_new(G_CHECKSUM_MD5)),
        chunk_checksum_(g_checksum_new(G_CHECKSUM_MD5)) {
    timeout = download.timeout;
  }

  Request request() const override {
    // The offset is a text and the size is a number, as in the vendor's client.
    return Request(msg_get_file, path)
        .with(field::offset, std::to_string(offset_ + whole_chunks_))
        .with(field::fetch_size, static_cast<int64_t>(wanted()));
  }

  void accepted(const Message& message) override {
    if (!told_size_) return;
    const auto tell = [this](const std::optional<int64_t>& number, uint64_t more) {
      if (number && *number > 0) told_size_(static_cast<uint64_t>(*number) + more);
    };
    tell(message.number(field::size), 0);
    tell(message.number(field::rest_size), offset_ + whole_chunks_);
  }

  void data(std::string_view bytes) override {
    if (bytes.size() > wanted() - in_chunk_) return fail("the camera sent more than was requested");
    in_chunk_ += bytes.size();
    if (first_digest_) {
      add_to(chunk_checksum_, bytes);
      return examine();
    }
    if (checksum_) add_to(checksum_, bytes);
    add_to(chunk_checksum_, bytes);
    if (const Status taken = sink_(bytes); !taken) return fail(taken.error().message);
    examine();
  }

  void completed(const Message& message) override {
    chunk_bytes_ = entry_number(message, field::bytes_sent);
    if (!chunk_bytes_) return fail("the camera does not tell how much it sent");
    chunk_md5_ = read_md5(entry_text(message, field::md5).value_or(""));
    if (*chunk_bytes_ > wanted())
      return fail("the camera reports that it sent more than was requested");
    examine();
  }

  // The bytes, the reply and the notification may come in any order: the camera may begin to send
  // before it replies, and its last bytes may arrive after the notification that they are sent.
  void examine() override {
    if (!is_accepted || !chunk_bytes_ || in_chunk_ < *chunk_bytes_) return;
    if (in_chunk_ > *chunk_bytes_) return fail("the camera sent more bytes than it had announced");
    const bool was_full = in_chunk_ == wanted();
    const bool counts = is_verified();
    if (counts) whole_chunks_ += in_chunk_;
    in_chunk_ = 0;
    is_accepted = false;
    chunk_bytes_.reset();
    if (outcome) return;
    if (!counts) {
      next_chunk_due = true;
      return;
    }
    if (size_ ? whole_chunks_ == *size_ : checksum_ && has_md5()) {
      outcome = ok();
    } else if (was_full) {
      next_chunk_due = true;
    } else if (size_) {
      // A chunk that is not full is the last one.
      fail("the file is shorter than requested");
    } else if (checksum_) {
      fail_as_damaged("the file does not match the camera's checksum");
    } else {
      outcome = ok();
    }
  }

 private:
  uint64_t wanted() const {
    return size_ ? std::min<uint64_t>(chunk_size, *size_ - whole_chunks_) : chunk_size;
  }
  static void add_to(const ChecksumRef& checksum, std::string_view bytes) {
    g_checksum_update(checksum.get(), reinterpret_cast<const guchar*>(bytes.data()),
                      static_cast<gssize>(bytes.size()));
  }
  /// Compares the chunk that has arrived with the camera's checksum. False: it is to be read once
  /// more.
  ///
  /// Some cameras of this kind tell a checksum that is right only if the whole file is requested at
  /// once. Then each chunk is read twice, and both times it must be the same. A camera that has
  /// told a right one is not such a camera.
  bool is_verified() {
    const std::string digest = g_checksum_get_string(chunk_checksum_.get());
    g_checksum_reset(chunk_checksum_.get());
    const std::optional<std::string> told = std::exchange(chunk_md5_, std::nullopt);
    const std::optional<std::string> first = std::exchange(first_digest_, std::nullopt);
    const bool is_right = told == digest;
    if (first && *first != digest) {
      fail_as_damaged("a part of the file was another one when it was read again");
      return false;
    }
    // With the checksum of the whole file, those of its parts don't matter.
    if (!told || checksum_) return true;
    if (first && is_right) told_wrong_ = false;  // the checksum was wrong, not the chunk
    (is_right ? told_right_ : told_wrong_) = true;
    if (told_right_ && told_wrong_) {
      fail_as_damaged("a part of the file does not match the camera's checksum");
      return false;
    }
    if (!is_right && !first) first_digest_ = digest;
    return !first_digest_;
  }
  bool has_md5() const {
    const ChecksumRef so_far(g_checksum_copy(checksum_.get()));
    return md5_ == g_checksum_get_string(so_far.get());
  }

  const uint64_t offset_;
  const std::optional<uint64_t> size_;
  const std::string md5_;
  const std::function<Status(std::string_view)> sink_;
  const std::function<void(uint64_t)> told_size_;
  const ChecksumRef checksum_;            // of the whole file, if its MD5 is known
  const ChecksumRef chunk_checksum_;      // of the chunk that is being received
  std::optional<std::string> chunk_md5_;  // what the camera tells of it
  bool told_right_ = false, told_wrong_ = false;
  std::optional<std::string> first_digest_;  // MD5 of a chunk that is being read once more
  uint64_t whole_chunks_ = 0;                // bytes of the chunks that are complete
  uint64_t in_chunk_ = 0;
  std::optional<uint64_t> chunk_bytes_;  // number of bytes in the camera's notification
};

class FileTransfers::UploadJob final : public Job {
 public:
  explicit UploadJob(Upload upload)
      : Job(upload.path, std::move(upload.done)), upload_(std::move(upload)) {}

  Request request() const override {
    return Request(msg_put_file, path)
        .with(field::offset, int64_t{0})
        .with(field::size, static_cast<int64_t>(upload_.size))
        .with(field::md5, upload_.md5)
        .with(field::file_type, int64_t{upload_.file_type});
  }

  bool has_output() const override { return is_accepted && !outcome && sent_ < upload_.size; }

  std::string more_output() override {
    const auto most = static_cast<size_t>(std::min<uint64_t>(output_piece, upload_.size - sent_));
    std::string piece = upload_.source(most);
    if (piece.empty() || piece.size() > most) {
      fail("the file does not have the announced length");
      return {};
    }
    sent_ += piece.size();
    return piece;
  }

  void completed(const Message& message) override {
    const std::optional<uint64_t> arrived = entry_number(message, field::bytes_received);
    if (arrived.value_or(sent_) != upload_.size || sent_ != upload_.size)
      return fail("the camera reports that it received less than was sent");
    outcome = ok();
  }

 private:
  const Upload upload_;
  uint64_t sent_ = 0;
};

/// The camera tells the size and sends the bytes, without a notification at the end.
class FileTransfers::ThumbnailJob final : public Job {
 public:
  explicit ThumbnailJob(ThumbnailRequest thumbnail)
      : ThumbnailJob(std::move(thumbnail), std::make_shared<std::string>()) {}

  Request request() const override {
    Request request(msg_get_thumbnail, path);
    request.with_type(type_);
    return request;
  }

  void accepted(const Message& message) override {
    const std::optional<int64_t> size = message.number(field::size);
    if (!size || *size < 0 || static_cast<uint64_t>(*size) > max_thumbnail)
      return fail("the camera does not tell a valid size");
    size_ = static_cast<uint64_t>(*size);
    md5_ = message.text(field::md5).value_or("");
  }

  void data(std::string_view bytes) override {
    // The bytes may come before the reply.
    if (bytes.size() > size_.value_or(max_thumbnail) -
                           std::min(size_.value_or(max_thumbnail), uint64_t{bytes_->size()}))
      return fail("the camera sent more than it had announced");
    bytes_->append(bytes);
    examine();
  }

  void completed(const Message&) override {}

  void examine() override {
    if (!is_accepted || outcome || !size_ || bytes_->size() < *size_) return;
    camera_is_done = true;
    if (bytes_->size() > *size_) return fail("the camera sent more than it had announced");
    if (const auto md5 = read_md5(md5_); md5 && *md5 != md5_of(*bytes_))
      return fail("the picture does not match the camera's checksum");
    outcome = ok();
  }

 private:
  ThumbnailJob(ThumbnailRequest thumbnail, const std::shared_ptr<std::string>& bytes)
      : Job(thumbnail.path,
            [bytes, done = std::move(thumbnail.done)](const Status& status) {
              done(status ? Result<std::string>(std::move(*bytes)) : status.error());
            }),
        type_(std::move(thumbnail.type)),
        bytes_(bytes) {}

  const std::string type_;
  const std::shared_ptr<std::string> bytes_;  // also used by `done`
  std::optional<uint64_t> size_;
  std::string md5_;
};

FileTransfers::FileTransfers(const CoreSettings& settings, ControlChannel& channel)
    : settings_(settings), channel_(channel) {}

FileTransfers::~FileTransfers() = default;

void FileTransfers::get(unsigned number, Download download, Time now) {
  add(number, std::make_unique<DownloadJob>(std::move(download)), now);
}

void FileTransfers::put(unsigned number, Upload upload, Time now) {
  add(number, std::make_unique<UploadJob>(std::move(upload)), now);
}

void FileTransfers::get_thumbnail(unsigned number, ThumbnailRequest thumbnail, Time now) {
  add(number, std::make_unique<ThumbnailJob>(std::move(thumbnail)), now);
}

void FileTransfers::add(unsigned number, std::unique_ptr<Job> job, Time now) {
  if (channel_.ended()) {
    if (job->done) job->done(failed("the session is over"));
    return;
  }
  if (const Result<std::string> json = job->request().to_json(INT64_MIN); !json) {
    if (job->done) job->done(json.error());
    return;
  }
  if (jobs_.size() > max_waiting) {
    if (job->done)
      job->done(failed(
          "16 other transfers are waiting already; try again when one of them has finished"));
    return;
  }
  job->number = number;
  jobs_.push_back(std::move(job));
  if (jobs_.size() == 1) heard_ = now;
}

void FileTransfers::cancel(unsigned number, Time now) {
  for (size_t i = 0; i < jobs_.size(); ++i) {
    if (jobs_[i]->number != number) continue;
    if (i == 0) {
      finish(failed("the transfer was cancelled"), now);
    } else {
      const std::unique_ptr<Job> job = std::move(jobs_[i]);
      jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
      if (job->done) job->done(failed("the transfer was cancelled"));
    }
    return;
  }
}

void FileTransfers::end(const std::string& why) {
  output_.clear();
  connected_ = false;
  for (const std::unique_ptr<Job>& job : std::exchange(jobs_, {}))
    if (job->done) job->done(failed(why));
}

unsigned FileTransfers::connection_wanted() const {
  return jobs_.empty() || is_cancelling_ ? 0 : jobs_.front()->number;
}

void FileTransfers::data_ready(Time now) {
  if (!connection_wanted() || connected_) return;
  connected_ = true;
  ask(now);
}

void FileTransfers::ask(Time now) {
  Job& job = *jobs_.front();
  heard_ = now;
  job.next_chunk_due = job.camera_is_done = false;
  channel_.ask(
      job.request(),
      [this, number = job.number](const Reply& reply) {
        // It may have ended in the meantime.
        if (!reply.message || connection_wanted() != number) return;
        jobs_.front()->replied(*reply.message, channel_.last_sign_of_life());
        continue_transfers(channel_.last_sign_of_life());
      },
      ControlChannel::Rank::ordinary, settings_.busy_attempts, now);
}

void FileTransfers::data_received(std::string_view bytes, Time now) {
  if (jobs_.empty() || !connected_) return;
  heard_ = now;
  jobs_.front()->data(bytes);
  continue_transfers(now);
}

void FileTransfers::data_closed(Time now) {
  if (jobs_.empty()) return;
  jobs_.front()->fail("the data port is closed");
  continue_transfers(now);
}

void FileTransfers::output_sent(size_t bytes, Time now) {
  heard_ = now;
  output_.erase(0, bytes);
  continue_transfers(now);
}

void FileTransfers::notified(const Message& message, Time now) {
  if (!connected_ || message.id() != msg_transfer_result) return;
  heard_ = now;
  const std::string type = message.text(field::type).value_or("");
  Job& job = *jobs_.front();
  const bool has_failed =
      std::find(std::begin(failures), std::end(failures), type) != std::end(failures);
  const bool is_complete = type == get_complete || type == put_complete;
  job.camera_is_done = job.camera_is_done || has_failed || is_complete;
  if (has_failed) job.fail("the camera ended the transfer");
  if (is_complete) job.completed(message);
  continue_transfers(now);
}

void FileTransfers::continue_transfers(Time now) {
  if (jobs_.empty()) return;
  Job& job = *jobs_.front();
  if (output_.empty() && job.has_output() && now >= job.accepted_at + settings_.upload_delay)
    output_ = job.more_output();
  if (job.outcome)
    finish(*job.outcome, now);
  else if (job.next_chunk_due)
    ask(now);
}

void FileTransfers::finish(const Status& outcome, Time now) {
  const std::unique_ptr<Job> job = std::move(jobs_.front());
  jobs_.pop_front();
  output_.clear();
  heard_ = now;
  if (std::exchange(connected_, false) && !job->camera_is_done) {
    // Its connection is closed, and a request to cancel is sent to the camera. The next transfer
    // waits for the answer, because until then a notification may be about this transfer.
    is_cancelling_ = true;
    channel_.ask(
        Request(msg_cancel_transfer, job->path), [this](const Reply&) { is_cancelling_ = false; },
        ControlChannel::Rank::ordinary, 0, now);
  }
  if (job->done) job->done(outcome);
}

void FileTransfers::advance(Time now) {
  if (jobs_.empty()) return;
  if (is_cancelling_) heard_ = now;
  const Duration timeout = jobs_.front()->timeout.value_or(settings_.transfer_timeout);
  if (now >= heard_ + timeout)
    jobs_.front()->fail("nothing came over the data port for " + in_seconds(timeout));
  continue_transfers(now);
}

std::optional<Time> FileTransfers::deadline() const {
  if (!connection_wanted()) return std::nullopt;
  const Job& job = *jobs_.front();
  if (job.outcome || job.next_chunk_due) return heard_;
  const Time lost = heard_ + job.timeout.value_or(settings_.transfer_timeout);
  if (!output_.empty() || !job.has_output()) return lost;
  return std::min(lost, std::max(heard_, job.accepted_at + settings_.upload_delay));
}

}  // namespace sphere::madv
