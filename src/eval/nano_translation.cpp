#include "eval/nano_translation.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <vector>

#include "synth/sentences.h"

namespace areason {
namespace {

// The sentences of synth/sentences.cpp. In Chinese a slot is the number of the English one; {n} counts things.
struct Pattern {
  std::string_view english, chinese;
};
constexpr std::array<Pattern, 18> kPatterns = {{
    {"{name} {action} the {colour} {object}", "{0}{1}那个{2}的{3}"},
    {"the {colour} {animal} is in the {place}", "{0}的{1}在{2}里"},
    {"{name} {action} a {colour} {object} at the {place}", "{0}在{4}{1}一个{2}的{3}"},
    {"please bring the {object} to the {place} on {day}", "请在{2}把{0}带到{1}"},
    {"{name} goes to the {place} on {day}", "{0}{2}去{1}"},
    {"my {animal} likes {food}", "我的{0}喜欢{1}"},
    {"{name} wants {food} and {food}", "{0}想要{1}和{2}"},
    {"the {animal} sleeps near the {object}", "{0}在{1}旁边睡觉"},
    {"on {day} we meet {name} at the {place}", "{0}我们在{2}见{1}"},
    {"{name} {action} {count} {food} and one {object}", "{0}{1}{2}份{3}和一个{4}"},
    {"there is a {colour} {object} in the {place}", "{2}里有一个{0}的{1}"},
    {"{name} and {name} are at the {place}", "{0}和{1}在{2}"},
    {"the code is {digits}", "密码是{0}"},
    {"the number is {digits}", "号码是{0}"},
    {"please call {digits}", "请拨打{0}"},
    {"{name} lives in room {digits}", "{0}住在{1}号房间"},
    {"the {place} code is {digits}", "{0}的密码是{1}"},
    {"{digits}", "{0}"},
}};

const std::map<std::string, std::vector<std::string>, std::less<>>& chinese_words() {
  // In the order of synth/sentences.cpp's categories.
  static const std::map<std::string, std::vector<std::string>, std::less<>> words = {
      {"name", {"安娜", "汤姆", "玛丽亚", "彼得", "露西", "大卫", "艾玛", "杰克"}},
      {"colour", {"红色", "蓝色", "绿色", "黄色", "黑色", "白色", "棕色", "橙色"}},
      {"animal", {"狗", "猫", "马", "鸟", "牛", "羊", "鱼", "老鼠", "鸭子", "兔子"}},
      {"object", {"球", "书", "汽车", "盒子", "帽子", "杯子", "钥匙", "灯", "椅子", "桌子", "电话", "船"}},
      {"place", {"花园", "厨房", "学校", "市场", "公园", "车站", "图书馆", "河", "酒店", "海滩"}},
      {"action", {"买", "找到", "看见", "拿", "想要", "画", "带来", "丢了", "卖", "拿着"}},
      {"day", {"星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期天"}},
      {"food", {"茶", "咖啡", "面包", "奶酪", "苹果", "汤", "牛奶", "米饭"}},
      {"digit", {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"}}};
  return words;
}

std::vector<std::string_view> words_in(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// "" when the word is not of the category.
std::string chinese_word(const std::string& category, std::string_view word) {
  const auto& english = words_of(category);
  const auto& chinese = chinese_words().find(category)->second;
  const auto at = static_cast<std::size_t>(std::find(english.begin(), english.end(), word) - english.begin());
  return at < std::min(english.size(), chinese.size()) ? chinese[at] : "";
}

// The Chinese of one slot from the words at `at`, which moves behind them; "" when they do not fit.
std::string fill_slot(std::string_view slot, const std::vector<std::string_view>& words, std::size_t& at) {
  if (slot == "digits") {
    std::string out;
    for (; at < words.size(); ++at) {
      const std::string digit = chinese_word("digit", words[at]);
      if (digit.empty()) break;
      out += digit;
    }
    return out;
  }
  if (at >= words.size()) return "";
  const std::string_view word = words[at++];
  if (slot == "count") return word == "two" ? "两" : chinese_word("digit", word);  // "two of something" is another word
  return chinese_word(std::string(slot), word);
}

std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string_view>& words) {
  std::vector<std::string> slots;
  std::size_t at = 0;
  for (const std::string_view part : words_in(pattern)) {
    if (part.front() != '{') {
      if (at >= words.size() || words[at++] != part) return std::nullopt;
      continue;
    }
    slots.push_back(fill_slot(part.substr(1, part.size() - 2), words, at));
    if (slots.back().empty()) return std::nullopt;
  }
  if (at != words.size()) return std::nullopt;
  return slots;
}

std::string render(std::string_view chinese, const std::vector<std::string>& slots) {
  std::string out;
  for (std::size_t at = 0; at < chinese.size(); ++at) {
    if (chinese[at] != '{') {
      out += chinese[at];
      continue;
    }
    out += slots[static_cast<std::size_t>(chinese[at + 1] - '0')];
    at += 2;
  }
  return out;
}

}  // namespace

std::optional<SentencePair> translate_sentence(std::string_view spoken) {
  const auto words = words_in(spoken);
  for (const Pattern& pattern : kPatterns) {
    const auto slots = match(pattern.english, words);
    if (!slots) continue;
    SentencePair pair{std::string(spoken) + ".", render(pattern.chinese, *slots) + "。"};
    pair.english[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(pair.english[0])));
    return pair;
  }
  return std::nullopt;
}

}  // namespace areason
