"""The server: granian in front of the application, one process per worker.

Of this room nothing else knows about processes. A stop signal (SIGTERM, Ctrl-C, or SIGHUP, which a
terminal sends that is closed) lets requests under way finish, for at most ten seconds. A worker
that dies is replaced; one that dies again within seconds ends the service, with status 1, so that
whoever started it starts it anew. The process of `/metrics` is replaced too, and ends nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.process import BaseProcess
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.server import Server

from cds_service import __version__, collector, forking, hang_up, logs, metrics
from cds_service.config import Settings, Tls
from cds_service.errors import ConfigurationError
from cds_service.logs import Event, log
from cds_service.turn import working
from cds_service.web.management import management_app, serve_management

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from granian.server.common import AbstractServer

STOP_SECONDS = 10
LOOK_SECONDS = 1.0
"""How often it is checked, in seconds, that the process of `/metrics` is alive."""
THREADS = 512
"""Most requests under way side by side in one worker. A thread is made when it is needed and costs
little while it waits for a body that trickles in, so 500 slow callers do not shut out the next one
(T-56). Holding back more than that is for the proxy in front."""

_OF_THE_TERMINAL = frozenset({signal.SIGINT, signal.SIGHUP})
"""Signals that a terminal sends to every process started in it."""

MakeApp = Callable[[], Flask]
"""Makes the application inside a worker; must be a function of a module, or a partial of one."""


def serve(
    make_app: MakeApp,
    settings: Settings,
    *,
    knowledge: str,
    host: str,
    port: int,
    workers: int,
) -> None:
    """Serve until a stop signal. `knowledge` is what every answer of the management port names.

    Raises ConfigurationError when an address cannot be used, SystemExit when workers keep dying.
    """
    require_addresses(settings, host, port)
    hang_up.stay_ignored()
    forking.choose()
    with (
        _shared_metrics(settings, workers) as directory,
        _management(settings, directory, knowledge),
    ):
        server = _server(settings, host, port, workers)
        os.register_at_fork(after_in_child=_end_when_told)
        server.on_startup(_end_at_hang_up)
        log(Event.STARTED, mode=settings.mode.value, workers=workers, software=__version__)
        try:
            server.serve(target_loader=partial(_load, make_app, directory), wrap_loader=False)
        except SystemExit:
            # Workers that ended at a stop signal, even before the service got it, have not failed.
            if not server.interrupt_signal:
                log(Event.GIVEN_UP)
                raise
    log(Event.STOPPED)


def _server(settings: Settings, host: str, port: int, workers: int) -> AbstractServer[Any]:
    try:
        _require_no_passphrase(settings)
        return Server(
            "cds_service",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,  # decision 85
            workers=workers,
            blocking_threads=THREADS,
            workers_kill_timeout=STOP_SECONDS,
            respawn_failed_workers=True,
            websockets=False,
            log_enabled=False,
            log_access=False,
            ssl_cert=settings.tls_cert if settings.tls is Tls.DIRECT else None,
            ssl_key=settings.tls_key if settings.tls is Tls.DIRECT else None,
            ssl_protocol_min=SSLProtocols.tls12,
        )
    except OSError:  # of the certificate: nothing else is opened yet
        raise ConfigurationError(
            "Certificate and key cannot be used.",
            where="CDS_TLS_CERT and CDS_TLS_KEY",
            remedy="Give two PEM files that belong together and may be read.",
        ) from None


def _require_no_passphrase(settings: Settings) -> None:
    """Raises ConfigurationError for an encrypted key: OpenSSL would ask the terminal, and wait.

    Raises OSError for one that cannot be read.
    """
    key = settings.tls_key if settings.tls is Tls.DIRECT else None
    if key is not None and b"ENCRYPTED" in key.read_bytes():  # as in both headers PEM has for it
        raise ConfigurationError(
            "The key needs a passphrase.",
            where="CDS_TLS_KEY",
            remedy="Give a file that the service alone may read, with a key that needs none.",
        )


def _load(make_app: MakeApp, directory: str) -> WSGIApplication:
    """Runs in the worker: granian has just set up its own logging, which ours replaces."""
    _leave_the_terminal_to_the_service()
    _end_with_the_service(directory, signal.SIGTERM)
    logs.route_libraries()
    if directory:
        metrics.share(directory)
    app = make_app()
    collector.settle()
    return _in_turn(app)


def _in_turn(app: WSGIApplication) -> WSGIApplication:
    """The application, run by one thread at a time; the other threads wait (`turn`)."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with working():
            return app(environ, start_response)

    return answer


