"""Times of day as a scenario writes them. Pure."""


def minute(text: str) -> int:
    """Minutes since midnight of "HH:MM"."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def stretch(text: str) -> tuple[int, int]:
    """From and until, in minutes since midnight, of "HH:MM-HH:MM"."""
    start, _, end = text.partition("-")
    return minute(start), minute(end)
