"""Compares `audio-reasoner tokenize` with transformers on random strings, special tokens among them.

    .venv/bin/python tools/check_tokenizer.py MODEL_DIR [--program build/release/audio-reasoner] [--count 3000] [--seed 0]

Needs the oracle's environment (scripts/venv). Ends with status 1 at the first difference that is not known.
"""
import argparse
import json
import random
import subprocess
import sys
import unicodedata

from transformers import AutoTokenizer

WORDS = ("the dog barks twice, don't I'LL we've THEY'RE 3/4 120 bpm <THINK> <PLANNING>\n </SUMMARY> (a) piano naïve café "
         "mañana 你好 世界 音乐 日本語 한국어 Привет мир مرحبا हिन्दी ไทย 😀 👍🏽 ½ ² ① ſ 'ſ 'S K ﬁ e\u0301 \u1112\u1161\u11ab "
         "\u00a0 \u2003 \u200b \ufeff \u0085 \u2028 \x00 \x7f _ -- ... ''' \\n http://a.b/c?d=e&f=g 1234567890").split(" ")
SPACES = [" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n", "\n ", "", "", ""]


def random_char(rng: random.Random) -> str:
    low, high = rng.choice([(0x20, 0x7E), (0x20, 0x7E), (0, 0x24F), (0x300, 0x36F), (0x370, 0x1FFF), (0x2000, 0x2BFF),
                            (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x10000, 0x1FAFF)])
    while True:
        char = chr(rng.randint(low, high))
        # Unassigned characters get a class with the next Unicode version: libraries of different age differ there.
        if unicodedata.category(char) not in ("Cn", "Cs"):
            return char


def random_text(rng: random.Random, specials: list[str]) -> str:
    kind = rng.random()
    if kind < 0.4:
        return "".join(rng.choice(WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, 30)))
    if kind < 0.6:
        return "".join(rng.choice("a1 .\n\r\t'sS中é") for _ in range(rng.randint(1, 40)))
    if kind < 0.75 and specials:
        return "".join(rng.choice(specials + WORDS) + rng.choice(SPACES) for _ in range(rng.randint(1, 12)))
    if kind < 0.8:
        return rng.choice(WORDS)[:1] * rng.randint(1, 300)
    return "".join(random_char(rng) for _ in range(rng.randint(1, 60)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--program", default="build/release/audio-reasoner")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    rng = random.Random(args.seed)
    specials = [str(token) for token in tokenizer.added_tokens_decoder.values()]
    texts = [random_text(rng, specials) for _ in range(args.count)]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    run = subprocess.run([args.program, "tokenize", "--model", args.model, "--json"], input=lines.encode(), stdout=subprocess.PIPE,
                         check=True)
    ours = [json.loads(line) for line in run.stdout.decode().splitlines()]
    wrong = 0
    for text, mine in zip(texts, ours, strict=True):
        theirs = tokenizer(text, add_special_tokens=False)["input_ids"]
        if mine != theirs:
            wrong += 1
            if wrong <= 5:
                print(f"DIFFERS {text!r}\n  transformers {theirs}\n  ours         {mine}", file=sys.stderr)
    print(f"{type(tokenizer).__name__} of {args.model}: {args.count - wrong} of {args.count} texts have equal ids")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
