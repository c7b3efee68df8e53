"""Reads and writes the system's keyring, if the user has one. Blocking: use a worker thread.

A backend is foreign code. If it does not work, or the user does not unlock it, each function raises
TokenFailed without the backend's text and cause, since they may hold the token that is stored.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ticketr.app.config.errors import TokenFailed

#: The account of a token without an e-mail: not every backend takes an empty name.
_ALONE = "token"

_REMEDY = "unlock or mend it, or give a token by JIRA_API_TOKEN or a token_command"


def is_available() -> bool:
    """Return whether the user has a keyring: the package, and a backend that stores secrets."""
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to load
        from keyring.backends import fail, null  # noqa: PLC0415 - as above
    except ImportError:
        return False
    with _keyring_errors():
        return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring)


def read(site: str, email: str) -> str | None:
    """Return the token that is stored for an account of a site, if one is."""
    import keyring  # noqa: PLC0415 - as above

    with _keyring_errors():
        return keyring.get_password(_service(site), email or _ALONE)


def write(site: str, email: str, token: str) -> None:
    """Store the token of an account of a site."""
    import keyring  # noqa: PLC0415 - as above

    with _keyring_errors():
        keyring.set_password(_service(site), email or _ALONE, token)


def delete(site: str, email: str) -> bool:
    """Delete the token of an account of a site.

    Returns:
        Whether there was one.
    """
    import keyring  # noqa: PLC0415 - as above

    if read(site, email) is None:
        return False
    with _keyring_errors():
        keyring.delete_password(_service(site), email or _ALONE)
    return True


def _service(site: str) -> str:
    return f"ticketr {site}"


@contextmanager
def _keyring_errors() -> Generator[None]:
    """Convert the errors of the keyring."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a backend raises what it likes
        raise TokenFailed("keyring", f"it failed ({type(error).__name__})", _REMEDY) from None
