"""Keyring backends: one that keeps passwords in memory, and one that fails."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """A backend that keeps passwords in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring leaves it without
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


class BrokenKeyring(KeyringBackend):
    """A backend that raises errors with a secret in the message."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring leaves it without

    def get_password(self, service: str, username: str) -> str | None:
        raise OSError(f"no bus for {service}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"could not run: store {username} {password}")

    def delete_password(self, service: str, username: str) -> None:
        raise OSError("no bus")


def no_keyring() -> KeyringBackend:
    """Return the backend that keyring uses on a system without one."""
    backend: KeyringBackend = fail.Keyring()  # type: ignore[no-untyped-call]  # as above
    return backend


@contextmanager
def keyring_in_use(backend: KeyringBackend) -> Generator[None]:
    """Make a backend the user's keyring within the block."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)
