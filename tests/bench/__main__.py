"""`python -m tests.bench` is `python tests/bench/run.py`."""

from tests.bench.run import main

main()
