"""A card as a careless client would show it: raw HTML let through, addresses made into links.

GitHub-flavoured autolinks (`https://`, `www.`, e-mail) are what many clients add; the small rule
here finds them in the text that is left after Markdown was read, as such a client does.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt

_AUTOLINK = re.compile(
    r"(?:\b(?:https?|ftp)://|\bwww\.)[^\s<]+|[A-Za-z0-9.+_-]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]*[A-Za-z]\b",
    re.IGNORECASE,
)
_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class _Parts(HTMLParser):
    """The tags and the text of a page, link targets included."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if not (self.tags and self.tags[-1] == "a"):
            self.targets += _AUTOLINK.findall(data)

    def handle_comment(self, data: str) -> None:
        self.tags.append("!--")

    def handle_decl(self, decl: str) -> None:
        self.tags.append("!")

    def handle_pi(self, data: str) -> None:
        self.tags.append("?")


def _parts(page: str) -> _Parts:
    parser = _Parts()
    parser.feed(page)
    parser.close()
    return parser


def as_html(markdown: str) -> str:
    """The page that a client makes of a card's detail."""
    page: str = _MARKDOWN.render(markdown)
    return page


def tags(page: str) -> set[str]:
    """The names of all elements; `a` also where a client would make a link by itself."""
    parts = _parts(page)
    return {*parts.tags, *(["a"] if parts.targets else [])}


def targets(page: str) -> set[str]:
    """Where links and images of the page lead."""
    return set(_parts(page).targets)


def shown(page: str) -> str:
    """The text that a reader sees."""
    return "".join(_parts(page).text)
