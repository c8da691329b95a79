"""What may not be in a document that others open: macros, scripts, programs, and more than can be unpacked.

No scanner of viruses is asked, and none is replaced: what is looked for is what runs, by what it is and not by its name alone.
Where that can't be told (an encrypted PDF, a part that can't be read) a document is refused. How far this goes: docs/adr/0037.
"""

from collections.abc import Mapping
from typing import IO

from registry.inspecting import archives, compounds, pdfs, signs
from registry.inspecting.finding import CHUNK, Found, Look, Unpacking

_DEEPEST = 3  # documents within documents: a diagram's workbook in a slide in a report
_KINDS: Mapping[bytes, Look] = {signs.ARCHIVE: archives.look, signs.COMPOUND: compounds.look}


def inspect(file: IO[bytes], size: int) -> None:
    """Look through a document of some bytes. Raises `Found`. Never more than 32 MiB of it are in memory."""
    _look(file, "", Unpacking(size), 0)


def _look(file: IO[bytes], place: str, unpacking: Unpacking, depth: int) -> None:
    file.seek(0)
    begin = file.read(CHUNK)
    if signs.is_program(begin):
        raise Found.program(place)
    if signs.is_packed(begin):
        zh, en = "含有不能检查的压缩包", "it holds an archive that can't be looked into"
        raise Found("packed", zh, en, "请解压后分别上传", "unpack it and upload what is in it", place)
    if not signs.is_holder(begin):
        return
    if depth > _DEEPEST:
        zh, en = "嵌入的文件层数过多", "files are embedded too deep in each other"
        raise Found("nested", zh, en, "请将嵌入的文件单独上传", "upload what is embedded by itself", place)
    look = next((one for sign, one in _KINDS.items() if begin.startswith(sign)), pdfs.look)
    look(file, unpacking, lambda inner, name: _look(inner, f"{place}/{name}" if place else name, unpacking, depth + 1))
