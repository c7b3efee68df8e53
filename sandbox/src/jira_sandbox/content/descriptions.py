"""Generate descriptions, from one plain sentence to a page with tables and panels."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from jira_sandbox.content import adf, hostile
from jira_sandbox.content.words import CRITERIA, REMARKS
from jira_sandbox.data.catalogue import USERS

if TYPE_CHECKING:
    from jira_sandbox.content.shop import Area
    from jira_sandbox.data.model import Adf

_FIRST_DAY: Final = 1_764_547_200_000  # 2025-12-01, midnight in UTC
_DAY_MS: Final = 86_400_000


def local_id(rng: random.Random) -> str:
    """Make an ID like those that Jira's editor gives to check boxes."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def criteria(rng: random.Random) -> list[Adf]:
    """Make acceptance criteria as Jira stores them: a heading and a list."""
    lines = rng.sample(CRITERIA, rng.randint(2, 4))
    return [adf.heading(3, "Acceptance Criteria"), adf.bullets(*lines)]


def plain(rng: random.Random, area: Area) -> Adf:
    """Write one or two paragraphs without any formatting."""
    first = adf.p(f"{rng.choice(area.facts)} {rng.choice(REMARKS)}")
    if rng.random() < 0.5:
        return adf.doc(first)
    return adf.doc(first, adf.p(rng.choice(REMARKS)))


def epic(rng: random.Random, area: Area) -> Adf:
    """Write the description of an epic: its goal, the facts and a remark."""
    facts = rng.sample(area.facts, 3)
    return adf.doc(
        adf.p(adf.strong("Goal: "), area.goal),
        adf.heading(2, "Where we are"),
        adf.bullets(*facts),
        adf.heading(2, "Notes"),
        adf.p(rng.choice(REMARKS)),
    )


def story(rng: random.Random, area: Area, wish: tuple[str, str, str, str]) -> Adf:
    """Write a user story, in most cases with acceptance criteria at its end."""
    _, who, what, why = wish
    article = "an" if who[0] in "aeiou" else "a"
    blocks = [
        adf.p(f"As {article} ", adf.strong(who), f" I want {what}, so that {why}."),
        adf.p(rng.choice(area.facts)),
    ]
    if rng.random() < 0.35:
        blocks += _extras(rng, area, 1)
    if rng.random() < 0.75:
        blocks += criteria(rng)
    return adf.doc(*blocks)


def bug(rng: random.Random, area: Area, title: str) -> Adf:
    """Write a bug report: steps, what was expected, what happened."""
    blocks = [
        adf.p(f"{title}. Seen by ", adf.mention(rng.choice(USERS)), " and by two customers."),
        adf.heading(3, "Steps"),
        adf.ordered(
            "Open the shop in a private window",
            adf.item("Put ", adf.em("two different"), " books into the basket"),
            f"Go on until you see the page about {area.slug}",
        ),
        adf.p(
            adf.strong("Expected:"),
            " it simply works.",
            adf.line_break(),
            adf.strong("Actual:"),
            " see the title.",
        ),
    ]
    if rng.random() < 0.5:
        blocks += _extras(rng, area, 1)
    return adf.doc(*blocks)


def rich(rng: random.Random, area: Area) -> Adf:
    """Write a page with many of the elements that Jira's editor offers."""
    blocks = [adf.p(rng.choice(area.facts)), *_extras(rng, area, rng.randint(2, 4))]
    if rng.random() < 0.4:
        blocks += criteria(rng)
    return adf.doc(*blocks)


def misleading(rng: random.Random) -> Adf:
    """Write a description that resembles the syntax of a ticket file."""
    return rng.choice((hostile.lookalikes, hostile.confusing))()


def _extras(rng: random.Random, area: Area, count: int) -> list[Adf]:
    return [block for make in rng.sample(_EXTRAS, count) for block in make(rng, area)]


