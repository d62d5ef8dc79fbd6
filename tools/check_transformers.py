#!/usr/bin/env python3
"""Holds `audio-reasoner probe` to transformers: the same checkpoint, the same clips and questions, the same greedy tokens.

  .venv/bin/python tools/check_transformers.py --samples runs/nano/test.jsonl [--model models/nano] [--count 50]

Both sides run in f32 without structure and with the same repetition penalty. A first difference at a step where transformers'
two best scores are closer than 1e-3 is no error (rounding decides there). Ends with "N equal / N ties / N differ"; exit status
1 when any differs. Needs `scripts/venv oracle`.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from transformers_oracle import ROOT, Oracle, messages_of, reasoner_system_prompt  # noqa: E402
from safetensors import safe_open  # noqa: E402

CLOSE = 1e-3  # scores closer than this may swap: sums in another order differ by some 1e-5


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", required=True, help="JSONL of the project's sample schema")
    parser.add_argument("--model", default=os.path.join(ROOT, "models/nano"))
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/audio-reasoner"))
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=256, help="at most this many new tokens")
    parser.add_argument("--repetition-penalty", type=float, help="default: generation_config.json's")
    parser.add_argument("--system", help="default: that of `ask`")
    return parser.parse_args()


def pick(path, count):
    """`count` samples spread evenly over the file, so that every kind takes part."""
    with open(path, encoding="utf-8") as f:
        lines = [line for line in f if line.strip()]
    step = max(1, len(lines) // count)
    return [json.loads(line) for line in lines[::step][:count]]


def probe(args, messages, audio_root, penalty):
    with tempfile.TemporaryDirectory() as folder:
        question, out = os.path.join(folder, "messages.json"), os.path.join(folder, "out.safetensors")
        with open(question, "w", encoding="utf-8") as f:
            json.dump(messages, f)
        subprocess.run([args.program, "probe", "--model", args.model, "--messages", question, "--audio-root", audio_root,
                        "--out", out, "--greedy", str(args.tokens), "--repetition-penalty", str(penalty), "--logits", "last"],
                       check=True)
        with safe_open(out, "pt") as f:
            return f.get_tensor("generated").tolist()


def up_to_end(tokens, eos):
    """Tokens before the first end token: whether that one is listed is a matter of taste."""
    for i, token in enumerate(tokens):
        if token in eos:
            return tokens[:i]
    return tokens


def compare(ours, theirs, margins):
    for step in range(max(len(ours), len(theirs))):
        pair = [tokens[step] if step < len(tokens) else None for tokens in (ours, theirs)]
        if pair[0] != pair[1]:
            margin = margins[min(step, len(margins) - 1)]
            return ("tie" if margin < CLOSE else "differ"), f"step {step}: {pair[0]} here, {pair[1]} there, margin {margin:.2e}"
    return "equal", f"{len(ours)} tokens"


def main():
    args = arguments()
    with open(os.path.join(args.model, "generation_config.json"), encoding="utf-8") as f:
        penalty = args.repetition_penalty or json.load(f).get("repetition_penalty") or 1.0
    system = args.system or reasoner_system_prompt()
    oracle = Oracle(args.model)
    audio_root = os.path.dirname(os.path.abspath(args.samples))
    counts = {"equal": 0, "tie": 0, "differ": 0}
    for sample in pick(args.samples, args.count):
        messages = messages_of(sample, system)
        theirs, margins = oracle.greedy(messages, audio_root, args.tokens, penalty)
        ours = probe(args, messages, audio_root, penalty)
        verdict, detail = compare(up_to_end(ours, oracle.eos), up_to_end(theirs, oracle.eos), margins)
        counts[verdict] += 1
        print(f"{verdict:6} {sample['id']}  {detail}", flush=True)
    print(f"{counts['equal']} equal / {counts['tie']} ties / {counts['differ']} differ (penalty {penalty}, {args.model})")
    return 1 if counts["differ"] or not counts["equal"] else 0


if __name__ == "__main__":
    sys.exit(main())
