"""Errors by number, by SQLSTATE and by text: the one table of what they mean.

Sources, by page of Microsoft Learn:

A  «SqlConfigurableRetryFactory.BaselineTransientErrors»: what Microsoft's own client tries again
B  «Troubleshoot common connection issues to Azure SQL Database» (transient fault error codes)
C  «Database Engine events and errors» (texts and severities of all numbers)
D  «ODBC error codes» (appendix A of the ODBC reference: SQLSTATEs)
E  the list of transient errors of Entity Framework Core's SQL Server provider (its documentation of resiliency)
F  Windows Sockets error codes, which the drivers use as numbers on every system

Texts are those of SQL Server (for mssql-python, whose errors carry no number) and of PostgreSQL (for Babelfish, which
gives most of its errors as number 33557097); both are matched in English, the language that a login gets by default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What an error means.

    Attributes
    ----------
    transient:
        Whether to try again, on a fresh connection; `transient_on_azure`: there only.
    disconnect:
        Whether the connection is of no use any more.
    argument:
        Whether an argument of the caller is wrong (exit 2) and not the server's state (exit 4).
    names:
        Which names the sentence takes from the message.
    """

    problem: str
    remedy: str
    transient: bool = False
    disconnect: bool = False
    argument: bool = False
    transient_on_azure: bool = False
    names: tuple[str, ...] = ()


_AGAIN = "Try again; if it stays, look at the server's load"
_NETWORK = "Check that the server is up, and the network between here and there"
_AZURE = "Try again in a minute; if it stays, look at the service's status and limits"
_LOCKED = "Try again when other work on these tables is over, or allow more time"

_cut = Fault("the connection to the server was cut", _NETWORK, transient=True, disconnect=True)
_unreachable = Fault(
    "the server cannot be reached", "Check host, port and firewall, and that the server is up and takes TCP",
    transient=True, disconnect=True,
)  # fmt: skip
_slow_login = Fault(
    "the server does not answer in time", "Check host, port and firewall, or allow more time by ConnectTimeout=",
    transient=True, disconnect=True,
)  # fmt: skip
_denied = Fault(
    "the login may not do this", "Ask the owner to GRANT it; `gidbench doctor` lists what is needed",
    names=("table", "database"),
)  # fmt: skip
_login = Fault(
    "the login is refused", "Check user, password and database, and the server's authentication mode",
    disconnect=True,
)  # fmt: skip
_short = Fault(
    "a column is too short for a value",
    "Make the column longer, or the value shorter",
    names=("column", "table"),
)
_twice = Fault(
    "a key is there already", "Remove the row that has it, or the one that brings it again",
    names=("constraint", "table"),
)  # fmt: skip
_converted = Fault(
    "a value does not fit the type of its column", "Check that the types of the columns are ours, or map others",
    names=("column",),
)  # fmt: skip
_full = Fault(
    "the server's disk, or a filegroup of the database, is full", "Free space, or let the file grow",
    names=("database",),
)  # fmt: skip
_azure = Fault(
    "the service moves or limits the database for a while", _AZURE, transient=True, disconnect=True
)
_starting = Fault(
    "the database is not ready yet", "Wait until it has started", transient=True, disconnect=True
)
_conflict = Fault("another transaction has changed the same rows", _AGAIN, transient=True)
_no_driver = Fault(
    "the ODBC driver or data source of the URL is not installed",
    "Leave driver= out to let gidbench find one; pip install mssql-python brings Microsoft's", argument=True,
)  # fmt: skip

ENCRYPTION, CERTIFICATE, QUERY_TIMEOUT, CANCELLED = (
    -1,
    -2,
    -3,
    -4,
)  # ours, for what has a text and no number

