"""PDF (ISO 32000-1): scripts, programs that are started, and files that are attached.

Every object is read where its keyword `obj` stands, wherever that is, as whoever follows a table of objects would read it; so
are those in compressed streams of objects. Names are told from texts, and may be written with `#xx`.
"""

import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from registry.inspecting.finding import CHUNK, Found, Inner, Unpacking
from registry.inspecting.signs import is_programs_name

_SCRIPTS = {
    "JavaScript": ("脚本（JavaScript）", "JavaScript"),
    "JS": ("脚本（JavaScript）", "JavaScript"),
    "Launch": ("启动程序的动作（Launch）", "an action that starts a program (Launch)"),
    "XFA": ("动态表单（XFA）", "a form with scripts of its own (XFA)"),
}
_OBJECTS, _ATTACHED = ("ObjStm", "First"), ("EmbeddedFile", "EF")
_FILE_NAMES = ("F", "UF", "DOS", "Mac", "Unix")
_DEFLATED = ("FlateDecode", "Fl")
_OTHERWISE = (
    *("ASCIIHexDecode", "AHx", "ASCII85Decode", "A85", "LZWDecode", "LZW", "RunLengthDecode", "RL", "Crypt"),
    *("DecodeParms", "DP"),
)
_KNOWN = frozenset((*_SCRIPTS, *_OBJECTS, *_ATTACHED, *_FILE_NAMES, "Filter", *_DEFLATED, *_OTHERWISE, "Encrypt"))
_MOST_SAME = 1000  # of one name in an object
_MOST_OBJECTS = 16 * 1024 * 1024  # bytes of a stream of objects, which is held in memory
_WORK = 4  # how often all of a file may be read, where one object goes on within another
_MOST_TOKENS = 2_000_000  # that are read of a file; some seconds
_LONGEST = 2048  # bytes of a text that are kept
_REFERENCE = 32  # bytes in which what stands behind a name is told from a reference

_BLANK = rb"\x00\t\n\f\r "
_SIGN = rb"()<>\[\]{}/%"
_OBJECT = re.compile(rb"(?<![A-Za-z])(?:obj|trailer)(?![A-Za-z])")
_TOKEN = re.compile(
    rb"(?P<blank>[%(b)b]++|%%[^\r\n]*+)|(?P<open><<|\[)|(?P<close>>>|\])|(?P<name>/[^%(b)b%(s)b]*+)|(?P<text>\()"
    rb"|<[0-9A-Fa-f%(b)b]*+>|[^%(b)b%(s)b]++|." % {b"b": _BLANK, b"s": _SIGN},
    re.DOTALL,
)
_IN_TEXT = re.compile(rb"[()]|\\.", re.DOTALL)
_STREAM = re.compile(rb"stream[ \t]*+(?:\r\n|\n|\r)?")
_REFERS = re.compile(rb"(\d+)[%(b)b]+\d+[%(b)b]+R" % {b"b": _BLANK})
_PLACE = re.compile(rb"(\d++)(?![%(b)b]+\d+[%(b)b]+R)" % {b"b": _BLANK})
_NUMBER = re.compile(rb"(\d+)[%(b)b]+\d+[%(b)b]*+\Z" % {b"b": _BLANK})
_LONGEST_PLACE = 10  # digits
_BEFORE = 64  # bytes before `obj` in which its number stands
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_ESCAPED_IN_TEXT = re.compile(rb"\\(?:([0-7]{1,3})|(.))", re.DOTALL)


def _spelled(name: str) -> bytes:
    """A pattern for a name, each sign of which may be written as `#xx`."""
    return b"/" + b"".join(b"(?:%b|#%b)" % (sign.encode(), _in_any_case(f"{ord(sign):02x}")) for sign in name)


def _in_any_case(digits: str) -> bytes:
    return "".join(f"[{one}{one.upper()}]" if one.isalpha() else one for one in digits).encode()


_SUSPECT = re.compile(
    b"|".join(map(_spelled, (*_SCRIPTS, *_OBJECTS, *_ATTACHED, "Encrypt")))
    # a file that is referred to; where a comment stands in between, it is looked at closely
    + rb"|(?:%(names)b)[%(b)b]*+(?:%%|\d++[%(b)b]++[%%\d])" % {b"names": b"|".join(map(_spelled, _FILE_NAMES)), b"b": _BLANK}
)


