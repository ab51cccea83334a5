"""Whatever a sender does, the file is whole: sound without a hole, pictures in order, all of it readable."""

import asyncio
import itertools
import tempfile
from pathlib import Path

import av
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs import OPUS, VP8
from media.protocol import Source
from media.recording.disk import Disk
from media.wire.opus import samples
from records.model import MediaKind
from tests.media.recording.sender import Sender

NUMBERS = st.integers(1, 120)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sound"), NUMBERS),  # so many packets
        st.tuples(st.just("pictures"), NUMBERS),
        st.tuples(st.just("both"), NUMBERS),
        st.tuples(st.just("sound lost"), NUMBERS),
        st.tuples(st.just("picture lost"), st.integers(1, 3)),
        st.tuples(st.just("pause"), NUMBERS),  # tenths of a second
        st.tuples(st.just("clock jumps"), st.integers(-500_000, 500_000)),  # samples
        st.tuples(st.just("rubbish"), st.binary(max_size=20)),
        st.tuples(st.just("late"), st.integers(0, 3000)),  # ms that the network is slower from now on
    ),
    max_size=25,
)


def perform(sender: Sender, steps: list[tuple[str, int | bytes]]) -> float:
    """Where the call's time stood in the end."""
    now, slower, jumped, heard, shown = 0.0, 0.0, 0, 0, 0
    for what, much in steps:
        if isinstance(much, bytes):
            if not much or much[0] & 3 == 0:  # else a reader may leave it out, as no decoder takes it
                stamp = sender.mic_base + int(now * 48_000)
                sender.packet(Source.MIC, much, stamp, True, now, False, OPUS)
            sender.packet(Source.CAMERA, much, sender.camera_base + int(now * 90_000), True, now, False, VP8)
        elif what == "pause":
            for _ in range(much):
                now += 0.1
                sender.recorder.tick(sender.start + now + slower)
        elif what == "clock jumps":
            jumped += much
        elif what == "late":
            slower = much / 1000
        else:
            for _ in range(much):
                if "sound" in what or what == "both":
                    stamp = sender.mic_base + jumped + heard * 960 + int(now * 48_000) // 960 * 960
                    packet = b"\x78" + bytes(40)
                    lost = what == "sound lost"
                    sender.packet(Source.MIC, packet, stamp, True, now + slower, lost, OPUS)
                if "picture" in what or what == "both":
                    sender.camera_base += 1  # times of pictures are not exact
                    stamp, lost = int(now * 30), what == "picture lost"
                    sender.picture(stamp - stamp % 60 + shown % 60, now + slower, lost)
                    shown += 1
                now += 0.02
    return now


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_whatever_comes_the_file_is_whole(steps: list[tuple[str, int | bytes]]) -> None:
    async def record(folder: Path) -> None:
        disk = Disk()
        sender = Sender(folder, disk)
        now = perform(sender, steps)
        sender.recorder.tick(sender.start + now + 10)
        parts = await sender.seal()
        await asyncio.to_thread(disk.close)
        for path, info in parts.values():
            assert info.duration < now + 15
            check(path)
        assert len(parts) <= 1 or MediaKind.SHARE not in parts

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(record(Path(folder)))


def check(path: Path) -> None:
    sound: list[tuple[int, bytes]] = []
    pictures: list[tuple[int, bool]] = []
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size and packet.stream.type == "audio":
                sound.append((packet.pts or 0, bytes(packet)))
            elif packet.size:
                pictures.append((packet.pts or 0, packet.is_keyframe))
    for (at, data), (following, _) in itertools.pairwise(sound):
        # A millisecond of rounding at each end, and what is shorter than the shortest packet.
        assert abs(following - at - samples(data) / 48) < 4.6
    assert all(a < b for (a, _), (b, _) in itertools.pairwise(pictures))
    assert not pictures or pictures[0][1]
