"""``.ticketr.yaml``: the settings of the Go program Ticketr for a folder.

Only the names of fields are read, when the folder becomes a workspace. The rest of the file may hold
anything.
"""

from __future__ import annotations

from pathlib import Path

from ticketr.app.config.checks import UserNamedField, with_single_spaces
from ticketr.app.config.tomlfile import read_text

#: The file's name, in the workspace's root.
GO_SETTINGS_FILE = ".ticketr.yaml"

#: Fields that have their own place in a Markdown file, in both programs.
_TICKET_SYNTAX_FIELD_IDS = frozenset({"summary", "description", "issuetype", "project", "parent"})


def read_go_fields(root: Path) -> tuple[UserNamedField, ...]:
    """Read the fields that a folder's file names, each once; none where there is no such file.

    Raises:
        BadFile: It cannot be used; the error repeats no value of it.
        SettingsAccessFailed: The system refused to read it.
    """
    path = root / GO_SETTINGS_FILE
    text = read_text(path)
    if text is None:
        return ()
    # The parser is loaded only where there is such a file, which is rare.
    from ticketr.app.config.yamlfile import parse_yaml  # noqa: PLC0415 - see above

    block = parse_yaml(path, text).mapping("field_mappings")
    fields: dict[str, UserNamedField] = {}
    for key in block.names():
        field_id = block.mapping(key).text("id") if block.is_mapping(key) else block.text(key)
        if field_id is None:
            problem = f"{key!r} needs an id, which is Jira's, like customfield_10016"
            raise block.make_error(key, problem)
        name = with_single_spaces(key)
        if name and field_id not in _TICKET_SYNTAX_FIELD_IDS:
            fields.setdefault(field_id, UserNamedField(name, field_id, str(path)))
    return tuple(fields.values())
