#!/usr/bin/env python3
"""Plants errors of fact into chains whose timeline is known, to measure `audio-reasoner data check` and the reviewer.

    tools/plant_errors.py runs/demo/val.jsonl tests/cases/free_chains.jsonl --out planted.jsonl --seed 1 --share 1
    audio-reasoner data check --samples planted.jsonl --measure

Every sample comes out as it is, and up to --share times more with one error each; its "planted" names the sort of error ("" for
the untouched). The errors are facts of the timeline turned false, put in place of words of the chain or as a new sentence;
whether something is false is decided here, by code that shares nothing with the writer of the chains or the checker. Lines of
free_chains*.jsonl bring errors by hand too ("wrong": pairs of text and what to put for it; "sorts" names them). Not part of the product.
"""
import argparse
import copy
import json
import random
import re

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
ABSENT = ["helicopter", "siren", "church bell", "dog", "cat", "cow", "train", "car horn", "thunder", "gunshot", "duck", "violin",
          "owl", "rooster", "explosion", "pig", "chainsaw", "phone", "drum", "horse", "sheep", "frog", "airplane"]
SECTIONS = ["caption", "reasoning", "summary", "response"]


class Truth:
    """What a listener cannot dispute: a margin is left wherever ears differ."""

    def __init__(self, sample):
        entries = [e for e in sample["timeline"] if e["label"] != "background noise"]
        self.entries = sorted(entries, key=lambda e: (e["audio"], e["from"]))
        self.one_file = len({e["audio"] for e in self.entries}) == 1
        self.sounds = {}
        for e in self.entries:
            if not self.said(e):
                self.sounds.setdefault(e["label"], []).append(e)
        self.speech = [e for e in self.entries if self.said(e)]
        self.voices = list(dict.fromkeys(e["speaker"] for e in self.speech))

    @staticmethod
    def said(e):
        return e["label"] == "speech" or bool(e["speaker"]) or bool(e["text"])

    def single(self):
        """Labels heard once, none of which lies under the whole clip, in their order."""
        whole = max((e["to"] for e in self.entries), default=0)
        once = [v[0] for v in self.sounds.values() if len(v) == 1 and v[0]["label"] != "music"]
        once = [e for e in once if e["to"] - e["from"] < 0.8 * whole or len(self.entries) == 1]
        return sorted(once, key=lambda e: e["from"])

    def absent(self, rng, text):
        held = (" ".join(self.sounds) + " " + text).lower()
        # What plays in music no timeline says.
        fits = [a for a in ABSENT if not any(w in held for w in a.split()) and not (a in ("violin", "drum") and "music" in held)]
        return rng.choice(fits) if fits else None


def other_number(n, rng):
    return rng.choice([k for k in range(max(1, n - 2), n + 4) if k != n])


def times(n):
    return {1: "once", 2: "twice"}.get(n, WORDS[n] + " times")


