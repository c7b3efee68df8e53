"""Lists to choose from, in which one types to find. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeVar, final

from ticketr.app.config.checks import without_separators
from ticketr.app.tickets import fold
from ticketr.app.tui import messages
from ticketr.app.tui.effects import Call, call_in
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, boxed, target
from ticketr.app.tui.services.asking import stop_asking
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.text_input import TextInput
from ticketr.text import clip, fit, width

T = TypeVar("T")

#: The least cells of a list, where the screen has them.
LEAST = 34
#: Below this many rows, only what is typed and the entries are shown.
LOW = 10
#: The most options that are measured for the width of a list.
MOST_MEASURED = 100


def fitting(items: Iterable[T], text: str, words: Callable[[T], tuple[str, ...]]) -> list[T]:
    """Return the items that have all words of a text; those that begin with it come first.

    An item also begins with a text whose blanks and hyphens are others: ``todo`` finds ``To Do``.

    Args:
        items: The items.
        text: What is typed.
        words: Gives the texts by which an item is found.
    """
    start = fold(text).strip()
    wanted, joined = start.split(), without_separators(start)
    texts = [(item, tuple(map(fold, words(item)))) for item in items]
    found = [
        (item, names)
        for item, names in texts
        if all(word in " ".join(names) for word in wanted)
        or any(without_separators(name).startswith(joined) for name in names)
    ]
    found.sort(key=lambda pair: not any(name.startswith(start) for name in pair[1]))
    return [item for item, _ in found]


def list_box(
    state: AppState,
    below: list[str],
    title: str,
    typed: TextInput,
    entries: Sequence[T],
    line: Callable[[T], tuple[str, str]],
    at: int,
    cells: int,
    theme: Theme,
    *,
    most: int,
    hint: str = "",
) -> list[str]:
    """Return the rows of a body with a list over it, below the text that is typed to find.

    Args:
        state: The state.
        below: The rows of the body without the list.
        title: The title in the frame of the box.
        typed: What is typed.
        entries: The entries that fit it.
        line: Gives what an entry is, and what is at its right.
        at: The index of the selected entry.
        cells: The width of the box without its frame.
        theme: Colours and characters.
        most: The number of entries while nothing is typed: the box keeps its height.
        hint: What can be typed.
    """
    is_low = state.body < LOW
    count = f"{len(entries)}"
    text = f" > {typed.shown(max(4, cells - 6 - width(count)))}"
    rows = [(f"{fit(text, cells - width(count) - 1)}{count} ", False)]
    rows += [] if is_low else [("─" * cells, False)]
    room = max(1, min(max(most, len(entries)), state.body - (3 if is_low else 4 + bool(hint))))
    begin = max(0, min(at - room // 2, len(entries) - room))
    shown = entries[begin : begin + room]
    for number, entry in enumerate(shown, start=begin):
        rows.append((_row(*line(entry), cells, is_selected=number == at), number == at))
    rows += [("", False)] * (room - len(shown))
    rows += [] if is_low or not hint else [(f" {hint}", False)]
    return boxed(below, title, rows, cells, state.width, theme)


def _row(words: str, facts: str, cells: int, *, is_selected: bool) -> str:
    facts = clip(facts, max(0, cells // 2, cells - width(words) - 3))
    bar = "▌" if is_selected else " "
    return f"{bar}{fit(words, max(1, cells - width(facts) - 3))} {facts} "


@dataclass(frozen=True, slots=True)
class Option:
    """One of the things to choose from.

    Attributes:
        words: What it is, cleaned.
        facts: What is at the right.
        refused: Why it cannot be chosen now; empty if it can.
        value: What is chosen, not cleaned; None for the words.
    """

    words: str
    facts: str = ""
    refused: str = ""
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Choice(Overlay):
    """A list to choose from; typing finds, Esc closes it.

    Attributes:
        title: What is chosen.
        options: The things to choose from.
        chosen: Gives the step for the value of the option that Enter takes; it gets the state
            without this overlay.
        at: The index of the selected option, among those that fit what is typed.
        input: What is typed.
        other: What a typed text is that no option has, such as ``a new label``; empty if only
            options can be taken.
    """

    context: ClassVar[Context] = Context.CHOICE
    is_full: ClassVar[bool] = False

    title: str
    options: tuple[Option, ...]
    chosen: Callable[[AppState, str], Step]
    at: int = 0
    input: TextInput = field(default_factory=TextInput)
    other: str = ""

    @property
    def fitting(self) -> list[Option]:
        """The options that fit what is typed; the typed text itself is the last one."""
        options = fitting(self.options, self.input.text, lambda option: (option.words,))
        text = self.input.text.strip()
        if text and self.other and all(fold(option.words) != fold(text) for option in options):
            options.append(Option(text, self.other))
        return options

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, or take the selected option."""
        options = self.fitting
        if action is KeyAction.ACCEPT:
            if not options:
                return state.noticed("Nothing of that name"), ()
            option = options[self.at]
            if option.refused:
                return state.noticed(option.refused), ()
            value = option.words if option.value is None else option.value
            return self.chosen(state.closed(), value)
        edited = self.input.edited(action)
        if edited is not None:
            return state.replaced(replace(self, input=edited, at=0)), ()
        at = target(action, self.at, state.body, max(0, len(options) - 1))
        return None if at is None else (state.replaced(replace(self, at=at)), ())

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor."""
        return state.replaced(replace(self, input=self.input.typed(text), at=0)), ()

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        sizes = [width(" ".join(_line(option))) for option in self.options[:MOST_MEASURED]]
        longest = max(LEAST, max(sizes, default=0) + 4, width(self.title) + 6)
        cells = min(64, max(16, state.width - 8), longest)
        return list_box(
            state,
            below,
            self.title,
            self.input,
            self.fitting,
            _line,
            self.at,
            cells,
            theme,
            most=len(self.options) + bool(self.other),
        )


@final
@dataclass(frozen=True, slots=True)
class ValueChoice(Choice):
    """A list of the values of a field, which Jira's answer completes; Esc cancels the request.

    Attributes:
        asked: The request for the values; None if Jira is not asked.
        answered: Gives the options for the values that Jira has answered.
    """

    asked: Call | None = None
    answered: Callable[[tuple[str, ...]], tuple[Option, ...]] = lambda _: ()

    @property
    def workspace(self) -> str:
        """The name of the workspace whose site is asked; empty if Jira is not asked."""
        return "" if self.asked is None else self.asked.workspace

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, take the selected value, or close the list and ask no more."""
        if action is KeyAction.ESCAPE and self.workspace:
            return state.closed(), (call_in(self.workspace, stop_asking),)
        return Choice.on_action(self, state, action, now)

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take Jira's answer; the selected value stays selected."""
        match message:
            case messages.Answered(self.asked, (values, is_whole), ""):
                pass
            case messages.Answered(self.asked, _, problem):
                words = f"These are the values in your files; Jira gave none: {problem}"
                return state.noticed(words, is_bad=True), ()
            case _:
                return None
        if not values:
            return state, ()
        other = "" if is_whole else self.other
        new = replace(self, options=self.answered(values), other=other)
        before = [option.value for option in self.fitting]
        after = [option.value for option in new.fitting]
        at = after.index(before[self.at]) if before and before[self.at] in after else 0
        return state.exchanged(self, replace(new, at=at)), ()


def _line(option: Option) -> tuple[str, str]:
    return option.words, option.refused or option.facts
