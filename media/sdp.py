"""The node's one offer and what an answer to it must look like (RFC 8866, 8829, 8843). Pure.

Everything is fixed: seven m-lines, their MIDs, payload types and header extension ids. An answer may
choose its own transport parameters and SSRCs, nothing else.
"""

import re
from dataclasses import dataclass

from media.protocol import Mid

OPUS, VP8, RTX = 111, 96, 97
EXT_MID, EXT_TRANSPORT_CC = 1, 3
MAX_SDP = 32_000

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
_RTPMAP = {OPUS: "opus/48000/2", VP8: "vp8/90000", RTX: "rtx/90000"}
_ICE_TEXT = re.compile(r"[A-Za-z0-9+/]{4,256}")
_HASH_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}


class BadAnswer(ValueError):
    """The answer does not fit the offer; the text says where."""


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
    dtls_server: bool  # the other end answered setup:passive
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


@dataclass(frozen=True)
class Description:
    """An answer that fits."""

    remote: Remote
    ssrcs: dict[Mid, Ssrcs]  # of the MIDs on which the browser may send, as far as signalled


# --- offer -------------------------------------------------------------------------------------


def offer(local: Local) -> str:
    head = [
        "v=0",
        f"o=- {local.session} 1 IN IP4 127.0.0.1",
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
    first = mid is next(iter(Mid))
    lines = ["m=audio 9 UDP/TLS/RTP/SAVPF 111" if audio else "m=video 9 UDP/TLS/RTP/SAVPF 96 97"]
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
    lines += _opus() if audio else _vp8()
    lines += _ssrc_lines(mid, local.ssrcs[mid])
    if first:
        lines += [f"a=candidate:{c}" for c in local.candidates] + ["a=end-of-candidates"]
    return lines


def _opus() -> list[str]:
    return [
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 minptime=10;useinbandfec=1",
    ]


def _vp8() -> list[str]:
    feedback = ["transport-cc", "ccm fir", "nack", "nack pli"]
    return [
        "a=rtpmap:96 VP8/90000",
        *(f"a=rtcp-fb:96 {kind}" for kind in feedback),
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
    ]


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
    for mid, section in zip(Mid, sections, strict=True):
        _check_section(mid, section)
    return Description(
        remote=_remote(session, sections[0]),
        ssrcs={
            mid: found for mid, s in zip(Mid, sections, strict=True) if (found := _ssrcs(mid, s)) is not None
        },
    )


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


def _check_section(mid: Mid, section: _Block) -> None:
    words = section.media.split()
    kind = "audio" if mid in AUDIO else "video"
    if len(words) < 4 or words[0] != kind or words[2] != "UDP/TLS/RTP/SAVPF":
        raise BadAnswer(f"{mid}: not {kind} over SAVPF")
    if words[1] == "0":
        raise BadAnswer(f"{mid}: rejected")
    offered = {OPUS} if mid in AUDIO else {VP8, RTX}
    if not set(words[3:]) <= {str(pt) for pt in offered} or str(min(offered)) not in words[3:]:
        raise BadAnswer(f"{mid}: payload types {' '.join(words[3:])}, offered {sorted(offered)}")
    _check_codecs(mid, section, words[3:])
    if section.one("rtcp-mux") is None:
        raise BadAnswer(f"{mid}: rtcp-mux is missing")
    if mid not in UPSTREAM and (section.one("sendrecv") is not None or section.one("sendonly") is not None):
        raise BadAnswer(f"{mid}: it may only receive")
    _check_extensions(mid, section)


def _check_codecs(mid: Mid, section: _Block, payload_types: list[str]) -> None:
    maps = dict(value.split(None, 1) for value in section.all("rtpmap") if " " in value)
    for payload_type in payload_types:
        if maps.get(payload_type, "").lower() != _RTPMAP[int(payload_type)]:
            raise BadAnswer(f"{mid}: payload type {payload_type} is {maps.get(payload_type)!r}")


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
    if setup not in ("active", "passive"):
        raise BadAnswer(f"setup is {setup!r}")
    value("fingerprint")
    fingerprints = section.all("fingerprint") or session.all("fingerprint")
    return Remote(
        ufrag=ufrag,
        password=password,
        fingerprints=tuple(_fingerprint(f) for f in fingerprints),
        dtls_server=setup == "passive",
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
