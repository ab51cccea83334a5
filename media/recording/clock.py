"""How far a sender's timestamps are from the node's clock, told from the arrivals. Pure.

What a network adds to a packet's way varies; the least of it in some seconds hardly does. So the least
lateness of each ``WINDOW_S`` is what the sender's clock has drifted, or what its way has become longer.
"""

WINDOW_S = 5.0
_PAUSE_S = 1.0  # a window that ends this late holds too little


class Lateness:
    def __init__(self) -> None:
        self.until = float("-inf")  # when the window ends; who keeps ``least`` by hand looks here
        self.least = float("inf")

    def restart(self, now: float) -> None:
        self.until, self.least = now + WINDOW_S, float("inf")

    def take(self, now: float) -> float | None:
        """At or after ``until``: the least of the window, None when it was cut short by a pause."""
        found = self.least if now - self.until <= _PAUSE_S else None
        self.restart(now)
        return found