BY_NUMBER: dict[int, Fault] = {
    # Locks and resources: A, E.
    1204: Fault("the server has no locks left", _AGAIN, transient=True),
    1205: Fault("a deadlock with another transaction was broken by ending this one", _AGAIN, transient=True),
    1222: Fault("a lock was not granted in time", _LOCKED, transient=True),
    # 8645 and 8651 tell of a grant of memory that came too late; E left them out, C says "rerun the query".
    8645: Fault("the server had no memory for this in time", _AGAIN, transient=True),
    701: Fault("the server has too little memory for this", "Use smaller batches or fewer workers", transient=True),
    8651: Fault("the server has too little memory for this now", _AGAIN, transient=True),
    **dict.fromkeys((3960, 41301, 41302, 41305, 41325, 41839), _conflict),  # E; 3960 under snapshot isolation: C
    # Connections: A, E, F. 53 and 11001 are "no such host": not by itself over soon, but a server whose name is moved
    # to another machine is not found for a moment; Connections tries them again only where it has been connected.
    **dict.fromkeys((64, 121, 203, 233, 596, 997, 10053, 10054, 10058, 109, 232), _cut),
    **dict.fromkeys((53, 10057, 10060, 10061, 10065, 11001, 20009), _unreachable),
    # 20 is A's "the instance does not support encryption", which a server says, too, while it starts; and FreeTDS has
    # numbers of its own: 20003 a timeout, 20004/20006/20047 a cut, 20002 a login that failed for any reason.
    **dict.fromkeys((20004, 20006, 20017, 20047), _cut),
    20002: _login,
    20003: Fault("the server did not answer in time", _LOCKED, disconnect=True),
    # Azure: A, B, E.
    **dict.fromkeys((4221, 10922, 10928, 10929, 10936, 40143, 40197, 40501, 40540, 40613), _azure),
    **dict.fromkeys((42108, 42109, 49918, 49919, 49920), _azure),
    # Starting, stopping, failing over: C. 6005 shutdown in progress, 17142 paused, 18401 being upgraded,
    # 921/922/927 being recovered or restored, 976/983 of an availability group.
    **dict.fromkeys((921, 922, 927, 976, 983, 6005, 17142, 18401), _starting),
    # 4060 is in A and B, since on Azure a database that is being moved cannot be opened. Elsewhere it means a name
    # that is wrong, a database that is offline, or a login that may not use it, and is told at once.
    4060: Fault(
        "the database cannot be opened", "Check its name, that it is online, and that the login may use it",
        disconnect=True, transient_on_azure=True, names=("database",),
    ),
    911: Fault(
        "there is no such database", "Check its name in the URL, or create it", argument=True, names=("database",),
    ),
    # Logins: C.
    **dict.fromkeys((18452, 18456, 18470, 18487, 18488, 18486), _login),
    **dict.fromkeys((229, 230, 262, 297, 300, 916, 1088, 2760, 4834, 15247), _denied),
    # Space: C.
    9002: Fault(
        "the transaction log is full", "Back up the log or let it grow; the server's log_reuse_wait_desc says why",
        names=("database",),
    ),
    **dict.fromkeys((1101, 1105, 823, 3257, 5149, 1104), _full),
    # Rows: C. Never transient: the same rows fail again.
    **dict.fromkeys((8152, 2628), _short),
    **dict.fromkeys((2601, 2627), _twice),
    515: Fault(
        "a column that must not be empty gets no value", "Fill it, or let it be NULL", names=("column", "table"),
    ),
    547: Fault(
        "a row breaks a check or a reference to another table", "Change the row, or the constraint",
        names=("constraint", "table", "column"),
    ),
    **dict.fromkeys((208, 4902, 4701), Fault(
        "there is no such table", "Check its name, or make the tables by `gidbench schema create`", names=("table",)
    )),
    207: Fault("there is no such column", "Check its name, or map it by --names", names=("column", "table")),
    **dict.fromkeys((241, 242, 244, 245, 248, 295, 8114, 8115, 220), _converted),
    # XACT_ABORT ended the transaction before; the error that did so was said earlier.
    **dict.fromkeys((3930, 3998, 3902, 3903), Fault(
        "the transaction was ended by an error before", "Look at the error before this one, and run again"
    )),
    3906: Fault("the database is read-only", "Make it writable, or use the primary replica", names=("database",)),
    # Those without a number.
    ENCRYPTION: Fault(
        "the server does not encrypt connections, or not as the driver demands",
        "Give the server a certificate; in a safe network Encrypt=no in the URL does without", disconnect=True,
    ),
    CERTIFICATE: Fault(
        "the server's certificate is not trusted",
        "Install its issuer here; in a safe network TrustServerCertificate=yes in the URL does without",
        disconnect=True,
    ),
    # A query's timeout has the SQLSTATE of a login's, HYT00, which C and E try again (-2); but a statement that used
    # up the time that it was given would use it up again.
    QUERY_TIMEOUT: Fault("a statement took longer than it may", "Allow more time, or look for what blocks it"),
    CANCELLED: Fault("the statement was cancelled", "Run again"),
}  # fmt: skip

