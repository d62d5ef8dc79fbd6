#!/usr/bin/env python3
"""Holds GGUF files that `audio-reasoner quantize` made against llama.cpp (PyPI xllamacpp in .venv-rivals): llama.cpp loads text
model and mmproj, and its greedy tokens on text prompts are ours.

  .venv-rivals/bin/python tools/check_llama_cpp.py --program build/release/audio-reasoner --model DIR [--greedy 64]

DIR is an output of quantize. Exit status 1 when the files do not load or tokens differ where the two best logits of llama.cpp
are more than --tie apart (log-probabilities; arithmetic of 8-bit activations differs).
"""
import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import xllamacpp

QUESTIONS = [
    "What is heard?",
    "Which sound comes first, the dog or the bell?",
    "How many speakers are there?",
    "Describe the music.",
    "Name three sounds of a kitchen, and say why.",
    "Is the speaker angry or calm?",
]


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    out = {}
    for name in ("input_ids", "generated"):
        begin, end = header[name]["data_offsets"]
        out[name] = [v[0] for v in struct.iter_unpack("<q", data[8 + size + begin : 8 + size + end])]
    return out


def ours(args, question):
    with tempfile.TemporaryDirectory() as folder:
        messages = pathlib.Path(folder) / "messages.json"
        messages.write_text(json.dumps([{"role": "user", "content": question}]))
        out = pathlib.Path(folder) / "out.safetensors"
        subprocess.run(
            [args.program, "probe", "--model", args.model, "--messages", str(messages), "--out", str(out), "--greedy",
             str(args.greedy), "--logits", "last"],
            check=True,
        )
        return read_safetensors(out)


def load(args, mmproj):
    params = xllamacpp.CommonParams()
    params.model.path = args.model + "/model.gguf"
    if mmproj:
        params.mmproj.path = args.model + "/mmproj.gguf"
    params.n_ctx, params.n_parallel, params.warmup = 4096, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = args.threads
    return xllamacpp.Server(params)


def theirs(server, ids, count):
    reply = server.handle_completions(
        {"prompt": ids, "max_tokens": count, "temperature": 0, "top_k": 1, "cache_prompt": False, "logprobs": 2}
    )
    reply = json.loads(reply) if isinstance(reply, str) else reply
    if "choices" not in reply:
        sys.exit(f"llama.cpp refuses: {reply}")
    return reply["choices"][0]["logprobs"]["content"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/audio-reasoner")
    parser.add_argument("--model", required=True)
    parser.add_argument("--greedy", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tie", type=float, default=0.05)
    args = parser.parse_args()
    both = load(args, mmproj=True)  # raises when it refuses a file; kept, because shutting down at once can hang
    server = load(args, mmproj=False)  # with mmproj it takes no lists of ids
    bad = 0
    for question in QUESTIONS:
        want = ours(args, question)
        tokens = theirs(server, want["input_ids"], args.greedy)
        got = [t["id"] for t in tokens]
        mine = want["generated"]
        common = 0
        while common < min(len(got), len(mine)) and got[common] == mine[common]:
            common += 1
        equal = common == len(got) or common == min(len(got), len(mine)) and abs(len(got) - len(mine)) <= 1
        gap = ""
        if not equal:
            best = tokens[common]["top_logprobs"]
            margin = best[0]["logprob"] - best[1]["logprob"]
            gap = f", llama.cpp's two best {margin:.3f} apart"
            bad += margin > args.tie
        print(f"{common} of {len(mine)} tokens equal{gap}: {question}")
    del both
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
