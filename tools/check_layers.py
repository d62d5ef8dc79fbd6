#!/usr/bin/env python3
"""Checks what the house rules promise about the shape of the code (run by scripts/check-layers).

Errors: an include that goes down the layer order, torch outside src/libtorch and src/train, a file above 700 lines, a function above 80, a
header without "#pragma once" and an opening comment, a process-ending call on input, two types of one name in one namespace
(the linker takes them for one), a test that writes below /tmp by a name of its own.
Warnings: more than 4 parameters, a bare bool parameter in a header, files above 400 and functions above 40 lines.
"""
import os
import re
import sys

FILE_HARD, FILE_SOFT = 700, 400
FUNCTION_HARD, FUNCTION_SOFT = 80, 40
PARAMETERS = 4
NOT_A_FUNCTION = re.compile(r"\b(namespace|class|struct|union|enum|if|for|while|switch|catch|do|else|try|return)\b")
SHARED_PATH = re.compile(r'\bTempDir\(\)|\btemp_directory_path\b|"/tmp/')
ENDS_PROCESS = re.compile(r"(?<![\w.>])(?:std::)?(?:exit|abort|quick_exit|assert)\s*\(")

errors, warnings = [], []
types = {}  # (namespace, name) -> the file that defines it


def layer_order():
    """CMakeLists.txt owns the order."""
    with open("CMakeLists.txt", encoding="utf-8") as f:
        match = re.search(r"set\(AREASON_LAYERS\s+([a-z\s]+?)\s+CACHE", f.read())
    return match.group(1).split()


