"""What can be wrong with the configuration.

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
     │    ├── UnsafePath         a link, say, in the place of a file of ticketr's own
     │    ├── ForeignState       a state file that this user did not make
     │    ├── UnknownWorkspace   no workspace has this name
     │    └── WorkspaceTaken     the name or the folder belongs to a workspace already
     ├── SettingsFailed          a file of settings cannot be read or written
     └── TokenFailed             a place where tokens are kept did not work

No error holds a secret: a value that may be one is left out where the error is made.
"""

from __future__ import annotations

import shlex

from ticketr._errors import TicketrError


class ConfigError(TicketrError):
    """The base of every configuration error; the command line ends with exit code 2."""


class MissingSetting(ConfigError):
    """Raised when a setting that a command needs is nowhere set."""

    def __init__(self, names: tuple[str, ...], hint: str) -> None:
        super().__init__(names, hint)
        self.names = names
        self.hint = hint

    def __str__(self) -> str:
        return f"{' or '.join(self.names)} is not set: {self.hint}"


class BadSetting(ConfigError):
    """Raised when a setting is there but cannot be used."""

    def __init__(self, name: str, value: str, problem: str) -> None:
        super().__init__(name, value, problem)
        self.name = name
        self.value = value
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name} is {self.value!r}: {self.problem}"


class BadFile(ConfigError):
    """Raised when a file of settings cannot be used.

    Attributes:
        path: the file.
        line: the line, counted from 1; None where it is not known.
        problem: what is wrong there.
    """

    def __init__(self, path: str, line: int | None, problem: str) -> None:
        super().__init__(path, line, problem)
        self.path = path
        self.line = line
        self.problem = problem

    @property
    def place(self) -> str:
        """The file, and the line where it is known."""
        return place(self.path, self.line)

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


class UnknownKey(BadFile):
    """Raised for a name in a file of settings that nothing reads.

    Attributes:
        key: the name.
        nearest: the known name that is most like it; None where none is.
    """

    def __init__(self, path: str, line: int | None, key: str, nearest: str | None) -> None:
        said = f", did you mean {nearest!r}?" if nearest else ""
        super().__init__(path, line, f"unknown key {key!r}{said}")
        self.args = (path, line, key, nearest)
        self.key = key
        self.nearest = nearest


class SecretInFile(BadFile):
    """Raised for a secret, or a command that gives one, in the file that a team shares."""

    def __init__(self, path: str, line: int | None, key: str) -> None:
        super().__init__(
            path,
            line,
            f"{key!r} has no place here, since this file is shared through git: take it out (and "
            "revoke what was committed); 'ticketr workspace add' keeps a token in your keyring, and "
            "a token_command stands in your own config.toml",
        )
        self.args = (path, line, key)
        self.key = key


class NotPrivate(ConfigError):
    """Raised when others can read or change what should be the user's alone.

    Attributes:
        path: the file or folder.
        problem: who can do what.
        remedy: what to do about it.
    """

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(path, problem, remedy)
        self.path = path
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.path} is not private, {self.problem}: {self.remedy}"


class SiteNotConfirmed(ConfigError):
    """Raised when only a file in the workspace names the site that a login would go to.

    Attributes:
        site: the site's address.
        path: the file.
        confirmed: the site that the user confirmed for this folder, if it is another.
        named: the site that JIRA_URL names, if it is another.
    """

    def __init__(self, site: str, path: str, confirmed: str | None, named: str | None) -> None:
        super().__init__(site, path, confirmed, named)
        self.site = site
        self.path = path
        self.confirmed = confirmed
        self.named = named

    def __str__(self) -> str:
        besides = f" (JIRA_URL names {self.named})" if self.named else ""
        if self.confirmed:
            besides = f" (the one you confirmed is {self.confirmed})"
        folder = shlex.quote(self.path.rpartition("/")[0] or "/")
        return (
            f"{self.path} names the Jira site {self.site}, which you have not confirmed for this "
            f"folder{besides}, so no login is sent there; if it is yours: "
            f"ticketr workspace add --folder {folder} --site {self.site}"
        )


