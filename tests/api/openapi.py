"""Two OpenAPI documents compared, route by route, without their prose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete", "head")
# Titles, examples and descriptions bind nobody
PROSE = {"title", "description", "summary", "example", "examples", "tags"}


class Document:
    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def routes(self) -> set[str]:
        return {
            f"{method.upper()} {path}"
            for path, methods in self._body["paths"].items()
            for method in methods
            if method in METHODS
        }

    def operation(self, route: str) -> dict[str, Any]:
        method, path = route.split(" ", 1)
        found: dict[str, Any] = self._body["paths"][path][method.lower()]
        return found

    def resolved(self, value: Any, seen: tuple[str, ...] = ()) -> Any:
        """`value` with every reference replaced by what it stands for, in a form to compare."""
        if isinstance(value, list):
            items = [self.resolved(item, seen) for item in value]
            return sorted(items, key=_order)
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            name = value["$ref"].rpartition("/")[2]
            if name in seen:
                return {"recursive": name}
            return self.resolved(self._body["components"]["schemas"][name], (*seen, name))
        cleaned = {k: self.resolved(v, seen) for k, v in value.items() if k not in PROSE}
        if "properties" in value:
            # Properties may be called like prose
            cleaned["properties"] = {
                k: self.resolved(v, seen) for k, v in value["properties"].items()
            }
        cleaned.pop("mapping", None)
        return cleaned


def differences(theirs: Document, ours: Document, route: str) -> Iterator[str]:
    """What a client of `theirs` would notice at `route` of `ours`."""
    a, b = theirs.operation(route), ours.operation(route)
    if a.get("operationId") != b.get("operationId"):
        yield f"operationId {a.get('operationId')} → {b.get('operationId')}"
    if _secured(a) != _secured(b):
        yield f"security {_secured(a)} → {_secured(b)}"
    parameters_a, parameters_b = (
        {(p["in"], p["name"]): d.resolved({k: v for k, v in p.items() if k not in PROSE})
         for p in operation.get("parameters", [])}
        for d, operation in ((theirs, a), (ours, b))
    )  # fmt: skip
    for key in sorted(parameters_a.keys() | parameters_b.keys()):
        if parameters_a.get(key) != parameters_b.get(key):
            yield f"parameter {key[1]}"
    body_a, body_b = (d.resolved(o.get("requestBody")) for d, o in ((theirs, a), (ours, b)))
    yield from _compare("request", body_a, body_b)
    good_a, good_b = (d.resolved(o["responses"].get("200")) for d, o in ((theirs, a), (ours, b)))
    yield from _compare("answer", good_a, good_b)


def _order(item: Any) -> str:
    """Alternatives have no order: sorted by what tells them apart."""
    if not isinstance(item, dict):
        return repr(item)
    marks = [
        f"{name}={p['const']}" for name, p in item.get("properties", {}).items() if "const" in p
    ]
    return f"{item.get('type')} {marks} {item.get('operationId', '')}"


def _secured(operation: dict[str, Any]) -> list[str]:
    return sorted(name for scheme in operation.get("security") or [] for name in scheme)


def _compare(place: str, a: Any, b: Any) -> Iterator[str]:
    if a == b:
        return
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key not in a:
                yield f"{place}.{key} added"
            elif key not in b:
                yield f"{place}.{key} missing"
            else:
                yield from _compare(f"{place}.{key}", a[key], b[key])
        return
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for number, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _compare(f"{place}[{number}]", one, other)
        return
    yield f"{place}: {_short(a)} → {_short(b)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:77]}..."
