"""`python -m connectors.sandbox --config FILE --data FOLDER`. Exit code 2 and one sentence when it will not start."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from connectors.sandbox.app import run
from connectors.sandbox.config import Config, Refused, read


async def until_told(config: Config, folder: Path) -> None:
    stopped = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stopped.set)
    await run(config, folder, stopped)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox", description="The far end of every provider.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file, as the demo writes it")
    parser.add_argument("--data", type=Path, required=True, help="folder for mail, messages and certificates")
    arguments = parser.parse_args()
    try:
        asyncio.run(until_told(read(arguments.config), arguments.data))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
