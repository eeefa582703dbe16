"""`python -m idp`, the same as `idp`."""

from idp.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
