"""What a reason or a purpose may not repeat of the personal record that it is about."""

import pytest

from chassis.personal import repeated

_LATIN = {"display_name": "Li Lei", "phone": "+1 (650) 253-0000", "email": "li.lei@example.org", "position": "教授"}
_CHINESE = {"display_name": "虚构的孙七八", "phone": "139-0713-5791", "listing": "listings/本人", "disclosed": "True"}


@pytest.mark.parametrize(
    ("record", "text", "fields"),
    [
        (_CHINESE, "虚构的孙七八要求删除", ["姓名"]),
        (_CHINESE, "应虚构的 孙七八之请", ["姓名"]),
        (_CHINESE, "应虚构的·孙七\u200b八之请", ["姓名"]),
        (_CHINESE, "孙七八要求删除", []),
        (_CHINESE, "虚构的孙七八，１３９０７１３５７９１", ["姓名", "电话"]),
        (_CHINESE, "来电 86 139 0713 5791", ["电话"]),
        (_CHINESE, "本人要求（True）", []),
        (_LATIN, "asked for by LI LEI", ["姓名"]),
        (_LATIN, "asked for by lilei", ["姓名"]),
        (_LATIN, "a lilei1 and Li Leiden", []),
        (_LATIN, "Li Lei要求", ["姓名"]),
        (_LATIN, "called from 001-650-253.0000", ["电话"]),
        (_LATIN, "called from 650 253 0001", []),
        (_LATIN, "see Li.Lei@Example.org", ["姓名", "电子邮箱"]),
        (_LATIN, "lei@example.org", []),
        (_LATIN, "核实教授职称", []),
        (_LATIN, "", []),
        ({"display_name": "甲"}, "甲要求删除", []),
        ({"display_name": "甲乙"}, "甲乙要求删除", ["姓名"]),
        ({"display_name": " 甲 "}, "甲要求删除", []),
        ({"display_name": "·"}, "·", []),
        ({}, "本人要求", []),
    ],
)
def test_a_text_that_stays_repeats_no_name_number_or_address(record: dict[str, str], text: str, fields: list[str]) -> None:
    found = repeated("reason", text, [{}, record, record])
    assert [(one.field, one.zh.split("记录的")[1].split("，")[0]) for one in found] == [("reason", field) for field in fields]
    assert all("请删去" in one.zh and "take it out" in one.en for one in found)
    assert not any(record["display_name"] in f"{one.zh} {one.en}" for one in found)
