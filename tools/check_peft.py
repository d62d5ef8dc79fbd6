#!/usr/bin/env python3
"""Holds adapters to PEFT: trains a LoRA beside a model for a few steps with audio-reasoner-train, then compares the logits of
PEFT (transformers' model with the adapter loaded) with those of our engine on the model that `--merge` wrote.

  .venv/bin/python tools/check_peft.py [--model models/nano] [--trainer build/release/audio-reasoner-train]

Prints the greatest difference for LoRA and rsLoRA; exit status 1 above 1e-3, or when the adapter changes nothing. Needs `scripts/venv oracle` and
`.venv/bin/pip install peft==0.21.2 accelerate psutil`.
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from transformers_oracle import ROOT, Oracle, reasoner_system_prompt  # noqa: E402
import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

QUESTION, ANSWER = "What is the first sound?", "A sound that nobody has heard before: zebra."


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=os.path.join(ROOT, "models/nano"))
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/audio-reasoner"))
    parser.add_argument("--trainer", default=os.path.join(ROOT, "build/release/audio-reasoner-train"))
    parser.add_argument("--clip", default=os.path.join(ROOT, "examples/clips/sounds.flac"))
    return parser.parse_args()


def f32_copy(model, folder):
    """The checkpoint in f32: merged weights have the base's precision, and bf16 would round them by more than what is asked here."""
    out = os.path.join(folder, "base")
    shutil.copytree(model, out, ignore=shutil.ignore_patterns("*.safetensors", "*.index.json"))
    tensors = {}
    for path in sorted(glob.glob(os.path.join(model, "*.safetensors"))):
        tensors.update(load_file(path))
    save_file({name: value.float().contiguous() for name, value in tensors.items()}, os.path.join(out, "model.safetensors"), {"format": "pt"})
    return out


def train(args, base, folder, more):
    rows = os.path.join(folder, "rows.jsonl")
    with open(rows, "w", encoding="utf-8") as f:
        f.write(json.dumps({"query": QUESTION, "response": ANSWER, "audios": [args.clip]}) + "\n")
    out = os.path.join(folder, "run")
    subprocess.run([args.trainer, "--data", rows, "--init", base, "--out", out, "--lora-rank", "4", "--lora-dropout", "0",
                    "--merge", "--max-steps", "5", "--warmup", "0", "--lr", "1e-2", "--batch-samples", "1", "--precision", "f32",
                    "--save-dtype", "f32"] + more, check=True)
    return os.path.join(out, "last"), os.path.join(out, "merged")


def engine_logits(args, model, messages, folder):
    question, out = os.path.join(folder, "messages.json"), os.path.join(folder, "out.safetensors")
    with open(question, "w", encoding="utf-8") as f:
        json.dump(messages, f)
    subprocess.run([args.program, "probe", "--model", model, "--messages", question, "--audio-root", "/", "--out", out,
                    "--greedy", "1", "--logits", "all"], check=True)
    with safe_open(out, "pt") as f:
        return f.get_tensor("logits")


def main():
    args = arguments()
    messages = [{"role": "system", "content": reasoner_system_prompt()},
                {"role": "user", "content": [{"type": "audio", "audio_url": os.path.abspath(args.clip)}, {"type": "text", "text": QUESTION}]}]
    failed = False
    for name, more in (("LoRA", []), ("rsLoRA", ["--rslora"])):
        with tempfile.TemporaryDirectory() as folder:
            base = f32_copy(args.model, folder)
            adapter, merged = train(args, base, folder, more)
            oracle = Oracle(base)
            inputs = oracle.inputs(messages, "/")
            with torch.inference_mode():
                before = oracle.model(**inputs).logits[0]
                after = PeftModel.from_pretrained(oracle.model, adapter).eval()(**inputs).logits[0]
            ours = engine_logits(args, merged, messages, folder)
            changed, apart = float((after - before).abs().max()), float((after - ours).abs().max())
            print(f"{name}: the adapter changes logits by up to {changed:.3f}; PEFT and the merged model differ by {apart:.2e}")
            failed = failed or apart > 1e-3 or changed < 0.1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
