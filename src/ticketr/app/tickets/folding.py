"""Makes sections of fields a part of the description, as they were before there were such sections."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ticketr.app.tickets import grammar
from ticketr.app.tickets.model import Ticket


def fold_texts(issue: Ticket, names: Collection[str]) -> Ticket:
    """Return an issue with some of its rich-text fields at the end of its description.

    Args:
        issue: The issue; its sub-tasks stay as they are.
        names: The names of the fields. Each becomes a heading, with its text below.
    """
    lines = issue.description.split("\n") if issue.description else []
    places, runs = issue.places, list(issue.places.description)
    for name, text in issue.texts.items():
        if name not in names:
            continue
        lines += [""] if lines else []
        lines += [grammar.field_heading(name), ""]
        if (place := places.texts.get(name)) is not None:
            runs.append((len(lines) - 1, place.heading))
            runs += ((len(lines) + at, line) for at, line in place.runs)
        lines += text.split("\n")
    return replace(
        issue,
        description="\n".join(lines),
        texts={name: text for name, text in issue.texts.items() if name not in names},
        places=replace(places, description=tuple(runs)),
    )
