"""Hypothesis strategies for hostile ticket files and for tickets with hostile contents."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from hypothesis import strategies as st

from ticketr.app.tickets import Comment, Ticket

_HEADINGS = [
    *("# TICKET: x", "# TICKET: [AB-1] x", "# TICKET:", "  # TICKET: y", "#TICKET", "# STORY: x"),
    *(
        "## Description",
        "## Fields",
        "## Fields:",
        "## Acceptance Criteria",
        "## Tasks",
        "## Notes",
        "## Comments",
        "## Comments",
        "\\## Comments",
    ),
    *("## Field: x", "## Field:x ##", "   ## Field: a: b", "## Field:", "\\## Field: x"),
    *("### x", "# x", "##", "   ## Tasks ##", "    ## Tasks", "\ufeff# TICKET: x", "## TICKET: [x"),
]
_ITEMS = [
    *("- a", "-", "---", "--", "-b", "- [AB-2] t", "- [ ] t", "* a", "+ a", "1. a", "  - a"),
    *("\t- a", "\\- a", "\\\\- a", "Key: v", "Key: |", "Key :v", ": v", "K\\: a: b", "- Key: v"),
    *("  Key: v", "|", "[x", "[AB-1]", "[ab-1] x", "\\[AB-1] x", "[ AB-01 ]", "[x] [AB-1] y"),
    *("[AB-1 y", "AB-1] y", "[[AB-1]] y", "**[AB-1]** y", "[#AB-1,] y", "\\AB-1] y", "\\**[AB-1]"),
]
_COMMENTS = [
    *("- new: text", "- new:", "* New:text", "- [7] Mia, 2026-03-01 09:30Z:", "- [8]"),
    *("- [9] a:, 2026-03-01 09:30Z: b", "+ [7] b::", "  - new: x", "- new: ```"),
]
_FENCES = [
    *("```", "```py", "````", "~~~", "  ```", "    ```", "~~~ a ~", "``` a`b", "# TICKET: ```"),
    *("\\```", "\\\\```", "\\", "\\# TICKET: x", "\\\\# TICKET: x", "\\## Fields"),
]
_MARKERS = ["<<<<<<<", "<<<<<<< a", "=======", ">>>>>>> b", "\\<<<<<<< a"]
_TEXT = ["", " ", "   ", "text", "  text", "\ttext", "text  ", "a\x0cb"]
_ODD = ["\u2028", "\x0b", "\x85", "\x1c", "\ud800", "\x00", "\u00a0"]

_known = st.sampled_from([*_HEADINGS, *_ITEMS, *_COMMENTS, *_FENCES, *_MARKERS, *_TEXT, *_ODD])
_made = st.text(alphabet="#`~- \\:|[]<>AB1\t\u00e9", max_size=10)
lines = st.one_of(_known, _known, _made, st.text(max_size=6))
"""A line: mostly one that means something somewhere, or nearly."""


def _joined(ends: list[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(lines, st.sampled_from(ends)), max_size=14)
    return pairs.map(lambda pairs: "".join(line + end for line, end in pairs))


texts = _joined(["\n", "\n", "\n", "\n", "\r\n", "\r", ""])
"""A text of several such lines, with any line ends."""

files = st.one_of(
    texts,
    texts.map(lambda text: f"# TICKET: a\n{text}"),
    st.tuples(texts, texts).map(lambda two: f"pre\n\n# TICKET: a\n{two[0]}\n# TICKET: b\n{two[1]}"),
)
"""The text of a file; about half of them can be parsed."""

_names = st.one_of(lines, texts).filter(lambda name: bool("".join(name.split())))


_several = st.lists(texts, max_size=3).map(tuple)
_times = st.sampled_from(["", "2026-03-01 09:30Z", "9:30"])
_comment = st.builds(
    Comment, texts, id=st.sampled_from(["", "7", "8", "x"]), author=lines, time=_times
)
_comments = st.lists(_comment, max_size=3, unique_by=lambda each: each.id or id(each)).map(tuple)
_issue = st.builds(
    Ticket,
    title=st.one_of(lines, texts),
    key=st.sampled_from([None, "AB-1"]),
    description=texts,
    fields=st.dictionaries(_names, texts, max_size=3),
    acceptance_criteria=_several,
    non_field_lines=_several,
    comments=_comments,
    rich_texts=st.dictionaries(_names, texts, max_size=2),
)
_family = st.tuples(_issue, st.lists(_issue, max_size=2))


def _number(families: list[tuple[Ticket, list[Ticket]]]) -> tuple[Ticket, ...]:
    numbers = count(1)

    def numbered(issue: Ticket, tasks: list[Ticket]) -> Ticket:
        key = f"AB-{next(numbers)}" if issue.key else None
        return replace(issue, key=key, tasks=tuple(numbered(task, []) for task in tasks))

    return tuple(numbered(issue, tasks) for issue, tasks in families)


ticket_lists = st.lists(_family, max_size=3).map(_number)
"""Tickets with hostile text everywhere, no key twice."""
