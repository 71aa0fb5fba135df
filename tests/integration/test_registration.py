"""Every claim of these files is registered with ctest: a test that nobody runs proves nothing."""

from __future__ import annotations

import pathlib
import re
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class Registration(unittest.TestCase):
    def test_every_claim_is_registered(self) -> None:
        for folder in (HERE, HERE.parent / "windows"):
            listed = set((folder / "CMakeLists.txt").read_text(encoding="utf-8").split())
            listed = {word.rstrip(")") for word in listed}
            for file in folder.glob("test_*.py"):
                if file.name == pathlib.Path(__file__).name:
                    continue
                claims = re.findall(r"^    def test_(\w+)", file.read_text(encoding="utf-8"),
                                    re.MULTILINE)
                self.assertNotEqual(claims, [], file.name)
                self.assertEqual([claim for claim in claims if claim not in listed], [], file.name)


if __name__ == "__main__":
    unittest.main()
