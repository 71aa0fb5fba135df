"""Canaries: each checker must report a violation planted for it, and nothing in clean code."""

from __future__ import annotations

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import check_format
import check_includes
import check_rules
import check_scripts
from sources import ROOT, SourceFile, code_only

EDGES = check_includes.read_edges((ROOT / "cmake/modules.cmake").read_text(encoding="utf-8"))


def include_findings(path: str, text: str) -> list[str]:
    return [str(finding) for finding in check_includes.check([SourceFile(path, text)], EDGES)]


def rule_findings(path: str, text: str) -> list[str]:
    return [str(finding) for finding in check_rules.check([SourceFile(path, text)])]


class IncludeCanaries(unittest.TestCase):
    """One planted include per promise."""

    PLANTED = (
        ("core/base/a.hpp", '#include "core/engine/engine.hpp"'),      # upward
        ("core/engine/a.cpp", '#include "core/wire/section.hpp"'),     # the engine knows no wire
        ("core/engine/a.cpp", '#include "platform/platform.hpp"'),
        ("asio/front.cpp", '#include "core/engine/engine.hpp"'),       # no engine in the DLL
        ("asio/front.cpp", '#include "service/config.hpp"'),
        ("asio/front.cpp", '#include "platform/platform.hpp"'),        # only an entry file may
        ("ipc/server/a.cpp", '#include "ipc/client/service_link.hpp"'),
        ("devices/simulated/a.cpp", '#include "devices/wasapi/a.hpp"'),
        ("host/a.cpp", '#include "service/config.hpp"'),
        ("simulation/a.cpp", '#include "cli/commands.hpp"'),
        ("newfolder/a.cpp", '#include "core/base/units.hpp"'),         # a folder without an edge
        ("core/audio/a.cpp", '#include "../base/units.hpp"'),
        ("core/engine/a.cpp", "#include <windows.h>"),
        ("ipc/client/a.cpp", "#include <windows.h>"),
        ("core/wire/a.cpp", "#  include <unistd.h>"),
        ("platform/windows/a.cpp", "#include <sys/mman.h>"),
        ("platform/posix/a.cpp", "#include <windows.h>"),
        ("platform/posix/a.cpp", "#include <netinet/in.h>"),           # no network anywhere
        ("service/a.cpp", "#include <winsock2.h>"),
        ("asio/a.cpp", "#include <thread>"),                           # absent in the DLL's model
        ("host/a.cpp", "#include <mutex>"),
        ("asio/a.cpp", "#include <iostream>"),
        ("core/wire/a.cpp", "#include <spdlog/spdlog.h>"),
        ("core/engine/a.cpp", "#include <nlohmann/json.hpp>"),
        ("core/base/a.hpp", "#include <gtest/gtest.h>"),
        ("core/base/a.hpp", "#include <boost/asio.hpp>"),              # unknown library
        ("core/base/a.hpp", "#include <strange.h>"),                   # unknown header
    )

    def test_every_planted_include_is_reported_with_its_line(self) -> None:
        for path, include in self.PLANTED:
            with self.subTest(path=path, include=include):
                found = include_findings(path, f"// line one\n\n{include}\n")
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{path}:3: "), found)

    def test_allowed_includes_are_silent(self) -> None:
        for path, include in (
                ("core/engine/a.cpp", '#include "core/ports/clock.hpp"'),
                ("core/engine/a.cpp", '#include "core/engine/engine.hpp"'),
                ("asio/front.cpp", '#include "ipc/client/service_link.hpp"'),
                ("asio/dll_main.cpp", '#include "platform/platform.hpp"'),
                ("asio/dll_main.cpp", "#include <windows.h>"),
                ("platform/posix/a.cpp", "#include <sys/mman.h>"),
                ("core/base/a_test.cpp", "#include <gtest/gtest.h>"),
                ("platform/a_test.cpp", "#include <thread>"),
                ("core/base/a.hpp", "#include <tl/expected.hpp>")):
            with self.subTest(path=path, include=include):
                self.assertEqual(include_findings(path, include + "\n"), [])

    def test_a_file_that_does_not_exist_is_reported(self) -> None:
        file = SourceFile("core/base/a.hpp", '#include "core/base/gone.hpp"\n')
        self.assertEqual(len(check_includes.check([file], EDGES, {"core/base/a.hpp"})), 1)

    def test_the_table_of_edges_is_read_whole(self) -> None:
        self.assertGreaterEqual(len(EDGES), 14)
        self.assertEqual(EDGES["core/base"], set())
        self.assertIn("ipc/client", EDGES["asio"])
        with self.assertRaises(ValueError):
            check_includes.read_edges("set(OTHER)\n")


