"""Session descriptions as a browser would make them (RFC 8866, 8829), of Opus and VP8 only. Pure."""

from dataclasses import dataclass, field

OPUS, VP8, RTX = 111, 96, 97
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"


@dataclass
class Section:
    """One m-section of a description, as far as a caller cares."""

    mid: str
    video: bool
    port: str = "9"
    sends: bool = True
    receives: bool = True
    extensions: dict[str, int] = field(default_factory=dict)  # URI -> id
    payload_types: dict[int, str] = field(default_factory=dict)  # number -> name in lower case
    apt: dict[int, int] = field(default_factory=dict)  # RTX payload type -> media payload type
    ssrc: int = 0
    rtx_ssrc: int = 0


@dataclass
class Parsed:
    sections: list[Section] = field(default_factory=list)
    ufrag: str = ""
    password: str = ""
    fingerprint: str = ""  # sha-256
    setup: str = "actpass"
    candidates: list[tuple[str, int]] = field(default_factory=list)  # IPv4 over UDP


@dataclass(frozen=True)
class Local:
    """A caller's end."""

    ufrag: str
    password: str
    fingerprint: str
    host: str
    port: int


def parse(sdp: str) -> Parsed:
    found = Parsed()
    section = Section("", False)
    for line in sdp.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            words = line[2:].split()
            section = Section("", words[0] == "video", words[1])
            found.sections.append(section)
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            _attribute(found, section, name, value.strip())
    return found


def _attribute(found: Parsed, section: Section, name: str, value: str) -> None:
    words = value.split()
    match name:
        case "mid":
            section.mid = value
        case "sendonly":
            section.receives = False
        case "recvonly":
            section.sends = False
        case "inactive":
            section.sends = section.receives = False
        case "extmap":
            section.extensions[words[1]] = int(words[0].partition("/")[0])
        case "rtpmap":
            section.payload_types[int(words[0])] = words[1].partition("/")[0].lower()
        case "fmtp" if words[1].startswith("apt="):
            section.apt[int(words[0])] = int(words[1][4:])
        case "ssrc-group" if words[0] == "FID":
            section.ssrc, section.rtx_ssrc = int(words[1]), int(words[2])
        case "ssrc" if not section.ssrc:
            section.ssrc = int(words[0])
        case "ice-ufrag" if not found.ufrag:
            found.ufrag = value
        case "ice-pwd" if not found.password:
            found.password = value
        case "fingerprint" if words[0].lower() == "sha-256":
            found.fingerprint = words[1]
        case "setup":
            found.setup = value
        case "candidate" if words[2].lower() == "udp" and ":" not in words[4]:
            found.candidates.append((words[4], int(words[5])))


def answer(offer: Parsed, local: Local, sends: dict[str, tuple[int, int]]) -> str:
    """``sends``: MID -> (SSRC, RTX SSRC) of what the caller sends there; everywhere else it only receives."""
    lines = _head([section.mid for section in offer.sections])
    for section in offer.sections:
        ssrcs = sends.get(section.mid)
        direction = "sendrecv" if ssrcs and section.sends else "sendonly" if ssrcs else "recvonly"
        extensions = {uri: n for uri, n in section.extensions.items() if uri in (MID, TRANSPORT_CC)}
        lines += _section(section.mid, section.video, local, "active", direction, extensions, ssrcs)
    return "\r\n".join(lines) + "\r\n"


def offer(local: Local, audio: int, video: tuple[int, int]) -> str:
    """Of a caller that only sends one of each, as to a server that keeps the ways apart."""
    extensions = {MID: 1, TRANSPORT_CC: 3}
    lines = _head(["0", "1"])
    lines += _section("0", False, local, "actpass", "sendonly", extensions, (audio, 0))
    lines += _section("1", True, local, "actpass", "sendonly", extensions, video)
    return "\r\n".join(lines) + "\r\n"


def _head(mids: list[str]) -> list[str]:
    return ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]


def _section(
    mid: str,
    video: bool,
    local: Local,
    setup: str,
    direction: str,
    extensions: dict[str, int],
    ssrcs: tuple[int, int] | None,
) -> list[str]:
    lines = [f"m={'video' if video else 'audio'} 9 UDP/TLS/RTP/SAVPF {f'{VP8} {RTX}' if video else OPUS}"]
    lines += ["c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0"]
    lines += [f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}"]
    lines += [f"a=fingerprint:sha-256 {local.fingerprint}", f"a=setup:{setup}", f"a=mid:{mid}"]
    lines += [f"a=extmap:{number} {uri}" for uri, number in extensions.items()]
    lines += [f"a={direction}", "a=rtcp-mux", "a=rtcp-rsize"]
    if video:
        feedback = ("transport-cc", "ccm fir", "nack", "nack pli")
        lines += [f"a=rtpmap:{VP8} VP8/90000", *(f"a=rtcp-fb:{VP8} {kind}" for kind in feedback)]
        lines += [f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={VP8}"]
    else:
        lines += [f"a=rtpmap:{OPUS} opus/48000/2", f"a=rtcp-fb:{OPUS} transport-cc"]
        lines += [f"a=fmtp:{OPUS} minptime=10;useinbandfec=1"]
    if ssrcs and ssrcs[1]:
        lines += [f"a=ssrc-group:FID {ssrcs[0]} {ssrcs[1]}"]
    if ssrcs:
        lines += [f"a=msid:caller {mid}"]
        lines += [f"a=ssrc:{ssrc} cname:caller" for ssrc in ssrcs if ssrc]
    # The address is said although an ICE-lite end needs none: others do.
    lines += [f"a=candidate:1 1 udp 2130706431 {local.host} {local.port} typ host", "a=end-of-candidates"]
    return lines
