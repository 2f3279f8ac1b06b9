// SPDX-License-Identifier: LGPL-2.1-or-later
// sphere completion: prints what makes a shell complete the words of `sphere`. It is made from the
// subcommands' own tables of options and from the cameras' tables of settings.

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gst/sphere/base/gobject.h"
#include "gst/tools/command.h"
#include "hw/camera.h"

namespace sphere::tool {

namespace {

constexpr const char* description =
    "Prints a script that makes the shell complete the commands, options and settings of sphere.\n"
    "Where gst-sphere is installed, the shells find it by themselves.\n"
    "\n"
    "Examples:\n"
    "  source <(sphere completion bash)\n"
    "  sphere completion fish > ~/.config/fish/completions/sphere.fish\n";

using Words = std::vector<std::string>;

struct Option {
  std::string name;
  char letter = 0;
  std::string what;
  bool has_argument = false;
  bool is_file = false;
  Words values;
};

struct Subcommand {
  std::string name, summary;
  std::vector<Option> options;
  Words words;  // one of them follows
  bool takes_files = false;
  bool takes_settings = false;
};

struct Setting {
  std::string name;
  Words values;
};

Words split(const std::string& text, const char* separators) {
  Words parts;
  g_auto(GStrv) all = g_strsplit_set(text.c_str(), separators, -1);
  for (char** part = all; *part; ++part)
    if (**part) parts.emplace_back(*part);
  return parts;
}

/// Whether a person types this word itself; a word in capital letters stands for others.
bool is_literal(const std::string& word) {
  return g_ascii_islower(word.front()) && std::ranges::all_of(word, [](char c) {
           return g_ascii_islower(c) || g_ascii_isdigit(c) || c == '-';
         });
}

/// The literal words of "FILE|auto". A single word is a description.
Words literals(const std::string& text) {
  if (text.find('|') == std::string::npos) return {};
  Words words = split(text, "|[]");
  std::erase_if(words, [](const std::string& word) { return !is_literal(word); });
  return words;
}

bool names_file(const std::string& text) {
  constexpr std::string_view files[] = {"FILE", "FOLDER", "PICTURES", "IN",  "OUT",
                                        "LEFT", "RIGHT",  "DIR",      "LENS"};
  return std::ranges::any_of(split(text, "|[]. "), [&](const std::string& word) {
    return std::ranges::find(files, word) != std::end(files);
  });
}

std::vector<Subcommand> subcommands() {
  std::vector<Subcommand> all;
  for (const Command& command : commands()) {
    const CommandForm form = form_of(command);
    Subcommand one{command.name, command.summary, {}, {}, false, false};
    for (const CommandForm::Option& option : form.options)
      one.options.push_back({option.name, option.letter, option.what, !option.argument.empty(),
                             option.is_file, literals(option.argument)});
    one.options.push_back({"help", 'h', "Show help options", false, false, {}});
    for (const std::string& part : split(form.parameters, " ")) {
      if (one.words.empty()) one.words = literals(part);
      one.takes_settings |= part == "NAME";
    }
    one.takes_files = names_file(form.parameters);
    all.push_back(std::move(one));
  }
  Subcommand help{"help", "show the options of a command", {}, {}, false, false};
  for (const Subcommand& one : all) help.words.push_back(one.name);
  all.push_back(std::move(help));
  return all;
}

/// Those that the families know without a camera.
std::vector<Setting> settings() {
  std::map<std::string, Words> all;
  for (const hw::CameraFamily* family : hw::camera_families()) {
    if (!family->default_location) continue;
    const std::unique_ptr<hw::Camera> camera =
        family->make({.location = family->default_location}, [](const hw::CameraEvent&) {});
    if (!camera->settings()) continue;
    for (const hw::SettingInfo& info : camera->settings()->known()) {
      Words& values = all[info.name];
      for (const hw::SettingInfo::Choice& choice : info.choices) {
        const std::string words = info.words_of(choice.value);
        if (std::ranges::find(values, words) == values.end()) values.push_back(words);
      }
    }
  }
  std::vector<Setting> list;
  for (auto& [name, values] : all) list.push_back({name, std::move(values)});
  return list;
}

/// In single quotes, for all three shells.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string quoted_list(const Words& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + quoted(word);
  return all;
}

// --- bash ------------------------------------------------------------------------------------

// What is the same for all commands. _sphere_data KIND COMMAND [NAME] prints one word a line.
constexpr const char* bash_functions = R"bash(
_sphere() {
  local line=${COMP_LINE:0:COMP_POINT} IFS=$' \t\n'
  local -a words
  read -ra words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=('')
  local last=$((${#words[@]} - 1))
  local word=${words[last]} before=${words[last - 1]} command=${words[1]} kind=none name=
  COMPREPLY=()
  if ((last == 1)); then
    kind=commands
  elif [[ $word == --*=* ]]; then
    name=${word%%=*} word=${word#*=} kind=values
  elif ((last > 2)) && [[ $before == -* && -n $(_sphere_data takes "$command" "$before") ]]; then
    name=$before kind=values
  elif [[ $word == -* ]]; then
    kind=options
  else
    # The words that are no options, no arguments of options, and no URIs.
    local -a plain=()
    local i skip=
    for ((i = 2; i < last; ++i)); do
      if [[ -n $skip ]]; then
        skip=
      elif [[ ${words[i]} == -* ]]; then
        [[ ${words[i]} == *=* ]] || skip=$(_sphere_data takes "$command" "${words[i]}")
      elif [[ ${words[i]} != *://* ]]; then
        plain+=("${words[i]}")
      fi
    done
    kind=words$((${#plain[@]} + 1)) name=${plain[0]}
  fi
  local candidate IFS=$'\n'
  for candidate in $(_sphere_data "$kind" "$command" "$name"); do
    if [[ $candidate == @files ]]; then
      COMPREPLY+=($(compgen -f -- "$word"))
      compopt -o filenames 2>/dev/null
    elif [[ $candidate == "$word"* ]]; then
      COMPREPLY+=("$(printf %q "$candidate")")
    fi
  done
  # The shell parts words at these characters, too: what it has parted is not to be typed again.
  local part=${COMP_WORDS[COMP_CWORD]}
  [[ $part != [=:@] ]] || part=
  if [[ $word == *[:@]* && $word == *"$part" && $word != "$part" ]]; then
    local begin=${word%"$part"}
    COMPREPLY=("${COMPREPLY[@]#"$begin"}")
  fi
}
complete -F _sphere sphere
)bash";

void add_case(std::string& text, const std::string& pattern, const Words& lines) {
  if (lines.empty()) return;
  text += "    " + pattern + ") printf '%s\\n' " + quoted_list(lines) + " ;;\n";
}

std::string bash_script() {
  const std::vector<Subcommand> all = subcommands();
  std::string text =
      "# Completion of sphere for bash, made by 'sphere completion bash'.\n\n"
      "_sphere_data() {\n  case \"$1 $2 $3\" in\n";
  Words names;
  for (const Subcommand& one : all) names.push_back(one.name);
  add_case(text, "'commands '*", names);
  for (const Subcommand& one : all) {
    Words options;
    for (const Option& option : one.options) {
      options.push_back("--" + option.name);
      if (!option.has_argument) continue;
      const auto named = [&](const std::string& kind) {
        const std::string begin = kind + " " + one.name + " ";
        return quoted(begin + "--" + option.name) +
               (option.letter ? "|" + quoted(begin + "-" + option.letter) : "");
      };
      add_case(text, named("takes"), {"1"});
      Words values = option.values;
      if (option.is_file) values.push_back("@files");
      add_case(text, named("values"), values);
    }
    add_case(text, quoted("options " + one.name + " "), options);
    Words first = one.words;
    if (one.takes_files && first.empty()) {
      add_case(text, "words[0-9]*' " + one.name + " '*", {"@files"});
      continue;
    }
    if (one.takes_settings) {
      for (const Setting& setting : settings()) {
        first.push_back(setting.name);
        add_case(text, quoted("words2 " + one.name + " " + setting.name), setting.values);
      }
    }
    add_case(text, quoted("words1 " + one.name + " "), first);
  }
  return text + "  esac\n}\n" + bash_functions;
}

// --- zsh -------------------------------------------------------------------------------------

/// For the description or the message in a specification of _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// For a list of values in a specification.
std::string zsh_values(const Words& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    for (const char c : word) {
      if (!g_ascii_isalnum(c) && c != '-' && c != '_' && c != '.') out += '\\';
      out += c;
    }
  }
  return "(" + out + ")";
}

std::string zsh_option(const Option& option) {
  std::string action;
  if (option.has_argument)
    action = ": :" + (!option.values.empty() ? zsh_values(option.values)
                      : option.is_file       ? std::string("_files")
                                             : std::string(" "));
  const std::string rest = "[" + zsh_text(option.what) + "]" + action;
  std::string line =
      "        " + quoted("--" + option.name + (option.has_argument ? "=" : "") + rest) + " \\\n";
  if (option.letter) line += "        " + quoted(std::string("-") + option.letter + rest) + " \\\n";
  return line;
}

std::string zsh_script() {
  std::string text =
      "#compdef sphere\n"
      "# Completion of sphere for zsh, made by 'sphere completion zsh'.\n\n"
      "_sphere_value() {\n"
      "  local -a values\n"
      "  local word\n"
      "  for word in ${words[2,CURRENT-1]}; do\n"
      "    case $word in\n";
  const std::vector<Setting> known = settings();
  Words setting_names;
  for (const Setting& setting : known) {
    setting_names.push_back(setting.name);
    if (!setting.values.empty())
      text +=
          "      " + quoted(setting.name) + ") values=(" + quoted_list(setting.values) + ") ;;\n";
  }
  text +=
      "    esac\n  done\n  compadd -a values\n}\n\n"
      "_sphere() {\n"
      "  local curcontext=$curcontext state line\n"
      "  typeset -A opt_args\n"
      "  _arguments -C '1:command:->command' '*::argument:->argument'\n"
      "  if [[ $state == command ]]; then\n"
      "    local -a commands=(\n";
  const std::vector<Subcommand> all = subcommands();
  for (const Subcommand& one : all)
    text += "      " + quoted(zsh_text(one.name) + ":" + one.summary) + "\n";
  text += "    )\n    _describe command commands\n    return\n  fi\n  case $words[1] in\n";
  for (const Subcommand& one : all) {
    text += "    " + quoted(one.name) + ")\n      _arguments \\\n";
    for (const Option& option : one.options) text += zsh_option(option);
    if (one.takes_settings)
      text += "        " + quoted("1:setting:" + zsh_values(setting_names)) +
              " \\\n        '2:value:_sphere_value'\n";
    else if (!one.words.empty())
      text += "        " + quoted("*:word:" + zsh_values(one.words)) + "\n";
    else
      text += one.takes_files ? "        '*:file:_files'\n" : "        '*: : '\n";
    text += "      ;;\n";
  }
  return text + "  esac\n}\n\n_sphere \"$@\"\n";
}

// --- fish ------------------------------------------------------------------------------------

/// For the text of an option of `complete`, in double quotes.
std::string fish_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// A list of words, each of which may have spaces.
std::string fish_list(const Words& words) {
  std::string all;
  for (const std::string& word : words) {
    std::string one = "'";
    for (const char c : word)
      one += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    all += (all.empty() ? "" : " ") + one + "'";
  }
  return fish_text(all);
}

std::string fish_script() {
  std::string text =
      "# Completion of sphere for fish, made by 'sphere completion fish'.\n\n"
      "complete -c sphere -f\n";
  const auto line = [&](const std::string& condition, const std::string& rest) {
    text += "complete -c sphere -n " + fish_text(condition) + " " + rest + "\n";
  };
  for (const Subcommand& one : subcommands()) {
    line("__fish_use_subcommand", "-a " + one.name + " -d " + fish_text(one.summary));
    const std::string here = "__fish_seen_subcommand_from " + one.name;
    for (const Option& option : one.options) {
      std::string rest = "-l " + option.name;
      if (option.letter) rest += std::string(" -s ") + option.letter;
      if (option.has_argument) rest += option.is_file ? " -r -F" : " -x";
      if (!option.values.empty()) rest += " -a " + fish_list(option.values);
      line(here, rest + " -d " + fish_text(option.what));
    }
    if (!one.words.empty())
      line(
          here + "; and not __fish_seen_subcommand_from " +
              [&] {
                std::string all;
                for (const std::string& word : one.words) all += (all.empty() ? "" : " ") + word;
                return all;
              }(),
          "-a " + fish_list(one.words));
    else if (one.takes_files)
      line(here, "-F");
    if (!one.takes_settings) continue;
    for (const Setting& setting : settings()) {
      line(here, "-a " + setting.name);
      if (!setting.values.empty())
        line(here + "; and __fish_seen_subcommand_from " + setting.name,
             "-a " + fish_list(setting.values));
    }
  }
  return text;
}

struct Shell {
  const char* name;
  std::string (*script)();
};
constexpr Shell shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

int completion(int argc, char** argv) {
  MessagePrinter printer("sphere completion");
  Words names, words;
  for (const Shell& shell : shells) names.emplace_back(shell.name);
  GOptionEntry entries[] = {{}};
  Status status = parse_options("completion", alternatives(names).c_str(),
                                "Prints what makes a shell complete the words of sphere.",
                                description, entries, argc, argv, &words);
  if (status && words.size() != 1) status = invalid("one word is expected: " + listed(names));
  Result<int> shell = 0;
  if (status) {
    shell = choose("the word", words[0], names);
    if (!shell) status = shell.error();
  }
  if (!status) {
    printer.error(status.error().message);
    return exit_usage;
  }
  const std::string script = shells[static_cast<size_t>(*shell)].script();
  const bool written = std::fwrite(script.data(), 1, script.size(), stdout) == script.size() &&
                       std::fflush(stdout) == 0;
  return written ? exit_done : exit_failed;
}

const Registration registration({"completion",
                                 "print what makes a shell complete the words of sphere",
                                 completion});

}  // namespace

}  // namespace sphere::tool
