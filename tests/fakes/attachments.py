"""Attach files to issues of a sandbox's site."""

from __future__ import annotations

from jira_sandbox import Site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.model import User
from jira_sandbox.data.parts import Attachment


def attach(site: Site, key: str, name: str, content: bytes, *, author: User = DEMO_USER) -> None:
    """Attach a file in Jira."""
    attachment = Attachment(
        site.next_part(), author, name, "text/plain", len(content), site.millis()
    )
    site.attach(key, [(attachment, content)])
