import asyncio
import time

import pytest

from media.leg import SILENCE_S, Leg
from media.protocol import Source
from media.rtp import build_rtp
from media.sdp import OPUS, RTX, VP8, BadAnswer
from media.transport import Certificate, Network
from tests.eventually import eventually
from tests.media.streams import DELTA, KEY, Seen
from tests.media.test_sdp import answer

CERTIFICATE = Certificate()


def leg() -> tuple[Leg, dict[Source, Seen]]:
    made = Leg(Network(("127.0.0.1",)), CERTIFICATE, lambda: None)
    seen = {source: Seen() for source in Source}
    for source, track in made.tracks.items():
        track.sinks.append(seen[source])
    return made, seen


def with_mid(packet: bytes, mid: str) -> bytes:
    extension = bytes([0x10 | (len(mid) - 1)]) + mid.encode()
    extension += bytes(-len(extension) % 4)
    head = b"\xbe\xde" + (len(extension) // 4).to_bytes(2, "big")
    return bytes([packet[0] | 0x10]) + packet[1:12] + head + extension + packet[12:]


async def answered() -> tuple[Leg, dict[Source, Seen]]:
    """A leg that took an answer with the SSRCs of test_sdp; nobody ever connects to it."""
    made, seen = leg()
    await made.open()
    accepting = asyncio.create_task(made.accept(answer()))
    await eventually(lambda: made.answered)
    accepting.cancel()
    await asyncio.gather(accepting, return_exceptions=True)
    return made, seen


async def test_packets_find_their_track_by_ssrc_and_rtx_is_undone() -> None:
    made, seen = await answered()
    made._rtp(build_rtp(OPUS, False, 1, 0, 100, b"\xf8"))
    made._rtp(build_rtp(VP8, True, 7, 0, 101, KEY))
    made._rtp(build_rtp(RTX, True, 500, 3000, 201, (8).to_bytes(2, "big") + DELTA))
    made._rtp(build_rtp(RTX, True, 501, 3000, 201, b""))  # a probe
    assert [p.payload for p in seen[Source.MIC].packets] == [b"\xf8"]
    assert [(p.seq % 65536, p.payload) for p in seen[Source.CAMERA].packets] == [(7, KEY), (8, DELTA)]
    assert seen[Source.SHARE].packets == []
    await made.close()


async def test_an_unsignalled_ssrc_is_named_by_its_mid() -> None:
    made, seen = await answered()
    made._rtp(with_mid(build_rtp(VP8, True, 7, 0, 999, KEY), "share"))
    made._rtp(build_rtp(VP8, True, 8, 0, 999, DELTA))
    made._rtp(with_mid(build_rtp(RTX, True, 1, 0, 998, (9).to_bytes(2, "big") + DELTA), "share"))
    assert [p.seq % 65536 for p in seen[Source.SHARE].packets] == [7, 8, 9]
    await made.close()


async def test_what_belongs_nowhere_is_counted_and_dropped() -> None:
    made, seen = await answered()
    for packet in (
        b"",
        build_rtp(VP8, True, 7, 0, 12345, KEY),  # unknown SSRC, no MID
        with_mid(build_rtp(VP8, True, 7, 0, 999, KEY), "video2"),  # not theirs to send
        build_rtp(VP8, True, 7, 0, 100, KEY),  # picture on the microphone's SSRC
    ):
        made._rtp(packet)
    made._rtcp(b"\x80\xc8")
    assert made.malformed == 5
    assert not any(s.packets for s in seen.values())
    await made.close()


async def test_a_wrong_answer_leaves_it_waiting_for_a_right_one() -> None:
    made, _ = leg()
    await made.open()
    with pytest.raises(BadAnswer):
        await made.accept("v=0")
    assert not made.answered
    await made.close()


async def test_silence_is_noticed_after_connect_only() -> None:
    made, _ = leg()
    now = time.monotonic()
    assert not made.silent(now + 100)
    made.transport.connected = True
    assert not made.silent(now)
    assert made.silent(now + SILENCE_S + 1)
    await made.close()
