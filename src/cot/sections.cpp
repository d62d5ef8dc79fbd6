#include "cot/sections.h"

#include "cot/tags.h"

namespace areason {
namespace {

constexpr std::array<std::string_view, kSectionCount> kTags = {"PLANNING", "CAPTION", "REASONING", "SUMMARY", "RESPONSE"};
constexpr std::array<std::string_view, kSectionCount> kKeys = {"planning", "caption", "reasoning", "summary", "response"};
constexpr std::string_view kSpace = " \t\r\n\f\v";

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

std::string name(int index) { return index == kThinkTag ? "THINK" : std::string(kTags[static_cast<std::size_t>(index)]); }

// Walks over the tags of a text and collects sections and problems.
class ChainParser {
 public:
  ParsedChain parse(std::string_view text) {
    text_ = text;
    bool any = false;
    for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
      const TagMatch tag = match_tag(text.substr(at));
      if (tag.kind != TagMatch::Kind::kTag) {
        ++at;
        continue;
      }
      any = true;
      take(tag, at);
      at += tag.length;
      begin_ = at;
    }
    if (!any) {
      out_.chain[Section::kResponse] = trimmed(text);
      out_.problems.push_back("no section tag at all");
      return std::move(out_);
    }
    end_unclosed(text.size());
    check_presence();
    return std::move(out_);
  }

 private:
  void take(const TagMatch& tag, std::size_t at) {
    if (tag.index == kThinkTag) {
      end_unclosed(at);
      (tag.closing ? think_closed_ : think_opened_) = true;
    } else if (tag.closing) {
      take_closing(tag.index, at);
    } else {
      take_opening(tag.index, at);
    }
  }

  void take_opening(int index, std::size_t at) {
    end_unclosed(at);
    if (seen_[static_cast<std::size_t>(index)]) problem(name(index) + " comes twice");
    if (index < last_) problem(name(index) + " comes after " + name(last_));
    last_ = std::max(last_, index);
    open_ = index;
  }

  void take_closing(int index, std::size_t at) {
    if (open_ < 0) {
      problem("</" + name(index) + "> without its opening tag");
    } else if (index != open_) {
      end_unclosed(at);
    } else {
      store(at);
    }
  }

  void store(std::size_t end) {
    const auto i = static_cast<std::size_t>(open_);
    if (!seen_[i]) out_.chain.text[i] = trimmed(text_.substr(begin_, end - begin_));
    seen_[i] = true;
    open_ = -1;
  }

  void end_unclosed(std::size_t end) {
    if (open_ < 0) return;
    problem(name(open_) + " is not closed");
    store(end);
  }

  void check_presence() {
    for (int i = 0; i < kSectionCount; ++i) {
      if (!seen_[static_cast<std::size_t>(i)]) problem(name(i) + " is missing");
    }
    out_.complete = out_.problems.empty();
    if (!think_opened_) problem("<THINK> is missing");
    if (!think_closed_) problem("</THINK> is missing");
  }

  void problem(std::string text) { out_.problems.push_back(std::move(text)); }

  ParsedChain out_;
  std::string_view text_;
  std::size_t begin_ = 0;  // where the text after the last tag starts
  int open_ = -1;
  int last_ = -1;
  std::array<bool, kSectionCount> seen_{};
  bool think_opened_ = false;
  bool think_closed_ = false;
};

}  // namespace

std::string_view section_tag(Section section) { return kTags[static_cast<std::size_t>(section)]; }
std::string_view section_key(Section section) { return kKeys[static_cast<std::size_t>(section)]; }

std::string render_chain(const Chain& chain) {
  std::string out = "<THINK>\n";
  for (const Section section : kSections) {
    if (section == Section::kResponse) out += "</THINK>\n";
    const std::string tag(section_tag(section));
    out += "<" + tag + ">\n" + chain[section] + "</" + tag + ">";
    if (section != Section::kResponse) out += "\n";
  }
  return out;
}

std::string join_chain(std::string_view thoughts, std::string_view response) {
  std::string out = "<THINK>\n" + std::string(thoughts);
  if (response.empty()) return out;
  if (!out.ends_with('\n')) out += '\n';
  return out + "</THINK>\n<RESPONSE>\n" + std::string(response) + "</RESPONSE>";
}

ParsedChain parse_chain(std::string_view text) { return ChainParser().parse(text); }

std::vector<SectionEvent> SectionStream::push(std::string_view bytes) {
  std::vector<SectionEvent> events;
  pending_ += bytes;
  drain(false, events);
  return events;
}

std::vector<SectionEvent> SectionStream::finish() {
  std::vector<SectionEvent> events;
  drain(true, events);
  close(events);
  return events;
}

void SectionStream::drain(bool at_end, std::vector<SectionEvent>& events) {
  std::size_t done = 0;  // bytes of pending_ dealt with
  while (done < pending_.size()) {
    const std::string_view rest = std::string_view(pending_).substr(done);
    if (rest[0] != '<') {
      const std::size_t piece = std::min(rest.find('<'), rest.size());
      text(rest.substr(0, piece), events);
      done += piece;
      continue;
    }
    const TagMatch tag = match_tag(rest);
    if (tag.kind == TagMatch::Kind::kPartial && !at_end) break;
    if (tag.kind != TagMatch::Kind::kTag) {
      text(rest.substr(0, 1), events);
      done += 1;
      continue;
    }
    seen_tag_ = true;
    // A closing tag that belongs to nothing open is dropped; any other tag ends the open section.
    close(events);
    if (!tag.closing && tag.index != kThinkTag) open(tag.index, events);
    done += tag.length;
  }
  pending_.erase(0, done);
}

void SectionStream::text(std::string_view piece, std::vector<SectionEvent>& events) {
  const auto first = piece.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    if (open_ >= 0 && !at_start_) space_ += piece;
    return;
  }
  if (open_ < 0) {
    if (seen_tag_) return;  // text between sections
    open(static_cast<int>(Section::kResponse), events);
  }
  if (at_start_) piece.remove_prefix(first);
  at_start_ = false;
  const auto last = piece.find_last_not_of(kSpace);
  std::string out = space_ + std::string(piece.substr(0, last + 1));
  space_ = std::string(piece.substr(last + 1));
  events.push_back({SectionEvent::Kind::kText, static_cast<Section>(open_), std::move(out)});
}

void SectionStream::open(int section, std::vector<SectionEvent>& events) {
  open_ = section;
  at_start_ = true;
  events.push_back({SectionEvent::Kind::kOpen, static_cast<Section>(section), {}});
}

void SectionStream::close(std::vector<SectionEvent>& events) {
  if (open_ < 0) return;
  events.push_back({SectionEvent::Kind::kClose, static_cast<Section>(open_), {}});
  open_ = -1;
  space_.clear();
}

}  // namespace areason
