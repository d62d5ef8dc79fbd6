#!/usr/bin/env python3
"""Holds our ports of the benchmarks' whole scoring scripts against the scripts themselves on random and hostile files, and prints
how many runs differ in standard output, exit status or the last line of standard error (0 is right).

    git clone https://github.com/Sakshi113/MMAU && git clone https://github.com/ddlBoJack/MMAR && git clone https://github.com/OFA-Sys/AIR-Bench
    python3 tools/fuzz_scripts.py --program build/release/audio-reasoner --cases 3000 --mmau MMAU/evaluation.py \
        --mmar MMAR/code/evaluation.py --rubrics MMAR/code/evaluation_rubrics.py --foundation AIR-Bench/score_foundation.py \
        --chat AIR-Bench/cal_score.py

The scripts are not part of this repository (MMAU @110127f, MMAR @3bce090, AIR-Bench @9832476 were used). Items have their fields
missing, null, of other types, misspelt, in other scripts and cases. Scripts run in this process, with `open` giving them the
case. Needs nothing but Python; not part of the product.
"""
import argparse
import builtins
import contextlib
import io
import json
import logging
import os
import random
import subprocess
import sys
import types

WORDS = ["Man", "woman", "a piano", "the drums", "one thousand, nine hundred and ninety-one", "Σίσυφος", "ΟΔΟΣ", "İstanbul", "é", "e\u0301",
         "ﬁ", "٣", "½", "man_made", "答案", "한국어", "👍🏽", "A", "B", "C", "D", "a", "d", "None", "E", "Call and response", "", " ", "\n", "\u00a0",
         "\ufeff", "it's", 'say "x"', "\\", "8", "9 8", "10 7", "8.5 9", "11 2", "-3 4", "07 08", "1_0 5", "８ ９", "8  9", "8\n9", "8 9\r\n", "x y",
         "\x1c", "\u2028", "\u200b", "\x00", "\x7f", "\u00ad"]
REPLIES = ["A", "B", "C", "D", "(C)", "(C).", "The answer is C", "The answer is C.", "c", "**C**", "Based on the audio, C.", "Actually B", "答案是C。",
           "\ufeffC", "C\n", "\nB", "A\nB", "None", " None ", "", "Dogs", "x", "xA", "xAy", "Ax", "Ａ", "B\u3000", "\u3000A."]
ODD = [None, 3, 0, 1.0, -2.5, 1e22, True, False, [], ["Man"], {}, {"Man": 1}, [1, None]]


