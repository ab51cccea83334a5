"""TURN credentials: for one call, for a few minutes, checked by coturn with the same secret."""

import base64
import hashlib
import hmac

from records.model import CallId
from signaling.ice import MAX_TTL_S, Turn, ice_servers

CALL = CallId("c1")


def test_without_turn_there_are_no_servers() -> None:
    assert ice_servers(Turn(), CALL, 0.0) == ()


def test_the_name_is_when_it_ends_and_the_password_its_mac() -> None:
    (server,) = ice_servers(Turn(("turns:turn.example.org:443",), "secret", 300), CALL, 1000.5)
    assert server.urls == ("turns:turn.example.org:443",)
    assert server.username == "1300:c1"
    mac = hmac.new(b"secret", b"1300:c1", hashlib.sha1).digest()
    assert server.credential == base64.b64encode(mac).decode()


def test_nobody_gets_one_for_longer_than_the_longest() -> None:
    (server,) = ice_servers(Turn(("turn:x",), "secret", 86_400), CALL, 0.0)
    assert server.username == f"{MAX_TTL_S}:c1"
