"""Generate random documents full of what has a short form, and of text that looks like one."""

from __future__ import annotations

from random import Random
from typing import Any

from fakes.jira_documents import Maker

Json = dict[str, Any]

#: Texts that look like short forms, whole and in part.
LOOKALIKES = (
    *("@", "@[", "@[x](y)", "[x](y)", "](y)", "](<y>)", "@Mia", "@[Mia]", "@mia@example.com"),
    *("{", "}", "{2026-03-01}", "{2026-02-30}", "{2026-", "03-01}", "{green}", "{gray}", "{gren}"),
    *(":", ":smile:", ":tada:", ":nope:", ":+1:", "::", "std::smile::x", "https://e.x/:smile:"),
    *("> [!NOTE]", "[!NOTE]", "[!TIP] ", "\\[!NOTE]", "<> ", "<>", "- <> ", "\\<> ", "- "),
    *(
        "<u>",
        "</u>",
        "<sub>",
        "</sub>",
        "<sup>2</sup>",
        "<details>",
        "</details>",
        "<details open>",
    ),
    *("<summary>", "</summary>", "<https://e.x>", "https://e.x", "<https://", "`", "``", "`DONE`"),
    *(
        "\\",
        "\\{",
        "\\:",
        "\\@",
        "&#32;",
        "![",
        "![a](attachment:b.png)",
        "attachment:b",
        "|",
        "\n",
    ),
    *(" ", "  ", "a", "word", "é", "東", "🎉", ".", ",", "(", ")", "#", "*", "_", "~", "\t", "%5B"),
)
_LINKS = ("5f:1", "mailto:mia", "https://e.x/a", "y", "attachment:b")
_NAMES = ("@Mia", "@Mia [x] *K*", "@", "Mia", "@ Mia", "@https://e.x", "@Mia\\", "@M_i_a", "@ü (x)")
_TITLES = ("More", "", "a < b", "Q&A", " x", "*x* [!NOTE]", "{2026-03-01} :tada:", "`x`", "a\\{b")
_STAMPS = ("1772323200000", "0", "-86400000", "1772323200001", "99999999999999", "-99999999999999")


