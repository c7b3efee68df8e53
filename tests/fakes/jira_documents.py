"""Generate random documents: usual ones and hostile ones."""

from __future__ import annotations

from random import Random
from typing import Any

Json = dict[str, Any]

_LINES = ("paragraph", "heading", "taskItem", "decisionItem", "caption")

WORDS = [
    "the",
    "user",
    "logs",
    "in",
    "and",
    "sees",
    "an",
    "empty",
    "page",
    "When",
    "it",
    "should",
    "be",
    "full",
    "of",
    "orders,",
    "however.",
    "Zürich",
    "東京",
    "🎉",
    "e.g.",
    "(maybe)",
    "user@example.com",
    "C++",
    "it's",
    "50%",
    "3.5",
    "v1.2.3",
    "foo_bar",
    "snake_case_name",
    "a/b",
    "https://example.com/x?y=1&z=2",
    "#",
    ">",
    "-",
    "+",
    "*",
    "`",
    "~",
    "|",
    "\\",
    "[x]",
    "<b>",
    "&amp;",
    "!",
    "==",
    "---",
    "1.",
    "2)",
]
HOSTILE = (
    *("# ", "#", "> ", "---", "===", "    ", " ", "  ", "\t", "- ", "+ ", "* ", "1. ", "1) "),
    *(
        "**",
        "*",
        "_",
        "__",
        "`",
        "```",
        "~~~",
        "~~",
        "|",
        "| a | b |",
        "\\",
        "\\\\",
        "[",
        "](",
        "]",
    ),
    *("<", ">", "<br>", "<div>", "</div>", '<span adf="x">', "<!--", "-->", "&", "&amp;", "&#32;"),
    *(
        "&nbsp;",
        "\u00a0",
        "\u2003",
        "\u200b",
        "!",
        "![",
        "http://x.y",
        "\n",
        "\r\n",
        "a",
        "b ",
        " c",
    ),
    *("word", "é", "\u2028", "{", "}", "'", '"', "[ ] ", "[x] ", "[^1]: ", "[a]: b"),
)
MARKS: tuple[Json, ...] = (
    {"type": "strong"},
    {"type": "em"},
    {"type": "strike"},
    {"type": "underline"},
    {"type": "textColor", "attrs": {"color": "#ff0000"}},
    {"type": "subsup", "attrs": {"type": "sub"}},
)


