"""Draw the fault of each request from a seed.

The fault depends on the seed, on the request and on how often the same request came before,
not on the order of different requests. So a client that sends several requests at once meets
the same faults in every run, and a repeated request gets a new draw.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Final, Protocol, Self

from jira_sandbox.faults.spec import read_spec

HANG_FOR: Final = 60.0
RETRY_WITHIN: Final = 2


class FaultKind(Enum):
    """A kind of fault; the values are the names in a specification.

    Attributes:
        TOO_MANY: The request is rate limited.
        INTERNAL: The site answers with an internal error.
        BAD_GATEWAY: A gateway answers with an error page.
        UNAVAILABLE: The site is out of service for a while.
        HTML: The response has status 200 and an HTML page instead of JSON.
        DROP: The connection is reset before the request is carried out.
        LOST: The request is carried out; the connection is reset instead of a response.
        RESET: The connection is reset in the middle of the response's body.
        CUT: The JSON is cut off, and the content length matches the part that is sent.
        HANG: No response comes until the client disconnects or `FaultSource.hang_for` is over.
        REFUSED: A write is carried out, but its response has a status from 302 to 429.
    """

    TOO_MANY = "429"
    INTERNAL = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    HTML = "html"
    DROP = "drop"
    LOST = "lost"
    RESET = "reset"
    CUT = "cut"
    HANG = "hang"
    REFUSED = "refused"


_NEVER_CARRIED_OUT: Final = frozenset((FaultKind.TOO_MANY, FaultKind.DROP))
_READ_ONLY_POSTS: Final = ("/bulkfetch", "/search", "/search/jql", "/approximate-count", "/list")
_ALWAYS_CARRIED_OUT: Final = frozenset(
    (FaultKind.LOST, FaultKind.RESET, FaultKind.CUT, FaultKind.REFUSED)
)


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault of one request.

    Attributes:
        kind: The kind of fault.
        after: Whether the request is carried out first, where the kind leaves a choice.
        turn: Selects one of the kind's responses, modulo their number.
    """

    kind: FaultKind
    after: bool = False
    turn: int = 0

    @property
    def carried_out(self) -> bool:
        """Whether the request is carried out in spite of the fault."""
        return self.kind in _ALWAYS_CARRIED_OUT or (
            self.after and self.kind not in _NEVER_CARRIED_OUT
        )

    def applies_to(self, method: str, path: str) -> bool:
        """Return whether the fault applies to such a request."""
        return self.kind is not FaultKind.REFUSED or is_write(method, path)


class FaultSource(Protocol):
    """Draws the fault of each request.

    Attributes:
        hang_for: The longest hang, in seconds.
        retry_within: The longest ``Retry-After``, in seconds.
    """

    hang_for: float
    retry_within: int

    def draw(self, method: str, path: str, body: bytes) -> Fault | None:
        """Decide about one request; None lets it through unharmed."""
        ...


class Faults:
    """Random faults, reproducible by their seed.

    Args:
        rates: The share of requests that each kind hits; 0 for kinds that are left out.
        seed: The seed of the random numbers.
        hang_for: The longest hang, in seconds.
        retry_within: The longest ``Retry-After``, in seconds.
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
            BadFaults: The specification is invalid.
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
        # Python seeds from the string's SHA-512, which is the same in every process.
        rng = random.Random(f"{self.seed}/{request.hex()}/{self._asked[request]}")
        chance = rng.random()
        for kind, rate in self.rates.items():
            if chance < rate:
                fault = Fault(kind, rng.random() < 0.5, rng.randrange(1 << 16))
                return fault if fault.applies_to(method, path) else None
            chance -= rate
        return None


def is_write(method: str, path: str) -> bool:
    """Return whether a request may change the site; the path may include a query."""
    return method != "GET" and not path.partition("?")[0].endswith(_READ_ONLY_POSTS)
