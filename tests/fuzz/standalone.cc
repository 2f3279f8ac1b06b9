// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs a fuzz target without an engine: over the files that are given, as a test; with --seconds N
// also over random changes of them, where the compiler has no engine.

#include <glib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <csignal>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;
using Input = std::vector<uint8_t>;

// The name of the present case, for a message if the process crashes.
const Input* current = nullptr;
const std::string crash_file =
    std::string(g_get_tmp_dir()) + "/fuzz-crash-" + std::to_string(getpid());

void save_current(int) {
  if (current) {
    FILE* file = fopen(crash_file.c_str(), "wb");
    if (file) {
      fwrite(current->data(), 1, current->size(), file);
      fclose(file);
      fprintf(stderr, "the input is in %s\n", crash_file.c_str());
    }
  }
  signal(SIGABRT, SIG_DFL);
  raise(SIGABRT);
}

void run(const Input& input) {
  current = &input;
  // A copy of exactly this size, so that a sanitizer notices a read behind its end.
  uint8_t* copy = static_cast<uint8_t*>(malloc(std::max<size_t>(input.size(), 1)));
  std::copy(input.begin(), input.end(), copy);
  LLVMFuzzerTestOneInput(copy, input.size());
  free(copy);
  current = nullptr;
}

std::vector<Input> read_corpus(const std::vector<std::string>& paths) {
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    if (fs::is_directory(path))
      for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
    else
      files.emplace_back(path);
  }
  std::sort(files.begin(), files.end());
  std::vector<Input> corpus;
  for (const fs::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Input>& corpus) : corpus_(corpus), random_(1) {}

  Input next() {
    Input input = pick();
    for (size_t i = 0, n = 1 + below(8); i < n; ++i) change(input);
    if (input.size() > 65536) input.resize(65536);
    return input;
  }

 private:
  size_t below(size_t n) { return n ? random_() % n : 0; }
  const Input& pick() { return corpus_[below(corpus_.size())]; }

  void change(Input& input) {
    const auto at = [&](size_t i) { return input.begin() + static_cast<std::ptrdiff_t>(i); };
    const size_t place = below(input.size() + 1);
    const size_t length = below(std::min<size_t>(input.size() - place, 32) + 1);
    switch (below(9)) {
      case 0:
        if (place < input.size()) input[place] ^= static_cast<uint8_t>(1u << below(8));
        break;
      case 1:
        if (place < input.size()) input[place] = static_cast<uint8_t>(below(256));
        break;
      case 2:
        input.erase(at(place), at(place + length));
        break;
      case 3: {
        const Input piece(at(place), at(place + length));
        const size_t to = below(input.size() + 1);
        input.insert(at(to), piece.begin(), piece.end());
        break;
      }
      case 4: {
        const Input& other = pick();
        const size_t from = below(other.size() + 1);
        const size_t count = below(other.size() - from + 1);
        input.insert(at(place), other.begin() + static_cast<std::ptrdiff_t>(from),
                     other.begin() + static_cast<std::ptrdiff_t>(from + count));
        break;
      }
      case 5: {
        static constexpr std::string_view marks = "{}[]\"\\:,0-9.eE \n\0";
        input.insert(at(place), static_cast<uint8_t>(marks[below(marks.size() + 1)]));
        break;
      }
      case 6: {
        static constexpr std::array<std::string_view, 10> words = {"-1",
                                                                   "128",
                                                                   "99999999999999999999",
                                                                   "1e999",
                                                                   "null",
                                                                   "{\"rval\":0,\"msg_id\":",
                                                                   "\"param\":",
                                                                   "\\ud800",
                                                                   "[[[[[[[[[[[[[[[[",
                                                                   "get_file_complete"};
        const std::string_view word = words[below(words.size())];
        input.insert(at(place), word.begin(), word.end());
        break;
      }
      case 7:
        input.resize(place);
        break;
      default:
        // Numbers of a binary format: extremes, and a little more or less.
        if (place + 4 <= input.size()) {
          static constexpr std::array<uint32_t, 8> numbers = {
              0, 1, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, ~0u};
          const uint32_t number =
              numbers[below(numbers.size())] + static_cast<uint32_t>(below(3)) - 1;
          for (size_t i = 0; i < 4; ++i) input[place + i] = static_cast<uint8_t>(number >> (8 * i));
        }
        break;
    }
  }

  const std::vector<Input>& corpus_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  int seconds = 0;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--seconds" && i + 1 < argc)
      seconds = atoi(argv[++i]);
    else
      paths.emplace_back(argv[i]);
  }
  signal(SIGABRT, save_current);
  const std::vector<Input> corpus = read_corpus(paths);
  if (corpus.empty()) {
    fprintf(stderr, "no inputs: name files or folders\n");
    return 1;
  }
  for (const Input& input : corpus) run(input);
  // Each file is also cut at every length.
  for (const Input& input : corpus)
    for (size_t length = 0; length < std::min<size_t>(input.size(), 512); ++length)
      run(Input(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(length)));

  uint64_t runs = 0;
  Mutator mutator(corpus);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (seconds > 0 && std::chrono::steady_clock::now() < end)
    for (int i = 0; i < 100; ++i, ++runs) run(mutator.next());
  printf("%zu inputs, %llu changes of them\n", corpus.size(),
         static_cast<unsigned long long>(runs));
  return 0;
}
