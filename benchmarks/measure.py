"""What is measured, and how: server by server in turn, so that a busy moment hits them all."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import orjson

from benchmarks import floors, load, payload, secured, servers
from cds_service.strict_json import parse

ROUNDS = 9
SLICE_SECONDS = 1.0
CONNECTIONS = (1, 8)
SIZES = (1, 10, 100, 1000, 5000)
STARTS = 5
_TOKENS_A_SECOND = {"flask_duties": 4000, "ours_rs384": 1500, "ours_es384": 1500}
"""More tokens a second than the server can answer."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over the rounds: how much it varies."""

    least: float
    middle: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Of at least one figure."""
        return cls(min(figures), median(figures), max(figures))


@dataclass(frozen=True, slots=True)
class Contender:
    """A server that is ready, and how a request to it is made for one slice."""

    server: servers.Running
    post: Callable[[float], load.Post]


def contenders(stack: ExitStack, folder: Path, peer: Path) -> dict[str, Contender]:
    """All servers, started; each answers the same request."""
    bodies = payload.results()
    found: dict[str, Contender] = {}

    def start(
        name: str, command: Callable[[int], list[str]], settings: Mapping[str, str]
    ) -> servers.Running:
        port = servers.free_port()
        return stack.enter_context(
            servers.started(name, command(port), port=port, environment=settings, folder=folder)
        )

    def plain(path: str) -> Callable[[float], load.Post]:
        return lambda _seconds: load.Post(path, bodies)

    for floor in ("bare", "flask", "flask_fhir"):
        command = _floor(floor)
        found[floor] = Contender(start(floor, command, {}), plain(payload.PATH))
    signer = secured.rs384()
    secured.environment(folder / "duties", signer)
    duties = {
        floors.KEYS: str(folder / "duties" / "jwks.json"),
        floors.DATABASE: f"{folder}/duties.sqlite3",
    }
    found["flask_duties"] = Contender(
        start("flask_duties", _floor("flask_duties"), duties),
        _with_tokens("flask_duties", bodies, signer),
    )
    found["healthchain"] = Contender(
        start("healthchain", lambda port: servers.peer_command(peer, port), {}),
        plain(f"/cds{payload.PATH}"),
    )
    open_settings = {"CDS_DATABASE_URL": f"sqlite:///{folder}/open.sqlite3"}
    found["ours"] = Contender(
        start("ours", lambda port: servers.service_command(port, "--sandbox"), open_settings),
        plain(payload.PATH),
    )
    for name, key in (("ours_rs384", secured.rs384()), ("ours_es384", secured.es384())):
        guarded = start(name, servers.service_command, secured.environment(folder / name, key))
        assert secured.asks_for_a_token(guarded.port), "nobody asks for a token"
        found[name] = Contender(guarded, _with_tokens(name, bodies, key))
    return found


def _with_tokens(
    name: str, bodies: Sequence[bytes], key: secured.Key
) -> Callable[[float], load.Post]:
    return lambda seconds: load.Post(
        payload.PATH, bodies, secured.tokens(key, int(seconds * _TOKENS_A_SECOND[name]))
    )


def _floor(name: str) -> Callable[[int], list[str]]:
    return lambda port: servers.floor_command(name, port)


def one_result(found: Mapping[str, Contender], connections: int) -> dict[str, list[load.Slice]]:
    """One slice of each in turn, round after round; the first round warms up and is dropped."""
    slices: dict[str, list[load.Slice]] = {name: [] for name in found}
    for _ in range(ROUNDS + 1):
        for name, contender in found.items():
            post = contender.post(SLICE_SECONDS)
            slices[name].append(
                load.run(
                    contender.server.port, post, connections=connections, seconds=SLICE_SECONDS
                )
            )
    return {name: each[1:] for name, each in slices.items()}


def sizes(port: int) -> Iterator[dict[str, Any]]:
    """The whole answer, our reading of the JSON, and the plain parse, on the same bytes."""
    # In a process of their own: here garbage of other work would be counted too.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:
        for observations in SIZES:
            body = payload.chart(observations)
            post = load.Post(payload.PATH, [body])
            plain, strict, whole = [], [], []
            for _ in range(ROUNDS + 1):
                plain.append(beside.submit(_timed, orjson.loads, body).result())
                strict.append(beside.submit(_timed, parse, body).result())
                whole.append(load.run(port, post, connections=1, seconds=0.3).quantile(0.5))
            yield {
                "observations": observations,
                "bytes": len(body),
                "plain": Spread.of(plain[1:]),
                "strict": Spread.of(strict[1:]),
                "whole": Spread.of(whole[1:]),
            }


def _timed(read: Callable[[bytes], object], body: bytes) -> float:
    """Seconds of one reading, the median of five; no collection of earlier garbage inside."""
    times = []
    for _ in range(5):
        gc.collect()
        begun = perf_counter()
        kept = read(body)
        times.append(perf_counter() - begun)
        del kept
    return median(times)


def starts(folder: Path) -> Spread:
    """Seconds from the start of the process to `ready`, with an up-to-date database."""
    figures = []
    settings = {"CDS_DATABASE_URL": f"sqlite:///{folder}/start.sqlite3"}
    for _ in range(STARTS + 1):
        port = servers.free_port()
        command = servers.service_command(port, "--sandbox")
        with servers.started(
            "start", command, port=port, environment=settings, folder=folder
        ) as running:
            figures.append(running.start_seconds)
    return Spread.of(figures[1:])
