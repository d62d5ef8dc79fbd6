#!/usr/bin/env python3
"""Share of questions that two answer files (`audio-reasoner ask --jsonl`) answer alike: tools/compare_answers.py A.jsonl B.jsonl

Responses are compared without regard to case and white space; the share of wholly equal texts stands beside it. The interval is
Wilson's at 95 %.
"""
import json
import math
import sys


def load(path):
    with open(path, encoding="utf-8") as lines:
        return {answer["id"]: answer for answer in map(json.loads, filter(str.strip, lines))}


def response(answer):
    return " ".join(answer["sections"]["response"].lower().split())


def wilson(hits, count):
    z, p = 1.96, hits / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return middle - half, middle + half


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    a, b = load(sys.argv[1]), load(sys.argv[2])
    ids = a.keys() & b.keys()
    if not ids:
        sys.exit("the files have no question in common")
    same = sum(response(a[i]) == response(b[i]) for i in ids)
    texts = sum(a[i]["text"] == b[i]["text"] for i in ids)
    low, high = wilson(same, len(ids))
    print(f"{same} of {len(ids)} responses equal: {same / len(ids):.1%} ({low:.1%} to {high:.1%}); whole texts {texts / len(ids):.1%}")


if __name__ == "__main__":
    main()
