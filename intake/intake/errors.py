"""What can't be taken in, said in Chinese and English."""

from collections.abc import Sequence


class WrongError(ValueError):
    """Something is not as it has to be; says what, and what would be right."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.zh, self.en = zh, en

    def at(self, place: str) -> "WrongError":
        """The same, with the place where it is before it."""
        return WrongError(f"{place}: {self.zh}", f"{place}: {self.en}")


class UnmappedError(Exception):
    """A cell that cannot become its field's value, and why.

    `shown` is what people call its column, if not by its heading; `others` are further columns whose cells are as wrong.
    """

    def __init__(
        self, field: str, column: str, cell: str, why: WrongError, shown: str = "", others: Sequence[str] = ()
    ) -> None:
        super().__init__(field, column, cell, why)
        self.field, self.column, self.cell, self.why, self._shown = field, column, cell, why, shown or column
        self.columns = (column, *others)

    def plain(self) -> "UnmappedError":
        """The same without what led to it, whose frames would hold everything that was being read."""
        why = WrongError(self.why.zh, self.why.en)
        return UnmappedError(self.field, self.column, self.cell, why, self._shown, self.columns[1:])

    @property
    def zh(self) -> str:
        """The refusal in Chinese."""
        return f"列“{self._shown}”的“{self.cell}”：{self.why.zh}"

    @property
    def en(self) -> str:
        """The refusal in English."""
        return f"{self.cell!r} in column {self._shown!r}: {self.why.en}"
