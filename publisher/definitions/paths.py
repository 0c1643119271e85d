"""Path templates: ``/museum-hours/{id}``, and ``/*`` at the end for everything below.

Of the templates that fit a request, the most specific wins: exact, then ``{name}``, then ``/*``.
"""

import re
from typing import Final

from common.paths import gateway_path

LONGEST_PATH: Final = 500
_ANY_PARAMETER = re.compile(r"\{[^{}]*\}")
_WHOLE_PARAMETER = re.compile(r"\{([A-Za-z0-9_.-]+)\}")
# pchar of RFC 3986 without percent-encoding, which could be read in more than one way.
_LITERAL = re.compile(r"[A-Za-z0-9._~!$&'()+,;=:@-]+")


def path_shape(path: str) -> str:
    """The path without the names of its parameters: templates of one shape fit the same requests."""
    return _ANY_PARAMETER.sub("{}", path)


def parameters_of(path: str) -> list[str]:
    """The names of the parameters in a path, in order."""
    return [match[1:-1] for match in _ANY_PARAMETER.findall(path)]


def fault_of_imported(path: str) -> str:
    """Why an imported path cannot be a template, or an empty string."""
    if len(path) > LONGEST_PATH:
        return f"the path is longer than {LONGEST_PATH} characters"
    rest = _ANY_PARAMETER.sub("", path)
    if "{" in rest or "}" in rest:
        return "a brace of the path has no partner"
    names = parameters_of(path)
    if "" in names or len(set(names)) != len(names):
        return "each parameter of the path needs a name of its own"
    return ""


def never_called(path: str) -> str:
    """Why no request that a gateway lets through has this imported path, or an empty string."""
    rest = _ANY_PARAMETER.sub("x", path)
    if "?" in rest or "#" in rest:
        return "a path has no query and no fragment: no call will match"
    if gateway_path(rest) is None:
        return "the gateway lets no call with such a path through: no call will match"
    return ""


def fault_of_given(path: str) -> str:
    """Why a path given by hand is refused, or an empty string."""
    if not path.startswith("/"):
        return "It must start with '/'."
    if len(path) > LONGEST_PATH:
        return f"At most {LONGEST_PATH} characters."
    segments = path[1:].split("/")
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if reason := _fault_of_segment(segment, last=last):
            return reason
    names = parameters_of(path)
    if len(set(names)) != len(names):
        return "Each parameter needs a name of its own."
    if gateway_path(_ANY_PARAMETER.sub("x", path)) is None:
        return "The gateway lets no call with such a path through."
    return ""


def _fault_of_segment(segment: str, *, last: bool) -> str:
    if segment == "":
        return "" if last else "'//' is not allowed."
    if segment in {".", ".."}:
        return "'.' and '..' are not allowed."
    if "*" in segment:
        return "" if segment == "*" and last else "'*' may only be the whole last segment."
    if "{" in segment or "}" in segment:
        return "" if _WHOLE_PARAMETER.fullmatch(segment) else "A parameter such as {id} must be a whole segment."
    if not _LITERAL.fullmatch(segment):
        return f"The segment '{segment}' has characters that a path cannot have, or percent-encoding."
    return ""