_Said = Mapping[str, Sequence[bytes]]
"""By known name of an object what stands behind it, each time."""


class _Object(NamedTuple):
    """What an object says; where its stream begins, 0 if it has none; its number, -1 where that does not stand before it."""

    said: _Said
    stream: int
    number: int = -1


class _Work:
    """What it takes to read a file."""

    def __init__(self, size: int) -> None:
        self._bytes = _WORK * size + CHUNK
        self._tokens = _MOST_TOKENS

    def more(self, size: int) -> None:
        """So many bytes more were unpacked of it."""
        self._bytes += _WORK * size

    def spend(self, size: int) -> None:
        """A token of so many bytes was read. Raises `Found` where it is one too many."""
        self._bytes -= size
        self._tokens -= 1
        if self._bytes < 0 or self._tokens < 0:
            raise Found.unreadable("PDF")


class _Reading:
    """The objects of a file, or of a stream of them."""

    def __init__(self, content: mmap | bytes, work: _Work) -> None:
        self._content = content
        self._spend = work.spend

    def objects(self) -> Iterator[_Object]:
        """Every object of a file."""
        for begin in _OBJECT.finditer(self._content):
            number = _NUMBER.search(self._content[max(0, begin.start() - _BEFORE) : begin.start()])
            yield self.object(begin.end())._replace(number=int(number[1]) if number else -1)

    def object(self, place: int) -> _Object:
        """The object that begins at a place. Raises `Found` where it can't be read."""
        said, behind, depth = defaultdict[str, list[bytes]](list), "", 0
        while token := _TOKEN.match(self._content, place):
            kind, place = token.lastgroup, token.end()
            if kind == "text":
                place = self._text_end(place)
            self._spend(place - token.start())
            if kind == "blank":
                continue
            if behind:
                end = place if kind == "text" else max(place, token.start() + _REFERENCE)
                _keep(said[behind], self._content[token.start() : min(end, token.start() + _LONGEST)])
            name = _name(token[0]) if kind == "name" else ""
            behind = name if name in _KNOWN else ""
            depth += (kind == "open") - (kind == "close")
            if depth <= 0:
                break
        if behind:
            _keep(said[behind], b"")
        stream = _STREAM.match(self._content, self._skipped(place))
        return _Object(said, stream.end() if stream else 0)

    def _skipped(self, place: int) -> int:
        """The place behind blanks and comments."""
        while (token := _TOKEN.match(self._content, place)) and token.lastgroup == "blank":
            place = token.end()
            self._spend(place - token.start())
        return place

    def _text_end(self, place: int) -> int:
        depth = 1
        for sign in _IN_TEXT.finditer(self._content, place):
            depth += (sign[0] == b"(") - (sign[0] == b")")
            self._spend(0)
            if not depth:
                return sign.end()
        return len(self._content)


def _keep(said: list[bytes], token: bytes) -> None:
    if len(said) == _MOST_SAME:
        raise Found.unreadable("PDF")
    said.append(token)


def _name(token: bytes) -> str:
    return _ESCAPED.sub(lambda code: bytes([int(code[1], 16)]), token[1:]).decode("latin-1")


def look(file: IO[bytes], unpacking: Unpacking, inner: Inner) -> None:
    """See `finding.Look`."""
    with mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        if not _SUSPECT.search(content):
            return
        attached: set[int] = set()
        has_attached = False
        work = _Work(len(content))
        for one in _Reading(content, work).objects():
            for said in (one.said, *_within(content, one, work, unpacking)):
                _refuse_active(said)
                attached.update(_references(said))
                has_attached |= any(name in said for name in _ATTACHED)
        for one in _Reading(content, _Work(len(content))).objects() if has_attached else ():
            if one.stream and (one.number in attached or one.number < 0 or "EmbeddedFile" in one.said):
                _look_at_attached(content, one, unpacking, inner)


def _refuse_active(said: _Said) -> None:
    if "Encrypt" in said:
        fix = "请去掉密码和限制后重新上传（可打印为 PDF）", "upload it without password and restrictions, e.g. printed as PDF"
        raise Found("encrypted", "PDF 已加密，不能检查", "the PDF is encrypted and can't be looked into", *fix)
    for name, (zh, en) in _SCRIPTS.items():
        if name in said:
            fix = "请打印为 PDF 后重新上传", "print it as PDF and upload that"
            raise Found("script", f"PDF 含有{zh}", f"the PDF holds {en}", *fix)
    for told in (_text(behind) for name in _FILE_NAMES for behind in said.get(name, ())):
        if is_programs_name(told) and "://" not in told:  # an address is no attached file
            raise Found.program(told)


