"""ost-adapter: translation between the systems that share the care of people on opioid substitution treatment.

import adapter
ost = adapter.load()
t = ost.translate(body, read="pharmacy/dose-outcome", write="criis/dose-outcome")
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from adapter.fhir.outcome import Refused
from adapter.mapping.faults import MapFaults, Unknown
from adapter.systems.translate import Adapter, Translation

__version__ = "0.1.0"
__all__ = ["Adapter", "MapFaults", "Refused", "Translation", "Unknown", "__version__", "load"]


def load(mappings: Iterable[str | Path] = (), *, lenient: bool = False) -> Adapter:
    """The adapter with the shipped systems and those of further folders; systems are compiled when first used.

    lenient: carry an NHS number that fails its check digit, with a warning. Raises MapFaults for a folder that is not there.
    """
    return Adapter(mappings, lenient=lenient)
