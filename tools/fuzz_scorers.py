#!/usr/bin/env python3
"""Holds our scorers against the originals on random input and prints how many answers differ (0 is right).

    .venv/bin/pip install sacrebleu==2.6.0 scikit-learn nltk
    .venv/bin/python tools/fuzz_scorers.py --program build/release/audio-reasoner --cases 10000

Compared: sacreBLEU's tokenizers, corpus and sentence BLEU with its variants; scikit-learn's accuracy, balanced accuracy and F1;
Python's str.lower, strip and int; the rules of MMAU, AIR-Bench foundation and chat as a few lines of Python below (their
scripts are Python, so that Python's str and re are the oracle). Characters: only those assigned in both this Python's Unicode
and ICU's; all of them are also checked one by one. Needs no network.
"""
import argparse
import json
import math
import random
import re
import subprocess
import sys
import unicodedata
import warnings

import sacrebleu
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_recall_fscore_support

warnings.filterwarnings("ignore")
TOKENIZERS = {"13a": Tokenizer13a(), "zh": TokenizerZh()}
# ICU 72 knows Unicode 15; a character that this Python knows is assigned in both as long as Python's is not newer.
ASSIGNED = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF and unicodedata.category(chr(c)) != "Cn"]


class Ours:
    """One call a line to `audio-reasoner eval function`."""

    def __init__(self, program):
        self.process = subprocess.Popen([*program, "eval", "function"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def many(self, calls):
        """Answers in order; one call at a time, so that no pipe fills up."""
        for call in calls:
            self.process.stdin.write((json.dumps(call, ensure_ascii=False) + "\n").encode("utf-8"))
            self.process.stdin.flush()
            yield json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Texts:
    """Random strings of many kinds."""

    WORDS = ("the cat sat on mat a dog's state-of-the-art 3.5 1,000 10:30 U.S.A. don't &quot; &amp; &lt; &gt; &amp;quot; "
             "<skipped> x=y 50% -5 2-3 ... ,, .5 5. e.g. (A) B. 答案 我 喜欢 吃 苹果 。 ， “你好” 3个 iPhone 15很好 ＡＢＣ ﬁ ß ẞ İ ı ΟΔΟΣ σς Σ "
             "ǅ Ⅳ ½ ² ٣ ８ 👍🏽 👨‍👩‍👧 🇨🇳 é e\u0301 한국어 カタカナ हिन्दी עברית العربية").split()
    SPACES = [" ", "  ", "\t", "\n", "-\n", "\r\n", "\u00a0", "\u3000", "\u2028", "\u200b", "\x1c", "\x85", "\u2003", "\ufeff"]
    MARKS = [chr(c) for c in ASSIGNED if unicodedata.category(chr(c)) == "Mn"]
    CHINESE = [chr(c) for c in ASSIGNED if 0x4E00 <= c <= 0x9FFF or 0x3000 <= c <= 0x303F or 0xFF00 <= c <= 0xFFEF or 0x20000 <= c <= 0x20200]
    EMOJI = [chr(c) for c in ASSIGNED if 0x1F300 <= c <= 0x1FAFF or 0x2600 <= c <= 0x27BF or c in (0x200D, 0xFE0F)]
    ASCII = [chr(c) for c in range(1, 128)]

    def __init__(self, rng):
        self.rng = rng

    def characters(self, alphabet, longest):
        return "".join(self.rng.choice(alphabet) for _ in range(self.rng.randrange(longest)))

    def words(self, longest):
        out = ""
        for _ in range(self.rng.randrange(longest)):
            out += self.rng.choice(self.WORDS) + (self.rng.choice(self.SPACES) if self.rng.random() < 0.25 else " ")
        return out

    def one(self):
        kind = self.rng.randrange(10)
        if kind == 0:
            return ""
        if kind == 1:
            return self.characters(self.SPACES, 4)
        if kind == 2:
            return self.characters(self.ASCII, 40)
        if kind == 3:
            return "".join(chr(self.rng.choice(ASSIGNED)) for _ in range(self.rng.randrange(30)))
        if kind == 4:
            return self.characters(self.CHINESE, 30)
        if kind == 5:
            return self.characters(self.EMOJI, 12)
        if kind == 6:
            return "".join(self.rng.choice("aeiouAEIOUΣσİi") + self.rng.choice(self.MARKS) for _ in range(self.rng.randrange(10)))
        return self.words(14)

    def huge(self):
        return self.rng.choice([self.words(40), self.characters(self.CHINESE, 40) or "我", "a ", ".,", "1-"]) * self.rng.randrange(1000, 20000)

    def near(self, text):
        """Like `text`, with some words gone, doubled or swapped."""
        words = text.split(" ")
        for _ in range(self.rng.randrange(4)):
            at = self.rng.randrange(len(words))
            words[at] = self.rng.choice(["", words[at] + " " + words[at], self.rng.choice(self.WORDS), self.rng.choice(words)])
        return " ".join(words)


def mmau(answer, prediction, choices):
    def tokens(text):
        return set(re.findall(r"\b\w+\b", text.lower()))
    said, gold, wrong = tokens(prediction), tokens(answer), set()
    for choice in choices:
        if tokens(choice) != gold:
            wrong |= tokens(choice) - gold
    return bool(said) and gold <= said and not said & wrong


def foundation(line):
    text = line["response"].strip().replace("\n", "")
    if text in ("", "None"):
        return "fail"
    letter = text[0] if text[0] in "ABCD" else text[-2] if len(text) > 1 and text[-2] in "ABCD" else None
    if letter is None:
        return "fail"
    for key in "abcd":
        if line["answer_gt"] == line["choice_" + key]:
            return "correct" if letter == key.upper() else "wrong"
    return "exit1"


def chat(reply):
    parts = reply.strip().replace("\n", "").split(" ")
    if len(parts) != 2:
        return {"parsed": False, "counts_in_success_num": False}
    try:
        first, second = int(parts[0]), int(parts[1])
    except ValueError:
        return {"parsed": False, "counts_in_success_num": True}
    if first > 10 or second > 10:
        return {"parsed": False, "counts_in_success_num": True}
    return {"parsed": True, "counts_in_success_num": True, "first": first, "second": second}


def bleu_oracle(call):
    hyps, refs, tokenize = call["hyps"], call["refs"], call["tokenize"]

    def corpus(**kwargs):
        return BLEU(tokenize=tokenize, force=True, **kwargs).corpus_score(hyps, [refs])
    score = corpus()
    return {
        "corpus": {"score": score.score, "precisions": score.precisions, "counts": score.counts, "totals": score.totals,
                   "bp": score.bp, "sys_len": score.sys_len, "ref_len": score.ref_len},
        "cumulative_bleu1_4": [corpus(max_ngram_order=n).score for n in range(1, 5)],
        "effective_order_score": corpus(effective_order=True).score,
        "lowercase_score": corpus(lowercase=True).score,
        "smooth_none_score": corpus(smooth_method="none").score,
        "smooth_floor_score": corpus(smooth_method="floor").score,
        "smooth_addk_score": corpus(smooth_method="add-k").score,
        "sentence_scores": [sacrebleu.sentence_bleu(h, [r], tokenize=tokenize).score for h, r in zip(hyps, refs)],
        "printed": str(score),
    }


def meld_oracle(call):
    refs, hyps = call["refs"], call["hyps"]
    precision, recall, f1, _ = precision_recall_fscore_support(refs, hyps, average="weighted", zero_division=0)
    return {
        "qwen2_audio_accuracy_lstrip": accuracy_score(refs, [h.lstrip() for h in hyps]),
        "qwen_audio_accuracy_raw": accuracy_score(refs, hyps),
        "emobox": {"WA": accuracy_score(refs, hyps), "UA": balanced_accuracy_score(refs, hyps),
                   "micro_f1": f1_score(refs, hyps, average="micro"), "macro_f1": f1_score(refs, hyps, average="macro")},
        "meld_baseline_weighted_prf": [precision, recall, f1],
    }


def python_int(text):
    try:
        return int(text)
    except ValueError:
        return None


def same(wanted, got):
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(key in got and same(value, got[key]) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return isinstance(got, list) and len(wanted) == len(got) and all(same(w, g) for w, g in zip(wanted, got))
    if isinstance(wanted, bool) or wanted is None or isinstance(wanted, str):
        return wanted == got
    return isinstance(got, (int, float)) and math.isclose(wanted, got, rel_tol=1e-9, abs_tol=1e-6)


def make_case(kind, texts, rng):
    """(call, expected answer) of one random case."""
    if kind == "tokenize":
        call = {"function": "bleu_tokenize", "tokenize": rng.choice(["13a", "zh"]), "text": texts.one()}
        return call, TOKENIZERS[call["tokenize"]](call["text"])
    if kind == "bleu":
        refs = [texts.one() for _ in range(rng.randrange(1, 6))]
        hyps = [texts.near(r) if rng.random() < 0.7 else texts.one() for r in refs]
        call = {"function": "bleu", "tokenize": rng.choice(["13a", "zh"]), "hyps": hyps, "refs": refs}
        return call, bleu_oracle(call)
    if kind == "meld":
        labels = ["neutral", "joy", "anger", "surprise", "sadness", "disgust", "fear"][:rng.randrange(1, 8)]
        n = rng.randrange(1, 40)
        refs = [rng.choice(labels) for _ in range(n)]
        hyps = [rng.choice([r, r, rng.choice(labels), " " + r, r + ".", texts.one()]) for r in refs]
        call = {"function": "meld", "refs": refs, "hyps": hyps}
        return call, meld_oracle(call)
    if kind == "mmau":
        choices = [texts.one() for _ in range(rng.randrange(0, 9))]
        answer = rng.choice(choices) if choices and rng.random() < 0.9 else texts.one()
        prediction = rng.choice([answer, answer.upper(), answer.title(), "(B) " + answer, texts.near(answer), texts.one()])
        call = {"function": "mmau", "answer": answer, "choices": choices, "prediction": prediction}
        return call, {"match": mmau(answer, prediction, choices)}
    if kind == "foundation":
        line = {"choice_" + key: texts.one() for key in "abcd"}
        line.update(task_name="t", dataset_name="d", answer_gt=line["choice_" + rng.choice("abcd")])
        line["response"] = rng.choice(["", texts.one(), "\u00a0 "]) + rng.choice("ABCDabcd。") + rng.choice(["", ".", " ", texts.one()])
        return {"function": "airbench_foundation", "line": line}, {"outcome": foundation(line)}
    if kind == "chat":
        pieces = ["8", "9", "10", "11", "-3", "+7", "08", "1_0", "1__0", "_1", "８", "٩", "\u00a07", "7\t", "\x1c8", "8.5", "x", "", " ", "\n"]
        reply = "".join(rng.choice(pieces) + rng.choice([" ", " ", " ", "", "\n", "  "]) for _ in range(rng.randrange(1, 4)))
        return {"function": "airbench_chat_reply", "reply": reply}, chat(reply)
    if kind == "lower":
        text = texts.one() + texts.one()
        return {"function": "lower", "text": text}, text.lower()
    if kind == "strip":
        text = texts.characters(Texts.SPACES, 5) + texts.one() + texts.characters(Texts.SPACES, 5)
        return {"function": "strip", "text": text}, text.strip()
    text = texts.characters(Texts.SPACES, 3) + texts.characters(list("0123456789+-_") + ["８", "٣", "𝟘"], 7)
    return {"function": "to_int", "text": text}, python_int(text)


def huge_cases(texts, count):
    for i in range(count):
        text, tokenize = texts.huge(), "13a" if i % 2 else "zh"
        call = {"function": "bleu", "tokenize": tokenize, "hyps": [text], "refs": [texts.near(text[:len(text) // 2]) + text[:1000]]}
        yield call, bleu_oracle(call)
        yield {"function": "mmau_tokens", "text": text}, sorted(set(re.findall(r"\b\w+\b", text.lower())))


def every_character():
    """All characters between two letters: word class, lower case, space and tokenizers."""
    for start in range(0, len(ASSIGNED), 512):
        text = "a".join(chr(c) for c in ASSIGNED[start:start + 512])
        yield {"function": "mmau_tokens", "text": text}, sorted(set(re.findall(r"\b\w+\b", text.lower())))
        yield {"function": "lower", "text": text}, text.lower()
        for tokenize in TOKENIZERS:
            yield {"function": "bleu_tokenize", "tokenize": tokenize, "text": text}, TOKENIZERS[tokenize](text)


def run(ours, cases, name, shown):
    cases = list(cases)
    different = 0
    for (call, wanted), got in zip(cases, ours.many([c for c, _ in cases])):
        if same(wanted, got):
            continue
        different += 1
        if different <= shown:
            print(f"{name}: {json.dumps(call)[:600]}\n  wanted {json.dumps(wanted)[:400]}\n  got    {json.dumps(got)[:400]}", file=sys.stderr)
    print(f"{name:<16} {len(cases):>6} cases {different:>5} different")
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/audio-reasoner", nargs="+")
    parser.add_argument("--cases", type=int, default=10000)
    parser.add_argument("--huge", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    texts = Texts(rng)
    ours = Ours([args.program] if isinstance(args.program, str) else args.program)
    kinds = ["tokenize", "tokenize", "bleu", "bleu", "meld", "mmau", "foundation", "chat", "lower", "strip", "int"]
    by_kind = {}
    for i in range(args.cases):
        kind = kinds[i % len(kinds)]
        by_kind.setdefault(kind, []).append(make_case(kind, texts, rng))
    different = sum(run(ours, cases, kind, 3) for kind, cases in by_kind.items())
    different += run(ours, huge_cases(texts, args.huge), "huge", 2)
    different += run(ours, every_character(), "every character", 3)
    ours.close()
    print(f"{args.cases} random inputs (seed {args.seed}), sacrebleu {sacrebleu.__version__}, Unicode {unicodedata.unidata_version}: "
          f"{different} differences")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
