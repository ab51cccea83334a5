"""How much a path carries, found from its queue and its loss. Pure.

A queue that grows is congestion. Loss is congestion only when it goes away at a lower rate: a radio loses a
fifth of everything at any rate, a policer only what is too much. So loss is answered by a *trial* of a second
or two, and where it changes nothing, the limit is as it was and that much loss is borne from then on.
"""

from enum import Enum, auto

from media.path.window import Flow, Window

FLOOR = 100_000  # bit/s; below it there is no picture worth sending
UNLIMITED = 3_500_000  # more than anybody is sent
_HEADROOM = 0.9  # of what the path carries is used
_GROWTH_S = 0.03  # the queue grew by so much ...
_OVER_S = 0.3  # ... within this
_LOW_QUEUE_S = 0.06  # what is below is left alone
_HIGH_QUEUE_S = 0.15  # what stays above is too much, growing or not
_SWOLLEN_S = 0.1  # and so is this much within a moment
_DRAINED_S = 0.04
_LONG_S, _NO_LOSS = 5.0, 0.02  # a queue that has not gone by then, while all arrives, is no queue
_DEEPEST = 0.6  # of the limit, at one cut
_AGAIN_S = 0.2  # between two cuts
_LOSS, _HEAVY_LOSS = 0.08, 0.25  # in each of two seconds, and at once
# A sender that was slowed down for a trial is slow to come back where much is lost (Chromium: some 8 % a
# second, if at all). So one who sends little is spared, unless it is still far too much.
_MODEST, _MODEST_LOSS, _MODEST_HEAVY_LOSS = 350_000, 0.3, 0.5
_TRIAL_S = 3.0  # at most until the senders have slowed down
_JUDGED_S, _SURELY_S = 0.6, 1.6  # of the lower rate, before the trial is judged; when it is not clear, later
_TRIED = 0.85  # of what arrives is sent in a trial
_BORNE_S = 60.0
_DOUBTFUL_S = 4.0  # a raise that is followed by congestion so soon was wrong
_DOUBTFUL_LOSS = 0.15  # and twice the usual: what was overtaken looks lost for a moment
_USUAL_STEP = 0.002  # with each feedback: some 3 % a second
_WORTH = 1.05  # times the limit, for a raise
_FORGOTTEN_S = 10.0
_BEYOND_S = 2.2  # after a cut, two seconds of flow are all from after it
_SETTLED_S = 0.75  # after a cut: what was lost before it is no reason for another


class Phase(Enum):
    STEADY = auto()
    DRAINING = auto()  # too much was sent: less than the path carries, until its queue is gone
    TRIAL = auto()  # less is sent, to see whether loss goes away


