"""The options that commands share, and the arguments of the jobs that they run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, TypeAlias, TypeVar

import click

from ticketr._errors import TicketrError
from ticketr.app import config, jira, sync
from ticketr.app.cli import ownership
from ticketr.app.cli.completion import complete_key, complete_key_or_file, complete_workspace
from ticketr.app.cli.console import print_messages
from ticketr.app.cli.settings import find_credentials, find_workspace
from ticketr.cleaning import clean

if TYPE_CHECKING:
    from ticketr.app.jira.transport import Transport

C = TypeVar("C", bound=Callable[..., Any])
R = TypeVar("R")

#: How a hint names the sides.
TAKE_VALUES_TEXT = "mine, jira or both"


class _SideChoice(click.Choice[str]):
    """A side of a conflict; the older words for the sides are taken too, but not shown."""

    def __init__(self) -> None:
        super().__init__(config.CONFLICT_STRATEGIES)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the current word for a side."""
        return super().convert(config.FORMER_STRATEGY_NAMES.get(value, value), param, ctx)


def checked_key(key: str) -> str:
    """Return the key of an issue in capitals; whether it exists is not looked up.

    Raises:
        click.UsageError: It is malformed.
    """
    from ticketr.app.tickets import is_key

    wanted = key.strip().upper()
    if not is_key(wanted):
        raise click.UsageError(f"{clean(key)} is not a key; a key looks like PROJ-123")
    return wanted


def checked_key_option(_: click.Context, __: click.Parameter, key: str | None) -> str | None:
    """Return the key that an option or argument has; see `checked_key`."""
    return checked_key(key) if key else key


