"""The environment is read loudly: what is wrong is named in one sentence."""

from __future__ import annotations

import pytest

from config import env


def test_options_are_a_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILE_STORAGE_OPTIONS", '{"bucket_name": "files", "verify": false}')
    assert env.options("FILE_STORAGE_OPTIONS") == {"bucket_name": "files", "verify": False}
    monkeypatch.delenv("FILE_STORAGE_OPTIONS")
    assert env.options("FILE_STORAGE_OPTIONS") == {}


@pytest.mark.parametrize("value", ["bucket", "[1]", '{"bucket":', "7"])
def test_options_that_are_none_are_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILE_STORAGE_OPTIONS", value)
    with pytest.raises(env.BadSetting, match="FILE_STORAGE_OPTIONS must be a JSON object"):
        env.options("FILE_STORAGE_OPTIONS")