def new_sentence(sample, truth, rng):
    """(sort, sentence) that is false, or None."""
    makers = []
    text = " ".join(sample["sections"].values()) + sample["question"]
    absent = truth.absent(rng, text)
    if absent:
        makers.append(lambda: ("presence", rng.choice([
            f"A {absent} can also be heard.", f"In addition, I notice a {absent}.", f"There is a {absent} in the recording as well.",
            f"Somewhere in the clip a {absent} is audible.", f"I can clearly make out a {absent}."])))
    labels = [k for k in truth.sounds if k != "music"]
    if labels and truth.one_file:
        label = rng.choice(labels)
        count = len(truth.sounds[label])
        wrong = other_number(count, rng)
        makers.append(lambda: ("absence", rng.choice([
            f"No {label} can be heard.", f"There is no {label} in this clip.", f"The {label} is absent.", f"I do not hear any {label}."])))
        if count < 9:
            makers.append(lambda wrong=wrong: ("count", rng.choice([
                f"The {label} is heard {times(wrong)}.", f"The {label} occurs {times(wrong)} in the clip.",
                f"I count {WORDS[wrong]} occurrences of the {label}.", f"There are exactly {WORDS[max(2, wrong)]} instances of the {label}."
                if max(2, wrong) != count else f"The {label} is heard {times(wrong)}."])))
    singles = truth.single() if truth.one_file else []
    if singles:
        e = rng.choice(singles)
        length = e["to"] - e["from"]
        wrong = round(length * 3 + 3)
        makers.append(lambda wrong=wrong: ("length", rng.choice([
            f"The {e['label']} lasts about {wrong} seconds.", f"The {e['label']} goes on for {wrong} seconds.",
            f"The {e['label']} is {wrong}.0 s long."])))
        late = e["to"] + 4
        makers.append(lambda: ("time", rng.choice([
            f"The {e['label']} starts at {late:.1f} s.", f"At {late:.1f} seconds the {e['label']} begins.",
            f"The {e['label']} is heard from {late:.1f} to {late + length:.1f} s."])))
    apart = [(a, b) for i, a in enumerate(singles) for b in singles[i + 1:] if b["from"] > a["to"] + 0.6]
    if apart:
        a, b = rng.choice(apart)
        first, second = a["label"], b["label"]
        makers.append(lambda: ("order", rng.choice([
            f"The {second} comes before the {first}.", f"The {first} follows the {second}.", f"After the {second} comes the {first}.",
            f"First there is the {second}, then the {first}.", f"The {second} is followed by the {first}.",
            f"The {first} is heard after the {second}.", f"The {second} precedes the {first}."])))
        makers.append(lambda: ("overlap", rng.choice([
            f"The {first} and the {second} overlap.", f"The {first} is heard during the {second}.",
            f"The {first} and the {second} sound at the same time."])))
        if abs((a["to"] - a["from"]) - (b["to"] - b["from"])) > 0.8:
            longer, shorter = (first, second) if a["to"] - a["from"] > b["to"] - b["from"] else (second, first)
            makers.append(lambda: ("length", rng.choice([
                f"The {shorter} lasts longer than the {longer}.", f"The {longer} is shorter than the {shorter}."])))
        if a is min(truth.entries, key=lambda e: e["from"]) and not any(e["to"] >= b["to"] - 0.6 for e in truth.entries if e is not b):
            makers.append(lambda: ("place", rng.choice([
                f"The first sound is the {second}.", f"The clip ends with the {first}.", f"The {second} is heard first.",
                f"The {first} comes last.", f"The last sound to be heard is the {first}."])))
    if truth.voices and all(truth.voices):
        wrong = other_number(len(truth.voices), rng)
        makers.append(lambda wrong=wrong: ("speakers", rng.choice([
            f"{WORDS[wrong].capitalize()} {'person speaks' if wrong == 1 else 'people speak'}.", f"I can tell {WORDS[wrong]} different "
            f"{'voice' if wrong == 1 else 'voices'} apart.", f"There {'is' if wrong == 1 else 'are'} {WORDS[wrong]} speaker{'' if wrong == 1 else 's'} in total."])))
    said = [e for e in truth.speech if len(e["text"].split()) >= 3 and e["text"].isascii()]
    if said and '"' in text:
        words = rng.choice(said)["text"].rstrip(".!?").split()
        words[rng.randrange(len(words))] = rng.choice(["umbrella", "penguin", "volcano", "sandwich", "carpet"])
        makers.append(lambda: ("words", rng.choice([
            f"Somebody says \"{' '.join(words)}\".", f"The words \"{' '.join(words)}\" are spoken.", f"I hear \"{' '.join(words)}\"."])))
    return rng.choice(makers)() if makers else None


def put(sample, section, text, sort):
    out = copy.deepcopy(sample)
    out["sections"][section] = text
    out["planted"] = sort
    return out


