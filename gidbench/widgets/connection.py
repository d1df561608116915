"""Where a URL and its password go: shown is what may be seen, the rest stays in this process's memory."""

from __future__ import annotations

from pydantic import SecretStr
from sqlalchemy.engine import URL

from gidbench.errors import GidbenchError, InputError
from gidbench.log import redact
from gidbench.stores.opening import parse_url

_KINDS = ("duckdb", "mssql")
_MASK = "***"


class Connection:
    """A database as it was typed, and a password that is never shown.

    Neither `repr` nor a field that is shown holds the password, nor a query that has one.
    """

    def __init__(self, url: str = "") -> None:
        self.shown = ""
        self.problem = ""
        self._hidden = SecretStr("")  # the whole URL as it came, where a part of it is not shown
        self._password = SecretStr("")
        self._place: tuple[object, ...] = ()
        self.type(url)

    def __repr__(self) -> str:
        return f"Connection({self.shown!r})"

    @property
    def has_password(self) -> bool:
        return bool(self._password.get_secret_value() or self._hidden.get_secret_value())

    def type(self, text: str) -> str:
        """Take what was typed; returns what may stand in the field instead of it."""
        text = text.strip()
        if text and text == self.shown:
            return self.shown
        self._hidden, self.problem = SecretStr(""), ""
        self.shown = ""
        if not text:
            self._password = SecretStr("")
            return ""
        try:
            url = parse_url(text)
        except GidbenchError as error:
            self.problem = str(error)
            self.shown = _without_secrets(text)
            return self.shown
        if url.get_backend_name() not in _KINDS:
            self.problem = str(
                InputError(
                    f"there is no store for {url.drivername} databases",
                    "Use duckdb:///FILE or mssql+pyodbc://user@host:1433/database",
                )
            )
        place = (url.get_backend_name(), url.username, url.host, url.port)
        if url.password or place != self._place:  # a password is of one user of one server
            self._password = SecretStr(str(url.password or ""))
        self._place = place
        bare = _without_password(url)
        rendered = bare.render_as_string(hide_password=False) if url.password else text
        if redact(rendered) != rendered:  # a password in the query, or in a connection string there
            self._hidden = SecretStr(text)
            rendered = bare.set(query={}).render_as_string(hide_password=False)
        self.shown = rendered
        return self.shown

    def keep(self, password: str) -> None:
        """Take a password, for as long as this process lives or until it is forgotten."""
        self._password = SecretStr(password)

    def forget(self) -> None:
        """Drop what is hidden."""
        self._password = self._hidden = SecretStr("")

    def url(self) -> str:
        """The whole URL: for opening the database, and nothing else."""
        whole = self._hidden.get_secret_value() or self.shown
        password = self._password.get_secret_value()
        if not whole or not password:
            return whole
        return parse_url(whole).set(password=password).render_as_string(hide_password=False)


def _without_password(url: URL) -> URL:
    """`URL.set` takes no password for `leave it`, so it is built anew."""
    return URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)


def _without_secrets(text: str) -> str:
    """Of a text that is no URL only what comes before anything that could be a password."""
    return redact(text) if redact(text) != text or "@" not in text else text.partition(":")[0] + f"://{_MASK}"
