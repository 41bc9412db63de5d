"""A little FHIR server in memory, for tests that need to see inside one and to make it fail.

It keeps resources with versions, answers reads and the few searches we make, and carries out
transactions with conditional creates and version-aware updates, all or nothing. Every call is
counted. `broken` makes every call fail.
"""

from __future__ import annotations

import copy
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

Json = dict[str, Any]
Operation = Callable[[dict[str, list[str]]], Json]


class Refuse(Exception):  # noqa: N818 - an HTTP status on its way out
    """Ends a call with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass
class LittleFhir:
    """The store. `base` is its address once it serves."""

    base: str = ""
    resources: dict[str, Json] = field(default_factory=dict)
    """`Observation/1` -> the resource as it stands."""
    writes: Counter[str] = field(default_factory=Counter)
    """How often each resource was written."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Method and path with query of each call."""
    operations: dict[str, Operation] = field(default_factory=dict)
    """Path of an operation -> its answer."""
    forms: list[dict[str, str]] = field(default_factory=list)
    """What was posted to the token endpoint."""
    token: str = ""
    """When given, calls must carry it."""
    broken: int = 0
    """The status every call fails with; 0: none does."""
    _index: dict[tuple[str, ...], dict[str, None]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, resource: Json) -> Json:
        """Keep a new version."""
        with self.lock:
            path = f"{resource['resourceType']}/{resource['id']}"
            before = self.resources.get(path, {}).get("meta", {}).get("versionId", "0")
            kept = copy.deepcopy(resource)
            kept["meta"] = {
                **kept.get("meta", {}),
                "versionId": str(int(before) + 1),
                "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds"),
            }
            self.resources[path] = kept
            self.writes[path] += 1
            for key in _keys(kept):
                self._index.setdefault(key, {})[path] = None
            return kept

    def of(self, kind: str) -> list[Json]:
        """The resources of one type."""
        with self.lock:
            return copy.deepcopy(list(self._found(kind)))

    def _found(self, *key: str) -> Iterator[Json]:
        """What stands under a key of the index, as far as it is still there."""
        for path in self._index.get(key, {}):
            if path in self.resources:
                yield self.resources[path]

    def count(self, text: str) -> int:
        """How many calls had this text in their path and query."""
        return sum(text in path for _method, path in list(self.calls))

    # ---------------------------------------------------------------- answering

    def answer(self, method: str, target: str, body: bytes, bearer: str) -> Json:
        with self.lock:
            self.calls.append((method, target))
            parts = urlsplit(target)
            path = parts.path.removeprefix("/fhir").strip("/")
            if parts.path == "/token":
                return self._token(body)
            if path == ".well-known/smart-configuration":
                return {"token_endpoint": self.base.removesuffix("/fhir") + "/token"}
            if self.broken:
                raise Refuse(self.broken)
            if self.token and bearer != f"Bearer {self.token}":
                raise Refuse(401)
            return self._answer(method, path, parts.query, body)

    def _answer(self, method: str, path: str, query: str, body: bytes) -> Json:
        kind, _, id_ = path.partition("/")
        match method:
            case "GET" if path in self.operations:
                return self.operations[path](parse_qs(query))
            case "GET" if not id_:
                return self._search(kind, query)
            case "GET" if path in self.resources:
                return copy.deepcopy(self.resources[path])
            case "POST":
                sent = json.loads(body)
                return self._made(sent) if path else self._transaction(sent)
            case "PUT":
                return self.put(json.loads(body))
            case "DELETE" if self.resources.pop(path, None):
                return {}
            case _:
                raise Refuse(404)

    def _made(self, resource: Json) -> Json:
        return self.put({**resource, "id": f"made-{len(self.writes) + 1}"})

    def _search(self, kind: str, query: str) -> Json:
        wanted = dict(parse_qsl(query))
        key = next(
            ((kind, wanted[name]) for name in ("_tag", "patient") if name in wanted), (kind,)
        )
        found = [each for each in self._found(*key) if _matches(each, wanted)]
        found.sort(key=lambda each: str(each["meta"]["lastUpdated"]))
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": each} for each in found],
        }

    def _transaction(self, bundle: Json) -> Json:
        before = copy.deepcopy(self.resources), self.writes.copy()
        try:
            return {
                "resourceType": "Bundle",
                "type": "transaction-response",
                "entry": [self._entry(entry) for entry in bundle["entry"]],
            }
        except Refuse:
            self.resources, self.writes = before
            raise

    def _entry(self, entry: Json) -> Json:
        request, resource = entry["request"], entry["resource"]
        if request["method"] == "POST":
            found = self._search(request["url"], request["ifNoneExist"])["entry"]
            if found:
                return {"response": {"status": "200"}}
            self._made(resource)
            return {"response": {"status": "201"}}
        there = self.resources.get(request["url"])
        if there is None:
            raise Refuse(404)
        if request.get("ifMatch") not in (None, f'W/"{there["meta"]["versionId"]}"'):
            raise Refuse(412)
        self.put(resource)
        return {"response": {"status": "200"}}

    def _token(self, body: bytes) -> Json:
        self.forms.append(dict(parse_qsl(body.decode())))
        return {"access_token": self.token or "t", "token_type": "bearer", "expires_in": 300}


