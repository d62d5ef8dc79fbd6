#!/usr/bin/env python3
"""Turns the published CoTA (Hugging Face zhifeixie/Audio-Reasoner-CoTA: parquet with the clips inside, sub-sets as folders) into
a sample file of this project and a folder of clips, which data check, data stats, data export and train read.

    .venv/bin/pip install pyarrow
    tools/convert_cota.py --out data/cota S2TT/e2z/*.parquet
    audio-reasoner data check --samples data/cota/samples.jsonl
    audio-reasoner data export --samples data/cota/samples.jsonl --keep all --format swift --out data/cota-swift

Question and answer are found by the usual names (instruction, question, query; output, response, answer), or named. The five
sections are read in any case, with or without closing tags, with literal backslash-n; rows that lack one are listed in
OUT/problems.jsonl, counted and left out. Source ids are what the release has: the file and the row (it names no others). The
columns are known from rows that others have shown, not from the files themselves, which no machine of this project has seen.
Nothing is downloaded. Reads and writes as a stream. Not part of the product: audio-reasoner itself needs no Python.
"""
import argparse
import hashlib
import json
import os
import re
import sys

from convert_parquet import clip_of, ending

SECTIONS = ["planning", "caption", "reasoning", "summary", "response"]
QUESTIONS = ["instruction", "question", "query", "prompt", "user"]
ANSWERS = ["output", "response", "answer", "cot", "assistant", "target"]


def sections_of(text):
    """The five sections, or the name of what is missing."""
    text = text.replace("\\n", "\n").replace('\\"', '"')
    found = {}
    marks = [(m.start(), m.end(), m[1].lower()) for m in re.finditer(r"<\s*(planning|caption|reasoning|summary|response)\s*>", text, re.I)]
    for i, (_, begin, name) in enumerate(marks):
        end = marks[i + 1][0] if i + 1 < len(marks) else len(text)
        body = re.split(r"<\s*/\s*(?:%s|think|response)\w*\s*>" % name, text[begin:end], maxsplit=1, flags=re.I)[0]
        found.setdefault(name, re.sub(r"<\s*/?\s*think\s*>", "", body, flags=re.I).strip())
    missing = [s for s in SECTIONS if not found.get(s)]
    if missing:
        return None, "no " + missing[0].upper()
    if [name for _, _, name in marks] != SECTIONS:
        return None, "its sections are not in order"
    return found, ""


def choices_of(question):
    """(["one", "two"], ...) of "(a) one (b) two", "(a). one" or "A. one" a line; [] without."""
    for pattern in (r"\(([a-h])\)\.?\s*", r"(?m)^\s*([A-H])[.)]\s+"):
        parts = re.split(pattern, question)
        letters = [p.lower() for p in parts[1::2]]
        if len(letters) >= 2 and letters == [chr(97 + i) for i in range(len(letters))]:
            return [p.strip().rstrip(",;").strip() for p in parts[2::2]]
    return []


def letter_of(response, choices):
    found = re.findall(r"answer\s+is\W*\(?([a-h])\b", response, flags=re.I)
    return found[-1].lower() if found and ord(found[-1].lower()) - 97 < len(choices) else ""


def subset_of(path):
    """"S2TT/e2z" of a path that ends .../S2TT/e2z/train-0.parquet."""
    parts = os.path.dirname(os.path.abspath(path)).split(os.sep)
    return "/".join(parts[-2:])


class Converter:
    def __init__(self, args):
        self.args = args
        self.rows = self.kept = 0
        self.samples = open(os.path.join(args.out, "samples.jsonl"), "w", encoding="utf-8")
        self.problems = open(os.path.join(args.out, "problems.jsonl"), "w", encoding="utf-8")

    def text(self, row, wanted, names):
        name = wanted or next((n for n in names if isinstance(row.get(n), str) and row[n].strip()), None)
        value = row.get(name) if name else None
        return value if isinstance(value, str) else ""

    def add(self, row, path, number):
        self.rows += 1
        where = f"{path}, row {number}"
        column = self.args.audio_column or next((k for k, v in row.items() if clip_of(v)[0] is not None), None)
        data, name = clip_of(row.pop(column, None)) if column else (None, "")
        question = self.text(row, self.args.question_column, QUESTIONS)
        sections, problem = sections_of(self.text(row, self.args.answer_column, ANSWERS))
        if not data:
            problem = "no clip"
        elif not question.strip():
            problem = "no question"
        if problem:
            self.problems.write(json.dumps({"where": where, "what": problem}, ensure_ascii=False) + "\n")
            return
        subset = subset_of(path)
        key = f"{subset}/{os.path.splitext(os.path.basename(path))[0]}/{number}"
        digest = hashlib.sha256(data).hexdigest()
        clip = f"clips/{digest[:2]}/{digest[:32]}{ending(data, name)}"
        full = os.path.join(self.args.out, clip)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        if not os.path.exists(full):
            with open(full, "wb") as file:
                file.write(data)
        question = re.sub(r"^\s*<audio>\s*", "", question)
        choices = choices_of(question)
        letter = letter_of(sections["response"], choices)
        sample = {
            "id": key, "source": {"set": "cota", "id": key, "path": name or clip, "licence": self.args.licence, "sha256": digest},
            "audio": [clip], "timeline": [], "domain": "", "task": subset, "kind": subset, "question": question, "choices": choices,
            "answer": {"text": choices[ord(letter) - 97] if letter else sections["response"], "letter": letter},
            "caption": sections["caption"], "sections": sections, "turns": [], "review": {"verdict": "", "reason": "", "by": ""},
            "prompt_version": "", "teacher": "CoTA", "split": self.args.split}
        self.samples.write(json.dumps(sample, ensure_ascii=False) + "\n")
        self.kept += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--audio-column")
    parser.add_argument("--question-column")
    parser.add_argument("--answer-column")
    parser.add_argument("--split", default="train")
    parser.add_argument("--licence", default="see the data set's card")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    import pyarrow.parquet as parquet

    os.makedirs(args.out, exist_ok=True)
    converter = Converter(args)
    for path in args.files:
        number = 0
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=64):
            for row in batch.to_pylist():
                number += 1
                converter.add(row, path, number)
    print(f"{converter.rows} rows, {converter.kept} samples, {converter.rows - converter.kept} left out "
          f"({args.out}/problems.jsonl): {args.out}/samples.jsonl", file=sys.stderr)


if __name__ == "__main__":
    main()
