"""The words of a listing 用词: Latin words and pairs of neighbouring Han characters, weighed by where they stand.

No statistics of the corpus enter, so that what two listings share depends on these two alone and an old proposal can
be recomputed. Two kinds of words are cut out and separate what stands beside them: the phrases that every post or
supply uses (`_PHRASES`), and the names of provinces and cities, since places are compared by code, never by text.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cache, lru_cache
from itertools import accumulate
from sys import intern

from codes import protected, regions

TITLE, LABEL, PROSE = 4, 3, 1  # weight of a word by where it stands
PROSE_LIMIT = 2000  # characters of a text that count; a change must cost little however long the text is
_PREFECTURE = "自治州"
_LATIN = 2  # a Latin word weighs as two Han bigrams: `java` is a whole word, `数据` may be half of one
_MASS = 24  # least weight that an overlap is measured against: two short texts never agree wholly by one word

HAN = "㐀-䶿一-鿿\U00020000-\U000323af"  # with the extensions beyond the basic plane: names have some of them (𠮷, 𬭎)
_WORD = re.compile(rf"[a-z][a-z0-9]*(?:[+#]+|\.[a-z0-9]+)*|[{HAN}]+")
# What recruiting and outcome texts say whatever they are about.
_PHRASES = tuple(
    """
        负责 职责 岗位 任职 要求 资格 条件 描述 说明 以上 以下 以内 以及 相关 专业 学历 优先 优先考虑 考虑 具有 具备
        良好 较强 很强 优秀 一定 能力 经验 工作 熟悉 熟练 掌握 了解 精通 使用 运用 能够 可以 毕业 毕业生 应届 应届生
        本科 本科生 大专 专科 硕士 博士 研究生 学士 学生 在校 全日制 统招 公司 企业 单位 团队 部门 我们 我校 本校 学院
        大学 高校 院校 员工 同事 领导 上级 其他 其它 任务 沟通 协调 协作 合作 团队精神 责任心 责任感 责任意识 服务意识
        积极 主动 认真 踏实 细致 独立完成 学习能力 语言表达 表达能力 抗压 参与 完成 进行 开展 提供 协助 配合 根据
        按照 通过 对于 关于 针对 围绕 基于 实现 推动 促进 提升 提高 人才 需求 招聘 实习 实习生 就业 供给 面向 方向
        领域 行业 产业 主要 包括 福利 待遇 薪资 薪酬 工资 五险一金 双休 年终 年终奖 奖金 补贴 年假 节日 体检 晋升
        机会 工程师 的 与 及 和 或 等 了
    """.split()  # noqa: SIM905 (a list that people read and edit)
)


def normal(text: str) -> str:
    """One form of writing: half width, small letters, no outer spaces, nothing of what persons are (`codes.protected`)."""
    return protected.without(unicodedata.normalize("NFKC", text).casefold()).strip()


def neutral(text: str) -> str:
    """A text without places, which are compared by code, and without what persons are; a gap stands in each place."""
    return _named_places().sub("\n", protected.without(text))


def places(text: str) -> list[str]:
    """Codes of the provinces and cities that a text names, in its order; all that a name is of."""
    found = (code for name in _named_places().findall(normal(text)) for code in regions.find(name))
    return list(dict.fromkeys(found))


def words(text: str) -> list[str]:
    """Words in the order of the text: `Java开发工程师` → `java`, `开发`, `发工`, `工程`, `程师`."""
    found: list[str] = []
    for run in _WORD.findall(normal(text)):
        if run[0] < "㐀":
            found.append(run)
            continue
        for piece in _cuts().split(run):
            found += [piece[at : at + 2] for at in range(len(piece) - 1)]
    return found


def plain(text: str) -> list[str]:
    """Every word, none cut out: Latin words, Han characters and pairs of them. `库管` → `库`, `管`, `库管`."""
    return [word for run in runs(text) for word in run]


def runs(text: str) -> list[list[str]]:
    """The same, by what is written together: `库管 杀` → (`库`, `管`, `库管`), (`杀`)."""
    return [
        [run] if run[0] < "㐀" else [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
        for run in _WORD.findall(normal(text))
    ]


def weigh(title: str, labels: Iterable[str], prose: Iterable[str]) -> dict[str, int]:
    """Word → weight, the best place it stands in; in the order of the text."""
    found: dict[str, int] = {}
    for weight, texts in ((TITLE, [title]), (LABEL, labels), (PROSE, prose)):
        for text in texts:
            for word in words(text[:PROSE_LIMIT]):
                if word not in found:
                    found[intern(word)] = weight * (_LATIN if word[0] < "㐀" else 1)
    return found


@lru_cache(10_000)
def label(text: str) -> tuple[str, tuple[str, ...]]:
    """A short text, such as a skill, in its normal form and as words; the same ones come again and again."""
    return normal(text), tuple(words(text))


def overlap(one: Mapping[str, int], other: Mapping[str, int]) -> int:
    """How much of the lighter text stands in the other too, in thousandths: two thirds of it count as all of it."""
    light, heavy = (one, other) if len(one) <= len(other) else (other, one)
    shared = sum(min(light[word], heavy[word]) for word in light.keys() & heavy.keys())
    lighter = max(min(sum(one.values()), sum(other.values())), _MASS)
    return min(1000, 1500 * shared // lighter)


def shared_phrases(one: Mapping[str, int], other: Mapping[str, int], most: int) -> list[str]:
    """The words that both texts hold, neighbours joined (`数据`, `据分`, `分析` → `数据分析`), weightiest first."""
    found: dict[str, int] = {}
    phrase = ""
    for word in one:
        if word not in other:
            phrase = ""
            continue
        joined = phrase[:-1] + word if phrase and word[0] >= "㐀" and phrase[-1] == word[0] else word
        weight = found.pop(phrase, 0) if joined != word else 0
        phrase = joined
        found[phrase] = weight + min(one[word], other[word])
    return sorted(found, key=lambda found_phrase: (-found[found_phrase], found_phrase))[:most]


def sought(query: str) -> frozenset[str]:
    """The words that a query is looked for by: those that matches are found by, or all it has where those are none."""
    return frozenset(words(query) or plain(query))


def spans(told: str, sought: Set[str]) -> list[tuple[int, int]]:
    """Where words stand in a text as it is written, as (start, end) in characters; what touches is one.

    Of the text as much is looked at as counts, each character once, however many words there are.
    """
    counted = told[:PROSE_LIMIT]
    small = counted.translate(_SMALL)
    at = range(len(small)) if len(small) == len(counted) else list(_origins(counted))
    joined: list[tuple[int, int]] = []
    for first, behind in _places_of(sought, small):
        start, end = at[first], at[behind - 1] + 1
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def excerpt(told: str, sought: Set[str], width: int) -> str:
    """The part of a text, `width` characters at most, in which the words stand thickest; its beginning where none does."""
    places = spans(told, sought)
    starts = [start for start, _ in places]
    marked = [0, *accumulate(end - start for start, end in places)]  # characters, before each place

    def covered(place: int) -> int:
        return marked[bisect_left(starts, starts[place] + width)] - marked[place]

    thickest = starts[max(range(len(places)), key=covered)] if places else 0
    start = max(0, min(thickest - width // 5, len(told) - width))
    return told[start : start + width]


class _Small(dict[int, str]):
    """Each character in the form of `normal`, by itself; a few are several then (`ﬁ`, `㎡`)."""

    def __missing__(self, character: int) -> str:
        small = self[character] = unicodedata.normalize("NFKC", chr(character)).casefold()
        return small


_SMALL = _Small()


def _origins(told: str) -> Iterator[int]:
    """For each character of a text in small ones the place of the one that it comes of."""
    return (place for place, character in enumerate(told) for _ in _SMALL[ord(character)])


def _places_of(sought: Set[str], small: str) -> Iterator[tuple[int, int]]:
    """A Latin word stands alone; Han characters do wherever they stand."""
    for run in _WORD.finditer(small):
        start, end = run.span()
        if small[start] < "㐀":
            if run[0] in sought:
                yield start, end
            continue
        for at in range(start, end):
            if (word := small[at : at + 2]) in sought or (word := small[at]) in sought:
                yield at, at + len(word)


@cache
def _cuts() -> re.Pattern[str]:
    """What words are cut at."""
    return _any_of({*_PHRASES, *_places()})


@cache
def _named_places() -> re.Pattern[str]:
    return _any_of(_places())


def _any_of(cuts: set[str]) -> re.Pattern[str]:
    """The longest first; grouped by first character, which makes it fast."""
    found: dict[str, list[str]] = {}
    for cut in sorted(cuts, key=lambda cut: (-len(cut), cut)):
        found.setdefault(cut[0], []).append(cut[1:])
    return re.compile("|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in found.items()))


def _places() -> set[str]:
    """Names of all provinces and cities as people write them: `北京市`, `北京`; no short ones of prefectures (大理石)."""
    codes = [code for number in range(10_000) if regions.exists(code := f"{number:04}00")]
    names = [(code, regions.name(code)) for code in codes]
    return {name[:n] for code, name in names for n in range(_shortest(name), len(name) + 1) if code in regions.find(name[:n])}


def _shortest(name: str) -> int:
    return len(name.removesuffix(_PREFECTURE)) if name.endswith(_PREFECTURE) else 2
