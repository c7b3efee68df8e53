"""Test that a text larger than Jira accepts is never converted, but still shown."""

from __future__ import annotations

from typing import Any

import pytest

from ticketr.app.jira import adf
from ticketr.app.jira.adf import _conversion
from ticketr.app.jira.adf._conversion import converts_to_unsized
from ticketr.app.jira.adf._plain import MAX_JIRA_CHARACTERS, MAX_JIRA_MARKDOWN_CHARACTERS


def document(*texts: str, nodes: int = 0) -> dict[str, Any]:
    blocks = [{"type": "paragraph", "content": [{"type": "text", "text": each}]} for each in texts]
    return {"type": "doc", "version": 1, "content": blocks + [{"type": "rule"}] * nodes}


@pytest.fixture
def unconverted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every conversion fail."""

    def fail(*_: object) -> None:
        raise AssertionError("it was converted")

    for name in ("read_untidied", "render_noting_short_forms"):
        monkeypatch.setattr(_conversion, name, fail)


@pytest.mark.parametrize(
    "text",
    [
        "a" * (MAX_JIRA_CHARACTERS + 1),
        "word " * MAX_JIRA_CHARACTERS,
        "é\n\n" * (MAX_JIRA_CHARACTERS + 1),
        "*" * (MAX_JIRA_MARKDOWN_CHARACTERS + 1),
    ],
)
@pytest.mark.usefixtures("unconverted")
def test_markdown_that_jira_cannot_take_is_not_converted(text: str) -> None:
    assert adf.is_surely_too_long(text)
    assert adf.to_adf(text) == adf.code_block_document(text)
    assert adf.lost_texts(text) == ()
    assert not converts_to_unsized(text, adf.unsized_canonical(document("a")))


@pytest.mark.parametrize(
    "text",
    [
        "a" * MAX_JIRA_CHARACTERS,
        "*" * MAX_JIRA_MARKDOWN_CHARACTERS,
        "&amp;" * (MAX_JIRA_MARKDOWN_CHARACTERS // 5),
        "[a](https://example.com)" * 5_000,
        '<span adf="status">a</span>\n' * 4_000,
        "| a | b |\n" * 10_000,
        "\\<" * MAX_JIRA_CHARACTERS,
    ],
)
def test_markdown_within_the_size_that_jira_accepts_is_converted(text: str) -> None:
    assert not adf.is_surely_too_long(text)


def test_several_texts_of_one_document_count_together() -> None:
    half = "a" * (MAX_JIRA_CHARACTERS // 2 + 1)
    assert not adf.is_surely_too_long(half)
    assert adf.is_surely_too_long(half, half)


@pytest.mark.parametrize(
    "large",
    [
        document("a" * (MAX_JIRA_CHARACTERS + 1)),
        document(*["word"] * MAX_JIRA_CHARACTERS),
        document("a", nodes=MAX_JIRA_MARKDOWN_CHARACTERS),
        {
            "type": "doc",
            "content": [{"type": "x", "attrs": {"y": "z" * (MAX_JIRA_MARKDOWN_CHARACTERS + 1)}}],
        },
        {"type": "doc", "content": [[["z" * MAX_JIRA_MARKDOWN_CHARACTERS]]]},
    ],
    ids=["text", "texts", "nodes", "attribute", "list"],
)
@pytest.mark.usefixtures("unconverted")
def test_a_document_that_jira_cannot_have_is_not_converted(large: dict[str, Any]) -> None:
    assert adf.is_too_large_for_jira(large)
    converted = adf.convert(large)
    assert not converted.is_lossless
    assert converted.markdown == adf.to_markdown(large)
    assert converted.markdown.startswith("```\n")


def test_a_document_of_the_longest_size_is_converted() -> None:
    assert adf.convert(document("a" * MAX_JIRA_CHARACTERS)) == adf.MaybeLossyMarkdown(
        "a" * MAX_JIRA_CHARACTERS + "\n", True
    )


def test_words_that_are_too_many_are_shown_as_they_are() -> None:
    text = "# no *heading* ````" + "a" * MAX_JIRA_CHARACTERS
    shown = adf.to_markdown(document(text, "second"))
    assert shown == f"`````\n{text}\nsecond\n`````\n"


def test_a_document_of_any_shape_and_depth_has_a_size() -> None:
    deep: Any = "a"
    for _ in range(100_000):
        deep = {"content": [deep]}
    assert adf.is_too_large_for_jira(deep)
    odds: list[Any] = [None, 1, "a", [], {}, {"text": 1}, {"content": {"text": ["a"]}}]
    for odd in odds:
        assert not adf.is_too_large_for_jira(odd)
