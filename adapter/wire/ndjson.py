"""NDJSON: one JSON value a line. https://github.com/ndjson/ndjson-spec"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

#: Longest line in bytes; of a longer one no more than this is ever held.
MOST_BYTES = 16 * 1024 * 1024


def lines(source: Path | bytes) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file or of its bytes, with their numbers from 1; blank ones are none. None for a line that is too long."""
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        number = 0
        while line := stream.readline(MOST_BYTES):
            number += 1
            if len(line) == MOST_BYTES and not line.endswith(b"\n"):
                while (more := stream.readline(MOST_BYTES)) and not more.endswith(b"\n"):
                    pass
                yield number, None
            elif stripped := line.strip():
                yield number, stripped