class FormMaker(Maker):
    """A generator of documents with everything that has a short form.

    Args:
        chance: The random source of every choice.
        hostile: Whether texts and attributes are made to be mistaken.
    """

    def __init__(self, chance: Random, *, hostile: bool = False) -> None:
        super().__init__(chance)
        self.odd = hostile

    def text(self) -> str:
        if self.odd and self.chance.random() < 0.7:
            count = self.chance.randint(1, 5)
            return "".join(self.chance.choices(LOOKALIKES, k=count))
        return super().text()

    def inline(self) -> Json:
        kind = self.chance.randrange(12)
        if kind > 7:
            return super().inline()
        if kind > 5:
            return self._marked()
        made = (self._mention, self._emoji, self._status, self._date, self._card)[min(kind, 4)]
        return made()

    def block(self, depth: int) -> Json:
        kind = self.chance.randrange(14 if depth == 0 else 30)
        if kind == 0:
            return self._decisions()
        if kind == 1:
            return {"type": "blockCard", "attrs": self._card()["attrs"]}
        if kind == 2:
            return {"type": "paragraph", "content": [self._card()]}
        if depth == 0 and kind in {3, 4}:
            return self._panel()
        if depth == 0 and kind in {5, 6}:
            return self._expand()
        if depth == 0 and kind == 7:
            return self._rich_table()
        return super().block(depth)

    def _pick(self, usual: Any, *odd: Any) -> Any:
        return self.chance.choice(odd) if self.odd and self.chance.random() < 0.5 else usual

    def _marked(self) -> Json:
        marks: list[Json] = [{"type": "underline"}, {"type": "strong"}]
        marks += ({"type": "subsup", "attrs": {"type": kind}} for kind in ("sub", "sup"))
        address = self._pick("https://example.com/a", *_LINKS)
        marks.append({"type": "link", "attrs": {"href": address}})
        some = self.chance.sample(marks[:2] + marks[3:], self.chance.randint(1, 2))
        return {"type": "text", "text": self.text(), "marks": some}

    def _mention(self) -> Json:
        attrs = {"id": self._pick("557058:f58-1_a", "", "a b", "x](y", "mailto:mia", "y")}
        shown = self._pick("@Mia Müller", None, *_NAMES)
        attrs |= {} if shown is None else {"text": shown}
        level = self._pick("", "SITE")
        return {"type": "mention", "attrs": {**attrs, "accessLevel": level}}

    def _emoji(self) -> Json:
        known: Json = {"shortName": ":tada:", "id": "1f389", "text": "🎉"}
        own: Json = {
            "shortName": ":check_mark:",
            "id": "atlassian-check_mark",
            "text": ":check_mark:",
        }
        odd = {"shortName": ":tada:", "id": "x", "text": ":smile:"}
        return {
            "type": "emoji",
            "attrs": self._pick(known if self.chance.random() < 0.5 else own, odd),
        }

    def _status(self) -> Json:
        label = self._pick("IN PROGRESS", "`", " x ", "a|b", "{green}", "x\\{", "😀", "``x`")
        return {"type": "status", "attrs": {"text": label, "color": self._pick("green", "#ff0000")}}

    def _date(self) -> Json:
        return {"type": "date", "attrs": {"timestamp": self._pick(_STAMPS[0], *_STAMPS)}}

    def _card(self) -> Json:
        odd = (
            "https://e.x/a_b*c*?d=&lt;&e=%20%5B",
            "https://e.x/(a)|b",
            "http://ü.x",
            "/browse/A-1",
        )
        return {"type": "inlineCard", "attrs": {"url": self._pick("https://e.x/a?b=c&d", *odd)}}

    def _decisions(self) -> Json:
        states = [self._pick("DECIDED", "UNDECIDED") for _ in range(self.chance.randint(1, 3))]
        items = [
            {
                "type": "decisionItem",
                "attrs": {"localId": "", "state": state},
                "content": self.inlines(),
            }
            for state in states
        ]
        return {"type": "decisionList", "attrs": {"localId": ""}, "content": items}

    def _panel(self) -> Json:
        kind = self.chance.choice(["info", "note", "success", "warning", "error", "tip"])
        attrs = {"panelType": kind, **self._pick({}, {"panelColor": "#fff"})}
        blocks = [self._within_panel() for _ in range(self.chance.randint(1, 3))]
        return {"type": "panel", "attrs": attrs, "content": blocks}

    def _within_panel(self) -> Json:
        kind = self.chance.randrange(7)
        if kind == 0:
            return {"type": "heading", "attrs": {"level": 2}, "content": self.inlines()}
        if kind == 1:
            return {"type": "rule"}
        if kind == 2:
            return self.tasks()
        if kind == 3:
            content = [{"type": "text", "text": self.text()}]
            return {"type": "codeBlock", "attrs": {"language": ""}, "content": content}
        return (self.paragraph, self.paragraph, self._decisions, lambda: self.items(1))[kind % 4]()

    def _expand(self) -> Json:
        inner: Json = {"type": "nestedExpand", "attrs": {"title": self._pick("In", *_TITLES)}}
        inner["content"] = [self.paragraph(), self._panel()]
        content = [self.paragraph(), inner, self._panel(), self.block(1)]
        self.chance.shuffle(content)
        attrs = {"title": self._pick("More", *_TITLES)}
        return {"type": "expand", "attrs": attrs, "content": content}

    def _rich_table(self) -> Json:
        table = self.table()
        for row in table["content"][1:]:
            for cell in row["content"]:
                more = self.chance.choice([self.paragraph, self._panel, self._decisions])
                cell["content"] += [more()] if self.chance.random() < 0.5 else []
        return table
