"""Test how addresses and a server's text are shown."""

from __future__ import annotations

import pytest

from ticketr.app.jira.errors import bare_url, clip, is_login_page


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://a.b/c?d#e", "https://a.b/c"),
        ("https://u:p@a.b:8/c", "https://a.b:8/c"),
        ("u:p@a.b?x", "a.b"),
        ("https://[bad/", "https://[bad/"),
        ("", ""),
    ],
)
def test_an_address_is_bared(url: str, bare: str) -> None:
    assert bare_url(url) == bare
    assert bare_url(bare) == bare


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  a\nb  ", "a b"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("x" * 10, "x" * 10),
        ("x" * 11, "x" * 9 + "…"),
        ("x" * 8 + " yz", "x" * 8 + "…"),
        ("", ""),
    ],
)
def test_a_text_becomes_one_clean_line(text: str, line: str) -> None:
    assert clip(text, 10) == line


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("/login.jsp", True),
        ("https://id.example.com/login", True),
        ("https://login.example.com/", True),
        ("https://sso.example.com", True),
        ("https://example.com/SAML2/redirect", True),
        ("https://example.com/sign-in", True),
        ("login", True),
        ("https://example.com/jira", False),
        ("https://author.example.com/logins", False),
        ("", False),
    ],
)
def test_a_login_page_is_recognised_by_its_address(url: str, is_one: bool) -> None:
    assert is_login_page(url) is is_one
