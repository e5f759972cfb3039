"""What the providers keep: values by kind and id, and files. It survives a restart."""

from __future__ import annotations

import json
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class StoredFile:
    id: str
    name: str
    content_type: str
    path: Path


class Store:
    """A shelf in one SQLite file, and a folder of files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(folder / "store.db", isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS shelf (place INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, id TEXT, value TEXT,"
            " UNIQUE (kind, id))"
        )

    def put(self, kind: str, id: str, value: Any) -> None:
        self.database.execute(
            "INSERT INTO shelf (kind, id, value) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value",
            (kind, id, json.dumps(value)),
        )

    def drop(self, kind: str, id: str) -> None:
        self.database.execute("DELETE FROM shelf WHERE kind = ? AND id = ?", (kind, id))

    def all(self, kind: str) -> list[Any]:
        """Every value of this kind, in the order it first came."""
        rows = self.database.execute("SELECT value FROM shelf WHERE kind = ? ORDER BY place", (kind,))
        return [json.loads(value) for (value,) in rows]

    def add_file(self, content: bytes, content_type: str, name: str, id: str = "") -> StoredFile:
        key = id or secrets.token_hex(16)
        file = StoredFile(key, name, content_type, self.files / key)
        file.path.write_bytes(content)
        self.put("file", file.id, {"id": file.id, "name": name, "content_type": content_type, "path": file.path.name})
        return file

    def file(self, id: str) -> StoredFile | None:
        row = self.database.execute("SELECT value FROM shelf WHERE kind = 'file' AND id = ?", (id,)).fetchone()
        if row is None:
            return None
        value = json.loads(row[0])
        return StoredFile(value["id"], value["name"], value["content_type"], self.files / value["path"])

    def close(self) -> None:
        self.database.close()
