"""Writes web/static/js/kit/messages.d.ts: the browser's view of signaling/messages/ and of the content.

python deploy/message_types.py            writes the file
python deploy/message_types.py --check    fails when it is out of date
"""

import argparse
import sys
import types
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from msgspec import inspect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from records import model  # noqa: E402
from signaling import messages  # noqa: E402

OUT = ROOT / "web" / "static" / "js" / "kit" / "messages.d.ts"
HEAD = "// Made by deploy/message_types.py from signaling/messages/ and records/model.py. Do not edit.\n"
UNIONS = {
    "StationIn": messages.StationIn,
    "AgentIn": messages.AgentIn,
    "ManagerIn": messages.ManagerIn,
    "StationOut": messages.StationOut,
    "AgentOut": messages.AgentOut,
    "ManagerOut": messages.ManagerOut,
}
CONTENT = (model.Zone, model.Department, model.Item)


class Declarations:
    """Collects every struct and enum reachable from what it is asked to spell."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def spell(self, kind: inspect.Type) -> str:
        match kind:
            case inspect.StructType():
                return self.struct(kind)
            case inspect.EnumType():
                return self.enum(kind.cls)
            case inspect.UnionType():
                return " | ".join(self.spell(t) for t in kind.types)
            case inspect.VarTupleType():
                return f"ReadonlyArray<{self.spell(kind.item_type)}>"
            case inspect.TupleType():
                return f"readonly [{', '.join(self.spell(t) for t in kind.item_types)}]"
            case inspect.DictType():
                return f"Record<string, {self.spell(kind.value_type)}>"
            case inspect.StrType():
                return "string"
            case inspect.IntType() | inspect.FloatType():
                return "number"
            case inspect.BoolType():
                return "boolean"
            case inspect.NoneType():
                return "null"
        raise TypeError(f"no TypeScript for {kind}")

    def enum(self, cls: type[Enum]) -> str:
        values = " | ".join(f'"{member.value}"' for member in cls)
        self.texts[cls.__name__] = f"export type {cls.__name__} = {values};\n"
        return cls.__name__

    def struct(self, kind: inspect.StructType) -> str:
        cls = kind.cls
        if cls.__name__ in self.texts:
            return cls.__name__
        self.texts[cls.__name__] = ""  # holds the place: structs may mention each other
        lines = [f'  type: "{kind.tag}";'] if kind.tag_field else []
        inbound = issubclass(cls, messages.In)
        optional = inbound or cls.__struct_config__.omit_defaults
        for field in kind.fields:
            mark = "?" if optional and not field.required else ""
            lines.append(f"  {field.encode_name}{mark}: {self.spell(field.type)};")
        if kind.tag_field and not inbound:
            lines.append("  seq?: number;")
        note = "".join(f" {line.strip()}" for line in (cls.__doc__ or "").splitlines() if line.strip())
        body = "\n".join(lines)
        self.texts[cls.__name__] = f"/**{note} */\nexport interface {cls.__name__} {{\n{body}\n}}\n"
        return cls.__name__


def spelt() -> str:
    declared = Declarations()
    unions = []
    for name, union in UNIONS.items():
        members = [declared.spell(inspect.type_info(member)) for member in get_args(union)]
        unions.append(f"export type {name} = {' | '.join(members)};\n")
    for struct in CONTENT:
        declared.spell(inspect.type_info(struct))
    return "\n".join([HEAD, *declared.texts.values(), *unions, requests(), constants()])


def requests() -> str:
    """What Connection.request takes: every message with a ref, by its type."""
    members: dict[str, str] = {}
    for union in (messages.StationIn, messages.AgentIn):
        assert isinstance(union, types.UnionType)
        for member in get_args(union):
            if issubclass(member, messages.Request):
                tag: Any = inspect.type_info(member)
                members[tag.tag] = member.__name__
    body = "\n".join(f'  {tag}: Omit<{name}, "type" | "ref">;' for tag, name in members.items())
    return f"export interface Requests {{\n{body}\n}}\n"


def constants() -> str:
    return f"export type Protocol = {messages.PROTOCOL};\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write messages.d.ts from signaling/messages/.")
    parser.add_argument(
        "--check", action="store_true", help="fail when the file is out of date, write nothing"
    )
    text = spelt()
    if not parser.parse_args().check:
        OUT.write_text(text, "utf-8", newline="\n")
    elif OUT.read_text("utf-8") != text:
        sys.exit(f"{OUT.relative_to(ROOT)} is out of date: run python deploy/message_types.py")


if __name__ == "__main__":
    main()
