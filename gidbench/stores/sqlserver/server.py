"""What a server is and lets the login do: read once, and the one place that knows how servers differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Asked of the database, in this order. Source: Microsoft Learn, "Permissions (Database Engine)".
DATABASE_PERMISSIONS = ("CONNECT", "CREATE TABLE", "SELECT", "INSERT", "UPDATE", "DELETE")
_BULK = "ADMINISTER BULK OPERATIONS"
# Any of them opens the views of logs and waits; the second is the finer one of SQL Server 2022, the last one is that of
# Azure SQL Database. Source: Microsoft Learn, "sys.dm_os_wait_stats", section "Permissions".
_STATE = ("VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE")
_DATABASE_STATE = "VIEW DATABASE STATE"
_AZURE = 5  # EngineEdition of Azure SQL Database


@dataclass(frozen=True)
class Server:
    """Facts of one database and the login in it.

    Attributes
    ----------
    version:
        The first line of @@VERSION.
    major:
        13 is SQL Server 2016, 16 is 2022.
    is_babelfish:
        Whether it is PostgreSQL with the extension Babelfish, which takes T-SQL but not all of it.
    is_azure:
        Whether it is Azure SQL Database, where databases do not see each other.
    database, collation:
        Name and collation of the database.
    recovery:
        SIMPLE, BULK_LOGGED or FULL; empty where the login may not see it.
    snapshot:
        Whether readers see the last committed row instead of waiting (READ_COMMITTED_SNAPSHOT).
    permissions:
        Of DATABASE_PERMISSIONS, whether each is granted.
    may_bulk_insert, may_see_state:
        Whether the login may load files of the server, and read its views of logs and waits.
    """

    version: str
    major: int
    is_babelfish: bool
    is_azure: bool
    database: str
    collation: str
    recovery: str
    snapshot: bool
    permissions: dict[str, bool]
    may_bulk_insert: bool
    may_see_state: bool

    @property
    def hides_state(self) -> str:
        """Why the views of logs and waits can't be read; empty where they can."""
        if self.is_babelfish:
            return "Babelfish has no views of logs and waits"
        if self.may_see_state:
            return ""
        needed = _DATABASE_STATE if self.is_azure else _STATE[1] if self.major >= 16 else _STATE[0]
        return f"the login lacks {needed}"

    @property
    def has_openjson(self) -> bool:
        """OPENJSON came with SQL Server 2016."""
        return self.is_babelfish or self.major >= 13

    @property
    def has_table_parameters(self) -> bool:
        return not self.is_babelfish

    @property
    def has_row_versions(self) -> bool:
        """Whether a rowversion column grows with each change, as an incremental sync needs it."""
        return not self.is_babelfish

    @property
    def binary_collation(self) -> str:
        """One that tells all texts apart that differ in any byte (but for blanks at their end)."""
        return "Latin1_General_BIN2"


def look_at(connection: Any) -> Server:
    """The facts, by a DB-API connection whose errors are raised as they are; nothing is changed."""
    cursor = connection.cursor()
    try:
        # Numbers and texts of sql_variant have no type that every driver knows: so all is cast.
        version, product, edition, babelfish, database, collation = cursor.execute(
            "SELECT CAST(@@VERSION AS nvarchar(400)), CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(64)),"
            " CAST(SERVERPROPERTY('EngineEdition') AS int), CAST(SERVERPROPERTY('Babelfish') AS int), DB_NAME(),"
            " CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))"
        ).fetchone()
        row = cursor.execute(
            "SELECT recovery_model_desc, CAST(is_read_committed_snapshot_on AS int)"
            " FROM sys.databases WHERE name = DB_NAME()"
        ).fetchone()
        asked = [f"HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', '{name}')" for name in DATABASE_PERMISSIONS]
        asked += [f"HAS_PERMS_BY_NAME(NULL, NULL, '{name}')" for name in (_BULK, *_STATE)]
        asked.append(f"HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', '{_DATABASE_STATE}')")
        *granted, bulk, state, performance, database_state = cursor.execute(
            f"SELECT {', '.join(asked)}"
        ).fetchone()
    finally:
        cursor.close()
    major = str(product or "0").partition(".")[0]
    is_azure = int(edition or 0) == _AZURE
    return Server(
        version=str(version).splitlines()[0].strip(),
        major=int(major) if major.isdigit() else 0,
        is_babelfish=bool(babelfish),
        is_azure=is_azure,
        database=str(database),
        collation=str(collation or ""),
        recovery=str(row[0] or "") if row else "",
        snapshot=bool(row and row[1]),
        permissions={name: bool(value) for name, value in zip(DATABASE_PERMISSIONS, granted, strict=True)},
        may_bulk_insert=bool(bulk),
        may_see_state=bool(state or performance or (is_azure and database_state)),
    )
