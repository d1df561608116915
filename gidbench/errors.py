"""Every error that gidbench raises on purpose.

One root, `GidbenchError`; each child is also the standard exception that fits it, so that callers may
catch either. A message gives the value, the limit and what to do next; `exit_code` is what the command
line answers with.
"""

from __future__ import annotations

from typing import ClassVar

from gidbench.log import redact


class GidbenchError(Exception):
    """Root of all errors that gidbench raises on purpose; `exit_code` is that of the command line.

    Parameters
    ----------
    problem:
        What is wrong, with the offending value and the limit it broke.
    remedy:
        What the reader can do about it.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}."

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in the place of a traceback: in a notebook, too, an error is a sentence."""
        return [redact(f"{type(self).__name__}: {self}")]


class InputError(GidbenchError, ValueError):
    """An argument, a setting or a file is not usable as it is."""

    exit_code = 2


class EmptyFileError(InputError):
    """A file holds nothing at all, not even a header."""


class CapacityError(GidbenchError, OverflowError):
    """A finite number space (G_IDs, national ids) is used up; nothing has been written."""


class TooManyRejectsError(GidbenchError, ValueError):
    """More records were rejected than the caller allows; the rejects found so far are kept."""

    exit_code = 1


class StoreError(GidbenchError, ConnectionError):
    """A database could not do what was asked of it.

    Attributes
    ----------
    transient:
        Whether the same may well succeed when it is tried again: a deadlock, a connection that was cut.
    """

    transient = False


class StoreBusyError(StoreError, TimeoutError):
    """Another run holds the lock or the database file."""


class VerificationError(GidbenchError, RuntimeError):
    """A result broke a law that it must keep; nothing of it has been committed."""


class OperationCancelled(GidbenchError, RuntimeError):
    """The caller asked the operation to stop; nothing of it has been committed."""

    exit_code = 130


class NothingMeasuredError(GidbenchError, RuntimeError):
    """A run ended without a single valid measurement."""

    exit_code = 3