class RuleCanaries(unittest.TestCase):
    PLANTED = (
        ("asio/a.cpp", "std::thread worker;"),
        ("ipc/client/a.cpp", "std::mutex lock;"),
        ("platform/windows/a.cpp", "thread_local int depth = 0;"),
        ("core/engine/a.cpp", "std::cout << 1;"),
        ("service/a.cpp", 'printf("x");'),
        ("core/wire/a_test.cpp", "std::this_thread::sleep_for(x);"),
        ("tests/integration/a.cpp", "usleep(5);"),
        ("service/a.cpp", "std::this_thread::sleep_for(x);"),
        ("core/engine/a.cpp", "auto now = std::chrono::steady_clock::now();"),
        ("service/a.cpp", "int r = rand();"),
        ("host/a.cpp", "using namespace std;"),
        ("host/a.cpp", "sprintf(text, format);"),
        ("core/base/a.hpp", "#pragma once\nstd::expected<int, int> x;"),
        ("cli/a.cpp", "// TO" "DO later"),
        ("docs/a.md", "see /wo" "rk/main"),
        ("docs/a.md", "see /ho" "me/somebody"),
        ("service/a.cpp", r'return base + "\\asio-driver\\config.toml";'),
        ("service/a.cpp", 'return base + "/asio-driver/config.toml";'),
        ("cli/a.cpp", "int a;\t"),
        ("cli/a.cpp", "int a; "),
        ("cli/a.cpp", "// " + "x" * 98),
        ("cli/Wrong.cpp", "int a;"),
        ("cli/a.hpp", "int a;"),
        ("elsewhere/a.cpp", "int a;"),
        ("asio/a.cpp", "switch (c) {\n case ErrorCode::internal: return;\n default: return;\n}"),
        ("cli/a.cpp", "int a;\n" * 601),
    )

    def test_every_planted_violation_is_reported(self) -> None:
        for path, text in self.PLANTED:
            with self.subTest(path=path, text=text[:60]):
                self.assertNotEqual(rule_findings(path, text + "\n"), [])

    def test_clean_code_is_silent(self) -> None:
        for path, text in (
                ("core/engine/a.cpp", '// std::cout, printf( in a comment\nauto t = "rand()";'),
                ("platform/posix/a.cpp", "clock_nanosleep(a, b, c, d);"),
                ("cli/a.cpp", 'std::printf("x");'),
                ("platform/measure.cpp", 'int main() { std::printf("x"); }'),
                ("core/wire/a.cpp", "std::snprintf(text, size, format);"),
                ("asio/a.cpp", "switch (n) {\n case 1: break;\n default: break;\n}"),
                ("service/a.cpp", "std::mutex lock;"),
                ("core/base/a.hpp", "#pragma once\nint a = 1'000'000;")):
            with self.subTest(path=path, text=text):
                self.assertEqual(rule_findings(path, text + "\n"), [])

    def test_an_error_switch_beside_another_switch_is_told_apart(self) -> None:
        text = ("switch (n) { case 1: break; default: break; }\n"
                "switch (code) { case ErrorCode::internal: break; }\n")
        self.assertEqual(rule_findings("asio/a.cpp", text), [])

    def test_the_trademark_is_named_exactly_once(self) -> None:
        name = "Stein" "berg"
        for readme, other, expected in ((name, "", 0), ("", "", 1), (f"{name} {name}", "", 1),
                                        (name, name, 1)):
            files = [SourceFile("README.md", readme + "\n"), SourceFile("docs/a.md", other + "\n")]
            self.assertEqual(len(check_rules.check_trademark(files)), expected, (readme, other))

    def test_a_broken_link_is_reported_and_a_good_one_is_not(self) -> None:
        files = [SourceFile("docs/a.md", "[x](b.md) [y](../README.md#top) [z](gone.md) "
                                         "[w](https://example.org/gone)\n")]
        found = check_rules.check_links(files, {"docs/a.md", "docs/b.md", "README.md"})
        self.assertEqual([finding.text for finding in found], ["the link leads nowhere: gone.md"])


class ScriptCanaries(unittest.TestCase):
    def test_broken_scripts_are_reported(self) -> None:
        for path, text in (("a.sh", "#!/bin/sh\nif true; then\n"), ("a.py", "def f(:\n")):
            self.assertEqual(len(check_scripts.check(SourceFile(path, text))), 1, path)


class Dividers(unittest.TestCase):
    def test_long_and_broken_dividers_become_one_line_of_the_full_width(self) -> None:
        whole = "  // --- engine thread " + "-" * 77
        self.assertEqual(len(whole), 100)
        for text in (whole, whole + "--", "  // --- engine thread\n  // " + "-" * 78):
            self.assertEqual(check_format.even_dividers(text + "\nint a;\n"), whole + "\nint a;\n")
        self.assertEqual(check_format.even_dividers("// --- no divider\nint a;\n"),
                         "// --- no divider\nint a;\n")


class Reader(unittest.TestCase):
    def test_blanking_keeps_line_numbers_and_code(self) -> None:
        text = 'int a; // x\n/* two\nlines */ int b = \'"\'; auto s = R"(raw "text")"; int c;\n'
        code = code_only(text)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertIn("int c;", code)
        self.assertNotIn("raw", code)
        self.assertNotIn("two", code)


if __name__ == "__main__":
    unittest.main()
