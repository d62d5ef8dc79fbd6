#include "eval/prompts.h"

#include "base/error.h"
#include "eval/predictions.h"
#include "eval/python_text.h"

namespace areason {
namespace {

struct Language {
  std::string_view code, name, spoken;
};
constexpr Language kLanguages[] = {{"en", "English", "English"},   {"zh", "Chinese", "Mandarin"}, {"de", "German", "German"},
                                   {"ja", "Japanese", "Japanese"}, {"fr", "French", "French"},    {"es", "Spanish", "Spanish"},
                                   {"it", "Italian", "Italian"}};

// "covost_en_zh_test": the languages are the second and the third part.
std::string language_code(const std::string& source, int part) {
  std::size_t at = 0;
  for (int i = 0; i < part; ++i) {
    at = source.find('_', at);
    if (at == std::string::npos) return "";
    ++at;
  }
  return source.substr(at, source.find('_', at) - at);
}

std::string language_name(const std::string& code, std::string_view Language::*which) {
  for (const Language& language : kLanguages)
    if (language.code == code) return std::string(language.*which);
  return code;
}

std::string python_list(const std::vector<std::string>& choices) {
  std::string out = "[";
  for (const std::string& choice : choices) out += (out.size() > 1 ? ", " : "") + py::repr(std::string_view(choice));
  return out + "]";
}

// "(A) " with A as the letter of option `index`; letters of words are left alone.
std::string label(std::string_view form, std::size_t index) {
  const auto is_letter = [&](std::size_t at) {
    return at < form.size() && ((form[at] | 32) >= 'a') && ((form[at] | 32) <= 'z');
  };
  std::string out;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool alone = (i == 0 || !is_letter(i - 1)) && !is_letter(i + 1);
    const bool slot = alone && (form[i] == 'A' || form[i] == 'a');
    out += slot ? static_cast<char>(form[i] + static_cast<char>(index)) : form[i];
  }
  return out;
}

std::string listed(std::string_view form, const std::vector<std::string>& choices) {
  const auto bar = form.find('|');
  const std::string between = py::replace_all(bar == std::string_view::npos ? "\\n" : form.substr(bar + 1), "\\n", "\n");
  std::string out;
  for (std::size_t i = 0; i < choices.size() && i < 26; ++i)
    out += (i > 0 ? between : "") + label(form.substr(0, bar), i) + choices[i];
  return out;
}

// The value of one placeholder; empty when the item has none.
std::optional<std::string> value_of(std::string_view name, const BenchmarkItem& item) {
  const bool of_options = name == "choices" || name.starts_with("options ");
  if (of_options && item.choices.empty()) return std::nullopt;
  if (name == "choices") return python_list(item.choices);
  if (name.starts_with("options ")) return listed(name.substr(8), item.choices);
  Counts ignored;  // the scorer counts oddities of the fields
  const std::string source = text_field(item.fields, "source", ignored).value_or("");
  if (name == "target") return language_name(language_code(source, 2), &Language::name);
  if (name == "target_spoken") return language_name(language_code(source, 2), &Language::spoken);
  if (name == "source_code") return language_code(source, 1);
  const auto field = text_field(item.fields, name, ignored);
  // AIR-Bench's script prints a missing third or fourth choice as None.
  if (!field && (name == "choice_c" || name == "choice_d")) return "None";
  return field;
}

}  // namespace

