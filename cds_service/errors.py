"""Every error the service can answer with, in one small tree.

    CdsError
    |-- BadRequest              CDS-1001  400  the request is malformed; `where` says where
    |   |-- MalformedJson       CDS-1002  400  not JSON as RFC 8259 and this service read it
    |   `-- HookMismatch        CDS-1003  400  `hook` is not the one this service answers
    |-- UnsupportedMediaType    CDS-1004  415
    |-- PayloadTooLarge         CDS-1005  413
    |-- NotFound                CDS-1006  404
    |-- MethodNotAllowed        CDS-1007  405
    |-- Unauthorised            CDS-2001  401  the cause is for our log only, as a code
    |-- Forbidden               CDS-2002  403
    |-- TooManyRequests         CDS-2003  429
    |-- DataUnavailable         CDS-3001  412  required data neither prefetched nor reachable
    |-- StoreUnavailable        CDS-4001  503
    |-- KnowledgeError          CDS-5001       start-up and command line: file, row, remedy
    |-- ConfigurationError      CDS-5002       start-up and command line
    |-- InputError              CDS-5003       command line: what was given cannot be used
    `-- ServiceFault            CDS-9000  500  anything unexpected; says nothing but the request id

Codes are public and never reused. Texts never hold patient data: they say what happened, where,
and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


def printable(text: str) -> str:
    """The text with `?` for every sign that breaks a line or moves a cursor; a file name may hold
    such signs.
    """
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def let_go(error: BaseException) -> None:
    """Take their tracebacks from an error that was dealt with and from those behind it.

    The frames in them hold what every caller had at hand, such as a request or a token, and mostly
    the error too: a cycle, which stays in memory until the garbage collector comes by.
    """
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and one.__traceback__ is not None:
            one.__traceback__ = None
            left += [one.__cause__, one.__context__]


class CdsError(Exception):
    """Base of all designed errors.

    `text` is public. `where` is a path into the request or a file, without values. `remedy` says
    what to do. `cause` is a short code for the log and is never sent to a caller.
    """

    code: ClassVar[str] = "CDS-0000"
    status: ClassVar[int] = 500
    issue_type: ClassVar[str] = "exception"
    """OperationOutcome.issue.code (http://hl7.org/fhir/issue-type)."""

    def __init__(self, text: str, *, where: str = "", remedy: str = "", cause: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.where = where
        self.remedy = remedy
        self.cause = cause

    def one_line(self) -> str:
        """The error as one line for a terminal: code, where, what, and what to do."""
        place = f" {self.where}:" if self.where else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return printable(f"{self.code}{place} {self.text}{remedy}")


class BadRequest(CdsError):
    """The request cannot be read as what it says it is."""

    code, status, issue_type = "CDS-1001", 400, "structure"


class MalformedJson(BadRequest):
    """The body is not JSON as this service reads it (RFC 8259, plus our bounds)."""

    code = "CDS-1002"


class HookMismatch(BadRequest):
    """`hook` names another hook than the service is for."""

    code, issue_type = "CDS-1003", "value"


class UnsupportedMediaType(CdsError):
    """Not JSON by its content type, or compressed."""

    code, status, issue_type = "CDS-1004", 415, "not-supported"


class PayloadTooLarge(CdsError):
    """The body is over the limit."""

    code, status, issue_type = "CDS-1005", 413, "too-long"


class NotFound(CdsError):
    """No such service, source or path."""

    code, status, issue_type = "CDS-1006", 404, "not-found"


class MethodNotAllowed(CdsError):
    """The path exists, the method does not."""

    code, status, issue_type = "CDS-1007", 405, "not-supported"


class Unauthorised(CdsError):
    """The caller could not be established. The body is always the same."""

    code, status, issue_type = "CDS-2001", 401, "login"

    def __init__(self, cause: str) -> None:
        super().__init__("This call needs a valid token.", cause=cause)


class Forbidden(CdsError):
    """The caller is known and was not granted this service."""

    code, status, issue_type = "CDS-2002", 403, "forbidden"


class TooManyRequests(CdsError):
    """The caller is over its rate; `retry_after` is in seconds."""

    code, status, issue_type = "CDS-2003", 429, "throttled"

    def __init__(self, text: str, *, retry_after: int) -> None:
        super().__init__(
            text, remedy="Wait as Retry-After says. A client's token is good once: send a new one."
        )
        self.retry_after = retry_after


class DataUnavailable(CdsError):
    """Required data were neither prefetched nor reachable (CDS Hooks 2.0.1, HTTP 412)."""

    code, status, issue_type = "CDS-3001", 412, "processing"


class StoreUnavailable(CdsError):
    """The database cannot be used, and the answer may not be given without it."""

    code, status, issue_type = "CDS-4001", 503, "transient"


class KnowledgeError(CdsError):
    """The knowledge base is not sound; `where` is file and row, and the text goes on from there."""

    code = "CDS-5001"

    def __init__(
        self,
        text: str,
        *,
        where: str = "",
        remedy: str = "",
        cause: str = "",
        faults: Sequence[KnowledgeError] = (),
    ) -> None:
        super().__init__(text, where=where, remedy=remedy, cause=cause)
        self._made_of = tuple(faults)

    @property
    def faults(self) -> tuple[KnowledgeError, ...]:
        """The faults that it was made of; itself, if it is a single one."""
        return self._made_of or (self,)


class ConfigurationError(CdsError):
    """A setting is missing or contradicts another; the service does not start."""

    code = "CDS-5002"


class InputError(CdsError):
    """A file, or anything else that a command was given, cannot be used."""

    code = "CDS-5003"


class ServiceFault(CdsError):
    """Something unexpected failed. The body holds the request id and nothing else."""

    code = "CDS-9000"
