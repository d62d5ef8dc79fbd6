#!/usr/bin/env python3
"""Takes the encoder out of a Whisper model in CTranslate2's format (model.bin, float16) and writes it as safetensors with the
names of `audio_tower.*`, for `audio-reasoner train sft --init-audio-tower`. Run by scripts/whisper-encoder; standard library only.

  whisper_encoder.py MODEL.bin OUT.safetensors

Format (read from CTranslate2's files, version 6, little endian): u32 version; u16 length and name of the spec; u32 revision; u32 number
of variables; each: u16 length and name, u8 rank, u32 sizes, u8 type (4 = float16), u32 bytes, data. Names end with a NUL.
"""
import json
import os
import struct
import sys


def read_variables(path):
    with open(path, "rb") as f:
        def number(code):
            return struct.unpack("<" + code, f.read(struct.calcsize("<" + code)))[0]

        def text():
            return f.read(number("H")).rstrip(b"\0").decode()

        version, spec, _ = number("I"), text(), number("I")
        if version != 6 or spec != "WhisperSpec":
            raise SystemExit(f"error: {path} is {spec} {version}, not WhisperSpec 6\nhint: give the model.bin of a Whisper model")
        variables = {}
        for _ in range(number("I")):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            kind = number("B")
            variables[name] = (shape, kind, f.read(number("I")))
        return variables


def thirds(variable):
    shape, kind, data = variable
    size = len(data) // 3
    return [([shape[0] // 3] + shape[1:], kind, data[i * size:(i + 1) * size]) for i in range(3)]


def rename(variables):
    """CTranslate2's names to transformers'. Queries, keys and values are one matrix there; the bias of the keys is zero."""
    out = {}

    def take(target, source):
        for ours, theirs in (("weight", "weight"), ("bias", "bias")):
            out[f"{target}.{ours}"] = variables[f"encoder/{source}/{theirs}"]

    def norm(target, source):
        out[target + ".weight"] = variables[f"encoder/{source}/gamma"]
        out[target + ".bias"] = variables[f"encoder/{source}/beta"]

    take("conv1", "conv1")
    take("conv2", "conv2")
    out["embed_positions.weight"] = variables["encoder/position_encodings/encodings"]
    norm("layer_norm", "layer_norm")
    layer = 0
    while f"encoder/layer_{layer}/ffn/linear_0/weight" in variables:
        source, target = f"layer_{layer}", f"layers.{layer}"
        norm(f"{target}.self_attn_layer_norm", f"{source}/self_attention/layer_norm")
        norm(f"{target}.final_layer_norm", f"{source}/ffn/layer_norm")
        take(f"{target}.fc1", f"{source}/ffn/linear_0")
        take(f"{target}.fc2", f"{source}/ffn/linear_1")
        take(f"{target}.self_attn.out_proj", f"{source}/self_attention/linear_1")
        fused = f"encoder/{source}/self_attention/linear_0/"
        for part in ("weight", "bias"):
            for name, variable in zip("qkv", thirds(variables[fused + part])):
                if (name, part) == ("k", "bias"):
                    if any(variable[2]):
                        raise SystemExit("error: the keys have a bias\nhint: this is no Whisper model")
                    continue
                out[f"{target}.self_attn.{name}_proj.{part}"] = variable
        layer += 1
    return {"audio_tower." + name: variable for name, variable in out.items()}


def write_safetensors(path, tensors):
    header, data, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name in sorted(tensors):
        shape, kind, raw = tensors[name]
        if kind != 4:
            raise SystemExit(f"error: {name} is not float16\nhint: give a float16 model.bin")
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + len(raw)]}
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data))
    os.replace(path + ".part", path)


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    tensors = rename(read_variables(sys.argv[1]))
    write_safetensors(sys.argv[2], tensors)
    print(f"{sys.argv[2]}: {len(tensors)} tensors")


if __name__ == "__main__":
    main()
