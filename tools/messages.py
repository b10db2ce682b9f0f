"""Keep the translations of the pages complete: `reflector/web/locale/*.po`.

    python tools/messages.py [--update]     --update: add new texts, remove those that are gone

Without `--update` it says what is missing, and fails; `make check` runs this. Texts are found in
templates, in modules (`t`, `tn`), in Python files of the pages (`N_`), and in the sentences of
errors that the API gives to pages.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "reflector" / "web"
LOCALE = PAGES / "locale"
ERRORS = (
    "Busy",
    "Conflict",
    "Forbidden",
    "InvalidInput",
    "NotFound",
    "ServerAway",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
)
# Headers that change by themselves, or say nothing here
NOISE = tuple(
    f'"{name}'.encode()
    for name in ("PO-", "POT-", "Project-", "Report-", "Last-", "Language-", "Generated-")
)
# None: the first argument is the text
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None, "N_": None, "gettext": None, "t": None, "ngettext": (1, 2), "tn": (1, 2), **dict.fromkeys(ERRORS),
}  # fmt: skip
# What is said to people who use the pages; the rest is for administrators at a console
FOLDERS = [
    "accounts", "administration", "calendars", "http", "live", "mail", "notes", "outgoing", "rooms", "search", "sharing", "summary_templates", "tags", "transcripts",
    "uploads", "web", "webhooks",
]  # fmt: skip


def python_texts(
    file: BinaryIO, keywords: Collection[str], _tags: Collection[str], options: dict[str, Any]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the texts of calls as Babel wants them: line, function, text, comments.

    Babel's own way takes the last piece of a text with values for a text.
    """
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            # An error has a sentence, and may have a hint
            for text in node.args if node.func.id in ERRORS else node.args[:1]:
                if node.func.id in keywords and isinstance(text, ast.Constant):
                    yield node.lineno, node.func.id, str(text.value), []


SCRIPTS = "static/**.js"
METHODS: list[tuple[str, Any]] = [
    (SCRIPTS, "javascript"),
    ("templates/**.html", "jinja2"),
    ("**.py", python_texts),
]


def texts() -> Catalog:
    """Return all texts in the code, without their lines: these change with every commit."""
    found = Catalog()
    for folder in FOLDERS:
        options = {SCRIPTS: {"parse_template_string": "true"}}
        rows = extract_from_dir(ROOT / "reflector" / folder, METHODS, options, KEYWORDS, ())
        for name, _, message, _, context in rows:
            where = (f"reflector/{folder}/{name}", 0)
            found.add(message, locations=[where], context=context)
    # What a class of errors says by itself
    with (ROOT / "reflector" / "errors.py").open("rb") as file:
        for _, _, message, _ in python_texts(file, KEYWORDS, (), {}):
            found.add(message, locations=[("reflector/errors.py", 0)])
    return found


def updated(path: Path, template: Catalog) -> Catalog:
    """Return the catalogue in `path` with the texts of `template`, and no others."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.stem)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def written(catalog: Catalog) -> bytes:
    binary = io.BytesIO()
    write_po(
        binary, catalog, width=120, omit_header=False, sort_output=True, include_lineno=False,
        ignore_obsolete=True,
    )  # fmt: skip
    lines = binary.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(NOISE))


def is_missing(message: Message) -> bool:
    if not message.id:
        return False
    strings = message.string if isinstance(message.string, list | tuple) else [message.string]
    return message.fuzzy or not all(strings)


def main() -> None:
    template = texts()
    problems = []
    for path in sorted(LOCALE.glob("*.po")):
        catalog = updated(path, template)
        text = written(catalog)
        if "--update" in sys.argv:
            path.write_bytes(text)
        elif text != path.read_bytes():
            problems.append(
                f"{path.name} is not what the code has: python tools/messages.py --update"
            )
        for message in catalog:
            if is_missing(message):
                problems.append(f"{path.name}: no translation of {message.id!r}")
                continue
            problems += [f"{path.name}: {error} in {message.id!r}" for error in message.check()]
    print(f"{len(template)} texts, {len(problems)} problems", *problems, sep="\n")
    if problems:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
