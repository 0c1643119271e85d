"""Is a document what its OpenAPI version says? Asked of the kept library, answered with line, pointer and reason."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Final

from jsonschema.exceptions import UnknownType, ValidationError, best_match
from jsonschema.validators import validator_for
from openapi_spec_validator.schemas import schema_v2, schema_v30, schema_v31
from referencing import Resource
from referencing.exceptions import Unresolvable, Unretrievable

from publisher.definitions.problems import ParsedText, Parts, Problem, refuse_problems
from publisher.definitions.references import canonical, reference_problems
from publisher.definitions.walkers import SCHEMAS_OF_SCHEMAS, WALKS

_SCHEMAS: Final = {"2.0": schema_v2, "3.0": schema_v30, "3.1": schema_v31}
_TOO_DEEP: Final = "schemas are nested too deep to be checked"
_MOST_PROBLEMS: Final = 50
_REQUIRED = re.compile(r"'(?P<name>.+)' is a required property", re.DOTALL)
_VERSION_30_31 = re.compile(r"(3\.[01])\.\d+(-.+)?")
_SUPPORTED: Final = "2.0, 3.0.x and 3.1.x are supported"
# What the walk of the kept library raises where a document is not what it takes for granted.
_STUMBLES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    UnknownType,
    Unresolvable,
    ValueError,
)


def validate(parsed: ParsedText) -> str:
    """The OpenAPI version of a valid document, as written. Raises ``InputError`` naming ``definition``."""
    document = parsed.document
    version, family = _version(parsed)
    refuse_problems(parsed, _structural(_schema_validator(family).iter_errors(document), document))
    refuse_problems(parsed, _walked(WALKS[family](document), document))
    return version


@cache
def _schema_validator(family: str) -> Any:
    """The kept library's schema of one OpenAPI version, with its references prepared once: five times as fast."""
    schema = dict(_SCHEMAS[family])
    resource = Resource.from_contents(schema)
    registry = SCHEMAS_OF_SCHEMAS.with_resource(resource.id() or "", resource).crawl()
    return validator_for(schema)(schema, registry=registry)


def _version(parsed: ParsedText) -> tuple[str, str]:
    document = parsed.document
    present = [name for name in ("swagger", "openapi") if name in document]
    if len(present) != 1:
        has = "both are" if present else "neither is"
        reason = f"exactly one of 'openapi' (3.x) and 'swagger' (2.0) is needed, {has} there"
        refuse_problems(parsed, [Problem((), reason)])
    name = present[0]
    value = document[name]
    if not isinstance(value, str):
        refuse_problems(parsed, [Problem((name,), f"the version must be text: write it in quotes ({_SUPPORTED})")])
    if name == "swagger" and value == "2.0":
        return value, "2.0"
    match = _VERSION_30_31.fullmatch(value)
    if name == "swagger" or match is None:
        refuse_problems(parsed, [Problem((name,), f"version '{value}' is not supported; {_SUPPORTED}")])
        raise AssertionError("a problem is always refused")
    return value, match[1]


def _structural(errors: Iterable[ValidationError], document: Mapping[str, Any]) -> list[Problem]:
    """What contradicts the schema of the OpenAPI version, and what references are wrong."""
    try:
        found = [_most_telling(error) for error in islice(errors, _MOST_PROBLEMS)]
    except RecursionError:
        return [Problem((), _TOO_DEEP)]
    paths = [tuple(error.absolute_path) for error in found]
    problems = [
        _problem(error, path)
        for error, path in zip(found, paths, strict=True)
        if not (error.validator == "unevaluatedProperties" and any(_inside(other, path) for other in paths))
    ]
    return [*problems, *islice(reference_problems(document), _MOST_PROBLEMS)]


def _inside(inner: Parts, outer: Parts) -> bool:
    """A part that is wrong makes the whole around it look unevaluated too: only the part is worth saying."""
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _walked(walk: Any, document: Mapping[str, Any]) -> Iterator[Problem]:
    """What only the walk over the document finds."""
    found = False
    try:
        for error in islice(walk.root_validator(walk.schema_path), _MOST_PROBLEMS):
            found = True
            yield _problem(_most_telling(error), canonical(document, tuple(error.absolute_path)))
    except _STUMBLES as exc:
        # After a problem was told, the walk often stumbles over the same one.
        if not found:
            yield Problem((), _stumble(exc))


def _stumble(exc: Exception) -> str:
    if isinstance(exc, RecursionError):
        return _TOO_DEEP
    if isinstance(exc, Unresolvable | Unretrievable):
        return f"the reference '{exc.ref}' leads to nothing, or out of the document"
    return f"the document cannot be checked: {exc}"


def _most_telling(error: ValidationError) -> ValidationError:
    """Of the alternatives that all failed, the reason of the one that was most probably meant."""
    while error.context:
        meant = [inner for inner in error.context if inner.message != "'$ref' is a required property"]
        inner = best_match(meant or error.context)
        if inner is None:
            break
        error = inner
    return error


def _problem(error: ValidationError, path: Parts) -> Problem:
    if error.validator == "required" and (match := _REQUIRED.fullmatch(error.message)):
        return Problem((*path, match["name"]), "is a required property", near=path)
    if path == ("paths",) and error.validator in {"additionalProperties", "unevaluatedProperties"}:
        strange = [name for name in error.instance if not str(name).startswith(("/", "x-"))]
        if strange:
            return Problem((*path, strange[0]), f"'{strange[0]}' is no path: a path begins with /")
    return Problem(path, error.message)
