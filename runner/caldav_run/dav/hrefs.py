"""Hrefs in the server's own spelling: compared, shortened and completed, never rewritten.

Servers percent-escape in upper or lower case, escape `@` or not, leave spaces and `?` bare, and
send whole URLs or paths. The spelling is kept as the identity; only comparisons look through it.
"""

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

_URL: Final = re.compile(r"https?://[^/]*", re.IGNORECASE)
# Everything that may stand in a path (RFC 3986 section 3.3), and % because escapes stay.
_LEGAL_IN_PATH: Final = "/%:@!$&'()*+,;=~-._"


def path_of(href: str) -> str:
    """Return the path of an href as spelled; a bare `?` belongs to the name."""
    if match := _URL.match(href):
        return href[match.end() :] or "/"
    return href


def key(path: str) -> str:
    """Return a text that is equal for two spellings of one path; a final slash is ignored."""
    path = "/" + path.strip("/")
    if "%" not in path:
        return path
    segments = (unquote(part, errors="surrogateescape") for part in path.split("/"))
    # A slash inside a name is not a separator, nor what looks like one that is escaped.
    return "/".join(segment.replace("%", "%25").replace("/", "%2F") for segment in segments)


def resolve(base: str, href: str) -> str:
    """Return the URL to ask for an href that was found in the answer of `base`.

    Args:
        base: The URL that gave the answer; a collection ends with a slash.
        href: A URL, an absolute path, or a name relative to `base`.
    """
    parts = urlsplit(base)
    root = f"{parts.scheme}://{parts.netloc}"
    path = path_of(href)
    if match := _URL.match(href):
        try:
            urlsplit(match.group())
        except ValueError:
            # No host at all: a name that nothing will be found by.
            path = href
        else:
            root = match.group()
    if not path.startswith("/"):
        # Not urljoin: it would take "a:b.ics" for a scheme and "//x" for a host.
        path = parts.path.rpartition("/")[0] + "/" + path
    return root + quote(path, safe=_LEGAL_IN_PATH)


def relative(href: str, collection: str) -> str | None:
    """Return an href relative to a collection, in its own spelling.

    Args:
        href: As the server spells it.
        collection: The collection's path or URL.

    Returns:
        The rest after the collection's path (empty for the collection itself), or None when the
        href does not lie in it.
    """
    path = path_of(href)
    folder = path_of(collection).rstrip("/") + "/"
    if path.startswith(folder):
        return path[len(folder) :]
    if not path.startswith("/"):
        return path
    depth = folder.count("/")
    parts = path.split("/")
    if key("/".join(parts[:depth])) != key(folder):
        return None
    return "/".join(parts[depth:])
