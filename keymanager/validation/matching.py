"""Finding the operation of a method and path: exact text before a parameter, a parameter before a trailing ``/*``."""

import re
from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import quote, unquote

Found = TypeVar("Found")
_PARAMETER = re.compile(r"\{[^{}/]*\}")
# Characters that stand in a path segment as they are (RFC 3986 section 3.3); every other one is compared escaped.
_SEGMENT_SAFE = "-._~!$&'()*+,;=:@"


def comparable(segment: str) -> str:
    """One way of writing a path segment, so that ``%C3%BC`` and ``ü``, or ``%2d`` and ``-``, compare equal."""
    if segment.isascii() and "%" not in segment:
        return segment
    return quote(unquote(segment, errors="surrogateescape").encode("utf-8", "surrogateescape"), safe=_SEGMENT_SAFE)


class _Node(Generic[Found]):
    """One position in the tree of templates."""

    __slots__ = ("any_segment", "literals", "patterns", "tail", "verbs")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[Found]] | None = None
        self.patterns: list[tuple[_SegmentPattern, _Node[Found]]] | None = None
        self.any_segment: _Node[Found] | None = None
        self.verbs: dict[str, Found] | None = None
        self.tail: dict[str, Found] | None = None


class OperationMatcher(Generic[Found]):
    """The operations of one API version, by method and path template.

    Templates: text, ``{parameter}`` for (a part of) one segment, and ``*`` as the last segment for the path itself and
    everything below it. The more exact template that knows the method wins, segment by segment. ``HEAD`` is answered by
    ``GET`` where the API does not name it (RFC 9110 section 9.3.2).
    """

    __slots__ = ("_exact", "_root")

    def __init__(self, operations: Iterable[tuple[str, str, Found]]) -> None:
        self._root: _Node[Found] = _Node()
        self._exact: dict[str, dict[str, Found]] = {}
        for method, template, found in operations:
            self._add(method.upper(), template, found)

    def _add(self, method: str, template: str, found: Found) -> None:
        if "{" not in template and "*" not in template:
            path = "/".join(comparable(segment) for segment in template.split("/"))
            self._exact.setdefault(path, {}).setdefault(method, found)
            return
        node = self._root
        segments = template.split("/")[1:]
        if segments[-1] == "*":
            for segment in segments[:-1]:
                node = _child(node, segment)
            node.tail = node.tail or {}
            node.tail.setdefault(method, found)
            return
        for segment in segments:
            node = _child(node, segment)
        node.verbs = node.verbs or {}
        node.verbs.setdefault(method, found)

    def find(self, method: str, path: str) -> Found | frozenset[str]:
        """The operation, else the methods that the path knows: an empty set means that there is no such path.

        ``path``: what follows ``context/version``, raw; "" counts as ``/``.
        """
        path = path or "/"
        if "%" in path or not path.isascii():
            path = "/".join([comparable(segment) for segment in path.split("/")])
        verbs = self._exact.get(path)
        if verbs is not None:
            found = verbs.get(method)
            if found is not None:
                return found
        allowed: set[str] = set(verbs or ())
        found = _search(self._root, path.split("/")[1:], 0, method, allowed)
        if found is not None:
            return found
        if method == "HEAD" and "GET" in allowed:
            return self.find("GET", path)
        return frozenset(allowed)


def _child(node: _Node[Found], segment: str) -> _Node[Found]:
    if "{" not in segment:
        node.literals = node.literals if node.literals is not None else {}
        return node.literals.setdefault(comparable(segment), _Node())
    if _PARAMETER.fullmatch(segment):
        node.any_segment = node.any_segment or _Node()
        return node.any_segment
    pattern = _SegmentPattern(segment)
    node.patterns = node.patterns if node.patterns is not None else []
    for known, child in node.patterns:
        if known.texts == pattern.texts:
            return child
    child = _Node[Found]()
    node.patterns.append((pattern, child))
    return child


class _SegmentPattern:
    """``report.{format}``: text is text, each parameter is one character or more.

    Not a regular expression: a caller chooses the segment, and backtracking over several parameters would cost a power
    of its length. Taking the first place where each text fits finds a way whenever there is one.
    """

    __slots__ = ("texts",)

    def __init__(self, segment: str) -> None:
        self.texts = tuple(comparable(text) for text in _PARAMETER.split(segment))

    def matches(self, segment: str) -> bool:
        """Whether the whole segment can be read this way."""
        first, *between, last = self.texts
        position, end = len(first), len(segment) - len(last)
        if position >= end or not segment.startswith(first) or not segment.endswith(last):
            return False
        for text in between:
            found = segment.find(text, position + 1, end)
            if found < 0:
                return False
            position = found + len(text)
        return position < end


def _search(node: _Node[Found], segments: list[str], index: int, method: str, allowed: set[str]) -> Found | None:
    if index == len(segments):
        found = _verb(node.verbs, method, allowed)
        return found if found is not None else _verb(node.tail, method, allowed)
    segment = segments[index]
    for child in _children(node, segment):
        found = _search(child, segments, index + 1, method, allowed)
        if found is not None:
            return found
    return _verb(node.tail, method, allowed)


def _children(node: _Node[Found], segment: str) -> list[_Node[Found]]:
    """Where a segment can lead, the most exact first. A parameter is never empty."""
    children: list[_Node[Found]] = []
    if node.literals is not None and (literal := node.literals.get(segment)) is not None:
        children.append(literal)
    if not segment:
        return children
    if node.patterns is not None:
        children += [child for pattern, child in node.patterns if pattern.matches(segment)]
    if node.any_segment is not None:
        children.append(node.any_segment)
    return children


def _verb(verbs: dict[str, Found] | None, method: str, allowed: set[str]) -> Found | None:
    if verbs is None:
        return None
    allowed.update(verbs)
    return verbs.get(method)
