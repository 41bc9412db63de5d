"""What the service is made of: an SBOM (CycloneDX) and the licences, from the locked packages.

`make sbom` installs the runtime lock alone into an environment of its own and describes that, so
no development tool is listed and nothing is listed that was not installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SBOM = ROOT / "docs" / "sbom.json"
LICENCES = ROOT / "docs" / "licences.md"

_HEAD = """\
# Licences of what is installed with the service

Made by `make sbom` from the packages of `requirements/runtime.txt` that Python 3.11 installs, as
they describe themselves; the same list for machines is [sbom.json](sbom.json) (CycloneDX). The
licences of the code systems whose codes are shipped (LOINC, UCUM, SNOMED CT, ATC, RxNorm,
ICD-10-CM) are in [NOTICE](../NOTICE).

| package | version | licence |
|---|---|---|
"""
_CLASSIFIER = "License :: OSI Approved :: "
_READ = {("huey", "3.5.4"): "MIT"}
"""Of packages that name none, as their own files say; to be read anew for each version."""


def main(python: str) -> None:
    """Describe the environment of an interpreter."""
    made = subprocess.run(  # noqa: S603 - our own tool, fixed arguments
        [
            *(str(Path(sys.executable).with_name("cyclonedx-py")), "environment", python),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application"),
            *("--output-reproducible", "--output-format", "JSON"),
        ],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    document: dict[str, Any] = json.loads(made)
    document["components"] = [
        _with_licence(_without_place(part)) for part in document["components"] if _ours(part)
    ]
    document["components"].sort(key=lambda part: part["name"].lower())
    document["metadata"].pop("tools", None)
    SBOM.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    LICENCES.write_text(_HEAD + "".join(map(_row, document["components"])), encoding="utf-8")


def _ours(part: dict[str, Any]) -> bool:
    """Whether a part belongs to the service; pip only put it there."""
    return part["name"] not in {"pip", "setuptools"}


def _without_place(part: dict[str, Any]) -> dict[str, Any]:
    """The part without where it was fetched from or lies on this machine."""
    links = [link for link in part.get("externalReferences", []) if link["type"] != "distribution"]
    return {**part, "externalReferences": links}


def _with_licence(part: dict[str, Any]) -> dict[str, Any]:
    """The part with the licence that was read in its files, if it names none."""
    read = _READ.get((part["name"], part["version"]))
    if part.get("licenses") or read is None:
        return part
    return {**part, "licenses": [{"license": {"acknowledgement": "concluded", "id": read}}]}


def _row(part: dict[str, Any]) -> str:
    return f"| {part['name']} | {part['version']} | {licence_of(part)} |\n"


def licence_of(part: dict[str, Any]) -> str:
    """The licence as the package names it, the shortest way."""
    names = []
    for said in part.get("licenses", []):
        licence = said.get("license", {})
        names.append(said.get("expression") or licence.get("id") or licence.get("name", ""))
    short = [name for name in names if name and len(name) < 80 and "\n" not in name]
    exact = [name for name in short if not name.startswith(_CLASSIFIER)]
    loose = [name.removeprefix(_CLASSIFIER) for name in short]
    return " and ".join(dict.fromkeys(exact or loose)) or "not named: see its own files"


if __name__ == "__main__":
    main(sys.argv[1])
