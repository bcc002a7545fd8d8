"""`python -m canary`."""

from canary.cli import main

try:
    main()
finally:
    # A Ctrl-C that met code made from text (a dataclass, a query's plan) leaves a mark in CPython, and with it `-m`
    # ends by SIGINT whatever exit code we chose. The next such code that ends well takes the mark away.
    exec("")  # noqa: S102
