"""Days that pass for one body alone, while the platform's clock stands where it is."""

from datetime import UTC, date

import asyncpg

from alliance.registry.v1 import registry_service_pb2 as rpc
from alliance_local.control import Platform
from alliance_local.postgres import Postgres
from chassis.clock import business_date
from tests import world


async def turn_the_day(platform: Platform, body: str, days: int = 1) -> None:
    """As it is days after, on which nobody has looked at the body."""
    registry = await asyncpg.connect(Postgres(platform.state).url("registry", "registry"))
    async with registry.transaction():
        for statement in (
            "UPDATE membership SET valid_from = valid_from - $2::int, valid_to = valid_to - $2::int WHERE body = $1",
            "UPDATE finding SET since = since - make_interval(days => $2::int) WHERE subject = $1",
            "UPDATE body_check SET checked_on = checked_on - $2::int WHERE body = $1",
        ):
            await registry.execute(statement, body, days)
    await registry.close()


def today(platform: Platform) -> date:
    """The business date of the register."""
    now = world.operator(platform).registry.CheckBody(rpc.CheckBodyRequest(name=world.alliance(platform).name)).check_time
    return business_date(now.ToDatetime(tzinfo=UTC))
