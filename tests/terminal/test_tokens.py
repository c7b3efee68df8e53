from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st
from rows import for_each

from ticketr.terminal import FocusGained, Mouse, MouseAction
from ticketr.terminal.terminfo import TerminalKind
from ticketr.terminal.tokens import MAX_PASTE_CHARACTERS, Key, Paste, Tokenizer, read_report

Tokens = list[str | Paste]

#: What a terminal sends, and the key or paste it stands for; None for what must be dropped.
SENT: dict[str, str | Paste | None] = {
    "a": "a",
    "é": "é",
    "🎉": "🎉",
    " ": " ",
    "\r": "KEY_ENTER",
    "\t": "KEY_TAB",
    "\x7f": "KEY_BACKSPACE",
    "\x17": "KEY_CTRL_W",
    "\x00": "KEY_CTRL_SPACE",
    "\x1b": "KEY_ESCAPE",
    "\x1b[A": "KEY_UP",
    "\x1bOA": "KEY_UP",
    "\x1bOP": "KEY_F1",
    "\x1bO2P": "KEY_SHIFT_F1",
    "\x1b[[A": "KEY_F1",
    "\x1b[15~": "KEY_F5",
    "\x1b[21~": "KEY_F10",
    "\x1b[24~": "KEY_F12",
    "\x1b[1;5C": "KEY_CTRL_RIGHT",
    "\x1b[1;2R": "KEY_SHIFT_F3",
    "\x1b[Z": "KEY_BTAB",
    "\x1b[3~": "KEY_DELETE",
    "\x1b[5~": "KEY_PGUP",
    "\x1b[H": "KEY_HOME",
    "\x1b[27u": "KEY_ESCAPE",
    "\x1b[97;5u": "KEY_CTRL_A",
    "\x1bx": "KEY_ALT_X",
    "\x1b\r": "KEY_ALT_ENTER",
    "\x1b[27;5;13~": None,
    "\x1b[I": None,
    "\x1b[<0;10;5M": None,
    "\x1b[M !!": None,
    "\x1b[1;1R": None,
    "\x1b[12;40R": None,
    "\x1b[?62;22c": None,
    "\x1b[?2026;2$y": None,
    "\x1b[48;24;80;0;0t": None,
    "\x1bP>|foo 1\x1b\\": None,
    "\x1bP1+r544e=787465726d\x1b\\": None,
    "\x1b]11;rgb:0000/0000/0000\x1b\\": None,
    "\x1b]11;rgb:0000/0000/0000\x07": None,
    "\x1b[200~qx\r\nhello \x1b[31m\r\x1b[201~": Paste("qx\nhello \x1b[31m\n"),
    "\x1b[201~": None,
    "\x1b[200~\x1b[201~": None,
}

KINDS = {kind: TerminalKind(kind) for kind in ("xterm-256color", "linux")}


def fed(*parts: str, flushes: int = 1) -> Tokens:
    """Return the tokens of a stream that arrives in these parts and then pauses."""
    tokenizer = Tokenizer()
    tokens = [token for part in parts for token in tokenizer.feed(part)]
    for _ in range(flushes):
        tokens += tokenizer.flush()
    return tokens


def named(tokens: Tokens, sent: str) -> list[str | Paste]:
    kind = KINDS["linux" if sent == "\x1b[[A" else "xterm-256color"]
    events = [token if isinstance(token, Paste) else kind.key(token) for token in tokens]
    return [
        event.char_or_key_name if isinstance(event, Key) else event for event in events if event
    ]


@for_each("sent", SENT)
def test_a_sequence_is_one_event_wherever_it_is_split(sent: str) -> None:
    expected = [] if SENT[sent] is None else [SENT[sent]]

    assert named(fed(sent), sent) == expected
    for split in range(1, len(sent)):
        assert named(fed(sent[:split], sent[split:]), sent) == expected
    assert named(fed(*sent), sent) == expected


@for_each("sent", [sent for sent in SENT if sent != "\x1b"])
def test_what_follows_a_sequence_is_a_key_of_its_own(sent: str) -> None:
    expected = [] if SENT[sent] is None else [SENT[sent]]

    for split in range(len(sent) + 1):
        assert named(fed(sent[:split], sent[split:] + "q"), sent) == [*expected, "q"]


