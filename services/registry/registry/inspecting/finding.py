"""What is found in a document, and how much of it is unpacked."""

from collections.abc import Callable
from typing import IO

MOST = 200 * 1024 * 1024  # bytes that are unpacked of a document, of all that is in it
RATIO = 100  # to its size; texts of Office documents have 5 to 30
FREE = 16 * 1024 * 1024  # bytes that any document may have unpacked, however small it is
CHUNK = 64 * 1024  # bytes that are unpacked at once
_LONGEST = 80  # characters of a part's name that are told


class Found(Exception):
    """Why a document is refused: rule, what is wrong, the part where it was found, and what to do, in Chinese and English."""

    def __init__(self, rule: str, zh: str, en: str, fix_zh: str, fix_en: str, place: str = "") -> None:
        told = "".join(sign for sign in place if sign.isprintable())[:_LONGEST]
        self.rule = rule
        self.zh = f"{zh}{f'（{told}）' if told else ''}；{fix_zh}"
        self.en = f"{en}{f' ({told})' if told else ''}; {fix_en}"
        super().__init__(self.en)

    @classmethod
    def program(cls, place: str) -> "Found":
        """A program, or a file that is run as one."""
        return cls(
            "program", "含有可执行程序", "it holds a program", "请删去后重新上传", "take it out and upload it again", place
        )

    @classmethod
    def unreadable(cls, place: str) -> "Found":
        """A part that can't be looked into."""
        zh, en = "有不能检查的部分", "a part of it can't be looked into"
        return cls(
            "unreadable",
            zh,
            en,
            "请重新另存（或打印为 PDF）后上传",
            "save it anew, or print it as PDF, and upload that",
            place,
        )


class Unpacking:
    """What has been unpacked of a document of some bytes."""

    def __init__(self, size: int) -> None:
        self._left = min(MOST, max(FREE, size * RATIO))

    def require(self, size: int) -> None:
        """Raises `Found` where so many bytes more are too many."""
        if size > self._left:
            most = MOST // 1024 // 1024
            zh, en = (
                f"解压后过大（上限 {most} MiB，且不超过文件的 {RATIO} 倍）",
                f"it unpacks to more than {most} MiB or {RATIO} times its size",
            )
            raise Found("unpacked", zh, en, "请精简或拆分后上传", "make it smaller or split it")

    def count(self, size: int) -> None:
        """So many bytes were unpacked. Raises `Found` where they are too many."""
        self.require(size)
        self._left -= size


Inner = Callable[[IO[bytes], str], None]
"""Looks through a file that was found within another, by its name there."""
Look = Callable[[IO[bytes], Unpacking, Inner], None]
"""Looks through a file of one kind. Raises `Found`."""
