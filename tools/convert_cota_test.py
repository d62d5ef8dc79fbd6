#!/usr/bin/env python3
"""Runs convert_cota.py on a parquet file in the layout in which CoTA's rows have been shown. Needs pyarrow (.venv)."""
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import wave

HERE = os.path.dirname(os.path.abspath(__file__))


def clip(value):
    out = io.BytesIO()
    with wave.open(out, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(16000)
        w.writeframes(bytes([value, 1]) * 1600)
    return out.getvalue()


CHAIN = ("<think>\n<PLANNING>\nI plan.</PLANNING>\n<CAPTION>\nTwo people.</CAPTION>\n<REASONING>\n- One\n- Two</REASONING>\n"
         "<SUMMARY>\nBoth.</SUMMARY>\n</think>\n<RESPONSE>\nSo the answer is C.</RESPONSE>\n")


class ConvertCota(unittest.TestCase):
    def test_rows_as_shown(self):
        try:
            import pyarrow
            import pyarrow.parquet as parquet
        except ImportError:
            self.skipTest("pyarrow is not here (.venv/bin/pip install pyarrow)")
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(f"{folder}/SER/MELD")
            question = "Which scenario fits? (a) A heartfelt apology (b) A quarrel (c) A joke (d) A farewell"
            rows = [{"audio": {"bytes": clip(1), "path": "a.wav"}, "instruction": question, "output": CHAIN},
                    {"audio": {"bytes": clip(1), "path": "b.wav"}, "instruction": "<audio>What is said?", "output": CHAIN.lower().replace("</summary>", "")},
                    {"audio": {"bytes": clip(2), "path": "c.wav"}, "instruction": question, "output": CHAIN.replace("\n", "\\n")},
                    {"audio": {"bytes": clip(3), "path": "d.wav"}, "instruction": question, "output": "no chain"},
                    {"audio": {"bytes": b"", "path": "e.wav"}, "instruction": question, "output": CHAIN},
                    {"audio": {"bytes": clip(4), "path": "f.wav"}, "instruction": "", "output": CHAIN}]
            path = f"{folder}/SER/MELD/train-00000.parquet"
            parquet.write_table(pyarrow.Table.from_pylist(rows), path)
            subprocess.run([sys.executable, f"{HERE}/convert_cota.py", "--out", f"{folder}/out", path], check=True, stderr=subprocess.DEVNULL)
            samples = [json.loads(line) for line in open(f"{folder}/out/samples.jsonl", encoding="utf-8")]
            problems = [json.loads(line)["what"] for line in open(f"{folder}/out/problems.jsonl", encoding="utf-8")]
            self.assertEqual(problems, ["no PLANNING", "no clip", "no question"])
            self.assertEqual(len(samples), 3)
            self.assertEqual(samples[0]["choices"], ["A heartfelt apology", "A quarrel", "A joke", "A farewell"])
            self.assertEqual(samples[0]["answer"], {"text": "A joke", "letter": "c"})
            self.assertEqual(samples[0]["task"], "SER/MELD")
            self.assertEqual(samples[1]["question"], "What is said?")
            self.assertEqual(samples[1]["sections"]["summary"], "both.")
            self.assertEqual(samples[2]["sections"]["reasoning"], "- One\n- Two")
            self.assertEqual(samples[0]["audio"], samples[1]["audio"], "one clip is kept once")
            with open(f"{folder}/out/{samples[2]['audio'][0]}", "rb") as file:
                self.assertEqual(file.read(), clip(2))
            binary = os.environ.get("AREASON_BINARY")
            if binary:
                out = subprocess.run([binary, "data", "export", "--samples", f"{folder}/out/samples.jsonl", "--keep", "all", "--out", f"{folder}/x"],
                                     check=True, capture_output=True, text=True).stdout
                self.assertIn("3 samples", out)


if __name__ == "__main__":
    unittest.main()
