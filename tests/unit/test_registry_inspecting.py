"""What may not be in a document: macros, scripts and programs, by what they are; and what is like them and fine."""

import random
import struct
import tracemalloc
import zlib
from collections.abc import Mapping
from io import BytesIO
from tempfile import TemporaryFile
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest
from openpyxl import Workbook

from registry.inspecting import finding, inspect
from registry.inspecting.finding import Found

_MIB = 1024 * 1024
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_VBA = "application/vnd.ms-office.vbaProject"
_MZ = b"MZ\x90\x00" + bytes(60) + b"PE\x00\x00"


def rule(content: bytes) -> str:
    """The rule that a content breaks; "" for one that is fine."""
    with TemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            inspect(file, len(content))
        except Found as found:
            return found.rule if "；请" in found.zh and "; " in found.en else f"{found.rule} without a fix"
    return ""


def types(*overrides: tuple[str, str], encoding: str = "UTF-8") -> bytes:
    """A list of the types of parts."""
    listed = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in overrides)
    text = f'<?xml version="1.0" encoding="{encoding}"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    return f"{text}{listed}</Types>".encode(encoding)


def archive(more: Mapping[str, bytes], contents: bytes | None = None, method: int = ZIP_DEFLATED) -> bytes:
    """A document of Word with some parts more."""
    file = BytesIO()
    with ZipFile(file, "w", method) as made:
        made.writestr("[Content_Types].xml", types(("/word/document.xml", _MAIN)) if contents is None else contents)
        made.writestr("word/document.xml", "<w:document/>")
        for name, content in more.items():
            made.writestr(name, content)
    return file.getvalue()


def workbook() -> bytes:
    """A workbook as it is embedded under a diagram."""
    file = BytesIO()
    made = Workbook()
    made.active.append(["季度", 1])  # type: ignore[union-attr]
    made.save(file)
    return file.getvalue()


