"""Resolves the service's URL and the API key: from the caller, else from the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import ProctorError


@dataclass(frozen=True)
class Endpoint:
    base: str
    """The URL without a slash at its end."""
    host: str
    port: int
    tls: bool
    path: str
    """The path before `/v1`; empty or with a slash at its start."""
    authority: str
    """The value of the `Host` header."""
    api_key: str


def endpoint_of(url: str | None, api_key: str | None) -> Endpoint:
    """Raises ProctorError of code `misconfigured`, which no repetition mends."""
    url = (url or os.environ.get("PROCTOR_URL") or "").strip()
    api_key = (api_key or os.environ.get("PROCTOR_API_KEY") or "").strip()
    if not url:
        raise _misconfigured("there is no service to talk to: give `url`, or set PROCTOR_URL")
    if not api_key:
        raise _misconfigured("there is no API key: give `api_key`, or set PROCTOR_API_KEY")
    # Not quoted: it may be a key with a slip in it.
    if not _PRINTABLE.fullmatch(api_key):
        raise _misconfigured("the API key holds white space or characters that no HTTP header takes")
    try:
        parts = urlsplit(url)
        tls = {"https": True, "http": False}[parts.scheme.lower()]
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or (443 if tls else 80)
    except (ValueError, KeyError):
        host = ""
    path = parts.path.rstrip("/") if host else ""
    if not host or parts.username is not None or parts.query or parts.fragment or not _PATH.fullmatch(path):
        raise _misconfigured("the service's URL is none; write it as https://proctor.example.com")
    named = f"[{host}]" if ":" in host else host
    authority = named if parts.port is None else f"{named}:{port}"
    base = f"{'https' if tls else 'http'}://{authority}{path}"
    return Endpoint(base, host, port, tls, path, authority, api_key)


_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_PATH = re.compile(r"[\x21-\x7e]*")


def _misconfigured(message: str) -> ProctorError:
    return ProctorError("misconfigured", message, attempts=0)
