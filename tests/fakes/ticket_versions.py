"""Generate three versions of one ticket: the last sync's, the file's and Jira's.

They come from a random source that Hypothesis seeds. Its own strategies would need some hundred
draws for one ticket with its tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from fakes.ticket_texts import texts
from hypothesis import strategies as st

from ticketr.app.tickets import Ticket

# Few names, so that versions often share some; and names with a meaning in other places.
_LINES = ["one", "two", "three", "", "- one", "* one", "```", "## Fields"]
_CRITERIA = ["one", "two", "x\n- y", "* one"]
_NAMES = ["Status", "Priority", "Title", "Description", "A: b"]
_TEXTS = ["Environment", "Priority"]
_VALUES = ["To Do", "to do", "Done", "x\ny", "|"]


@dataclass(frozen=True)
class Versions:
    """Three versions of AB-1 and its tasks.

    Only the file's has drafts, and fields without a value. AB-5 is new in Jira, AB-6 is in
    the file alone, and AB-7 in both, though it was not there before.
    """

    base: Ticket
    local: Ticket
    remote: Ticket


class _Maker:
    def __init__(self, random: Random, odd: str) -> None:
        self._random = random
        self._odd = odd

    def versions(self) -> Versions:
        base = replace(self._issue("AB-1"), tasks=(self._issue("AB-2"), self._issue("AB-3")))
        local = self._family(base, [None, None, "AB-6", "AB-7"], [*_VALUES, ""])
        return Versions(base, local, self._family(base, ["AB-5", "AB-7"], _VALUES))

    def _family(self, base: Ticket, more: Sequence[str | None], values: list[str]) -> Ticket:
        """Change issues and their order; remove some tasks and add some."""
        tasks = [self._changed(task, values) for task in base.tasks if self._one_in(5) != 1]
        tasks += [self._issue(key) for key in more if self._one_in(2) == 1]
        if self._one_in(2) == 1:
            self._random.shuffle(tasks)
        return replace(self._changed(base, values), tasks=tuple(tasks))

    def _issue(self, key: str | None) -> Ticket:
        return Ticket(
            self._random.choice(["one", "two", "three"]),
            key,
            self._text(),
            {name: self._random.choice(_VALUES) for name in _NAMES if self._one_in(2) == 1},
            self._criteria(),
            rich_texts={name: text for name in _TEXTS if (text := self._text()).strip()},
        )

    def _changed(self, issue: Ticket, values: list[str]) -> Ticket:
        """Change some parts of an issue."""
        other = self._issue(issue.key)
        fields = dict(issue.fields)
        for name in _NAMES:
            match self._one_in(5):
                case 1:
                    fields[name] = self._random.choice(values)
                case 2:
                    fields.pop(name, None)
        texts = {
            name: text
            for name in _TEXTS
            if (text := self._text_from(issue.rich_texts.get(name, ""))).strip() or "" in values
            if self._one_in(6) != 1
        }
        criteria = [issue.acceptance_criteria, issue.acceptance_criteria, other.acceptance_criteria]
        return replace(
            issue,
            title=self._random.choice([issue.title, issue.title, other.title]),
            description=self._text_from(issue.description),
            fields=fields,
            acceptance_criteria=self._random.choice(criteria),
            rich_texts=texts,
        )

    def _text_from(self, text: str) -> str:
        """Change, add or remove a line of a text, replace the text, or change nothing."""
        lines = text.split("\n")
        at = self._random.randint(0, len(lines))
        lines[at : at + self._random.randint(0, 1)] = self._lines(2)
        return self._random.choice([text, "\n".join(lines), "\n".join(lines), self._text()])

    def _text(self) -> str:
        return self._odd if self._one_in(6) == 1 else "\n".join(self._lines(4))

    def _lines(self, most: int) -> list[str]:
        return self._random.choices(_LINES, k=self._random.randint(0, most))

    def _criteria(self) -> tuple[str, ...]:
        known = [*_CRITERIA, self._odd]
        return tuple(self._random.choices(known, k=self._random.randint(0, 3)))

    def _one_in(self, count: int) -> int:
        return self._random.randint(1, count)


def _make(random: Random, odd: str) -> Versions:
    return _Maker(random, odd).versions()


versions = st.builds(_make, st.randoms(use_true_random=True), texts)
"""Three versions, with a hostile text in some places."""
