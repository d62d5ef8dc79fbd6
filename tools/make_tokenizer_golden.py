#!/usr/bin/env python3
"""Makes tests/golden/tokenizer/: small tokenizers of every supported kind, trained by Hugging Face's library, with texts, their
ids and decoded texts.

  .venv/bin/python tools/make_tokenizer_golden.py

Made with tokenizers 0.23.3, seed 0. The corpus is written by this script. (An added token whose
text is Latin-1, such as "café", is left out: the reference decodes it as if it were in the byte-level alphabet.) Needs `scripts/venv oracle`.
"""
import json
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from check_tokenizer import random_text  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, "tests/golden/tokenizer")
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
# A pattern without a hand-written twin here: words by case (the idea of o200k), numbers, the rest.
CASED = r"\p{Lu}?[\p{Ll}\p{M}]+|\p{Lu}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>"]
TEXTS = ["", " ", "\n\n", "  \n \n x", "a\r\n\r\nb", "It's I'll WE'VE", "'ſ 'S", "x=1+2*3//4 1234567 ½", "<|im_start|>user\nhi<|im_end|>\n",
         "a <|im_end|> b", "<|im_end|", "cafe\u0301 café ﬁ Å", "你好，世界", "😀👍🏽 a \u1112\u1161\u11ab\u1100\u116e\u11a8 b 한국", "\x00\x7f\u0085\u2028", "aaaaaaaaaaaaaaaaaaaaaaaa" * 5,
         "the dog barks twice, then a bell rings. " * 4]


def corpus():
    rng = random.Random(0)
    nouns = ["dog", "bell", "violin", "speaker", "rhythm", "café", "naïve rooster", "engine", "guitar", "siren"]
    verbs = ["barks", "rings", "plays", "says", "stops", "begins", "repeats", "doesn't stop", "they're heard"]
    for i in range(400):
        yield (f"The {rng.choice(nouns)} {rng.choice(verbs)} {rng.randint(1, 2000)} times; "
               f"I'LL say (a) {rng.choice(nouns)}.\n\n<THINK>\n<PLANNING>\n{i}. 你好 Привет é\u0301 \t</PLANNING>  ")


def byte_level(prefix=False, regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated")


KINDS = {
    "qwen2": dict(normalizer=normalizers.NFC(), pre=[split(QWEN2), byte_level()], added=SPECIALS),
    "gpt2": dict(pre=byte_level(regex=True), added=SPECIALS[:1]),
    "gpt2_prefix_space": dict(pre=byte_level(prefix=True, regex=True), added=SPECIALS[:1]),
    "smollm": dict(pre=[pre_tokenizers.Digits(individual_digits=True), byte_level(regex=True)], added=SPECIALS[:3], in_vocab=True),
    "digit_runs": dict(pre=[pre_tokenizers.Digits(individual_digits=False), byte_level(regex=True)], added=[]),
    "llama3": dict(pre=[split(LLAMA3), byte_level()], added=SPECIALS, ignore_merges=True),
    "regex_nfkc": dict(normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.NFC()]), pre=[split(CASED), byte_level()],
                       added=SPECIALS[:2]),
    "added": dict(normalizer=normalizers.NFC(), pre=[split(QWEN2), byte_level()], added=[
        AddedToken("<|left|>", lstrip=True, special=True, normalized=False),
        AddedToken("<|right|>", rstrip=True, special=True, normalized=False),
        AddedToken("dog", single_word=True, normalized=False), AddedToken("한국", normalized=True),
        AddedToken("<|im|>", special=True, normalized=False), AddedToken("<|im|>x", special=True, normalized=False)]),
    "old_merges": dict(normalizer=normalizers.NFC(), pre=[split(QWEN2), byte_level()], added=SPECIALS, merges_as_text=True),
}


def train(name, kind):
    unknown = SPECIALS[0] if kind.get("in_vocab") else None
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind.get("ignore_merges", False), unk_token=unknown))
    if "normalizer" in kind:
        tokenizer.normalizer = kind["normalizer"]
    pre = kind["pre"]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(pre) if isinstance(pre, list) else pre
    tokenizer.decoder = decoders.ByteLevel()
    # SmolLM2's vocabulary lacks some bytes: they become the unknown token there and vanish where there is none.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if name in ("smollm", "digit_runs"):
        alphabet = [c for c in alphabet if c not in "\u0100\u017f\u0121"]
    trainer = trainers.BpeTrainer(vocab_size=340, initial_alphabet=alphabet, show_progress=False,
                                  special_tokens=kind["added"] if kind.get("in_vocab") else [])
    tokenizer.train_from_iterator(corpus(), trainer)
    for token in kind["added"]:
        add = tokenizer.add_special_tokens if isinstance(token, str) or token.special else tokenizer.add_tokens
        add([token])
    return tokenizer


def extra_texts(kind):
    contents = [t if isinstance(t, str) else t.content for t in kind["added"]]
    return [f"x  {c} \n{c}{c}y {c}s" for c in contents], contents


def write(name, kind):
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    data = json.loads(train(name, kind).to_str())
    if kind.get("merges_as_text"):
        data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
    text = json.dumps(data, ensure_ascii=name == "gpt2", separators=(",", ":"))
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as f:
        f.write(text + "\n")
    tokenizer = Tokenizer.from_str(text)
    extra, contents = extra_texts(kind)
    rng = random.Random(0)
    cases = []
    for case in TEXTS + extra + [random_text(rng, contents) for _ in range(25)]:
        ids = tokenizer.encode(case, add_special_tokens=False).ids
        cases.append({"text": case, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                      "decoded_plain": tokenizer.decode(ids, skip_special_tokens=True)})
    with open(os.path.join(folder, "cases.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in cases) + "\n]\n")


if __name__ == "__main__":
    for kind_name, kind_parts in KINDS.items():
        write(kind_name, kind_parts)
