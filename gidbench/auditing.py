"""A line in the audit log for what fails; what succeeds writes its own, as part of what it does."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from gidbench.errors import GidbenchError
from gidbench.stores.base import AuditEntry, Store
from gidbench.units import utc_now

_log = logging.getLogger("gidbench")


@contextlib.contextmanager
def audited(store: Store, operation: str) -> Iterator[None]:
    """Leave a line in the audit log where the operation fails; it writes its own where it succeeds."""
    moment = utc_now()
    try:
        yield
    except BaseException as error:
        kind = type(error).__name__
        _log.error("%s failed: %s", operation, error if isinstance(error, GidbenchError) else kind)
        with contextlib.suppress(Exception):  # the failure itself is what the caller must see
            store.create_tables()
            store.record(AuditEntry(operation, moment, "failed", {}, {"error": kind}))
        raise
