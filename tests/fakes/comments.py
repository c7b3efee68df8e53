"""Comments on the sandbox and in files, for tests of sync."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.jira.adf import to_adf, to_markdown
from ticketr.sandbox.data.catalogue import DEMO_USER, USERS
from ticketr.sandbox.data.parts import Comment

if TYPE_CHECKING:
    from fakes.pulls import Bench

    from ticketr.sandbox.data.model import User

#: Somebody else than the account that pulls and pushes.
MIA = next(each for each in USERS if each != DEMO_USER)


def add_comment(bench: Bench, key: str, text: str, *, author: User = DEMO_USER) -> str:
    """Add a comment in Jira; return its number."""
    site, issue = bench.site, bench.finds(key)
    now = site.millis()
    comment = Comment(site.next_part(), author, to_adf(text), created=now, updated=now)
    site.edit(key, comments=(*issue.comments, comment))
    return str(comment.id)


def edit_comment(bench: Bench, key: str, number: str, text: str | None) -> None:
    """Change a comment in Jira; None deletes it."""
    comments = [
        replace(each, body=to_adf(text or ""), updated=bench.site.millis())
        if str(each.id) == number
        else each
        for each in bench.finds(key).comments
        if text is not None or str(each.id) != number
    ]
    bench.site.edit(key, comments=tuple(comments))


def comments_in(bench: Bench, key: str) -> list[str]:
    """Return the texts of an issue's comments in Jira."""
    return [to_markdown(each.body).strip() for each in bench.finds(key).comments]


def writes(bench: Bench, text: str, name: str = "DEMO-1.md") -> None:
    """Append lines to the comments of a ticket in its file."""
    path = bench.root / name
    content = path.read_text()
    section = "" if "## Comments" in content else "\n## Comments\n"
    path.write_text(f"{content.rstrip()}\n{section}\n{text}\n")
