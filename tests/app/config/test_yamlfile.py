"""Test YAML files, and the positions in their errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketr.app.config import BadFile
from ticketr.app.config.yamlfile import YamlBlock, read_block

PATH = Path("f.yaml")


def read(text: str) -> YamlBlock:
    return read_block(PATH, text)


def test_names_and_texts_are_read_as_they_are_written() -> None:
    block = read("a: one\n'b c': \"two # no comment\"\ninner:\n  x: ' y '\n")

    assert block.names() == ("a", "b c", "inner")
    assert (block.text("a"), block.text("b c")) == ("one", "two # no comment")
    assert block.block("inner").text("x") == "y"
    assert block.bad("inner", "").place == "f.yaml:3"


@pytest.mark.parametrize("text", ["", "# nothing\n", "~\n", "a:\n", "a: null\n", "---\n"])
def test_a_missing_key_is_none_or_an_empty_block(text: str) -> None:
    block = read(text)

    assert block.text("a") is None
    assert block.block("a").names() == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1", "a number"),
        ("a: 1.5", "a number"),
        ("a: yes", "true or false"),
        ("a: [x]", "a list"),
        ("a: {b: c}", "a block of names"),
        ("a: 2026-01-31", "something else"),
        ("a: !secret canary", "something else"),
        ("a: !!str [canary]", "something else"),
    ],
)
def test_a_value_of_a_wrong_kind_is_reported_with_its_line_and_not_shown(
    text: str, found: str
) -> None:
    with pytest.raises(BadFile) as caught:
        read(f"# first\n{text}\n").text("a")

    assert str(caught.value) == f"f.yaml:2: a must be a text, and here is {found}"


def test_an_empty_text_is_reported() -> None:
    with pytest.raises(BadFile, match=r"f.yaml:2: 'x' in a is empty$"):
        read("a:\n  x: ' '\n").block("a").text("x")


@pytest.mark.parametrize("text", ["a: [x]", "a: canary", "a: 1"])
def test_a_value_in_place_of_a_block_is_reported(text: str) -> None:
    with pytest.raises(BadFile, match=r"f.yaml:1: a must be a block of names, and here is ") as it:
        read(text).block("a")

    assert "canary" not in str(it.value)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
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


@pytest.mark.parametrize(
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

    assert block.block("a").block("b").block("b").names() == ("b",)
