"""The node's one offer and what an answer to it must look like (RFC 8866, 8829, 8843). Pure.

Everything is fixed: seven m-lines, their MIDs, payload types and header extension ids. An answer may
choose its own transport parameters and SSRCs, nothing else.
"""

import re
from dataclasses import dataclass

from media import codecs
from media.codecs import Codec
from media.protocol import Mid
from media.wire.rtp import EXT_MID as EXT_MID
from media.wire.rtp import EXT_TRANSPORT_CC as EXT_TRANSPORT_CC

MAX_SDP = 32_000
# What a browser begins to send a picture with, before it knows its path: with its own 300 Chromium was once
# seen to stay there for 4 s of a wide path. Much more costs a path of 400 kbit/s part of the first words
# (docs/media.md, "Codecs").
START_KBPS = 600

AUDIO = frozenset({Mid.MIC, Mid.AUDIO_2, Mid.AUDIO_3})
UPSTREAM = (Mid.MIC, Mid.CAMERA, Mid.SHARE)  # what a participant can send
_STREAM = {
    Mid.MIC: "first",
    Mid.CAMERA: "first",
    Mid.SHARE: "share",
    Mid.AUDIO_2: "second",
    Mid.VIDEO_2: "second",
    Mid.AUDIO_3: "third",
    Mid.VIDEO_3: "third",
}
# Parameters that change what a payload type means; what an answer leaves out is taken to be this.
_MEANINGS = {"apt": "", "packetization-mode": "0", "profile-id": "0", "profile": "0"}
# Every answer can do these, so a call always has a codec in common.
_MUST = {codecs.OPUS.payload_type, codecs.VP8.payload_type}
_ICE_TEXT = re.compile(r"[A-Za-z0-9+/]{4,256}")
_HASH_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}


class BadAnswer(ValueError):
    """The answer does not fit the offer; the text says where."""


# The order is that of codecs.py, and it decides: Chromium sends what the offer names first, whatever its
# page or its answer prefer. RED costs 34 kbit/s and is worth them: it repairs most losses 20 ms later, on
# both legs, where asking again takes a round trip of each. What it cannot repair is asked for again all the
# same, for which Chromium goes by the offer's "nack" for Opus, though its answer does not repeat it.
_AUDIO_FEEDBACK = ("transport-cc", "nack")
_VIDEO_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")


@dataclass(frozen=True)
class Ssrcs:
    """One track's SSRCs; ``rtx`` is None for audio or when it was not signalled."""

    media: int
    rtx: int | None = None


@dataclass(frozen=True)
class Remote:
    """What an answer says of the other end's transport."""

    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]  # (algorithm, value)
    candidates: tuple[str, ...] = ()  # candidate attribute values (RFC 8839, 5.1)


@dataclass(frozen=True)
class Local:
    """What the offer says of the node's end of one connection."""

    session: int
    ufrag: str
    password: str
    fingerprint: str  # sha-256
    candidates: tuple[str, ...]
    ssrcs: dict[Mid, Ssrcs]  # every MID
    version: int = 1  # one more for each offer of the same connection: an ICE restart (RFC 8839, 4.4.1.1.1)


@dataclass(frozen=True)
class Description:
    """An answer that fits."""

    remote: Remote
    ssrcs: dict[Mid, Ssrcs]  # of the MIDs on which the browser may send, as far as signalled
    codecs: dict[Mid, frozenset[int]]  # the payload types that the browser takes there, with those of RTX


# --- offer -------------------------------------------------------------------------------------


def offer(local: Local) -> str:
    """Another offer of the same connection, after an ICE restart, has a higher version, ufrag and password of
    its own, and is the same in everything else."""
    head = [
        "v=0",
        f"o=- {local.session} {local.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(Mid),
        "a=msid-semantic: WMS *",
        # The browser takes the controlling role and nominates; the node needs none of its candidates.
        "a=ice-lite",
    ]
    lines = head + [line for mid in Mid for line in _section(mid, local)]
    return "\r\n".join(lines) + "\r\n"


def _section(mid: Mid, local: Local) -> list[str]:
    audio = mid in AUDIO
    payload_types = " ".join(str(number) for codec in _offered(mid) for number in _numbers(codec))
    lines = [f"m={'audio' if audio else 'video'} 9 UDP/TLS/RTP/SAVPF {payload_types}"]
    lines += ["c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0"]
    lines += [f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}"]
    lines += [f"a=fingerprint:sha-256 {local.fingerprint}", "a=setup:actpass", f"a=mid:{mid.value}"]
    lines += [f"a=extmap:{EXT_MID} urn:ietf:params:rtp-hdrext:sdes:mid"]
    lines += [
        f"a=extmap:{EXT_TRANSPORT_CC} "
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    ]
    lines += ["a=sendrecv" if mid in UPSTREAM else "a=sendonly", "a=rtcp-mux"]
    lines += ["a=rtcp-rsize"]  # the node sends feedback without a report before it (RFC 5506)
    lines += [f"a=msid:{_STREAM[mid]} {mid.value}"]
    feedback = _AUDIO_FEEDBACK if audio else _VIDEO_FEEDBACK
    lines += [line for codec in _offered(mid) for line in _codec_lines(codec, feedback)]
    lines += _ssrc_lines(mid, local.ssrcs[mid])
    if mid is next(iter(Mid)):
        lines += [f"a=candidate:{c}" for c in local.candidates] + ["a=end-of-candidates"]
    return lines