def compound(streams: Mapping[str, bytes], storages: tuple[str, ...] = ()) -> bytes:
    """A compound file of sectors of 512 bytes with some streams, those under 4096 bytes in sectors of 64."""
    free, last = 0xFFFFFFFF, 0xFFFFFFFE
    entries, table, sectors, mini, mini_table = [], list[int](), list[bytes](), b"", list[int]()

    def chain(content: bytes) -> int:
        many = max(1, -(-len(content) // 512))
        start = len(sectors)
        for one in range(many):
            sectors.append(content[one * 512 : one * 512 + 512].ljust(512, b"\0"))
            table.append(start + one + 1 if one + 1 < many else last)
        return start

    def entry(name: str, kind: int, start: int, size: int) -> bytes:
        raw = name.encode("utf-16-le")
        return struct.pack("<64sHBB12x36xIQ", raw, len(raw) + 2, kind, 1, start, size)

    for name, content in streams.items():
        if len(content) >= 4096:
            start = chain(content)
        else:
            many, start = -(-len(content) // 64), len(mini_table)
            mini += content.ljust(many * 64, b"\0")
            mini_table += [start + one + 1 if one + 1 < many else last for one in range(many)]
        entries.append(entry(name, 2, start, len(content)))
    entries += [entry(name, 1, 0, 0) for name in storages]
    root = entry("Root Entry", 5, chain(mini) if mini else last, len(mini))
    directory = chain(b"".join([root, *entries]))
    minis = chain(struct.pack(f"<{len(mini_table)}I", *mini_table)) if mini_table else last
    fat = len(sectors)
    table.append(0xFFFFFFFD)
    assert len(table) <= 128, "one sector of the table is enough"
    sectors.append(struct.pack("<128I", *table, *[free] * (128 - len(table))))
    places = [fat, *[free] * 108]
    head = struct.pack("<8s16xHHHHH6x9I109I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
                       0, 1, directory, 0, 4096, minis, 1 if mini_table else 0, last, 0, *places)  # fmt: skip
    return head + b"".join(sectors)


def package(name: str, content: bytes) -> bytes:
    """What the stream of a package holds."""
    label = name.encode("gb18030")
    path = rb"C:\data" + b"\\" + label
    told = b"\x02\x00" + label + b"\0" + path + b"\0" + struct.pack("<HHI", 0, 3, len(path) + 1) + path + b"\0"
    body = told + struct.pack("<I", len(content)) + content
    return struct.pack("<I", len(body)) + body


def ole(name: str, content: bytes) -> dict[str, bytes]:
    """An embedded package."""
    return {"word/embeddings/oleObject1.bin": compound({"\x01Ole10Native": package(name, content), "\x01CompObj": b"Package"})}


@pytest.mark.parametrize(
    "content",
    [
        archive({}),
        archive({"word/_rels/document.xml.rels": b'<Rs><R Type="http://x/hyperlink" Target="macrosheet"/></Rs>'}),
        archive({"word/media/image1.png": b"\x89PNG\r\n\x1a\n MZ", "word/a.emf": b"\1\0\0\0", "word/empty.xml": b""}),
        archive({"word/embeddings/Microsoft_Excel_Sheet1.xlsx": workbook()}),
        archive({"word/embeddings/a.docx": archive({"word/embeddings/b.xlsx": workbook()})}),
        archive(ole("说明.pdf", b"%PDF-1.7 MZ")),
        archive(ole("清单.xlsx", workbook())),
        archive({"word/embeddings/oleObject1.bin": compound({"Equation Native": b"\x1c\0MathType", "\x01CompObj": bytes(9)})}),
        archive({"word/embeddings/oleObject1.bin": compound({"\x01Ole10Native": b"\x09\0\0\0BM pixels"})}),
        archive({"word/embeddings/oleObject1.bin": compound({"WordDocument": bytes(9000), "1Table": bytes(5000)})}),
        archive({"word/printerSettings/printerSettings1.bin": b"M\0Z\0"}),
        archive({}, types(("/word/document.xml", _MAIN), encoding="UTF-16")),
        workbook(),
    ],
)  # fmt: skip
def test_an_office_document_without_what_runs_is_fine(content: bytes) -> None:
    assert rule(content) == ""


_RELATION = b'<Rs><R Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="x"/></Rs>'


@pytest.mark.parametrize(
    "content",
    [
        archive({"word/VBAProject.BIN": b"x"}),
        archive({"word/media/image1.png": b"x"}, types(("/word/media/image1.png", _VBA))),
        archive({}, types(("/word/document.xml", "application/vnd.ms-word.document.macroEnabled.main+xml"))),
        archive({}, types(("/word/document.xml", "application/vnd.ms-word.document.&#109;acroEnabled.main+xml"))),
        archive({}, types(("/a", _VBA), encoding="UTF-16")),
        archive({}, b"<!-- %PDF-1.7 -->" + types(("/a", _VBA)).partition(b"?>")[2]),
        archive({"xl/macrosheets/sheet1.xml": b"<x/>"}),
        archive({"xl/dialogsheets/sheet1.xml": b"<x/>"}),
        archive({}, types(("/xl/worksheets/sheet9.xml", "application/vnd.ms-excel.intlmacrosheet+xml"))),
        archive({"word/_rels/document.xml.rels": _RELATION}),
        archive({"word/media/image1.png": compound({"dir": b"x"}, ("VBA",))}),
        archive({"word/embeddings/a.xlsx": archive({"xl/vbaProject.bin": b"x"})}),
        archive(ole("a.xlsx", archive({}, types(("/a", _VBA))))),
    ],
)
def test_macros_are_found_whatever_they_are_called(content: bytes) -> None:
    assert rule(content) == "macros"


@pytest.mark.parametrize(
    "content",
    [
        archive({"word/media/image1.png": _MZ}),
        archive({"word/a.xml": b"\x7fELF"}),
        archive({"word/a.xml": b"#!/bin/sh"}),
        archive({"word/embeddings/setup.EXE": b"not yet"}),
        archive({"word/embeddings/run.vbs": b"' x"}),
        archive(ole("说明.pdf", _MZ)),
        archive(ole("说明.pdf", _MZ + bytes(9000))),
        archive(ole("说明.bat", b"echo")),
        archive(ole("说明.bat. ", b"echo")),
        archive({"word/embeddings/oleObject1.bin": compound({"\x01Ole10Native": b"\x09\0\0\0" + _MZ})}),
        archive({"word/embeddings/oleObject1.bin": compound({"CONTENTS": _MZ})}),
        archive({"word/embeddings/a.docx": archive(ole("a", _MZ))}),
    ],
)
def test_programs_are_found_wherever_they_are_embedded(content: bytes) -> None:
    assert rule(content) == "program"


@pytest.mark.parametrize(
    ("content", "broken"),
    [
        (archive({"word/a.bin": b"Rar!\x1a\x07"}), "packed"),
        (archive({"word/a.xml": b"x"}, method=ZIP_LZMA), "unreadable"),
        (archive({}, b"an invented part"), "unreadable"),
        (archive({"word/document.xml/[0].piece": b"<x/>"}), "unreadable"),
        (archive({}, b"<!DOCTYPE a [<!ENTITY b 'macroEnabled'>]><Types/>"), "unreadable"),
        (archive({"word/embeddings/a.xlsx": b"PK\x03\x04 cut"}), "unreadable"),
        (archive({"word/embeddings/a.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 cut"}), "unreadable"),
        (archive({"word/embeddings/a.bin": compound({"EncryptedPackage": bytes(9)})}), "unreadable"),
        (archive({"word/embeddings/a.bin": compound({"\x01Ole10Native": b"\x09\0\0\0\x02\0no end"})}), "unreadable"),
    ],
)
def test_what_cannot_be_looked_into_is_refused(content: bytes, broken: str) -> None:
    assert rule(content) == broken


def test_a_compound_file_whose_sectors_go_round_in_a_circle_is_refused() -> None:
    content = bytearray(compound({"a": bytes(5000)}))
    content[-512 + 40 : -512 + 44] = struct.pack("<I", 10)  # the directory's one sector, after ten of the stream
    assert rule(archive({"a.bin": bytes(content)})) == "unreadable"


def test_documents_are_looked_into_three_deep() -> None:
    content = workbook()
    for _ in range(3):
        content = archive({"word/embeddings/a.docx": content})
    assert rule(content) == ""
    assert rule(archive({"word/embeddings/a.docx": content})) == "nested"


def test_an_archive_whose_list_names_places_before_its_beginning_is_refused() -> None:
    content = bytearray(archive({}))
    place = content.rindex(b"PK\x05\x06")
    content[place + 16 : place + 20] = struct.pack("<I", len(content) - 30)  # where the list is said to be
    assert rule(bytes(content)) == "unreadable"


def longer(said: int, real: int) -> bytes:
    """A document with a part that unpacks to more than it says."""
    content = bytearray(archive({"word/a.xml": bytes(real)}))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", said)
    content[place + 16 : place + 20] = struct.pack("<I", zlib.crc32(bytes(said)))
    return bytes(content)


def test_what_unpacks_to_too_much_is_refused_and_never_in_memory() -> None:
    most = finding.FREE
    cases = [
        (archive({"word/a.xml": bytes(most - 1024)}), ""),
        (archive({"word/a.xml": bytes(most + 1)}), "unpacked"),
        (archive({"word/embeddings/a.xlsx": archive({"xl/a.xml": bytes(most + 1)})}), "unpacked"),
        (longer(1, most * 2), "unpacked"),
        (longer(1, 1000), "unreadable"),
        (pdf(_CATALOGUE, _FILESPEC, stream("", bytes(most + 1))), "unpacked"),
        (pdf(stream("/Type /ObjStm /N 1 /First 4", b"20 0" + bytes(most + 1))), "unpacked"),
    ]
    tracemalloc.start()
    assert [rule(content) for content, _ in cases] == [expected for _, expected in cases]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < most + _MIB


def test_more_may_be_unpacked_of_what_is_large() -> None:
    assert rule(archive({"word/a.xml": bytes(finding.FREE * 2), "word/b.png": random.Random(1).randbytes(_MIB)})) == ""


def pdf(*objects: str | bytes) -> bytes:
    """A PDF of some objects, numbered from 1."""
    made = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    for number, one in enumerate(objects, 1):
        made += b"%d 0 obj\n%b\nendobj\n" % (number, one.encode() if isinstance(one, str) else one)
    return made + b"trailer\n<< /Root 1 0 R /Size 9 >>\n%%EOF\n"


def stream(said: str, content: bytes) -> bytes:
    """A stream, packed."""
    packed = zlib.compress(content)
    return f"<< {said} /Filter /FlateDecode /Length {len(packed)} >>\nstream\r\n".encode() + packed + b"\nendstream"


def objects(*inner: str, said: str = "/Type /ObjStm") -> bytes:
    """A stream of objects, numbered from 20."""
    places, at = [], 0
    for number, one in enumerate(inner, 20):
        places.append(f"{number} {at}")
        at += len(one.encode()) + 1
    head = " ".join(places) + "\n"
    return stream(f"{said} /N {len(inner)} /First {len(head)}", (head + "\n".join(inner) + "\n").encode())


_CATALOGUE = "<< /Type /Catalog /Pages 2 0 R /OpenAction [3 0 R /Fit] >>"
_ACTION = "<< /S /JavaScript /JS (app.alert(1)) >>"
_FILESPEC = "<< /Type /Filespec /F (a.xml) /UF (a.xml) /EF << /F 3 0 R >> >>"


@pytest.mark.parametrize(
    "content",
    [
        pdf(_CATALOGUE, "<< /Type /Pages >>"),
        pdf(_CATALOGUE, "<< /Title (HTML/JavaScript, Node/JS \\(ES6\\), /Launch) /Keywords (/JS) % /JavaScript\n >>"),
        pdf(_CATALOGUE, "<< /A << /S /URI /URI (https://example.com/a.exe) >> /F 4 >>", "<< /Type /Outlines /First 4 0 R >>"),
        pdf(_CATALOGUE, stream("/Type /XObject /Subtype /Image", b"MZ /JavaScript")),
        pdf(_CATALOGUE, "<< /Length 20 >>\nstream\n/JS (x) /Launch /JS\nendstream"),
        pdf(objects(_CATALOGUE, "<< /Title (/JavaScript) >>")),
        pdf(_CATALOGUE, _FILESPEC, stream("/Type /EmbeddedFile", b"<xml/>"), stream("/Subtype /Image", b"MZ")),
        pdf(_CATALOGUE, _FILESPEC, stream("/Type /EmbeddedFile", workbook())),
        pdf(_CATALOGUE, _FILESPEC, stream("", pdf(_CATALOGUE)), "<< /Filter /DCTDecode >>\nstream\nx\nendstream"),
        b"%PDF-1.7 obj objects trailer obj",
        b"%PDF-1.7 /JavaScript",
    ],
)
def test_a_pdf_without_what_runs_is_fine(content: bytes) -> None:
    assert rule(content) == ""


@pytest.mark.parametrize(
    "content",
    [
        pdf(_CATALOGUE, _ACTION),
        pdf("<< /Type /Catalog /OpenAction 2 0 R >>", "<< /S /J#61v#61Script /#4aS 3 0 R >>", "(app.alert(1))"),
        pdf("<< /Names << /JavaScript 2 0 R >> >>"),
        pdf("<</S/Rendition/JS(x)>>"),
        pdf(_CATALOGUE, "<</S/L#61unch/Win<</F(cmd.exe)>>>>"),
        pdf(_CATALOGUE, "<< /A 3 0 R >>", "<< /S 4 0 R >>", "/Launch"),
        pdf(_CATALOGUE, "<< /AcroForm << /XFA [(template) 3 0 R] >> >>"),
        pdf(objects("<< /Title (a \\) ( b) >>", _ACTION)),
        pdf(objects("<< /Title (swallows", _ACTION)),
        pdf(objects(_ACTION, said="")),
        pdf(objects(_ACTION, said="/Type /Obj#53tm")),
        pdf(_CATALOGUE, "(swallows", _ACTION),
        pdf(_CATALOGUE, b"<< >>\nstream\n" + b"7 0 obj << /S /Launch >> endobj\nendstream"),
        pdf(_CATALOGUE, b"<< /X (9 0 obj <<>> stream\n" + zlib.compress(b"1 0") + b"endstream) " + objects(_ACTION)[3:]),
        pdf(_CATALOGUE, _FILESPEC, stream("/Type /EmbeddedFile", pdf(_ACTION))),
        b"junk %PDF-1.7\r1 0 obj" + _ACTION.encode() + b"endobj",
    ],
)
def test_scripts_of_a_pdf_are_found_however_they_are_written(content: bytes) -> None:
    assert rule(content) == "script"


@pytest.mark.parametrize(
    ("content", "broken"),
    [
        (pdf(_CATALOGUE, _FILESPEC, stream("/Type /EmbeddedFile", _MZ)), "program"),
        (pdf(_CATALOGUE, _FILESPEC, stream("", _MZ)), "program"),
        (pdf(objects(_FILESPEC), "<< >>", stream("", _MZ)), "program"),
        (pdf(_CATALOGUE, _FILESPEC, b"<< >>\nstream\n" + _MZ + b"\nendstream"), "program"),
        (pdf(_CATALOGUE, "<< /UF <FEFF0061002E006A0073> /EF << /F 3 0 R >> >>", stream("", b"x")), "program"),
        (pdf(_CATALOGUE, "<< /F (a\\056exe) /EF << /F 3 0 R >> >>", stream("", b"x")), "program"),
        (pdf(_CATALOGUE, _FILESPEC, stream("", archive({"xl/vbaProject.bin": b"x"}))), "macros"),
        (pdf(_CATALOGUE) + b"trailer << /Encrypt 5 0 R >>", "encrypted"),
        (pdf(_CATALOGUE, stream("/Type /XRef /Encrypt 5 0 R", b"")), "encrypted"),
        (pdf(objects(_ACTION).replace(b"/FlateDecode", b"[/ASCIIHexDecode /FlateDecode]")), "unreadable"),
        (pdf(objects(_ACTION, said="/Type /ObjStm /DecodeParms << /Predictor 12 >>")), "unreadable"),
        (pdf(objects(_ACTION)[:-30]), "unreadable"),
        (pdf(objects(_ACTION).replace(b"/First", b"/Fist")), "unreadable"),
        (b"%PDF-1.7 /JS " + b"obj[" * 100_000, "unreadable"),
        (b"%PDF-1.7 /JS " + b"obj 1%" * 100_000, "unreadable"),
        (b"%PDF-1.7 /JS " + b"obj(" * 100_000, "unreadable"),
    ],
)
def test_what_a_pdf_hides_is_refused(content: bytes, broken: str) -> None:
    assert rule(content) == broken
