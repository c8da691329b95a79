"""Tables of feeds, and the statements on them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text, Uuid, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from chassis.database import Database, Tx
from listings.store import Base

_INSTANT: Any = DateTime(timezone=True)
MAX_REFUSALS = 200  # kept of a feed
_REMOVED = text("3")  # the state, as the indexes have it


class FeedRow(Base, table=True):
    """A feed; its secret is in `feed_secret`."""

    __tablename__ = "feed"
    __table_args__ = (
        Index("feed_issuer", "issuer", "name"),
        Index("feed_source", "issuer", "source", unique=True, postgresql_where=text("direction = 1 AND state <> 3")),
        Index("feed_due", "next_run_at", postgresql_where=text("state = 1")),
    )

    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    display_name: str = Field(sa_type=Text)
    direction: int
    system: int
    issuer: str = Field(sa_type=Text)
    url: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    kind: int
    mapping: str = Field(sa_type=Text)
    publish: bool
    body: str = Field(sa_type=Text)
    interval: int
    expected_every: int
    silence: int
    state: int
    cursor: str = Field(sa_type=Text)
    lap_pages: int = 0
    """IN: pages that came without a pause, and a cursor of theirs that is waited for (`domain.feeds.Lap`)."""
    lap_mark: str = Field(default="", sa_type=Text)
    last_heard_at: datetime | None = Field(sa_type=_INSTANT)
    last_record_at: datetime | None = Field(sa_type=_INSTANT)
    quiet_from: datetime = Field(sa_type=_INSTANT)
    """Business time from which on silence is counted: what was expected came then, or began to be expected."""
    silent: bool
    """Whether that was told."""
    failures: int
    error_zh: str = Field(sa_type=Text)
    error_en: str = Field(sa_type=Text)
    next_run_at: datetime = Field(sa_type=_INSTANT)
    """System time of the next exchange; while one is under way, when it counts as lost."""
    claim: UUID | None = Field(sa_type=Uuid)
    """Whose exchange is under way. What another one brings counts for nothing."""
    create_time: datetime = Field(sa_type=_INSTANT)
    update_time: datetime = Field(sa_type=_INSTANT)


class FeedSecretRow(Base, table=True):
    """A feed's signing secret and the one before it, apart from everything that is listed or published."""

    __tablename__ = "feed_secret"

    feed: str = Field(sa_type=Text, primary_key=True)
    secret: str = Field(sa_type=Text)
    previous: str = Field(default="", sa_type=Text)
    previous_until: datetime | None = Field(default=None, sa_type=_INSTANT)
    """System time up to which the one before it holds, too."""


class FeedRecordRow(Base, table=True):
    """IN: the version in which a record of the other end was taken last."""

    __tablename__ = "feed_record"

    feed: str = Field(sa_type=Text, primary_key=True)
    external_key: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
    deleted: bool
    again: bool
    """Whether the same version is to be taken once more."""


class FeedRefusalRow(Base, table=True):
    """IN: a record that is refused now; `record` is its key, or what stands for a line without one that is kept (`keys`)."""

    __tablename__ = "feed_refusal"
    __table_args__ = (Index("feed_refusal_newest", "feed", "id"),)

    feed: str = Field(sa_type=Text, primary_key=True)
    record: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(sa_type=Uuid)
    external_key: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    line: int
    problems: list[dict[str, str]] = Field(sa_column=Column(JSONB, nullable=False))
    create_time: datetime = Field(sa_type=_INSTANT)


class FeedSentRow(Base, table=True):
    """OUT: a listing that the other end may have, in the version that it took; 0 where that is not known."""

    __tablename__ = "feed_sent"

    feed: str = Field(sa_type=Text, primary_key=True)
    listing: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)


