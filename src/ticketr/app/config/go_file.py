"""``.ticketr.yaml``: the settings of the Go program Ticketr for a folder.

Only the names of fields are read, when the folder becomes a workspace. The rest of the file may hold
anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ticketr.app.config.checks import MappedField, earlier_name, one_line
from ticketr.app.config.tomlfile import read_text

if TYPE_CHECKING:
    from ticketr.app.config.yamlfile import YamlBlock

#: The file's name, in the workspace's root.
GO_FILE = ".ticketr.yaml"

#: Fields that have their own place in a Markdown file, in both programs.
_FIELDS_WITH_OWN_PLACE = frozenset({"summary", "description", "issuetype", "project", "parent"})


def read_go_fields(root: Path) -> tuple[MappedField, ...]:
    """Read the fields that a folder's file names; none where there is no such file.

    Raises:
        BadFile: It cannot be used; the error repeats no value of it.
        SettingsFailed: The system refused to read it.
    """
    path = root / GO_FILE
    text = read_text(path)
    if text is None:
        return ()
    # The parser is loaded only where there is such a file, which is rare.
    from ticketr.app.config.yamlfile import read_block  # noqa: PLC0415 - see above

    mappings = read_block(path, text).block("field_mappings")
    fields: list[MappedField] = []
    for key in mappings.names():
        name, field_id = one_line(key), _field_id(mappings, key)
        if not name:
            raise mappings.bad(key, "a field has no name")
        if field_id in _FIELDS_WITH_OWN_PLACE:
            continue
        field = MappedField(name, field_id)
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
