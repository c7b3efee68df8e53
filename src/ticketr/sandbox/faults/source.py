"""Which requests go wrong, and how: drawn from a seed, never from the order of arrival.

The fate of a request hangs on the seed, on what it asks and on how often the same was asked
before. So a client that sends several at once meets the same faults in every run, and one
that repeats a request draws again.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Protocol, Self

from ticketr.sandbox.faults.spec import read_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

HANG_FOR: Final = 60.0
RETRY_WITHIN: Final = 2


class FaultKind(Enum):
    """What can go wrong; the values are the names in a specification."""

    TOO_MANY = "429"
    """Rate limited."""
    INTERNAL = "500"
    """An error of the site's own."""
    BAD_GATEWAY = "502"
    """A gateway's page."""
    UNAVAILABLE = "503"
    """Out of service for a while."""
    HTML = "html"
    """Status 200, and a page instead of JSON."""
    DROP = "drop"
    """The connection is reset before the request is carried out."""
    LOST = "lost"
    """The request is carried out, and the connection reset instead of an answer."""
    RESET = "reset"
    """The connection is reset in the middle of the answer's body."""
    CUT = "cut"
    """The JSON ends too early, and its length is said to be just that."""
    HANG = "hang"
    """Silence, until the client leaves or the bound on hanging is over."""
    REFUSED = "refused"
    """A write is carried out, and the answer is a status from 302 to 429 as if it were not."""


_NEVER_CARRIED_OUT: Final = frozenset((FaultKind.TOO_MANY, FaultKind.DROP))
_READ_ONLY_POSTS: Final = ("/issue/bulkfetch", "/search", "/approximate-count")
_ALWAYS_CARRIED_OUT: Final = frozenset(
    (FaultKind.LOST, FaultKind.RESET, FaultKind.CUT, FaultKind.REFUSED)
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What it is.
        after: Whether it comes after the request was carried out, where its kind leaves a choice.
        turn: Which of the shapes that the kind has; they go round.
    """

    kind: FaultKind
    after: bool = False
    turn: int = 0

    @property
    def carried_out(self) -> bool:
        """Whether the request is carried out all the same."""
        return self.kind in _ALWAYS_CARRIED_OUT or (
            self.after and self.kind not in _NEVER_CARRIED_OUT
        )

    def hits(self, method: str, path: str) -> bool:
        """Tell whether a request of that kind can meet it."""
        return self.kind is not FaultKind.REFUSED or is_write(method, path)


class FaultSource(Protocol):
    """Says of each request what goes wrong with it.

    Attributes:
        hang_for: How many seconds a hang lasts at most.
        retry_within: The most seconds that a ``Retry-After`` asks for.
    """

    hang_for: float
    retry_within: int

    def draw(self, method: str, path: str, body: bytes) -> Fault | None:
        """Decide about one request; None lets it through unharmed."""
        ...


class Faults:
    """Faults at random, the same for the same seed.

    Args:
        rates: How often each kind happens, as a share of all requests; what is left out never.
        seed: Which of the many possible fates.
        hang_for: How many seconds a hang lasts at most.
        retry_within: The most seconds that a ``Retry-After`` asks for.
    """

    def __init__(
        self,
        rates: Mapping[FaultKind, float],
        *,
        seed: int = 1,
        hang_for: float = HANG_FOR,
        retry_within: int = RETRY_WITHIN,
    ) -> None:
        self.rates = dict(rates)
        self.seed = seed
        self.hang_for = hang_for
        self.retry_within = retry_within
        self._asked: Counter[bytes] = Counter()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a specification such as ``429=0.05,lost=0.02,seed=7``, or ``all``.

        Raises:
            BadFaults: It is not understood.
        """
        names = tuple(kind.value for kind in FaultKind)
        spec = read_spec(text, names, apart=(FaultKind.REFUSED.value,))
        return cls(
            {FaultKind(name): rate for name, rate in spec.rates.items()},
            seed=int(spec.settings.get("seed", 1)),
            hang_for=spec.settings.get("hang-for", HANG_FOR),
            retry_within=int(spec.settings.get("wait", RETRY_WITHIN)),
        )

    def draw(self, method: str, path: str, body: bytes) -> Fault | None:
        """Decide about one request; None lets it through unharmed."""
        head = f"{len(method)} {len(path)} {method} {path} ".encode()
        request = blake2b(head + body, digest_size=16).digest()
        self._asked[request] += 1
        # A string is seeded by its digest, which is the same in every process.
        rng = random.Random(f"{self.seed}/{request.hex()}/{self._asked[request]}")
        chance = rng.random()
        for kind, rate in self.rates.items():
            if chance < rate:
                fault = Fault(kind, rng.random() < 0.5, rng.randrange(1 << 16))
                return fault if fault.hits(method, path) else None
            chance -= rate
        return None


def is_write(method: str, path: str) -> bool:
    """Tell whether a request may change an issue; a query may stand behind the path."""
    bare = path.partition("?")[0]
    return method != "GET" and "/issue" in bare and not bare.endswith(_READ_ONLY_POSTS)
