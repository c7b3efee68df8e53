from __future__ import annotations

import pytest

from ticketr.cluster import ClusterMisconfigured
from ticketr.cluster._secret import VARIABLE, Secret, read_secret

LONG = "0123456789abcdef"


def test_the_argument_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "x" * 16)

    assert read_secret(LONG) == Secret(LONG)
    assert read_secret() == Secret("x" * 16)


@pytest.mark.parametrize("given", [None, ""])
def test_a_secret_is_required(given: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    with pytest.raises(ClusterMisconfigured) as caught:
        read_secret(given)

    assert str(caught.value) == (
        "no secret: make one by: python -c 'import secrets; print(secrets.token_urlsafe(32))', and"
        " give the same to every process, as secret= or in TICKETR_CLUSTER_SECRET"
    )


def test_a_short_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(ClusterMisconfigured) as caught:
        read_secret(LONG[:-1])

    assert "fewer than 16 characters" in str(caught.value)
    assert LONG[:-1] not in str(caught.value)


def test_a_secret_of_the_environment_that_is_no_text_is_refused() -> None:
    with pytest.raises(ClusterMisconfigured, match="the secret: it is no text in UTF-8"):
        read_secret(f"{LONG}\udcff")


def test_no_repr_holds_the_secret() -> None:
    assert LONG not in repr(Secret(LONG))


def test_each_queue_and_each_secret_has_a_fingerprint_of_its_own() -> None:
    prints = {Secret(LONG * n).fingerprint(name) for n in (1, 2) for name in ("a", "b")}

    assert len(prints) == 4
    assert all(len(each) == 64 for each in prints)
    assert Secret(LONG).fingerprint("a") == Secret(LONG).fingerprint("a")
