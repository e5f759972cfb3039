"""The settings of tests, set before Django reads them (loaded by `-p tests.environment`). Servers come from
`python -m config.services run`, which exports DATABASE_URL and REDIS_URL."""

from __future__ import annotations

import os
import tempfile

DEFAULTS = {
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
    "CREDENTIAL_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "PUBLIC_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver localhost 127.0.0.1",
    "DATA_DIR": tempfile.mkdtemp(prefix="throughline-files-"),
    "ALLOW_PRIVATE_HOSTS": "1",
    "UNDO_SECONDS": "0",
    "LOG_LEVEL": "WARNING",
}
for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
os.environ["SSL_CERT_FILE"] = os.devnull  # to read the world's authorities takes longer than most tests take