feed: Table = FeedRow.__table__  # type: ignore[attr-defined]
_secret: Table = FeedSecretRow.__table__  # type: ignore[attr-defined]
_record: Table = FeedRecordRow.__table__  # type: ignore[attr-defined]
_refusal: Table = FeedRefusalRow.__table__  # type: ignore[attr-defined]
_IS_ANY_DUE = "SELECT EXISTS (SELECT 1 FROM feed WHERE state = 1 AND next_run_at <= $1)"
_QUIET = "SELECT count(*) FILTER (WHERE silent) AS silent, min(quiet_from) AS quiet_from FROM feed WHERE state = 1"
_KEEP = """
INSERT INTO feed_record (feed, external_key, version, deleted, again) VALUES ($1, $2, $3, $4, false)
ON CONFLICT (feed, external_key) DO UPDATE SET version = excluded.version, deleted = excluded.deleted, again = false
"""
_MENDED = "DELETE FROM feed_refusal WHERE feed = $1 AND record = $2 AND version <= $3"
_FORGET_KEYLESS = "DELETE FROM feed_refusal WHERE feed = $1 AND external_key = '' AND create_time < $2"
_TRIM = """
DELETE FROM feed_refusal
WHERE feed = $1 AND id < (SELECT id FROM feed_refusal WHERE feed = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
"""
# What the other end should have, and what it may have, in these versions: two sets are compared, so there is no order of
# changes that a late commit could stand behind. Of the first set an index alone is read.
_DIFFERENT = """
SELECT l.name, l.version, CASE WHEN d.is_public THEN l.content END FROM (
  SELECT coalesce(w.name, s.listing) AS name, w.name IS NOT NULL AS is_public
  FROM (SELECT name, version FROM listing WHERE state = 2 AND visibility = 1{narrower}) w
  FULL JOIN (SELECT listing, version FROM feed_sent WHERE feed = $1) s ON s.listing = w.name
  WHERE w.version IS DISTINCT FROM s.version ORDER BY 1 LIMIT $2
) d JOIN listing l ON l.name = d.name ORDER BY l.name
"""
_OFFER = "INSERT INTO feed_sent (feed, listing, version) SELECT $1, unnest($2::text[]), 0 ON CONFLICT DO NOTHING"
_SENT = "UPDATE feed_sent SET version = $3 WHERE feed = $1 AND listing = $2"
_GONE = "DELETE FROM feed_sent WHERE feed = $1 AND listing = ANY($2::text[])"


class Held(NamedTuple):
    """What is known of a record of the other end."""

    version: int = 0
    deleted: bool = False
    again: bool = False


class Different(NamedTuple):
    """A listing that the other end is to be told of; `content` is None where it is gone."""

    name: str
    version: int
    content: bytes | None


async def add(tx: Tx, row: FeedRow, secret: str) -> None:
    """Enter a feed."""
    await tx.conn.execute(insert(feed).values(row.model_dump()))
    await tx.conn.execute(insert(_secret).values(feed=row.name, secret=secret))


async def save(tx: Tx, row: FeedRow) -> None:
    """Write a feed."""
    await tx.conn.execute(update(feed).where(feed.c.name == row.name).values(row.model_dump(exclude={"name"})))


