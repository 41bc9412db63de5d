"""What stands nowhere in the code: calls that run text, trust blindly, or read unsafe formats."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cds_service

SOURCES = sorted(Path(cds_service.__file__).parent.rglob("*.py"))
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml", "xml", "lxml", "telnetlib"}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "yaml.load",
    "pickle.loads",
    "tempfile.mktemp",
    "ssl._create_unverified_context",
    "random.random",
    "random.choice",
}
SWITCHES = {("verify", False), ("shell", True), ("check_hostname", False), ("debug", True)}


def faults(text: str) -> Iterator[str]:
    """Every dangerous import, call or argument in a piece of code."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                yield from (n.name for n in names if n.name.partition(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in MODULES:
                yield module
            case ast.Call(func=function) if ast.unparse(function) in CALLS:
                yield ast.unparse(function)
            case ast.keyword(arg=str(name), value=ast.Constant(value=bool(value))):
                yield from _switched(name, value)
            case ast.Assign(
                targets=[ast.Attribute(attr=name)], value=ast.Constant(value=bool(value))
            ):
                yield from _switched(name, value)
            case ast.Attribute(attr="CERT_NONE"):
                yield "CERT_NONE"
            case _:
                pass


def _switched(name: str, value: bool) -> Iterator[str]:
    if (name, value) in SWITCHES:
        yield f"{name}={value}"


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "import xml.etree.ElementTree as E",
        "from yaml import load",
        "eval('1')",
        "exec(text)",
        "import os\nos.system('ls')",
        "yaml.load(text)",
        "requests.get(url, verify=False)",
        "subprocess.run('ls', shell=True)",
        "session.verify = False",
        "context.check_hostname = False",
        "context.verify_mode = ssl.CERT_NONE",
        "app.run(debug=True)",
    ],
)
def test_t77_the_search_finds_what_it_is_for(text: str) -> None:
    assert list(faults(text))


def test_t77_no_dangerous_call_stands_in_the_code() -> None:
    assert len(SOURCES) > 100
    found = {
        source.name: list(faults(text))
        for source in SOURCES
        if any(faults(text := source.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_t77_no_marker_silences_the_linters_security_rules_without_a_reason() -> None:
    """`# noqa: S…` must say why, on the same line."""
    silenced = [
        f"{source.name}: {line.strip()}"
        for source in SOURCES
        for line in source.read_text(encoding="utf-8").splitlines()
        if re.search(r"#\s*noqa(?!:)|#\s*noqa:[^-]*\bS\d{3}\b(?!.* - \w)", line)
    ]
    assert silenced == []
