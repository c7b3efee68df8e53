"""Opens a site: made up anew, or as its file has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from ticketr.sandbox.content.seed import make_issues
from ticketr.sandbox.data.catalogue import DEMO_USER
from ticketr.sandbox.data.changes import discard_change
from ticketr.sandbox.data.site import Site, utc_now
from ticketr.sandbox.errors import OtherSeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ticketr.sandbox.data.changes import Counters, OnChange
    from ticketr.sandbox.data.model import Issue, User
    from ticketr.sandbox.data.storage import SiteFile

TICKETS: Final = 500
SEED: Final = 1


def open_site(
    file: SiteFile | None,
    *,
    tickets: int | None = None,
    seed: int | None = None,
    user: User = DEMO_USER,
    search_lag: float = 0.0,
    clock: Callable[[], datetime] = utc_now,
) -> Site:
    """Open a site.

    Args:
        file: Where it is kept; a file without a site gets one. None keeps it in memory alone.
        tickets: How many issues a new site begins with.
        seed: Which of the many possible sites a new one is.
        user: Whose eyes the site is seen through.
        search_lag: How many seconds searches are behind.
        clock: Tells the time of day.

    Raises:
        OtherSeed: The site in the file was begun with other numbers than those given.
        DataFailed: The file cannot be read or written.
    """
    begun = {
        "tickets": TICKETS if tickets is None else tickets,
        "seed": SEED if seed is None else seed,
    }
    issues: Iterable[Issue] = make_issues(**begun)
    counters: Counters | None = None
    on_change: OnChange = discard_change
    if file is not None:
        if file.has_site:
            _compare(file, {"tickets": tickets, "seed": seed})
        else:
            file.begin(issues, {name: str(number) for name, number in begun.items()})
        issues, counters = file.load()
        on_change = file.save
    return Site(
        issues,
        user=user,
        clock=clock,
        search_lag=search_lag,
        counters=counters,
        on_change=on_change,
    )


def user_in(time_zone: str) -> User:
    """Give the demo's user, living somewhere else.

    The zone's offset of today holds for every date, as everywhere in the sandbox.

    Raises:
        LookupError: This machine knows no such zone.
    """
    try:
        offset = datetime.now(ZoneInfo(time_zone)).utcoffset()
    except (LookupError, ValueError, OSError) as error:  # a folder of zones is an OSError
        raise LookupError(time_zone) from error
    return replace(DEMO_USER, time_zone=time_zone, utc_offset=offset or timedelta(0))


def _compare(file: SiteFile, asked: dict[str, int | None]) -> None:
    for option, given in asked.items():
        begun = file.about(option)
        if given is not None and begun is not None and begun != str(given):
            raise OtherSeed(file.path, option, given, begun)
