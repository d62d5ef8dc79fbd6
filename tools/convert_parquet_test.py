#!/usr/bin/env python3
"""Makes small parquet files in the layouts of the benchmarks' copies on Hugging Face, converts them, and runs and scores them:

    .venv/bin/python tools/convert_parquet_test.py build/release/audio-reasoner

The layouts (column names and types; the rows are ours, on clips of examples/): lmms-lab/mmau (choices as a JSON string, Audio
feature), MMAR with `choices` as a list and the clip as bare bytes, lmms-lab/AIR_Bench foundation and chat, lmms-lab/covost2 (en_zh
names the reference `translation`, zh_en `gt`), MELD with a ClassLabel. Needs pyarrow; without it, it says so and ends with 0.
"""
import json
import os
import subprocess
import sys
import tempfile

TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "convert_parquet.py")
AUDIO = {"bytes": None, "path": None}


def clip(name):
    with open(f"examples/clips/{name}.flac", "rb") as file:
        return {"bytes": file.read(), "path": f"{name}.flac"}


def mmau_row(i):
    return {"id": f"m{i}", "audio_id": f"./test-mini-audios/m{i}.wav", "question": "Who speaks?", "choices": '["Man", "Woman", "It\'s a robot", "Child"]',
            "answer": "Man", "dataset": "x", "task": "speech", "split": "test-mini", "category": ["Reasoning"] if i else "Reasoning",
            "sub-category": "who", "difficulty": "easy", "audio": clip("code")}


def foundation_row(i, task):
    return {"path": f"{i}.flac", "question": "Which?", "choice_a": "bell", "choice_b": "drum", "choice_c": None, "choice_d": None, "answer_gt": "bell",
            "task_name": task, "dataset_name": "avqa", "uniq_id": i, "audio": clip("sounds")}


CASES = {
    "mmau": [([dict(mmau_row(i), category="Reasoning") for i in range(3)], [])],
    "mmar": [([{"id": f"r{i}", "audio_path": "./audio/x.wav", "question": "Who?", "choices": ["Man", "Woman"], "answer": "Man", "modality": "speech",
                "category": "Signal Layer", "sub-category": "x", "language": None, "clip": clip("code")["bytes"]} for i in range(2)], [])],
    # The same uniq_id in two tasks is two items.
    "airbench-foundation": [([foundation_row(1, "Sound_AQA"), foundation_row(1, "Music_AQA")], [])],
    "airbench-chat": [([{"path": "1.flac", "question": "What is heard?", "answer_gt": "A bell.", "meta_info": "{'captions': ['bell']}",
                         "task_name": "sound_QA", "dataset_name": "clotho", "uniq_id": 1, "audio": clip("sounds")}], [])],
    "covost2": [([{"id": "e1", "audio": clip("code"), "sentence": "The code is eight nine.", "translation": "密码是八九。", "client_id": "c"}],
                 ["--source", "covost_en_zh_test"]),
                ([{"id": "e1", "audio": clip("code"), "gt": "The code is eight nine."}], ["--source", "covost_zh_en_test", "--append"])],
    "meld": [([{"Dialogue_ID": 3, "Utterance_ID": 1, "Utterance": "Why, no!", "emotion": 2, "audio": clip("dialogue")}], [])],
}
LABELS = {"meld": {"emotion": ["neutral", "surprise", "joy"]}}


def put(path, rows, labels):
    import pyarrow
    import pyarrow.parquet as parquet

    table = pyarrow.Table.from_pylist(rows)
    features = {name: {"names": names, "_type": "ClassLabel"} for name, names in labels.items()}
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})}), path)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def main():
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        print("NOT CHECKED: pyarrow is not installed (.venv/bin/pip install pyarrow)")
        return 0
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        for benchmark, parts in CASES.items():
            data, count = f"{work}/{benchmark}", sum(len(rows) for rows, _ in parts)
            for n, (rows, flags) in enumerate(parts):
                put(f"{work}/{benchmark}-{n}.parquet", rows, LABELS.get(benchmark, {}))
                run(sys.executable, TOOL, "--benchmark", benchmark, "--out", data, *flags, f"{work}/{benchmark}-{n}.parquet")
            answered = json.loads(run(program, "eval", "run", "--benchmark", benchmark, "--data", data, "--out", f"{work}/run-{benchmark}",
                                      "--model", "models/nano", "--max-new-tokens", "8", "--structure", "free", "--resamples", "0", "--json"))
            # Every item is there under its own id, with its clip, its question and, where it is scored, its right answer.
            counts = answered.get("score", {}).get("counts", {})
            wrong = [name for name in ("bad_gold", "bad_choices", "missing_audio", "no_source", "bad_task", "duplicate_id_in_data") if counts.get(name)]
            if answered["items"] != count or answered["answered"] != count or wrong:
                raise SystemExit(f"{benchmark}: {json.dumps(answered)[:3000]}")
            print(f"{benchmark}: {count} items converted, found, heard and scored")
    return 0


if __name__ == "__main__":
    sys.exit(main())
