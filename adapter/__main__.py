"""`python -m adapter` is the command `ost-adapter`."""

from adapter.interfaces.cli import main

if __name__ == "__main__":
    main()
