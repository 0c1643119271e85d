"""Where servers describe themselves, and reading addresses that they give."""

from urllib.parse import urlsplit

_WELL_KNOWN = "/.well-known/"


def discovery_urls(issuer: str) -> tuple[str, ...]:
    """Where the documents of an issuer can be, the most telling first.

    RFC 8414 section 3 puts the well-known part before the issuer's path; servers under a prefix often serve it after
    the path; OpenID Connect Discovery section 4 puts its own after the path.
    """
    parts = urlsplit(issuer)
    origin, path = origin_of(issuer), parts.path.rstrip("/")
    places = (
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}{path}/.well-known/oauth-authorization-server",
    )
    return tuple(dict.fromkeys(places))


def issuer_of_place(place: str) -> str:
    """The issuer, without a slash at its end, whose document is at ``place``: ``discovery_urls`` the other way."""
    before, _, after = urlsplit(place).path.partition(_WELL_KNOWN)
    return f"{origin_of(place)}{before or after.partition('/')[1] + after.partition('/')[2]}".rstrip("/")


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """The host without its port, in lower case; "" for what is no URL."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def path_of(url: str) -> str:
    """The path."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def is_below(host: str, *domains: str) -> bool:
    """Whether ``host`` is one of ``domains`` or below one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
