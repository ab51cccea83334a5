"""The import contracts name every module that they are about: a new file is not left out unnoticed."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
}


@pytest.mark.parametrize(
    ("name", "package", "open_to_others"),
    [
        ("only the model of records is known below web", "records", "model"),
        ("of the media node only its protocol is known outside", "media", "protocol"),
    ],
)
def test_all_but_one_module_is_private(name: str, package: str, open_to_others: str) -> None:
    files = {file.stem for file in (ROOT / package).glob("*.py")} - {"__init__"}
    folders = {file.parent.name for file in (ROOT / package).glob("*/__init__.py")}
    modules = {f"{package}.{name}" for name in files | folders}
    assert set(CONTRACTS[name]["forbidden_modules"]) == modules - {f"{package}.{open_to_others}"}
