"""A browser that kept some of yesterday's files must never run them together with today's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\./[^"']+)["']""")
HASHED = re.compile(r"\.[0-9a-f]{12}\.js$")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our static files as a deploy collects them."""
    place = tmp_path_factory.mktemp("static")
    storages = {**settings.STORAGES, "staticfiles": {"BACKEND": "config.static.HashedFiles"}}
    with override_settings(STATIC_ROOT=place, STORAGES=storages):
        call_command("collectstatic", interactive=False, verbosity=0)
    return place


def test_modules_import_each_other_by_the_names_that_carry_their_content(collected: Path) -> None:
    modules = [file for file in (collected / "js").glob("*.js") if HASHED.search(file.name)]
    imports = {file.name: IMPORT.findall(file.read_text()) for file in modules}
    assert imports, "no modules were collected"
    assert sum(map(len, imports.values())) > 20
    for name, found in imports.items():
        for address in found:
            assert HASHED.search(address), f"{name} imports {address} by a name that any deploy may change"
            assert (collected / "js" / address).is_file(), f"{name} imports {address}, which is not there"


def test_everybody_imports_the_same_copy_of_a_module(collected: Path) -> None:
    """Two copies of page.js would be two registries of acts."""
    manifest = json.loads((collected / "staticfiles.json").read_text())["paths"]
    for source in (Path(settings.BASE_DIR) / "static" / "js").glob("*.js"):
        hashed = collected / manifest[f"js/{source.name}"]
        for wanted, got in zip(IMPORT.findall(source.read_text()), IMPORT.findall(hashed.read_text()), strict=True):
            assert manifest[f"js/{wanted.removeprefix('./')}"] == f"js/{got.removeprefix('./')}"