def test_an_unfinished_sequence_is_waited_for_as_long_as_its_kind_takes() -> None:
    waits = {}
    for text in (
        "",
        "a",
        "\x1b",
        "\x1b[",
        "\x1b[1;",
        "\x1bO",
        "\x1b]11;",
        "\x1b[200~",
        "\x1b[200~q",
    ):
        tokenizer = Tokenizer(escape_wait=0.025)
        tokenizer.feed(text)
        waits[text] = tokenizer.rest_timeout_seconds

    assert waits == {
        "": None,
        "a": None,
        "\x1b": 0.025,
        "\x1b[": 0.15,
        "\x1b[1;": 0.15,
        "\x1bO": 0.15,
        "\x1b]11;": 0.15,
        "\x1b[200~": None,
        "\x1b[200~q": 1.0,
    }


@for_each(
    ("sent", "tokens"),
    [
        ("\x1b\x1b", ["\x1b", "\x1b"]),
        ("\x1b\x1b[A", ["\x1b", "\x1b[A"]),
        ("\x1b[\x1b", ["\x1b[", "\x1b"]),
        ("\x1b[1;\x1b[A", ["\x1b[1;", "\x1b[A"]),
        ("\x1bO\x1b", ["\x1bO", "\x1b"]),
        ("\x1b[M \x1b", ["\x1b[M ", "\x1b"]),
        ("\x1b]11;\x1b", ["\x1b]11;", "\x1b"]),
        ("\x1b]11;\x1bq", ["\x1b]11;", "\x1bq"]),
        ("\x1b]11;\x1b\x1b", ["\x1b]11;", "\x1b", "\x1b"]),
        ("\x1b[1\x03q", ["\x1b[1", "\x03", "q"]),
        ("\x1b]x\ry", ["\x1b]x", "\r", "y"]),
    ],
)
def test_what_cannot_belong_to_a_sequence_ends_it(sent: str, tokens: Tokens) -> None:
    assert fed(sent) == tokens
    assert fed(*sent) == tokens


def joined(tokens: Tokens) -> str:
    return "".join(token for token in tokens if isinstance(token, str))


# Text that is full of what begins, ends and breaks sequences.
hostile = st.lists(
    st.sampled_from([*SENT, "\x1b[", "\x1bO", "\x1bP", "\x1b]", "\x1b[M", "\x07", "\x9c", "\x18"])
    | st.text(max_size=3)
).map("".join)
parts_of_text = st.lists(hostile, max_size=6)


@given(parts_of_text)
def test_nothing_is_lost_or_changed(parts: list[str]) -> None:
    sent = "".join(parts).replace("\x1b[200~", "")
    if "\x1b[200~" in sent:  # put together by the removal
        return

    assert joined(fed(*[part.replace("\x1b[200~", "") for part in parts])) == sent


@given(parts_of_text)
def test_an_escape_always_begins_a_token_or_ends_a_string(parts: list[str]) -> None:
    text = "".join(parts)
    if "\x1b[200~" in text:
        return

    for token in fed(*parts):
        assert isinstance(token, str)
        inner = token[1:].removesuffix("\x1b\\") if token[1:2] in set("]P_^X") else token[1:]
        assert "\x1b" not in inner


@given(hostile, st.lists(st.integers(0, 200), max_size=5).map(sorted))
def test_the_tokens_do_not_depend_on_how_the_text_is_split(text: str, cuts: list[int]) -> None:
    parts = [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]

    whole, split = Tokenizer(), Tokenizer()

    assert [token for part in parts for token in split.feed(part)] == whole.feed(text)
    assert split.rest_timeout_seconds == whole.rest_timeout_seconds
    assert split.flush() == whole.flush()


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_no_bytes_make_it_fail(parts: list[bytes]) -> None:
    kind = KINDS["xterm-256color"]

    for token in fed(*[part.decode("utf-8", "replace") for part in parts], flushes=3):
        assert isinstance(token, Paste) or isinstance(kind.key(token), Key | None)