BY_STATE: dict[str, Fault] = {  # D; asked only where neither number nor text is known
    **dict.fromkeys(("08S01", "08S02", "08003", "08007", "01002", "10054"), _cut),
    "08001": _unreachable,
    "08004": Fault(
        "the server refuses the connection", "Check database, login and the server's log", disconnect=True
    ),
    **dict.fromkeys(("HYT00", "HYT01"), _slow_login),
    "28000": _login,
    **dict.fromkeys(("IM002", "IM003", "IM004", "IM012", "01000"), _no_driver),
    "40001": BY_NUMBER[1205],
    **dict.fromkeys(("22001", "22026"), _short),
    "23000": _twice,
    **dict.fromkeys(("22003", "22007", "22008", "22018"), _converted),
    "42S02": BY_NUMBER[208],
    "42S22": BY_NUMBER[207],
    "HY008": BY_NUMBER[CANCELLED],
}

_TEXTS: tuple[tuple[str, int], ...] = (
    # Encryption and certificates come under 08001 and number 20, with the network's errors.
    (r"encryption not supported|server does not support encryption|requires? encryption", ENCRYPTION),
    (r"certificate|self.signed|ssl provider|tls (?:handshake|provider)", CERTIFICATE),
    (r"query timeout expired|statement timeout|execution timeout", QUERY_TIMEOUT),
    (r"canceling statement due to lock timeout|lock request time ?out", 1222),
    (r"canceling statement due to user request|operation cancell?ed", CANCELLED),
    (r"deadlock detected|was deadlocked on|deadlock victim", 1205),
    (r"could not serialize access", 1205),
    (
        r"login timeout expired|error code 0x274c|timed? ?out.{0,40}connect|connect\w*.{0,40}timed? ?out",
        10060,
    ),
    (r"error code 0x2af9|no such host|name or service not known|failed to lookup address", 11001),
    (r"error code 0x(?:2749|274d|6f)\b|connection refused|server is unavailable or does not exist", 10061),
    (r"could not connect", 10061),
    (r"the database system is (?:starting|shutting|in recovery)|not yet accepting", 921),
    (r"too many clients|remaining connection slots|too many connections", 10928),
    (r"terminating connection|administrator command|server closed the connection|connection reset", 10054),
    (
        r"communication link failure|connection failure during|broken pipe|forcibly closed|session is in the kill",
        10054,
    ),
    (
        r"connection not open|not connected|attempt to use a closed connection|connection is (?:dead|closed)|"
        r"connection closed|(?:unexpected|early) (?:eof|end of)|receive token during login|"
        # FreeTDS, where the network has told it something that it has no words for
        r"driver did not supply an error|^\[\w+\] \[FreeTDS\]\[SQL Server\]unknown error",
        10054,
    ),
    (
        r"error code 0x(?:2745|2746|68|20)\b|dbprocess is dead|read from the server failed|write to the server",
        10054,
    ),
    (r"client unable to establish connection", 10061),
    # ends with "The login failed." itself
    (r"cannot open database", 4060),
    (r"login failed|password authentication failed|role .* does not exist|invalid authorization", 18456),
    (r"database \S+ does not exist", 911),
    (
        r"permission denied|permission was denied|must be owner|cannot find the object .* or you do not have",
        229,
    ),
    (r"is not currently available", 40613),
    (r"service has encountered an error processing", 40197),
    (r"service is currently busy", 40501),
    (r"cannot process (?:create or update )?request", 49918),
    (r"transaction log for database .* is full", 9002),
    (
        r"could not allocate (?:space|a new page)|no space left on device|could not extend file|disk.{0,20}full",
        1105,
    ),
    (r"would be truncated|value too long for type|right.truncat", 2628),
    (r"violation of (?:primary|unique) key|duplicate key", 2627),
    (r"cannot insert the value null|null value in column|violates not-null|does not allow nulls", 515),
    (r"conflicted with the|violates (?:check|foreign key) constraint|foreign key constraint", 547),
    (r"invalid object name|relation \S+ does not exist", 208),
    (r"invalid column name|column \S+ (?:of relation \S+ )?does not exist", 207),
    (r"conversion failed|error converting|invalid input syntax|out of range|arithmetic overflow", 8114),
    (r"transaction cannot be committed|current transaction is aborted|uncommittable transaction", 3930),
    (r"can't open lib|data source name not found|specified driver could not be loaded", 0),
)
BY_TEXT = tuple((re.compile(text, re.IGNORECASE), number) for text, number in _TEXTS if number)
