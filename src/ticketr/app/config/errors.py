"""The errors of the configuration.

The tree::

    TicketrError
     ├── ConfigError             wrong or missing; the command line ends with exit code 2
     │    ├── MissingSetting     nothing says what is needed
     │    ├── BadSetting         a value that cannot be used
     │    ├── BadFile            a file of settings that cannot be used
     │    │    ├── UnknownKey    a name in it that nothing reads
     │    │    └── SecretInFile  a secret where everybody can read it
     │    ├── NotPrivate         a file of secrets that others can read or change
     │    ├── SiteNotConfirmed   a site that only a file in the workspace names
     │    ├── WrongFileKind      a link, say, in the place of a file of ticketr's own
     │    ├── UntrustedState     a state file that this user did not make
     │    ├── UnknownWorkspace   no workspace has this name
     │    ├── NoWorkspace        the current folder is not a workspace, and none is in use
     │    └── WorkspaceTaken     the name or the folder belongs to a workspace already
     ├── SettingsAccessFailed    a file of settings cannot be read or written
     └── TokenFailed             a place where tokens are kept did not work

No error holds a secret: a value that may be one is left out where the error is made.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ticketr._errors import TicketrError


class ConfigError(TicketrError):
    """The base of every configuration error; the command line ends with exit code 2."""


@dataclass(eq=False, repr=False)
class MissingSetting(ConfigError):
    """Raised when a setting that a command needs is nowhere set.

    Attributes:
        alternative_names: The names under which it could be set; one of them is enough.
        hint: How to set it.
    """

    alternative_names: tuple[str, ...]
    hint: str

    def __str__(self) -> str:
        return f"{' or '.join(self.alternative_names)} is not set: {self.hint}"


@dataclass(eq=False, repr=False)
class BadSetting(ConfigError):
    """Raised when a setting is there but cannot be used.

    Attributes:
        name: The name of the setting, as the user knows it.
        value: Its value, unless that may be a secret.
        problem: What is wrong with it.
    """

    name: str
    value: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name} is {self.value!r}: {self.problem}"


@dataclass(eq=False, repr=False)
class BadFile(ConfigError):
    """Raised when a file of settings cannot be used.

    Attributes:
        path: The file.
        line: The line, counted from 1; None where it is not known.
        problem: What is wrong there.
    """

    path: str
    line: int | None
    problem: str

    @property
    def place(self) -> str:
        """The file, and the line where it is known."""
        return format_place(self.path, self.line)

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


class UnknownKey(BadFile):
    """Raised for a name in a file of settings that nothing reads."""


class SecretInFile(BadFile):
    """Raised for a secret, or a command that prints one, in the file that a team shares."""


@dataclass(eq=False, repr=False)
class NotPrivate(ConfigError):
    """Raised when others can read or change what should be the user's alone.

    Attributes:
        path: The file or folder.
        problem: What other users can do.
        remedy: What to do about it.
    """

    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path} is not private, {self.problem}: {self.remedy}"


@dataclass(eq=False, repr=False)
class SiteNotConfirmed(ConfigError):
    """Raised when only a file in the workspace names the site that a login would go to.

    Attributes:
        site: The site's address.
        path: The file.
        other_confirmed_site: The site that the user confirmed for this folder, if it is another.
        other_site_in_environment: The site that JIRA_URL names, if it is another.
    """

    site: str
    path: str
    other_confirmed_site: str | None
    other_site_in_environment: str | None

    def __str__(self) -> str:
        other = self.other_site_in_environment
        besides = f" (JIRA_URL names {other})" if other else ""
        if self.other_confirmed_site:
            besides = f" (the one you confirmed is {self.other_confirmed_site})"
        folder = shlex.quote(self.path.rpartition("/")[0] or "/")
        return (
            f"{self.path} names the Jira site {self.site}, which you have not confirmed for this "
            f"folder{besides}, so no login is sent there; if it is yours: "
            f"ticketr workspace add --folder {folder} --site {self.site}"
        )


@dataclass(eq=False, repr=False)
class WrongFileKind(ConfigError):
    """Raised when something else has the name of a file or folder of ticketr's own.

    Attributes:
        path: The path.
        found_kind: What it is, such as "a link".
        expected_kind: What it should be, "a file" or "a folder".
    """

    path: str
    found_kind: str
    expected_kind: str

    def __str__(self) -> str:
        return (
            f"{self.path} is {self.found_kind} and not {self.expected_kind} of ticketr's own, so nothing there "
            "is read or written; a git repository can bring such a thing: move it away, then try "
            "again"
        )


@dataclass(eq=False, repr=False)
class UntrustedState(ConfigError):
    """Raised when the state file of a workspace, or its history, does not have the user's mark.

    Attributes:
        workspace_root: The workspace's folder.
        unmarked_file: The file without the mark.
    """

    workspace_root: str
    unmarked_file: str

    def __str__(self) -> str:
        own = shlex.quote(self.unmarked_file.rpartition("/")[0])
        return (
            f"ticketr does not know that you made {self.unmarked_file}: it may have come with a git repository, "
            "and its edits would be sent in your name. If you made it: ticketr workspace trust --folder "
            f"{shlex.quote(self.workspace_root)} (it keeps your edits). If not, move {own} away and pull"
        )


@dataclass(eq=False, repr=False)
class UnknownWorkspace(ConfigError):
    """Raised when a workspace is asked for by a name that the user's config does not have.

    Attributes:
        name: The requested name.
        nearest: The known name that is most like it; None where none is.
    """

    name: str
    nearest: str | None

    def __str__(self) -> str:
        hint = f", did you mean {self.nearest!r}?" if self.nearest else "."
        return f"there is no workspace {self.name!r}{hint} 'ticketr workspace list' shows them"


@dataclass(eq=False, repr=False)
class NoWorkspace(ConfigError):
    """Raised when a command needs a workspace, but the current folder is not one.

    Attributes:
        folder: The current folder.
        environment_site: The site in JIRA_URL; None where it is not set.
    """

    folder: str
    environment_site: str | None

    def __str__(self) -> str:
        other = "for another one, change into its folder, or say --folder or --workspace"
        if self.environment_site is not None:
            return (
                f"{self.folder} is not a workspace yet: 'ticketr workspace add' makes it one of "
                f"{self.environment_site}, which JIRA_URL names; {other}"
            )
        return (
            f"{self.folder} is not a workspace: 'ticketr workspace add' makes it one, and takes "
            "JIRA_URL, JIRA_EMAIL, JIRA_API_TOKEN and JIRA_PROJECT_KEY where they are set; "
            f"{other}; 'ticketr demo' needs no account"
        )


@dataclass(eq=False, repr=False)
class WorkspaceTaken(ConfigError):
    """Raised when a new workspace would have a name or a folder that another has.

    Attributes:
        existing_name: The name of the workspace that is there already.
        folder: Its folder.
    """

    existing_name: str
    folder: str

    def __str__(self) -> str:
        return (
            f"{self.folder} is the workspace {self.existing_name!r} already: choose another, or first "
            f"'ticketr workspace remove {self.existing_name}' (tickets stay)"
        )


@dataclass(eq=False, repr=False)
class SettingsAccessFailed(TicketrError):
    """Raised when a file of settings cannot be read or written.

    Attributes:
        path: The file or folder.
        action: What was tried.
        reason: The system's words.
    """

    path: str
    action: str
    reason: str

    def __str__(self) -> str:
        return f"cannot {self.action} {self.path}: {self.reason}"


@contextmanager
def convert_os_errors(path: Path, action: str, hint: str = "") -> Generator[None]:
    """Convert an OSError to SettingsAccessFailed.

    Args:
        path: The file or folder.
        action: What the block does with it.
        hint: What follows the system's words.

    Raises:
        SettingsAccessFailed: The block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise SettingsAccessFailed(str(path), action, f"{error.strerror or error}{hint}") from error


@dataclass(eq=False, repr=False)
class TokenFailed(TicketrError):
    """Raised when a place where tokens are kept did not work.

    Attributes:
        source: The place, with an article unless it is a file.
        problem: What happened, without anything that may be a secret.
        remedy: What to do about it.
    """

    source: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"no token from {self.source}: {self.problem}; {self.remedy}"


def format_place(path: str, line: int | None) -> str:
    """Return a file's path and line in the form of compilers."""
    return path if line is None else f"{path}:{line}"