class Maker:
    """A generator of documents from a random source.

    Args:
        chance: The random source of every choice.
        hostile: Whether texts consist of markup.
    """

    def __init__(self, chance: Random, *, hostile: bool = False) -> None:
        self.chance = chance
        self.hostile = hostile

    def document(self) -> Json:
        count = self.chance.randint(0, 7)
        return {"type": "doc", "version": 1, "content": [self.block(0) for _ in range(count)]}

    def text(self) -> str:
        if self.hostile:
            pieces = [self.chance.choice(HOSTILE) for _ in range(self.chance.randint(1, 5))]
            return "".join(pieces)
        text = " ".join(self.chance.choices(WORDS, k=self.chance.randint(1, 8)))
        return text + self.chance.choice(["", "", " ", "."])

    def inline(self) -> Json:
        kind = self.chance.randrange(14)
        if kind == 0:
            return {"type": "hardBreak"}
        if kind == 1:
            return {"type": "mention", "attrs": {"id": "5f:1", "text": "@Mia Müller"}}
        if kind == 2:
            return {"type": "emoji", "attrs": {"shortName": ":tada:", "id": "1f389", "text": "🎉"}}
        if kind == 3:
            return {"type": "status", "attrs": {"text": "IN PROGRESS", "color": "blue"}}
        if kind == 4:
            return {"type": "date", "attrs": {"timestamp": "1767225600000"}}
        if kind == 5:
            return {"type": "inlineCard", "attrs": {"url": "https://example.com/browse/A-1"}}
        node: Json = {"type": "text", "text": self.text()}
        if kind == 6:
            node["marks"] = [{"type": "code"}]
        elif kind == 7:
            node["marks"] = [{"type": "link", "attrs": {"href": "https://example.com/a(b)?c=d"}}]
        elif kind in {8, 9, 10}:
            node["marks"] = self.chance.sample(MARKS, self.chance.randint(1, 3))
        return node

    def inlines(self) -> list[Json]:
        return [self.inline() for _ in range(self.chance.randint(1, 5))]

    def paragraph(self) -> Json:
        if self.chance.random() < 0.05:
            return {"type": "paragraph"}
        return {"type": "paragraph", "content": self.inlines()}

    def item(self, depth: int) -> Json:
        content = [self.paragraph()]
        if depth < 2 and self.chance.random() < 0.3:
            content.append(self.items(depth + 1))
        return {"type": "listItem", "content": content}

    def items(self, depth: int) -> Json:
        kind = self.chance.choice(["bulletList", "orderedList"])
        return {"type": kind, "content": [self.item(depth) for _ in range(3)]}

    def block(self, depth: int) -> Json:
        chance = self.chance
        kinds = ["paragraph"] * 5 + ["heading", "items", "code", "quote", "rule", "tasks"]
        if depth == 0:
            kinds += ["table", "panel", "expand", "media"]
        kind = chance.choice(kinds)
        if kind == "heading":
            attrs = {"level": chance.randint(1, 6)}
            return {"type": "heading", "attrs": attrs, "content": self.inlines()}
        if kind == "items":
            return self.items(0)
        if kind == "code":
            text = "\n".join(self.text() for _ in range(chance.randint(1, 4)))
            content = [{"type": "text", "text": text}]
            return {"type": "codeBlock", "attrs": {"language": "python"}, "content": content}
        if kind == "quote":
            return {"type": "blockquote", "content": [self.paragraph(), self.paragraph()]}
        if kind == "rule":
            return {"type": "rule"}
        if kind == "tasks":
            return self.tasks()
        if kind == "table":
            return self.table()
        if kind == "panel":
            content = [self.paragraph(), self.items(1)]
            return {"type": "panel", "attrs": {"panelType": "info"}, "content": content}
        if kind == "expand":
            content = [self.block(1), self.paragraph()]
            return {"type": "expand", "attrs": {"title": "More"}, "content": content}
        if kind == "media":
            media = {"type": "media", "attrs": {"id": "a-b", "type": "file", "collection": "c"}}
            return {"type": "mediaSingle", "attrs": {"layout": "center"}, "content": [media]}
        return self.paragraph()

    def tasks(self) -> Json:
        items = [
            {
                "type": "taskItem",
                "attrs": {"localId": str(number), "state": self.chance.choice(["TODO", "DONE"])},
                "content": self.inlines(),
            }
            for number in range(3)
        ]
        return {"type": "taskList", "attrs": {"localId": "t"}, "content": items}

    def table(self) -> Json:
        rows = []
        for number in range(3):
            kind = "tableCell" if number else "tableHeader"
            cells = [{"type": kind, "attrs": {}, "content": [self.paragraph()]} for _ in range(3)]
            rows.append({"type": "tableRow", "content": cells})
        attrs = {"isNumberColumnEnabled": False, "layout": "default"}
        return {"type": "table", "attrs": attrs, "content": rows}


def text_of(node: Any) -> str:
    """Return every character that a reader of a document can see, in order."""
    if isinstance(node, list):
        return "".join(map(text_of, node))
    if not isinstance(node, dict):
        return ""
    if node.get("type") == "hardBreak":
        return "\n"
    text = node.get("text")
    own = text if isinstance(text, str) else ""
    whole = own.replace("\r\n", "\n").replace("\r", "\n") + text_of(node.get("content"))
    # Nobody sees the blanks that end a line.
    return whole.rstrip(" ") if node.get("type") in _LINES else whole
