"""Keeps the Markdown of rich texts, as its author wrote it, where Jira has the same. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from ticketr.app.jira import adf
from ticketr.app.jira.models import Issue
from ticketr.app.sync.compare.attachments import files_of
from ticketr.app.sync.compare.comments import DESCRIPTION_FIELD, jira_comments
from ticketr.app.sync.compare.diff import CorePart, alike, by_key, with_issues
from ticketr.app.tickets import Comment, Ticket


def keep_wording(
    ticket: Ticket,
    issues: Iterable[Issue],
    *,
    base: Ticket,
    known: Iterable[Issue],
    texts: Iterable[tuple[str, str]] = (),
) -> Ticket:
    """Return a ticket with the old Markdown of rich texts whose ADF has not changed.

    Another version of this program may convert the same ADF to other Markdown.

    Args:
        ticket: The ticket as Jira has it now.
        issues: Its issues as Jira has them now.
        base: The ticket at the last sync.
        known: Its issues at the last sync.
        texts: Pairs of the name and the ID of each field with a section of its own.
    """
    before, old = {issue.id: issue for issue in known}, by_key(base)
    texts = (*texts, ("", DESCRIPTION_FIELD))
    same = {
        issue.key: {
            name
            for name, field_id in texts
            if _is_unchanged(field_id, issue.fields, before[issue.id].fields)
        }
        for issue in issues
        if issue.id in before
    }
    comments = {
        issue.key: comment_ids
        for issue in issues
        if issue.id in before and (comment_ids := _same_comments(issue, before[issue.id]))
    }

    def reworded(issue: Ticket) -> Ticket:
        text = old.get(issue.key or "")
        if text is None:
            return issue
        if texts := comments.get(issue.key or ""):
            issue = replace(
                issue, comments=tuple(_with_old_texts(issue.comments, text.comments, texts))
            )
        unchanged = same.get(issue.key or "", set())
        if names := unchanged & issue.texts.keys() & text.texts.keys():
            old_texts = {name: text.texts[name] for name in names}
            issue = replace(issue, texts={**issue.texts, **old_texts})
        if "" not in unchanged:
            return issue
        return replace(
            issue, description=text.description, acceptance_criteria=text.acceptance_criteria
        )

    return with_issues(ticket, reworded)


def _is_unchanged(field_id: str, fields: Mapping[str, object], known: Mapping[str, object]) -> bool:
    """Return whether a rich text is the same, and the files that it shows have the same names."""
    return _is_same(fields.get(field_id), known.get(field_id)) and _has_same_names(
        known.get(field_id), fields, known
    )


def _has_same_names(
    document: object, fields: Mapping[str, object], known: Mapping[str, object]
) -> bool:
    """Return whether the files that a document shows have the same names as before."""
    names = {media: name for name, media in files_of(known).items()}
    now = files_of(fields)
    shown = adf.shown_files(document) if names else ()
    return all(now.get(names[file.media]) == file.media for file in shown if file.media in names)


def _same_comments(issue: Issue, known: Issue) -> set[str]:
    """Return the numbers of the comments whose ADF has not changed."""
    before = {comment.id: comment.body for comment in jira_comments(known.fields)}
    return {
        comment.id
        for comment in jira_comments(issue.fields)
        if comment.id in before
        and _is_same(comment.body, before[comment.id])
        and _has_same_names(comment.body, issue.fields, known.fields)
    }


def _is_same(one: object, other: object) -> bool:
    return one == other or adf.canonical(one) == adf.canonical(other)


def _with_old_texts(
    comments: Iterable[Comment], old: Iterable[Comment], same: Collection[str]
) -> Iterator[Comment]:
    texts = {comment.id: comment.text for comment in old if comment.id in same}
    for comment in comments:
        yield replace(comment, text=texts.get(comment.id, comment.text))


def keep_wording_of_file(
    ticket: Ticket, local: Ticket, files: Mapping[str, Mapping[str, str]]
) -> Ticket:
    """Return a ticket in the wording of its file, wherever Jira has what the file says.

    After a push, that is all that was sent; after a change in Jira, all that was not changed there.

    Args:
        ticket: The ticket as Jira has it now.
        local: The ticket in its file.
        files: The media IDs of each issue's attachments by their names, by the issue's key.
    """
    here = by_key(local)

    def kept(issue: Ticket) -> Ticket:
        own = here.get(issue.key or "")
        if own is None or own == issue:
            return issue
        return replace(
            issue,
            description=_text_in_wording(
                issue.description, own.description, files.get(own.key or "", {})
            ),
            acceptance_criteria=_criteria_in_wording(
                issue.acceptance_criteria, own.acceptance_criteria
            ),
            comments=tuple(
                _comments_in_wording(issue.comments, own.comments, files.get(own.key or "", {}))
            ),
            texts={
                name: _text_in_wording(text, own.texts.get(name, ""), files.get(own.key or "", {}))
                for name, text in issue.texts.items()
            },
        )

    return with_issues(ticket, kept)


def _comments_in_wording(
    comments: Iterable[Comment], like: Iterable[Comment], files: Mapping[str, str]
) -> Iterator[Comment]:
    own = {comment.id: comment.text for comment in like if comment.id}
    for comment in comments:
        yield replace(
            comment, text=_text_in_wording(comment.text, own.get(comment.id, comment.text), files)
        )


def _text_in_wording(text: str, like: str, files: Mapping[str, str]) -> str:
    if text == like or adf.is_too_long(text) or adf.is_too_long(like):
        return text
    if alike(CorePart.DESCRIPTION, text, like):
        return like
    return adf.reworded(text, like, files=files) if text and like else text


def _criteria_in_wording(criteria: tuple[str, ...], like: tuple[str, ...]) -> tuple[str, ...]:
    if not set(criteria).difference(like) or adf.is_too_long(*criteria) or adf.is_too_long(*like):
        return criteria
    known = {_adf_of(text): text for text in like if text not in criteria}
    return tuple(text if text in like else known.get(_adf_of(text), text) for text in criteria)


def _adf_of(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what Jira would get from a text, as a value that can be compared."""
    return json.dumps(
        adf.canonical(adf.to_adf(text, files=adf.BY_NAME)), sort_keys=True
    ), adf.lost_texts(text)
