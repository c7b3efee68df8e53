"""``tokens.toml``: the tokens of a user without a keyring; only the user can read the file.

Each function raises NotPrivate if others can read or change the file, BadFile if it cannot be used,
and SettingsFailed if the system refuses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ticketr.app.config.files import exclusive, read_private, write_private
from ticketr.app.config.tomlfile import edited, read_table

TOKEN_FILE = "tokens.toml"  # noqa: S105 - a name

_FIRST_LINES = """\
# API tokens, by site and e-mail address. Whoever reads this file can act in your name.
"""


def read_token(folder: Path, site: str, email: str) -> str | None:
    """Return the token that is stored for an account of a site.

    Returns:
        The token, or None where none is stored for exactly these.
    """
    path = folder / TOKEN_FILE
    text = read_private(path)
    if text is None:
        return None
    return read_table(path, text).table(site).text(email)


def write_token(folder: Path, site: str, email: str, token: str) -> None:
    """Store the token of an account of a site, in place of the one that it had."""

    def change(document: dict[str, Any]) -> None:
        document.setdefault(site, {})[email] = token

    path = folder / TOKEN_FILE
    with exclusive(folder):
        text = read_private(path)
        if text is not None:
            read_table(path, text).table(site)
        write_private(path, edited(path, _FIRST_LINES if text is None else text, change))


def delete_token(folder: Path, site: str, email: str) -> bool:
    """Delete the token of an account of a site.

    Returns:
        Whether there was one.
    """

    def change(document: dict[str, Any]) -> None:
        del document[site][email]
        if not document[site]:
            del document[site]

    path = folder / TOKEN_FILE
    if not path.exists():
        return False
    with exclusive(folder):
        text = read_private(path)
        if text is None or email not in read_table(path, text).table(site):
            return False
        write_private(path, edited(path, text, change))
    return True
