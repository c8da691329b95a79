"""Mapping files: how an outside system's records become listings (`intake`). A new feed is one of these, and no code."""

from pathlib import Path

from intake import Mapping, WrongError
from listings.domain.feeds import is_mapping


class Mappings:
    """Those of a folder, and the built-in ones."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load(self, name: str) -> Mapping:
        """The mapping as its file has it now. Raises `WrongError`."""
        if not is_mapping(name):
            raise WrongError("须为映射文件名（不含 .yaml），由字母、数字、- 和 _ 组成", "name a mapping file, without .yaml")
        file = self._folder / f"{name}.yaml" if self._folder else None
        return Mapping.load(str(file) if file and file.is_file() else name)