class Maker:
    def __init__(self, rng):
        self.rng = rng

    def text(self):
        return self.rng.choice([" ", "", ". ", ", ", "-"]).join(self.rng.choice(WORDS) for _ in range(self.rng.randrange(1, 4)))

    def value(self, usual):
        """`usual`, now and then something that no reader of the file expects."""
        return self.rng.choice(ODD) if self.rng.random() < self.odds else usual

    def drop(self, item):
        for key in list(item):
            if self.rng.random() < self.odds:
                del item[key]
        return item

    def choice_item(self, reply_key, groups):
        rng = self.rng
        choices = [self.text() for _ in range(rng.choice([0, 1, 2, 4, 4, 4, 5, 8]))]
        answer = rng.choice(choices) if choices and rng.random() < 0.9 else self.text()
        said = rng.choice([answer, answer.upper(), "(A) " + answer, "The answer is " + answer, self.text(), rng.choice(REPLIES)])
        item = {reply_key: self.value(said), "answer": self.value(answer), "choices": self.value([self.value(c) for c in choices]), "id": "x"}
        for key, names in groups.items():
            item[key] = self.value(rng.choice(names + (["smell", names[0].upper()] if rng.random() < self.odds else [])))
        if rng.random() < 0.8:
            item["sub-category"] = self.value(rng.choice(["Temporal Reasoning", "Key highlight Extraction", "", "1", "é"]))
        return self.drop(item)

    def foundation_line(self):
        rng = self.rng
        line = {"choice_" + c: self.value(self.text()) for c in "abcd"}
        line["answer_gt"] = rng.choice([line["choice_" + rng.choice("abcd")], line["choice_a"], self.value(self.text())]) \
            if rng.random() < 0.5 + self.odds else line["choice_b"]
        if rng.random() < 0.2:
            line[rng.choice(["choice_c", "choice_d"])] = None
        line["task_name"], line["dataset_name"] = self.value(rng.choice(["Sound_AQA", "Music_AQA"])), self.value(rng.choice(["avqa", "x_y"]))
        line["response"] = self.value(rng.choice(REPLIES) + rng.choice(["", "", self.text()]))
        return self.drop(line)

    def chat_item(self, task):
        rng = self.rng
        pieces = ["8", "9", "10", "11", "-3", "+7", "08", "1_0", "_1", "８", "٩", "\u00a07", "7\t", "8.5", "x", "", "-99999999999999999999"]
        reply = "".join(rng.choice(pieces) + rng.choice([" ", " ", " ", "", "\n", "  "]) for _ in range(rng.randrange(1, 4)))
        reply = rng.choice([f"{rng.randrange(1, 11)} {rng.randrange(1, 11)}", reply])
        return self.drop({"task_name": self.value(task), "gpt-score": self.value(reply)})

    def case(self, kind):
        rng = self.rng
        self.odds = rng.choice([0, 0, 0.01, 0.1])
        n = rng.choice([0, 1, 2, 5, 20])
        if kind == "mmau":
            groups = {"task": ["sound", "music", "speech"], "difficulty": ["easy", "hard", "medium"]}
            items = [self.choice_item("model_output", groups) for _ in range(n)]
        elif kind == "mmar":
            groups = {"modality": ["sound", "mix-sound-music", "mix-sound-music-speech"], "category": ["Signal Layer", "Cultural Layer"]}
            items = [self.choice_item("answer_prediction", groups) for _ in range(n)]
        elif kind == "foundation":
            items = [self.foundation_line() for _ in range(n)]
        else:
            tasks = ["speech_QA", "speech_dialogue_QA", "sound_QA", "sound_generation_QA", "music_QA", "music_generation_analysis_QA",
                     "speech_and_sound_QA", "speech_and_music_QA"]
            items = [self.chat_item(t) for t in tasks * (1 if n else 0)] + [self.chat_item(rng.choice(tasks + ["smell_QA"])) for _ in range(n)]
        if rng.random() < self.odds:
            items.insert(rng.randrange(len(items) + 1), rng.choice(ODD + ["text", "model_output", ["model_output"], ["answer_prediction"]]))
        return items


class Script:
    """One of the benchmarks' scripts, run in this process."""

    def __init__(self, path, arguments, swapped=None):
        with open(path, encoding="utf-8") as file:
            source = file.read()
        if swapped is False:  # the other of the two file names that cal_score.py has, one of them as a comment
            source = source.replace("input_file = 'chat_score_cir.json'", "input_file = 'chat_score.json'")
        self.code, self.arguments = compile(source, path, "exec"), arguments

    def __call__(self, text):
        out, code, last = io.StringIO(), 0, ""
        argv, real_open = sys.argv, builtins.open
        sys.argv = ["script", *self.arguments]
        builtins.open = lambda *args, **kwargs: io.StringIO(text)
        try:
            with contextlib.redirect_stdout(out):
                exec(self.code, {"__name__": "__main__", "exit": sys.exit})
        except SystemExit as stop:
            code = stop.code or 0
        except Exception as error:  # what Python prints last before it ends with 1
            code, last = 1, f"{type(error).__name__}: {error}"
        finally:
            sys.argv, builtins.open = argv, real_open
        return {"stdout": out.getvalue(), "returncode": code, "stderr_last": last}


