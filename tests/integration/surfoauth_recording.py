"""Replays recorded exchanges with a SurfOAuth against the fake, by the rules that come with the recording."""

import base64
import http.client
import json
import os
import re
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.fakes.surfoauth import SurfOAuthServer

SHARED = Path(os.environ.get("ARCHWAY_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
RECORDING = SHARED / "reference" / "servers" / "surfoauth-exchanges.json"

# What the recording calls volatile: only whether they are null, zero or neither is compared.
_TIMES = ("creationDate", "modificationDate", "expiresIn")
_ERROR_PAGE = re.compile(r"Error \d+ ")
_COMPARED = (
    "content-type", "cache-control", "pragma", "location", "www-authenticate", "allow", "set-cookie",
    "x-frame-options", "access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers",
    "access-control-max-age",
)  # fmt: skip
Exchange = dict[str, Any]


def exchanges(instance: str) -> list[Exchange]:
    """The recorded exchanges of one instance, in order."""
    return [entry for entry in json.loads(RECORDING.read_text())["exchanges"] if entry["instance"] == instance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One answer of the fake."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def payload(self) -> Any:
        """The body as JSON, with the rows of a list by their ids; ``None`` when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return sorted(value, key=lambda row: row.get("id", 0))
        return value


@dataclass(slots=True, kw_only=True)
class Replay:
    """One run. ``wrong``: a line for every exchange that was answered otherwise. ``done``: how many were sent."""

    server: SurfOAuthServer
    names: dict[str, str] = field(default_factory=dict)
    ids: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    done: int = 0

    def run(self, recorded: list[Exchange]) -> None:
        """Send everything in order; what was sent at the same time is sent at the same time."""
        restarted = False
        for group, entries in groupby(recorded, key=lambda entry: entry.get("parallel_group")):
            if group is not None:
                self._race(list(entries))
                continue
            for entry in entries:
                if entry["section"].startswith("restart: after") and not restarted:
                    self.server.restart()
                    restarted = True
                if "expired" in entry["note"]:
                    self.server.advance(3.5)
                self._one(entry)

    def _one(self, entry: Exchange) -> None:
        given = self._send(entry)
        self._bind(entry, given)
        fault = self._difference(entry, given)
        if fault:
            self.wrong.append(f"{entry['n']} [{entry['section']}: {entry['note']}] {fault}")

    def _race(self, entries: list[Exchange]) -> None:
        """Who wins varies: each answer must be one that was recorded, for the same request if there is a choice."""
        with ThreadPoolExecutor(len(entries)) as pool:
            answers = list(pool.map(self._send, entries))
        statuses = {entry["response"]["status"] for entry in entries}
        for entry, given in zip(entries, answers, strict=True):
            if given.status not in statuses:
                self.wrong.append(f"{entry['n']} [{entry['note']}] {given.status} was never answered")
        if min(statuses) not in {given.status for given in answers}:
            self.wrong.append(f"{entries[0]['n']} [{entries[0]['note']}] nobody won")
        left = list(zip(entries, answers, strict=True))
        for entry in entries:
            status, request = entry["response"]["status"], entry["request"]
            fitting = [pair for pair in left if pair[1].status == status and pair[0]["request"] == request]
            if fitting:
                left.remove(fitting[0])
                self._bind(entry, fitting[0][1])

    def _send(self, entry: Exchange) -> Given:
        request = entry["request"]
        path = re.sub(
            r"\{id:(\d+)\}",
            lambda found: str(self.ids.get(int(found[1]), int(found[1]))),
            self._named(request.get("path_template", request["path"])),
        )
        headers = {name: self._named(value) for name, value in request["headers"].items()}
        if "basic" in request and not headers["Authorization"].endswith("!!!"):
            pair = ":".join(self._named(part) for part in request["basic"])
            headers["Authorization"] = "Basic " + _base64(pair)
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.server.base_url).netloc, timeout=20)
        try:
            connection.request(request["method"], path, body=self._body(request), headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        self.done += 1
        return Given(status=answer.status, headers={n.lower(): v for n, v in answer.getheaders()}, body=body)

    def _body(self, request: dict[str, Any]) -> bytes | None:
        if "raw" in request:
            return str(request["raw"]).encode("latin-1")
        if "json" in request:
            return self._named(json.dumps(self._with_ids(request["json"]), ensure_ascii=False)).encode()
        if "form" in request:
            form = request["form"]
            pairs = list(form.items()) if isinstance(form, dict) else [tuple(pair) for pair in form]
            return urllib.parse.urlencode([(name, self._named(value)) for name, value in pairs]).encode()
        return None

    def _bind(self, entry: Exchange, given: Given) -> None:
        for bind in entry.get("binds", ()):
            value = _place(bind["from"], given)
            if isinstance(bind["as"], int):
                if isinstance(value, int):
                    self.ids[bind["as"]] = value
            elif isinstance(value, str):
                self.names[bind["as"]] = value

    def _named(self, text: str) -> str:
        for placeholder in _PLACEHOLDER.findall(text):
            text = text.replace(placeholder, self.names.get(placeholder, placeholder))
        return text.replace("{base}", self.server.base_url)

    def _with_ids(self, value: Any, *, inside: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._with_ids(item, inside=name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._with_ids(item) for item in value]
        if inside == "id" and isinstance(value, int):
            return self.ids.get(value, value)
        if inside == "id" and isinstance(value, str) and value.isdecimal():
            return str(self.ids.get(int(value), int(value)))
        return value

    def _difference(self, entry: Exchange, given: Given) -> str:
        response = entry["response"]
        if given.status != response["status"]:
            return f"answered {given.status} instead of {response['status']}: {given.text[:200]}"
        fault = self._other_headers(response["headers"], given.headers)
        if fault:
            return fault
        if "json" in response:
            wanted = json.loads(self._named(json.dumps(self._with_ids(response["json"]), ensure_ascii=False)))
            loosely = bool(entry.get("after_race"))
            if _comparable(given.payload, loosely) != _comparable(wanted, loosely):
                return f"answered {given.payload} instead of {wanted}"
        elif "html" in response:
            return self._other_page(response["html"], given)
        elif "text" in response:
            cut = response["text"].endswith("(WADL, cut)")
            if (not given.text.startswith("<?xml")) if cut else given.text != response["text"]:
                return f"answered {given.text[:200]!r}"
        elif given.body and entry["request"]["method"] != "HEAD":
            return f"answered {given.text[:200]!r} instead of nothing"
        return ""

    def _other_headers(self, recorded: dict[str, str], given: dict[str, str]) -> str:
        wanted = {name.lower(): self._named(value) for name, value in recorded.items()}
        if wanted.get("location", "").startswith(self.server.base_url):
            wanted["location"] = re.sub(
                r"/(\d+)(?=/|\.json)", lambda found: f"/{self.ids.get(int(found[1]), found[1])}", wanted["location"]
            )
        got = {name: value for name, value in given.items() if name in _COMPARED}
        if "location" in got:
            got["location"] = got["location"].encode("latin-1").decode()
        return "" if got == wanted else f"has the headers {got} instead of {wanted}"

    def _other_page(self, recorded: dict[str, Any], given: Given) -> str:
        """Pages of the container are its own; forms are compared field by field."""
        if "form_action" not in recorded:
            container = _ERROR_PAGE.match(recorded.get("title", "")) is not None
            return "" if not container or "<title>Error" in given.text else "is no error page"
        wanted = {name: recorded[name] for name in ("title", "form_action", "inputs", "checkboxes")}
        wanted["hidden"] = {name: self._named(value) for name, value in recorded["hidden"].items()}
        return "" if _form(given.text) == wanted else f"is the form {_form(given.text)} instead of {wanted}"


_PLACEHOLDER = re.compile(r"00000000-0000-4000-8000-\d{12}|node0session\d{3}\.node0")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _place(where: str, given: Given) -> Any:
    kind, _, name = where.partition(":")
    if kind == "json":
        value = given.payload
        for step in re.findall(r"\.(\w+)|\[(\d+)\]", name):
            if value is None:
                return None
            value = value[int(step[1])] if step[1] else value.get(step[0])
        return value
    if kind == "location":
        parts = urllib.parse.urlsplit(given.headers.get("location", ""))
        return dict(urllib.parse.parse_qsl(f"{parts.query}&{parts.fragment}")).get(name)
    if kind == "html":
        return _form(given.text)["hidden"].get(name)
    return given.headers.get("set-cookie", "").partition(";")[0].removeprefix(f"{name}=")


def _form(page: str) -> dict[str, Any]:
    tags = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) | {"checked": " checked" in tag}
            for tag in re.findall(r"<(?:input|button) [^>]*>", page)]  # fmt: skip
    title, action = re.search(r"<title>(.*?)</title>", page), re.search(r'action="([^"]*)"', page)
    return {
        "title": title[1] if title else "",
        "form_action": action[1] if action else "",
        "hidden": {tag["name"]: tag["value"] for tag in tags if tag["type"] == "hidden"},
        "inputs": sorted({str(tag["name"]) for tag in tags if tag["type"] != "hidden"}),
        "checkboxes": [{"value": tag["value"], "checked": tag["checked"]} for tag in tags if tag["type"] == "checkbox"],
    }


def _comparable(value: Any, loosely: bool, *, inside: str = "") -> Any:
    """Without what varies from run to run; lists of rows and of violations have no order."""
    if isinstance(value, dict):
        return {
            name: _comparable(item, loosely, inside=name)
            for name, item in value.items()
            if not (loosely and name == "scopes")
        }
    if isinstance(value, list):
        items = [_comparable(item, loosely) for item in value]
        unordered = inside in ("violations", "resourceServers", "") or (items and isinstance(items[0], dict))
        return sorted(items, key=json.dumps) if unordered else items
    if inside in _TIMES or (inside == "expires_in" and isinstance(value, int) and value > 10**11):
        return value if not value else "some time"
    return value
