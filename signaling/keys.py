"""Every Redis key of signaling/, once. All of a hall's keys share one hash slot (the braces)."""

from records.model import CallId


class Keys:
    """Key names of one hall."""

    def __init__(self, hall: str) -> None:
        self._root = f"bb:{{{hall}}}:"
        self.live = self._root + "calls"  # set of call ids that have a snapshot
        self.due = self._root + "call-due"  # zset call id -> next deadline (Unix s)
        self.stations = self._root + "station-call"  # hash station id -> call id
        self.outbox = self._root + "outbox"  # stream of commands saved but maybe not yet carried out
        self.bus = self._root + "bus"  # pub/sub channel of topics that changed

    def call(self, call: CallId) -> str:
        """Hash: ``revision`` and ``body`` (JSON of signaling.call.Call)."""
        return f"{self._root}call:{call}"

    def quality_writer(self, call: CallId) -> str:
        """String: the web process that writes this call's quality series; expires."""
        return f"{self._root}quality-writer:{call}"

    def holder(self, identity: str) -> str:
        """String: the session that holds this identity's socket; expires."""
        return f"{self._root}holder:{identity}"
