from __future__ import annotations

from hypothesis import given, strategies as st
from rows import for_each

from ticketr.app.sync import size_text
from ticketr.app.sync.compare.attachments import MAX_KEPT_NAME_BYTES, possible_names, safe_name


@for_each(
    ("name", "safe"),
    [
        ("shot 1.png", "shot 1.png"),
        ("../../x", "_._.._x"),
        ("/etc/passwd", "_etc_passwd"),
        (".bashrc", "_bashrc"),
        ("a.MD", "a.MD.txt"),
        (f"{'a' * 197}.md.pdf-of-the-minutes", f"{'a' * 197}.md.txt"),
        (f"{'a' * 197}.md. and more", f"{'a' * 197}.md.txt"),
        ("", "attachment"),
        ("..", "_"),
        ("a. ", "a"),
        ("a\nb", "a b"),
        ("C:\\x", "C__x"),
        ("Ärger.tar.gz", "Ärger.tar.gz"),
    ],
)
def test_a_name_is_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=400))
def test_any_name_is_one_of_a_file_in_its_folder(name: str) -> None:
    for each in possible_names(name, "../7"):
        assert each
        assert not set(each) & set("/\\\0")
        assert not each.startswith(".")
        assert not each.casefold().endswith(".md")
        assert len(each.encode()) <= MAX_KEPT_NAME_BYTES + 30


def test_another_name_keeps_the_suffix() -> None:
    assert list(possible_names("a.tar.gz", "7")) == ["a.tar.gz", "a (7).tar.gz"]


@for_each(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (12_345, "12 kB"),
        (999_600, "1.0 MB"),
        (10_485_760, "10 MB"),
        (3_400_000_000_000_000, "3400 TB"),
    ],
)
def test_a_size_is_in_words(size: int, words: str) -> None:
    assert size_text(size) == words
