"""Generate unusual Markdown: every construct in every place."""

from __future__ import annotations

_PARTS = {
    "words": "some words",
    "two lines": "one\ntwo",
    "hard break": "one\\\ntwo  \nthree",
    "heading": "# Heading",
    "underlined": "Heading\n=======",
    "deep heading": "###### Heading ######",
    "rule": "---",
    "quote": "> quoted",
    "quote in quote": "> > quoted",
    "empty quote": ">",
    "bullets": "- one\n- two",
    "empty bullet": "-",
    "bullets in bullets": "- one\n  - two\n    - three",
    "numbers": "7) seven\n8) eight",
    "tasks": "- [ ] open\n- [x] done",
    "task with block": "- [ ] open\n\n  more",
    "fence": "```python\nx = 1\n\ny\n```",
    "empty fence": "```\n```",
    "indented code": "    x = 1",
    "table": "| a | b |\n|---|---|\n| c | d |",
    "emphasis": "**bold *both* ~~gone~~** `code` **`both`**",
    "link": '[words](https://example.com "title") <https://example.com>',
    "empty link": "[]() [](x)",
    "reference": "[words][a]\n\n[a]: https://example.com",
    "image": "![alt](https://example.com/x.png)",
    "image in words": "a ![alt](https://example.com/x.png) b",
    "block of html": "<div>\nwords\n</div>",
    "html in words": "a <b>bold</b> <br> <!-- note --> &amp; &#35;",
    "panel": '<aside adf="panel" params=\'{"panelType":"info"}\'>\n\nwords\n\n</aside>',
    "bad panel": '<aside adf="panel" params=\'{"panelType":"nope"}\'>\n\nwords\n\n</aside>',
    "empty panel": '<aside adf="panel"></aside>',
    "expand": '<details adf="expand">\n<summary>More</summary>\n\nwords\n\n</details>',
    "mention": 'Hi <span adf="mention" params=\'{"id":"1"}\'>@Mia</span>',
    "mention of nobody": 'Hi <span adf="mention">@Mia</span>',
    "status": '<span adf="status" params=\'{"color":"pink"}\'>Done</span>',
    "decisions": '<ul adf="decisionList"><li adf="decisionItem">words</li></ul>',
}
_PLACES = {
    "alone": "{}",
    "after words": "before\n\n{}\n\nafter",
    "right after words": "before\n{}",
    "in a quote": "> ",
    "in a bullet": "- ",
    "in a second bullet": "- first\n- ",
    "below a bullet": "- first\n\n  ",
    "in a number": "1. ",
    "in a task": "- [ ] ",
    "below a task": "- [x] first\n\n      ",
    "in a quote in a bullet": "- > ",
    "in a bullet in a quote": "> - ",
    "deep in bullets": "- a\n  - b\n    - ",
    "in a heading": "## ",
    "in a cell": "| {} |\n|---|\n| x |",
    "in bold": "**{}**",
    "in a link": "[{}](https://example.com)",
    "in a panel": '<aside adf="panel" params=\'{{"panelType":"info"}}\'>\n\n{}\n\n</aside>',
    "in an expand": '<details adf="expand">\n\n{}\n\n</details>',
}


def unusual_markdown() -> list[str]:
    """Yield every construct in every place."""
    return [_put(part, place) for part in _PARTS.values() for place in _PLACES.values()]


def _put(part: str, place: str) -> str:
    if "{}" in place:
        return place.format(part)
    start, _, last = place.rpartition("\n")
    # The lines below belong to the same quote or item.
    more = "".join(mark if mark == ">" else " " for mark in last)
    lines = part.split("\n")
    below = [f"{more}{line}" for line in lines[1:]]
    return "\n".join(filter(None, [start, last + lines[0]])) + "".join(f"\n{one}" for one in below)
