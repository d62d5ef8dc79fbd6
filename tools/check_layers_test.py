#!/usr/bin/env python3
"""Shows check_layers.py broken code and expects it to object. Run by scripts/check-layers."""
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_layers.py")
LONG = "int f() {\n" + "  g();\n" * 90 + "}\n"


class CheckLayers(unittest.TestCase):
    def run_on(self, files):
        with tempfile.TemporaryDirectory() as root:
            files = {"CMakeLists.txt": "set(AREASON_LAYERS base audio cli CACHE STRING)\n", "src/base/ok.cpp": "", **files}
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                    f.write(text)
            done = subprocess.run([sys.executable, SCRIPT, "-v"], cwd=root, capture_output=True, text=True, check=False)
            return done.returncode, done.stdout

    def expect(self, path, text, complaint):
        code, output = self.run_on({path: text})
        self.assertIn(complaint, output)
        self.assertEqual(code, 0 if output.startswith("warning") and "error:" not in output else 1, output)

    def test_accepts_good_code(self):
        code, output = self.run_on({
            "src/audio/a.h": '#pragma once\n// What it is for.\n#include "base/b.h"\nint f(int a);\n',
            "src/audio/a.cpp": '#include "audio/a.h"\nnamespace areason {\nstruct S {\n  S() : a_{1} {\n    x();\n  }\n  int a_;\n};\n}\n'})
        self.assertEqual(code, 0, output)
        self.assertIn("0 errors, 0 warnings", output)

    def test_layer_order(self):
        self.expect("src/base/b.cpp", '#include "cli/commands.h"\n', "src/base may not include cli/commands.h")
        self.expect("src/base/b.cpp", '#include "nowhere/x.h"\n', "no such layer")
        self.expect("src/base/b.cpp", "#include <torch/torch.h>\n", "torch outside")
        self.expect("src/new/b.cpp", "int a;\n", "not in AREASON_LAYERS")

    def test_sizes(self):
        self.expect("src/base/b.cpp", "int a;\n" * 701, "701 lines, the limit is 700")
        self.expect("src/base/b.cpp", "namespace a {\n" + LONG + "}\n", "f has 92 lines")
        self.expect("src/base/b.cpp", "struct A {\n  A() : b_(1), c_{2} {" + "\n g();" * 90 + "\n}\n};\n", "A has 92 lines")
        self.expect("src/base/b_test.cpp", LONG.replace("int f()", "TEST(A, B)"), "TEST(A,B) has 92 lines")

    def test_tables_are_data(self):
        table = "const V& f() {\n  static const V v = {\n" + "    {1, {2}},\n" * 90 + "  };\n  return v;\n}\n"
        code, output = self.run_on({"src/base/b.cpp": table})
        self.assertIn("0 errors, 0 warnings", output)
        self.assertEqual(code, 0)

    def test_headers(self):
        self.expect("src/base/b.h", "int late;\n#pragma once\n", "starts with #pragma once")
        self.expect("src/base/b.h", "#pragma once\nint a;\n", "opens with a comment")
        self.expect("src/base/b.h", "#pragma once\n// x\nvoid f(int a, bool b);\n", "bare bool")

    def test_types_have_one_definition(self):
        header = "#pragma once\n// x\nnamespace areason {\nstruct Clip {\n  int a;\n};\n}\n"
        _, output = self.run_on({"src/base/a.h": header, "src/audio/b.h": header})
        self.assertIn("a type Clip is defined in", output)
        alias = "#pragma once\n// x\nnamespace areason {\nusing Clip = std::vector<int>;\n}\n"
        _, output = self.run_on({"src/base/a.h": header, "src/audio/b.h": alias})
        self.assertIn("a type Clip is defined in", output)
        inside = "#pragma once\n// x\nnamespace areason {\nstruct Other {\n  using Clip = int;\n};\n}\n"
        code, output = self.run_on({"src/base/a.h": header, "src/audio/b.h": inside})
        self.assertEqual(code, 0, output)
        hidden = "namespace areason {\nnamespace {\nstruct Clip {\n  int a;\n};\n}  // namespace\n}\n"
        code, output = self.run_on({"src/base/a.h": header, "src/audio/b.cpp": hidden})
        self.assertEqual(code, 0, output)

    def test_scratch_paths(self):
        for call in ("testing::TempDir() + x", "std::filesystem::temp_directory_path()", 'open("/tmp/x")'):
            self.expect("src/base/b_test.cpp", f"int a = {call};\n", "not a path of this test alone")
        code, output = self.run_on({"src/base/b_test.cpp": 'int a = open(scratch_path("x"));\n', "src/base/b.cpp": 'f("/tmp/x");\n'})
        self.assertEqual(code, 0, output)

    def test_ends_process(self):
        self.expect("src/base/b.cpp", "void f() {\n  std::exit(1);\n}\n", "ends the process")

    def test_ignores_comments_and_strings(self):
        code, output = self.run_on({"src/base/b.cpp": 'void f() {\n  // exit(1) {\n  g("abort() {");\n  h(R"(assert( {)");\n}\n'})
        self.assertEqual(code, 0, output)


if __name__ == "__main__":
    unittest.main()
