"""Reads and writes ``ticketr.toml``: a team's shared settings of a workspace, without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ticketr.app.config import checks, files
from ticketr.app.config.aliases import is_built_in, read_aliases
from ticketr.app.config.errors import BadFile, BadSetting, SecretInFile, convert_os_errors
from ticketr.app.config.state_folder import STATE_FOLDER
from ticketr.app.config.tomlfile import edited_toml, read_table, read_text

if TYPE_CHECKING:
    from ticketr.app.config.checks import NameOrUserNamedField
    from ticketr.app.config.tomlfile import Table

#: The file's name, in the workspace's root.
WORKSPACE_FILE = "ticketr.toml"

_FIELDS_KEY = "fields"
_ALIASES_KEY = "aliases"
_KNOWN_KEYS = (
    *("site", "project", "jql", _FIELDS_KEY, "comments", "links", "attachments", "inherit"),
    *("sync", _ALIASES_KEY),
)
_SYNC_KEYS = ("strategy",)
_SECRET_KEY_PATTERN = re.compile(
    r"token|passw|passphrase|secret|api_?key|credential|bearer|private_?key"
)
_CREDENTIAL_KEY_REFUSED_REASON = (
    "{key!r} has no place here, since this file is shared through git: take it out (and revoke what "
    "was committed); 'ticketr workspace add' keeps a token in your keyring, and a token_command is "
    "in your own config.toml"
)
# Known names, but of another file.
_USER_CONFIG_KEYS = ("email", "cloud_id", "folder", "use")
_WORKSPACE_FILE_HEADER = """\
# What ticketr knows of this workspace. It holds no secret, so keep it in git.
"""


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    """The settings in a ``ticketr.toml``.

    Attributes:
        path: The file.
        site: The site's address; nothing is sent there until the user has confirmed it.
        project: The project that new tickets belong to, and that is pulled unless there is a query.
        jql: The query to pull by.
        fields: Further fields to keep in the files; None if the file does not say.
        keeps_comments: Whether files hold comments.
        keeps_links: Whether files hold lines of links to other tickets.
        attachment_mode: What a pull does with attachments, ``"list"`` or ``"download"``; None for
            nothing.
        new_subtasks_inherit: Whether new sub-tasks take over the fields of their tickets.
        strategy: What to do with a conflict, one of ``CONFLICT_STRATEGIES``; None leaves it to be resolved.
        aliases: The team's names for queries; none has the name of a built-in one.
        ignored_alias_warnings: What in the file does not count, and why, each with its line.
    """

    path: Path
    site: str | None = None
    project: str | None = None
    jql: str | None = None
    fields: tuple[NameOrUserNamedField, ...] | None = None
    strategy: str | None = None
    keeps_comments: bool = False
    keeps_links: bool = False
    attachment_mode: Literal["list", "download"] | None = None
    new_subtasks_inherit: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    ignored_alias_warnings: tuple[str, ...] = ()


def read_workspace_file(root: Path) -> WorkspaceFile | None:
    """Read the file of a workspace.

    Returns:
        Its settings, or None where there is no such file.

    Raises:
        BadFile: It cannot be used; ``UnknownKey`` and ``SecretInFile`` are kinds of it.
        BadSetting: A value in it cannot be used.
        SettingsAccessFailed: The system refused to read it.
    """
    path = root / WORKSPACE_FILE
    text = read_text(path)
    if text is None:
        return None
    table = read_table(path, text)
    _refuse_secrets(path, table)
    for key in _USER_CONFIG_KEYS:
        if key in table:
            raise table.make_error(
                key, f"{key} differs from person to person: it belongs in your own config.toml"
            )
    table.refuse_unknown(_KNOWN_KEYS)
    sync = table.table("sync")
    sync.refuse_unknown(_SYNC_KEYS)
    aliases = read_aliases(table.table(_ALIASES_KEY))
    return WorkspaceFile(
        path,
        site=table.checked_text("site", checks.checked_site),
        project=table.checked_text("project", checks.checked_project),
        jql=table.checked_text("jql", checks.checked_jql),
        fields=_read_fields(path, table),
        keeps_comments=table.flag("comments") or False,
        keeps_links=table.flag("links") or False,
        new_subtasks_inherit=table.flag("inherit") is not False,
        attachment_mode=table.checked_text("attachments", checks.checked_attachment_mode),
        strategy=sync.checked_text("strategy", checks.checked_canonical_strategy),
        aliases={name: query for name, query in aliases.items() if not is_built_in(name)},
        ignored_alias_warnings=tuple(
            _ignored_alias_warning(table, name) for name in aliases if is_built_in(name)
        ),
    )


def _ignored_alias_warning(table: Table, name: str) -> str:
    """Return the warning about an alias that would replace a built-in one."""
    hint = f"your own settings can: ticketr alias {name} QUERY"
    problem = (
        f"ignored: @{name} is built in, and a file that others share cannot change it ({hint})"
    )
    return str(table.table(_ALIASES_KEY).make_error(name, problem))


def _read_fields(path: Path, table: Table) -> tuple[NameOrUserNamedField, ...] | None:
    """Read the fields: a list of the site's names, or a table from names to Jira's IDs."""
    if _FIELDS_KEY not in table:
        return None
    if not table.is_table(_FIELDS_KEY):
        return table.texts(_FIELDS_KEY)
    fields = table.table(_FIELDS_KEY)
    mapped: dict[str, checks.UserNamedField] = {}
    for key in fields.names():
        field = checks.UserNamedField(
            checks.with_single_spaces(key), (fields.text(key) or "").strip(), str(path)
        )
        if not field.name or not field.id:
            raise fields.make_error(key, f"{key!r} needs the ID of a field, like customfield_10016")
        if (kept := checks.conflicting_reserved_name(field)) is not None:
            raise fields.make_error(
                key, f"{kept!r} is the line of a field of its own and keeps its name"
            )
        if field.id in mapped:
            other = mapped[field.id].name
            problem = f"{key!r} is the same field as {other!r}; a field has one line in a file"
            raise fields.make_error(key, problem)
        mapped[field.id] = field
    return tuple(mapped.values())


def _refuse_secrets(path: Path, table: Table) -> None:
    for key in table.names():
        if _SECRET_KEY_PATTERN.search(key.casefold().replace("-", "_")):
            raise SecretInFile(
                str(path), table.line(key), _CREDENTIAL_KEY_REFUSED_REASON.format(key=key)
            )
        # The name of a field or an alias does not point to a secret: there may be a "Token count".
        if table.is_table(key) and key not in {_FIELDS_KEY, _ALIASES_KEY}:
            _refuse_secrets(path, table.table(key))


def write_missing_settings(root: Path, wanted: WorkspaceFile) -> bool:
    """Add the settings to a workspace's file that it lacks.

    The folder is made where there is none. Comments, order and everything else in the file stay.

    Args:
        root: The workspace's folder.
        wanted: The site, project, query and mapped fields that the file should name.

    Returns:
        Whether anything had to be written.

    Raises:
        BadSetting: The file says something else, which the team has agreed on.
        SettingsAccessFailed: The system refused to write it.
    """
    missing = find_missing_settings(root, wanted)
    path = root / WORKSPACE_FILE
    if missing:
        with convert_os_errors(root, "make"):
            root.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():  # as a git repository can bring one
            raise BadFile(str(path), None, f"this {files.LINK_REFUSED_REASON}")
        text = read_text(path)
        new = edited_toml(
            path,
            _WORKSPACE_FILE_HEADER if text is None else text,
            lambda document: document.update(missing),
        )
        with convert_os_errors(path, "write"), files.open_write_folder(root) as folder:
            mode = path.stat().st_mode & 0o777 if path.exists() else None
            files.replace_atomically(folder, path.name, new, mode=mode)
    return bool(missing)


def find_missing_settings(root: Path, wanted: WorkspaceFile) -> dict[str, object]:
    """Return the settings that the file of a workspace lacks.

    Args:
        root: The workspace's folder.
        wanted: The site, project, query and mapped fields that the file should name; fields are
            added to a file that says nothing of them, and never conflict. A new workspace keeps
            comments.

    Raises:
        BadSetting: The file says something else, which the team has agreed on.
        BadFile: The file cannot be used.
    """
    known_file = read_workspace_file(root)
    there = known_file or WorkspaceFile(root / WORKSPACE_FILE)
    missing: dict[str, object] = {}
    for key in ("site", "project", "jql"):
        known: str | None = getattr(there, key)
        value: str | None = getattr(wanted, key)
        if value is None or value == known:
            continue
        if known is not None:
            raise BadSetting(f"{there.path}: {key}", known, f"not {value!r}; change it there")
        missing[key] = value
    # A workspace that was synced before keeps its files as they are.
    if known_file is None and not (root / STATE_FOLDER).exists():
        missing["comments"] = True
    mapped = [
        mapped_field
        for mapped_field in wanted.fields or ()
        if isinstance(mapped_field, checks.UserNamedField)
    ]
    if mapped and there.fields is None:
        missing[_FIELDS_KEY] = {mapped_field.name: mapped_field.id for mapped_field in mapped}
    return missing
