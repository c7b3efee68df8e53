"""What a push sends of one issue. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.sync.compare.diff import Change
    from ticketr.app.sync.compare.grafting import PictureFile
    from ticketr.app.sync.compare.sent import SentValue
    from ticketr.app.sync.push.comment_payload import CommentPayload, CommentWrite
    from ticketr.app.sync.push.link_payload import LinkPayload, LinkWrite


@dataclass(frozen=True, slots=True)
class IssuePayload:
    """The values that a push sends of one issue.

    Attributes:
        fields: The values of Jira's fields, by field ID.
        status: The new status; None to keep the present one.
        problems: What is wrong, each with the part's name. An issue with problems is not sent.
        warnings: Which texts Jira gets in an unexpected form, each with the part's name.
        values: The value of each part, the status included; ignored in comparisons.
        comments: The comments to add or to change.
        links: The links to add or to remove.
        lost: What is lost in Jira, as the user has accepted, each with the part's name.
        uploads: The files that the description and the comments show. They are attached before
            these are sent, and their media IDs take the place of their marks in them.
        with_pictures: For a new issue whose description shows files: what is sent once it exists.
        inherited: The fields that a new sub-task takes over from its ticket.
        left_out: Which others it cannot have, each with the name and the reason.
    """

    fields: dict[str, object] = field(default_factory=dict)
    status: str | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    values: tuple[SentValue, ...] = field(default=(), compare=False)
    comments: tuple[CommentWrite, ...] = ()
    links: tuple[LinkWrite, ...] = ()
    lost: tuple[str, ...] = ()
    uploads: tuple[PictureFile, ...] = ()
    with_pictures: IssuePayload | None = None
    inherited: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()

    def with_comments(self, comments: CommentPayload) -> IssuePayload:
        """Return the same with comments."""
        uploads = {upload.mark: upload for upload in (*self.uploads, *comments.uploads)}
        return replace(
            self._with_part(comments), comments=comments.writes, uploads=tuple(uploads.values())
        )

    def with_links(self, links: LinkPayload) -> IssuePayload:
        """Return the same with links."""
        return replace(self._with_part(links), links=links.writes)

    def _with_part(self, part: CommentPayload | LinkPayload) -> IssuePayload:
        return replace(
            self,
            problems=(*self.problems, *part.problems),
            warnings=(*self.warnings, *part.warnings),
            values=(*self.values, *part.values),
            lost=(*self.lost, *part.lost),
        )
