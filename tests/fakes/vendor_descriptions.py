"""Every exchange between an adapter and a fake, held against the vendor's own OpenAPI description by openapi-core.

A description finds wrong names, types, enumerated values and statuses. It does not find a missing member of an answer:
vendors declare almost nothing as required there, so the fakes' tests assert what the adapters read.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.paths.exceptions import PathError, PathNotFound
from openapi_core.templating.paths.finders import APICallPathFinder
from openapi_core.validation.response.exceptions import MissingData
from werkzeug.datastructures import Headers, ImmutableMultiDict

from tests.fakes.description_patches import METHODS, PATCHES, patched
from tests.fakes.messages import Answer, Received

SHARED: Final = Path(os.environ.get("ARCHWAY_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
DESCRIPTIONS: Final = SHARED / "data" / "vendor-openapi"
_HOST: Final = "http://described"


class _Request:
    """A request as openapi-core wants it."""

    host_url = _HOST

    def __init__(self, received: Received, path: str) -> None:
        self.method = received.method.lower()
        # A slash that is part of a value stays quoted, so that it is not taken for the next segment.
        self.path = unquote(re.sub("%2[fF]", "%252F", path))
        self.body = received.body
        self.content_type = received.headers.get("content-type", "").lower()
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(received.parameters), header=Headers(list(received.headers.items()))
        )


class _Response:
    """An answer as openapi-core wants it."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.data = answer.body
        self.content_type = (answer.content_type or "").lower()
        self.headers = Headers(list(answer.headers))


class Description:
    """One vendor's description (OpenAPI 3.0 or 3.1)."""

    def __init__(self, name: str) -> None:
        document = json.loads((DESCRIPTIONS / f"{name}.json").read_text())
        patched(document, PATCHES.get(name, ()))
        # The address is the fake's: what is below it is compared.
        document["servers"] = [{"url": _HOST}]
        # Rights are the fake's to refuse, as the server would: a call without one is no broken call.
        document.pop("security", None)
        for item in document["paths"].values():
            item.pop("servers", None)
            for method in set(METHODS) & item.keys():
                item[method].pop("security", None)
        self.name = name
        self.operations = frozenset(
            (method.upper(), template)
            for template, item in document["paths"].items()
            for method in set(METHODS) & item.keys()
        )
        self._openapi = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))
        self._finder = APICallPathFinder(self._openapi.spec)

    @classmethod
    @cache
    def read(cls, name: str) -> Self:
        """Parsed once in a process: that is what takes time."""
        return cls(name)

    def template(self, received: Received, path: str) -> str | None:
        """The described path of a request; "" where only other methods are described; ``None`` for no such path."""
        request = _Request(received, path)
        try:
            return str(self._finder.find(request.method, f"{_HOST}{request.path}").path_result.pattern)
        except PathNotFound:
            return None
        except PathError:
            return ""

    def faults(self, received: Received, path: str, answer: Answer) -> Iterator[str]:
        """What the description does not allow, each a sentence."""
        request = _Request(received, path)
        found = self._finder.find(request.method, f"{_HOST}{request.path}")
        declared = {
            (entry / "name").read_str()
            for where in (found.path, found.operation)
            for entry in where.get("parameters", ())
            if (entry / "in").read_str() == "query"
        }
        for name in sorted(received.parameters.keys() - declared):
            yield f"request: query parameter {name} is not described"
        if received.body and "requestBody" not in found.operation:
            yield "request: it takes no body"
        for error in self._openapi.iter_apicall_request_errors(request):
            yield f"request: {_words(error)}"
        for error in self._openapi.iter_apicall_response_errors(request, _Response(answer)):
            # Vendors declare a schema also where the answer has no body (204, and refusals of the whole server).
            if answer.body or not isinstance(error, MissingData):
                yield f"{answer.status}: {_words(error)}"


