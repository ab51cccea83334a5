"""Sound on the time line of a recording: without a hole, and on the node's clock.

Players count the samples of a file rather than trust its timestamps, so the line is exact to the sample:
each packet begins where the one before it ended. What is missing (lost, not sent in silence, muted) becomes
silent packets of the same length. A sender's clock that drifts from the node's is followed in steps of
10 ms, in a quiet place: 10 ms of silence put in, or a packet of 20 ms given up for 10 ms of silence.
"""

from media.path.packet import Packet, SenderReport
from media.recording.clock import Lateness
from media.recording.part import Part
from media.recording.reorder import Lost, Reorder
from media.recording.series import Series
from media.wire.opus import SILENCE
from media.wire.opus import samples as opus_samples
from media.wire.rtp import TS_MOD, extend

RATE = 48_000
STEP = 480  # samples by which the line is moved
DTX_S = 1.0  # a pause that is no longer was not worth a packet to the sender (RFC 6716, 2.1.9): no gap
_STEP_AT = 480.0  # samples of drift that call for a step
_STEP_NOW_AT = 1920.0  # and that do not wait for a quiet place
_STEP_EVERY_S = 0.2
_LISTEN_S, _PATIENCE_S = 2.0, 5.0  # how long to learn what is quiet, and to wait for it
_STALL_S = 0.3  # all packets late by more than this for as long as below: the sender stood still
_STALLED_S = 3.0
_AHEAD_S, _BEHIND_S = 2.0, 10.0  # timestamps that far from their arrival have jumped
_MISSED_S = 3.0  # nothing for so long: silence is written without waiting for what comes
_FILL_S = 5.0  # of silence written at one tick
_GRAIN = 120  # samples of the shortest packet
# Silent packets by length: 20, 10, 5 and 2.5 ms of CELT, whose first bits say silence (RFC 6716, 4.3).
_SILENT = ((960, SILENCE), (480, b"\xf0\xff\xfe"), (240, b"\xe8\xff\xfe"), (120, b"\xe0\xff\xfe"))


