#!/usr/bin/env python3
"""Holds GGUF files that `audio-reasoner quantize` made against their source with PyPI's gguf package (in the oracle venv: pip
install gguf): every tensor is there under llama.cpp's name and dequantises to the source's numbers.

  .venv/bin/python tools/check_gguf.py CHECKPOINT DIR...
"""
import pathlib
import sys

import gguf
import numpy as np
from safetensors.numpy import load_file

LARGEST = {"F32": 0.0, "F16": 1e-3, "BF16": 1e-2, "Q8_0": 2e-2, "Q4_0": 0.2}  # root mean square error over the source's


def source_tensors(checkpoint):
    out = {}
    for file in sorted(pathlib.Path(checkpoint).glob("*.safetensors")):
        out.update(load_file(file))
    return out


def names_of(tensors, architecture):
    """Released name -> what gguf's tensor map calls the part."""
    for name in tensors:
        text = name.startswith("language_model.")
        if text == (architecture == "qwen2"):
            yield name, name.removeprefix("language_model.") if text else name.replace("multi_modal", "audio.multi_modal")


def check(path, tensors):
    reader = gguf.GGUFReader(path)
    architecture = reader.get_field("general.architecture").contents()
    kind = gguf.MODEL_ARCH.QWEN2 if architecture == "qwen2" else gguf.MODEL_ARCH.MMPROJ
    names = gguf.get_tensor_name_map(kind, 256)
    left = {tensor.name: tensor for tensor in reader.tensors}
    worst = 0.0
    for name, part in names_of(tensors, architecture):
        stored = left.pop(names.get_name(part, try_suffixes=(".weight", ".bias")))
        want = tensors[name].astype(np.float32)
        have = gguf.quants.dequantize(stored.data, stored.tensor_type).reshape(want.shape).astype(np.float32)
        error = float(np.sqrt(((have - want) ** 2).sum() / max(float((want**2).sum()), 1e-30)))
        if error > LARGEST[stored.tensor_type.name]:
            sys.exit(f"{path}: {stored.name} is {error:.3g} off")
        worst = max(worst, error)
    if left:
        sys.exit(f"{path}: not of the source: {sorted(left)}")
    print(f"{path}: {architecture}, {len(reader.tensors)} tensors, worst relative error {worst:.4f}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    tensors = source_tensors(sys.argv[1])
    for folder in sys.argv[2:]:
        for file in ("model.gguf", "mmproj.gguf"):
            check(f"{folder}/{file}", tensors)


if __name__ == "__main__":
    main()
