"""The source `lab` of tests of events, as a registry names it: a FHIR server, and its secret."""

from __future__ import annotations

from pathlib import Path

from tests.kept import KEY

SECRET = "a-shared-secret-of-the-test"
BEARER = {"Authorization": f"Bearer {SECRET}"}


def row_of(base: str, folder: Path, more: str = "") -> str:
    """Its row; its secret is put into the folder, where a registry there looks for it."""
    (folder / "lab.secret").write_text(SECRET)
    return f'[[source]]\nname = "lab"\nfhir_server = "{base}"\nsecret_file = "lab.secret"\n{more}'


def registry_of(base: str, folder: Path, more: str = "") -> Path:
    """The file of a registry that holds this row and no other."""
    file = folder / "clients.toml"
    file.write_text(row_of(base, folder, more))
    return file


def environment_of(base: str, folder: Path) -> dict[str, str]:
    """The settings of an installation in this folder, with this source."""
    return {
        "CDS_CLIENTS": str(registry_of(base, folder)),
        "CDS_DATABASE_URL": f"sqlite:///{folder / 'cds.sqlite3'}",
        "CDS_DATA_KEY": KEY.base64(),
    }
