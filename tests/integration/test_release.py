"""What `make dist` puts together from binaries that are built, unsigned and uncompressed: the same
from any folder, complete, listed by hash, and without touching what vendors made."""

from __future__ import annotations

import functools
import pathlib
import sys
import tempfile
import unittest
import zipfile
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools/release")]

import dist  # noqa: E402  (found through the path above)
import files  # noqa: E402
import setup  # noqa: E402
from vendor_profile import OWN, read_profile  # noqa: E402


class Release(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_setup_is_the_same_from_any_folder(self) -> None:
        hashes = [files.sha256(setup.make(setup.Wish(
            read_profile(OWN), files.source_version(), None, self.folder / name, None, quick=True)))
            for name in ("a", "one with blanks/and another below")]
        self.assertEqual(*hashes)

    def test_a_release_lists_every_file_and_leaves_those_of_vendors(self) -> None:
        place = self.folder / "dist"
        (place / "example-audio").mkdir(parents=True)
        (place / "example-audio/setup.exe").write_text("a vendor's")
        (place / "asio-driver-0.0.1-setup.exe").write_text("an old one")
        programs = {name: self.folder / name for name in dist.LINUX}
        for path in programs.values():
            path.write_text(path.name)
        with (mock.patch.object(dist, "DIST", place), mock.patch.object(dist, "LINUX", programs),
              mock.patch.object(setup, "Wish", functools.partial(setup.Wish, quick=True))):
            made = dist.make(None)
        self.assertEqual({path.relative_to(place).as_posix() for path in place.rglob("*")
                          if path.is_file()},
                         {path.name for path in made} | {"example-audio/setup.exe"})
        listed = dict(reversed(line.split("  ")) for line in
                      (place / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
        self.assertEqual(set(listed), {path.name for path in made} - {"SHA256SUMS"} | set(
            files.WINDOWS))
        for path in made:
            if path.name != "SHA256SUMS":
                self.assertEqual(listed[path.name], files.sha256(path), path.name)
        (archive,) = place.glob("*-windows.zip")
        with zipfile.ZipFile(archive) as packed:
            inside = {name.partition("/")[2] for name in packed.namelist()}
        self.assertLessEqual({"asio-driver.dll", "x86/asio-driver.dll", "README.md", "notices.txt",
                              "docs/installation.md", "docs/decisions/README.md"}, inside)


if __name__ == "__main__":
    unittest.main()
