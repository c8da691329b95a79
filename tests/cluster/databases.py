"""A database and two roles for each service, made by a pod of the cluster: `python3 -c SCRIPT HOST PORT`.

Runs in a service's image. Reads JSON from stdin: {"superuser": password of `postgres`, "roles": {role: password}}; each role
`SERVICE_owner` gets the database SERVICE. What deploy/k8s/README.md does by psql. A server that is not there
yet is waited for.
"""

import asyncio
import json
import sys
import time

import asyncpg

_PATIENCE = 120.0  # seconds


async def main() -> None:
    """Make what is missing."""
    host, port = sys.argv[1:3]
    given = json.load(sys.stdin)
    connection = await _connected(host, int(port), given["superuser"])
    for role, password in given["roles"].items():
        await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
    for owner in (role for role in given["roles"] if role.endswith("_owner")):
        await connection.execute(f"CREATE DATABASE {owner.removesuffix('_owner')} OWNER {owner}")
    await connection.close()


async def _connected(host: str, port: int, password: str) -> "asyncpg.Connection[asyncpg.Record]":
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return await asyncpg.connect(
                host=host, port=port, user="postgres", password=password, database="postgres", ssl=False, timeout=5
            )
        except (OSError, asyncpg.PostgresError):
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(main())