class UnsafePath(ConfigError):
    """Raised when something else has the name of a file or folder of ticketr's own.

    Attributes:
        path: where.
        found: what it is, such as "a link".
        wanted: what it should be, "a file" or "a folder".
    """

    def __init__(self, path: str, found: str, wanted: str) -> None:
        super().__init__(path, found, wanted)
        self.path = path
        self.found = found
        self.wanted = wanted

    def __str__(self) -> str:
        return (
            f"{self.path} is {self.found} and not {self.wanted} of ticketr's own, so nothing there "
            "is read or written; a git repository can bring such a thing: move it away, then try "
            "again"
        )


class ForeignState(ConfigError):
    """Raised when the state file of a workspace does not bear the user's mark.

    Attributes:
        root: the workspace's folder.
        path: the state file.
        unkept: why the user's mark cannot be kept; empty where it can.
    """

    def __init__(self, root: str, path: str, unkept: str = "") -> None:
        super().__init__(root, path, unkept)
        self.root = root
        self.path = path
        self.unkept = unkept

    def __str__(self) -> str:
        own = shlex.quote(self.path.rpartition("/")[0])
        if self.unkept:
            return (
                f"nobody can tell whether you made {self.path}, since your mark cannot be kept "
                f"({self.unkept}): let TICKETR_CONFIG_DIR name a folder that can be written, then "
                f"say: ticketr workspace trust --folder {shlex.quote(self.root)}. If it came with "
                f"a git repository, move {own} away instead"
            )
        return (
            f"{self.path} does not bear your mark: it may have come with a git repository, and would "
            "make its edits look like yours. If you made it, say: ticketr workspace trust --folder "
            f"{shlex.quote(self.root)} (it keeps your edits). If not, move {own} away and pull"
        )


class UnknownWorkspace(ConfigError):
    """Raised when a workspace is asked for by a name that the user's config does not have.

    Attributes:
        name: the name asked for.
        nearest: the known name that is most like it; None where none is.
    """

    def __init__(self, name: str, nearest: str | None) -> None:
        super().__init__(name, nearest)
        self.name = name
        self.nearest = nearest

    def __str__(self) -> str:
        said = f", did you mean {self.nearest!r}?" if self.nearest else "."
        return f"there is no workspace {self.name!r}{said} 'ticketr workspace list' shows them"


class WorkspaceTaken(ConfigError):
    """Raised when a new workspace would have a name or a folder that another has.

    Attributes:
        name: the name of the workspace that is there already.
        folder: its folder.
    """

    def __init__(self, name: str, folder: str) -> None:
        super().__init__(name, folder)
        self.name = name
        self.folder = folder

    def __str__(self) -> str:
        return (
            f"{self.folder} is the workspace {self.name!r} already: choose another, or first "
            f"'ticketr workspace remove {self.name}' (tickets stay)"
        )


class SettingsFailed(TicketrError):
    """Raised when a file of settings cannot be read or written.

    Attributes:
        path: the file or folder.
        action: what was tried.
        reason: the system's words.
    """

    def __init__(self, path: str, action: str, reason: str) -> None:
        super().__init__(path, action, reason)
        self.path = path
        self.action = action
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot {self.action} {self.path}: {self.reason}"


class TokenFailed(TicketrError):
    """Raised when a place where tokens are kept did not work.

    Attributes:
        source: the place.
        problem: what happened, without anything that may be a secret.
        remedy: what to do about it.
    """

    def __init__(self, source: str, problem: str, remedy: str) -> None:
        super().__init__(source, problem, remedy)
        self.source = source
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"no token from {token_place(self.source)}: {self.problem}; {self.remedy}"


def token_place(source: str) -> str:
    """Name a place where tokens are kept, as a sentence has it: a file goes without article."""
    return source if source.endswith(".toml") else f"the {source}"


def place(path: str, line: int | None) -> str:
    """Name a place in a file as compilers do."""
    return path if line is None else f"{path}:{line}"
