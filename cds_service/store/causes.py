"""Why the database cannot be used: a word for the log, and a sentence for whoever has to mend it.

Texts of drivers may hold parameters, rows and passwords, so none is kept or repeated. They are only
looked at where PostgreSQL refuses a connection, since it then gives no code.
"""

from __future__ import annotations

import re
from typing import Final

SETTING: Final = "CDS_DATABASE_URL"

_REFUSALS: Final = (
    (re.compile("failed to resolve host"), "no-such-host"),
    (re.compile("pg_hba"), "not-admitted"),
    (re.compile('authentication failed|no password supplied|role ".*" does not exist'), "password"),
    (re.compile('database ".*" does not exist'), "no-such-database"),
    (re.compile(r"\bSSL\b|certificate"), "tls"),
    (re.compile("FATAL"), "refused"),
)
"""What psycopg, libpq and the server say, in this order. A server that speaks another language than
English is understood as far as `refused`."""

_UNREACHABLE: Final = "unreachable"

_ADVICE: Final = {
    "no-such-host": f"No machine has the name that {SETTING} gives.",
    "not-admitted": "The server lets nobody in from here in this way: see its pg_hba.conf, and "
    f"whether it asks for TLS (sslmode in {SETTING}).",
    "password": f"The server does not take user or password of {SETTING}.",
    "no-such-database": f"Make the empty database, or mend its name in {SETTING}.",
    "tls": f"TLS was refused, or the server is not trusted: see sslmode, sslrootcert in {SETTING}.",
    "refused": "The server refuses the connection; its own log says why.",
    _UNREACHABLE: f"No PostgreSQL answers at host and port of {SETTING}.",
    "SQLITE_NOTADB": f"The file of {SETTING} is something else than an SQLite database.",
    "SQLITE_CANTOPEN": f"The file of {SETTING} is not there, or may not be opened; "
    "`cds-service db upgrade` makes a new one.",
    "SQLITE_READONLY": f"The file of {SETTING} and its folder must be writable.",
    "SQLITE_FULL": f"The disk that holds the file of {SETTING} is full.",
    "SQLITE_BUSY": f"Another process keeps the file of {SETTING} locked.",
    "SQLITE_CORRUPT": f"The file of {SETTING} is damaged: restore a backup.",
    "SQLITE_ERROR": "Its tables are not as they should be: run `cds-service db upgrade`.",
    "42P01": "Its tables are not there: run `cds-service db upgrade`.",
    "25006": "The server takes nothing that is written: is it a standby, or made read-only?",
    "42501": f"The database must belong to the user of {SETTING}.",
    "53100": "The disk of the server is full.",
    "IsADirectoryError": f"{SETTING} names a folder: give a file.",
    "FileExistsError": f"The folder of the file of {SETTING} cannot be made.",
    "FileNotFoundError": f"The folder of the file of {SETTING} cannot be made.",
    "NotADirectoryError": f"The folder of the file of {SETTING} cannot be made.",
    "PermissionError": f"The file of {SETTING} and its folder must be writable.",
}


def cause_of(error: BaseException) -> str:
    """The driver's own code (SQLITE_READONLY, an SQLSTATE), our word where a connection was
    refused, or the name of the class.
    """
    origin = getattr(error, "orig", None) or error
    name = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None)
    if name:
        return str(name)
    if type(origin).__name__ == "OperationalError" and hasattr(origin, "pgconn"):
        return _refusal(str(origin))
    return type(origin).__name__


def advice(cause: str) -> str:
    """What to do about it. Also for codes that say more than is known: SQLITE_CANTOPEN_ISDIR."""
    for known, sentence in _ADVICE.items():
        if cause == known or cause.startswith(f"{known}_"):
            return f"Cause: {cause}. {sentence}"
    return f"Cause: {cause}. Check that the database of {SETTING} runs and can be written."


def _refusal(text: str) -> str:
    return next((word for said, word in _REFUSALS if said.search(text)), _UNREACHABLE)
