from __future__ import annotations

import pickle

import pytest

from ticketr._errors import TicketrError
from ticketr.app.config import (
    BadFile,
    BadSetting,
    ConfigError,
    ForeignState,
    MissingSetting,
    NotPrivate,
    NoWorkspace,
    SettingsFailed,
    SiteNotConfirmed,
    TokenFailed,
    UnknownKey,
    UnknownWorkspace,
    UnsafePath,
    WorkspaceTaken,
    errors,
)
from ticketr.app.config.errors import SecretInFile

ERRORS: list[TicketrError] = [
    ConfigError("x"),
    MissingSetting(("A", "B"), "say it"),
    BadSetting("name", "value", "wrong"),
    BadFile("f.toml", 3, "wrong"),
    UnknownKey("f.toml", 3, "siet", "site"),
    SecretInFile("f.toml", None, "token"),
    NotPrivate("f.toml", "others read it", "chmod 600 f.toml"),
    SiteNotConfirmed("https://x", "/r/ticketr.toml", None, "https://y"),
    UnsafePath("/r/.ticketr/lock", "a link", "a file"),
    ForeignState("/r", "/r/.ticketr/state.db", "cannot make /c: Read-only file system"),
    UnknownWorkspace("a", None),
    NoWorkspace("/r", "https://x"),
    WorkspaceTaken("a", "/r"),
    SettingsFailed("f.toml", "read", "no"),
    TokenFailed("keyring", "it failed", "mend it"),
]


def test_every_error_is_here() -> None:
    every = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, TicketrError)
    }

    assert {type(error) for error in ERRORS} == every - {TicketrError}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickle_with_its_facts(error: TicketrError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), vars(copy), str(copy)) == (type(error), vars(error), str(error))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_one_line(error: TicketrError) -> None:
    assert str(error)
    assert "\n" not in str(error)


def test_an_error_about_a_file_names_the_place() -> None:
    assert str(UnknownKey("f.toml", 3, "siet", "site")) == (
        "f.toml:3: unknown key 'siet', did you mean 'site'?"
    )
    assert str(BadFile("f.toml", None, "wrong")) == "f.toml: wrong"


def test_the_advice_can_be_pasted_into_a_shell() -> None:
    error = SiteNotConfirmed("https://x", "/my work/it's/ticketr.toml", None, None)

    assert str(error).endswith(
        "ticketr workspace add --folder '/my work/it'\"'\"'s' --site https://x"
    )
