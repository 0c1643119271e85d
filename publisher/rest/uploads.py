"""A definition as an uploaded file: ``multipart/form-data`` becomes the body that JSON would have been."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import MultiPartParser

from common.errors import InputError
from publisher.definitions import MAX_BYTES

_FILE: Final = "definition"
# Members that are no text in JSON either; a form gives them as JSON text, or as the plain word ("all").
_STRUCTURED: Final = frozenset(
    {"endpoints", "tags", "plans", "key_managers", "audiences", "public", "forward_token", "backend_jwt", "operations"}
)


class UploadedDefinitionParser(MultiPartParser):
    """``multipart/form-data`` with the file ``definition``, the other members as fields of the form."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The body as a mapping. Raises ``InputError`` naming the part, ``ParseError``."""
        form = super().parse(stream, media_type, dict(parser_context or {}))
        with ExitStack() as closing:
            for _, uploads in form.files.lists():
                for uploaded in uploads:
                    closing.callback(uploaded.close)
            body: dict[str, Any] = {}
            for name, values in [*form.data.lists(), *form.files.lists()]:
                if name in body or len(values) != 1:
                    raise InputError.of(name, "This must be given once.")
                body[name] = _structured(values[0]) if name in _STRUCTURED else values[0]
            for name in form.files:
                if name != _FILE:
                    raise InputError.of(name, f"Only the part {_FILE} may be a file.")
                body[name] = _text_of(body[name])
            return body


def _text_of(uploaded: Any) -> str:
    if uploaded.size > MAX_BYTES:
        raise InputError.of(_FILE, f"The definition is larger than {MAX_BYTES // (1024 * 1024)} MB.")
    try:
        return str(uploaded.read(), "utf-8")
    except UnicodeDecodeError as exc:
        raise InputError.of(_FILE, "The file is not UTF-8.") from exc


def _structured(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except RecursionError as exc:
        raise ParseError("The JSON is nested too deeply.") from exc
    except ValueError:
        return value
