// SPDX-License-Identifier: LGPL-2.1-or-later
// Certificates that this program makes for itself: one that lives as long as the process, for DTLS,
// and one that is kept in a file, for HTTPS.

#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "gst/live/web/offer.h"
#include "gst/sphere/base/gobject.h"
#include "gst/sphere/base/result.h"

namespace sphere::live {

/// A certificate with its key.
class Certificate {
 public:
  /// A new one with an elliptic key. `names` are host names and addresses.
  static Result<Certificate> make(const std::string& common_name,
                                  const std::vector<std::string>& names, int days);
  /// From the text of a certificate and its key in PEM. More certificates may follow the first.
  static Result<Certificate> read(const std::string& pem);

  std::string pem() const;
  Sha256 fingerprint() const;
  /// Whether it ends within this time.
  bool ends_within_days(int days) const;
  /// Whether all of these host names and addresses are in it.
  bool names_all(const std::vector<std::string>& names) const;

  X509* x509() const { return x509_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  Certificate() = default;

  std::unique_ptr<X509, Call<X509_free>> x509_;
  std::unique_ptr<EVP_PKEY, Call<EVP_PKEY_free>> key_;
};

/// The certificate of this user for HTTPS. It is made when there is none, when it ends soon, and
/// when it lacks an address that this machine has now; otherwise it stays the same, so that people
/// who trusted its fingerprint need not do it again.
Result<Certificate> own_certificate(const std::vector<std::string>& names);

}  // namespace sphere::live
