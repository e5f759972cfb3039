"""What every migration promises to a database that is in use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONCURRENT = [path for path in sorted(ROOT.glob("*/migrations/0*.py")) if "AddIndexConcurrently(" in path.read_text()]


@pytest.mark.parametrize("path", CONCURRENT, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_an_index_that_somebody_was_too_long_in_the_way_of_is_built_when_it_is_run_again(path: Path) -> None:
    """PostgreSQL leaves an index that is not valid, and refuses to make another one of that name."""
    operations = path.read_text().split("operations = [")[1]
    names = re.findall(r'AddIndexConcurrently\(.*?name="(\w+)"', operations, re.S)
    assert names
    for name in names:
        before = operations.split(f'name="{name}"')[0]
        assert f'DROP INDEX CONCURRENTLY IF EXISTS {name}"' in before
        assert "SET lock_timeout" in before
