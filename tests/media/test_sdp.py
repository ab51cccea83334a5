import contextlib
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.protocol import Mid
from media.sdp import AUDIO, UPSTREAM, BadAnswer, Local, Ssrcs, offer, parse_answer

FINGERPRINT = ":".join(["AB"] * 32)
LOCAL = Local(
    session=7,
    ufrag="abcd",
    password="p" * 22,
    fingerprint=FINGERPRINT,
    candidates=("1 1 udp 2130706431 192.0.2.1 40000 typ host",),
    ssrcs={mid: Ssrcs(100 + n, None if mid in AUDIO else 200 + n) for n, mid in enumerate(Mid)},
)


def answer() -> str:
    """A right answer, made from the offer as a browser would."""
    lines = []
    mid = ""
    for line in offer(LOCAL).split("\r\n"):
        if line.startswith("a=mid:"):
            mid = line[6:]
        if line == "a=setup:actpass":
            line = "a=setup:active"
        elif line in ("a=sendrecv", "a=sendonly"):
            line = "a=sendrecv" if mid in UPSTREAM else "a=recvonly"
        elif line.startswith(("a=ssrc", "a=msid:")) and mid not in UPSTREAM:
            continue
        lines.append(line)
    return "\r\n".join(lines)


def test_the_offer_has_the_fixed_lines_in_order() -> None:
    text = offer(LOCAL)
    assert re.findall(r"a=mid:(\S+)", text) == [
        "mic",
        "camera",
        "share",
        "audio2",
        "video2",
        "audio3",
        "video3",
    ]
    assert re.findall(r"m=(\w+) \d+ \S+ (.*?)\r", text) == [
        ("audio", "111") if mid in AUDIO else ("video", "96 97") for mid in Mid
    ]
    assert re.findall(r"a=(sendrecv|sendonly)", text) == ["sendrecv"] * 3 + ["sendonly"] * 4
    assert text.count("a=candidate:") == 1
    assert text.count("a=rtcp-rsize\r\n") == len(Mid)  # feedback goes without a report before it
    streams = {mid: stream for stream, mid in re.findall(r"a=msid:(\S+) (\S+)", text)}
    assert streams["mic"] == streams["camera"]
    assert streams["share"] not in {stream for mid, stream in streams.items() if mid != "share"}


def test_a_right_answer_is_understood() -> None:
    found = parse_answer(answer())
    assert (found.remote.ufrag, found.remote.password, found.remote.dtls_server) == ("abcd", "p" * 22, False)
    assert found.remote.fingerprints == (("sha-256", FINGERPRINT),)
    assert found.ssrcs == {mid: LOCAL.ssrcs[mid] for mid in UPSTREAM}


def test_ssrcs_may_be_left_to_the_mid_extension() -> None:
    assert parse_answer(re.sub(r"a=ssrc.*\r\n", "", answer())).ssrcs == {}


def test_without_rtx_is_right_too() -> None:
    text = re.sub(r"a=(rtpmap|fmtp):97.*\r\n", "", answer()).replace("SAVPF 96 97", "SAVPF 96")
    assert parse_answer(text).ssrcs[Mid.CAMERA].media == 101


WRONG: dict[str, Callable[[str], str]] = {
    "empty": lambda a: "",
    "no version": lambda a: a[5:],
    "torn line": lambda a: a + "\r\nz",
    "too long": lambda a: a + "\r\na=x:" + "y" * 40_000,
    "other mid": lambda a: a.replace("a=mid:share", "a=mid:screen"),
    "mids swapped": lambda a: (
        a.replace("a=mid:mic", "a=mid:m")
        .replace("a=mid:camera", "a=mid:mic")
        .replace("a=mid:m\r", "a=mid:camera\r")
    ),
    "one m-line more": lambda a: a + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:extra\r\n",
    "no bundle": lambda a: re.sub(r"a=group:.*\r\n", "", a),
    "left out of the bundle": lambda a: a.replace("BUNDLE mic ", "BUNDLE "),
    "rejected": lambda a: a.replace("m=video 9", "m=video 0", 1),
    "audio for video": lambda a: a.replace("m=video", "m=audio", 1),
    "plain RTP": lambda a: a.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP", 1),
    "foreign payload type": lambda a: a.replace("SAVPF 96 97", "SAVPF 96 98", 1),
    "only RTX": lambda a: a.replace("SAVPF 96 97", "SAVPF 97", 1),
    "foreign codec": lambda a: a.replace("VP8/90000", "H264/90000", 1),
    "no rtpmap": lambda a: a.replace("a=rtpmap:111 opus/48000/2\r\n", "", 1),
    "no rtcp-mux": lambda a: a.replace("a=rtcp-mux\r\n", "", 1),
    "sends where it may only receive": lambda a: a.replace("a=recvonly", "a=sendrecv", 1),
    "foreign extension": lambda a: a.replace("a=extmap:3 ", "a=extmap:5 ", 1),
    "other extension on our id": lambda a: a.replace(
        "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:1 urn:3gpp:video-orientation", 1
    ),
    "no ufrag": lambda a: re.sub(r"a=ice-ufrag.*\r\n", "", a),
    "short password": lambda a: a.replace("p" * 22, "p" * 21),
    "no fingerprint": lambda a: re.sub(r"a=fingerprint.*\r\n", "", a),
    "short fingerprint": lambda a: a.replace(FINGERPRINT, FINGERPRINT[:-3]),
    "weak hash": lambda a: a.replace("sha-256", "sha-1"),
    "actpass": lambda a: a.replace("a=setup:active", "a=setup:actpass"),
    "ssrc is no number": lambda a: a.replace("a=ssrc:100", "a=ssrc:ten"),
    "ssrc too large": lambda a: a.replace("a=ssrc:100", f"a=ssrc:{1 << 32}"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_refused_with_a_reason(name: str) -> None:
    wrong = WRONG[name](answer())
    assert wrong != answer()
    with pytest.raises(BadAnswer) as refused:
        parse_answer(wrong)
    assert str(refused.value)


@given(st.text(max_size=200), st.integers(0, 3000), st.integers(0, 200))
def test_a_mangled_answer_is_understood_or_refused(noise: str, at: int, cut: int) -> None:
    good = answer()
    for mangled in (noise, good[:at] + noise + good[at + cut :]):
        with contextlib.suppress(BadAnswer):
            parse_answer(mangled)
