"""From text to a document of JSON values: the one door through which definitions enter."""

from common.errors import InputError
from publisher.definitions.json_text import NotJson, read_json
from publisher.definitions.model import MAX_BYTES
from publisher.definitions.problems import ParsedText, position_of, refuse_text, refused
from publisher.definitions.yaml_text import read_yaml


def read_text(text: str | bytes) -> ParsedText:
    """The document in JSON or YAML text (UTF-8), with lines.

    Raises ``InputError`` naming ``definition``: too large, not UTF-8, a syntax error (line and column), a duplicate
    key, too many or too deep values, a recursive or exploding alias, or a document that is not a mapping.
    """
    decoded = _decode(text)
    if not decoded.lstrip().startswith("{"):
        return read_yaml(decoded)
    try:
        return read_json(decoded)
    except NotJson as not_json:
        # A YAML document may begin with a brace as well.
        try:
            return read_yaml(decoded)
        except InputError:
            raise not_json.error from not_json


def _decode(text: str | bytes) -> str:
    if len(text) > MAX_BYTES:
        raise _too_large()
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        size = len(decoded.encode())
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        column = exc.start - (exc.object.rfind(b"\n", 0, exc.start) + 1) + 1
        raise refuse_text(line, column, "the text is not UTF-8") from exc
    except UnicodeEncodeError as exc:
        line, column = position_of(exc.object, exc.start)
        raise refuse_text(line, column, "the text has a character that Unicode does not know") from exc
    if size > MAX_BYTES:
        raise _too_large()
    return decoded.removeprefix("\ufeff")


def _too_large() -> InputError:
    return refused([f"The definition is larger than {MAX_BYTES // (1024 * 1024)} MB."])
