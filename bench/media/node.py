"""Our node's process, as the bench starts it: redis_url recordings host capacity."""

import logging
import sys
from pathlib import Path

from media.node import NodeSettings, main

if __name__ == "__main__":
    url, recordings, host, capacity = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING)
    main(NodeSettings(redis_url=url, recordings=Path(recordings), addresses=(host,), capacity=int(capacity)))
