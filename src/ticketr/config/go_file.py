"""``.ticketr.yaml``: what the Go program Ticketr was told about a folder.

Of that file only what ticketr has a use for is read: the names of fields, the project and the
type of new tickets. The rest is left alone, whatever it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a field of a dataclass
from typing import TYPE_CHECKING

from ticketr.config.checks import checked_project, nearest
from ticketr.config.errors import BadFile, BadSetting
from ticketr.config.fields import MappedField, one_line, other_name
from ticketr.config.tomlfile import read_text

if TYPE_CHECKING:
    from ticketr.config.yamlfile import Block

#: The file's name, in the workspace's root.
GO_FILE = ".ticketr.yaml"

#: What that program knows of the values of a field. The site itself knows better, so it is only
#: seen that a file says nothing else.
TYPES = ("number", "array", "string", "option")
#: Fields that have a place of their own in a file, there as here.
_ELSEWHERE = frozenset({"summary", "description", "issuetype", "project", "parent"})


@dataclass(frozen=True, slots=True)
class GoFile:
    """What a ``.ticketr.yaml`` says.

    Attributes:
        path: the file.
        fields: the fields to keep in the files, under which names.
        project: the project that new tickets belong to.
        project_problem: why what stands there cannot be one; for whoever needs it.
        issue_type: the type of a new ticket that names none.
    """

    path: Path
    fields: tuple[MappedField, ...] = ()
    project: str | None = None
    project_problem: BadFile | None = None
    issue_type: str | None = None


def read_go_file(root: Path) -> GoFile | None:
    """Read the file of a folder.

    Args:
        root: the workspace's folder.

    Returns:
        What it says, or None where there is none.

    Raises:
        BadFile: it cannot be used; no value that stands in it is repeated.
        SettingsFailed: the system would not give it.
    """
    path = root / GO_FILE
    text = read_text(path)
    if text is None:
        return None
    # Loaded where there is such a file: nearly nobody has one.
    from ticketr.config.yamlfile import read_block  # noqa: PLC0415 - see above

    block = read_block(path, text)
    defaults = block.block("defaults")
    project, problem = _project(defaults)
    return GoFile(
        path,
        fields=_fields(block.block("field_mappings")),
        project=project,
        project_problem=problem,
        issue_type=defaults.text("issue_type"),
    )


def _project(defaults: Block) -> tuple[str | None, BadFile | None]:
    """Read the project, which that program itself takes from the environment alone."""
    key = "project_key"
    try:
        project = defaults.text(key)
        return project and checked_project(key, project), None
    except BadSetting as error:
        return None, defaults.bad(key, f"{key!r} in defaults cannot be used: {error.problem}")
    except BadFile as error:
        return None, error


def _fields(mappings: Block) -> tuple[MappedField, ...]:
    found: list[MappedField] = []
    for key in mappings.names():
        name, field_id = one_line(key), _field_id(mappings, key)
        if not name:
            raise mappings.bad(key, "a field has no name")
        if field_id in _ELSEWHERE:
            continue
        field = MappedField(name, field_id, mappings.place(key))
        if (other := other_name(field, found)) is not None:
            problem = f"{name!r} is the same field as {other!r}; a field has one line in a file"
            raise mappings.bad(key, problem)
        found.append(field)
    return tuple(found)


def _field_id(mappings: Block, key: str) -> str:
    if mappings.is_text(key):
        return mappings.text(key) or ""  # which it is not: an empty one is refused
    if not mappings.is_block(key):
        raise mappings.wrong(key, "Jira's ID of a field, like customfield_10016, or a block of it")
    about = mappings.block(key)
    _check_type(about, key)
    field_id = about.text("id")
    if field_id is None:
        raise mappings.bad(key, f"{key!r} needs an id, which is Jira's, like customfield_10016")
    return field_id


def _check_type(about: Block, key: str) -> None:
    kind = about.text("type")
    if kind is None or kind in TYPES:
        return
    hint = nearest(kind, TYPES)
    said = f" (did you mean {hint}?)" if hint else ""
    problem = f"{key!r} has an unknown type: it is one of {', '.join(TYPES)}{said}"
    raise about.bad("type", problem)
