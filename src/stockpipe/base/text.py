"""Text from outside, made safe to show. The one place that knows what a secret looks like and how it is hidden."""

from __future__ import annotations

import html
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from itertools import pairwise
from urllib.parse import quote, quote_plus, unquote, urlsplit

from stockpipe.errors import StockpipeError

# A password may hold any character, so all up to the last @ is hidden; without a scheme, only what looks like
# user:password, as a user may be an address, and what begins with a drive of Windows is a path.
_USERINFO = re.compile(r"(?<=//).+(?=@)|^(?!.*//|[A-Za-z]:[\\/])[^@]*:.*(?=@)", re.DOTALL)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# What follows the ? or the # of a URL; without a scheme, only name=value.
_QUERY = re.compile(r"(?<=\?).*$", re.DOTALL)
_FRAGMENT = re.compile(r"(?<=#).*$", re.DOTALL)
_URL_PART = re.compile(r"[^/@?#:.]+")
_BARE_QUERY = re.compile(r"(?<=\?)\S*=\S*")

_KNOWN_LOOKS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|^\s*LS0tLS1CRUdJTi"), "a private key"),
    (re.compile(r"-----BEGIN "), "a key or certificate in PEM form"),
    (re.compile(r"^\s*MI[A-Za-z0-9+/]{2}[A-Za-z0-9+/=\s]{56,}$"), "a private key without its first and last line"),
    (re.compile(r"(?<![A-Za-z0-9])ey[JI][A-Za-z0-9_-]{8,}(\.|$)"), "a token (JWT)"),
    (
        re.compile(
            r"(?<![A-Za-z0-9])(gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AKIA[0-9A-Z]{8}|AIza|hvs\.|npm_|pypi-Ag|ya29\.|"
            r"sk-|sk_live_|sk_test_|Bearer\s|Basic\s)\S{6,}"
        ),
        "a key or token",
    ),
)
_WORD = re.compile(r"[A-Za-z0-9_+=~-]{16,}")
_BASE64 = re.compile(r"[A-Za-z0-9+][A-Za-z0-9+/=_-]{31,}")
_HEX = re.compile(r"[0-9a-f]{24,}|[0-9A-F]{24,}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# A secret of a letter or two would hide ordinary words.
_SHORTEST = 4
_SHORT = 16


def literal(value: object) -> str:
    """A text or a flag as SQL has it: 'it''s', true. Snowflake reads backslashes too; `snowflake_text` doubles them."""
    return str(value).lower() if isinstance(value, bool) else "'" + str(value).replace("'", "''") + "'"


def in_quotes(name: str) -> str:
    """A stored name in double quotes, as SQL has it: `my "own" table` is `"my ""own"" table"`."""
    return '"' + name.replace('"', '""') + '"'


def day_literal(day: date) -> str:
    """A day as SQL has it: DATE '2026-02-06'."""
    return f"DATE '{day.isoformat()}'"


def printable(text: str) -> str:
    """Outside text made safe for a terminal: control characters are shown escaped."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def looks_like(text: str) -> str:
    """Which kind of secret a text looks like, such as "a private key"; "" for a text that looks like none.

    Only its form is judged. Of a URL the user, the query and random parts of the path count.
    """
    for pattern, kind in _KNOWN_LOOKS:
        if pattern.search(text):
            return kind
    if _URL.match(text):
        return "a URL with a secret" if without_secrets(text) != text else ""
    return "a random key" if _is_random(text) else ""


def _is_random(word: str) -> bool:
    """Whether a word without spaces or dots is no name: letters and digits change place too often for that."""
    if _HEX.fullmatch(word):
        return True
    if not (_WORD.fullmatch(word) or (_BASE64.fullmatch(word) and re.search(r"[A-Z]", word))):
        return False
    signs = re.sub(r"[^A-Za-z0-9]", "", word)
    kinds = ["digit" if sign.isdigit() else "upper" if sign.isupper() else "lower" for sign in signs]
    changes = sum(one != other for one, other in pairwise(kinds))
    # Of random letters and digits some sixth are digits, and six in ten signs differ in kind from the one before.
    return kinds.count("digit") * 12 >= len(kinds) > kinds.count("digit") and changes >= 0.3 * len(signs)


def described(text: str) -> str:
    """A text that is not shown, in words: `a text of 1,704 characters in 28 lines that looks like a private key`."""
    lines = text.count("\n") + 1
    several, kind = f" in {lines} lines" if lines > 1 else "", looks_like(text)
    return f"a text of {len(text):,} characters{several}" + (f" that looks like {kind}" if kind else "")


def quoted(text: str, most: int = _SHORT) -> str:
    """A setting's value for an error: in quotes when it is harmless and has at most `most` characters, else described.

    A URL is quoted at any length, without its secrets.
    """
    safe = without_secrets(text)
    if _URL.match(text) or safe != text:
        return described(text) if looks_like(safe) or "\n" in safe or len(safe) > 200 else repr(safe)
    if len(text) > most or "\n" in text or looks_like(text) or (most == _SHORT and _is_mixed(text)):
        return described(text)
    return repr(text)


def _is_mixed(text: str) -> bool:
    """Whether a word has the form that rules for passwords ask for: eight signs of three kinds."""
    kinds = (str.islower, str.isupper, str.isdigit, lambda sign: not sign.isalnum())
    return len(text) >= 8 and " " not in text and sum(any(map(kind, text)) for kind in kinds) >= 3


def without_secrets(text: str) -> str:
    """A setting's text as it may be shown: of a URL the user, the query, the fragment and random parts are hidden."""
    text = _USERINFO.sub("***", text)
    if not _URL.match(text):
        return _BARE_QUERY.sub("***", text)
    text = _FRAGMENT.sub("***", _QUERY.sub("***", text))
    scheme, _, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    # A host with a dot has its name from somebody else; one without may be a key.
    return f"{scheme}://{host if '.' in host else _without_random(host)}{slash}{_without_random(path)}"


def _without_random(text: str) -> str:
    return _URL_PART.sub(lambda part: "***" if _is_random(part[0]) else part[0], text)


def secret_parts(text: str) -> set[str]:
    """What is secret in the text of a setting that is not called a secret: parts of a URL, or all of it by its look."""
    parts: set[str] = set()
    for user in _USERINFO.findall(text):
        parts |= {user, *user.split(":", 1)[1:]}
    for query in (*_QUERY.findall(text), *_BARE_QUERY.findall(text)) if "=" in text or _URL.match(text) else ():
        values = (pair.rpartition("=")[2] for pair in re.split("[&#;]", query))
        parts |= {query, *(value for value in values if len(value) >= 8)}
    if looks_like(text):
        parts |= {part for part in _URL_PART.findall(text) if _is_random(part)} if _URL.match(text) else {text}
    return {part for part in parts if len(part) >= _SHORTEST}


def redacted(text: str, secrets: Iterable[str]) -> str:
    """A text without secrets, as what others sent may hold one: each is `***`, escaped forms and lines of it too."""
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "***")
    return text