def checked_keys(_: click.Context, __: click.Parameter, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys that an argument has, each once; see `checked_key`."""
    return tuple(dict.fromkeys(map(checked_key, keys)))


key_argument = click.argument("key", callback=checked_key_option, shell_complete=complete_key)
keys_argument = click.argument(
    "keys", nargs=-1, metavar="[KEY]...", callback=checked_keys, shell_complete=complete_key
)
keys_or_files_argument = click.argument(
    "words", nargs=-1, metavar="[KEY|FILE]...", shell_complete=complete_key_or_file
)
plain_option = click.option(
    "--plain", "plain_progress", is_flag=True, help="Progress as plain lines, also in a terminal."
)
strategy_option = click.option(
    "--strategy",
    type=_SideChoice(),
    help="Who wins where both sides have changed the same; 'both' leaves it a conflict.",
)
take_option = click.option(
    "--take", type=_SideChoice(), help="Your version, Jira's, or both between conflict markers."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
folder_option = click.option(
    "-C",
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the tickets; else the workspace around the current folder.",
)
#: The options of `folder_options`.
_FOLDER_OPTIONS = (
    click.option(
        "-w",
        "--workspace",
        metavar="NAME",
        shell_complete=complete_workspace,
        help="A workspace by its name.",
    ),
    folder_option,
)
#: The other ones of `pull_push_options`.
_PULL_PUSH_OPTIONS = (
    click.option("-p", "--project", metavar="KEY", help="The project; else JIRA_PROJECT_KEY."),
    click.option(
        "--http",
        "http_package",
        type=click.Choice(("httpx", "asks")),
        default="httpx",
        help="The package that speaks HTTP.",
    ),
    click.option(
        "--all",
        "all_workspaces",
        is_flag=True,
        help="Every workspace that you have added, side by side.",
    ),
    plain_option,
)
_INTERVAL_PATTERN = re.compile(r"([1-9][0-9]{0,4})([smhd])")
_SECONDS_PER_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _parse_interval_seconds(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Return the seconds of an interval."""
    if text is None:
        return None
    match = _INTERVAL_PATTERN.fullmatch(text)
    if match is None:
        raise click.BadParameter("write the time like 30s, 5m, 2h or 1d")
    return int(match[1]) * _SECONDS_PER_UNIT[match[2]]


repeat_interval_option = click.option(
    "--every",
    "every_seconds",
    metavar="TIME",
    callback=_parse_interval_seconds,
    help="Again and again, such as every 5m, until Ctrl+C or SIGTERM.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonOptions:
    """The values of options that commands share; a command may have some of them alone.

    Attributes:
        workspace: The name from ``--workspace``.
        folder: The folder from ``--folder``.
        project: The key from ``--project``.
        strategy: A side; None for the workspace's own, as always for a push.
        http_package: The package for HTTP.
        all_workspaces: Whether to run in every workspace that the user has added.
        every_seconds: The seconds from one run to the next; None to run once.
        plain_progress: Whether to print progress as plain lines in a terminal, too.
        as_json: Whether to print the result as JSON.
        dry_run: Whether to change nothing, and say what would change.
        skips_confirmation: Whether to ask nothing.
        needs_project: Whether the command needs a project, or a query in its place; one on issues
            by their keys does not.
    """

    workspace: str | None = None
    folder: Path | None = None
    project: str | None = None
    strategy: str | None = None
    http_package: str = "httpx"
    all_workspaces: bool = False
    every_seconds: int | None = None
    plain_progress: bool = False
    as_json: bool = False
    dry_run: bool = False
    skips_confirmation: bool = False
    needs_project: bool = True

    def find_workspace(self) -> config.Workspace:
        """Return the workspace that they name; see `settings.find_workspace`."""
        return find_workspace(workspace=self.workspace, folder=self.folder, project=self.project)

    def open_store_requiring_owner_mark(self) -> sync.Store:
        """Return the files of that workspace; see `ownership.open_store_requiring_owner_mark`."""
        self.refuse_absent_folder()
        return ownership.open_store_requiring_owner_mark(self.find_workspace().root)

    def refuse_absent_folder(self) -> None:
        """Refuse a folder that does not exist, which only a pull, sync or new draft makes.

        Raises:
            click.UsageError: The folder from ``--folder`` does not exist.
        """
        if self.folder is not None and not self.folder.is_dir():
            raise click.UsageError(
                f"--folder is {clean(str(self.folder))}: there is no such folder"
            )


#: The workspaces whose jobs cannot start, by name: the folder, and why.
FolderAndErrorByWorkspace: TypeAlias = dict[str, tuple[Path, TicketrError]]


def folder_json_options(command: Callable[Concatenate[CommonOptions, ...], R]) -> Callable[..., R]:
    """Add the options of `folder_options`, and ``--json``."""
    return folder_options(json_option(command))


def folder_options(command: Callable[Concatenate[CommonOptions, ...], R]) -> Callable[..., R]:
    """Add ``--workspace`` and ``--folder``; the command gets `CommonOptions` as one argument."""
    shared = {field.name for field in fields(CommonOptions)}

    @wraps(command)
    def packed(**values: Any) -> R:
        options = CommonOptions(**{name: values.pop(name) for name in shared & values.keys()})
        return command(options, **values)

    return with_options(packed, _FOLDER_OPTIONS)


def pull_push_options(command: Callable[Concatenate[CommonOptions, ...], R]) -> Callable[..., R]:
    """Add the options that pull, push and sync share; see `folder_json_options`."""
    return folder_json_options(with_options(command, _PULL_PUSH_OPTIONS))


def with_options(command: C, options: Sequence[Callable[[Any], Any]]) -> C:
    """Add options to a command, which its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def find_job_arguments(
    options: CommonOptions, *, jql: str | None = None
) -> tuple[dict[str, sync.SessionOptions], FolderAndErrorByWorkspace]:
    """Return the arguments of the jobs that a command is to run.

    For a single workspace, `location_notice` is printed: a push to another Jira cannot be undone.

    Args:
        options: The values of the options.
        jql: The query to pull by, if one was given.

    Returns:
        The arguments of each job, and the workspaces whose jobs cannot start, by their names.

    Raises:
        click.UsageError: The options name one workspace and every one, or there is none.
        ConfigError: See `workspace_arguments`, as for its other errors. With ``--all``, such an
            error is returned instead.
    """
    if not options.all_workspaces:
        resolved = require_workspace_and_site(options)
        if line := location_notice(resolved, options):
            print_messages(line)
        return {"": job_arguments(resolved, options, jql)}, {}
    if options.workspace is not None or options.folder is not None:
        raise click.UsageError("use --all, or name one workspace, not both")
    workspaces = config.read_user_config(config.config_folder(os.environ)).workspaces
    if not workspaces:
        raise click.UsageError("you have added no workspace yet: 'ticketr workspace add'")
    ready: dict[str, sync.SessionOptions] = {}
    failed: FolderAndErrorByWorkspace = {}
    for name, entry in sorted(workspaces.items()):
        try:
            settings = workspace_arguments(replace(options, workspace=name), jql=jql)
        except TicketrError as error:
            failed[name] = (entry.folder, error)
        else:
            ready[name] = settings
    return ready, failed


def arguments_without_project(options: CommonOptions) -> sync.SessionOptions:
    """Return the arguments of a job on issues that are named by their keys; needs no project."""
    return find_job_arguments(replace(options, needs_project=False))[0][""]


def workspace_arguments(
    options: CommonOptions = CommonOptions(), *, jql: str | None = None
) -> sync.SessionOptions:
    """Return the arguments of a pull, push or sync of one workspace.

    Raises:
        ConfigError: A setting is missing or cannot be used, or the state file of the workspace is
            not the user's.
        StateFailed: The state file cannot be changed.
        TokenFailed: A source of tokens failed.
        AsksMissing: The package asks was chosen and cannot be used.
    """
    return job_arguments(require_workspace_and_site(options), options, jql)


def location_notice(resolved: config.Workspace, options: CommonOptions) -> str | None:
    """Return the folder and site that a command uses, if they may surprise the user.

    They may if the current folder is outside of the workspace and ``--folder`` was not given, or
    if JIRA_URL names another site.

    Returns:
        The notice; None if there is no reason for one.
    """
    around = Path.cwd().resolve().is_relative_to(resolved.root.resolve())
    elsewhere = options.folder is None and not around
    named = config.read_jira_variables(os.environ).site
    ignored = named is not None and named != resolved.site
    if not elsewhere and not ignored:
        return None
    in_use = elsewhere and options.workspace is None
    words = f"working in {resolved.root} with {resolved.site}"
    if in_use:
        words += f", the workspace in use ({resolved.name})"
    if ignored:
        words += f"; JIRA_URL ({named}) does not count there"
    return f"{words}; to work in this folder, say --folder ." if in_use else words


def require_workspace_and_site(options: CommonOptions) -> config.Workspace:
    """Return the workspace of a command, whose site is confirmed; say what in its file is ignored.

    Raises:
        ConfigError: See `workspace_arguments`, as for its other errors.
    """
    workspace = options.find_workspace()
    print_messages(*workspace.file.ignored_alias_warnings)
    if workspace.is_bare_current_folder:
        raise config.NoWorkspace(str(workspace.root), workspace.site)
    workspace.required_confirmed_site()
    return workspace


def job_arguments(
    resolved: config.Workspace, options: CommonOptions, jql: str | None
) -> sync.SessionOptions:
    """Return the arguments of a pull, push or sync of a workspace, by the options of a command.

    Raises:
        ConfigError: See `workspace_arguments`, as for its other errors.
    """
    if jql is not None:
        jql = config.checked_jql("--jql", jql)
        jql = config.expand_aliases("--jql", jql, resolved.all_aliases)
    elif options.project is None:
        jql = resolved.jql
    if jql is None and options.needs_project:
        resolved.required_project("which project, or give a query by --jql")
    mark = ownership.owner_mark_refusing_foreign_state(resolved.root)
    settings = session_options(
        resolved, find_credentials(resolved), mark, strategy=options.strategy
    )
    return {**settings, "jql": jql, "transport": _make_transport(options.http_package)}


def session_options(
    workspace: config.Workspace,
    credentials: jira.Credentials,
    state_owner_mark: str,
    *,
    strategy: str | None = None,
) -> sync.SessionOptions:
    """Return the arguments of a pull, push or sync of a workspace.

    Args:
        workspace: The workspace.
        credentials: The login for its site.
        state_owner_mark: The mark that its state file must have.
        strategy: One of `config.CONFLICT_STRATEGIES`; None for the workspace's own.
    """
    sides = {"mine": sync.Side.LOCAL, "jira": sync.Side.REMOTE}
    return {
        "root": workspace.root,
        "state_owner_mark": state_owner_mark,
        "credentials": credentials,
        "jql": workspace.jql,
        "project": workspace.project,
        "project_place": workspace.project_place,
        "fields": workspace.fields,
        "comments": workspace.file.keeps_comments,
        "links": workspace.file.keeps_links,
        "attachment_mode": workspace.file.attachment_mode,
        "inherit": workspace.file.new_subtasks_inherit,
        "default_draft_type": workspace.default_draft_type,
        "default_subtask_type": workspace.default_subtask_type,
        "prefer": sides.get(strategy or workspace.file.strategy or ""),
        "is_prefer_from_folder": strategy is None,
        "browser_site": workspace.site,
    }


def _make_transport(http_package: str) -> Transport | None:
    if http_package == "httpx":
        return None
    from ticketr.app.jira.transport import make_transport

    return make_transport("asks")


def find_named_keys_and_files(words: Collection[str], root: Path) -> tuple[str, ...]:
    """Return the keys, and the files of a workspace, that the words of a command line name.

    Args:
        words: Keys in any case, files, and folders, which stand for the files in them.
        root: The workspace's folder.

    Returns:
        Keys in capitals, and the names of files, relative to the workspace.

    Raises:
        click.UsageError: A word is neither, or a file is none of the workspace.
        ConfigError: See `owner_mark_refusing_foreign_state`, as for its other errors.
    """
    from ticketr.app.tickets import is_key

    names: list[str] = []
    for word in words:
        if not is_key(word.strip().upper()) and os.path.lexists(word):
            names += _find_ticket_files(Path(word), ownership.open_store_requiring_owner_mark(root))
        elif word.endswith(".md"):
            raise click.UsageError(f"{clean(word)} is not there")
        else:
            names.append(checked_key(word))
    return tuple(dict.fromkeys(names))


def _find_ticket_files(path: Path, store: sync.Store) -> list[str]:
    """Return the file with a path, or all files in a folder, as the workspace names them.

    Raises:
        click.UsageError: The workspace has no such file.
    """
    wanted = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    root = store.root.resolve()
    names: list[str] = []
    if wanted.is_relative_to(root):
        name = wanted.relative_to(root).as_posix()
        folder = "" if name == "." else f"{name}/"
        names = [
            file
            for file in chain.from_iterable(store.walk())
            if file == name or (path.is_dir() and file.startswith(folder))
        ]
    if not names:
        raise click.UsageError(
            f"{clean(str(path))} is no file with tickets in {clean(str(store.root))}; those end in .md, are "
            "no links, and are in no hidden folder"
        )
    return names


def refuse_keys_with_all(keys: Collection[str], options: CommonOptions) -> None:
    """Refuse keys together with ``--all``: a key does not say which workspace it is in.

    Raises:
        click.UsageError: Both were given.
    """
    if keys and options.all_workspaces:
        raise click.UsageError("use --all, or name tickets of one workspace, not both")