class Limiter:
    def __init__(self) -> None:
        self.limit: int | None = None
        self.phase = Phase.STEADY
        self.calm_since = 0.0  # since when nothing spoke against more
        self.mistaken = 0  # raises in a row that turned out wrong
        self.mistaken_at = float("-inf")
        self._capacity = 0.0  # bit/s at the last congestion
        self._cut_at = self._draining_since = float("-inf")
        self._borne, self._borne_until = 0.0, float("-inf")
        self._before: int | None = None  # the limit before the trial
        self._raised_from: int | None = None  # and before the raises that are doubtful still
        self._raised_at = float("-inf")
        self.usual_loss = 0.0  # at rates that the path carries
        self._settled = float("-inf")  # what was sent since then was sent under this limit
        self._suspected = 0.0  # the loss that the trial is about
        self._slow_since: float | None = None

    def take(self, window: Window, now: float) -> None:
        """After each feedback."""
        match self.phase:
            case Phase.STEADY:
                self._steady(window, now)
            case Phase.DRAINING:
                self._draining(window, now)
            case Phase.TRIAL:
                self._trial(window, now)

    def lift(self, limit: float, now: float) -> None:
        """A probe has shown that the path carries so much."""
        if self.phase is not Phase.STEADY or self.limit is None or limit < _WORTH * self.limit:
            return
        if self._raised_from is None:
            self._raised_from = self.limit
        self._raised_at = now
        self._set(limit)

    # --- phases ---

    def _steady(self, window: Window, now: float) -> None:
        if self._overused(window):
            self._cut(window, now)
        elif self._raised_from is not None and self._was_mistaken(window):
            self._take_back(window, now)
        elif (loss := self._suspicious(window, now)) is not None:
            self._begin_trial(window, loss, now)
        elif window.standing > _DRAINED_S:
            self.calm_since = now
        elif self._raised_from is not None:
            if now - self._raised_at > _DOUBTFUL_S:
                self._raised_from, self.mistaken = None, 0
        elif now - self._settled > _BEYOND_S:
            loss = 0.0 if window.whole else window.flow(2.0).loss
            self.usual_loss = min(loss, self.usual_loss + _USUAL_STEP)

    def _draining(self, window: Window, now: float) -> None:
        self.calm_since = now
        queue = window.standing
        if queue < _DRAINED_S:
            self.phase, self._settled = Phase.STEADY, now
            self._set(_HEADROOM * self._capacity)
        elif now - self._draining_since > _LONG_S and window.flow(2.0).loss < _NO_LOSS:
            window.rebase()
        elif now - self._cut_at >= _AGAIN_S and self._overused(window):
            self._cut(window, now)
        else:
            self._set(self._capacity * _share(queue))

    def _trial(self, window: Window, now: float) -> None:
        self.calm_since = now
        if self._overused(window):
            self._cut(window, now)
            return
        assert self.limit is not None
        if self._slow_since is None:
            slowed = window.flow(0.25).sent <= 1.15 * self.limit
            if slowed or now - self._cut_at > _TRIAL_S:
                self._slow_since = window.samples[-1].sent
            return
        flow = window.since(self._slow_since)
        if flow.duration >= _JUDGED_S:
            self._judge(window, flow, now)

    def _judge(self, window: Window, flow: Flow, now: float) -> None:
        if flow.loss > 1.3 * self._suspected + 0.05 and self.limit is not None and self.limit > FLOOR:
            # It has become worse: what was seen first was the onset.
            self._begin_trial(window, flow.loss, now)
            return
        if self._suspected / 5 < flow.loss < self._suspected / 2 and flow.duration < _SURELY_S:
            return  # few packets: that may be chance
        if flow.loss >= self._suspected / 2:
            self._borne = 1.2 * max(flow.loss, self._suspected) + 0.15
            self._borne_until = now + _BORNE_S
            self.usual_loss = flow.loss
            self.limit = self._before
        self.phase, self._settled = Phase.STEADY, now

    # --- steps ---

    def _overused(self, window: Window) -> bool:
        if window.swells(_SWOLLEN_S):
            return True
        queue = window.standing
        if queue < _LOW_QUEUE_S:
            return False
        earlier = window.before(_OVER_S)
        grown = window.queue - (earlier.queue if earlier is not None else 0.0)
        return grown > _GROWTH_S or (queue > _HIGH_QUEUE_S and grown > -_GROWTH_S / 2)

    def _cut(self, window: Window, now: float) -> None:
        carried = window.busy(_LOW_QUEUE_S / 2).delivered
        if not carried:
            return
        if self._raised_from is not None:
            self._mistake(now)
        # While a queue stands the path is busy, so what arrives is what it carries.
        draining = self.phase is Phase.DRAINING
        if not draining:
            self._draining_since = now
        if self.limit is not None:
            # Jitter that looks like a queue finds the path idle, and what arrives is only what was sent.
            carried = max(carried, _DEEPEST * self.limit)
        self._capacity = min(carried, self._capacity) if draining else carried
        self.phase, self._cut_at, self.calm_since = Phase.DRAINING, now, now
        self._set(self._capacity * _share(window.queue))

    def _suspicious(self, window: Window, now: float) -> float | None:
        """The loss that a trial should be made about."""
        if window.whole or now - self._settled < _SETTLED_S:
            return None
        bound = self._borne if now < self._borne_until else 0.0
        at_once, lasting = max(_HEAVY_LOSS, bound), max(_LOSS, bound)
        if window.flow(1.0).sent < _MODEST:
            at_once, lasting = max(at_once, _MODEST_HEAVY_LOSS), max(lasting, _MODEST_LOSS)
        short, earlier = window.flow(0.3), window.flow(0.3, 0.3)
        heavy = min(short.loss, earlier.loss) > at_once and short.duration > 0.2
        if heavy and short.loss < 1.2 * earlier.loss + 0.05:  # else it is still setting in
            return (short.loss + earlier.loss) / 2
        if now - self._settled < _BEYOND_S:
            return None
        short, earlier = window.flow(1.0), window.flow(1.0, 1.0)
        if min(short.loss, earlier.loss) > lasting and earlier.duration > 0.7:
            return (short.loss + earlier.loss) / 2
        return None

    def _begin_trial(self, window: Window, loss: float, now: float) -> None:
        if self.phase is Phase.STEADY:
            self._before = self.limit
        carried = window.flow(0.3).delivered
        self.phase, self._cut_at, self.calm_since = Phase.TRIAL, now, now
        self._suspected, self._slow_since, self._raised_from = loss, None, None
        self.limit = max(FLOOR, int(_TRIED * carried))

    def _was_mistaken(self, window: Window) -> bool:
        flow = window.flow(0.5)
        return flow.duration > 0.3 and flow.loss > 2 * self.usual_loss + _DOUBTFUL_LOSS

    def _take_back(self, window: Window, now: float) -> None:
        assert self._raised_from is not None
        carried = window.flow(0.5).delivered
        self._set(max(self._raised_from, min(_HEADROOM * carried, self.limit or UNLIMITED)))
        self._mistake(now)
        self.calm_since = self._settled = now

    def _mistake(self, now: float) -> None:
        self.mistaken = 1 if now - self.mistaken_at > _FORGOTTEN_S else self.mistaken + 1
        self.mistaken_at, self._raised_from = now, None

    def _set(self, limit: float) -> None:
        self.limit = None if limit >= UNLIMITED else max(FLOOR, int(limit))


def _share(queue: float) -> float:
    """Of what the path carries, while so many seconds of queue are to be got rid of."""
    return _HEADROOM - min(0.4, 0.8 * queue)
