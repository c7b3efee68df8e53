"""A conflict as the app shows it: two parts that clash, and one that merges by itself."""

from __future__ import annotations

from ticketr.app.sync import ConflictView
from ticketr.app.sync.compare.conflict_parts import ConflictSource, find_parts
from ticketr.app.sync.compare.diff import Versions
from ticketr.app.tickets import Ticket

BASE = Ticket("Rebuild the index", "DEMO-9", "Good enough.", {"Priority": "High", "Labels": "a"})
LOCAL = Ticket("Rebuild faster", "DEMO-9", "Good enough.", {"Priority": "Lowest", "Labels": "a"})
REMOTE = Ticket("Rebuild at once", "DEMO-9", "Good enough.", {"Priority": "Medium", "Labels": "b"})
#: 2026-11-26 10:29 UTC
SYNCED = 1_795_688_940.0


def conflict_view() -> ConflictView:
    """Return the conflict."""
    versions = Versions(BASE, LOCAL, REMOTE)
    parts, merged = find_parts(versions)
    source = ConflictSource("", "", versions)
    aside = ".ticketr/trash/DEMO-9.md"
    return ConflictView(
        "DEMO-9",
        LOCAL.title,
        "DEMO-9.md",
        1,
        SYNCED,
        "2026-11-26T12:41:00.000+0200",
        None,
        parts,
        merged,
        aside,
        source,
    )