const std::vector<PromptPreset>& prompt_presets() {
  static const std::vector<PromptPreset> all = {
      {"mmau", "ours", "CoTA's single-choice style, paper A.1: options inline", "{question} {options (a) |, }"},
      {"mmau", "official", "MMAU's author, issue 3", "{question}  Select one option from the provided choices.\n{choices}."},
      {"mmau", "audio-flamingo", "MMAU issue 29",
       "{question} Choose the correct option from the following options:\n{options (A) |\\n}"},
      {"mmau", "r1-aqa", "R1-AQA and many works after it",
       "{question} Please choose the answer from the following options: {choices}. Output the final answer in <answer> "
       "</answer>."},
      {"mmau", "kimi", "Kimi-Audio-Evalkit", "{question}\n{options (A) | }"},
      {"mmau", "ultraeval", "UltraEval-Audio",
       "{question}  Select one option from the provided choices without explain. {options A. |\\n}\n"},
      {"mmau", "lmms-eval", "lmms-eval 75571cfe",
       "{question}\n{options A. |\\n}\nAnswer with the option's letter from the given choices directly."},
      {"mmau", "bare", "the question alone", "{question}"},
      {"mmau", "asked", "nano's own benchmark: the question as the data's generator asks it", "{asked}"},
      {"mmar", "ours", "as for mmau", "{question} {options (a) |, }"},
      {"mmar", "official", "MMAR issue 3", "{question}\nSelect one option from the provided choices:\n{options |\\n}"},
      {"mmar", "bare", "the question alone", "{question}"},
      {"airbench-foundation", "ours", "as for mmau", "{question} {options (a) |, }"},
      {"airbench-foundation", "official", "Inference_Foundation.py, AIR-Bench @9832476",
       "Choose the most suitable answer from options A, B, C, and D to respond the question in next line, you may only choose "
       "A or B or C or D.\n{question}\nA. {choice_a}\nB. {choice_b}\nC. {choice_c}\nD. {choice_d}"},
      {"airbench-foundation", "bare", "the question alone", "{question}"},
      {"airbench-chat", "ours", "the question alone, as the official one", "{question}"},
      {"airbench-chat", "official", "Inference_Chat.py: the question alone", "{question}"},
      {"airbench-chat", "lmms-eval", "lmms-eval 75571cfe", "{question} Give a detail answer to the question in English."},
      {"covost2", "ours", "plain words", "Translate the speech into {target}."},
      {"covost2", "official", "Qwen-Audio and Qwen2-Audio (base model)",
       "Detect the language and translate the speech into {target_spoken}: <|{source_code}|>"},
      {"covost2", "lmms-eval", "lmms-eval 75571cfe", "Translate the speech into {target} and only output the translation:"},
      {"meld", "ours", "CoTA's single-choice style", "What emotion do you hear in the voice? {options (a) |, }"},
      {"meld", "official", "Qwen-Audio and Qwen2-Audio (base model)", "Recognize the emotion with keywords in English:"},
      {"meld", "kimi", "Kimi-Audio-Evalkit",
       "Identify the predominant emotion in this speech.\nOptions:\n{options (A) |\\n}\n.Answer with the option's letter from "
       "the given choices directly and only give the best option."},
      {"meld", "ultraeval", "UltraEval-Audio",
       "listen the audio and judge the emotion of the speaker, the answer must be one of "
       "[surprise,anger,neutral,joy,sadness,fear,disgust], answer without explain"},
      {"meld", "asked", "nano's own benchmark: the question as the data's generator asks it", "{asked}"},
  };
  return all;
}

const PromptPreset& find_prompt(std::string_view benchmark, std::string_view name) {
  std::string names;
  for (const PromptPreset& preset : prompt_presets()) {
    if (preset.benchmark != benchmark) continue;
    if (preset.name == name) return preset;
    names += (names.empty() ? "" : ", ") + std::string(preset.name);
  }
  throw Error(ErrorCode::kUsage, std::string(benchmark) + " has no prompt " + std::string(name), "one of " + names);
}

std::optional<std::string> render_prompt(std::string_view text, const BenchmarkItem& item, Counts& counts) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '{') {
      out += text[at];
      continue;
    }
    if (at + 1 < text.size() && text[at + 1] == '{') {
      out += text[at++];
      continue;
    }
    const auto end = text.find('}', at);
    if (end == std::string_view::npos)
      throw Error(ErrorCode::kUsage, "the prompt's template has a \"{\" without \"}\"", "write {{ for a brace");
    const auto value = value_of(text.substr(at + 1, end - at - 1), item);
    if (!value) {
      counts.add("no_prompt_field");
      return std::nullopt;
    }
    out += *value;
    at = end;
  }
  return out;
}

}  // namespace areason