def _table(rng: random.Random, area: Area) -> list[Adf]:
    def number() -> str:
        return f"{rng.randint(90, 9900):,}"

    return [
        adf.heading(2, "Numbers"),
        adf.table(
            ("Month", "Orders", "Remark"),
            ("October", number(), "as last year"),
            ("November", number(), adf.em("one bad weekend")),
            ("December", number(), adf.link("forecast", f"https://example.com/{area.slug}")),
        ),
    ]


def _panel(rng: random.Random, area: Area) -> list[Adf]:
    kind = rng.choice(("info", "note", "tip", "warning", "error", "success"))
    return [adf.panel(kind, adf.p(adf.strong("Keep in mind: "), rng.choice(area.facts)))]


def _code(rng: random.Random, area: Area) -> list[Adf]:
    language, content = rng.choice(
        (
            ("python", f"def {area.slug}(order):\n    return sum(b.price for b in order.books)\n"),
            ("sql", f"SELECT shop, count(*)\nFROM {area.slug}\nGROUP BY shop;"),
            ("json", f'{{\n  "area": "{area.slug}",\n  "enabled": false\n}}'),
            ("shell", f"$ shop {area.slug} --check\nOK   12 of 12"),
        )
    )
    return [adf.p("For example:"), adf.code_block(language, content)]


def _nested_list(rng: random.Random, area: Area) -> list[Adf]:
    inner = adf.ordered("the web shop", adf.item("the app", [adf.bullets("iOS", "Android")]))
    return [
        adf.p("What it touches:"),
        adf.bullets(
            adf.item("Where people see it", [inner]),
            adf.item("The ", adf.code(area.slug), " service"),
            rng.choice(("The nightly report", "The tills", "The mails we send")),
        ),
    ]


def _tasks(rng: random.Random, area: Area) -> list[Adf]:
    labels = rng.sample(CRITERIA, 3)
    boxes = [(rng.random() < 0.4, label) for label in labels]
    return [adf.heading(3, f"Before we ship {area.slug}"), adf.tasks(local_id(rng), *boxes)]


def _people(rng: random.Random, _area: Area) -> list[Adf]:
    first, second = rng.sample(USERS, 2)
    day = _FIRST_DAY + rng.randint(0, 90) * _DAY_MS
    return [
        adf.p(
            adf.mention(first),
            " talks to ",
            adf.mention(second),
            " before ",
            adf.date(day),
            ". State: ",
            adf.status(*rng.choice(_LOZENGES), local_id(rng)),
            " ",
            adf.emoji(":ship:", "🚢"),
        )
    ]


_LOZENGES: Final = (("WAITING", "yellow"), ("AGREED", "green"), ("OPEN", "neutral"))


def _expand(rng: random.Random, area: Area) -> list[Adf]:
    facts = rng.sample(area.facts, 2)
    return [
        adf.rule(),
        adf.expand("Background", adf.p(facts[0]), adf.bullets(facts[1], rng.choice(REMARKS))),
    ]


def _quote(rng: random.Random, area: Area) -> list[Adf]:
    return [
        adf.quote(adf.p(rng.choice(REMARKS))),
        adf.p(
            "See ",
            adf.link("the notes", f"https://example.com/notes/{area.slug}?page=2&lang=en", "em"),
            " and ",
            adf.card(f"https://example.com/plans/{area.slug}"),
            ".",
        ),
    ]


def _marks(rng: random.Random, area: Area) -> list[Adf]:
    return [
        adf.p(
            "Use ",
            adf.code(f"{area.slug}.enabled = true"),
            ", ",
            adf.text("not", "underline"),
            " ",
            adf.text("the old switch", "strike"),
            "; the budget is ",
            adf.colored(f"{rng.randint(2, 9)}0 ms", "#ff5630"),
            " (CO",
            adf.text("2", {"type": "subsup", "attrs": {"type": "sub"}}),
            " is somebody else\u2019s).",
        )
    ]


_EXTRAS: Final[tuple[Callable[[random.Random, Area], list[Adf]], ...]] = (
    _table,
    _panel,
    _code,
    _nested_list,
    _tasks,
    _people,
    _expand,
    _quote,
    _marks,
)