def _offered(mid: Mid) -> tuple[Codec, ...]:
    return codecs.AUDIO if mid in AUDIO else codecs.VIDEO


def _codec_lines(codec: Codec, feedback: tuple[str, ...]) -> list[str]:
    lines = []
    for number, (name, parameters) in _numbers(codec).items():
        lines.append(f"a=rtpmap:{number} {name}")
        if number == codec.payload_type and codec is not codecs.RED:  # feedback is about the Opus inside
            lines += [f"a=rtcp-fb:{number} {kind}" for kind in feedback]
        if codec in codecs.VIDEO and number == codec.payload_type:
            # On every m-line, as payload types of one bundle must mean the same.
            parameters = ";".join(filter(None, (parameters, f"x-google-start-bitrate={START_KBPS}")))
        if parameters:
            lines.append(f"a=fmtp:{number} {parameters}")
    return lines


def _numbers(codec: Codec) -> dict[int, tuple[str, str]]:
    """Its payload types, each with its rtpmap and its fmtp."""
    channels = "/2" if codec.clock_rate == codecs.OPUS.clock_rate else ""
    found = {codec.payload_type: (f"{codec.name}/{codec.clock_rate}{channels}", codec.parameters)}
    if codec.rtx is not None:
        found[codec.rtx] = (f"rtx/{codec.clock_rate}", f"apt={codec.payload_type}")
    return found


def _ssrc_lines(mid: Mid, ssrcs: Ssrcs) -> list[str]:
    cname = f"cname:{_STREAM[mid]}"
    if ssrcs.rtx is None:
        return [f"a=ssrc:{ssrcs.media} {cname}"]
    return [
        f"a=ssrc-group:FID {ssrcs.media} {ssrcs.rtx}",
        f"a=ssrc:{ssrcs.media} {cname}",
        f"a=ssrc:{ssrcs.rtx} {cname}",
    ]


# --- answer ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Block:
    """The session part, or one m-section: its m-line (empty for the session) and attributes in order."""

    media: str
    attributes: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    def one(self, name: str) -> str | None:
        values = self.all(name)
        return values[0] if values else None


def parse_answer(sdp: str) -> Description:
    """Raises BadAnswer when it does not fit the offer."""
    session, sections = _blocks(sdp)
    mids = [section.one("mid") for section in sections]
    if mids != [mid.value for mid in Mid]:
        raise BadAnswer(f"the m-lines are {mids}, not those of the offer")
    bundle = session.one("group")
    if bundle is None or set(bundle.split()) != {"BUNDLE", *Mid}:
        raise BadAnswer("not every m-line is in the bundle")
    accepted = {mid: _check_section(mid, section) for mid, section in zip(Mid, sections, strict=True)}
    found = [(mid, _ssrcs(mid, section)) for mid, section in zip(Mid, sections, strict=True)]
    ssrcs = {mid: of_mid for mid, of_mid in found if of_mid is not None}
    _check_distinct(ssrcs)
    return Description(remote=_remote(session, sections[0]), ssrcs=ssrcs, codecs=accepted)


def _blocks(sdp: str) -> tuple[_Block, list[_Block]]:
    if len(sdp) > MAX_SDP:
        raise BadAnswer("longer than an answer can be")
    lines = sdp.replace("\r\n", "\n").rstrip("\n").split("\n")
    if not lines or lines[0] != "v=0":
        raise BadAnswer("not a session description")
    groups: list[tuple[str, list[tuple[str, str]]]] = [("", [])]
    for number, line in enumerate(lines, 1):
        if len(line) < 2 or line[1] != "=":
            raise BadAnswer(f"line {number} is not of the form x=value")
        if line[0] == "m":
            groups.append((line[2:], []))
        elif line[0] == "a":
            name, _, value = line[2:].partition(":")
            groups[-1][1].append((name, value.strip()))
    blocks = [_Block(media, tuple(attributes)) for media, attributes in groups]
    return blocks[0], blocks[1:]


def _check_section(mid: Mid, section: _Block) -> frozenset[int]:
    """The payload types that it takes."""
    words = section.media.split()
    kind = "audio" if mid in AUDIO else "video"
    if len(words) < 4 or words[0] != kind or words[2] != "UDP/TLS/RTP/SAVPF":
        raise BadAnswer(f"{mid}: not {kind} over SAVPF")
    if words[1] == "0":
        raise BadAnswer(f"{mid}: rejected")
    taken = _check_codecs(mid, section, words[3:])
    if section.one("rtcp-mux") is None:
        raise BadAnswer(f"{mid}: rtcp-mux is missing")
    if mid not in UPSTREAM and (section.one("sendrecv") is not None or section.one("sendonly") is not None):
        raise BadAnswer(f"{mid}: it may only receive")
    _check_extensions(mid, section)
    return taken