def blank_out(code):
    """Code with comments, strings and characters blanked, line breaks kept."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\s\\]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
        re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), code)


def parameters(head):
    """The parameter list of a function head: the text in the first balanced pair of parentheses, split at commas."""
    start = head.find("(")
    depth, angle, item, items = 0, 0, "", []
    for c in head[start:]:
        if c in "([{":
            depth += 1
            if depth == 1:
                continue
        if c in ")]}":
            depth -= 1
            if depth == 0:
                break
        angle += {"<": 1, ">": -1}.get(c, 0)
        if c == "," and depth == 1 and angle == 0:
            items.append(item)
            item = ""
        else:
            item += c
    items.append(item)
    return [i.strip() for i in items if i.strip() and i.strip() != "void"]


def functions(code):
    """Yields (head, first line, number of lines) of every function that is not inside another one. Lines of a table in it
    ("= {" to "}") are data and do not count."""
    head_from, stack, inside, table = 0, [], 0, 0
    for i, c in enumerate(code):
        if c == ";" and not inside:
            if not stack or stack[-1][0] != "(":
                head_from = i + 1
        elif c == "{":
            head = code[head_from:i].strip()
            head = re.sub(r"^\s*#[^\n]*$", "", head, flags=re.M).strip()
            kind = "other"
            if not inside:
                before = re.sub(r"^(public|private|protected)\s*:", "", head).strip()
                is_init = re.search(r"\)\s*(noexcept\s*)?:\s", before) and re.search(r"[\w>]\s*$", before)
                if is_init:
                    kind = "init"
                elif "(" in before and not NOT_A_FUNCTION.match(before) and "=" not in before.split("(")[0].replace("operator=", ""):
                    kind = "function"
                elif re.search(r"(=|\breturn)\s*$", before):
                    kind = "init"
            elif re.search(r"(=|\breturn)\s*$", code[max(0, i - 20):i]) and not any(k == "table" for k, _, _ in stack):
                kind = "table"
            stack.append((kind, head, i))
            if kind == "function":
                inside += 1
            if kind != "init":
                head_from = i + 1
        elif c == "}" and stack:
            kind, head, start = stack.pop()
            if kind == "function":
                inside -= 1
                first = code.count("\n", 0, code.find(head[:40], max(0, start - len(head) - 200))) + 1
                yield head, first, code.count("\n", 0, i) + 1 - first + 1 - table
                table = 0
            elif kind == "table":
                table += code.count("\n", start, i)
            if kind != "init" and not inside:
                head_from = i + 1


def check_includes(path, code, order):
    parts = path.split(os.sep)
    layer = parts[1] if parts[0] == "src" and len(parts) > 2 else None
    for number, line in enumerate(code.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
        if not match:
            continue
        top = match.group(2).split("/")[0]
        if top in ("torch", "ATen", "c10") and layer not in ("train", "libtorch"):
            errors.append(f"{path}:{number}: torch outside src/libtorch and src/train")
        if layer and match.group(1) == '"' and top != layer:
            if top not in order:
                errors.append(f"{path}:{number}: {match.group(2)}: no such layer (includes start from src/)")
            elif order.index(top) > order.index(layer):
                errors.append(f"{path}:{number}: src/{layer} may not include {match.group(2)}: it lies below in the layer order")


def check_functions(path, code):
    for head, first, length in functions(code):
        name = re.sub(r"\s+", " ", head.split("(")[0]).strip().split(" ")[-1]
        if name == "TEST" or name.startswith("TEST_"):
            name = re.sub(r"\s+", "", head)
        if length > FUNCTION_HARD:
            errors.append(f"{path}:{first}: {name} has {length} lines, the limit is {FUNCTION_HARD}")
        elif length > FUNCTION_SOFT:
            warnings.append(f"{path}:{first}: {name} has {length} lines")
        if not name.startswith("TEST") and len(parameters(head)) > PARAMETERS:
            warnings.append(f"{path}:{first}: {name} has {len(parameters(head))} parameters")


def check_header(path, text, code):
    if not re.match(r"(//[^\n]*\n)*#pragma once\n", text):
        errors.append(f"{path}:1: a header starts with #pragma once")
    elif not re.match(r"//|#pragma once\n//", text):
        errors.append(f"{path}:2: a header opens with a comment: what it is for, who calls it, its thread rule")
    for match in re.finditer(r"[(,]\s*bool\s+\w+\s*(?:=\s*\w+\s*)?[,)]", code):
        warnings.append(f"{path}:{code.count(chr(10), 0, match.start()) + 1}: a bare bool parameter; an enum says more")


def check_types(path, text):
    """Types and aliases of types at namespace level, but for those of anonymous namespaces."""
    code = blank_out(re.sub(r"^namespace \{\n.*?^\}  // namespace\n", "", text, flags=re.S | re.M))
    place = re.search(r"^namespace ([\w:]+) \{", code, flags=re.M)
    defined = r"^(?:(?:struct|class|enum class) (\w+)(?: final)?(?: ?:(?!:)[^;{]*)? ?\{|using (\w+) =)"
    for match in re.finditer(defined, code, flags=re.M):
        key = (place.group(1) if place else "", match.group(1) or match.group(2))
        if types.setdefault(key, path) != path:
            errors.append(f"{path}: a type {match.group(1)} is defined in {types[key]} too")


def check_scratch(path, text):
    """ctest runs tests beside each other: one folder for two of them, or for two users, is a test that fails now and then."""
    if path.endswith(("_test.cpp", "testing.h")) or path.startswith("tests"):
        for number, line in enumerate(re.sub(r"//[^\n]*", "", text).splitlines(), 1):
            if SHARED_PATH.search(line) and "mkdtemp" not in text:
                errors.append(f"{path}:{number}: not a path of this test alone; ScratchDir or scratch_path() of base/testing.h is")


def check(path, order):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    lines = text.count("\n")
    if lines > FILE_HARD:
        errors.append(f"{path}: {lines} lines, the limit is {FILE_HARD}")
    elif lines > FILE_SOFT:
        warnings.append(f"{path}: {lines} lines")
    if not path.endswith((".h", ".cpp")):
        return
    code = blank_out(text)
    check_includes(path, re.sub(r"//[^\n]*", "", text), order)
    check_functions(path, code)
    check_scratch(path, text)
    if path.endswith(".h"):
        check_header(path, text, code)
    if path.startswith("src") and not path.endswith("_test.cpp"):
        check_types(path, text)
    if not path.endswith("_test.cpp") and path.startswith("src"):
        for number, line in enumerate(code.splitlines(), 1):
            if ENDS_PROCESS.search(line):
                errors.append(f"{path}:{number}: ends the process; throw areason::Error instead")


def main():
    order = layer_order()
    paths = []
    for top in ("src", "tests", "tools", "bench", "include"):
        for folder, _, names in os.walk(top):
            paths += [os.path.join(folder, n) for n in names if n.endswith((".h", ".cpp", ".py"))]
    for path in sorted(paths):
        check(path, order)
    for folder in sorted(os.listdir("src")):
        if os.path.isdir(os.path.join("src", folder)) and folder not in order:
            errors.append(f"src/{folder}: not in AREASON_LAYERS of CMakeLists.txt")
    if "-v" in sys.argv:
        for line in warnings:
            print("warning:", line)
    for line in errors:
        print("error:", line)
    print(f"layers: {len(paths)} files, {len(errors)} errors, {len(warnings)} warnings (-v lists them)")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
