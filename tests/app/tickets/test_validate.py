from __future__ import annotations

import pytest

from ticketr.app.tickets import InvalidKey, is_key, safe_file_name


@pytest.mark.parametrize("key", ["PROJ-1", "AB2-10", "A_B-123", "AB-9000000"])
def test_a_key_names_its_file(key: str) -> None:
    assert is_key(key)
    assert safe_file_name(key) == f"{key}.md"


@pytest.mark.parametrize(
    "text",
    [
        *("", "A-1", "proj-1", "PROJ-0", "PROJ-01", "PROJ-", "PROJ", "-1", "2AB-1", "PROJ-1 "),
        *("../../x", "AB-1/../x", "AB-1\n", "AB-1\x00", "AB-\u0661", "\u00c4B-1", "CON", "AB-1.md"),
    ],
)
def test_text_that_is_no_key_becomes_no_file_name(text: str) -> None:
    assert not is_key(text)
    with pytest.raises(InvalidKey) as caught:
        safe_file_name(text)
    assert caught.value.key == text


def test_a_key_too_long_for_a_file_name_is_refused() -> None:
    longest = "A" * 198 + "-1"

    assert safe_file_name(longest) == f"{longest}.md"
    with pytest.raises(InvalidKey):
        safe_file_name(f"A{longest}")
