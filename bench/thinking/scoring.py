"""The product's rules for right answers (src/cota/check.cpp) and for votes (src/reason/vote.cpp), for the kinds of bench/thinking and
nano's lettered questions, answer by answer; `tables collect` checks every sum against `audio-reasoner data score`."""
import json
import re

NUMBERS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
           "eighteen nineteen twenty").split()
FORMS = {  # as `audio-reasoner data kinds`
    "number": {"sound-count", "turn-count", "speech-speakers", "long-count"},
    "yes": {"sound-presence", "sound-overlap", "mixed-during", "mixed-presence", "pair-same"},
    "either": {"sound-longer", "speech-who", "speech-gender", "music-mode", "pair-more", "pair-where", "long-where"},
    "name": {"sound-name-open", "turn-after"},
    "digits": {"speech-digits"},
}


def words(text):
    return re.findall(r"[0-9a-z\u0080-\U0010ffff]+", text.lower())


def padded(text):
    return " " + "".join(w + " " for w in words(text))


def number(word):
    if re.fullmatch(r"[0-9]{1,6}", word):
        return int(word)
    return NUMBERS.index(word) if word in NUMBERS else -1


def last_number(text):
    found = [n for n in map(number, words(text)) if n >= 0]
    return found[-1] if found else -1


def digits(text):
    out = ""
    for word in words(text):
        n = number(word)
        if n >= 0:
            out += word if word[0].isdigit() else str(n) if n < 10 else ""
    return out


def letter(text):
    found = -1
    for m in re.finditer(r"answer\s+is\W*([a-d])(?![a-z0-9])", text, re.I):
        at = m.start(1)
        article = text[at] == "a" and text[at - 1] == " " and re.match(r" [a-z]", text[at + 1:at + 3])
        if not article:
            found = ord(text[at].lower()) - ord("a")
    return found


def options_named(choices, text):
    keys = [padded(c) for c in choices]
    return [i for i, key in enumerate(keys) if key in text and
            not any(len(longer) > len(key) and key in longer and longer in text for k, longer in enumerate(keys) if k != i)]


def name_right(gold, text, classes):
    key = padded(gold)
    if key not in text:
        return False
    rest = text.replace(key, " ", 1)
    return not any(c != gold and padded(c) not in key and padded(c) in rest for c in classes)


def right(row, response, classes):
    form = next((f for f, kinds in FORMS.items() if row["kind"] in kinds), "choice")
    gold, text = row["answer"]["text"], padded(response)
    if form == "number":
        return last_number(response) == last_number(gold)
    if form == "digits":
        return digits(response) == digits(gold)
    if form == "yes":
        return words(response)[:1] == [gold]
    if form == "name":
        return name_right(gold, text, classes)
    if form == "either":
        at = [(text.find(padded(c)), c) for c in row["choices"] if padded(c) in text]
        return bool(at) and min(at)[1] == gold
    index = ord(row["answer"]["letter"]) - ord("a")
    said = letter(response)
    return said == index if said >= 0 else options_named(row["choices"], text) == [index]


def choice_letter(text):
    m = re.match(r"[^0-9A-Za-z\u0080-\U0010ffff]*([A-Za-z])(.*)", text, re.S)
    if not m:
        return None
    rest = m.group(2)
    ends = not rest.strip(" \t\n*._)]\"'")
    return m.group(1).upper() if ends or rest[0] in ".):]*" else None


def vote_key(response):
    """Answers that count as one (normalised_answer() of src/reason/vote.cpp)."""
    low = response.lower()
    after = next((response[low.find(lead) + len(lead):] for lead in ("answer is", "answer:", "option", "choice")
                  if 0 <= low.find(lead) < 24), response)
    found = choice_letter(response) or choice_letter(after)
    if found:
        return found
    out = words(response)
    for lead in ("the correct answer is", "the answer is", "answer", "it is", "the", "a", "an"):
        lead = lead.split()
        if len(out) > len(lead) and out[:len(lead)] == lead:
            out = out[len(lead):]
    return " ".join(out)


def voted(responses):
    """The answer that most agree on; as many votes: the earlier one."""
    keys = [vote_key(r) for r in responses]
    return responses[keys.index(max(keys, key=keys.count))]


def response_of(answer, name):
    if name.startswith("unstructured"):  # its last sentence; decimals have no space behind the point
        return re.split(r"\. ", answer["text"].strip())[-1]
    return answer.get("sections", {}).get("response") or answer.get("text", "") if "sections" in answer else answer.get("text", "")


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
