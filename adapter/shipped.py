"""Where the data that travels with the package lies: maps, profiles and fixtures.

In a checkout they are the folders beside `adapter/`; in a wheel the same folders lie in `adapter/shipped_data/`.
"""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_WHEEL = _HERE / "shipped_data"
ROOT = _WHEEL if _WHEEL.is_dir() else _HERE.parent

MAPPINGS = ROOT / "mappings"
PROFILES = ROOT / "profiles"
FIXTURES = ROOT / "fixtures"
