"""The chassis: records as they come, ids, dates, and texts that hold what they must not."""

import uuid
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from alliance.listings.v1 import events_pb2
from chassis import clock
from chassis.clock import BusinessClock, business_date, parsed_date, start_of_day
from chassis.ids import _Generator, first_id, id_of, new_id, resource
from chassis.kafka import partition_of
from chassis.personal import screen
from chassis.record import MAX_KEY, RawRecord, UndecodableError, decode

TOPIC = "alliance.internal.listings.listing.v1"
HEADERS = {
    "ce_sequence": b"7",
    "ce_type": b"alliance.listings.listing.published.v1",
    "ce_id": b"01890000-0000-7000-8000-000000000000",
    "ce_time": b"2026-11-23T12:00:00.5Z",
    "traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


def raw(value: bytes | None = b"", key: bytes | None = b"listings/a", **headers: bytes | None) -> RawRecord:
    given = {**HEADERS, **headers}
    return RawRecord(TOPIC, 3, 42, 1_764_000_000_000, key, value, list(given.items()))


def test_a_record_is_what_its_headers_say() -> None:
    content = events_pb2.ListingEvent()
    content.listing.name = "listings/a"
    found = decode(raw(content.SerializeToString()))
    assert (found.key, found.version, found.verb, found.partition, found.offset) == ("listings/a", 7, "published", 3, 42)
    assert found.time == datetime(2026, 11, 23, 12, 0, 0, 500_000, UTC)
    assert found.message == content
    assert found.traceparent.startswith("00-0af7")


def test_no_value_is_a_tombstone_and_an_empty_one_is_not() -> None:
    assert decode(raw(None)).message is None
    assert decode(raw(b"")).message == events_pb2.ListingEvent()


def test_unknown_fields_types_and_headers_are_no_errors() -> None:
    found = decode(raw(b"\xf8\x3f\x01", ce_type=b"alliance.listings.listing.invented.v9", ce_unknown=b"\xff", ce_null=None))
    assert found.verb == "invented"


@pytest.mark.parametrize("text", [b"", b"yesterday", b"2026-11-23T12:00:00"])
def test_without_a_time_of_its_own_the_brokers_counts(text: bytes) -> None:
    assert decode(raw(ce_time=text)).time == datetime.fromtimestamp(1_764_000_000, UTC)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (raw(key=None), "no key"),
        (raw(key=b""), "no key"),
        (raw(key=b"\xff"), "key is not UTF-8"),
        (raw(key=b"a\x00"), "key is no resource name"),
        (raw(key=b"k" * (MAX_KEY + 1)), "key is no resource name"),
        (raw(ce_sequence=None), "header ce_sequence is missing or no version"),
        (raw(ce_sequence=b"seven"), "header ce_sequence is missing or no version"),
        (raw(ce_sequence=b"0"), "header ce_sequence is missing or no version"),
        (raw(ce_sequence=b"-1"), "header ce_sequence is missing or no version"),
        (raw(ce_sequence="７".encode()), "header ce_sequence is missing or no version"),
        (raw(ce_sequence=b"9" * 19), "header ce_sequence is missing or no version"),
        (raw(b"\x0a\xff"), "value is not the topic's message"),
        (raw(**{"content-type": b"application/json"}), "content-type is 'application/json'"),
    ],
)
def test_what_is_no_record_of_ours_says_why_and_not_what(record: RawRecord, why: str) -> None:
    with pytest.raises(UndecodableError) as refused:
        decode(record)
    assert str(refused.value) == why


def test_ids_rise_also_within_a_millisecond_and_when_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10] * 5000 + [3] * 10)
    monkeypatch.setattr("chassis.ids.time.time_ns", lambda: next(times) * 1_000_000)
    generator = _Generator()
    found = [generator.next() for _ in range(5010)]
    assert found == sorted(found)
    assert len(set(found)) == 5010
    assert {one.version for one in found} == {7}
    assert {one.variant for one in found} == {uuid.RFC_4122}


def test_the_first_id_of_an_instant_is_below_all_of_its_ids() -> None:
    before = first_id(datetime.now(UTC))
    made = new_id()
    assert before <= made < first_id(datetime.now(UTC) + timedelta(seconds=1))


