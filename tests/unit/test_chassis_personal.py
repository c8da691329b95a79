"""What a reason or a purpose may not repeat of the personal record that it is about."""

import pytest

from chassis.personal import repeated, screen, screen_across

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
        ({"display_name": "欧阳娜"}, "應歐陽娜之請", ["姓名"]),
        ({"display_name": "歐陽娜"}, "应欧阳娜之请", ["姓名"]),
        ({"display_name": "張偉"}, "张\u034f伟要求删除", ["姓名"]),
        ({"display_name": "张伟"}, "张\u3164伟、张\u0336伟", ["姓名"]),
        ({"display_name": "欧阳娜"}, "歐陽山要求删除", []),
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


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("招聘工程师 138", "00138000，请联系", "手机号"),
        ("招聘工程师 138-0013-", " 8000", "手机号"),
        ("招聘工程师 1380", "013 8000", "手机号"),
        ("招聘工程师 幺三八", "洞洞幺三八洞洞洞", "手机号"),
        ("电话 010-", "68207837", "固定电话"),
        ("招聘 2026", "2027 学年", ""),
        ("招聘 138 人", "00138000", ""),
        ("招聘 138", "岗位 00138000", ""),
        ("招聘 13800138000", "2026 年", ""),  # said of the first by itself
        ("招聘 138", "13800138000", ""),
        ("招聘 20 名", "1. 负责产线；2. 负责 3 条", ""),
        ("GB/T 4754-2017", "2026-01-01 起", ""),
        ("", "00138000", ""),
        ("138", "", ""),
    ],
)
def test_a_number_that_goes_on_in_the_next_text_is_found(first: str, second: str, rule: str) -> None:
    assert [rule in one.zh for one in screen_across(first, "description", second)] == ([True] if rule else [])


@pytest.mark.parametrize("text", ["08682116-6861-47f6-915f-0a4072b1a2f5", " 13800138-0013-8001-8380-013800138000"])
def test_a_uuid_is_no_number_and_a_part_of_a_text_may_be(text: str) -> None:
    assert screen("key", text) == []
    assert screen("key", "13800138000 " + text) != []