@given(hostile)
def test_no_sequence_makes_the_naming_fail_or_keep_something_for_later(text: str) -> None:
    kind = KINDS["xterm-256color"]

    for token in fed(text):
        if isinstance(token, str):
            kind.key(token)
            assert kind._name_key("\x1b[A") == "KEY_UP"  # not the one that is kept from before


def test_a_paste_that_halts_is_given_and_its_rest_is_never_typed() -> None:
    tokenizer = Tokenizer()

    assert tokenizer.feed("\x1b[200~one q") == []
    assert tokenizer.flush() == [Paste("one q")]
    assert tokenizer.rest_timeout_seconds is None
    assert tokenizer.feed("two q\x1b[20") == []
    assert tokenizer.feed("1~q") == [Paste("two q"), "q"]


def test_an_escape_alone_ends_a_paste_whose_end_never_came() -> None:
    tokenizer = Tokenizer()
    tokenizer.feed("\x1b[200~text")
    tokenizer.flush()

    assert tokenizer.feed("\x1b") == []
    assert tokenizer.flush() == ["\x1b"]
    assert tokenizer.feed("q") == ["q"]


def test_a_paste_keeps_a_million_characters() -> None:
    tokenizer = Tokenizer()
    tokens = tokenizer.feed("\x1b[200~")

    for _ in range(300):
        tokens += tokenizer.feed("x" * 4096)
    tokens += tokenizer.feed("\x1b[201~q")

    assert tokens == [Paste("x" * MAX_PASTE_CHARACTERS), "q"]


def test_a_new_paste_has_its_own_room() -> None:
    tokenizer = Tokenizer()
    tokenizer.feed("\x1b[200~" + "x" * MAX_PASTE_CHARACTERS + "\x1b[201~")

    assert tokenizer.feed("\x1b[200~y\x1b[201~") == [Paste("y")]


@for_each(
    ("token", "event"),
    [
        ("\x1b[<0;1;1M", Mouse(MouseAction.LEFT_PRESS, 0, 0)),
        ("\x1b[<4;10;3M", Mouse(MouseAction.LEFT_PRESS, 9, 2)),
        ("\x1b[<64;80;24M", Mouse(MouseAction.WHEEL_UP, 79, 23)),
        ("\x1b[<65;80;24M", Mouse(MouseAction.WHEEL_DOWN, 79, 23)),
        ("\x1b[<0;1;1m", None),
        ("\x1b[<2;1;1M", None),
        ("\x1b[I", FocusGained()),
        ("\x1b[O", None),
    ],
)
def test_a_report_becomes_an_event_or_nothing(
    token: str, event: Mouse | FocusGained | None
) -> None:
    assert read_report(token) == event
    assert KINDS["xterm-256color"].key(token) is None
    assert Tokenizer().feed(f"a{token}b") == ["a", token, "b"]


@pytest.mark.parametrize("token", ["\x1b[A", "\x1b", "q", "\x1bOI", "\x1b[<0;1M"])
def test_a_key_is_no_report(token: str) -> None:
    assert read_report(token) is None


@pytest.mark.parametrize("name", ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"])
def test_colour_variables_change_no_movement(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = TerminalKind("xterm-256color")
    monkeypatch.setenv(name, "1")

    kind = TerminalKind("xterm-256color")

    assert (kind.enter, kind.leave) == (plain.enter, plain.leave)
    assert os.environ[name] == "1"


@pytest.mark.parametrize("name", ["xterm-256color", "tmux-256color", "linux", "vt100", "nonsense"])
def test_every_kind_of_terminal_is_entered_and_left(name: str) -> None:
    kind = TerminalKind(name)

    for mode in ("?1049h", "?25l", "?7l", "?2004h"):
        assert f"\x1b[{mode}" in kind.enter
    for mode in ("?1049l", "?25h", "?7h", "?2004l", "?2026l"):
        assert f"\x1b[{mode}" in kind.leave


def test_colours_are_counted() -> None:
    assert TerminalKind("vt100").colors < 8 <= TerminalKind("linux").colors


def test_a_character_types_itself_and_a_key_types_nothing() -> None:
    kind = TerminalKind("xterm-256color")

    assert kind.key("é") == Key("é", "é")
    assert kind.key("\x1b") == Key("KEY_ESCAPE", "")
    assert kind.key("\ufffd") is None
    assert kind.key("\x85") is None
