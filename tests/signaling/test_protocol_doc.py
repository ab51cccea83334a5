"""docs/protocol.md says what signaling/messages.py says, all of it and nothing else."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, get_args

import pytest

from deploy import protocol_doc
from records import model
from signaling import messages as m
from signaling.messages import CloseCode, ErrorCode

PAGE = protocol_doc.OUT.read_text("utf-8")
UNIONS: list[tuple[str, Any]] = [
    *((f"in {role}", union) for role, union in protocol_doc.INBOUND.items()),
    *((f"out {role}", union) for role, union in protocol_doc.OUTBOUND.items()),
]


def section(name: str) -> str:
    return PAGE.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]


def entries(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each heading with the fields of its table."""
    for part in text.split("#### ")[1:]:
        yield part.split("\n", 1)[0].strip("`"), re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)


def test_the_page_is_up_to_date() -> None:
    assert protocol_doc.filled(PAGE) == PAGE, "run python deploy/protocol_doc.py"


def test_every_table_has_its_place_once() -> None:
    assert sorted(protocol_doc.marked(PAGE)) == sorted(protocol_doc.tables())


@pytest.mark.parametrize(("name", "union"), UNIONS)
def test_every_message_stands_there_with_its_fields_and_no_other(name: str, union: UnionType) -> None:
    said = dict(entries(section(name)))
    meant = {kind.__struct_config__.tag: [*kind.__struct_encode_fields__] for kind in get_args(union)}
    assert said == meant


def test_every_field_of_every_structure_stands_there() -> None:
    for name, fields in entries(section("structs")):
        struct = getattr(m, name, None) or getattr(model, name)
        assert fields == [*struct.__struct_encode_fields__]


def test_every_code_stands_there_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)` \|", section("errors"), re.MULTILINE) == [
        code.value for code in ErrorCode
    ]
    assert re.findall(r"^\| (\d+) \|", section("closes"), re.MULTILINE) == [str(c.value) for c in CloseCode]
    assert set(protocol_doc.CLOSES) == set(CloseCode)


def test_every_error_says_when() -> None:
    assert not re.findall(r"^\| `\w+` \|\s*\|", section("errors"), re.MULTILINE)


def test_pages_reconnect_as_it_says() -> None:
    """The kit's list of final codes is the one of the table."""
    script = (protocol_doc.ROOT / "web" / "static" / "js" / "kit" / "protocol.js").read_text("utf-8")
    final = re.search(r"const FINAL = new Set\(\[(.*?)\]", script, re.S)
    assert final is not None
    in_script = set(re.findall(r"CloseCode\.(\w+)", final[1]))
    assert in_script == {code.name for code, (_, again) in protocol_doc.CLOSES.items() if again == "no"}


def test_every_word_is_explained() -> None:
    used = set(re.findall(r"\[(\w+)\]\(#words\)", PAGE))
    explained = set(re.findall(r"^\| (\w+) \| `", section("words"), re.MULTILINE))
    assert used == explained
    structures = set(re.findall(r"\[(\w+)\]\(#structures\)", PAGE))
    assert structures == {name for name, _ in entries(section("structs"))}
