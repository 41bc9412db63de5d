"""Ask a service on this machine what it offers: `python3 ask_discovery.py PORT`."""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection


def main(port: int) -> None:
    """Print the ids of the services; fails when there is no answer or no service."""
    connection = HTTPConnection("127.0.0.1", port, timeout=3)
    connection.request("GET", "/cds-services")
    answer = connection.getresponse()
    services = [service["id"] for service in json.load(answer)["services"]]
    if answer.status != 200 or not services:
        raise SystemExit(f"unexpected answer: {answer.status}")
    sys.stdout.write(", ".join(services) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
