"""What a participant may send who has a connection, and so keys: all of it authentic, none of it right.

Each is a generator without end that sends a few datagrams at a time: whoever drives it can take turns.
"""

import time
from collections.abc import Callable, Iterator
from random import Random
from struct import pack

from aioice.stun import Class, Message, Method

from media import codecs
from media.net.batch import SLOT_BYTES
from tests.media import caller_rtcp as rtcp
from tests.media.caller import RTX, Caller
from tests.media.caller_dtls import Dtls, Identity

MID, LONGEST = 1, 1356  # extension id; bytes that libsrtp protects
TYPES = sorted({codec.payload_type for codec in (*codecs.AUDIO, *codecs.VIDEO)} | {RTX, 127})

Misdeed = Callable[[Caller, Random], Iterator[None]]


def garbage_in_packets(caller: Caller, random: Random) -> Iterator[None]:
    """Every payload type, on SSRCs that were signalled; headers whose counts and paddings lie."""
    ssrcs = [one for track in caller.outgoing.values() for one in (track.ssrc, track.rtx_ssrc) if one]
    while True:
        first = 0x80 | random.choice((0, 0, 0, 0x20, 0x10, random.randrange(64)))
        kind = random.choice(TYPES) | random.choice((0, 0x80))
        head = pack(
            "!BBHLL", first, kind, random.getrandbits(16), random.getrandbits(32), random.choice(ssrcs)
        )
        caller.send_rtp(head + random.randbytes(random.choice((0, 1, 2, 5, 40, 1200))))
        yield


def clocks_that_jump(caller: Caller, random: Random) -> Iterator[None]:
    """Real media under numbers and times from anywhere: nobody is to fill hours of silence for it."""
    while True:
        track = random.choice(list(caller.outgoing.values()))
        (payload, *_), kind = random.choice(track.clip.frames), track.clip.payload_type
        seq = random.choice((random.getrandbits(16), track.seq & 0xFFFF))
        head = pack("!BBHLL", 0x80, kind | 0x80, seq, random.getrandbits(32), track.ssrc)
        caller.send_rtp(head + payload)
        caller.send_rtcp(
            rtcp.sender_report(track.ssrc, random.randrange(1 << 30), random.getrandbits(32), 1, 1, [])
        )
        yield


def thousands_of_ssrcs(caller: Caller, random: Random) -> Iterator[None]:
    """Half of them say by their MID that they are the camera, or something that there is not."""
    while True:
        mid = random.choice((b"", b"camera", b"mic", b"share", b"video2", b"\xff\x00", b"x" * 16))
        ssrc, seq = random.getrandbits(32), random.getrandbits(16)
        if mid:
            words = bytes([MID << 4 | len(mid) - 1]) + mid
            words += bytes(-len(words) % 4)
            extension = pack("!HH", 0xBEDE, len(words) // 4) + words
            head = pack("!BBHLL", 0x90, 96, seq, 0, ssrc) + extension
        else:
            head = pack("!BBHLL", 0x80, 111, seq, 0, ssrc)
        caller.send_rtp(head + random.randbytes(80))
        caller.send_rtcp(rtcp.receiver_report(ssrc, []))
        yield


def floods_of_nacks(caller: Caller, random: Random) -> Iterator[None]:
    """For all that it is shown, and for what it is not."""
    while True:
        media = random.choice([*caller.incoming, random.getrandbits(32)])
        shown = caller.incoming.get(media)
        first = shown.next if shown is not None and shown.next > 0 else random.getrandbits(16)
        lost = b"".join(pack("!HH", first - 17 * n & 0xFFFF, 0xFFFF) for n in range(200))
        body = pack("!LL", 1, media) + lost
        caller.send_rtcp(pack("!BBH", 0x81, rtcp.RTPFB, len(body) // 4) + body)
        yield


def floods_of_plis(caller: Caller, random: Random) -> Iterator[None]:
    while True:
        media = random.choice([*caller.incoming, random.getrandbits(32)])
        caller.send_rtcp(rtcp.pli(1, media))
        fir = pack("!LLLL", 1, 0, media, random.getrandbits(32))
        caller.send_rtcp(pack("!BBH", 0x84, rtcp.PSFB, 4) + fir)
        yield


def reports_that_lie(caller: Caller, random: Random) -> Iterator[None]:
    """Lengths, counts, padding; feedback of 65,535 packets in three chunks."""
    own = next(iter(caller.outgoing))
    while True:
        kind, count, words = random.randrange(192, 224), random.randrange(64), random.choice((0, 1, 7, 65535))
        body = random.randbytes(random.choice((0, 4, 8, 40, 400)))
        caller.send_rtcp(pack("!BBHL", 0x80 | count, kind, words, own) + body)
        chunks = b"".join(
            pack("!H", random.choice((0x1FFF, 0x3FFF, 0x5FFF, random.getrandbits(16)))) for _ in range(9)
        )
        body = pack("!LLHH", own, own, random.getrandbits(16), 65535) + random.randbytes(4) + chunks + b"\0\0"
        caller.send_rtcp(pack("!BBH", 0x80 | rtcp.TRANSPORT_CC, rtcp.RTPFB, len(body) // 4) + body)
        body = pack("!LL4sBBH", own, 0, b"REMB", 255, 255, 0xFFFF) + random.randbytes(8)
        caller.send_rtcp(pack("!BBH", 0x80 | rtcp.AFB, rtcp.PSFB, len(body) // 4) + body)
        lying = rtcp.Block(
            next(iter(caller.incoming), 1), 0x7FFFFF, random.getrandbits(32), random.getrandbits(32), 9.0
        )
        caller.send_rtcp(rtcp.receiver_report(own, [lying]))
        caller.send_rtcp(pack("!BBHL", 0x81, 203, 1, own))  # BYE
        yield


def floods_of_media(caller: Caller, random: Random) -> Iterator[None]:
    """More than any path carries."""
    while True:
        track = next(iter(caller.outgoing.values()))
        caller.send_frame(track, time.time())
        yield


def floods_of_checks(caller: Caller, random: Random) -> Iterator[None]:
    """Authentic ones."""
    while True:
        request = Message(Method.BINDING, Class.REQUEST)
        request.attributes["USERNAME"] = f"{caller.ice.remote_ufrag}:{caller.ice.ufrag}"
        request.attributes["PRIORITY"] = random.getrandbits(31)
        request.attributes["ICE-CONTROLLING"] = 1
        request.add_message_integrity(caller.ice.remote_password.encode())
        for _ in range(10):
            caller.send_raw(bytes(request))
            yield


def handshakes_anew(caller: Caller, random: Random) -> Iterator[None]:
    """From its own address, in the clear: anybody who can forge an address might have sent it."""
    hello = Dtls(Identity(), False, "").start()
    while True:
        for datagram in hello:
            caller.send_raw(datagram)
        level, reason = random.choice(((1, 0), (2, 0), (2, 40), (2, 10), (1, 100)))
        caller.send_raw(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02" + bytes([level, reason]))
        caller.send_raw(b"\x15\xfe\xfd\x00\x01" + random.randbytes(6) + b"\x00\x20" + random.randbytes(32))
        caller.send_raw(bytes([random.randrange(20, 64)]) + random.randbytes(60))
        caller.send_raw(b"")
        caller.send_raw(bytes(SLOT_BYTES))
        yield


MISDEEDS: tuple[Misdeed, ...] = (
    garbage_in_packets,
    clocks_that_jump,
    thousands_of_ssrcs,
    floods_of_nacks,
    floods_of_plis,
    reports_that_lie,
    floods_of_media,
    floods_of_checks,
    handshakes_anew,
)