def replaced_words(sample, truth, rng):
    """An error in place of the chain's own words."""
    options = []
    single = {e["label"]: e for e in truth.single()} if truth.one_file else {}
    for section in SECTIONS:
        text = sample["sections"].get(section, "")
        for m in re.finditer(r"(\d+\.\d) to (\d+\.\d) s: ([a-z ]+?)[.,]", text):
            if m[3] in truth.sounds and "Audio" not in text:
                moved = f"{float(m[1]) + 60:.1f} to {float(m[2]) + 60:.1f} s: {m[3]}."
                options.append((section, text.replace(m[0], moved, 1), "time"))
                absent = truth.absent(rng, " ".join(sample["sections"].values()) + sample["question"])
                if absent:
                    options.append((section, text.replace(m[0], m[0].replace(m[3], absent), 1), "presence"))
        for m in re.finditer(r'"([a-z\' ]{12,})"', text):
            words = m[1].split()
            words[rng.randrange(len(words))] = rng.choice(["umbrella", "penguin", "volcano"])
            if any(m[1].strip() in e["text"].lower() for e in truth.speech):
                options.append((section, text.replace(m[0], '"' + " ".join(words) + '"', 1), "words"))
        m = re.search(r"(?:After|Before) the ([a-z ]+?) comes the ([a-z ]+?)\.", text)
        if m and m[1] in single and m[2] in single and abs(single[m[1]]["from"] - single[m[2]]["from"]) > 1:
            options.append((section, text.replace(m[0], m[0].replace("After", "B@").replace("Before", "After").replace("B@", "Before"), 1), "order"))
        m = re.search(r"\b(There (?:are|is)|I count|That makes) (\d+)( sounds?| speakers?)?\b", text)
        if m and sample.get("kind", "") in ("sound-count", "speech-speakers", "long-count"):
            n = int(m[2])
            options.append((section, text.replace(m[0], f"{m[1]} {other_number(n, rng)}{m[3] or ''}", 1), "count"))
        m = re.search(r"\b(Yes, they overlap|No, they do not overlap|They overlap|They do not overlap)\.", text)
        if m and sample.get("kind") == "sound-overlap" and clear_overlap(sample, truth) is not None:
            flipped = m[1].replace("do not overlap", "@").replace("overlap", "do not overlap").replace("@", "overlap")
            flipped = flipped.replace("Yes", "#").replace("No", "Yes").replace("#", "No")
            options.append((section, text.replace(m[1], flipped, 1), "overlap"))
    if not options:
        return None
    return put(sample, *rng.choice(options))


def clear_overlap(sample, truth):
    """Do the two sounds of the question clearly overlap (True), clearly not (False), or who knows (None)?"""
    named = [e for label, v in truth.sounds.items() for e in v if label in sample["question"]]
    if len(named) != 2:
        return None
    a, b = named
    inside = min(a["to"], b["to"]) - max(a["from"], b["from"])
    return True if inside > 0.5 else False if inside < -0.4 else None


def plant(sample, rng):
    truth = Truth(sample)
    if rng.random() < 0.5:
        out = replaced_words(sample, truth, rng)
        if out:
            return out
    made = new_sentence(sample, truth, rng)
    if not made:
        return None
    sort, sentence = made
    section = rng.choice(SECTIONS)
    text = sample["sections"].get(section, "")
    return put(sample, section, f"{sentence} {text}" if rng.random() < 0.4 and section != "response" else f"{text} {sentence}", sort)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=int, default=1, help="errors planted into each sample, one at a time")
    args = parser.parse_args()
    clean = planted = 0
    with open(args.out, "w", encoding="utf-8") as out:
        for path in args.files:
            for line in open(path, encoding="utf-8"):
                sample = json.loads(line)
                wrong = sample.pop("wrong", [])
                sorts = sample.pop("sorts", ["by hand"] * len(wrong))
                results = [dict(sample, planted="")]
                for n in range(args.share):
                    bad = plant(sample, random.Random(f"{args.seed}/{n}/{sample['id']}"))
                    if bad:
                        results.append(dict(bad, id=f"{sample['id']}~{n}"))
                for n, ((text, instead), sort) in enumerate(zip(wrong, sorts)):
                    section = next(s for s in reversed(SECTIONS) if text in sample["sections"][s])
                    results.append(put(dict(sample, id=f"{sample['id']}~hand{n}"), section,
                                       sample["sections"][section].replace(text, instead, 1), sort))
                clean += 1
                planted += len(results) - 1
                for r in results:
                    out.write(json.dumps(r, ensure_ascii=False) + "\n")
    print(f"{clean} chains as they are, {planted} with an error planted: {args.out}")


if __name__ == "__main__":
    main()