def _keys(resource: Json) -> Iterator[tuple[str, ...]]:
    """Under what a resource is found: its type, its patient, its tags."""
    kind = resource["resourceType"]
    yield (kind,)
    yield kind, _whose(resource).removeprefix("Patient/")
    for tag in resource.get("meta", {}).get("tag", []):
        yield kind, f"{tag['system']}|{tag['code']}"


def _whose(resource: Json) -> str:
    """The reference to its patient."""
    patient: Json = resource.get("subject") or resource.get("patient") or {}
    return str(patient.get("reference", ""))


def _matches(resource: Json, wanted: dict[str, str]) -> bool:
    if "_tag" in wanted:
        tags = resource.get("meta", {}).get("tag", [])
        if wanted["_tag"] not in {f"{tag['system']}|{tag['code']}" for tag in tags}:
            return False
    if "_id" in wanted and resource["id"] not in wanted["_id"].split(","):
        return False
    if "patient" in wanted and _whose(resource) != f"Patient/{wanted['patient']}":
        return False
    if "code" in wanted:
        codings = resource.get("code", {}).get("coding", [])
        codes = {f"{coding.get('system')}|{coding.get('code')}" for coding in codings}
        if codes.isdisjoint(wanted["code"].split(",")):
            return False
    for parameter, element in (("result", "result"), ("has-member", "hasMember")):
        named = {each["reference"] for each in resource.get(element, [])}
        if wanted.get(parameter) not in (None, *named):
            return False
    since = wanted.get("_lastUpdated", "ge")[2:]
    updated = datetime.fromisoformat(resource["meta"]["lastUpdated"])
    return not since or updated >= datetime.fromisoformat(since)


def refusing(status: int) -> Operation:
    """An operation that is refused with this status."""

    def refuse(_query: dict[str, list[str]]) -> Json:
        raise Refuse(status)

    return refuse


@contextmanager
def little_fhir() -> Iterator[LittleFhir]:
    """Serves on a free port of 127.0.0.1."""
    store = LittleFhir()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            bearer = self.headers.get("Authorization", "")
            try:
                status, answer = 200, store.answer(self.command, self.path, body, bearer)
            except Refuse as refused:
                status, answer = refused.status, {"resourceType": "OperationOutcome"}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815 - http.server's names

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

        def handle_error(self, *_arguments: object) -> None:
            """A client that was killed under way is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    store.base = f"http://127.0.0.1:{server.server_port}/fhir"
    often = {"poll_interval": 0.02}  # else each test waits half a second for its server to end
    serving = threading.Thread(target=server.serve_forever, kwargs=often, daemon=True)
    serving.start()
    try:
        yield store
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
