"""Test reading the Go program's ``.ticketr.yaml``."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketr.app.config import BadFile, MappedField, SettingsFailed, read_go_file
from ticketr.app.config.go_file import GoFile

# As that program's example and its `schema` command write it, with a login added.
WHOLE = """\
defaults:
  project_key: "PROJ"
  issue_type: "Story"

jira:
  api_key: canary

field_mappings:
  "Type": "issuetype"
  "Project": "project"
  "Summary": "summary"
  "Assignee": "assignee"
  "Story Points":
    id: "customfield_10010"
    type: "number"  # told by the site
  Sprint: customfield_10020  # Common sprint field

sync:
  pull:
    fields: ["Type", "Status"]
"""


def write(root: Path, text: str) -> Path:
    path = root / ".ticketr.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(root: Path, text: str) -> str:
    """Return the error of a file that cannot be used, without the folder."""
    write(root, text)
    with pytest.raises(BadFile) as caught:
        read_go_file(root)
    assert "canary" not in repr(caught.value)
    return str(caught.value).removeprefix(f"{root}/")


def test_fields_project_and_type_are_read_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE)

    file = read_go_file(tmp_path)

    assert file == GoFile(
        path,
        fields=(
            MappedField("Assignee", "assignee"),
            MappedField("Story Points", "customfield_10010"),
            MappedField("Sprint", "customfield_10020"),
        ),
        project="PROJ",
        issue_type="Story",
    )
    assert [each.place for each in file.fields] == [f"{path}:{line}" for line in (12, 13, 16)]
    assert "canary" not in repr(file)


def test_without_the_file_there_is_none(tmp_path: Path) -> None:
    assert read_go_file(tmp_path) is None


@pytest.mark.parametrize("text", ["", "field_mappings:\n", "defaults: {}\nother: [1]\n"])
def test_nothing_in_it_is_needed(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)

    assert read_go_file(tmp_path) == GoFile(path)


@pytest.mark.parametrize("kind", ["number", "array", "string", "option"])
def test_every_type_of_the_original_is_known(kind: str, tmp_path: Path) -> None:
    write(tmp_path, f"field_mappings:\n  Points: {{id: customfield_1, type: {kind}}}\n")

    file = read_go_file(tmp_path)

    assert file is not None
    assert file.fields == (MappedField("Points", "customfield_1"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [\n", ".ticketr.yaml:2: this is not YAML ("),
        (
            "field_mappings: [a]\n",
            ".ticketr.yaml:1: field_mappings must be a block of names, and here is a list",
        ),
        (
            "field_mappings:\n  A: customfield_1\n  Points: 10016\n",
            (
                ".ticketr.yaml:3: 'Points' in field_mappings must be Jira's ID of a field, like "
                "customfield_10016, or a block of it, and here is a number"
            ),
        ),
        (
            "field_mappings:\n  Points:\n",
            (
                ".ticketr.yaml:2: 'Points' in field_mappings must be Jira's ID of a field, like "
                "customfield_10016, or a block of it, and here is nothing"
            ),
        ),
        (
            "field_mappings:\n  Points: {type: number}\n",
            ".ticketr.yaml:2: 'Points' needs an id, which is Jira's, like customfield_10016",
        ),
        (
            "field_mappings:\n  Points:\n    type: number\n    id: [canary]\n",
            ".ticketr.yaml:4: 'id' in Points must be a text, and here is a list",
        ),
        ("field_mappings:\n  Points: ''\n", ".ticketr.yaml:2: 'Points' in field_mappings is empty"),
        (
            "field_mappings:\n  Points:\n    id: customfield_1\n    type: nummer\n",
            (
                ".ticketr.yaml:4: 'Points' has an unknown type: it is one of number, array, string, "
                "option (did you mean number?)"
            ),
        ),
        (
            "field_mappings:\n  Points: {id: customfield_1, type: canary}\n",
            (
                ".ticketr.yaml:2: 'Points' has an unknown type: it is one of number, array, string, "
                "option"
            ),
        ),
        (
            "field_mappings:\n  Points: {id: customfield_1, type: 1}\n",
            ".ticketr.yaml:2: 'type' in Points must be a text, and here is a number",
        ),
        (
            "field_mappings:\n  A: customfield_1\n  B: customfield_1\n",
            ".ticketr.yaml:3: 'B' is the same field as 'A'; a field has one line in a file",
        ),
        ("field_mappings:\n  ' ': customfield_1\n", ".ticketr.yaml:2: a field has no name"),
        ("defaults: 1\n", ".ticketr.yaml:1: defaults must be a block of names, and here is a numb"),
        (
            "defaults:\n  issue_type: [canary]\n",
            ".ticketr.yaml:2: 'issue_type' in defaults must be a text, and here is a list",
        ),
    ],
)
def test_an_error_is_reported_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text).startswith(words)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("canary", "'project_key' in defaults cannot be used: a project key is upper-case"),
        ("5", "'project_key' in defaults must be a text, and here is a number"),
    ],
)
def test_an_invalid_project_is_an_error_only_when_needed(
    value: str, words: str, tmp_path: Path
) -> None:
    path = write(tmp_path, f"defaults:\n  project_key: {value}\n")

    file = read_go_file(tmp_path)

    assert file is not None
    assert file.project is None
    assert str(file.project_problem).startswith(f"{path}:2: {words}")
    assert "canary" not in repr(file)


def test_a_file_that_the_system_does_not_give_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".ticketr.yaml").symlink_to(tmp_path / ".ticketr.yaml")

    with pytest.raises(SettingsFailed, match=r"cannot read .*\.ticketr\.yaml"):
        read_go_file(tmp_path)
