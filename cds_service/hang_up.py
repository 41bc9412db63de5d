"""SIGHUP, which a closed terminal sends: it stops the service, unless it is ignored.

Left to themselves, the libraries under the server and the worker would restart on it, and read only
a part of the settings again.
"""

from __future__ import annotations

import signal


def stay_ignored() -> None:
    """Block SIGHUP if it is ignored: who started this process by `nohup` wants it to outlive the
    terminal, and the libraries set handlers of their own later.

    Threads and processes inherit the block, but one thread without it is enough for the signal to
    be heard. So this comes before the first of them.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
