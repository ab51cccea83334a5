"""Every key that agents/ owns in Redis, each named once.

All carry the hall in braces, so that one hall's keys share a slot of a Redis Cluster and one script may
touch them together.
"""

from records.model import HallId

# Raised whenever the records change so that an earlier version's could not be read: they are left alone, and
# what is live is told anew by those who hold the sockets.
FORMAT = "v2"


class Keys:
    def __init__(self, hall: HallId) -> None:
        prefix = f"bb:{{{hall}}}:{FORMAT}:"
        # hash: id, the microsecond at which this life of the store began; run_id, of the server that it began
        # on; fence, the one given out last. Together, so that they are lost together or not at all.
        self.generation = prefix + "generation"
        self.changes = prefix + "changes"  # stream, capped: what was written, <generation>-<n>
        self.agents = prefix + "agents"  # hash: agent id -> fence ":" Agent as JSON
        self.waiting = prefix + "waiting"  # hash: demand id -> Waiting as JSON
        self.reservations = prefix + "reservations"  # hash: reservation id -> fence ":" Held as JSON
        self.taken = prefix + "taken"  # hash: demand id, reserved or in a call -> Taken as JSON
