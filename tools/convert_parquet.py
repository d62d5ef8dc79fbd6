#!/usr/bin/env python3
"""Turns a benchmark's parquet copy (Hugging Face: the clips inside, rows as columns) into the released layout that
`audio-reasoner eval run` reads: one JSON object an item and a folder of clips beside it.

    .venv/bin/pip install pyarrow
    tools/convert_parquet.py --benchmark mmau --out data/mmau data-00000-of-00002.parquet data-00001-of-00002.parquet
    tools/convert_parquet.py --benchmark covost2 --source covost_en_zh_test --out data/covost2 en_zh-CN/test-*.parquet
    tools/convert_parquet.py --benchmark covost2 --source covost_zh_en_test --out data/covost2 --append zh-CN_en/test-*.parquet

The clip's column holds {"bytes", "path"} (datasets' Audio feature) or the bytes alone; it is found by that type, or named with
--audio-column. Bytes are written as they are, under the row's id, with the ending of their path or of their first bytes.
Class labels are written as their names. A column `other_attributes` is spread over the item; --rename OLD=NEW renames
columns. Choices may be a list or a list written as a string (lmms-lab/mmau): both stay as they are, the reader knows them.
Nothing is downloaded. Not part of the product: audio-reasoner itself needs no Python. tools/convert_parquet_test.py runs it.
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
# Qwen's evaluation files call the right answer gt and name the set, by which the scorer finds the tokenizer.
GOLD = {"meld": ("gt", "emotion", "Emotion", "label"), "covost2": ("gt", "translation", "target")}
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


def class_names(schema):
    """{column: names} of datasets' ClassLabel features, which the files hold as numbers."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
    return {name: f["names"] for name, f in features.items() if isinstance(f, dict) and f.get("_type") == "ClassLabel"}


def rows_of(paths):
    import pyarrow.parquet as parquet

    for path in paths:
        file = parquet.ParquetFile(path)
        labels = class_names(file.schema_arrow)
        for batch in file.iter_batches(batch_size=64):
            for row in batch.to_pylist():
                for name, names in labels.items():
                    if isinstance(row.get(name), int) and 0 <= row[name] < len(names):
                        row[name] = names[row[name]]
                yield row


def plain(value):
    """The value without bytes (pictures, second clips), which JSON has no place for."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if not isinstance(v, bytes)}
    return [plain(v) for v in value] if isinstance(value, list) else value


class Converter:
    def __init__(self, args):
        self.args, self.keys, self.items, self.without = args, set(), [], 0
        self.name, self.field = LAYOUTS[args.benchmark]
        self.renames = dict(r.split("=", 1) for r in args.rename)

    def key_of(self, row, number):
        """The item's id, distinct in this data set."""
        if self.args.id_column:
            key = str(row.get(self.args.id_column))
        elif self.args.benchmark.startswith("airbench") and row.get("uniq_id") is not None:
            key = "/".join(str(row.get(k)) for k in ("task_name", "dataset_name", "uniq_id"))
        elif self.args.benchmark == "meld" and row.get("Dialogue_ID") is not None:
            key = f"dia{row['Dialogue_ID']}_utt{row.get('Utterance_ID')}"
        else:
            key = str(row.get("id") if row.get("id") is not None else number)
        if self.args.source:
            key = self.args.source + "/" + key
        while key in self.keys:
            key += "-" + str(number)
        self.keys.add(key)
        return key

    def add(self, row, number):
        more = row.pop("other_attributes", None)
        for name, value in (more if isinstance(more, dict) else {}).items():
            row.setdefault(name, value)
        row = {self.renames.get(k, k): v for k, v in row.items()}
        column = self.args.audio_column or next((k for k, v in row.items() if clip_of(v)[0] is not None), None)
        data, path = clip_of(row.pop(column, None)) if column else (None, "")
        key = self.key_of(row, number)
        row["id"] = key
        for gold in GOLD.get(self.args.benchmark, ()):
            if row.get("gt") is None and row.get(gold) is not None:
                row["gt"] = row[gold]
        if self.args.benchmark in GOLD:
            row.setdefault("source", self.args.source or self.args.benchmark + "_test")
        if data is None:
            self.without += 1
        else:
            clip = "audio/" + re.sub(r"[^A-Za-z0-9._-]", "_", key) + ending(data, path)
            with open(os.path.join(self.args.out, clip), "wb") as file:
                file.write(data)
            row[self.field] = "./" + clip
        self.items.append(plain(row))

    def write(self):
        path = os.path.join(self.args.out, self.name)
        if self.name.endswith(".jsonl"):
            with open(path, "a" if self.args.append else "w", encoding="utf-8") as file:
                file.writelines(json.dumps(item, ensure_ascii=False, default=str) + "\n" for item in self.items)
            return path
        if self.args.append and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.items = json.load(file) + self.items
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.items, file, ensure_ascii=False, indent=1, default=str)
        return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", required=True, choices=sorted(LAYOUTS))
    parser.add_argument("--out", required=True)
    parser.add_argument("--audio-column", help="default: the first column that holds a clip")
    parser.add_argument("--id-column", help="default: id; AIR-Bench: task, data set and uniq_id; else the row's number")
    parser.add_argument("--source", help="covost2: covost_en_zh_test or covost_zh_en_test, by which the scorer finds the tokenizer")
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("--append", action="store_true", help="to the items that --out holds already")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    if args.benchmark == "covost2" and not args.source:
        parser.error("covost2 needs --source covost_en_zh_test or covost_zh_en_test")
    os.makedirs(os.path.join(args.out, "audio"), exist_ok=True)
    converter = Converter(args)
    for number, row in enumerate(rows_of(args.files), 1):
        converter.add(row, number)
    path = converter.write()
    print(f"{len(converter.items)} items, {converter.without} without a clip: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
