"""Importing an API definition."""

from publisher.definitions.extract import extract
from publisher.definitions.model import Definition
from publisher.definitions.text import read_text
from publisher.definitions.validate import validate


def parse_definition(text: str | bytes) -> Definition:
    """The API that JSON or YAML text of OpenAPI 2.0, 3.0.x or 3.1.x defines. Opens no URL and no file.

    Raises ``InputError``; each message in ``fields["definition"]`` says line, JSON pointer and reason, or line, column
    and reason where the text is not a document.
    """
    parsed = read_text(text)
    return extract(parsed, version=validate(parsed))
