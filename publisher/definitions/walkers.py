"""The kept validator's own walk over a document, with what an import from strangers needs.

``openapi-spec-validator`` first checks a document against the schema of its OpenAPI version, then walks it for what a
schema cannot say (duplicate operationIds, unresolved path parameters, wrong defaults). The subclasses here place its
errors in the document, skip extensions, end on schemas that contain themselves, and never leave the document. They
check less in two ways, because a hostile document would never end: regular expressions are neither compiled nor run
(OpenAPI's are ECMA 262 and not Python's), and a default is held against the keywords beside it only, which is what
OpenAPI asks for.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema_path.paths import SchemaPath
from openapi_schema_validator import (
    OAS31_BASE_DIALECT_ID,
    OAS30Validator,
    OAS31Validator,
    oas30_format_checker,
    oas31_format_checker,
)
from openapi_schema_validator._specifications import REGISTRY as _SCHEMAS_OF_SCHEMAS
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from openapi_spec_validator.validation import keywords
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError
from openapi_spec_validator.validation.validators import SpecValidator

# Every JSON Schema dialect that OpenAPI 2.0 to 3.1 use; knows no way to retrieve another.
SCHEMAS_OF_SCHEMAS: Final = _SCHEMAS_OF_SCHEMAS.crawl()
_PARAMETER = re.compile(r"\{([^{}]+)\}")


class LocatedError(OpenAPIValidationError):
    """An error whose path begins at the root of the document (the kept walk knows only parts of it)."""


class ExternalReference(ValueError):
    """The walk came to a reference that leaves the document."""


def refuse_retrieval(uri: str) -> object:
    """Stands where the kept library would open a URL or a file."""
    raise ExternalReference(
        f"the reference '{uri}' leaves the document; only references that begin with '#/' are followed"
    )


def _located(errors: Iterator[ValidationError], at: SchemaPath) -> Iterator[ValidationError]:
    for error in errors:
        if not isinstance(error, LocatedError):
            inner = tuple(error.absolute_path)
            error = LocatedError.create_from(error)  # noqa: PLW2901 -- the same error, placed
            error.parent = None
            error.path.clear()
            error.path.extend((*at.parts, *inner))
        yield error


def _without_regex(checker: FormatChecker) -> FormatChecker:
    plain = FormatChecker(formats=())
    plain.checkers = {name: check for name, check in checker.checkers.items() if name != "regex"}
    return plain


_CHECKER30: Final = _without_regex(oas30_format_checker)
_CHECKER31: Final = _without_regex(oas31_format_checker)
# What a default must fit: the keywords beside it. References and alternatives may lead to endless work.
_BESIDE_DEFAULT: Final = (
    *("type", "nullable", "format", "enum", "const", "multipleOf"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
)


def _default_errors(
    validator: Any, checker: FormatChecker, schema: SchemaPath, value: Any
) -> Iterator[ValidationError]:
    beside = schema.read_value()
    if isinstance(beside, Mapping):
        beside = {key: beside[key] for key in _BESIDE_DEFAULT if key in beside}
        yield from validator(beside, format_checker=checker).iter_errors(value)


class _Seen(list[int]):
    """Stands where the walk keeps what it has seen in a list, which makes large documents quadratic."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[int] = set()

    def append(self, identity: int, /) -> None:
        self._known.add(identity)

    def __contains__(self, identity: object) -> bool:
        return identity in self._known


class _WalksSchemas(keywords.SchemaValidator):
    """Places errors, and ends on schemas that contain themselves."""

    def __init__(self, registry: Any) -> None:
        super().__init__(registry)
        self.visited_schema_ids = _Seen()
        self.meta_checked_schema_ids = _Seen()
        self._collected: set[int] = set()

    def __call__(self, schema: SchemaPath, *args: Any, **kwargs: Any) -> Iterator[ValidationError]:
        return _located(super().__call__(schema, *args, **kwargs), schema)

    def _collect_properties(self, schema: SchemaPath) -> set[str]:
        # Each schema counts once per outermost call, however many ways lead to it.
        identity = id(schema.read_value())
        if identity in self._collected:
            return set()
        outermost = not self._collected
        self._collected.add(identity)
        try:
            found: set[str] = super()._collect_properties(schema)
            return found
        finally:
            if outermost:
                self._collected.clear()


@cache
def _schemas31() -> Any:
    """The schema of schemas with its references prepared once; the kept library prepares them for each schema."""
    return Draft202012Validator(
        OAS31Validator.META_SCHEMA,
        format_checker=_CHECKER31,
        registry=SCHEMAS_OF_SCHEMAS,
    )


