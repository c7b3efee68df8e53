"""Lists to choose from, in which one types to find. Pure."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence, Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar, final

from ticketr.app.config.checks import without_separators
from ticketr.app.tickets import fold
from ticketr.app.tui import messages
from ticketr.app.tui.effects import Call, call
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, boxed, target
from ticketr.app.tui.services.asking import stop_asking
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.text_input import TextInput
from ticketr.text import clip, fit, width

#: The least cells of a list, where the screen has them.
MIN_CELLS = 34
#: Below this many rows, only what is typed and the options are shown.
MIN_BOX_ROWS = 10
#: Why nothing can be taken yet.
ASKED = "Jira has not answered yet; Esc goes back"
#: The most options that are measured for the width of a list.
MOST_MEASURED = 100


@dataclass(frozen=True, slots=True)
class Option:
    """One of the things to choose from.

    Attributes:
        words: What it is, cleaned.
        facts: What is at the right.
        refused: Why it cannot be chosen now; empty if it can.
        value: What is chosen, not cleaned; None for the words.
        also: Other words by which it is found.
    """

    words: str
    facts: str = ""
    refused: str = ""
    value: Any = None
    also: str = ""


def matching(options: Iterable[Option], text: str) -> list[Option]:
    """Return the options that have all words of a text; those that begin with it come first.

    An option also begins with a text whose blanks and hyphens are others: ``todo`` finds ``To Do``.
    """
    start = fold(text).strip()
    wanted, joined = start.split(), without_separators(start)
    names = [(option, (fold(option.words), fold(option.also))) for option in options]
    matching = [
        pair
        for pair in names
        if all(word in " ".join(pair[1]) for word in wanted)
        or (joined and any(without_separators(name).startswith(joined) for name in pair[1]))
    ]
    matching.sort(key=lambda pair: not any(name.startswith(start) for name in pair[1]))
    return [option for option, _ in matching]


@dataclass(frozen=True, slots=True)
class ListOverlay(Overlay):
    """A list in which typing finds; Esc closes it.

    Attributes:
        hint: What can be typed.
        title: The title in the frame.
        at: The index of the selected option, among those that fit what is typed.
        input: What is typed.
    """

    is_full: ClassVar[bool] = False
    hint: ClassVar[str] = ""

    title: str
    _: KW_ONLY
    at: int = 0
    input: TextInput = field(default_factory=TextInput)

    @property
    @abstractmethod
    def cells(self) -> int:
        """The width of the list without its frame, where the screen has it."""

    @property
    @abstractmethod
    def most(self) -> int:
        """The number of options while nothing is typed: the box keeps its height."""

    @abstractmethod
    def matching(self, state: AppState) -> Sequence[Option]:
        """Return the options that fit what is typed."""

    @abstractmethod
    def accept(self, state: AppState, option: Option, now: float) -> Step:
        """Return the step that takes an option, from the state without this list."""

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, or take the selected option."""
        options = self.matching(state)
        at = min(self.at, max(0, len(options) - 1))
        if action is KeyAction.ACCEPT:
            if not options:
                return state.noticed("Nothing of that name"), ()
            if options[at].refused:
                return state.noticed(options[at].refused), ()
            return self.accept(state.closed(), options[at], now)
        edited = self.input.edited(action)
        if edited is not None:
            return state.replaced(replace(self, input=edited, at=0)), ()
        to = target(action, at, self._room(state, options), max(0, len(options) - 1))
        return None if to is None else (state.replaced(replace(self, at=to)), ())

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor."""
        return state.replaced(replace(self, input=self.input.typed(text), at=0)), ()

    def _room(self, state: AppState, options: Sequence[Option]) -> int:
        """Return the number of rows for options: a page of the list."""
        around = 3 if state.body < MIN_BOX_ROWS else 4 + bool(self.hint)
        return max(1, min(max(self.most, len(options)), state.body - around))

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body with the list over it, below the text that is typed."""
        options, cells = self.matching(state), min(self.cells, max(16, state.width - 8))
        at = min(self.at, max(0, len(options) - 1))
        is_low = state.body < MIN_BOX_ROWS
        count = f"{len(options)}"
        text = f" > {self.input.shown(max(4, cells - 6 - width(count)))}"
        rows = [(f"{fit(text, cells - width(count) - 1)}{count} ", False)]
        rows += [] if is_low else [("─" * cells, False)]
        room = self._room(state, options)
        begin = max(0, min(at - room // 2, len(options) - room))
        for number, option in enumerate(options[begin : begin + room], start=begin):
            rows.append((_row(option, cells, is_selected=number == at), number == at))
        rows += [("", False)] * (room - len(options))
        rows += [] if is_low or not self.hint else [(f" {self.hint}", False)]
        return boxed(below, self.title, rows, cells, state.width, theme)


def _row(option: Option, cells: int, *, is_selected: bool) -> str:
    facts = clip(_facts(option), max(0, cells // 2, cells - width(option.words) - 3))
    bar = "▌" if is_selected else " "
    return f"{bar}{fit(option.words, max(1, cells - width(facts) - 3))} {facts} "


def _facts(option: Option) -> str:
    return option.refused or option.facts


@dataclass(frozen=True, slots=True)
class Choice(ListOverlay):
    """A list to choose from.

    Attributes:
        options: The things to choose from.
        chosen: Gives the step for the value of the option that Enter takes; it gets the state
            without this overlay.
        other: What a typed text is that no option has, such as ``a new label``; empty if only
            options can be taken.
    """

    context: ClassVar[Context] = Context.CHOICE

    options: tuple[Option, ...]
    chosen: Callable[[AppState, Any], Step]
    other: str = field(default="", kw_only=True)

    @property
    def cells(self) -> int:
        """The width of the longest of the first options, and of the title."""
        lines = (f"{option.words} {_facts(option)}" for option in self.options[:MOST_MEASURED])
        return min(64, max(MIN_CELLS, width(self.title) + 6, *(width(line) + 4 for line in lines)))

    @property
    def most(self) -> int:
        """The number of options, with the typed text itself."""
        return len(self.options) + bool(self.other)

    def matching(self, state: AppState) -> list[Option]:
        """Return the options that fit what is typed; the typed text itself is the last one."""
        options = matching(self.options, self.input.text)
        text = self.input.text.strip()
        if text and self.other and all(fold(option.words) != fold(text) for option in options):
            options.append(Option(text, self.other))
        return options

    def accept(self, state: AppState, option: Option, now: float) -> Step:
        """Return the step for the value of an option."""
        return self.chosen(state, option.words if option.value is None else option.value)


@final
@dataclass(frozen=True, slots=True)
class ValueChoice(Choice):
    """A list of the values of a field, which Jira's answer replaces; Esc cancels the request.

    Attributes:
        request: The request for the values; None if Jira is not asked.
        options_of: Gives the options for Jira's answer, and whether no others can be taken.
        waits: What is shown in place of the options until Jira has answered; empty for nothing.
        nothing: Why the list is closed if the answer has no values; empty to keep it as it is.
    """

    _: KW_ONLY
    request: Call | None = None
    options_of: Callable[[Any], tuple[tuple[Option, ...], bool]]
    waits: str = ""
    nothing: str = ""

    @property
    def workspace(self) -> str:
        """The name of the workspace whose site is asked; empty if Jira is not asked."""
        return "" if self.request is None else self.request.workspace

    def matching(self, state: AppState) -> list[Option]:
        """Return the options that fit what is typed; until Jira has answered, say so."""
        if self.waits:
            return [Option(self.waits)]
        return Choice.matching(self, state)

    def idle_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions without an effect: there may be nothing to take yet."""
        return frozenset((KeyAction.ACCEPT,) if self.waits else ())

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, take the selected value, or close the list and ask no more."""
        if action is KeyAction.ESCAPE and self.workspace:
            return state.closed(), (call(stop_asking, self.workspace),)
        if action is KeyAction.ACCEPT and self.waits:
            return state.noticed(ASKED), ()
        return ListOverlay.on_action(self, state, action, now)

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take Jira's answer; the selected value stays selected."""
        match message:
            case messages.Answered(self.request, answer, problem):
                pass
            case _:
                return None
        if problem and not (self.options or self.other):
            return state.without(self).noticed(problem, is_bad=True), ()
        if problem:
            words = f"These are the values in your files; Jira gave none: {problem}"
            return state.exchanged(self, replace(self, waits="")).noticed(words, is_bad=True), ()
        options, is_whole = self.options_of(answer)
        if not options:
            return (state.without(self).noticed(self.nothing) if self.nothing else state), ()
        new = replace(self, options=options, other="" if is_whole else self.other, waits="")
        before = [option.value for option in self.matching(state)]
        after = [option.value for option in new.matching(state)]
        at = after.index(before[self.at]) if before and before[self.at] in after else 0
        return state.exchanged(self, replace(new, at=at)), ()
