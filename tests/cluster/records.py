"""What stands on topics, told by a pod of the cluster: `python3 -c SCRIPT BOOTSTRAP TOPIC…`.

Runs in a service's image. Reads each topic from its start to its present end, committed records only, and prints JSON:
topic → key → the versions of its records, in their order.
"""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer

Versions = dict[str, list[int]]


async def read(bootstrap: str, topic: str) -> Versions:
    """Key → versions. Offsets of transactions' own marks are passed by, so it is the position that tells the end."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        found: Versions = {}
        while [place for place, end in ends.items() if await consumer.position(place) < end]:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    found.setdefault(record.key.decode(), []).append(int(dict(record.headers)["ce_sequence"]))
        return found
    finally:
        await consumer.stop()


async def main() -> None:
    """Print what stands on the topics."""
    bootstrap, *topics = sys.argv[1:]
    print(json.dumps({topic: await read(bootstrap, topic) for topic in topics}))


if __name__ == "__main__":
    asyncio.run(main())
