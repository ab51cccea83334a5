"""What may stand in a log."""

import sys

import pytest

from web import logs


@pytest.mark.parametrize("terminal", [True, False])
def test_a_traceback_says_where_and_why_and_no_values(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    password = "-".join(["correct", "horse"])
    event = {"event": "request failed"}
    try:
        raise LookupError(f"of {len(password)} letters")
    except LookupError:
        said = {**event, "exc_info": sys.exc_info()}
    for processor in logs._rendering():
        said = processor(None, "error", said)  # type: ignore[arg-type]
    assert "LookupError: of 13 letters" in str(said)
    assert "test_logs.py" in str(said)
    assert password not in str(said)
