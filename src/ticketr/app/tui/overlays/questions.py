"""Overlays that ask: for a line, a yes or one of a list, and Jira while the user waits. Pure."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence, Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar, final

from ticketr.app.config.checks import remove_word_separators
from ticketr.app.tickets import fold
from ticketr.app.tui import messages
from ticketr.app.tui.effects import ServiceCall, call
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, boxed, is_enter_too_soon, moved_index
from ticketr.app.tui.services.asking import stop_asking
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, wrap_line
from ticketr.app.tui.text_input import TextInput
from ticketr.text import clip, fit, width, wrap

#: The least cells of a list, where the screen has them.
MIN_LIST_CELLS = 34
#: Below this many rows, only what is typed and the options are shown.
MIN_FULL_BOX_ROWS = 10
#: Why nothing can be taken yet.
JIRA_NOT_ANSWERED_MESSAGE = "Jira has not answered yet; Esc goes back"
#: The most options that are measured for the width of a list.
MAX_MEASURED_OPTIONS = 100


@dataclass(frozen=True, slots=True)
class Option:
    """One of the things to choose from.

    Attributes:
        label: What it is, cleaned.
        facts: What is at the right.
        refusal: Why it cannot be chosen now; empty if it can.
        value: What is chosen, not cleaned; None for the words.
        synonyms: Other words by which it is found.
    """

    label: str
    facts: str = ""
    refusal: str = ""
    value: Any = None
    synonyms: str = ""


def matching_options(options: Iterable[Option], text: str) -> list[Option]:
    """Return the options that have all words of a text; those that begin with it come first.

    An option also begins with a text whose blanks and hyphens are others: ``todo`` finds ``To Do``.
    """
    start = fold(text).strip()
    wanted, joined = start.split(), remove_word_separators(start)
    names = [(option, (fold(option.label), fold(option.synonyms))) for option in options]
    matching = [
        pair
        for pair in names
        if all(word in " ".join(pair[1]) for word in wanted)
        or (joined and any(remove_word_separators(name).startswith(joined) for name in pair[1]))
    ]
    matching.sort(key=lambda pair: not any(name.startswith(start) for name in pair[1]))
    return [option for option, _ in matching]


@dataclass(frozen=True, slots=True)
class ListOverlay(Overlay):
    """A list in which typing finds; Esc closes it.

    Attributes:
        typing_hint: What can be typed.
        title: The title in the frame.
        option_index: The index of the selected option, among those that fit what is typed.
        input: What is typed.
    """

    is_full_screen: ClassVar[bool] = False
    typing_hint: ClassVar[str] = ""

    title: str
    _: KW_ONLY
    option_index: int = 0
    input: TextInput = field(default_factory=TextInput)

    @property
    @abstractmethod
    def inner_cells(self) -> int:
        """The width of the list without its frame, where the screen has it."""

    @property
    @abstractmethod
    def min_list_rows(self) -> int:
        """The least rows of the list, where the screen has them: the box keeps its height."""

    @abstractmethod
    def matching_options(self, state: AppState) -> Sequence[Option]:
        """Return the options that fit what is typed."""

    @abstractmethod
    def accept(self, state: AppState, option: Option, now: float) -> Step:
        """Return the step that takes an option, from the state without this list."""

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, or take the selected option."""
        options = self.matching_options(state)
        at = min(self.option_index, max(0, len(options) - 1))
        if action is KeyAction.ACCEPT:
            if not options:
                return state.with_notice("Nothing of that name"), ()
            if options[at].refusal:
                return state.with_notice(options[at].refusal), ()
            return self.accept(state.top_closed(), options[at], now)
        edited = self.input.edited(action)
        if edited is not None:
            return state.top_replaced(replace(self, input=edited, option_index=0)), ()
        to = moved_index(action, at, self._page_rows(state, options), max(0, len(options) - 1))
        return None if to is None else (state.top_replaced(replace(self, option_index=to)), ())

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor."""
        edited = self.input.with_typed(text)
        return state.top_replaced(replace(self, input=edited, option_index=0)), ()

    def _page_rows(self, state: AppState, options: Sequence[Option]) -> int:
        """Return the number of rows for options: a page of the list."""
        around = 3 if state.layout.body_rows < MIN_FULL_BOX_ROWS else 4 + bool(self.typing_hint)
        return max(1, min(max(self.min_list_rows, len(options)), state.layout.body_rows - around))

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body with the list over it, below the text that is typed."""
        options = self.matching_options(state)
        cells = min(self.inner_cells, max(16, state.width - 8))
        at = min(self.option_index, max(0, len(options) - 1))
        is_low = state.layout.body_rows < MIN_FULL_BOX_ROWS
        count = f"{len(options)}"
        text = f" > {self.input.visible_part(max(4, cells - 6 - width(count)))}"
        rows = [(f"{fit(text, cells - width(count) - 1)}{count} ", False)]
        rows += [] if is_low else [("─" * cells, False)]
        room = self._page_rows(state, options)
        begin = max(0, min(at - room // 2, len(options) - room))
        for number, option in enumerate(options[begin : begin + room], start=begin):
            rows.append((_draw_option(option, cells, is_selected=number == at), number == at))
        rows += [("", False)] * (room - len(options))
        rows += [] if is_low or not self.typing_hint else [(f" {self.typing_hint}", False)]
        return boxed(below, self.title, rows, cells, state.width, theme)


def _draw_option(option: Option, cells: int, *, is_selected: bool) -> str:
    facts = clip(_refusal_or_facts(option), max(0, cells // 2, cells - width(option.label) - 3))
    bar = "▌" if is_selected else " "
    return f"{bar}{fit(option.label, max(1, cells - width(facts) - 3))} {facts} "


def _refusal_or_facts(option: Option) -> str:
    return option.refusal or option.facts


@final
@dataclass(frozen=True, slots=True)
class Choice(ListOverlay):
    """A list to choose from; Jira may be asked for what it lists, and Esc cancels the request.

    Attributes:
        options: The things to choose from.
        on_choose: Gives the step for the value of the option that Enter takes; it gets the state
            without this overlay.
        unlisted_value_note: What a typed text is that no option has, such as ``a new label``; empty if only
            options can be taken.
        options_request: The request for the options; None if Jira is not asked.
        options_and_if_all: Gives the options for Jira's answer, and whether no others can be taken.
        waiting_text: What is shown in place of the options until Jira has answered; empty for
            nothing.
        close_notice_if_no_values: Why the list is closed if the answer has no values; empty to
            keep it as it is.
    """

    context: ClassVar[Context] = Context.CHOICE

    options: tuple[Option, ...]
    on_choose: Callable[[AppState, Any], Step]
    _: KW_ONLY
    unlisted_value_note: str = ""
    options_request: ServiceCall | None = None
    options_and_if_all: Callable[[Any], tuple[tuple[Option, ...], bool]] = lambda _: ((), False)
    waiting_text: str = ""
    close_notice_if_no_values: str = ""

    @property
    def workspace(self) -> str:
        """The name of the workspace whose site is asked; empty if Jira is not asked."""
        return "" if self.options_request is None else self.options_request.required_workspace

    @property
    def inner_cells(self) -> int:
        """The width of the longest of the first options, and of the title."""
        lines = (
            f"{option.label} {_refusal_or_facts(option)}"
            for option in self.options[:MAX_MEASURED_OPTIONS]
        )
        return min(
            64, max(MIN_LIST_CELLS, width(self.title) + 6, *(width(line) + 4 for line in lines))
        )

    @property
    def min_list_rows(self) -> int:
        """The number of options, with the typed text itself."""
        return len(self.options) + bool(self.unlisted_value_note)

    def matching_options(self, state: AppState) -> list[Option]:
        """Return the options that fit what is typed; the typed text itself is the last one."""
        if self.waiting_text:
            return [Option(self.waiting_text)]
        options = matching_options(self.options, self.input.text)
        text = self.input.text.strip()
        if (
            text
            and self.unlisted_value_note
            and all(fold(option.label) != fold(text) for option in options)
        ):
            options.append(Option(text, self.unlisted_value_note))
        return options

    def accept(self, state: AppState, option: Option, now: float) -> Step:
        """Return the step for the value of an option."""
        return self.on_choose(state, option.label if option.value is None else option.value)

    def unavailable_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions without an effect: there may be nothing to take yet."""
        return frozenset((KeyAction.ACCEPT,) if self.waiting_text else ())

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, take the selected value, or close the list and ask no more."""
        if action is KeyAction.ESCAPE and self.workspace:
            return state.top_closed(), (call(stop_asking, self.workspace),)
        if action is KeyAction.ACCEPT and self.waiting_text:
            return state.with_notice(JIRA_NOT_ANSWERED_MESSAGE), ()
        return ListOverlay.on_action(self, state, action, now)

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take Jira's answer; the selected value stays selected."""
        match message:
            case messages.CallEnded(self.options_request, answer, problem):
                pass
            case _:
                return None
        if problem and not (self.options or self.unlisted_value_note):
            return state.without_overlay(self).with_notice(problem, is_bad=True), ()
        if problem:
            words = f"These are the values in your files; Jira gave none: {problem}"
            state = state.overlay_replaced(self, replace(self, waiting_text=""))
            return state.with_notice(words, is_bad=True), ()
        options, is_whole = self.options_and_if_all(answer)
        if not options and self.close_notice_if_no_values:
            return state.without_overlay(self).with_notice(self.close_notice_if_no_values), ()
        if not options:
            return state, ()
        new = replace(
            self,
            options=options,
            unlisted_value_note="" if is_whole else self.unlisted_value_note,
            waiting_text="",
        )
        before = [option.value for option in self.matching_options(state)]
        after = [option.value for option in new.matching_options(state)]
        chosen = before[self.option_index] if before else None
        at = after.index(chosen) if before and chosen in after else 0
        return state.overlay_replaced(self, replace(new, option_index=at)), ()


@final
@dataclass(frozen=True, slots=True)
class YesNoQuestion(Overlay):
    """A question that Enter answers with yes, and Esc with no.

    Attributes:
        title: What it is about.
        question: The question, cleaned.
        calls_on_yes: What a yes does.
        shown_at: The time at which it came.
    """

    context: ClassVar[Context] = Context.QUESTION
    is_full_screen: ClassVar[bool] = False

    title: str
    question: str
    calls_on_yes: tuple[ServiceCall, ...]
    shown_at: float

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Answer it with yes."""
        if action is not KeyAction.ACCEPT:
            return None
        if is_enter_too_soon(state, self.shown_at, now):
            return state.with_notice("Read the question first"), ()
        return state.top_closed(), self.calls_on_yes

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells = min(70, max(16, state.width - 8))
        lines = [(f" {line}", False) for line in wrap(self.question, cells - 2)]
        return boxed(below, self.title, lines, cells, state.width, theme)


#: What is between two hints.
HINT_SEPARATOR = "   "
#: The most lines of a typed text that are shown above the input line.
MAX_SHOWN_INPUT_LINES = 8
#: The cells around the label, the text and the hints of an input line: blanks, the cursor, a gap.
INPUT_ROW_OVERHEAD_CELLS = 6


@final
@dataclass(frozen=True, slots=True)
class LineInput(Overlay):
    """A line to type.

    Attributes:
        label: What is typed, such as ``"/"``.
        on_accept: Gives the step for the text that Enter takes; it gets the state without this
            overlay. Or it returns why the text cannot be taken. The line comes back if what it
            asks for fails.
        on_change: Gives the state after each change of the text; it gets the state with this
            overlay. None to do nothing then.
        on_cancel: Gives the state if Esc closes it, to take back what `on_change` did.
        input: The text.
        on_tab: Gives the step for Tab; it gets the state without this overlay. None if Tab does
            nothing.
        examples: What can be typed, shown while nothing is.
        problem: Why the text was not taken, cleaned; it is shown until the text is changed.
        on_open_editor: Gives the step that opens the text in the editor; it gets the state without this
            overlay. None if it is not written there.
    """

    context: ClassVar[Context] = Context.INPUT
    is_full_screen: ClassVar[bool] = False

    label: str
    on_accept: Callable[[AppState, str], Step | str]
    on_change: Callable[[AppState, str], AppState] | None = None
    on_cancel: Callable[[AppState], AppState] | None = None
    input: TextInput = field(default_factory=TextInput)
    on_tab: Callable[[AppState], Step] | None = None
    examples: str = ""
    problem: str = ""
    on_open_editor: Callable[[AppState, str], Step] | None = None

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the line, take it, or close it."""
        if action is KeyAction.ACCEPT:
            return self._accept(state, self.on_accept)
        if action is KeyAction.ESCAPE:
            closed = state.top_closed()
            return (closed if self.on_cancel is None else self.on_cancel(closed)), ()
        if action is KeyAction.NEXT_PANEL and self.on_tab is not None:
            return self.on_tab(state.top_closed())
        if action is KeyAction.IN_EDITOR and self.on_open_editor is not None:
            return self._accept(state, self.on_open_editor)
        edited = self.input.edited(action)
        return None if edited is None else (self._with_text(state, edited), ())

    def _accept(self, state: AppState, take: Callable[[AppState, str], Step | str]) -> Step:
        step = take(state.top_closed(), self.input.text)
        if isinstance(step, str):
            return state.top_replaced(replace(self, problem=step)), ()
        return step[0], tuple(
            request if request.step_on_failure else replace(request, step_on_failure=self.reopened)
            for request in step[1]
        )

    def reopened(self, state: AppState, answer: messages.CallEnded) -> Step:
        """Return the step that shows the line again, with what the user has written since."""
        text = self.input
        if answer.value_or_typed is not None:
            text = TextInput.of(answer.value_or_typed, keeps_pasted_lines=text.keeps_pasted_lines)
        return state.opened_below_others(replace(self, input=text, problem=answer.problem)), ()

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor."""
        return self._with_text(state, self.input.with_typed(text)), ()

    def _with_text(self, state: AppState, edited: TextInput) -> AppState:
        state = state.top_replaced(replace(self, input=edited, problem=""))
        return state if self.on_change is None else self.on_change(state, edited.text)

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body; the lowest ones show a text of several lines, and the problem."""
        rows: list[Line] = []
        lines = self.input.text.split("\n")
        if lines[1:]:
            rows += [(Span("─" * state.width),)]
            rows += [(Span(f" {line}"),) for line in lines[-MAX_SHOWN_INPUT_LINES:]]
        if self.problem:
            line = (Span(theme.ascii_if_needed(self.problem), ("bold", "red")),)
            rows += wrap_line(line, state.width, first=" ", rest=" ")
        rows = rows[: len(below)]
        return [
            *below[: len(below) - len(rows)],
            *(theme.row(row, state.width) for row in rows),
        ]

    def draw_line(self, state: AppState, theme: Theme) -> str:
        """Return what the action bar shows instead of the hints of keys."""
        room = max(4, state.width - len(self.label) - 3)
        return f" {self.label} {self.input.visible_part(room)}"

    def line_hints(self, state: AppState) -> str:
        """Return what is at the right of `line`: examples and keys, as many as there is room for."""
        keys = [(KeyAction.ACCEPT, "takes it"), (KeyAction.ESCAPE, "leaves")]
        if self.on_open_editor is not None:
            keys.append((KeyAction.IN_EDITOR, "opens $EDITOR"))
        if self.on_tab is not None:
            keys.insert(0, (KeyAction.NEXT_PANEL, "lists"))
        parts = [state.keymap.hint(action, self.context, does) for action, does in keys]
        if self.examples and not self.input.text:
            parts.insert(0, self.examples)
        room = state.width - width(self.label) - width(self.input.text) - INPUT_ROW_OVERHEAD_CELLS
        while parts and width(HINT_SEPARATOR.join(parts)) > room:
            parts.pop()
        return HINT_SEPARATOR.join(parts)


@final
@dataclass(frozen=True, slots=True)
class Loading(Overlay):
    """Jira is asked; Esc cancels the request.

    Attributes:
        request: The request.
        title: What the answer is for.
        waiting_text: What Jira is asked.
        on_answer_or_problem: Gives the step for the answer, the reason why there is none, and the
            time; it gets the state without this overlay.
    """

    context: ClassVar[Context] = Context.CHOICE
    is_full_screen: ClassVar[bool] = False

    request: ServiceCall
    title: str
    waiting_text: str
    on_answer_or_problem: Callable[[AppState, Any, str, float], Step]

    @property
    def workspace(self) -> str:
        """The name of the workspace."""
        return self.request.required_workspace

    def unavailable_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions without an effect: there is nothing to take yet."""
        return frozenset((KeyAction.ACCEPT,))

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Cancel the request; there is nothing to take yet."""
        if action is KeyAction.ESCAPE:
            return state.top_closed(), (call(stop_asking, self.workspace),)
        if action is KeyAction.ACCEPT:
            return state.with_notice(JIRA_NOT_ANSWERED_MESSAGE), ()
        return None

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the answer."""
        match message:
            case messages.CallEnded(self.request, value, problem):
                return self.on_answer_or_problem(state.without_overlay(self), value, problem, now)
            case _:
                return None

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells = min(64, max(16, state.width - 8))
        return boxed(
            below, self.title, [(f" {self.waiting_text}", False)], cells, state.width, theme
        )
