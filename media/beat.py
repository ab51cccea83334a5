"""Work that comes round again and again. Pure."""

from math import floor


def following(due: float, now: float, every: float) -> float:
    """When what was ``due`` comes next: after ``now``, a whole number of ``every`` after ``due``.

    Not ``now`` and ``every``: after a pause of the whole process all that takes turns would be done in the
    same moment from then on, and the packets that come in that moment would wait for all of it.
    """
    return due + every * (floor((now - due) / every) + 1)
