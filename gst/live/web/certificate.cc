// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gst/live/web/certificate.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "gst/sphere/consent/private_file.h"

namespace sphere::live {

namespace {

// More than Apple's systems accept for a certificate that a person trusts by hand is no use.
constexpr int own_days = 365, renewed_before_days = 30;
constexpr size_t max_pem = 64 << 10;

using BioRef = std::unique_ptr<BIO, Call<BIO_free_all>>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

bool is_address(const std::string& name) { return g_hostname_is_ip_address(name.c_str()); }

bool add_extension(X509* x509, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Call<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(x509, extension.get(), -1);
}

/// Only letters, digits, dots, colons and hyphens: nothing that OpenSSL's text could read
/// otherwise.
bool is_plain(const std::string& name) {
  return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
    return g_ascii_isalnum(c) || c == '.' || c == ':' || c == '-';
  });
}

}  // namespace

Result<Certificate> Certificate::make(const std::string& common_name,
                                      const std::vector<std::string>& names, int days) {
  const Error problem = failed("A certificate could not be made.");
  Certificate made;
  made.key_.reset(EVP_EC_gen("P-256"));
  made.x509_.reset(X509_new());
  if (!made.key_ || !made.x509_) return problem;
  X509* x509 = made.x509_.get();

  std::array<uint8_t, 16> serial{};
  if (RAND_bytes(serial.data(), serial.size()) != 1) return problem;
  serial[0] = static_cast<uint8_t>((serial[0] & 0x7f) | 0x40);
  const std::unique_ptr<BIGNUM, Call<BN_free>> number(
      BN_bin2bn(serial.data(), serial.size(), nullptr));
  // From yesterday on, because clocks differ.
  constexpr long day = 24 * 60 * 60;
  bool good = X509_set_version(x509, 2) && number &&
              BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) &&
              X509_gmtime_adj(X509_getm_notBefore(x509), -day) &&
              X509_gmtime_adj(X509_getm_notAfter(x509), days * day) &&
              X509_set_pubkey(x509, made.key_.get());
  X509_NAME* name = X509_get_subject_name(x509);
  good = good &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                                    -1, 0) &&
         X509_set_issuer_name(x509, name);
  std::string alternatives;
  for (const std::string& one : names) {
    if (!is_plain(one)) continue;
    if (!alternatives.empty()) alternatives += ',';
    alternatives += (is_address(one) ? "IP:" : "DNS:") + one;
  }
  if (!alternatives.empty())
    good = good && add_extension(x509, NID_subject_alt_name, alternatives) &&
           add_extension(x509, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x509, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x509, NID_ext_key_usage, "serverAuth");
  if (!good || !X509_sign(x509, made.key_.get(), EVP_sha256())) return problem;
  return made;
}

Result<Certificate> Certificate::read(const std::string& pem) {
  Certificate found;
  const auto bio = [&] {
    return BioRef(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  };
  // A key with a password is not asked for.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  found.x509_.reset(PEM_read_bio_X509(bio().get(), nullptr, nullptr, nullptr));
  found.key_.reset(PEM_read_bio_PrivateKey(bio().get(), nullptr, no_password, nullptr));
  if (!found.x509_) return invalid("There is no certificate in PEM form in it.");
  if (!found.key_)
    return invalid("There is no private key in PEM form, without a password, in it.");
  if (X509_check_private_key(found.x509_.get(), found.key_.get()) != 1)
    return invalid("The private key does not belong to the certificate.");
  return found;
}

std::string Certificate::pem() const {
  const BioRef bio(BIO_new(BIO_s_mem()));
  if (!PEM_write_bio_X509(bio.get(), x509_.get()) ||
      !PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr))
    return {};
  return text_of(bio.get());
}

Sha256 Certificate::fingerprint() const {
  Sha256 hash{};
  unsigned size = hash.size();
  X509_digest(x509_.get(), EVP_sha256(), hash.data(), &size);
  return hash;
}

bool Certificate::ends_within_days(int days) const {
  int left_days = 0, left_seconds = 0;
  // From now to its end.
  if (!ASN1_TIME_diff(&left_days, &left_seconds, nullptr, X509_get0_notAfter(x509_.get())))
    return true;
  return left_days < days || left_seconds < 0;
}

bool Certificate::names_all(const std::vector<std::string>& names) const {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return !is_plain(name) || (is_address(name) ? X509_check_ip_asc(x509_.get(), name.c_str(), 0)
                                                : X509_check_host(x509_.get(), name.c_str(),
                                                                  name.size(), 0, nullptr)) == 1;
  });
}

Result<Certificate> own_certificate(const std::vector<std::string>& names) {
  const GString_ folder(g_build_filename(g_get_user_data_dir(), "gst-sphere", nullptr));
  const GString_ path(g_build_filename(folder.get(), "web.pem", nullptr));
  if (access(path.get(), F_OK) == 0) {
    const auto file = consent::open_private(path.get(), O_RDONLY);
    if (!file) return file.error();
    std::string pem(max_pem, '\0');
    const ssize_t size = pread(file->descriptor.get(), pem.data(), pem.size(), 0);
    pem.resize(size > 0 ? static_cast<size_t>(size) : 0);
    auto kept = Certificate::read(pem);
    // A damaged one is replaced.
    if (kept && !kept->ends_within_days(renewed_before_days) && kept->names_all(names)) return kept;
  }
  auto made = Certificate::make("gst-sphere", names, own_days);
  if (!made) return made;
  const std::string pem = made->pem();
  g_autoptr(GError) error = nullptr;
  if (g_mkdir_with_parents(folder.get(), 0700) != 0 ||
      !g_file_set_contents_full(path.get(), pem.data(), static_cast<gssize>(pem.size()),
                                G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    return failed(std::string(path.get()) +
                  ": the certificate can't be kept there; make the folder "
                  "writable, or name one with cert=FILE");
  return made;
}

}  // namespace sphere::live