def _references(said: _Said) -> Iterator[int]:
    """Numbers of the streams of attached files; nothing else is referred to by these names."""
    for name in _FILE_NAMES:
        yield from (int(number[1]) for behind in said.get(name, ()) if (number := _REFERS.match(behind)))


def _text(behind: bytes) -> str:
    """The text that stands behind a name; "" for what is none."""
    if behind.startswith(b"("):
        plain = _ESCAPED_IN_TEXT.sub(_unescaped, behind[1:].removesuffix(b")"))
    elif behind.startswith(b"<") and not behind.startswith(b"<<"):
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", behind.partition(b">")[0])
        plain = bytes.fromhex(digits.decode().ljust(len(digits) + len(digits) % 2, "0"))
    else:
        return ""
    return plain.decode("utf-16-be" if plain.startswith(b"\xfe\xff") else "latin-1", "replace")


def _unescaped(code: re.Match[bytes]) -> bytes:
    return bytes([int(code[1], 8) & 0xFF]) if code[1] else code[2]


def _within(content: mmap, one: _Object, work: _Work, unpacking: Unpacking) -> Iterator[_Said]:
    """What the objects of a stream of objects say; of another stream none."""
    if not one.stream or not any(name in one.said for name in _OBJECTS):
        return
    objects = b"".join(_at_most(_MOST_OBJECTS, _decoded(content, one, unpacking)))
    if not _SUSPECT.search(objects):
        return
    work.more(len(objects))
    reading = _Reading(objects, work)
    yield from (reading.object(place).said for place in _places(objects, one.said.get("First", ())))


def _at_most(size: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        size -= len(chunk)
        if size < 0:
            raise Found.unreadable("ObjStm")
        yield chunk


def _places(objects: bytes, first: Sequence[bytes]) -> list[int]:
    """Where each object of a stream of them begins, as pairs of numbers before the first one say."""
    told = _PLACE.match(first[0]) if len(first) == 1 else None
    begin = int(told[1]) if told else 0
    words = objects[:begin].split()
    if not words or not all(word.isdigit() and len(word) <= _LONGEST_PLACE for word in words):
        raise Found.unreadable("ObjStm")
    return [begin + int(word) for word in words[1::2]]


def _look_at_attached(content: mmap, one: _Object, unpacking: Unpacking, inner: Inner) -> None:
    with TemporaryFile() as copy:
        copy.writelines(_decoded(content, one, unpacking))
        inner(copy, "EmbeddedFile")


def _decoded(content: mmap, one: _Object, unpacking: Unpacking) -> Iterator[bytes]:
    """What a stream holds. Raises `Found` where it is neither plain nor deflated alone, as all known programs write these."""
    if "Filter" not in one.said:
        end = content.find(b"endstream", one.stream)
        return _plain(content, one.stream, end if end > 0 else len(content), unpacking)
    if not _is_deflated(one.said):
        raise Found.unreadable("PDF")
    return _inflated(content, one.stream, unpacking)


def _is_deflated(said: _Said) -> bool:
    filters = [name for name in _DEFLATED for _ in said.get(name, ())]
    return len(filters) == len(said["Filter"]) == 1 and not any(name in said for name in _OTHERWISE)


def _plain(content: mmap, start: int, end: int, unpacking: Unpacking) -> Iterator[bytes]:
    for place in range(start, end, CHUNK):
        chunk = content[place : min(place + CHUNK, end)]
        unpacking.count(len(chunk))
        yield chunk


def _inflated(content: mmap, start: int, unpacking: Unpacking) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    try:
        for place in range(start, len(content), CHUNK):
            packed = content[place : place + CHUNK]
            while packed:
                chunk = inflater.decompress(packed, CHUNK)
                packed = inflater.unconsumed_tail
                unpacking.count(len(chunk))
                yield chunk
            if inflater.eof:
                return
    except zlib.error as error:
        raise Found.unreadable("PDF") from error
    raise Found.unreadable("PDF")