@lru_cache(maxsize=256)
def _spellings(secret: str) -> tuple[str, ...]:
    """A secret as others may write it: escaped for Python, JSON, a URL or HTML, without %xx, line by line."""
    if len(secret) < _SHORTEST:
        return ()
    lines = [line.strip() for line in re.split(r"[\r\n]+|\\r\\n|\\n", secret)]
    texts = (
        secret, secret.strip(), repr(secret)[1:-1], printable(secret), json.dumps(secret)[1:-1], unquote(secret),
        quote(secret, safe="", errors="replace"), quote(secret, errors="replace"), quote_plus(secret, errors="replace"),
        html.escape(secret), html.escape(secret, quote=False),
        secret.replace("/", "\\/"),
        *(line for line in lines if len(line) >= _SHORT and not line.startswith("-----")),
    )  # fmt: skip
    return tuple({text for text in texts if len(text) >= _SHORTEST})


@contextmanager
def hiding(secrets: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Let no secret leave in the text of a StockpipeError; `secrets` is asked when there is one."""
    try:
        yield
    except StockpipeError as error:
        hidden = frozenset(secrets())
        error.rewrite(lambda text: redacted(text, hidden))
        raise


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_host(host: str) -> bool:
    """Whether a text can be a host name or an address at all: sockets take no other, and fail in a way of their own."""
    try:
        host.encode("ascii").decode("ascii").encode("idna")
    except UnicodeError:
        return False
    return not any(char.isspace() for char in host)


def is_safe_url(url: str) -> bool:
    """Whether secrets may be sent there: a URL of plain signs, with https, or with http to this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(" \"'\\<>") & set(url)
    return plain and bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or "")))
