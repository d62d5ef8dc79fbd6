#!/usr/bin/env python3
"""Turns a benchmark's parquet copy (Hugging Face: the clips inside, rows as columns) into the released layout that
`audio-reasoner eval run` reads: one JSON line an item and a folder of clips beside it.

    .venv/bin/pip install pyarrow
    tools/convert_parquet.py --benchmark mmau --out data/mmau data-00000-of-00002.parquet data-00001-of-00002.parquet

The clip's column holds {"bytes", "path"} (datasets' Audio feature) or the bytes alone; it is found by that type, or named with
--audio-column. Bytes are written as they are, under the row's id, with the ending of their path or of their first bytes.
A column `choices` or `options` may be a list or a list written as a string (lmms-lab/mmau); both stay as they are, the
reader knows them. Nothing is downloaded. Not part of the product: audio-reasoner itself needs no Python.
"""
import argparse
import json
import os
import re
import sys

# The file name under which `eval run --data FOLDER` looks for the items, and the field that names the clip.
LAYOUTS = {
    "mmau": ("mmau-test-mini.json", "audio_id"),
    "mmar": ("MMAR-meta.jsonl", "audio_path"),
    "airbench-foundation": ("Foundation_meta.json", "audio"),
    "airbench-chat": ("Chat_meta.json", "audio"),
    "meld": ("meld.jsonl", "audio"),
    "covost2": ("covost2.jsonl", "audio"),
}
ENDINGS = [(b"RIFF", ".wav"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"), (b"\xff\xf3", ".mp3")]


def ending(data, path):
    suffix = os.path.splitext(path or "")[1].lower()
    if suffix in (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".mp4"):
        return suffix
    return next((e for magic, e in ENDINGS if data.startswith(magic)), ".bin")


def clip_of(value):
    if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
        return value["bytes"], value.get("path") or ""
    return (value, "") if isinstance(value, bytes) else (None, "")


def rows_of(paths):
    import pyarrow.parquet as parquet

    for path in paths:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=64):
            yield from batch.to_pylist()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", required=True, choices=sorted(LAYOUTS))
    parser.add_argument("--out", required=True)
    parser.add_argument("--audio-column", help="default: the first column that holds a clip")
    parser.add_argument("--id-column", help="default: id, else uniq_id, else the row's number")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    name, field = LAYOUTS[args.benchmark]
    os.makedirs(os.path.join(args.out, "audio"), exist_ok=True)
    items, without = [], 0
    for number, row in enumerate(rows_of(args.files), 1):
        column = args.audio_column or next((k for k, v in row.items() if clip_of(v)[0] is not None), None)
        data, path = clip_of(row.pop(column, None)) if column else (None, "")
        key = str(row.get(args.id_column) if args.id_column else row.get("id") or row.get("uniq_id") or number)
        row.setdefault("id", key)
        if data is None:
            without += 1
        else:
            clip = "audio/" + re.sub(r"[^A-Za-z0-9._-]", "_", key) + ending(data, path)
            with open(os.path.join(args.out, clip), "wb") as file:
                file.write(data)
            row[field] = "./" + clip
        items.append({k: v for k, v in row.items() if not isinstance(v, bytes)})
    with open(os.path.join(args.out, name), "w", encoding="utf-8") as file:
        if name.endswith(".jsonl"):
            file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        else:
            json.dump(items, file, ensure_ascii=False, indent=1)
    print(f"{len(items)} items, {without} without a clip: {os.path.join(args.out, name)}", file=sys.stderr)


if __name__ == "__main__":
    main()
