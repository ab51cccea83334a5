"""TURN credentials for one call: time-limited, by the shared secret of coturn's ``use-auth-secret``.

The user name is the expiry in Unix seconds, the password its HMAC-SHA1 in base64
(draft-uberti-behave-turn-rest-00).
"""

import base64
import hashlib
import hmac

from msgspec import Struct

from records.model import CallId
from signaling.messages import IceServer

MAX_TTL_S = 600


class Turn(Struct, frozen=True):
    """``urls`` like ``turns:turn.example.gov.cn:443?transport=tcp``; no urls: no TURN."""

    urls: tuple[str, ...] = ()
    secret: str = ""
    ttl_s: int = MAX_TTL_S


def ice_servers(turn: Turn, call: CallId, now: float) -> tuple[IceServer, ...]:
    if not turn.urls:
        return ()
    username = f"{int(now) + min(turn.ttl_s, MAX_TTL_S)}:{call}"
    mac = hmac.new(turn.secret.encode(), username.encode(), hashlib.sha1).digest()
    return (IceServer(turn.urls, username, base64.b64encode(mac).decode()),)