def _check_schema31(schema: Any) -> None:
    for error in _schemas31().iter_errors(schema):
        raise SchemaError.create_from(error)


class _WalksSchemas30(_WalksSchemas, keywords.OpenAPIV30SchemaValidator):
    def _get_schema_checker(self, schema: SchemaPath, schema_value: Any) -> Callable[[Any], None]:
        return partial(OAS30Validator.check_schema, format_checker=_CHECKER30)


class _WalksSchemas31(_WalksSchemas, keywords.OpenAPIV31SchemaValidator):
    schema_validator_format_checker = _CHECKER31

    def _get_schema_checker(self, schema: SchemaPath, schema_value: Any) -> Callable[[Any], None]:
        if self._get_schema_dialect_id(schema, schema_value) == OAS31_BASE_DIALECT_ID:
            return _check_schema31
        checker: Callable[[Any], None] = super()._get_schema_checker(schema, schema_value)
        return checker


class _WalksDefaults30(keywords.OpenAPIV30ValueValidator):
    def __call__(self, schema: SchemaPath, value: Any) -> Iterator[ValidationError]:
        return _default_errors(OAS30Validator, _CHECKER30, schema, value)


class _WalksDefaults31(keywords.OpenAPIV31ValueValidator):
    def __call__(self, schema: SchemaPath, value: Any) -> Iterator[ValidationError]:
        return _default_errors(OAS31Validator, _CHECKER31, schema, value)


class _WalksParameters(keywords.ParametersValidator):
    def __call__(self, parameters: SchemaPath) -> Iterator[ValidationError]:
        return _located(super().__call__(parameters), parameters)


class _WalksParameters2(keywords.OpenAPIV2ParameterValidator):
    def __call__(self, parameter: SchemaPath) -> Iterator[ValidationError]:
        return _located(super().__call__(parameter), parameter)


class _WalksOperations(keywords.OperationValidator):
    def __call__(self, url: str, name: str, operation: SchemaPath, path_parameters: Any) -> Iterator[ValidationError]:
        return _located(super().__call__(url, name, operation, path_parameters), operation)

    def _get_path_params_from_url(self, url: str) -> Iterator[str]:
        return iter(_PARAMETER.findall(url))


class _WalksPaths(keywords.PathsValidator):
    """Leaves out extensions, whose values may be anything."""

    def __call__(self, paths: SchemaPath) -> Iterator[ValidationError]:
        for url, path_item in paths.items():
            if not str(url).startswith("x-"):
                yield from self.path_validator(str(url), path_item)


class _WalksResponses(keywords.ResponsesValidator):
    """Leaves out extensions, whose values may be anything."""

    def __call__(self, responses: SchemaPath) -> Iterator[ValidationError]:
        for status, response in responses.items():
            if not str(status).startswith("x-"):
                yield from self.response_validator(str(status), response)


class _NeverRetrieves(dict[str, Any]):
    """Answers every URI scheme with a refusal, also those that the kept library would open by itself."""

    def __contains__(self, scheme: object) -> bool:
        return True

    def __missing__(self, scheme: str) -> Any:
        return refuse_retrieval


class _Walk20(OpenAPIV2SpecValidator):
    resolver_handlers = _NeverRetrieves()
    keyword_validators = {
        **OpenAPIV2SpecValidator.keyword_validators,
        "default": _WalksDefaults30,
        "operation": _WalksOperations,
        "parameter": _WalksParameters2,
        "parameters": _WalksParameters,
        "paths": _WalksPaths,
        "responses": _WalksResponses,
        "schema": _WalksSchemas30,
    }


class _Walk30(OpenAPIV30SpecValidator):
    resolver_handlers = _NeverRetrieves()
    keyword_validators = {
        **OpenAPIV30SpecValidator.keyword_validators,
        "default": _WalksDefaults30,
        "operation": _WalksOperations,
        "parameters": _WalksParameters,
        "paths": _WalksPaths,
        "responses": _WalksResponses,
        "schema": _WalksSchemas30,
    }


class _Walk31(OpenAPIV31SpecValidator):
    resolver_handlers = _NeverRetrieves()
    keyword_validators = {
        **OpenAPIV31SpecValidator.keyword_validators,
        "default": _WalksDefaults31,
        "operation": _WalksOperations,
        "parameters": _WalksParameters,
        "paths": _WalksPaths,
        "responses": _WalksResponses,
        "schema": _WalksSchemas31,
    }


WALKS: Final[Mapping[str, type[SpecValidator]]] = {"2.0": _Walk20, "3.0": _Walk30, "3.1": _Walk31}
