"""`python -m reflector` is the `reflector` command."""

from reflector.cli import main

if __name__ == "__main__":
    main()
