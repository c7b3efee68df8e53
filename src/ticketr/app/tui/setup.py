"""What the app needs to set up its first workspace: a protocol and its values.

The command line implements it (`ticketr.app.cli.first_run`), since imports point downwards. No function
raises an error that a user can cause: it returns a `Problem` with words for people.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from ticketr.app import sync


class SetupField(Enum):
    """A field of the form, in its order."""

    SITE = "site"
    EMAIL = "mail"
    TOKEN = "token"  # noqa: S105 - the name of a field
    PROJECT = "project"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a step of the set-up failed.

    Attributes:
        words: What failed, on which input, and what to do; cleaned, on one line, without secrets.
        field: The field to correct; None if no field is the cause, as for a full disk.
    """

    words: str
    field: SetupField | None = None


@dataclass(frozen=True, slots=True)
class CloudSite:
    """A site of Jira Cloud that answers.

    Attributes:
        site: The site's address as ticketr stores it, such as ``https://you.atlassian.net``.
        answer_milliseconds: How long the answer took.
    """

    site: str
    answer_milliseconds: int


@dataclass(frozen=True, slots=True)
class ProjectChoice:
    """A project that the account may see.

    Attributes:
        key: The project's key.
        name: The project's name, cleaned.
    """

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Login:
    """A login to check; the token is in no repr."""

    site: str
    email: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AcceptedLogin:
    """A login that the site has accepted.

    Attributes:
        account_name: The display name of the account, cleaned.
        projects: The projects that the account may see, by their keys; at most `MAX_PROJECTS`.
        project_count: How many there are.
    """

    account_name: str
    projects: tuple[ProjectChoice, ...]
    project_count: int


class FolderKind(Enum):
    """What a folder is."""

    MISSING = "missing"
    EMPTY = "empty"
    WORKSPACE = "a workspace"
    OTHER = "files, and no settings"


@dataclass(frozen=True, slots=True)
class FolderAnswer:
    """What a folder is.

    Attributes:
        kind: Whether it exists, and what it holds.
        site: The address of the site that it belongs to, for people; empty if none is known.
    """

    kind: FolderKind
    site: str = ""


#: The most projects that a login answers with.
MAX_PROJECTS = 1000


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """The values of the form.

    Attributes:
        site: The site's address, as the user typed it or as `CloudSite.site`.
        email: The e-mail address of the account.
        token: The API token; in no repr.
        project: The key of the project.
        folder: The folder of the tickets; it need not exist.
    """

    site: str
    email: str
    token: str = field(repr=False)
    project: str
    folder: Path


@dataclass(frozen=True, slots=True)
class OpenedWorkspace:
    """A workspace that the app can show, pull and push.

    Attributes:
        title: The workspace's name, for the first row.
        options: The options of its jobs: ``PullJob(**options)``; the login is among them.
        token_location: Where the token is now, in words for people; empty if it was stored before.
    """

    title: str
    options: sync.SessionOptions = field(repr=False)
    token_location: str = ""


class Setup(Protocol):
    """Sets up workspaces for the app.

    Each async function can be cancelled at any time, also inside a request; `add_workspace` then has
    stored either nothing or a complete workspace or, at worst, a token without a workspace.
    """

    async def check_is_jira_cloud(self, address: str) -> CloudSite | Problem:
        """Ask a site whether it is a Jira Cloud; no login is sent.

        Args:
            address: The address as the user typed it; ``https://`` may be missing.
        """
        ...

    async def check_login(self, site: str, email: str, token: str) -> AcceptedLogin | Problem:
        """Ask a site for the account of a login, and for its projects."""
        ...

    async def classify_folder(self, folder: Path) -> FolderAnswer | Problem:
        """Look at a folder; no login is looked up, and nothing is written."""
        ...

    def suggest_free_folder(self, site: str, project: str = "") -> Path:
        """Return a folder for a new workspace: the current one if it is empty, or a new one."""
        ...

    async def add_workspace(self, wanted: NewWorkspace) -> OpenedWorkspace | Problem:
        """Check the login and the project, then store the workspace, as ``ticketr workspace add``.

        ``ticketr.toml`` is written into the folder; the token goes into the keyring or the user's
        own private file, never into the folder. Nothing is stored if the site refuses.
        """
        ...

    async def open_folder(self, folder: Path) -> OpenedWorkspace | Problem:
        """Open a folder that is a workspace already, with the login that is stored for it."""
        ...

    def open_sandbox(self) -> AbstractAsyncContextManager[OpenedWorkspace | Problem]:
        """Run a Jira stand-in with made-up tickets while the block runs; no account is needed.

        Yields:
            The workspace, in a new folder for temporary files; a `Problem` if the stand-in does
            not start, or the extra ``demo`` is missing.
        """
        ...
