from __future__ import annotations

from pathlib import Path

import pytest

from ticketr.app.config import BadFile, NotPrivate
from ticketr.app.config.token_file import TOKEN_FILE, delete_token, read_token, write_token

SITE = "https://acme.atlassian.net"
OTHER = "https://other.example"


def test_a_token_is_returned_for_exactly_its_site_and_account(folder: Path) -> None:
    write_token(folder, SITE, "me@acme.com", "one")
    write_token(folder, SITE, "you@acme.com", "two")
    write_token(folder, OTHER, "", 'a"\\three')

    assert read_token(folder, SITE, "me@acme.com") == "one"
    assert read_token(folder, SITE, "you@acme.com") == "two"
    assert read_token(folder, OTHER, "") == 'a"\\three'
    assert read_token(folder, OTHER, "me@acme.com") is None
    assert read_token(folder, f"{SITE}/x", "me@acme.com") is None
    assert (folder / TOKEN_FILE).stat().st_mode & 0o777 == 0o600


def test_a_new_token_replaces_the_old_one(folder: Path) -> None:
    write_token(folder, SITE, "me@acme.com", "one")
    write_token(folder, SITE, "me@acme.com", "two")

    assert read_token(folder, SITE, "me@acme.com") == "two"
    assert "one" not in (folder / TOKEN_FILE).read_text()


def test_a_forgotten_token_is_nowhere_in_the_folder(folder: Path) -> None:
    write_token(folder, SITE, "me@acme.com", "canary")
    write_token(folder, OTHER, "me@acme.com", "kept")

    assert delete_token(folder, SITE, "me@acme.com")
    assert not delete_token(folder, SITE, "me@acme.com")

    assert read_token(folder, OTHER, "me@acme.com") == "kept"
    assert all("canary" not in path.read_text() for path in folder.iterdir())


def test_where_nothing_is_stored_nothing_is_made(folder: Path) -> None:
    assert read_token(folder, SITE, "me@acme.com") is None
    assert not delete_token(folder, SITE, "me@acme.com")
    assert not folder.exists()


def test_a_file_that_others_can_read_is_refused(folder: Path) -> None:
    write_token(folder, SITE, "me@acme.com", "canary")
    (folder / TOKEN_FILE).chmod(0o644)

    with pytest.raises(NotPrivate, match="chmod 600") as caught:
        read_token(folder, SITE, "me@acme.com")
    with pytest.raises(NotPrivate):
        write_token(folder, SITE, "me@acme.com", "canary")

    assert "canary" not in repr(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f'"{SITE}" = "canary"\n',
        f'["{SITE}"]\n"me@acme.com" = ["canary"]\n',
        f'["{SITE}"]\n"me@acme.com" = canary\n',
        f'["{SITE}"]\n"me@acme.com" = "canary\n',
        '"canary" = 1\n= 1\n',
    ],
)
def test_a_broken_file_is_refused_without_its_secrets(text: str, folder: Path) -> None:
    write_token(folder, OTHER, "me@acme.com", "x")
    (folder / TOKEN_FILE).write_text(text)

    with pytest.raises(BadFile, match=r"tokens.toml:\d") as caught:
        read_token(folder, SITE, "me@acme.com")

    assert "canary" not in str(caught.value) + repr(caught.value)
