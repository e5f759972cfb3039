"""docs/channels.md says where everything is tested; what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"`(?:tests/)?((?:unit|integration|peers|e2e|faults|bench)/\w+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED.findall((TESTS.parent / "docs/channels.md").read_text()))))
def test_every_test_the_channels_page_names_exists(file: str, name: str) -> None:
    assert f"def {name}" in (TESTS / file).read_text()
