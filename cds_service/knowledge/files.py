"""From the folder `cards/` to proved knowledge: the only place that reads knowledge files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from cds_service.config import Settings
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.knowledge_reader import read_knowledge
from cds_service.core.proof import prove
from cds_service.core.site.file import apply_site, read_site
from cds_service.errors import KnowledgeError
from cds_service.knowledge.approval import content_digest, read_approvals, review_state

ALL_TERMINOLOGIES = frozenset({"snomed"})


@dataclass(frozen=True)
class Library:
    """All analytes' knowledge by id: each folder of `cards/` with a knowledge.toml is one."""

    bases: Mapping[str, KnowledgeBase]
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the texts each was read from: what a reviewer signs."""

    @property
    def tags(self) -> str:
        """What the Knowledge-Version header says: `sil2r@2026.1`."""
        return ", ".join(base.tag for base in self.bases.values())


def load_library(
    folder: Path | Traversable | None = None,
    *,
    terminologies: frozenset[str] = ALL_TERMINOLOGIES,
) -> Library:
    """Read and prove every analyte's knowledge under `folder` (the packaged `cards` by default).

    Raises KnowledgeError naming file, row and remedy.
    """
    return _proved(read_library(folder, terminologies=terminologies))


def read_library(folder: Path | Traversable | None, *, terminologies: frozenset[str]) -> Library:
    """As `load_library`, but without proof: for the check, which lists all faults itself."""
    files = dict(_texts(folder or resources.files("cards")))
    analytes = [
        name.removesuffix("/knowledge.toml")
        for name in files
        if name.endswith("/knowledge.toml") and name.count("/") == 1
    ]
    if not analytes:
        raise KnowledgeError(
            "no analyte is described here.",
            where="cards" if folder is None else str(folder),
            remedy="Add a folder with a knowledge.toml.",
        )
    bases = {}
    for analyte in analytes:
        base = read_knowledge(files, analyte, terminologies=terminologies)
        if base.identity.id != analyte:
            raise KnowledgeError(
                f"the id '{base.identity.id}' is not the folder's name.",
                where=f"{analyte}/knowledge.toml [knowledge]",
                remedy="Give folder and id the same name.",
            )
        bases[analyte] = base
    return Library(bases, {analyte: content_digest(files, analyte) for analyte in bases})


def load_configured(settings: Settings) -> Library:
    """The library as the settings name it: folder, terminologies, the site's additions, and the
    state of review.
    """
    library = load_library(settings.knowledge, terminologies=settings.terminologies)
    if settings.site is not None:
        library = with_site(library, settings.site)
    if settings.approval is not None:
        library = with_approvals(library, settings.approval)
    return library


def with_site(library: Library, file: Path) -> Library:
    """The library with a site file's additions, proved again. Raises KnowledgeError."""
    return _proved(with_site_unproved(library, file))


def with_site_unproved(library: Library, file: Path) -> Library:
    """As `with_site`, but without proof: for the check, which lists all faults itself."""
    try:
        site = read_site(file.read_text(encoding="utf-8"), file.name)
    except UnicodeDecodeError:
        raise KnowledgeError(
            "the site file is not text in UTF-8.", where=file.name, remedy="Save it as UTF-8."
        ) from None
    except OSError:
        raise KnowledgeError(
            "the site file cannot be read.", where=file.name, remedy="Check path and permissions."
        ) from None
    return replace(library, bases=apply_site(library.bases, site))


def with_approvals(library: Library, file: Path) -> Library:
    """The library with the state of review that the approval file gives. Raises KnowledgeError."""
    approvals = read_approvals(file)
    bases = {
        name: replace(base, review=review_state(base.tag, library.digests[name], approvals))
        for name, base in library.bases.items()
    }
    return replace(library, bases=bases)


def _proved(library: Library) -> Library:
    for base in library.bases.values():
        prove(base)
    return library


def _texts(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    with _readable(prefix or str(folder)):
        entries = sorted(folder.iterdir(), key=lambda item: item.name)
    for entry in entries:
        name = f"{prefix}{entry.name}"
        with _readable(name):
            if entry.is_dir():
                yield from _texts(entry, f"{name}/")
            elif name.endswith((".toml", ".md")):
                yield name, entry.read_text(encoding="utf-8")


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Raises KnowledgeError for a file or folder that cannot be read as text."""
    try:
        yield
    except (OSError, UnicodeDecodeError):
        raise KnowledgeError(
            "this cannot be read.",
            where=name,
            remedy="Check path and permissions; texts are UTF-8.",
        ) from None
