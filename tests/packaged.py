"""The packaged knowledge, read and proved once for all tests of a process."""

from __future__ import annotations

from cds_service.knowledge.files import load_library

LIBRARY = load_library()
SIL2R = LIBRARY.bases["sil2r"]