class Rubrics:
    """MMAR's prompt for a rater and how its reply is read."""

    def __init__(self, path, maker):
        os.environ.setdefault("OPENAI_API_KEY", "none")  # the script wants one before it defines anything; no request is made
        names = ("APIStatusError", "APITimeoutError", "APIConnectionError", "AsyncOpenAI")
        sys.modules["openai"] = types.SimpleNamespace(**{name: type(name, (Exception,), {}) for name in names})
        logging.disable(logging.CRITICAL)
        self.space, self.maker = {"__name__": "rubrics"}, maker
        sys.modules["rubrics"] = types.ModuleType("rubrics")
        with open(path, encoding="utf-8") as file:
            exec(compile(file.read(), path, "exec"), self.space)

    def rubric(self):
        rng = self.maker.rng
        return [{"name": self.maker.text(), "scoring_point": self.maker.text(), "choices": rng.choice([[0, 1], [0, 1], [0, 0.5, 1], [1, 2], [0]])}
                for _ in range(rng.randrange(1, 6))]

    def prompt(self):
        item = {key: self.maker.text() for key in ("question", "answer", "thinking", "thinking_prediction", "answer_prediction")}
        item["rubric"] = self.rubric()
        return {"function": "mmar_rubric_prompt", "item": item}, self.space["create_evaluation_user_prompt"](cue=[], **item)

    def reply(self):
        rng, rubric = self.maker.rng, self.rubric()
        entries = [{"name": r["name"], "score": rng.choice([*r["choices"], 1.0, True, False, 3, "1", None] if rng.random() < 0.2 else r["choices"]),
                    "justification": rng.choice(["", "[1] {x}", "}]", "[{", "é\n"])} for r in rubric]
        if rng.random() < 0.1:
            entries = rng.choice([entries[1:], entries + [1], [[]] * len(entries), entries[0], {"a": entries}, ["name score"] * len(entries)])
        text = json.dumps(entries, indent=rng.choice([None, 1]), ensure_ascii=rng.random() < 0.5)
        text = rng.choice(["", "", "```json\n", "Here: [1] ", "x {y} ", "[{", "\u3000"]) + text + rng.choice(["", "", "\n```", " Done.", "}]", " [x]", "]"])
        if rng.random() < 0.1:
            text = text.replace(rng.choice('"[]{},:'), rng.choice(["", "'", "\u00a0"]), 1)
        try:
            wanted = self.space["validate_and_score"]("", text, rubric)
        except Exception:  # its caller takes every exception for a reply that cannot be read
            wanted = None
        return {"function": "mmar_rubric_reply", "reply": text, "rubric": rubric}, wanted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/audio-reasoner")
    for name in ("mmau", "mmar", "rubrics", "foundation", "chat"):
        parser.add_argument("--" + name, required=True, metavar="SCRIPT")
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3)
    args = parser.parse_args()
    sys.modules["tqdm"] = types.SimpleNamespace(tqdm=lambda x: x)  # MMAU's progress bar
    runs = [("mmau", "mmau_aggregate", "items", Script(args.mmau, ["--input", "x.json"]), {}),
            ("mmar", "mmar_aggregate", "items", Script(args.mmar, ["--input", "x.json"]), {}),
            ("foundation", "airbench_foundation_aggregate", "lines", Script(args.foundation, []), {}),
            ("chat", "airbench_chat_aggregate", "items", Script(args.chat, [], False), {}),
            ("chat", "airbench_chat_aggregate", "items", Script(args.chat, []), {"swapped": True})]
    ours = subprocess.Popen([args.program, "eval", "function"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    maker, different, ended, printed = Maker(random.Random(args.seed)), 0, 0, {}

    def answer(call):
        ours.stdin.write((json.dumps(call) + "\n").encode())
        ours.stdin.flush()
        return json.loads(ours.stdout.readline())

    rubrics = Rubrics(args.rubrics, maker)
    for i in range(args.cases):
        call, wanted = rubrics.prompt() if i % 4 == 0 else rubrics.reply()
        got = answer(call)
        got = got.get("score") if isinstance(got, dict) else got
        if got == wanted or (isinstance(wanted, float) and isinstance(got, float) and abs(got - wanted) < 1e-12):
            continue
        different += 1
        printed["rubrics"] = printed.get("rubrics", 0) + 1
        if printed["rubrics"] <= args.show:
            print(f"{json.dumps(call, ensure_ascii=False)[:1500]}\n  wanted {wanted!r}\n  got    {got!r}", file=sys.stderr)
    for i in range(args.cases):
        kind, function, key, script, more = runs[i % len(runs)]
        items = maker.case(kind)
        text = "".join(json.dumps(x) + "\n" for x in items) if kind == "foundation" else json.dumps(items)
        wanted = script(text)
        got = answer({"function": function, key: items, **more})
        ended += wanted["returncode"] != 0
        if wanted["stderr_last"]:
            # What a script that ends with an exception has printed before it is no result; cases hold the exception's line.
            wanted.pop("stdout") if kind in ("mmau", "mmar") and "division" not in wanted["stderr_last"] else None
        if all(got.get(k) == v for k, v in wanted.items()):
            continue
        different += 1
        printed[kind] = printed.get(kind, 0) + 1
        if printed[kind] <= args.show:
            print(f"{function}: {json.dumps(items, ensure_ascii=False)[:1500]}\n  wanted {json.dumps(wanted)[-700:]}\n  got    "
                  f"{json.dumps({k: got.get(k) for k in wanted})[-700:]}", file=sys.stderr)
    ours.stdin.close()
    ours.wait()
    print(f"{args.cases} files (seed {args.seed}), {ended} of which end the script with an error, {args.cases} rubric prompts and replies: "
          f"{different} differences")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