class Exchanges:
    """The exchanges of one fake. ``prefixes``: the path below which a description (by its file's name) holds.

    ``faults``: what no description allows, which a test asserts to be empty. ``held``: (method, template, status) of
    each exchange that was compared. Below a prefix every call must be described; without one, only known paths are
    compared. Without the shared data nothing is (a run that counts fails for that elsewhere). ``passed_over``: the
    operations that were not, which a test asserts to be those that the vendor does not describe.
    """

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        present = prefixes if DESCRIPTIONS.is_dir() else {}
        self._descriptions = [(prefix, Description.read(name)) for name, prefix in present.items()]
        self.faults: list[str] = []
        self.held: list[tuple[str, str, int]] = []
        self.passed_over: set[str] = set()

    def add(self, received: Received, answer: Answer) -> None:
        """Compare one exchange."""
        judges = tuple((p, d) for p, d in self._descriptions if received.path.startswith(p))
        kind = (judges, kind_of(received, answer))
        if kind not in _JUDGED:
            _JUDGED[kind] = _judged(judges, received, answer)
        template, faults = _JUDGED[kind]
        if template:
            self.held.append((received.method, template, answer.status))
        elif self._descriptions and not faults:
            self.passed_over.add(received.operation)
        self.faults += [f"{received.method} {received.path}{fault}" for fault in faults]


Judges = tuple[tuple[str, Description], ...]
Verdict = tuple[str, tuple[str, ...]]  # the template that describes it, or ""; what is wrong with it

# Tests repeat the same exchanges with other ids: comparing each once in a process is what makes them affordable.
_JUDGED: Final[dict[tuple[Judges, tuple[object, ...]], Verdict]] = {}


def _judged(judges: Judges, received: Received, answer: Answer) -> Verdict:
    known = [(d, below := received.path.removeprefix(p), d.template(received, below)) for p, d in judges]
    for description, below, template in known:
        if template:
            return template, tuple(f": {fault}" for fault in description.faults(received, below, answer))
    wrong = any(template == "" for _, _, template in known) or any(prefix for prefix, _ in judges)
    return "", (" is not described",) if wrong else ()


_MADE_UP: Final = re.compile(
    rb"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    rb"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)"
    rb"|(?P<port>(?<=127\.0\.0\.1:)\d+)"
    rb"|(?P<random>(?<![\w-])(?=[\w-]*[A-Za-z])(?=[\w-]*\d)[\w-]{20,}(?![\w-]))"
)


_OF_EACH_CALL: Final = frozenset({"authorization", "host", "content-length"})


def kind_of(received: Received, answer: Answer) -> tuple[object, ...]:
    """What two exchanges have in common that differ only in ids, secrets, tokens, times and ports.

    A made-up value is a UUID, or twenty and more letters with digits among them: no name or word of a description is.
    Two of different lengths are of two kinds.
    """
    headers = sorted((name, value) for name, value in received.headers.items() if name not in _OF_EACH_CALL)
    return (
        received.method,
        _without_made_up(received.path.encode()),
        _without_made_up(received.query.encode()),
        _without_made_up(repr(headers).encode()),
        _OF_EACH_CALL.intersection(received.headers),
        _without_made_up(received.body),
        answer.status,
        answer.content_type,
        _without_made_up(repr(sorted(answer.headers)).encode()),
        _without_made_up(answer.body),
    )


def _without_made_up(text: bytes) -> bytes:
    # Its length stays: descriptions limit that.
    return _MADE_UP.sub(lambda found: f"<{found.lastgroup} {len(found[0])}>".encode(), text)


def _words(error: Exception) -> str:
    """What is wrong, without the value that is: openapi-core keeps the schema's own words in the cause."""
    cause = error.__cause__ or error
    inner = [f"{'/'.join(map(str, each.path))}: {each.message[:300]}" for each in getattr(cause, "schema_errors", ())]
    return f"{type(error).__name__}: {'; '.join(inner) or cause}"
