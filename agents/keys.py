"""Every key that agents/ owns in Redis, each named once.

All carry the hall in braces, so that one hall's keys share a slot of a Redis Cluster and one script may
touch them together.
"""

from records.model import HallId


class Keys:
    def __init__(self, hall: HallId) -> None:
        prefix = f"bb:{{{hall}}}:"
        self.agents = prefix + "agents"  # hash: agent id -> Agent as JSON
        self.waiting = prefix + "waiting"  # hash: call id -> Waiting as JSON
        self.reservations = prefix + "reservations"  # hash: reservation id -> fence ":" Held as JSON
        self.taken = prefix + "taken"  # hash: call id, reserved or in a call -> agent id
        self.fence = prefix + "fence"  # counter: the fence given out last
