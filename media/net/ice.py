"""The node's half of ICE: a lite agent, always controlled (RFC 8445, 2.5 and 7.3).

It sends no checks of its own. It answers those that verify, learns addresses from nothing else, and uses
the address that the browser nominated last, so that a browser may change its mind (aggressive nomination,
Wi-Fi to cable) without asking.
"""

import secrets
from typing import NamedTuple, Self

from media.net import stun
from media.net.batch import Address
from media.net.stun import Attribute, Kind

MAX_PATHS = 16  # addresses remembered of one peer


class Path(NamedTuple):
    """A way to the peer: which of our wires, and its address there."""

    wire: int
    address: Address


class Credentials(NamedTuple):
    """RFC 8839, 5.4: at least 24 and 128 bits of randomness, letters that need no quoting."""

    ufrag: str
    password: str

    @classmethod
    def fresh(cls) -> Self:
        return cls(secrets.token_hex(6), secrets.token_hex(16))


class Outcome(NamedTuple):
    """What an authentic check leads to."""

    response: bytes
    learnt: bool = False  # the path it came over is one of the peer's
    forgotten: Path | None = None  # no longer one: there were too many
    retired: str | None = None  # a ufrag that is no longer good


class Agent:
    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.retiring: Credentials | None = None  # from before a restart: good until the new ones are used
        self.path: Path | None = None  # to send over: nominated last, or the first known
        self.paths: dict[Path, None] = {}  # oldest first

    def restart(self, credentials: Credentials) -> str | None:
        """RFC 8445, 9: new credentials; paths stay in use until the browser nominates another. The ufrag that
        is no longer good, if any."""
        retired = self.retiring
        if retired is None:
            self.retiring = self.credentials
        else:
            # Restarted twice without a check in between: the middle ones were never used.
            retired = self.credentials
        self.credentials = credentials
        return retired.ufrag if retired is not None else None

    def check(self, request: stun.Message, ufrag: str, path: Path) -> Outcome | None:
        """A binding request for ``ufrag``, one of ours. None when it does not verify: nothing is changed
        then, and there is no answer, as a stranger's address may be forged.

        The other half of USERNAME is not looked at: after a restart checks may overtake the answer, and
        whoever knows the password has read the offer (RFC 8445, 7.3).
        """
        used = self.credentials if ufrag == self.credentials.ufrag else self.retiring
        if used is None or used.ufrag != ufrag or not request.is_authentic(used.password.encode()):
            return None
        refusal = _refusal(request)
        if refusal:
            password = used.password.encode()
            return Outcome(stun.build(Kind.ERROR, request.transaction, refusal, password))
        retired = self._retire(used)
        forgotten = self._learn(path)
        if self.path is None or Attribute.USE_CANDIDATE in request.attributes:
            self.path = path
        mapped = stun.xor_mapped_address(path.address, request.transaction)
        response = stun.build(Kind.SUCCESS, request.transaction, [mapped], used.password.encode())
        return Outcome(response, True, forgotten, retired)

    def _retire(self, used: Credentials) -> str | None:
        if self.retiring is None or used is self.retiring:
            return None
        retired, self.retiring = self.retiring.ufrag, None
        return retired

    def _learn(self, path: Path) -> Path | None:
        if path in self.paths:
            return None
        self.paths[path] = None
        if len(self.paths) <= MAX_PATHS:
            return None
        forgotten = next(known for known in self.paths if known != self.path)
        del self.paths[forgotten]
        return forgotten


def _refusal(request: stun.Message) -> list[tuple[Attribute, bytes]]:
    """Why an authentic request is answered with an error; empty when it is not."""
    if request.unknown:
        return [stun.error_code(420, "Unknown Attribute"), stun.unknown_attributes(request.unknown)]
    if Attribute.ICE_CONTROLLED in request.attributes:
        # A lite agent cannot become the controlling one: the other has to (RFC 8445, 7.3.1.1).
        return [stun.error_code(487, "Role Conflict")]
    if Attribute.PRIORITY not in request.attributes:
        return [stun.error_code(400, "Bad Request")]
    return []
