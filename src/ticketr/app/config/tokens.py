"""Finds, stores and deletes the token for a workspace's site.

`find_token` does not block Trio: it reads files and the keyring on a worker thread, and a command
is a process. A token is in no repr, no error and no pickle.

Trio is imported by the functions that need it, since commands such as a completion read settings
without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ticketr.app.config import keychain
from ticketr.app.config.errors import TokenFailed
from ticketr.app.config.files import config_folder, lock_config_folder, read_private, write_private
from ticketr.app.config.tomlfile import delete_entry, edited_toml, read_table
from ticketr.app.config.workspace import TOKEN_VARIABLES, read_jira_variables

if TYPE_CHECKING:
    from ticketr.app.config.workspace import Workspace


#: Other characters could not be sent, and the HTTP packages would repeat the token in their error.
_SENDABLE_TOKEN_PATTERN = re.compile("[!-~]+")
TOKEN_FILE = "tokens.toml"  # noqa: S105 - a name

_FILE_HEADER = """\
# API tokens, by site and e-mail address. Whoever reads this file can act in your name.
"""


def read_token_from_file(folder: Path, site: str, email: str) -> str | None:
    """Return the token that is stored for an account of a site.

    Returns:
        The token, or None where none is stored for exactly these.
    """
    path = folder / TOKEN_FILE
    text = read_private(path)
    if text is None:
        return None
    return read_table(path, text).table(site).text(email)


def write_token_to_file(folder: Path, site: str, email: str, token: str) -> None:
    """Store the token of an account of a site, in place of the one that it had."""
    path = folder / TOKEN_FILE
    with lock_config_folder(folder):
        text = read_private(path)
        if text is not None:
            read_table(path, text).table(site)
        text = _FILE_HEADER if text is None else text
        new = edited_toml(
            path, text, lambda tables: tables.setdefault(site, {}).update({email: token})
        )
        write_private(path, new)


def delete_token_from_file(folder: Path, site: str, email: str) -> bool:
    """Delete the token of an account of a site.

    Returns:
        Whether there was one.
    """
    path = folder / TOKEN_FILE
    if not path.exists():
        return False
    with lock_config_folder(folder):
        text = read_private(path)
        if text is None or email not in read_table(path, text).table(site):
            return False
        write_private(
            path, edited_toml(path, text, lambda tables: delete_entry(tables, site, email))
        )
    return True


class TokenSource(Enum):
    """The place that a token came from; the value names it within a sentence."""

    ENVIRONMENT = "the environment"
    COMMAND = "the token_command"
    KEYRING = "the keyring"
    FILE = TOKEN_FILE
    PROMPT = "the prompt"


@dataclass(frozen=True, slots=True)
class SiteLogin:
    """A login for one site.

    Attributes:
        site: The site that the token was stored for.
        email: The account; None where nothing names one.
        token: Its token; never shown.
        source: Where the token came from.
    """

    site: str
    email: str | None
    token: str = field(repr=False)
    source: TokenSource

    def __post_init__(self) -> None:
        if not _SENDABLE_TOKEN_PATTERN.fullmatch(self.token):
            is_variable = self.source is TokenSource.ENVIRONMENT
            remedy = f"set {TOKEN_VARIABLES[0]} again" if is_variable else "store it again"
            problem = "what it gave is not a token (empty, or with a line break or the like in it)"
            raise TokenFailed(self.source.value, problem, remedy)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a login is not pickled: it would take the token along")


async def find_token(
    workspace: Workspace, environ: Mapping[str, str], *, command_may_prompt: bool = False
) -> SiteLogin | None:
    """Find the token for a workspace's site.

    The sources are, in this order: the environment, the user's ``token_command``, the keyring and
    the tokens file. The tokens file is used even when the keyring does not work.

    Cancellation:
        Takes effect at once; the thread of a keyring that waits for its user is abandoned.

    Args:
        workspace: The workspace.
        environ: The environment, usually ``os.environ``.
        command_may_prompt: Whether a ``token_command`` may use the terminal.

    Returns:
        The login, or None where no source has one.

    Raises:
        MissingSetting: Nothing names a site.
        SiteNotConfirmed: The token rule forbids any login there.
        TokenFailed: A source that should have a token did not work.
        ConfigError: The tokens file cannot be used.
    """
    import trio  # noqa: PLC0415 - see above

    await trio.lowlevel.checkpoint()
    site, login = workspace.required_confirmed_site(), workspace.login
    environment = read_jira_variables(environ)
    if workspace.environment_login_fits_site and environment.token:
        email = environment.email or login.email
        return SiteLogin(site, email, environment.token, TokenSource.ENVIRONMENT)
    folder = config_folder(environ)
    if login.token_command:
        from ticketr.app.config.token_command import run_token_command  # noqa: PLC0415 - likewise

        token = await run_token_command(
            login.token_command, folder=folder, interactive=command_may_prompt
        )
        return SiteLogin(site, login.email, token, TokenSource.COMMAND)
    if login.email is None:
        return None
    look = partial(_find_token_in_keyring_or_file, folder, site, login.email)
    return await trio.to_thread.run_sync(look, abandon_on_cancel=True)


def _find_token_in_keyring_or_file(folder: Path, site: str, email: str) -> SiteLogin | None:
    """Look into the places that store tokens by site and account."""
    failed: TokenFailed | None = None
    try:
        token = keychain.read(site, email) if keychain.is_available() else None
    except TokenFailed as error:
        token, failed = None, error
    if token is not None:
        return SiteLogin(site, email, token, TokenSource.KEYRING)
    token = read_token_from_file(folder, site, email)
    if token is not None:
        return SiteLogin(site, email, token, TokenSource.FILE)
    if failed is not None:
        raise failed
    return None


def store_token(folder: Path, login: SiteLogin) -> TokenSource:
    """Store the token of an account in the keyring, or in the tokens file if there is no keyring.

    Args:
        folder: The user's folder of settings.
        login: The login, whose account is known.

    Returns:
        The place that it is stored in.

    Raises:
        TokenFailed: The keyring did not take it.
        ConfigError: The tokens file cannot be used.
        SettingsAccessFailed: The tokens file could not be written.
    """
    assert login.email is not None
    if keychain.is_available():
        keychain.write(login.site, login.email, login.token)
        # An older one would outlive its renewal.
        delete_token_from_file(folder, login.site, login.email)
        return TokenSource.KEYRING
    write_token_to_file(folder, login.site, login.email, login.token)
    return TokenSource.FILE


def forget_token(folder: Path, site: str, email: str) -> tuple[TokenSource, ...]:
    """Delete the token of an account in every place that stores it.

    Returns:
        The places that had it.

    Raises:
        TokenFailed: The keyring did not work; the tokens file no longer has it.
        ConfigError: The tokens file cannot be used.
        SettingsAccessFailed: The tokens file could not be written.
    """
    gone = []
    if delete_token_from_file(folder, site, email):
        gone.append(TokenSource.FILE)
    if keychain.is_available() and keychain.delete(site, email):
        gone.append(TokenSource.KEYRING)
    return tuple(gone)
