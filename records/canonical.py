"""Canonical JSON: the one spelling of a value that is hashed and signed."""

import hashlib
import json
from typing import Any

NO_HASH = "0" * 64  # what the first link of a chain names as its predecessor


def canonical(value: Any) -> str:
    """Keys sorted, no spaces, text as it is (UTF-8 when encoded). Raises ValueError on NaN and infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """Hex digest of the text's UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
