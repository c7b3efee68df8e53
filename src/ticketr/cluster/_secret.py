"""The secret that all processes of one queue share: it signs jobs, so that a worker runs no others."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from coredis.tokens import PureToken

from ticketr.cluster._errors import ClusterMisconfigured

if TYPE_CHECKING:
    import coredis

VARIABLE: Final = "TICKETR_CLUSTER_SECRET"
_LEAST_CHARACTERS: Final = 16
_HOW_TO_MAKE_ONE: Final = (
    "make one by: python -c 'import secrets; print(secrets.token_urlsafe(32))', and give the same"
    f" to every process, as secret= or in {VARIABLE}"
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A checked secret.

    It is in no repr and in no error.

    Attributes:
        value: The text.
    """

    value: str = field(repr=False)

    def fingerprint(self, name: str) -> str:
        """Return what the server may know of the secret, for a queue of this name."""
        text = f"ticketr.cluster fingerprint of {name}"
        return hmac.new(self.value.encode(), text.encode(), hashlib.sha256).hexdigest()


def read_secret(given: str | None = None) -> Secret:
    """Return the secret from the argument, else from ``TICKETR_CLUSTER_SECRET``.

    Raises:
        ClusterMisconfigured: There is none, it is shorter than 16 characters, or it is no UTF-8.
    """
    value = os.environ.get(VARIABLE, "") if given is None else given
    if not value:
        raise ClusterMisconfigured("no secret", _HOW_TO_MAKE_ONE)
    if len(value) < _LEAST_CHARACTERS:
        raise ClusterMisconfigured(
            "the secret is too short",
            f"it has fewer than {_LEAST_CHARACTERS} characters; {_HOW_TO_MAKE_ONE}",
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ClusterMisconfigured("the secret", "it is no text in UTF-8") from None
    return Secret(value)


def fingerprint_key(name: str) -> str:
    """Return the key of the server that holds the fingerprint of a queue's secret."""
    return f"ticketr:{name}:secret"


async def compare_fingerprint(
    client: coredis.Redis[bytes], server: str, name: str, secret: Secret
) -> None:
    """Leave the secret's fingerprint in the server, or compare it with what is there.

    Args:
        client: A client of the server.
        server: The server's address, for the error.
        name: The queue's name.
        secret: The secret.

    Raises:
        ClusterMisconfigured: The queue was opened with another secret before.
    """
    own = secret.fingerprint(name)
    key = fingerprint_key(name)
    kept = await client.get(key)
    if kept is None:
        await client.set(key, own, condition=PureToken.NX)
        kept = await client.get(key)
    if kept is None or not hmac.compare_digest(kept.decode(errors="replace"), own):
        raise ClusterMisconfigured(
            server,
            f"queue {name!r} is used there with another secret. Give all of its processes the same"
            f" one; to change it, drain the queue, stop them and delete the key {key}",
        )
