"""``.ticketr.yaml``: the settings of the Go program Ticketr for a folder.

Only what ticketr uses is read: the names of fields, the project and the type of new tickets. The
rest of the file may hold anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app.config.checks import MappedField, checked_project, earlier_name, one_line
from ticketr.app.config.errors import BadSetting
from ticketr.app.config.tomlfile import read_text

if TYPE_CHECKING:
    from ticketr.app.config.yamlfile import YamlBlock

#: The file's name, in the workspace's root.
GO_FILE = ".ticketr.yaml"

#: Fields that have their own place in a Markdown file, in both programs.
_FIELDS_WITH_OWN_PLACE = frozenset({"summary", "description", "issuetype", "project", "parent"})


@dataclass(frozen=True, slots=True)
class GoFile:
    """The settings of a ``.ticketr.yaml``.

    Attributes:
        path: The file.
        fields: The fields to keep in the Markdown files, with their names there.
        project: The project that new tickets belong to.
        issue_type: The type of a new ticket that names none.
    """

    path: Path
    fields: tuple[MappedField, ...] = ()
    project: str | None = None
    issue_type: str | None = None


def read_go_file(root: Path) -> GoFile | None:
    """Read the file of a folder.

    Returns:
        Its settings, or None where there is no such file.

    Raises:
        BadFile: It cannot be used; the error repeats no value of it.
        SettingsFailed: The system refused to read it.
    """
    path = root / GO_FILE
    text = read_text(path)
    if text is None:
        return None
    # The parser is loaded only where there is such a file, which is rare.
    from ticketr.app.config.yamlfile import read_block  # noqa: PLC0415 - see above

    block = read_block(path, text)
    defaults = block.block("defaults")
    return GoFile(
        path,
        fields=_fields(block.block("field_mappings")),
        project=_project(defaults),
        issue_type=defaults.text("issue_type"),
    )


def _project(defaults: YamlBlock) -> str | None:
    key = "project_key"
    project = defaults.text(key)
    try:
        return None if project is None else checked_project(key, project)
    except BadSetting as error:
        problem = f"{key!r} in defaults cannot be used: {error.problem}"
        raise defaults.bad(key, problem) from None


def _fields(mappings: YamlBlock) -> tuple[MappedField, ...]:
    fields: list[MappedField] = []
    for key in mappings.names():
        name, field_id = one_line(key), _field_id(mappings, key)
        if not name:
            raise mappings.bad(key, "a field has no name")
        if field_id in _FIELDS_WITH_OWN_PLACE:
            continue
        field = MappedField(name, field_id, mappings.bad(key, "").place)
        if (other := earlier_name(field, fields)) is not None:
            problem = f"{name!r} is the same field as {other!r}; a field has one line in a file"
            raise mappings.bad(key, problem)
        fields.append(field)
    return tuple(fields)


def _field_id(mappings: YamlBlock, key: str) -> str:
    is_block = mappings.is_block(key)
    field_id = mappings.block(key).text("id") if is_block else mappings.text(key)
    if field_id is None:
        raise mappings.bad(key, f"{key!r} needs an id, which is Jira's, like customfield_10016")
    return field_id
