"""Calls of one operation as code, in five languages, with the token left to the environment."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from store.reference.model import OperationReference

_FORMATTER: Final = HtmlFormatter(nowrap=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One language's code. ``html``: the same with classes of the stylesheet."""

    language: str
    label: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    method: str
    url: str
    body: str
    media_type: str
    token: bool

    @property
    def headers(self) -> dict[str, str]:
        """Header names and values; ``$TOKEN`` stands for the token."""
        headers = {"Authorization": "Bearer $TOKEN"} if self.token else {}
        return {**headers, "Content-Type": self.media_type} if self.body else headers


def samples_of(operation: OperationReference, *, base_url: str, token: bool) -> list[Sample]:
    """The operation called at ``base_url``, in every language. ``token``: whether it needs one."""
    body = next(iter(operation.request_bodies), None)
    path = operation.path
    for parameter in operation.parameters_in("path"):
        if parameter.example:
            path = path.replace(f"{{{parameter.name}}}", quote(parameter.example, safe=""))
    wanted = [item for item in operation.parameters_in("query") if item.row.required]
    query = "&".join(f"{quote(item.name)}={quote(item.example or '…')}" for item in wanted)
    call = _Call(
        method=operation.method,
        url=f"{base_url}{path}{'?' + query if query else ''}",
        body=body.example if body else "",
        media_type=body.media_type if body else "",
        token=token,
    )
    return [_sample(language, label, write(call)) for language, label, write in _LANGUAGES]


def highlighted(text: str, language: str) -> str:
    """``text`` as HTML whose spans have classes, no styles."""
    html: str = highlight(text, get_lexer_by_name(language), _FORMATTER)
    return html


def _sample(language: str, label: str, text: str) -> Sample:
    return Sample(language=language, label=label, text=text, html=highlighted(text, language))


def _curl(call: _Call) -> str:
    lines = [f"curl -X {call.method} '{call.url}'" if call.method != "GET" else f"curl '{call.url}'"]
    lines += [f'  -H "{name}: {value}"' for name, value in call.headers.items()]
    if call.body:
        quoted = call.body.replace("'", "'\\''")
        lines.append(f"  -d '{quoted}'")
    return " \\\n".join(lines)


def _python(call: _Call) -> str:
    headers = {name: value.replace("$TOKEN", "{token}") for name, value in call.headers.items()}
    shown = ", ".join(f'"{name}": {"f" if "{token}" in value else ""}"{value}"' for name, value in headers.items())
    lines = ["import os", "import requests", ""]
    if call.token:
        lines.append('token = os.environ["TOKEN"]')
    lines += ["answer = requests.request(", f'    "{call.method}",', f'    "{call.url}",', f"    headers={{{shown}}},"]
    if call.body:
        lines.append(f"    data={json.dumps(call.body)},")
    return "\n".join([*lines, "    timeout=10,", ")", "answer.raise_for_status()", "print(answer.text)"])


def _javascript(call: _Call) -> str:
    headers = {name: value.replace("$TOKEN", "${token}") for name, value in call.headers.items()}
    shown = "\n".join(f"    {json.dumps(name)}: `{value}`," for name, value in headers.items())
    body = f"\n  body: {json.dumps(call.body)}," if call.body else ""
    token = "const token = process.env.TOKEN;\n" if call.token else ""
    return (
        f"{token}const answer = await fetch({json.dumps(call.url)}, {{\n"
        f'  method: "{call.method}",\n  headers: {{\n{shown}\n  }},{body}\n}});\nconsole.log(await answer.text());'
    )


def _java(call: _Call) -> str:
    headers = "\n".join(
        f"    .header({json.dumps(name)}, "
        + ('"Bearer " + System.getenv("TOKEN"))' if "$TOKEN" in value else f"{json.dumps(value)})")
        for name, value in call.headers.items()
    )
    publisher = f"BodyPublishers.ofString({json.dumps(call.body)})" if call.body else "BodyPublishers.noBody()"
    return (
        "HttpRequest request = HttpRequest.newBuilder()\n"
        f"    .uri(URI.create({json.dumps(call.url)}))\n{headers}\n"
        f'    .method("{call.method}", {publisher})\n    .build();\n'
        "HttpResponse<String> answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());\n"
        "System.out.println(answer.body());"
    )


def _go(call: _Call) -> str:
    body = f"strings.NewReader({json.dumps(call.body)})" if call.body else "nil"
    headers = "\n".join(
        f"request.Header.Set({json.dumps(name)}, "
        + ('"Bearer "+os.Getenv("TOKEN"))' if "$TOKEN" in value else f"{json.dumps(value)})")
        for name, value in call.headers.items()
    )
    return (
        f'request, err := http.NewRequest("{call.method}", {json.dumps(call.url)}, {body})\n'
        f"if err != nil {{\n\tlog.Fatal(err)\n}}\n{headers}\n"
        "answer, err := http.DefaultClient.Do(request)\nif err != nil {\n\tlog.Fatal(err)\n}\n"
        "defer answer.Body.Close()\nio.Copy(os.Stdout, answer.Body)"
    )


_LANGUAGES: Final[tuple[tuple[str, str, Callable[[_Call], str]], ...]] = (
    ("bash", "curl", _curl),
    ("python", "Python", _python),
    ("javascript", "JS", _javascript),
    ("java", "Java", _java),
    ("go", "Go", _go),
)
