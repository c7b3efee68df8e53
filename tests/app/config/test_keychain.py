from __future__ import annotations

import subprocess
import sys

import pytest
from fakes.keyrings import BrokenKeyring, MemoryKeyring, keyring_in_use
from keyring.backends.null import Keyring as NullKeyring

from ticketr.app.config import TokenFailed, keychain

SITE = "https://acme.atlassian.net"


def test_a_token_is_returned_for_exactly_its_site_and_account() -> None:
    backend = MemoryKeyring()
    with keyring_in_use(backend):
        keychain.write(SITE, "me@acme.com", "one")
        keychain.write(SITE, "", "alone")

        assert keychain.is_available()
        assert keychain.read(SITE, "me@acme.com") == "one"
        assert keychain.read(SITE, "") == "alone"
        assert keychain.read(SITE, "you@acme.com") is None
        assert keychain.read("https://other.example", "me@acme.com") is None
    assert (f"ticketr {SITE}", "me@acme.com") in backend.kept


def test_a_forgotten_token_is_gone() -> None:
    with keyring_in_use(MemoryKeyring()):
        keychain.write(SITE, "me@acme.com", "one")

        assert keychain.delete(SITE, "me@acme.com")
        assert not keychain.delete(SITE, "me@acme.com")
        assert keychain.read(SITE, "me@acme.com") is None


def test_a_keyring_that_keeps_nothing_is_none() -> None:
    assert not keychain.is_available()  # the fixture provides a system without a keyring
    with keyring_in_use(NullKeyring()):  # type: ignore[no-untyped-call]  # keyring's own
        assert not keychain.is_available()


def test_without_the_package_there_is_no_keyring() -> None:
    program = (
        "import sys; sys.modules['keyring'] = None\n"
        "from ticketr.app.config import keychain; print(keychain.is_available())"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert told.stdout == b"False\n"


def test_a_broken_keyring_raises_ticketrs_error_without_its_message() -> None:
    with keyring_in_use(BrokenKeyring()):
        with pytest.raises(
            TokenFailed, match=r"from the keyring: it failed \(RuntimeError\)"
        ) as one:
            keychain.write(SITE, "me@acme.com", "canary")
        with pytest.raises(TokenFailed, match=r"it failed \(OSError\); unlock or mend it"):
            keychain.read(SITE, "me@acme.com")
        with pytest.raises(TokenFailed):
            keychain.delete(SITE, "me@acme.com")

    assert "canary" not in str(one.value) + repr(one.value)
    assert one.value.__cause__ is None
    assert one.value.__suppress_context__