def _serve_management(directory: str, knowledge: str, host: str, port: int) -> None:
    """Runs in the process of `/metrics`. It ignores the signals of a terminal, and SIGTERM, which
    may be sent to every process of the service: only the service ends it, by SIGKILL. So it answers
    until the last request is finished, and if it is gone it has died of itself.
    """
    for sent in (*_OF_THE_TERMINAL, signal.SIGTERM):
        signal.signal(sent, signal.SIG_IGN)
    _end_with_the_service(directory, signal.SIGKILL)
    serve_management(management_app(directory, knowledge), host, port)


def _end_when_told() -> None:
    """Lets SIGTERM end a worker that is still starting. A forked worker begins with the handlers of
    the service, which only note the signal: until granian has set those of a worker, a stop would
    be lost, and the service would wait STOP_SECONDS and then kill the worker.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end_at_hang_up() -> None:
    """Lets SIGHUP end the service as SIGTERM does. Granian has just set a handler by which it would
    start the workers anew.
    """
    signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))


def _leave_the_terminal_to_the_service() -> None:
    """Blocks Ctrl-C and SIGHUP in a worker, which the service ends. Else a worker would end before
    it is told to, which counts as dying; or hear two signals, at which granian hangs until it is
    killed.

    Blocked and not ignored: granian sets handlers of its own later. Threads inherit the block.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _OF_THE_TERMINAL)


def _end_with_the_service(directory: str, by: signal.Signals) -> None:
    """Ends this process by the signal `by` once the service is gone, and removes the shared folder.
    If the service was killed, its processes would else go on answering, with settings of the past,
    and occupy the address that the next start needs.
    """
    threading.Thread(target=_await_the_end, args=(directory, by), daemon=True).start()


def _await_the_end(directory: str, by: signal.Signals) -> None:
    service = multiprocessing.parent_process()
    if service is not None:
        service.join()
        rmtree(directory, ignore_errors=True)  # the other processes count on in their open files
        os.kill(os.getpid(), by)
        time.sleep(STOP_SECONDS)
        os._exit(1)  # the signal came too early to be heard: the worker was still starting


def require_addresses(settings: Settings, host: str, port: int) -> None:
    """Raises ConfigurationError when the service could not listen where it is told to."""
    if settings.management_port == port:  # both would find it free below
        raise ConfigurationError(
            "The service cannot listen on the port of /metrics.",
            where=f"CDS_MANAGEMENT_PORT and --port {port}",
            remedy="Give each a port of its own.",
        )
    _require_free(host, port, "--port", "--host")
    if settings.management_port:
        of_metrics = (settings.management_host, settings.management_port)
        _require_free(*of_metrics, "CDS_MANAGEMENT_PORT", "CDS_MANAGEMENT_HOST")


def _require_free(host: str, port: int, port_from: str, host_from: str) -> None:
    """Raises ConfigurationError, one line, where granian would end with a traceback."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        raise ConfigurationError(
            "The address cannot be used.",
            where=f"{host}:{port}",
            remedy=f"Give a free {port_from} and a {host_from} of this machine.",
        ) from None


@contextmanager
def _shared_metrics(settings: Settings, workers: int) -> Iterator[str]:
    """The folder in which several processes add up what they count; "" when one process counts."""
    if workers == 1 and not settings.management_port:
        yield ""
        return
    with TemporaryDirectory(prefix="cds-metrics-") as directory:
        yield directory


@contextmanager
def _management(settings: Settings, directory: str, knowledge: str) -> Iterator[None]:
    """`/metrics` on its own port, in a process of its own, for as long as the service runs."""
    if not settings.management_port:
        yield
        return
    where = (directory, knowledge, settings.management_host, settings.management_port)
    process = multiprocessing.Process(target=_serve_management, args=where, daemon=True)
    process.start()
    stopping = threading.Event()
    keeper = threading.Thread(target=_keep_management, args=(process, where, stopping))
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join()


def _keep_management(
    process: BaseProcess, where: tuple[str, str, str, int], stopping: threading.Event
) -> None:
    """Replace the process of `/metrics` whenever it has died; end it when the service stops."""
    while not stopping.wait(LOOK_SECONDS):
        if not process.is_alive():
            log(Event.METRICS_AWAY)
            # Spawned, not forked: this is not the main thread, and others may hold locks.
            another = multiprocessing.get_context("spawn").Process(
                target=_serve_management, args=where, daemon=True
            )
            with suppress(OSError):  # no memory, or too many processes: tried again in a second
                another.start()
                process = another
    process.kill()
    process.join()