def test_a_resource_name_ends_with_its_id() -> None:
    assert uuid.UUID(id_of(resource("listings"))).version == 7


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 12, 31, 15, 59, 59, 999_999, UTC), date(2026, 12, 31)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2027, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=8))), date(2027, 1, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_shanghai(instant: datetime, day: date) -> None:
    assert business_date(instant) == day


def test_the_start_of_a_day_is_its_first_instant() -> None:
    start = start_of_day(date(2027, 1, 1))
    assert start == datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert business_date(start) == date(2027, 1, 1)
    assert business_date(start - timedelta(microseconds=1)) == date(2026, 12, 31)


def test_the_business_clock_is_the_systems_plus_its_offset() -> None:
    class Stopped:
        def now(self) -> datetime:
            return datetime(2026, 11, 23, tzinfo=UTC)

    moved = BusinessClock(Stopped())
    assert moved.now() == Stopped().now()
    moved.offset = timedelta(days=40)
    assert moved.now() == datetime(2027, 1, 2, tzinfo=UTC)
    assert clock.SystemClock().now().tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2028-02-29", date(2028, 2, 29)),
        ("2026-02-29", None),
        ("2026-1-31", None),
        ("20260131", None),
        ("2026-W05-6", None),
        ("2026-01-31T00:00", None),
        (" 2026-01-31", None),
        ("２０２６-01-31", None),
        ("0000-01-01", None),
        ("", None),
    ],
)
def test_dates_have_one_form(text: str, day: date | None) -> None:
    assert parsed_date(text) == day


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("请致电 13812345678", "手机号"),
        ("138-1234-5678", "手机号"),
        ("+86 138 1234 5678", "手机号"),
        ("１３８１２３４５６７８", "手机号"),
        ("010-12345678", "固定电话"),
        ("（0551）1234567", ""),
        ("(0551) 1234567", "固定电话"),
        ("hr@example.com.cn", "电子邮箱"),
        ("ｈｒ＠example.com", "电子邮箱"),
        ("11010519491231002X", "身份证号"),
        ("110105194912310021", "身份证号"),
        ("联盟420106199001011231n1790", "身份证号"),
        ("联盟420106 19900101 1231号", "身份证号"),
        ("id 11010519491231002xabc", "身份证号"),
        ("订单 20261123138123456789", ""),
        ("91110108MA01ABCD2E", ""),
        ("招聘 12 人，月薪 8000-15000 元", ""),
        ("GB/T 4754-2017", ""),
        ("@产业园", ""),
        ("微信：zhangsan88", "微信号"),
        ("微信号 zhangsan", "微信号"),
        ("加 ＶＸ：Abc_12345", "微信号"),
        ("WeChat ID: li-wei_9", "微信号"),
        ("联系微信号是12345678。", "微信号"),
        ("QQ:123456789", "QQ 号"),
        ("联系扣扣号码 88888888", "QQ 号"),
        ("QQ 123456", "QQ 号"),
        ("QQ（123456789）", "QQ 号"),
        ("微信 lisi_2020", "微信号"),
        ("微信zhangsan88", "微信号"),
        ("wx zhangsan88", "微信号"),
        ("微信（zhangsan88）", "微信号"),
        ("微信号（zhangsan）", "微信号"),
        ("请加微信 zhangsan 详谈", "微信号"),
        ("联系微信：zhangsan", "微信号"),
        ("加我的微信123456", "微信号"),
        ("wxid_a1b2c3d4 是我的，微信ID wxid_a1b2c3d4", "微信号"),
        ("熟悉QQ浏览器、微信小程序开发", ""),
        ("熟悉微信 OAuth2 授权、微信Android客户端、微信 Windows10 版", ""),
        ("增加微信openid字段，添加微信 jssdk 依赖", ""),
        ("电话01068207837", "固定电话"),
        ("tel:(010)68207837", "固定电话"),
        ("0755.2345678", "固定电话"),
        ("电话138.1234.5678", "手机号"),
        ("138 123 45678", "手机号"),
        ("138\u200b1234\u200b5678", "手机号"),
        ("86 - 13812345678", "手机号"),
        ("身份证 110108 19900307 1234", "身份证号"),
        ("身份证 110108-19900307-123X", "身份证号"),
        ("1990-2000 100 人，15000-20000 元", ""),
        ("编号 001068207837、0100000000", ""),
        ("专业 080901、GB 50011-2010、2023.01.15-2024.12.31", ""),
        ("110108 19901307 123 号", ""),
        ("微信（mini-program）与微信 cocos2d 小游戏", ""),
        ("联系微信客服，咨询微信支付", ""),
        ("wxg10-211企业微信产品运营经理", ""),
        ("微信支付2026年新版", ""),
        ("QQ（2026版）", ""),
        ("微信公众号：tech_2020", ""),
        ("微信号：gh_abcdef123456", ""),
        ("熟悉微信小程序、微信：JSSDK、wx:foreach", ""),
        ("WXG10-133 企业微信运维工程师（职位编号：75907）", ""),
        ("微信 20000 元", ""),
        ("QQ音乐2023版、QQ飞车、QQ邮箱 12345678", ""),
        ("招 QQ 20000 元", ""),
        ("QQ群 123456789", ""),
        ("型号 VX：2000", ""),
        ("电话一三八一二三四五六七八", "手机号"),
        ("幺三八 一二三四 五六七八", "手机号"),
        ("壹叁捌-壹贰叁肆-伍陆柒捌", "手机号"),
        ("拨打1474零556258", "手机号"),
        ("13812345678一直有人接", "手机号"),
        ("二十一13812345678", "手机号"),
        ("一二八一二三四五六七八", ""),  # no mobile number begins with 12
        ("一三八一二三四五六七", ""),
        ("一三八一二三四五六七八九", ""),
        ("一九九八年至二〇二三年，第一三五七九期", ""),
        ("400-810-8888", ""),
        ("客服 800-820-8820 转 8001", ""),
        ("热线 400-138-1234-5678", ""),
        ("热线 4001381234、400 138 1234", ""),
        ("400-13812345678", "手机号"),
        ("补贴 400 138-1234-5678", "手机号"),
        ("补贴 5400-138-1234-5678", "手机号"),
        ("500-138-1234-5678", "手机号"),
        ("138·0013·8000", "手机号"),
        ("(138)00138000", "手机号"),
        ("1 3 8 0 0 1 3 8 0 0 0", "手机号"),
        ("1 3 8 0 0 1 3 8 0 0 0 0", ""),
        ("138 – 0013 – 8000", "手机号"),
        ("138——0013——8000", "手机号"),
        ("138_0013_8000", "手机号"),
        ("138，0013，8000", "手机号"),
        ("138/0013/8000", "手机号"),
        ("138     0013     8000", "手机号"),
        ("一 三 八 零 零 一 三 八 零 零 零", "手机号"),
        ("幺三八洞洞幺三八洞洞洞", "手机号"),
        ("幺三八 两洞勾拐 五六七八", "手机号"),
        ("١٣٨٠٠١٣٨٠٠٠", "手机号"),
        ("电话013800138000", "手机号"),
        ("电话0013800138000", ""),
        ("0086 138 0013 8000", "手机号"),
        ("010-6820 7837", "固定电话"),
        ("010—68207837", "固定电话"),
        ("（010）6820-7837", "固定电话"),
        ("0755 2601 2345", "固定电话"),
        ("零一零-六八二零七八三七", "固定电话"),
        ("+86-10-68207837", "固定电话"),
        ("86-10-68207837", "固定电话"),
        ("+86 (0)10 6820 7837", "固定电话"),
        ("+85-10-68207837", ""),
        ("110108 1990 0101 1234", "身份证号"),
        ("110108 1990 0230 1234", ""),  # no such day
        ("1101 0819 9001 0112 31", "身份证号"),
        ("1101 0819 9001 0112 34", ""),  # another check digit
        ("一一零一零八一九九零零一零一一二三四", "身份证号"),
        ("110108900101123", "身份证号"),
        ("110108901301123", ""),
        ("990108900101123", ""),  # no province
        ("QQ:12 345 678", "QQ 号"),
        ("QQ 12 345 678", ""),
        ("2019-2020、1000-2000元、3、4、5，1.2.3.4，2026-01-01至2026-12-31", ""),
        ("20240101-20241231", ""),
        ("投入 130,1500,2000元", ""),
        ("投入 130,1500,2000,3000", ""),
        ("附件 img_138_2024_0101", ""),
        ("GB/T 4754-2017、GB/T 2260-2007、ISO 9001:2015", ""),
        ("二〇一九—二〇二〇学年，五六七八九年级", ""),
        ("找 138|6666|7777", "手机号"),
        ("138 | 6666 | 7777", "手机号"),
        ("138｜66667777", "手机号"),
        ("1386666|7777", "手机号"),
        ("138~6666~7777", "手机号"),
        ("138*6666*7777", "手机号"),
        ("138:6666:7777", "手机号"),
        ("138#6666#7777、138+6666+7777", "手机号"),
        ("138；6666；7777", "手机号"),
        ("【138】【6666】【7777】", ""),  # brackets of a heading are no signs between digits
        ("[138][6666][7777]", "手机号"),
        ("010|68207837", "固定电话"),
        ("010*6820*7837", "固定电话"),
        ("110108|19900101|1231", "身份证号"),
        ("招生 6000|7000", ""),
        ("| 年份 | 150 | 2000 | 3000 |", ""),
        ("150|2000|3000|4000", ""),
        ("100|150|2000|3000", ""),
        ("板材 150*2000*3000mm、150×2000×3000", ""),
        ("尺寸：150*2000*3000", ""),
        ("营收 150→1500→2000，150+2000+3000=5150", ""),
        ("138****7777", ""),
        ("比例 1:2:3，13:30-15:00，2026-01-15 13:00:00", ""),
        ("薪资 8000~15000 元·13~18 薪，2026~2027 学年，130~1500 元", ""),
        ("IPv4 138.100.200.30:8080", ""),
        ("l38OO138OOO", "手机号"),
        ("电话 I38 OO13 8OOO", "手机号"),
        ("1З8", ""),
        ("138ОО138ООО", "手机号"),  # Cyrillic
        ("OIO-68207837", "固定电话"),
        ("型号 LO1380013800OX、oil 138、LOL 2026", ""),
        ("ISO 9001、IO 1000-2000、OLED 138", ""),
        ("&#49;&#51;&#56;00138000", "手机号"),
        ("&#x31;38&#48;0138000", "手机号"),
        ("&amp;#49;3800138000", "手机号"),
        ("li.wei&commat;example.com", "电子邮箱"),
        ("研发 R&D、A&amp;B、&#8212;", ""),
        ("138\u034f0013\u034f8000", "手机号"),
        ("138\u31640013\ufe0f8000", "手机号"),
        ("1\ufe0f\u20e33\ufe0f\u20e38\ufe0f\u20e300138000", "手机号"),
        ("1\u03363\u03368\u033600138000", "手机号"),
        ("li.wei(at)example.cn", "电子邮箱"),
        ("li.wei [at] example", "电子邮箱"),
        ("liwei（AT）example.cn", "电子邮箱"),
        ("liwei#example.cn", "电子邮箱"),
        ("liwei(a)example.com", "电子邮箱"),
        ("liwei艾特qq.com", "电子邮箱"),
        ("liwei at qq.com", "电子邮箱"),
        ("liwei at example dot com", "电子邮箱"),
        ("liwei@example[dot]com", "电子邮箱"),
        ("liwei@example点com", "电子邮箱"),
        ("liwei @ example.com", "电子邮箱"),
        ("liwei*163.com", "电子邮箱"),
        ("熟悉 C#、ASP.NET、C#.NET、c#asp.net", ""),
        ("https://example.com/page#section.cn", ""),
        ("meet us at example.com, look at 2.0", ""),
        ("types (a) metal (b) plastic, data (at rest)", ""),
        ("关注 @example、npm@latest", ""),
        ("护照 E12345678", "护照号"),
        ("护照号码：EA1234567", "护照号"),
        ("Passport No. G12345678", "护照号"),
        ("passport 123456789", "护照号"),
        ("E12345678（护照）", "护照号"),
        ("护照阅读器 E12345678、办理护照 20 本，通行证 2026 版", ""),
        ("型号 E12345678", ""),
    ],
)
def test_phones_addresses_and_identity_numbers_are_found(text: str, rule: str) -> None:
    found = screen("description", text)
    assert [rule in one.zh for one in found] == ([True] if rule else [])
    assert not any(text in one.zh + one.en for one in found)


