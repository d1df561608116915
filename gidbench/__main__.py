"""`python -m gidbench`."""

from gidbench.cli import main

main()
