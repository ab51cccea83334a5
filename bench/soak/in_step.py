"""How far sound and picture of a recording are apart at its end, by the packets that a caller sent."""

from collections import deque
from pathlib import Path

import av

from tests.media.caller_streams import TAIL, Outgoing

LAST = 100  # packets looked at, from the end


def offset(path: Path, sound: Outgoing, video: Outgoing) -> float:
    """Seconds by which the picture stands later in the file than it was sent, beside the sound. Raises
    ValueError when the end of the file is not what was sent last."""
    (heard_at, heard_sent), (seen_at, seen_sent) = _last(path, "audio", sound), _last(path, "video", video)
    return (seen_at - heard_at) - (seen_sent - heard_sent)


def _last(path: Path, kind: str, track: Outgoing) -> tuple[float, float]:
    """When the last packet of it that is known stands in the file, and when it was sent."""
    with av.open(str(path)) as container:
        (stream,) = [stream for stream in container.streams if stream.type == kind]
        packets = deque((p for p in container.demux(stream) if p.size and p.pts is not None), LAST)
    for packet in reversed(packets):
        sent = _sent(track, bytes(packet)[-TAIL:])
        if sent is not None and packet.pts is not None and packet.time_base is not None:
            return float(packet.pts * packet.time_base), sent
    raise ValueError(f"{path.name}: its {kind} does not end with what was sent")


def _sent(track: Outgoing, tail: bytes) -> float | None:
    """The last time that a packet with this end was sent."""
    number = int.from_bytes(tail, "big")
    return max((sent[0] for sent in track.ring if sent[1] == number), default=None)
