"""Test TOML and YAML files, the positions in their errors, and the Go program's ``.ticketr.yaml``."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.app.config import BadFile, SettingsAccessFailed, UserNamedField, read_go_fields
from ticketr.app.config.tomlfile import MAX_FILE_BYTES, edited_toml, line_of, read_table, read_text
from ticketr.app.config.yamlfile import YamlMapping, parse_yaml

TEXT = """\
# a comment
site = "x"

fields = [
    "a",
]
# another
jql = \"\"\"
site = 1
\"\"\"
[sync]  # a table
strategy = "local"
deep.er = 1

[[list]]
inner = { key = 1 }
"""


@for_each(
    ("keys", "line"),
    [
        (("site",), 2),
        (("fields",), 4),
        (("jql",), 8),
        (("sync",), 11),
        (("sync", "strategy"), 12),
        (("sync", "deep", "er"), 13),
        (("list",), 15),
        (("absent",), None),
        (("site", "below"), None),
        ((), None),
    ],
)
def test_the_line_of_a_name_is_found(keys: tuple[str, ...], line: int | None) -> None:
    assert line_of(TEXT, keys) == line


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True), st.data())
def test_the_found_line_is_that_of_the_name(names: list[str], data: Any) -> None:
    filler = ["", "# a = 1 \u2028 \x85", "x-{} = [\n 1,\n]", 'y-{} = """\na = 1\n"""']
    lines: list[str] = []
    places = {}
    for number, name in enumerate(names):
        lines += data.draw(st.sampled_from(filler)).format(number).split("\n")
        lines.append(f"{name} = {number}")
        places[name] = len(lines)

    text = "\n".join(lines)

    assert {name: line_of(text, (name,)) for name in names} == places


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert read_text(tmp_path / "x") is None


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xef\xbb\xbfa = 1\n")

    assert read_text(path) == "a = 1\n"


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a = 1\n\nb = '\xff'\n")

    with pytest.raises(BadFile, match=r"x:3: this is not UTF-8 text"):
        read_text(path)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"#" * (MAX_FILE_BYTES + 1))

    with pytest.raises(BadFile, match=r"x: it is larger than 64 KiB"):
        read_text(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")

    with pytest.raises(BadFile, match="not an ordinary file"):
        read_text(tmp_path / "x")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsAccessFailed, match=r"cannot read .*file/x: Not a directory"):
        read_text(tmp_path / "file" / "x")


@for_each(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ("a = [\n", 2), ("a", 1)],
)
def test_invalid_toml_is_refused_with_its_line(text: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=rf"x:{line}: this is not TOML \(") as caught:
        read_table(tmp_path / "x", text)

    assert caught.value.line == line


@for_each("text", [f"a = {'[' * 5000}{']' * 5000}", f"a = {'1' * 5000}"])
def test_absurdly_nested_or_long_values_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no such file is written by hand"):
        read_table(tmp_path / "x", text)


A = ["a"] * 15_000


@for_each(
    "text",
    [
        f"x = 1\n{'.'.join(A)} = 1",
        f"x = 1\n[[{'.'.join(A)}]]",
        f"x = 1\n{' . '.join(A)} = 1",
        "x = 1\n" + ".".join(['"a"'] * 15_000) + " = 1",
        "x = 1\n" + ".".join(["'a'"] * 15_000) + " = 1",
        f"x = 1\ny = {{b = 1, {'.'.join(A)} = 1}}",
    ],
)
def test_a_name_of_thousands_of_parts_is_refused_before_it_is_parsed(
    text: str, tmp_path: Path
) -> None:
    with pytest.raises(BadFile, match="x:2: a name has too many parts between dots"):
        read_table(tmp_path / "x", text)


@for_each(
    ("value", "found"),
    [
        ("5", "a number"),
        ("true", "true or false"),
        ("[]", "a list"),
        ("{}", "a table"),
        ("2025-01-01", "a date or time"),
    ],
)
def test_a_value_of_another_kind_is_refused_and_not_shown(
    value: str, found: str, tmp_path: Path
) -> None:
    table = read_table(tmp_path / "x", f"\nsite = {value}\n")

    with pytest.raises(BadFile, match=rf"x:2: site must be text in quotes, and here is {found}$"):
        table.text("site")


def add(document: dict[str, Any]) -> None:
    document.setdefault("sites", {}).setdefault("https://x", {})["email"] = "me"


@for_each(
    "text",
    [
        "",
        "# mine\n",
        'use = "a" # why\n\n[workspaces.a]\nfolder = "/x"\n\n# the end\n',
        '[sites."https://x"]\nemail = "you" # old\n',
        '[sites."https://y"] # other\n',
        'sites = { "https://y" = {} }\n',
        "use = 'a'\r\n",
    ],
)
def test_an_edit_changes_only_its_value_and_keeps_every_comment(text: str, tmp_path: Path) -> None:
    new = edited_toml(tmp_path / "x", text, add)

    wanted = tomllib.loads(text)
    add(wanted)
    assert tomllib.loads(new) == wanted
    comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in new.splitlines() if "#" in line] == comments


def test_a_file_that_cannot_be_edited_exactly_is_left_alone(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        if type(document) is not dict:  # as tomlkit's error does, for some files
            raise ValueError("hunter2")

    with pytest.raises(BadFile, match="ticketr cannot change a file") as caught:
        edited_toml(tmp_path / "x", "a = 1\n", change)

    assert "hunter2" not in str(caught.value)


PATH = Path("f.yaml")


def read(text: str) -> YamlMapping:
    return parse_yaml(PATH, text)


@for_each("text", ["a: [canary]", "a: {b: canary}", "a: !!str [canary]"])
def test_a_value_of_a_wrong_kind_is_reported_with_its_line_and_not_shown(text: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(f"# first\n{text}\n").text("a")

    assert str(caught.value) == "f.yaml:2: a must be a text"


@for_each(
    ("text", "value"),
    [("a: 10016", "10016"), ("a: 2026-01-31", "2026-01-31"), ("a: ' '", None), ("a: ~", None)],
)
def test_a_value_is_read_as_it_is_written(text: str, value: str | None) -> None:
    assert read(text).text("a") == value


@pytest.mark.unmeasured
@for_each(
    ("text", "words"),
    [
        ("a: 1\nb: [\n", r"f.yaml:3: this is not YAML \(look at the indents, colons and quotes\)"),
        ("a: b: c\n", r"f.yaml:1: this is not YAML \(look at the indents, colons and quotes\)"),
        ("a:\n\tb: c\n", r"f.yaml:2: this is not YAML \(a tab; indent by spaces\)"),
        ("a: b\nc\nd: e", r"f.yaml:3: this is not YAML \(look at the indents, colons and quotes\)"),
        (
            "---\na: b\n---\n",
            r"f.yaml:3: this is not YAML \(look at the indents, colons and quotes\)",
        ),
        ("a: \0\n", r"f.yaml:1: this is not YAML \(a character that none has\)"),
        ("- a\n", r"f.yaml:1: the file must be a block of names$"),
        ("a\n", r"f.yaml:1: the file must be a block of names$"),
        ("a: 1\nb: 2\na: 3\n", r"f.yaml:3: 'a' is there twice$"),
        ("x: &x {a: b}\n<<: *x\n", r"f.yaml:2: ticketr reads plain names here; write them out$"),
        ("? [a]\n: b\n", r"f.yaml:1: ticketr reads plain names here; write them out$"),
        ("[" * 5000, r"f.yaml: no such file is written by hand$"),
    ],
)
def test_invalid_yaml_is_reported_with_its_line(text: str, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        read(text)


@for_each(
    "text",
    [
        "api_key: *canary\n",
        "api_key: !canary!x y\n",
        'api_key: "canary \\q"\n',
        "api_key: @canary\n",
        "api_key: 'canary\n",
        "api_key: %canary: x\n",
        "api_key: &canary x\nother: &canary y\nz: [\n",
        "api_key: canary: x\n",
        "api_key: canary\n  x: y\n",
        "canary\napi_key: x\n",
        "api_key: [canary\n",
        "api_key: canary\0\n",
    ],
)
def test_no_piece_of_a_broken_file_is_in_the_error(text: str) -> None:
    with pytest.raises(BadFile, match=r"this is not YAML") as caught:
        read(text)

    assert "canary" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_names_that_stand_for_one_another_without_end_are_read_as_far_as_asked() -> None:
    block = read("a: &a\n  b: *a\n")

    assert block.mapping("a").mapping("b").mapping("b").names() == ("b",)


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
        read_go_fields(root)
    assert "canary" not in repr(caught.value)
    return str(caught.value).removeprefix(f"{root}/")


def test_the_fields_are_read_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, WHOLE)

    assert read_go_fields(tmp_path) == (
        UserNamedField("Assignee", "assignee"),
        UserNamedField("Story Points", "customfield_10010"),
        UserNamedField("Sprint", "customfield_10020"),
    )


def test_a_field_that_is_there_twice_has_its_first_name(tmp_path: Path) -> None:
    write(tmp_path, "field_mappings:\n  ' ': x\n  A: customfield_1\n  B: customfield_1\n")

    assert read_go_fields(tmp_path) == (UserNamedField("A", "customfield_1"),)


def test_without_the_file_there_are_none(tmp_path: Path) -> None:
    assert read_go_fields(tmp_path) == ()


@for_each("text", ["", "field_mappings:\n", "defaults: 1\nother: [1]\n"])
def test_nothing_in_it_is_needed(text: str, tmp_path: Path) -> None:
    write(tmp_path, text)

    assert read_go_fields(tmp_path) == ()


@for_each(
    ("text", "words"),
    [
        ("a: [\n", ".ticketr.yaml:2: this is not YAML ("),
        (
            "field_mappings: [a]\n",
            ".ticketr.yaml:1: field_mappings must be a block of names",
        ),
        (
            "field_mappings:\n  Points:\n",
            ".ticketr.yaml:2: 'Points' needs an id, which is Jira's, like customfield_10016",
        ),
        ("field_mappings:\n  A: []\n", ".ticketr.yaml:2: 'A' in field_mappings must be a text"),
        (
            "field_mappings:\n  Points: {type: number}\n",
            ".ticketr.yaml:2: 'Points' needs an id, which is Jira's, like customfield_10016",
        ),
        (
            "field_mappings:\n  Points:\n    type: number\n    id: [canary]\n",
            ".ticketr.yaml:4: 'id' in Points must be a text",
        ),
        ("field_mappings:\n  Points: ''\n", ".ticketr.yaml:2: 'Points' needs an id"),
    ],
)
def test_an_error_is_reported_with_its_place(text: str, words: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text).startswith(words)


def test_a_file_that_the_system_does_not_give_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".ticketr.yaml").symlink_to(tmp_path / ".ticketr.yaml")

    with pytest.raises(SettingsAccessFailed, match=r"cannot read .*\.ticketr\.yaml"):
        read_go_fields(tmp_path)
