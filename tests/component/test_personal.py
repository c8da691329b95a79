"""The vault: what is past its date is gone, whether the purge has come by or not."""

from datetime import UTC, date, datetime

import pytest

from chassis.database import Cause, Tx
from chassis.errors import Invalid
from chassis.vault import NoPapers, PersonalRecord, Vault
from tests.component.conftest import CAUSE, Probe

LAST = date(2026, 3, 31)
_PHONE = "139-0713-5791"
_LAST_SECOND = datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai
_MIDNIGHT = datetime(2026, 3, 31, 16, 0, 0, tzinfo=UTC)


def at(instant: datetime) -> Cause:
    return CAUSE._replace(effective_at=instant)


async def test_a_record_is_read_to_the_end_of_its_last_day_and_is_gone_then(probe: Probe) -> None:
    vault = Vault()
    async with probe.database.transaction(CAUSE) as tx:
        name = await vault.keep(
            tx,
            subjects=[_PHONE],
            kind="contact",
            fields={"phone": _PHONE},
            purpose="联系",
            legal_basis="CONSENT",
            source="test",
            retain_until=LAST,
        )

    async def read(instant: datetime) -> tuple[PersonalRecord | None, list[PersonalRecord]]:
        async with probe.database.transaction(at(instant)) as tx:
            return await vault.read(tx, name, "核对"), await vault.of_subject(tx, _PHONE, "核对")

    one, every = await read(_LAST_SECOND)
    assert one is not None
    assert every == [one]
    assert await read(_MIDNIGHT) == (None, [])
    assert len(await probe.rows("SELECT 1 FROM personal_data_access")) == 2, "nothing was read after its date"

    async def purged(instant: datetime) -> int:
        async with probe.database.transaction(at(instant)) as tx:
            return len(await vault.purge(tx, name, NoPapers().lock))

    async def past(instant: datetime) -> list[str]:
        async with probe.database.transaction(at(instant)) as tx:
            return await vault.past(tx)

    assert (await past(_LAST_SECOND), await past(_MIDNIGHT)) == ([], [name])
    assert (await purged(_LAST_SECOND), await purged(_MIDNIGHT), await purged(_MIDNIGHT)) == (0, 1, 0)


async def _kept(tx: Tx, subject: str, fields: dict[str, str]) -> str:
    return await Vault().keep(
        tx,
        subjects=[subject],
        kind="contact",
        fields=fields,
        purpose="联系",
        legal_basis="CONSENT",
        source="test",
        retain_until=LAST,
    )


async def test_a_person_is_found_and_erased_by_a_number_in_any_writing(probe: Probe) -> None:
    vault = Vault()
    async with probe.database.transaction(at(_LAST_SECOND)) as tx:
        for phone in ("0086 13800138333", "010-68207837"):
            await _kept(tx, phone, {"phone": phone})
        assert len(await vault.of_subject(tx, "138 0013 8333", "核对")) == 1
        erased = [await vault.erase(tx, asked, NoPapers().lock) for asked in ("+86 138 0013 8333", "86-10-68207837")]
        assert erased == [[{"phone": "0086 13800138333"}], [{"phone": "010-68207837"}]]


_WRITINGS = ("张\u3000三 ", "li  ming", "买买提•吐尔逊\u200b", "李明", "王五")


async def test_a_person_is_found_by_a_name_in_any_writing(probe: Probe) -> None:
    vault = Vault()
    async with probe.database.transaction(at(_LAST_SECOND)) as tx:
        for name in ("张 三", "Li Ming", "买买提·吐尔逊"):
            await _kept(tx, name, {"name": name})
        assert len(await vault.of_subject(tx, "张三", "核对")) == 1
        assert [len(await vault.erase(tx, asked, NoPapers().lock)) for asked in _WRITINGS] == [1, 1, 1, 0, 0]


async def test_an_address_is_found_without_what_is_not_seen_and_no_other_that_is_like_it(probe: Probe) -> None:
    vault = Vault()
    async with probe.database.transaction(at(_LAST_SECOND)) as tx:
        await _kept(tx, "li.si@example.org", {"email": "li.si@example.org"})
        asked = ("lisi@example.org", "LI.SI@example.org\u200b")
        assert [len(await vault.of_subject(tx, one, "核对")) for one in asked] == [0, 1]


async def test_a_name_finds_no_record_that_has_a_number_and_says_that_there_are_some(probe: Probe) -> None:
    """Two persons can have one name."""
    vault = Vault()
    async with probe.database.transaction(at(_LAST_SECOND)) as tx:
        for subject, name in ((_PHONE, "张 三"), ("zhang@example.org", "张三"), ("张三", "张三"), ("13800138333", "张三丰")):
            await _kept(tx, subject, {"display_name": name})
        asked = ("张三", "张\u3000三", "张三丰", "李四", _PHONE)
        assert [await vault.namesakes(tx, one) for one in asked] == [2, 2, 1, 0, 0]
        assert len(await vault.of_subject(tx, "张三", "核对")) == 1
        assert len(await vault.erase(tx, "张三", NoPapers().lock)) == 1
        assert await vault.namesakes(tx, "张三") == 2, "they are kept"
    async with probe.database.transaction(at(_MIDNIGHT)) as tx:
        assert await vault.namesakes(tx, "张三") == 0, "past their date"


async def test_an_erasure_whose_reason_says_what_it_erases_erases_nothing(probe: Probe) -> None:
    vault = Vault()
    async with probe.database.transaction(CAUSE) as tx:
        name = await _kept(tx, _PHONE, {"display_name": "虚构的孙七八", "phone": _PHONE})

    async def erased(reason: str, *, by_subject: bool) -> None:
        async with probe.database.transaction(CAUSE._replace(reason=reason)) as tx:
            await (vault.erase(tx, _PHONE, NoPapers().lock) if by_subject else vault.forget(tx, name))

    for by_subject in (True, False):
        with pytest.raises(Invalid) as refused:
            await erased("虚构的孙七八要求", by_subject=by_subject)
        assert [(one.field, one.rule) for one in refused.value.violations] == [("reason", "personal-data")]
    assert len(await probe.rows("SELECT 1 FROM personal_data")) == 1
    await erased("本人要求", by_subject=True)
    assert not await probe.rows("SELECT 1 FROM personal_data")
