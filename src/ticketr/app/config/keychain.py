"""Reads and writes the system's keyring, if the user has one. Blocking: use a worker thread.

A backend is foreign code. If it does not work, or the user does not unlock it, each function raises
TokenFailed without the backend's text and cause, since they may hold the token that is stored.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from ticketr.app.config.errors import TokenFailed

#: The account of a token without an e-mail: not every backend takes an empty name.
_ACCOUNT_WITHOUT_EMAIL = "token"

_REMEDY = "unlock or mend it, or give a token by JIRA_API_TOKEN or a token_command"


def is_available() -> bool:
    """Return whether the user has a keyring: the package, and a backend that stores secrets."""
    try:
        from keyring.backends import fail, null  # noqa: PLC0415 - optional, and slow to load
    except ImportError:
        return False
    with _open_keyring() as keyring:
        return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring)


def read(site: str, email: str) -> str | None:
    """Return the token that is stored for an account of a site, if one is."""
    with _open_keyring() as keyring:
        token: str | None = keyring.get_password(
            _service_name(site), email or _ACCOUNT_WITHOUT_EMAIL
        )
    return token


def write(site: str, email: str, token: str) -> None:
    """Store the token of an account of a site."""
    with _open_keyring() as keyring:
        keyring.set_password(_service_name(site), email or _ACCOUNT_WITHOUT_EMAIL, token)


def delete(site: str, email: str) -> bool:
    """Delete the token of an account of a site.

    Returns:
        Whether there was one.
    """
    if read(site, email) is None:
        return False
    with _open_keyring() as keyring:
        keyring.delete_password(_service_name(site), email or _ACCOUNT_WITHOUT_EMAIL)
    return True


def _service_name(site: str) -> str:
    return f"ticketr {site}"


@contextmanager
def _open_keyring() -> Generator[Any]:
    """Load the keyring for the block, and convert its errors."""
    import keyring  # noqa: PLC0415 - as above

    try:
        yield keyring
    except Exception as error:  # noqa: BLE001 - a backend raises what it likes
        raise TokenFailed("the keyring", f"it failed ({type(error).__name__})", _REMEDY) from None
