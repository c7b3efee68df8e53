from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ticketr.app.config import BadFile, SettingsFailed
from ticketr.app.config.tomlfile import LARGEST, edited, line_of, read_table, read_text

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


@pytest.mark.parametrize(
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


def test_in_a_long_file_no_line_is_looked_for() -> None:
    text = "".join(f"k{number} = 1\n" for number in range(1000))

    assert line_of(text, ("k1",)) is None


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
    path.write_bytes(b"#" * (LARGEST + 1))

    with pytest.raises(BadFile, match=r"x: it is larger than 64 KiB"):
        read_text(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")

    with pytest.raises(BadFile, match="not an ordinary file"):
        read_text(tmp_path / "x")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsFailed, match=r"cannot read .*file/x: Not a directory"):
        read_text(tmp_path / "file" / "x")


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ("a = [\n", 2), ("a", 1)],
)
def test_invalid_toml_is_refused_with_its_line(text: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=rf"x:{line}: this is not TOML \(") as caught:
        read_table(tmp_path / "x", text)

    assert caught.value.line == line


@pytest.mark.parametrize("text", [f"a = {'[' * 5000}{']' * 5000}", f"a = {'1' * 5000}"])
def test_absurdly_nested_or_long_values_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no such file is written by hand"):
        read_table(tmp_path / "x", text)


A = ["a"] * 15_000


@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
    "text",
    [
        "x = '" + "one. two " * 200 + "'",
        "x = '" + "." * 5000 + "'",
        f"{'.'.join(A[:32])} = 1",
        "x" * 50_000 + " = 1",
        "x" + " " * 50_000 + "= 1",
    ],
)
def test_dots_that_are_no_such_name_do_not_matter(text: str, tmp_path: Path) -> None:
    assert read_table(tmp_path / "x", text).names()


def test_no_line_is_looked_for_where_that_would_take_long(tmp_path: Path) -> None:
    def refused(width: int) -> BadFile:
        text = "".join(f"x{number} = '{'y' * width}'\n" for number in range(250)) + "site = 5\n"
        with pytest.raises(BadFile, match="site must be text") as caught:
            read_table(tmp_path / "x", text).text("site")
        return caught.value

    assert (refused(1).line, refused(200).line) == (251, None)


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("value", ['"a"', "[1]", '["a", " "]', '["a", ["b"]]'])
def test_a_list_of_other_things_than_texts_is_refused(value: str, tmp_path: Path) -> None:
    table = read_table(tmp_path / "x", f"fields = {value}")

    with pytest.raises(BadFile, match=r"x:1: fields must be a list of texts"):
        table.texts("fields")


def test_a_table_of_that_name_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"x:1: sync must be a table, and here is text"):
        read_table(tmp_path / "x", 'sync = "local"').table("sync")


def add(document: dict[str, Any]) -> None:
    document.setdefault("sites", {}).setdefault("https://x", {})["email"] = "me"


@pytest.mark.parametrize(
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
    new = edited(tmp_path / "x", text, add)

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
        edited(tmp_path / "x", "a = 1\n", change)

    assert "hunter2" not in str(caught.value)


def test_other_changes_by_an_edit_are_detected(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["a"] = 1 if type(document) is dict else 2

    with pytest.raises(BadFile, match="ticketr cannot change a file"):
        edited(tmp_path / "x", "", change)
