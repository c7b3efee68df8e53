"""Writes the table of short forms into a page: ``python docs/form_table.py docs/format.md``.

The conversion itself makes each cell, so the table cannot differ from it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ticketr.app.jira import adf

Json = dict[str, Any]

_BEGIN, _END = "<!-- forms -->", "<!-- end of forms -->"
_SIGNS = re.compile(r"[<\[`]")
_HEAD = ("in Jira", "from Jira", "also by hand", "text edited beside it", "typed wrong")


@dataclass(frozen=True, slots=True)
class _Row:
    """A form.

    Attributes:
        name: What Jira calls it.
        node: An example, a block or a node within a line.
        others: Other ways to write it.
        wrong: What a hand may write by mistake.
    """

    name: str
    node: Json
    others: tuple[str, ...] = ()
    wrong: str = ""

    @property
    def is_block(self) -> bool:
        """Whether it is a block."""
        return self.node["type"] in {
            *("panel", "expand", "decisionList", "blockCard", "table", "mediaSingle")
        }


def _text(words: str, *marks: Json) -> Json:
    return {"type": "text", "text": words, **({"marks": list(marks)} if marks else {})}


def _paragraph(*content: Json) -> Json:
    return {"type": "paragraph", "content": list(content)}


def _document(*blocks: Json) -> Json:
    return {"type": "doc", "version": 1, "content": list(blocks)}


def _panel(kind: str) -> Json:
    return {"type": "panel", "attrs": {"panelType": kind}, "content": [_paragraph(_text("words"))]}


def _node(kind: str, **attrs: object) -> Json:
    return {"type": kind, "attrs": attrs}


def _picture(attrs: Json) -> Json:
    media = _node("media", type="file", id="6b2ad1f1-0c1d", collection="", alt="The shot")
    return {"type": "mediaSingle", "attrs": attrs, "content": [media]}


_DECISION = {
    "type": "decisionItem",
    "attrs": {"localId": "", "state": "DECIDED"},
    "content": [_text("words")],
}
_SUB, _SUP = ({"type": "subsup", "attrs": {"type": kind}} for kind in ("sub", "sup"))
_ADDRESS = "https://example.com"
#: The attachments of the issue that the examples are in.
_FILES = {"shot.png": "6b2ad1f1-0c1d"}

_ROWS = (
    _Row("mention", _node("mention", id="557058:5b10a2", text="@Mia Krause"), wrong="@Mia"),
    _Row("date", _node("date", timestamp="1772323200000"), wrong="{2026-3-1}"),
    _Row(
        "status",
        _node("status", text="DONE", color="green"),
        wrong="`DONE`{gren}",
    ),
    _Row("grey status", _node("status", text="NEW", color="neutral"), ("`NEW`{grey}",)),
    _Row(
        "emoji",
        _node("emoji", shortName=":thumbsup:", id="1f44d", text="👍"),
        (":+1:",),
        wrong=":thumpsup:",
    ),
    _Row("link", _text(_ADDRESS, {"type": "link", "attrs": {"href": _ADDRESS}})),
    _Row("small card", _node("inlineCard", url=_ADDRESS)),
    _Row("large card", _node("blockCard", url=_ADDRESS)),
    _Row("underlined", _text("words", {"type": "underline"}), wrong="<u>words"),
    _Row("subscript", _text("2", _SUB), wrong="<sub>2"),
    _Row("superscript", _text("2", _SUP), wrong="<sup>2"),
    _Row("info panel", _panel("info"), wrong="> [!INF]\n> words"),
    _Row("note panel", _panel("note"), ("> [!IMPORTANT]\n> words",), "> [!NOTE] words"),
    _Row("success panel", _panel("success"), ("> [!SUCCESS]\n> words",)),
    _Row("warning panel", _panel("warning"), ("> [!warning]\n>\n> words",)),
    _Row("error panel", _panel("error"), ("> [!ERROR]\n> words",)),
    _Row("tip panel (of earlier editors)", _panel("tip")),
    _Row(
        "expand",
        {
            "type": "expand",
            "attrs": {"title": "Title"},
            "content": [_paragraph(_text("words"))],
        },
        ("<details><summary>Title</summary>\nwords\n</details>",),
        wrong="<details>\nwords",
    ),
    _Row(
        "decision",
        {"type": "decisionList", "attrs": {"localId": ""}, "content": [_DECISION]},
        ("* <> words",),
    ),
    _Row(
        "picture of an attachment",
        _picture({"layout": "center"}),
        ("![The shot](<attachment:shot.png>)",),
        wrong="![The shot](attachment:shott.png)",
    ),
    _Row(
        "placed picture",
        _picture({"layout": "wide", "width": 50, "widthType": "percentage"}),
    ),
)


def form_table() -> str:
    """Return a row for each form: how it is written, how else, and a mistyped one."""
    lines = [f"| {' | '.join(_HEAD)} |", "|---" * len(_HEAD) + "|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in _ROWS]
    return "\n".join((_BEGIN, "", *lines, "", _END))


def _cells(row: _Row) -> Iterator[str]:
    written = adf.to_markdown(_example(row), media_ids=_FILES).strip()
    form = written if row.is_block else written.removeprefix("a ")
    yield row.name
    yield _code(form)
    yield ", ".join(_code(other) for other in row.others if _means(other, row)) or "-"
    yield "stays" if _stays(form, row) else "changes"
    yield _warned(row.wrong) if row.wrong else "-"


def _means(markdown: str, row: _Row) -> bool:
    """Return whether Markdown makes the same of a form."""
    text = markdown if row.is_block else f"a {markdown}"
    return _is_exact(_example(row), text, _FILES)


def _example(row: _Row) -> Json:
    return _document(row.node if row.is_block else _paragraph(_text("a "), row.node))


def _is_exact(wanted: Json, markdown: str, media_ids: Mapping[str, str] = adf.NO_FILES) -> bool:
    read = adf.to_adf(markdown, media_ids=media_ids)
    return adf.unsized_canonical(read) == adf.unsized_canonical(wanted)


def _stays(form: str, row: _Row) -> bool:
    """Return whether a form means the same with other text around it."""
    words = _text("other words ")
    if row.is_block:
        wanted = _document(_paragraph(words), row.node, _paragraph(_text("more")))
        return _is_exact(wanted, f"other words&#32;\n\n{form}\n\nmore\n", _FILES)
    wanted = _document(_paragraph(words, row.node, _text(", more")))
    return _is_exact(wanted, f"other words {form}, more\n")


def _warned(wrong: str) -> str:
    (piece,) = adf.faulty_pieces(wrong, media_ids=_FILES)
    return f"{_code(wrong)}: {_SIGNS.sub(_escaped, piece.outcome_and_advice)}"


def _escaped(sign: re.Match[str]) -> str:
    return f"\\{sign[0]}"


def _code(text: str) -> str:
    lines = (f"`` {line} ``" if "`" in line else f"`{line}`" for line in text.split("\n") if line)
    return "<br>".join(lines).replace("|", "\\|")


def _write(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{_BEGIN}.*{_END}", re.DOTALL)
    page.write_text(pattern.sub(lambda _: form_table(), text), encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
