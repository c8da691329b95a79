"""What nothing may depend on that a post says of persons 受保护的个人特征: gender, age, ethnicity, hometown, photo.

`demands` finds what a text asks of them, for the issuer to take out; a word about a trade or its customers (`女装设计`,
`12-18 岁的青少年`) is no demand. `without` leaves out every word of them, so that no score hears of it, also where it is meant
of customers (`女性健康`), since nobody can tell.

Sources: 就业促进法 arts. 27 (gender) and 28 (ethnicity); 妇女权益保障法 (2022) art. 43; 人力资源市场暂行条例 art. 24 (what an
advertisement of a post may not hold); 国办发〔2013〕35号 (no limits by age or registered residence for graduates);
个人信息保护法 art. 6 (no more data than the purpose needs).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """One attribute: its names, the rule that a demand breaks, and how people write of it.

    `asked` are demands; `said` are words of it that ask for nothing (`性别不限`), `values` name what a person may be (`女性`).
    """

    name: str
    zh: str
    en: str
    rule: str
    asked: re.Pattern[str]
    said: re.Pattern[str]
    values: re.Pattern[str]


@dataclass(frozen=True)
class Demand:
    """What a text asks of one attribute."""

    attribute: Attribute
    words: str


def _pattern(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


_ONLY = "(?:仅限|只限|限|仅招|只招|只要|要求|须为|需为)"
_FIRST = "(?:者|的)?(?:优先考虑|优先|为佳|尤佳|为宜)"
_AGED = r"\d{2}\s*(?:周?岁)?\s*[-~—–至到]\s*\d{2}\s*周?岁|\d{2}\s*周?岁"
_BOUND = "(?:以下|以内|以上|之间|左右)"
_OTHERS = "(?!的?(?:儿童|幼儿|婴|少年|青少年|孩|学生|学员|老人|人群|患者|用户|客户|读者|玩家))"  # whom the work is for
_PEOPLES = (  # GB/T 3304
    "汉|蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|高山|拉祜|水|东乡|纳西|景颇|柯尔克孜|"
    "土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|塔吉克|怒|乌孜别克|俄罗斯|鄂温克|德昂|保安|裕固|京|塔塔尔|独龙|鄂伦春|"
    "赫哲|门巴|珞巴|基诺"
)
_PEOPLE = f"(?:(?:{_PEOPLES})族|少数民族)"
ATTRIBUTES = (
    Attribute(
        "gender",
        "性别",
        "gender",
        "就业促进法第二十七条、妇女权益保障法第四十三条",
        _pattern(
            rf"{_ONLY}\s*[男女](?:性|士|生|方)?(?![装鞋包科])",
            r"性别\s*(?:要求)?\s*[:：为]?\s*[男女](?![女男])(?:性|士|生)?",
            rf"[男女](?:性|士|生)?{_FIRST}",
            r"\b(?:fe)?males? (?:only|preferred)\b",
            r"\b(?:wo)?men (?:only|preferred)\b",
        ),
        _pattern(r"性别\s*[:：]?\s*不限", r"男女(?:性)?(?:不限|均可|皆可|都可)"),
        _pattern("[男女](?:性|士|生|方)", "(?<![一-鿿])[男女](?![一-鿿])", r"\b(?:fe)?males?\b"),
    ),
    Attribute(
        "age",
        "年龄",
        "age",
        "国办发〔2013〕35号",
        _pattern(
            rf"(?<!平均)年龄(?:要求|范围)?\s*[:：]?\s*(?:在|为|须|需|应)?(?:不得?(?:超过|高于|大于)|低于|小于)?\s*(?:{_AGED}|\d{{2}}(?:\s*[-~—–至到]\s*\d{{2}})?)\s*{_BOUND}?",
            rf"\d{{2}}\s*(?:周?岁)?\s*[-~—–至到]\s*\d{{2}}\s*周?岁\s*{_BOUND}?{_OTHERS}",
            rf"(?!1[68]\s*周?岁\s*以上)\d{{2}}\s*周?岁\s*{_BOUND}{_OTHERS}",  # from 16 or 18 on is the law's own bound
            rf"(?<!\d)[6-90]0后{_FIRST}",
            r"\b(?:aged?|ages) (?:under |below |over |between )?\d{2}(?: ?(?:-|to|and) ?\d{2})?\b",
            r"\b(?:under|below|over) \d{2} years old\b",
        ),
        _pattern(r"年龄\s*[:：]?\s*不限", r"不限年龄"),
        _pattern(r"\d{1,2}\s*周?岁"),
    ),
    Attribute(
        "ethnicity",
        "民族",
        "ethnicity",
        "就业促进法第二十八条",
        _pattern(
            rf"{_ONLY}\s*{_PEOPLE}",
            rf"{_PEOPLE}{_FIRST}",
            rf"民族\s*[:：]\s*{_PEOPLE}",
        ),
        _pattern(r"民族\s*[:：]?\s*不限", r"不限民族"),
        _pattern(_PEOPLE),
    ),
    Attribute(
        "hometown",
        "户籍",
        "hometown",
        "国办发〔2013〕35号",
        _pattern(
            rf"{_ONLY}\s*[一-鿿]{{0,6}}(?:户籍|户口|籍贯)(?:人员|人士)?",
            rf"[一-鿿]{{0,4}}(?:户籍|户口|籍贯|本地人|当地人|本市人|本省人){_FIRST}",
            r"籍贯\s*[:：]\s*[一-鿿]{2,8}",
            r"\b(?:natives|locals|local residents) (?:only|preferred)\b",
        ),
        _pattern(r"(?:户籍|户口|籍贯)\s*[:：]?\s*不限", r"不限(?:户籍|户口|籍贯)"),
        _pattern("户籍|户口|籍贯"),
    ),
    Attribute(
        "photo",
        "照片",
        "a photo",
        "个人信息保护法第六条",
        _pattern(
            r"(?:附|带|提供|提交|上传|发送)[^，。；、,;\n]{0,8}(?:照片|近照|生活照|证件照|全身照)(?:一张)?",
            r"\b(?:with|attach|include|enclose) (?:a |your )?(?:recent )?photo(?:graph)?s?\b",
        ),
        _pattern(r"无需照片"),
        _pattern("生活照|证件照|全身照"),
    ),
)
# One of them stands in whatever the patterns find; most texts have none, and looking for them takes a twentieth of the time.
_HINTS = (
    *("岁", "龄", "族", "籍", "照", "男", "女", "性别", "0后", "户口", "人优先", "人者优先", "人为佳", "人尤佳", "人为宜"),
    *("male", "men only", "men preferred", "age ", "aged ", "ages ", "years old", "natives", "locals", "residents", "photo"),
)
_ALL = re.compile(
    "|".join(one.pattern for some in ATTRIBUTES for one in (some.said, some.asked))
    + "|"
    + "|".join(some.values.pattern for some in ATTRIBUTES),
    re.IGNORECASE,
)
_GAP = "\n"  # what stands on its two sides are no neighbours


def demands(text: str) -> Iterator[Demand]:
    """What a text asks of persons that it may not ask, one for each attribute that it names, with the words that do."""
    if not _is_hinted(text):
        return
    for attribute in ATTRIBUTES:
        if found := attribute.asked.search(attribute.said.sub(_GAP, text)):
            yield Demand(attribute, found[0].strip())


def without(text: str) -> str:
    """The text without what it says of these attributes; a gap stands in each place."""
    return _ALL.sub(_GAP, text) if _is_hinted(text) else text


def _is_hinted(text: str) -> bool:
    small = text.lower()
    return any(hint in small for hint in _HINTS)
