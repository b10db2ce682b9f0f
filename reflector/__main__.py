"""Run the `reflector` command for `python -m reflector`."""

from reflector.cli import main

if __name__ == "__main__":
    main()