def _check_codecs(mid: Mid, section: _Block, payload_types: list[str]) -> frozenset[int]:
    offered = {str(number): said for codec in _offered(mid) for number, said in _numbers(codec).items()}
    if not set(payload_types) <= offered.keys():
        raise BadAnswer(f"{mid}: payload types {' '.join(payload_types)}, offered {' '.join(offered)}")
    maps, parameters = _by_payload_type(section, "rtpmap"), _by_payload_type(section, "fmtp")
    for payload_type in payload_types:
        name, asked = offered[payload_type]
        if maps.get(payload_type, "").lower() != name.lower():
            raise BadAnswer(f"{mid}: payload type {payload_type} is {maps.get(payload_type)!r}, not {name}")
        if _meaning(parameters.get(payload_type, "")) != _meaning(asked):
            raise BadAnswer(f"{mid}: {name} as {payload_type} is not {asked or 'without parameters'}")
    taken = frozenset(map(int, payload_types))
    for codec in _offered(mid):
        if codec.payload_type in _MUST - taken:
            raise BadAnswer(f"{mid}: {codec.name} is missing")
        if codec.rtx in taken and codec.payload_type not in taken:
            raise BadAnswer(f"{mid}: retransmission of {codec.name} without {codec.name}")
    return taken


def _by_payload_type(section: _Block, name: str) -> dict[str, str]:
    words = (value.split(None, 1) for value in section.all(name))
    return {pair[0]: pair[1] for pair in words if len(pair) == 2}


def _meaning(parameters: str) -> dict[str, str]:
    """What a decoder must know to make sense of a payload: the rest are wishes."""
    pairs = (pair.strip().partition("=") for pair in parameters.split(";"))
    given = {name.lower(): value for name, _, value in pairs}
    return {name: given.get(name, without) for name, without in _MEANINGS.items()}


def _check_extensions(mid: Mid, section: _Block) -> None:
    known = {str(EXT_MID): "sdes:mid", str(EXT_TRANSPORT_CC): "transport-wide-cc-extensions-01"}
    for value in section.all("extmap"):
        number, _, uri = value.partition(" ")
        expected = known.get(number.partition("/")[0])
        if expected is None or not uri.endswith(expected):
            raise BadAnswer(f"{mid}: header extension {value!r} was not offered")


def _remote(session: _Block, section: _Block) -> Remote:
    def value(name: str) -> str:
        found = section.one(name) or session.one(name)
        if found is None:
            raise BadAnswer(f"{name} is missing")
        return found

    ufrag, password, setup = value("ice-ufrag"), value("ice-pwd"), value("setup")
    if not _ICE_TEXT.fullmatch(ufrag) or not _ICE_TEXT.fullmatch(password) or len(password) < 22:
        raise BadAnswer("ice-ufrag or ice-pwd is malformed")
    if setup != "active":
        raise BadAnswer(f"setup is {setup!r}: the node is the DTLS server, so it must be 'active'")
    value("fingerprint")
    fingerprints = section.all("fingerprint") or session.all("fingerprint")
    return Remote(
        ufrag=ufrag,
        password=password,
        fingerprints=tuple(_fingerprint(f) for f in fingerprints),
        candidates=tuple(section.all("candidate")[:32]),
    )


def _fingerprint(text: str) -> tuple[str, str]:
    algorithm, _, digest = text.partition(" ")
    size = _HASH_BYTES.get(algorithm.lower())
    if size is None or not re.fullmatch(
        rf"([0-9A-Fa-f]{{2}}:){{{size - 1}}}[0-9A-Fa-f]{{2}}", digest.strip()
    ):
        raise BadAnswer("the fingerprint is malformed or of an unknown hash")
    return algorithm.lower(), digest.strip().upper()


def _ssrcs(mid: Mid, section: _Block) -> Ssrcs | None:
    if mid not in UPSTREAM:
        return None
    try:
        listed = [int(value.split()[0]) for value in section.all("ssrc") if value]
        groups = [value.split() for value in section.all("ssrc-group")]
        pairs = [(int(g[1]), int(g[2])) for g in groups if len(g) == 3 and g[0] == "FID"]
    except (ValueError, IndexError):
        raise BadAnswer(f"{mid}: malformed ssrc") from None
    if any(not 0 < ssrc < 1 << 32 for ssrc in [*listed, *(s for pair in pairs for s in pair)]):
        raise BadAnswer(f"{mid}: ssrc out of range")
    if pairs:
        return Ssrcs(*pairs[0])
    return Ssrcs(listed[0]) if listed else None


def _check_distinct(ssrcs: dict[Mid, Ssrcs]) -> None:
    every = [ssrc for pair in ssrcs.values() for ssrc in (pair.media, pair.rtx) if ssrc is not None]
    if len(set(every)) < len(every):
        raise BadAnswer("one ssrc stands for two streams")
