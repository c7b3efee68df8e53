"""Test addresses: those of links come back unchanged, bare ones become links."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from ticketr.app.jira import adf

LETTERS = "ab/:?&=#%()[]<>\\|\"'`*_~ !ä東。”;-.+@{}^$,\n\t"
PIECES = ["&amp;", "%20", "&lt;x", "&#32;", "&copy=1", "%zz", "&#10;", "%EF%B7%91"]


def doc(*inline: dict[str, Any], cell: bool = False) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "paragraph", "content": list(inline)}
    if cell:
        row = {"type": "tableRow", "content": [{"type": "tableHeader", "content": [block]}]}
        block = {"type": "table", "content": [row]}
    return {"type": "doc", "version": 1, "content": [block]}


def link(href: str, words: str = "x", title: str = "", *marks: str) -> dict[str, Any]:
    attrs = {"href": href, "title": title} if title else {"href": href}
    more = [{"type": each} for each in marks]
    return {"type": "text", "text": words, "marks": [{"type": "link", "attrs": attrs}, *more]}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def addresses(markdown: str) -> list[str]:
    """Return the address of each link."""
    found: list[str] = []
    ahead: list[Any] = [adf.to_adf(markdown)]
    while ahead:
        node = ahead.pop(0)
        found += (mark["attrs"]["href"] for mark in node.get("marks", ()) if mark["type"] == "link")
        ahead = [*node.get("content", ()), *ahead]
    return found


@pytest.mark.parametrize("seed", range(40))
def test_any_address_comes_back_as_it_is(seed: int) -> None:
    chance = Random(seed)
    for _ in range(15):
        href = "https://e.example/" + "".join(chance.choices(LETTERS, k=chance.randrange(8)))
        if chance.random() < 0.3:
            href += chance.choice(PIECES)
        node = link(
            href,
            chance.choice(["x", "https://e.example", href.strip(), "a`b"]) or "x",
            chance.choice(["", "", 'a "title" with \\ in it']),
            *(["code"] if chance.random() < 0.2 else []),
        )
        converted = adf.convert(doc(node, cell=chance.random() < 0.3))
        assert converted.exact, (href, converted.markdown)
        assert adf.dropped_pieces(converted.markdown) == (), (href, converted.markdown)


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("see https://e.example/x.", ["https://e.example/x"]),
        (
            "http://e.example, (https://f.example/x_(y))",
            ["http://e.example", "https://f.example/x_(y)"],
        ),
        ("(https://e.example)", ["https://e.example"]),
        (
            "見て https://e.example/東。「https://f.example/」",
            ["https://e.example/東", "https://f.example/"],
        ),
        (
            "“https://e.example/x”, «https://f.example»…",
            ["https://e.example/x", "https://f.example"],
        ),
        ("https://e.example/_x_/*y*/~~z~~/", ["https://e.example/_x_/*y*/~~z~~/"]),
        ("**https://e.example/x**", ["https://e.example/x"]),
        ("https://e.example/?a=1&b=%20#c", ["https://e.example/?a=1&b=%20#c"]),
        ("# https://e.example", ["https://e.example"]),
        ("| a | https://e.example |\n|---|---|\n", ["https://e.example"]),
        ("see \\<https://e.example>", ["https://e.example"]),
        ("[https://e.example](https://f.example)", ["https://f.example"]),
        ("[**https://e.example/a**](https://f.example)", ["https://f.example"]),
        ("`https://e.example`", []),
        ("```\nhttps://e.example\n```", []),
        ("xhttps://e.example https:// ftp://e.example", []),
    ],
)
def test_a_bare_address_is_a_link(markdown: str, found: list[str]) -> None:
    assert addresses(markdown) == found
    document = adf.to_adf(markdown)
    assert adf.is_exact(document, adf.to_markdown(document))
    assert adf.dropped_pieces(markdown) == ()
    assert adf.problems(document) == ()


@pytest.mark.parametrize(
    "markdown",
    [
        "https://e.example/a_b_c",
        "see https://e.example/_x_?a=1&b=2 and more",
        "see https://e.example/x.",
        "(https://e.example/x), that is it",
        "- https://e.example/x!",
    ],
)
def test_a_bare_address_stays_bare(markdown: str) -> None:
    assert adf.to_markdown(adf.to_adf(markdown)) == f"{markdown}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [("x", ""), ("", "x"), ("", "/x"), ("", "?"), ("(", ")"), (".", "."), ("", "](x)"), ("`", "`")],
)
@pytest.mark.parametrize("mark", ["", "strong", "code"])
def test_an_address_next_to_other_text_ends_where_its_link_does(
    before: str, after: str, mark: str
) -> None:
    marks = {"marks": [{"type": mark}]} if mark else {}
    href = "https://e.example/x"
    parts = ({**text(before), **marks}, link(href, href), {**text(after), **marks})
    converted = adf.convert(doc(*(each for each in parts if each["text"])))

    assert converted.exact, converted.markdown


def test_an_address_that_jira_does_not_link_is_no_other_than_one_that_it_does() -> None:
    href = "https://e.example/x"
    linked, bare = doc(text("see "), link(href, href)), doc(text(f"see {href}"))

    assert adf.canonical(linked) == adf.canonical(bare)
    assert adf.convert(bare).exact
