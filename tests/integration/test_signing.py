"""Signing with a configured certificate, as a release does: what the environment may say, and a
chain whose key is locked. Needs osslsigncode, and no Windows."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/release"))

import files  # noqa: E402  (found through the path above)
import signing  # noqa: E402
from signed_files import Authority, run, tampered  # noqa: E402

PASSWORD = "not-for-anybodys-eyes"


@contextlib.contextmanager
def environment(**wishes: pathlib.Path | str) -> Iterator[None]:
    others = {name: value for name, value in os.environ.items()
              if not name.startswith(signing.PREFIX)}
    ours = {signing.PREFIX + name: str(value) for name, value in wishes.items()}
    with mock.patch.dict(os.environ, others | ours, clear=True):
        yield


class Wishes(unittest.TestCase):
    def test_half_a_configuration_never_becomes_the_test_certificate(self) -> None:
        here = __file__
        for wishes, says in (
                ({"PASSWORD_FILE": here}, "CERT is missing"),
                ({"TIMESTAMP": "http://a.example"}, "CERT is missing"),
                ({"CERT": here}, "KEY is missing"),
                ({"CERT": here, "KEY": here}, "CA is missing"),
                ({"CERTIFICATE": here}, "CERTIFICATE is unknown"),
                ({"CERT": here, "KEY": here, "CA": "/nowhere"}, "there is no file /nowhere")):
            with self.subTest(**wishes), environment(**wishes):
                with self.assertRaisesRegex(signing.SigningError, says):
                    signing.identity()
        with environment(CERT=here, KEY=here, CA=here, TIMESTAMP="http://a.example"):
            self.assertFalse(signing.identity().is_test)


class Chain(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.authority = Authority(self.folder)
        self.binary = self.folder / "host.exe"
        shutil.copyfile(files.built("asio-host.exe"), self.binary)
        (self.folder / "password").write_text(PASSWORD + "\n", encoding="ascii")
        (self.folder / "wrong").write_text("wrong\n", encoding="ascii")
        run("openssl", "pkey", "-in", self.folder / "vendor.key", "-aes256", "-passout",
            f"file:{self.folder / 'password'}", "-out", self.folder / "locked.key")

    def wishes(self, **other: pathlib.Path) -> contextlib.AbstractContextManager[None]:
        return environment(**({"CERT": self.folder / "vendor.pem", "CA": self.folder / "root.pem",
                               "KEY": self.folder / "locked.key"} | other))

    def test_a_locked_key_signs_and_its_password_appears_nowhere(self) -> None:
        with (self.wishes(PASSWORD_FILE=self.folder / "password"),
              mock.patch.object(subprocess, "run", wraps=subprocess.run) as ran):
            who = signing.identity()
            signing.sign(self.binary, who)
            signing.verify(self.binary, who)
        self.assertIn(str(self.folder / "password"), str(ran.call_args_list))
        self.assertNotIn(PASSWORD, str(ran.call_args_list))

    def test_what_cannot_be_signed_or_is_not_as_it_was_signed_is_said(self) -> None:
        for other in ({}, {"PASSWORD_FILE": self.folder / "wrong"}):
            with self.wishes(**other), self.assertRaises(signing.SigningError) as caught:
                signing.sign(self.binary, signing.identity())
            self.assertNotIn(PASSWORD, str(caught.exception))
            self.assertFalse((self.folder / "host.exe.signed").exists())
        with self.wishes(PASSWORD_FILE=self.folder / "password"):
            who = signing.identity()
            signing.sign(self.binary, who)
        with self.assertRaises(signing.SigningError):
            signing.verify(tampered(self.binary, self.folder / "changed.exe"), who)
        with (self.wishes(CA=self.folder / "self.pem"),
              self.assertRaises(signing.SigningError)):
            signing.verify(self.binary, signing.identity())

    def test_only_a_signer_that_verify_would_accept_signs(self) -> None:
        with self.wishes():
            who = signing.identity()
        for accepted in ((), ("Somebody", "Example Audio GmbH")):
            signing.check_signer(who, accepted)
        with self.assertRaisesRegex(signing.SigningError, "product.signers has Somebody"):
            signing.check_signer(who, ("Somebody",))


if __name__ == "__main__":
    unittest.main()