_UNSEEN = ("\u034f", "\ufe0f", "\u3164", "\u2066", "\u0336")
_GAPS = st.sampled_from(["|", "~", "*", ":", "#", ";", "+", "&", " | ", "-", ".", " ", "·", *_UNSEEN])
_DIGITS = st.text("0123456789", min_size=4, max_size=4).filter(lambda four: not four.startswith(("19", "20")))


@given(st.sampled_from(["13", "15", "18", "19"]), st.sampled_from("0123456789"), _DIGITS, _DIGITS, _GAPS, _GAPS)
def test_a_number_is_found_whatever_stands_between_its_groups(
    begin: str, third: str, second: str, last: str, first_gap: str, second_gap: str
) -> None:
    text = f"联系{begin}{third}{first_gap}{second}{second_gap}{last}，非诚勿扰"
    assert any("手机号" in one.zh for one in screen("description", text)), text


@given(st.text("0123456789", min_size=8, max_size=8), st.data())
def test_a_number_is_found_with_letters_and_entities_for_digits(rest: str, data: st.DataObject) -> None:
    written = [data.draw(st.sampled_from(_WRITTEN.get(one, (one,)))) for one in f"138{rest}"]
    text = f"联系 {''.join(written)} 谢谢"
    enough = sum(map(str.isdecimal, (one for one in written if len(one) == 1))) >= 5
    assert not enough or any("手机号" in one.zh for one in screen("description", text)), text


_WRITTEN = {"0": ("0", "o", "O"), "1": ("1", "l", "I", "i")}


_UNITS = st.sampled_from(["元", "人", "年", "mm", "", "岁", "%"])


@given(st.integers(0, 10**5), st.integers(0, 10**5), st.sampled_from("|~:*-—/、"), _UNITS)
def test_two_amounts_are_no_number_whatever_parts_them(least: int, most: int, sign: str, unit: str) -> None:
    assert screen("description", f"范围 {least}{sign}{most}{unit}。") == []


@given(st.text(min_size=1), st.integers(1, 100))
def test_a_key_has_the_partition_that_any_client_finds(key: str, partitions: int) -> None:
    everything = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key.encode(), everything, everything)
