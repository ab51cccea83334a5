"""Makes web/static/vendor/ and web/static/icons.svg from the installed npm packages, as web/vendor.toml says.

    npm ci && python deploy/vendor.py      writes the files and their manifest
    python deploy/vendor.py --check        verifies the committed files, offline and without node_modules

The manifest (vendor/manifest.json) holds for every package its version, licence and the integrity string of
package-lock.json, and for every file the SHA-256 of what is committed.
"""

import argparse
import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "web" / "static"
VENDOR = STATIC / "vendor"
MANIFEST = VENDOR / "manifest.json"
IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*)(["'])([@\w][\w@/.-]*)\2""")
SOURCE_MAP = re.compile(r"\n?(?://# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$")
DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.S)
FACTS = ("version", "license", "integrity")
BLANK_PATH = re.compile(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>')


def wishes() -> dict[str, Any]:
    return tomllib.loads((ROOT / "web" / "vendor.toml").read_text("utf-8"))


def locked(package: str) -> dict[str, Any]:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    entry: dict[str, Any] = lock["packages"][f"node_modules/{package}"]
    return entry


def installed(package: str) -> Path:
    folder = ROOT / "node_modules" / package
    have = json.loads((folder / "package.json").read_text("utf-8"))["version"]
    want = locked(package)["version"]
    if have != want:
        sys.exit(f"{package}: {have} is installed, package-lock.json says {want}: run npm ci")
    return folder


def rewritten(text: str, names: dict[str, str], file: str) -> str:
    """The module with bare imports turned into relative ones; one that is not vendored is an error."""

    def relative(found: re.Match[str]) -> str:
        if found[3] not in names:
            sys.exit(f"{file} imports {found[3]!r}, which web/vendor.toml does not name")
        return f"{found[1]}{found[2]}./{names[found[3]]}{found[2]}"

    return SOURCE_MAP.sub("\n", IMPORT.sub(relative, text))


def sprite(icons: dict[str, Any]) -> str:
    folder = installed(icons["package"]) / icons["folder"]
    lines = ['<svg xmlns="http://www.w3.org/2000/svg">']
    for name, source in icons["symbols"].items():
        drawing = DRAWING.search((folder / f"{source}.svg").read_text("utf-8"))
        if drawing is None:
            sys.exit(f"{source}.svg is not a drawing")
        shapes = " ".join(BLANK_PATH.sub("", drawing[1]).split())
        lines.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
            f'stroke-linecap="round" stroke-linejoin="round">{shapes}</symbol>'
        )
    return "\n".join([*lines, "</svg>", ""])


def licence(package: str) -> str:
    folder = installed(package)
    found = sorted(p for p in folder.iterdir() if re.match("licen[sc]e|copying", p.name, re.I))
    if not found:
        sys.exit(f"{package} brings no licence text")
    return found[0].read_text("utf-8")


def made(wish: dict[str, Any]) -> dict[str, str]:
    """Every file to be written, by its path below web/static/."""
    names = {f["as"]: f["to"] for f in wish["file"] if "as" in f}
    files: dict[str, str] = {}
    for file in wish["file"]:
        text = (installed(file["package"]) / file["from"]).read_text("utf-8")
        if "as" in file:
            text = rewritten(text, names, file["from"])
            files[f"vendor/{file['to'].removesuffix('.js')}.d.ts"] = types(file["as"])
        files[f"vendor/{file['to']}"] = SOURCE_MAP.sub("\n", text)
    files[wish["icons"]["to"]] = sprite(wish["icons"])
    for package in packages(wish):
        files[f"vendor/licences/{package.replace('/', '_').removeprefix('@')}.txt"] = licence(package)
    return files


def types(module: str) -> str:
    lines = f'export * from "{module}";\n'
    return lines + f'export {{ default }} from "{module}";\n' if module in ("htm", "uplot") else lines


def packages(wish: dict[str, Any]) -> list[str]:
    return sorted({f["package"] for f in wish["file"]} | {wish["icons"]["package"]})


def manifest(wish: dict[str, Any], files: dict[str, str]) -> dict[str, Any]:
    entries = {p: locked(p) for p in packages(wish)}
    return {
        "packages": {
            p: {key: e[key] for key in ("version", "license", "integrity")} for p, e in entries.items()
        },
        "files": {name: hashlib.sha256(files[name].encode()).hexdigest() for name in sorted(files)},
    }


def write() -> None:
    wish = wishes()
    files = made(wish)
    for old in VENDOR.rglob("*"):
        if old.is_file():
            old.unlink()
    for name, text in files.items():
        (STATIC / name).parent.mkdir(parents=True, exist_ok=True)
        (STATIC / name).write_text(text, "utf-8", newline="\n")
    MANIFEST.write_text(json.dumps(manifest(wish, files), indent=2) + "\n", "utf-8")
    print(f"wrote {len(files)} files")


def faults() -> list[str]:
    """What is wrong with the committed files; needs neither a network nor node_modules."""
    wish, held = wishes(), json.loads(MANIFEST.read_text("utf-8"))
    said: dict[str, str] = held["files"]
    there = {p.relative_to(STATIC).as_posix() for p in VENDOR.rglob("*") if p.is_file() and p != MANIFEST}
    found = [f"{name}: not in the manifest" for name in sorted(there - said.keys())]
    for name, digest in said.items():
        file = STATIC / name
        if not file.is_file():
            found.append(f"{name}: missing")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            found.append(f"{name}: changed since it was made")
    for package in packages(wish):
        entry, kept = locked(package), held["packages"].get(package)
        if kept is None or any(entry[key] != kept[key] for key in kept):
            found.append(f"{package}: made from another version than package-lock.json's")
    wanted = {f"vendor/{f['to']}" for f in wish["file"]} | {wish["icons"]["to"]}
    found += [f"{name}: wished for in web/vendor.toml, not made" for name in sorted(wanted - said.keys())]
    symbols = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / wish["icons"]["to"]).read_text("utf-8")))
    missing = sorted(wish["icons"]["symbols"].keys() - symbols)
    return found + [f"icons.svg: no symbol {name}" for name in missing]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="verify the committed files, write nothing")
    if not parser.parse_args().check:
        return write()
    if found := faults():
        sys.exit("\n".join(found))
    print("the vendored files are what the manifest says")
    return None


if __name__ == "__main__":
    main()