class AudioLine:
    """A sink of one track of Opus. Places are samples since the epoch."""

    def __init__(self, parts: Series) -> None:
        self.end = 0  # where what is written ends
        self.last_report: SenderReport | None = None
        self._parts = parts
        self._part: Part | None = None  # that was written to last
        self._order = Reorder()
        self._offset: int | None = None  # from RTP timestamps to places
        self._newest = 0  # RTP timestamp
        self._heard = float("-inf")  # when
        self._why = ""  # something is missing before the next packet: "lost" | "disk"
        self._muted_from: int | None = None
        self._lateness = Lateness()
        self._may_stall = False  # the last packet was late: that of a sender who stood still, or repaired
        self._stalled = Lateness()  # since all have been late by so much; its window is the proof
        self._behind = 0.0  # samples of drift still to be made up for
        self._listening = float("inf")  # when a step came due
        self._quiet = 0  # bytes of a packet that counts as quiet

    # --- sink ---

    def packet(self, packet: Packet) -> None:
        order = self._order
        if packet.seq == order.next and not order.waiting:
            order.next += 1
            self._take(packet)
        else:
            order.push(packet)
            self.drain(packet.arrived)

    def report(self, report: SenderReport) -> None:
        self.last_report = report

    def drain(self, now: float) -> None:
        for item in self._order.pop(now):
            if isinstance(item, Lost):
                self._why = self._why or "lost"
            else:
                self._take(item)

    def at(self, timestamp: int) -> float | None:
        """Seconds on the line of a timestamp as on the wire; None before the first packet."""
        if self._offset is None:
            return None
        return (extend(timestamp, self._newest, TS_MOD) + self._offset) / RATE

    # --- packets in order; some 50 a second and line: written for speed ---

    def _take(self, packet: Packet) -> None:
        payload = packet.payload
        samples = opus_samples(payload)
        if samples == 0:
            return
        parts = self._parts
        part = parts.writing
        if part is None or part is not self._part or self._offset is None:
            part = self._begin(packet)
            if part is None or self._offset is None:
                return
        timestamp, arrived = packet.timestamp, packet.arrived
        place = timestamp + self._offset
        lateness = self._lateness
        late = (arrived - parts.epoch) * RATE - place
        if late < lateness.least:
            lateness.least = late
        if arrived >= lateness.until or self._may_stall or not -_AHEAD_S * RATE < late < _STALL_S * RATE:
            self._follow(arrived, late, len(payload))
            place = timestamp + self._offset
        self._newest, self._heard = timestamp, arrived
        if place != self.end and not self._fill(part, place):
            return  # what stands in its place is written already
        part.muxer.sound(place // 48 - part.start, payload, samples // 48)
        self.end = place + samples

    def _begin(self, packet: Packet) -> Part | None:
        """The first packet of a part, or of all."""
        place = None if self._offset is None else (packet.timestamp + self._offset) / RATE
        part = self._parts.begin(place, packet.arrived)
        if part is None:
            self._why = "disk"
            return None
        self._enter(part)
        if self._offset is None:  # it is where it arrived
            arrived = round((packet.arrived - self._parts.epoch) * RATE / _GRAIN) * _GRAIN
            self._offset = max(arrived, self.end) - packet.timestamp
            self._lateness.restart(packet.arrived)
        return part

    def _enter(self, part: Part) -> None:
        if part is not self._part:
            self._part = part
            self.end = max(self.end, part.start * 48)
            self._muted_from = None if self._muted_from is None else self.end

    def _fill(self, part: Part, place: int) -> bool:
        """Silence up to a place. False when the line has passed it."""
        missing = place - self.end
        if missing < 0:
            return False
        if self._muted_from is not None:
            part.gap(self._muted_from / RATE, place / RATE, "audio", "muted")
            self._muted_from = None
        elif self._why:
            part.gap(self.end / RATE, place / RATE, "audio", self._why)
        elif missing > DTX_S * RATE:
            part.gap(self.end / RATE, place / RATE, "audio", "muted")
        self._why = ""
        self._silence(part, place)
        return True

    def _silence(self, part: Part, until: int) -> None:
        for samples, payload in _SILENT:
            while until - self.end >= samples:
                part.muxer.sound(self.end // 48 - part.start, payload, samples // 48)
                self.end += samples

    # --- time ---

    def tick(self, now: float) -> None:
        """While nothing is heard the line goes on in silence, so that a player of the pictures need not wait
        for sound."""
        self.drain(now)
        part = self._parts.writing
        if part is None or self._order.waiting or now - self._heard < _MISSED_S:
            return
        self._enter(part)
        missed = int((now - _MISSED_S - self._parts.epoch) * RATE) - self.end
        if missed < RATE:
            return
        if self._muted_from is None:
            self._muted_from = self.end
        self._silence(part, self.end + min(missed, int(_FILL_S * RATE)) // 960 * 960)

    def lead(self, part: Part) -> None:
        """Pictures begin a part: its first cluster must hold sound too. Chromium begins to read at the first
        sound of a file, and fails when the pictures there do not begin with a key frame."""
        if part is not self._part:
            self._enter(part)
            self._silence(part, self.end + _GRAIN)

    def finish(self) -> None:
        """No more comes; the pictures end where the file does."""
        self.drain(float("inf"))
        part = self._parts.writing
        if part is not None and self._muted_from is not None:
            self._silence(part, (part.start + part.muxer.end) * 48)
            part.gap(self._muted_from / RATE, self.end / RATE, "audio", "muted")

    # --- the sender's clock ---

    def _follow(self, arrived: float, late: float, size: int) -> None:
        """A window of arrivals is over, or a packet is far from where its timestamp says."""
        if not -_AHEAD_S * RATE < late < _BEHIND_S * RATE:
            self._move(late, arrived)
            return
        if late > _STALL_S * RATE:
            self._stall(arrived, late)
            return
        self._may_stall = False
        if arrived < self._lateness.until:
            return
        if abs(self._behind) < _STEP_AT:
            self._behind = self._lateness.take(arrived) or 0.0
            self._listening, self._quiet = arrived, size
            if abs(self._behind) < _STEP_AT:
                return
        self._lateness.until = float("-inf")  # every packet is looked at, until the line is where it belongs
        if abs(self._behind) >= _STEP_NOW_AT:
            due = arrived - self._listening >= _STEP_EVERY_S
        elif arrived - self._listening < _LISTEN_S:
            self._quiet, due = min(self._quiet, size), False
        else:
            due = size <= self._quiet * 1.25 or arrived - self._listening >= _LISTEN_S + _PATIENCE_S
        if due:
            self._step(arrived)

    def _step(self, arrived: float) -> None:
        assert self._offset is not None
        step = STEP if self._behind > 0 else -STEP
        self._offset += step
        self._behind -= step
        self._listening = arrived
        if abs(self._behind) < _STEP_AT:
            self._lateness.restart(arrived)

    def _stall(self, arrived: float, late: float) -> None:
        """A sender that stood still without advancing its timestamps comes back late, for good."""
        stalled = self._stalled
        if not self._may_stall:
            self._may_stall = True
            stalled.until, stalled.least = arrived + _STALLED_S, late
        stalled.least = min(stalled.least, late)
        if arrived >= stalled.until:
            self._move(stalled.least, arrived)

    def _move(self, late: float, arrived: float) -> None:
        """At once, by this many samples. Reports from before say nothing of what comes after."""
        assert self._offset is not None
        self._offset += round(late / _GRAIN) * _GRAIN
        self._behind = 0.0
        self._may_stall = False
        self._lateness.restart(arrived)
        self.last_report = None
