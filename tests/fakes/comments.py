"""Comments on the sandbox and in files, for tests of sync."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fakes.pulls import Bench
from fakes.scenes import check_clean, run

from jira_sandbox import Site, make_site
from jira_sandbox.data.catalogue import DEMO_USER, USERS
from jira_sandbox.data.model import User
from jira_sandbox.data.parts import Comment
from ticketr.app.jira.adf import to_adf, to_markdown

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


class CommentBench(Bench):
    """A site and a workspace whose files hold comments."""

    def settings(self, **changes: Any) -> dict[str, Any]:
        return super().settings(**{"comments": True, **changes})


#: What is to be in Jira in the end: the texts of the comments of each issue, by its title.
WANTED = {
    "Search that forgives typing errors": ["theirs", "one", "one", "two"],
    "Translate the new texts (de, fr, pt-BR)": ["of a task"],
    "Of a draft": ["first", "second"],
    "mine": ["changed"],
}


def make_comment_scene(root: Path, site: Site | None = None) -> CommentBench:
    """Pull a small site with comments into a folder, then write comments on both sides.

    Args:
        root: The folder.
        site: The site, of six tickets and with seed 1.
    """
    bench = CommentBench(make_site(tickets=6, seed=1) if site is None else site, root)
    bench.site.edit("DEMO-2", summary="mine")
    add_comment(bench, "DEMO-2", "old")
    run(bench.pull)
    writes(bench, "- new: one\n- new: one\n- new: two")
    writes(bench, "- new: changed", "DEMO-2.md")
    path = bench.root / "DEMO-2.md"
    path.write_text(path.read_text().replace("- new: changed", "").replace("  old", "  changed"))
    path = bench.root / "DEMO-3.md"
    text = path.read_text()
    head = "- [DEMO-4] Translate the new texts (de, fr, pt-BR)\n"
    assert head in text
    path.write_text(text.replace(head, f"{head}  ## Comments\n  - new: of a task\n\n"))
    (root / "draft.md").write_text(
        "# TICKET: Of a draft\n\n## Comments\n- new: first\n- new: second\n"
    )
    add_comment(bench, "DEMO-1", "theirs", author=MIA)
    return bench


def comments_by_title(site: Site) -> dict[str, list[str]]:
    """Return the texts of the comments of each issue that has some."""
    return {
        each.summary: [to_markdown(one.body).strip() for one in each.comments]
        for each in site
        if each.comments
    }


def check_comments(bench: Bench) -> None:
    """Check that the next sync completes everything, and that one more has nothing to do."""
    synced = run(bench.sync)
    check_clean(synced.pull, synced.push)
    found = comments_by_title(bench.site)
    assert {title: sorted(texts) for title, texts in found.items()} == {
        title: sorted(texts) for title, texts in WANTED.items()
    }
    files = bench.files()
    assert not any("- new:" in text for text in files.values())
    again = run(bench.sync)
    assert (again.push.total, again.pull.updated, again.pull.merged) == (0, 0, 0)
    assert bench.files() == files
