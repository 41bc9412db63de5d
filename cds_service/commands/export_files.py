"""The files of an export: which are meant, and what stands in them, one resource after the other.

Nothing that was given is passed over in silence: what cannot be read is left aside, and told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cds_service.commands.documents import LINES, is_hook_request
from cds_service.core.json_object import JsonObject
from cds_service.errors import InputError, MalformedJson
from cds_service.fhir.shape import type_of
from cds_service.strict_json import parse_object

_NAMES = (".json", LINES)

Step = Callable[[int], object]
"""Called with how much more is done, in bytes or charts."""


@dataclass(frozen=True, slots=True)
class LeftAside:
    """A file, a line or a folder that could not be read, wholly or in part."""

    place: str
    because: str


@dataclass(frozen=True, slots=True)
class Found:
    """A resource, perhaps a Bundle, and where it stands."""

    place: str
    document: JsonObject


def files_in(paths: Iterable[Path]) -> tuple[Sequence[Path], Sequence[LeftAside]]:
    """The files that are meant: those named, and in folders, at any depth, those that hold JSON by
    their name; and what is left aside. Each file once.

    Raises InputError where there is none.
    """
    found: dict[Path, None] = {}
    aside: list[LeftAside] = []
    for path in paths:
        if not path.is_dir():
            inside: Sequence[Path] = [path]
        else:
            inside, told = _inside(path)
            aside += told
        for file in inside:
            if _is_file(file):
                found.setdefault(file)
            else:
                aside.append(LeftAside(str(file), "It is no file that can be read twice."))
    if not found:
        raise InputError(
            "There is no file whose name ends in .json or .ndjson.",
            where=" ".join(map(str, paths)),
            remedy="Give FHIR R4 resources or Bundles, one in a file or one in a line.",
        )
    return list(found), aside


def resources_in(files: Iterable[Path], step: Step) -> Iterator[Found | LeftAside]:
    """What stands in the files, in their order."""
    for file in files:
        try:
            if file.suffix.lower() == LINES:
                with file.open("rb") as lines:
                    for number, line in enumerate(lines, start=1):
                        step(len(line))
                        if line.strip():
                            yield _document(line, f"{file} line {number}")
            else:
                yield _whole(file, step)
        except OSError:
            yield LeftAside(str(file), "It cannot be read. Check path and permissions.")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # it stands in a folder that may be listed and not entered
        return False


def _inside(folder: Path) -> tuple[Sequence[Path], Sequence[LeftAside]]:
    files: list[Path] = []
    aside: list[LeftAside] = []

    def closed(error: OSError) -> None:
        aside.append(LeftAside(str(error.filename), "This folder cannot be opened."))

    for place, folders, names in os.walk(folder, onerror=closed):
        here = Path(place)
        folders.sort()
        links = filter(Path.is_symlink, map(here.joinpath, folders))
        aside += [
            LeftAside(str(link), "It is a link to a folder. Give that too.") for link in links
        ]
        for file in sorted(map(here.joinpath, names)):
            if file.suffix.lower() in _NAMES:
                files.append(file)
            else:
                aside.append(LeftAside(str(file), "Its name ends neither in .json nor in .ndjson."))
    return files, aside


def _whole(file: Path, step: Step) -> Found | LeftAside:
    data = file.read_bytes()
    step(len(data))
    hint = " Where each line is a resource, name it .ndjson." if b"\n{" in data else ""
    return _document(data, str(file), hint)


def _document(data: bytes, place: str, hint: str = "") -> Found | LeftAside:
    try:
        document = parse_object(data)
    except MalformedJson as error:
        return LeftAside(place, f"{error.text} {error.remedy}{hint}")
    if is_hook_request(document):
        return LeftAside(place, "It is a CDS Hooks request; `cds-service evaluate` takes those.")
    if not type_of(document):
        return LeftAside(place, "It is no FHIR resource.")
    return Found(place, document)
