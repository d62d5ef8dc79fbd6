#!/usr/bin/env python3
"""KL per token of llama.cpp (PyPI xllamacpp in .venv-rivals) and of our engine against f32, on the same GGUF files and text.

  scripts/fetch-smollm2
  AREASON_SMOLLM2_KEEP=.cache/smollm2/kept build/release/src/model/model_test --gtest_filter='SmolLM2*'
  .venv-rivals/bin/python tools/kl_llama_cpp.py .cache/smollm2/kept [F16 Q8_0 Q4_0]

Both are measured over each engine's best --top tokens of a position, and all others as one: a server gives no more. Only positions
that llama.cpp's server answers count, for both. The difference of the two stands with its standard error over blocks of 20 positions.
"""
import argparse
import json
import pathlib

import numpy as np
import xllamacpp

VOCABULARY = 49152


def bucketed_kl(p, log_q, best):
    """KL of reference log-probabilities p to log_q[best], the rest of both as one outcome."""
    kept = np.exp(p[best])
    rest_p, rest_q = max(1 - kept.sum(), 1e-12), max(1 - np.exp(log_q).sum(), 1e-12)
    return float((kept * (p[best] - log_q)).sum() + rest_p * np.log(rest_p / rest_q))


def theirs(path, ids, reference, options):
    """(KL, same best token) of each position; None where the server keeps half a character back."""
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.warmup = len(ids) + 64, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    server = xllamacpp.Server(params)
    out = []
    for i in range(len(ids)):
        reply = server.handle_completions(
            {"prompt": ids[: i + 1], "max_tokens": 1, "temperature": 0, "top_k": 1, "cache_prompt": True,
             "ignore_eos": True, "logprobs": options.top}
        )
        reply = json.loads(reply) if isinstance(reply, str) else reply
        logprobs = reply["choices"][0]["logprobs"]
        if not logprobs or not logprobs["content"]:
            out.append(None)
            continue
        best = logprobs["content"][0]["top_logprobs"]
        tokens = np.array([t["id"] for t in best])
        kl = bucketed_kl(reference[i], np.array([t["logprob"] for t in best], dtype=np.float64), tokens)
        out.append((kl, tokens[0] == reference[i].argmax()))
    if out.count(None) > len(ids) * options.missing:
        raise SystemExit(f"llama.cpp gave no log-probabilities for {out.count(None)} of {len(ids)} positions")
    return out


def ours(log_p, reference, top):
    out = []
    for p, q in zip(reference, log_p):
        best = np.argpartition(-q, top)[:top]
        out.append((bucketed_kl(p, q[best].astype(np.float64), best), p.argmax() == q.argmax()))
    return out


def standard_error(differences, block=20):
    """Of the mean; neighbouring positions share a context, so whole blocks are what is independent."""
    means = [differences[i : i + block].mean() for i in range(0, len(differences) - block + 1, block)]
    return np.std(means, ddof=1) / np.sqrt(len(means))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("types", nargs="*", default=["F16", "Q8_0", "Q4_0"])
    parser.add_argument("--top", type=int, default=1000)
    parser.add_argument("--missing", type=float, default=0.05, help="share of positions that the server may leave out")
    parser.add_argument("--positions", type=int, default=200, help="of the text's beginning")
    args = parser.parse_args()
    ids = json.loads((args.folder / "ids.json").read_text())[: args.positions]

    def read(where):
        whole = np.fromfile(where / "log_p.f32", dtype=np.float32).reshape(-1, VOCABULARY)
        return whole[: len(ids)].astype(np.float64)

    reference = read(args.folder)
    for kind in args.types:
        their = theirs(args.folder / kind / "model.gguf", ids, reference, args)
        both = [(a, b) for a, b in zip(ours(read(args.folder / kind), reference, args.top), their) if b is not None]
        values = np.array(both, dtype=np.float64)  # [position][ours, theirs][KL, same]
        means, differences = values.mean(axis=0), values[:, 0, 0] - values[:, 1, 0]
        print(f"{kind}: {len(both)} positions, KL ours {means[0, 0]:.6f}, llama.cpp {means[1, 0]:.6f} nats a token, difference "
              f"{differences.mean():.6f} +- {standard_error(differences):.6f} (standard error); same best token "
              f"{means[0, 1]:.2%}, {means[1, 1]:.2%}", flush=True)


if __name__ == "__main__":
    main()
