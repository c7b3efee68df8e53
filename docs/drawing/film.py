"""A short film of the app as an animated SVG: pull, Esc, edit, plan, push.

Every frame is a screen of the app in a state that messages have led to, but for the editor, which
shows the ticket's file. A row that stays as it is over several frames is drawn once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from drawing.states import (
    HEIGHT,
    REBUILD,
    SITE,
    TICKETS,
    WIDTH,
    at_work,
    check_answer,
    job,
    opened,
)
from drawing.svg import drawn_row, head
from fakes.states import tickets_of

from ticketr import JobStatus
from ticketr.app.sync import PlanEntry, PullResult, PushPlan, PushResult
from ticketr.app.sync.compare.diff import Change
from ticketr.app.tickets import Ticket, render
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, call_in
from ticketr.app.tui.rows import Rows
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.jobs import read_plan
from ticketr.app.tui.sheet import EditedPart
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.terminal import Event, Key
from ticketr.text import clip

#: The issues of the film's pull; only some of them are on the screen.
TOTAL = 120
TITLE = (
    "ticketr in a terminal: a pull is cancelled with Esc and goes on, a ticket is edited, a plan "
    "shows what a push would write, and Enter pushes it"
)
#: The frame that is shown where nothing moves: the plan.
STILL = "plan"
EDITED = replace(REBUILD, fields={**REBUILD.fields, "Priority": "Low"})
PLAN = PushPlan(
    (PlanEntry("DEMO-9", REBUILD.title, "DEMO-9.md", 1, (Change("Priority", "High", "Low"),)),),
    (),
)


@dataclass(frozen=True)
class Frame:
    """A screen, for so many seconds.

    Attributes:
        seconds: How long it is shown.
        rows: Its rows, with the codes of their styles; the last one says what is done.
        name: Its name; empty for none.
    """

    seconds: float
    rows: tuple[str, ...]
    name: str = ""


class Camera:
    """Takes frames of the app while messages change it.

    Args:
        theme: Colours and characters.
    """

    def __init__(self, theme: Theme) -> None:
        self.frames: list[Frame] = []
        self.now = 1.0
        self._theme = theme
        view = WorkspaceView("harbour", SITE, "DEMO", are_files_read=True)
        self._state = AppState(WIDTH, HEIGHT, workspaces=(view,))
        self._caption = ""

    def says(self, key: str, does: str) -> None:
        """Say below the next frames which key was pressed, and what it does."""
        self._caption = f" {self._theme.style(f' {key} ', 'reverse', 'bold')}  {does}"

    def sees(self, *each: messages.Message | Event) -> None:
        """Let messages arrive."""
        for message in each:
            self._state, _ = update(self._state, message, self.now)

    def sees_check(self) -> None:
        """Let Jira refuse nothing of the plan on the screen."""
        self.sees(check_answer(self._state))

    def opens(self, edits: tuple[EditedPart, ...] = (), ticket: Ticket = REBUILD) -> None:
        """Select the ticket that is edited, and open it."""
        self._state = opened(self._state, "DEMO-9", ticket, edits)

    def takes(self, seconds: float, name: str = "") -> None:
        """Take a frame of the app."""
        self.adds(seconds, draw_screen(self._state, self.now, self._theme), name)

    def adds(self, seconds: float, rows: Sequence[str], name: str = "") -> None:
        """Add a frame of any rows."""
        self.frames.append(Frame(seconds, (*rows, "", self._caption), name))
        self.now += seconds

    def style(self, text: str, *styles: str) -> str:
        """Return a text with its styles."""
        return self._theme.style(text, *styles)


def frames(theme: Theme) -> list[Frame]:
    """Return the film."""
    film = Camera(theme)
    _pulls(film)
    film.says("j", "the open ticket follows the cursor")
    film.opens()
    film.takes(2.0)
    film.says("e", "edit its file in your editor")
    film.adds(1.4, _editor(film, REBUILD))
    film.adds(1.6, _editor(film, EDITED))
    _pushes(film)
    return film.frames


def _pulls(film: Camera) -> None:
    film.says("P", "pull: each ticket becomes a Markdown file")
    began = film.now
    _pull(film, began, range(18, 55, 9))
    film.says("Esc", "cancel at once; what is written stays")
    film.sees(
        messages.JobChanged(
            at_work(
                job("pull", JobStatus.CANCELLED),
                54,
                TOTAL,
                "Cancelled: 54/120 tickets pulled",
                started_at=began,
                finished_at=film.now,
            )
        )
    )
    film.takes(2.6)
    film.says("P", "pull again; it fetches the rest")
    began = film.now
    _pull(film, began, range(60, TOTAL, 12))
    film.sees(_files(_rows(), frozenset()))
    result = PullResult(total=TOTAL, new=66, unchanged=54)
    film.sees(_ended(film, "pull", began, TOTAL, "Pull complete: 120 tickets", result))
    film.takes(1.8)


def _pull(film: Camera, began: float, steps: range) -> None:
    """Take a frame of each step of a pull, with the tickets that it has written."""
    for done in steps:
        running = at_work(job("pull"), done, TOTAL, "Pulling tickets", started_at=began)
        film.sees(messages.JobChanged(running))
        count = len(TICKETS) * done // TOTAL
        film.sees(messages.SomeTicketRowsRead("harbour", tickets_of(*TICKETS[:count])))
        film.takes(0.3)


def _pushes(film: Camera) -> None:
    edits = (EditedPart("Priority", "High", "Low"),)
    film.says("p", "plan a push: nothing is written until Enter")
    film.sees(_files(_rows(), frozenset({"DEMO-9"})))
    film.opens(edits, EDITED)
    film.sees(
        Key("p"),
        messages.CallEnded(call_in("harbour", read_plan, JobKind.PUSH, ()), PLAN),
    )
    film.sees_check()
    film.takes(3.6, STILL)
    film.says("Enter", "carry it out")
    began = film.now
    film.sees(Key("KEY_ENTER"))
    running = at_work(job("push"), 0, 1, "Pushing tickets", started_at=began)
    film.sees(messages.JobChanged(running))
    film.takes(0.9)
    film.sees(_files(_rows(), frozenset()))
    film.opens((), EDITED)
    result = PushResult(total=1, updated=("DEMO-9",))
    film.sees(_ended(film, "push", began, 1, "Push complete: 1 updated", result))
    film.takes(3.2)


def _rows() -> Rows:
    return Rows.from_unsorted(row for rows in tickets_of(*TICKETS) for row in rows)


def _files(rows: Rows, edited: frozenset[str]) -> messages.FilesRead:
    return messages.FilesRead("harbour", rows, edited, complete_pull_age_seconds=0.0)


def _ended(
    film: Camera, kind: str, began: float, total: int, words: str, result: object
) -> messages.JobChanged:
    done = job(kind, JobStatus.COMPLETED)
    changes = {"started_at": began, "finished_at": film.now, "result": result}
    return messages.JobChanged(at_work(done, total, total, words, **changes))


def _editor(film: Camera, ticket: Ticket) -> list[str]:
    """Return an editor that shows the file of a ticket, with the cursor on its priority."""
    lines = [clip(line, WIDTH - 5) for line in render([ticket]).splitlines()[: HEIGHT - 1]]
    rows = [
        f" {number:>3} {line}"
        if not line.startswith("Priority: ")
        else f" {number:>3} {film.style(line, 'reverse')}"
        for number, line in enumerate(lines, start=1)
    ]
    blank = [film.style("   ~", "dim")] * (HEIGHT - 1 - len(rows))
    state = "[+]" if ticket is EDITED else ""
    return [*rows, *blank, film.style(f" DEMO-9.md {state}".ljust(WIDTH), "reverse")]


def film(theme: Theme) -> str:
    """Return the film as an animated SVG."""
    taken = frames(theme)
    ends = list(accumulate(each.seconds for each in taken))
    stripes = list(_stripes(taken))
    css = _animation(stripes, ends)
    parts = [*head(TITLE, WIDTH, HEIGHT + 2, css)]
    for stripe in stripes:
        drawn = "".join(drawn_row(stripe.row, stripe.number))
        if drawn:
            name = stripe.name(len(taken))
            parts.append(f'<g class="{name}">{drawn}</g>' if name else f"<g>{drawn}</g>")
    return "\n".join([*parts, "</svg>", ""])


@dataclass(frozen=True)
class Stripe:
    """A row with a text, and the frames in which it has that text.

    Attributes:
        number: The row, from 0.
        row: Its text, with the codes of its styles.
        shown: The indices of the frames.
        is_still: Whether it is in the frame that is shown where nothing moves.
    """

    number: int
    row: str
    shown: tuple[int, ...]
    is_still: bool

    def name(self, count: int) -> str:
        """Return the name of its animation; empty if it is in all of so many frames."""
        if len(self.shown) == count:
            return ""
        still = " s" if self.is_still else ""
        return f"f k{'_'.join(f'{first}-{last}' for first, last in _runs(self.shown))}{still}"


def _stripes(taken: Sequence[Frame]) -> Iterator[Stripe]:
    still = next(at for at, each in enumerate(taken) if each.name == STILL)
    for number in range(HEIGHT + 2):
        shown: dict[str, list[int]] = {}
        for at, frame in enumerate(taken):
            shown.setdefault(frame.rows[number], []).append(at)
        for row, places in shown.items():
            yield Stripe(number, row, tuple(places), still in places)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first and last of each run of numbers that follow one another."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and runs[-1][1] == place - 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return runs


def _animation(stripes: Iterable[Stripe], ends: Sequence[float]) -> str:
    """Return the styles that show each row at its times, and the still frame without motion."""
    total = ends[-1]
    rules = [
        ".f{visibility:hidden}.s{visibility:visible}",
        "@media (prefers-reduced-motion:no-preference){",
        f".f{{visibility:hidden;animation:{total:g}s step-end infinite}}",
    ]
    names = dict.fromkeys(
        (each.name(len(ends)).split()[1], each.shown) for each in stripes if each.name(len(ends))
    )
    for name, shown in names:
        rules.append(f".{name}{{animation-name:{name}}}")
        steps = dict[str, str]()
        for first, last in _runs(shown):
            begin = ends[first - 1] if first else 0.0
            steps[f"{100 * begin / total:.2f}%"] = "visible"
            steps[f"{100 * ends[last] / total:.2f}%"] = "hidden"
        steps.setdefault("0.00%", "hidden")
        body = "".join(f"{at}{{visibility:{how}}}" for at, how in steps.items())
        rules.append(f"@keyframes {name}{{{body}}}")
    return "".join([*rules, "}"])
