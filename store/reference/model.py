"""One operation as the reference shows it, whatever OpenAPI version it was written in."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaRow:
    """One value of a body or one parameter's type.

    ``type``: for people, as "array of Order". ``values``: what an enumeration allows. ``more``: there is more below
    than is shown. ``choices``: the rows below are alternatives ("one of", "any of"), not members.
    """

    name: str
    type: str
    required: bool = False
    description: str = ""
    values: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    rows: tuple["SchemaRow", ...] = ()
    choices: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter; ``where``: path, query, header or cookie. ``example``: "" when there is none.

    ``repeats``: a list is sent as the same name several times, not as one value with commas.
    """

    name: str
    where: str
    row: SchemaRow
    example: str = ""
    repeats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One media type of a request or an answer. ``example``: JSON text, given or made from the schema."""

    media_type: str
    row: SchemaRow
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; ``status``: "200", "4XX" or "default"."""

    status: str
    description: str
    bodies: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationReference:
    """All that the definition says of one operation. ``tag``: the group that it is listed in."""

    method: str
    path: str
    summary: str = ""
    description: str = ""
    tag: str = ""
    deprecated: bool = False
    parameters: tuple[Parameter, ...] = ()
    request_bodies: tuple[Body, ...] = ()
    request_required: bool = False
    answers: tuple[Answer, ...] = field(default=())

    def parameters_in(self, where: str) -> tuple[Parameter, ...]:
        """Those of one place."""
        return tuple(parameter for parameter in self.parameters if parameter.where == where)
