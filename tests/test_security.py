"""`docs/security.md`: every requirement of OWASP ASVS 5.0.0, level 1 and 2, and the tests that it names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text()
# Chapter.section: numbers of its requirements
LEVEL_1 = """
1.2: 1 2 3 4 5; 1.3: 1 2; 1.5: 1; 2.1: 1; 2.2: 1 2; 2.3: 1; 3.2: 1 2; 3.3: 1; 3.4: 1 2; 3.5: 1 2 3;
4.1: 1; 4.4: 1; 5.2: 1 2; 5.3: 1 2; 6.1: 1; 6.2: 1 2 3 4 5 6 7 8; 6.3: 1 2; 6.4: 1 2; 7.2: 1 2 3 4;
7.4: 1 2; 8.1: 1; 8.2: 1 2; 8.3: 1; 9.1: 1 2 3; 9.2: 1; 10.4: 1 2 3 4 5; 11.3: 1 2; 11.4: 1; 12.1: 1;
12.2: 1 2; 13.4: 1; 14.2: 1; 14.3: 1; 15.1: 1; 15.2: 1; 15.3: 1
"""
LEVEL_2 = """
1.1: 1 2; 1.2: 6 7 8 9; 1.3: 3 4 5 6 7 8 9 10 11; 1.4: 1 2 3; 1.5: 2; 2.1: 2 3; 2.2: 3; 2.3: 2 3 4; 2.4: 1;
3.3: 2 3 4; 3.4: 3 4 5 6; 3.5: 4 5; 3.7: 1 2; 4.1: 2 3; 4.2: 1; 4.3: 1 2; 4.4: 2 3 4; 5.1: 1; 5.2: 3;
5.4: 1 2 3; 6.1: 2 3; 6.2: 9 10 11 12; 6.3: 3 4; 6.4: 3 4; 6.5: 1 2 3 4 5; 6.6: 1 2 3; 6.8: 1 2 3 4;
7.1: 1 2 3; 7.3: 1 2; 7.4: 3 4 5; 7.5: 1 2; 7.6: 1 2; 8.1: 2; 8.2: 3; 8.4: 1; 9.2: 2 3 4; 10.1: 1 2;
10.2: 1 2; 10.3: 1 2 3 4; 10.4: 6 7 8 9 10 11; 10.5: 1 2 3 4 5; 10.6: 1 2; 10.7: 1 2 3; 11.1: 1 2;
11.2: 1 2 3; 11.3: 3; 11.4: 2 3 4; 11.5: 1; 11.6: 1; 12.1: 2 3; 12.3: 1 2 3 4; 13.1: 1; 13.2: 1 2 3 4 5;
13.3: 1 2; 13.4: 2 3 4 5; 14.1: 1 2; 14.2: 2 3 4; 14.3: 2 3; 15.1: 2 3; 15.2: 2 3; 15.3: 2 3 4 5 6 7;
16.1: 1; 16.2: 1 2 3 4 5; 16.3: 1 2 3 4; 16.4: 1 2 3; 16.5: 1 2 3; 17.1: 1; 17.2: 1 2 3 4; 17.3: 1 2
"""
NUMBER = re.compile(r"(?<![\d.])\d{1,2}\.\d\.\d{1,2}(?!\d|\.\d)")


def numbers(table: str) -> set[str]:
    sections = (part.split(":") for part in table.split(";"))
    return {f"{section.strip()}.{number}" for section, rest in sections for number in rest.split()}


def rows(text: str) -> list[list[str]]:
    """Cells of the tables' rows."""
    lines = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def part(heading: str) -> str:
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def named(heading: str) -> Counter[str]:
    """How often each number stands in the part: at the head of a row, or among those that do not apply."""
    text = part(heading)
    first = [row[0] for row in rows(text)]
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("|"))
    return Counter([*first, *NUMBER.findall(prose)])


def test_every_requirement_has_its_line() -> None:
    assert named("Level 1") == Counter(numbers(LEVEL_1))
    assert named("Level 2") == Counter(numbers(LEVEL_2))


def test_every_requirement_of_level_1_is_met() -> None:
    assert [row for row in rows(part("Level 1")) if not row[2].startswith("met")] == []


def test_every_line_names_a_test_that_there_is() -> None:
    for row in rows(PAGE):
        named_tests = re.findall(r"`([\w/]+\.py)::(\w+)`", row[3])
        assert named_tests, row
        for file, name in named_tests:
            path = ROOT / "tests" / file
            assert path.is_file(), (row[0], file)
            assert f"def {name}(" in path.read_text(), (row[0], name)