async def get(tx: Tx, name: str, *, lock: bool = False) -> FeedRow | None:
    """One feed."""
    statement = select(FeedRow).where(feed.c.name == name)
    return (await tx.session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def claimed(tx: Tx, given: FeedRow) -> FeedRow | None:
    """A feed, locked; None where its exchange is another's by now, or nobody's."""
    row = await get(tx, given.name, lock=True)
    return row if row and row.claim == given.claim else None


async def page(tx: Tx, issuer: str, before: str | None, limit: int, *, removed: bool) -> Sequence[FeedRow]:
    """Feeds, newest first; with those that were removed where wanted."""
    statement = select(FeedRow).order_by(feed.c.name.desc()).limit(limit)
    if not removed:
        statement = statement.where(feed.c.state != _REMOVED)
    if issuer:
        statement = statement.where(feed.c.issuer == issuer)
    if before is not None:
        statement = statement.where(feed.c.name < before)
    return (await tx.session.execute(statement)).scalars().all()


async def count_active(tx: Tx, issuer: str) -> int:
    """How many feeds of an organization are active."""
    statement = select(func.count()).select_from(feed).where(feed.c.issuer == issuer, feed.c.state == 1)
    return int((await tx.conn.execute(statement)).scalar_one())


async def fed(tx: Tx, issuer: str, source: str) -> str | None:
    """The feed IN that has an issuer's source."""
    mine = (feed.c.direction == 1, feed.c.issuer == issuer, feed.c.source == source, feed.c.state != _REMOVED)
    return (await tx.conn.execute(select(feed.c.name).where(*mine))).scalar_one_or_none()


async def secrets_of(tx: Tx, name: str) -> list[str]:
    """A feed's signing secrets that hold now, the newest first; none once it was removed."""
    row = (await tx.conn.execute(select(_secret).where(_secret.c.feed == name))).one_or_none()
    if row is None:
        return []
    holds = row.previous_until is not None and tx.recorded_at < row.previous_until
    return [row.secret, row.previous] if holds else [row.secret]


async def rotate(tx: Tx, name: str, secret: str, until: datetime | None) -> None:
    """Put a new secret in place of a feed's, which holds until an instant of system time; no longer at all with None."""
    before = _secret.c.secret if until else ""
    values = {"secret": secret, "previous": before, "previous_until": until}
    await tx.conn.execute(update(_secret).where(_secret.c.feed == name).values(values))


async def forget_secret(tx: Tx, name: str) -> None:
    """Nothing is signed for a feed any more."""
    await tx.conn.execute(delete(_secret).where(_secret.c.feed == name))


async def is_any_due(database: Database) -> bool:
    """Whether any feed is due; a look that is cheap enough to be taken all the time."""
    async with database.alone() as sql:
        return bool(await sql.value(_IS_ANY_DUE, database.system_time()))


async def due(tx: Tx, limit: int) -> Sequence[FeedRow]:
    """Active feeds whose exchange is due, locked, who waits longest first; those that another has are left to it."""
    statement = (
        select(FeedRow)
        .where(feed.c.state == text("1"), feed.c.next_run_at <= tx.recorded_at)
        .order_by(feed.c.next_run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await tx.session.execute(statement)).scalars().all()


async def quiet(database: Database) -> tuple[int, datetime | None]:
    """How many active feeds are silent, and since when the quietest is not heard; None where there is none."""
    async with database.alone() as sql:
        row = await sql.row(_QUIET)
    return (row.silent, row.quiet_from) if row else (0, None)


async def held(tx: Tx, name: str, keys: Collection[str]) -> dict[str, Held]:
    """What is known of records, by key."""
    c = _record.c
    statement = select(c.external_key, c.version, c.deleted, c.again).where(c.feed == name, c.external_key.in_(keys))
    return {key: Held(*known) for key, *known in await tx.conn.execute(statement)}


async def keep(tx: Tx, name: str, taken: Mapping[str, Held]) -> None:
    """Write down what was taken."""
    await tx.sql.run_each(_KEEP, [(name, key, one.version, one.deleted) for key, one in taken.items()])


async def take_again(tx: Tx, name: str) -> None:
    """Have every record taken once more in the version that it has. A line without a key is refused anew where it still is."""
    await forget_keyless(tx, name, tx.now)
    await tx.conn.execute(update(_record).where(_record.c.feed == name, ~_record.c.deleted).values(again=True))


async def refuse(tx: Tx, rows: Sequence[FeedRefusalRow]) -> None:
    """Keep refusals of one feed, and no more of it than the newest."""
    if rows:
        await tx.conn.execute(
            delete(_refusal).where(_refusal.c.feed == rows[0].feed, _refusal.c.record.in_([r.record for r in rows]))
        )
        await tx.run_each(insert(_refusal), [row.model_dump() for row in rows])
        await tx.sql.run(_TRIM, rows[0].feed, MAX_REFUSALS - 1)


async def mended(tx: Tx, name: str, taken: Mapping[str, Held]) -> None:
    """Records are refused no more, unless a higher version is."""
    await tx.sql.run_each(_MENDED, [(name, key, one.version) for key, one in taken.items()])


async def forget_keyless(tx: Tx, name: str, before: datetime) -> None:
    """Lines without a key that were refused before an instant: no record mends them, for nobody can say whose they are."""
    await tx.sql.run(_FORGET_KEYLESS, name, before)


async def refusals(tx: Tx, name: str, before: UUID | None, limit: int) -> Sequence[FeedRefusalRow]:
    """Refusals of a feed, newest first."""
    statement = select(FeedRefusalRow).where(_refusal.c.feed == name).order_by(_refusal.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(_refusal.c.id < before)
    return (await tx.session.execute(statement)).scalars().all()


async def refused(tx: Tx, names: Collection[str]) -> dict[str, int]:
    """Feed → how many records are refused now."""
    statement = select(_refusal.c.feed, func.count()).where(_refusal.c.feed.in_(names)).group_by(_refusal.c.feed)
    return {row[0]: row[1] for row in await tx.conn.execute(statement)}


async def different(tx: Tx, row: FeedRow, limit: int) -> list[Different]:
    """Public listings that the other end does not have as they are, and what it may have that is public no more."""
    values: list[object] = [row.name, limit]
    narrower = ""
    for condition, value in (("bodies @> ARRAY[${}]", row.body), ("kind = ${}", row.kind)):
        if value:
            values.append(value)
            narrower += f" AND {condition.format(len(values))}"
    return [Different(*one) for one in await tx.sql.rows(_DIFFERENT.format(narrower=narrower), *values)]


async def offer(tx: Tx, name: str, listings: Sequence[str]) -> None:
    """Write down, before anything is sent, what the other end may have from now on."""
    await tx.sql.run(_OFFER, name, listings)


async def sent(tx: Tx, name: str, versions: Mapping[str, int], gone: Sequence[str]) -> None:
    """Write down what the other end took."""
    await tx.sql.run_each(_SENT, [(name, listing, version) for listing, version in versions.items()])
    await tx.sql.run(_GONE, name, gone)


async def send_again(tx: Tx, name: str) -> None:
    """Have everything sent once more."""
    await tx.sql.run("UPDATE feed_sent SET version = 0 WHERE feed = $1", name)
