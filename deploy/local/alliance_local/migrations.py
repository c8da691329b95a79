"""`python -m alliance_local.migrations`: the migrations of the named services, one after the other, as their owners.

Reads a JSON list of [service, owner's URL] from stdin's stand-in, the environment variable `ALLIANCE_MIGRATIONS`.
"""

import asyncio
import importlib
import json
import os

from chassis.migrate import migrate


async def _main() -> None:
    for service, url in json.loads(os.environ["ALLIANCE_MIGRATIONS"]):
        declared = importlib.import_module(f"{service}.app").SERVICE
        await migrate(url, declared.migrations, service)


if __name__ == "__main__":
    asyncio.run(_main())
