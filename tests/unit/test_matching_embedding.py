"""Vectors of passages: the bundled encoder, a folder with another model, and what is kept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from matching.domain.passage import Passage
from matching.embedding import Bundled, Embedder, Packed, Vectors, cosines, embedder, key_of, meanings, texts_of


class Letters:
    """Embeds a text as how often each of eight letters stands in it."""

    name = "letters"
    size = 8

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        rows = np.array([[text.count(letter) for letter in "abcdefgh"] for text in texts], np.float32).reshape(-1, 8)
        unit: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)
        return unit


def made(by: Embedder, *passages: Passage) -> Packed:
    """A row for each passage."""
    texts = texts_of(passages)
    return meanings(passages, dict(zip(texts, by.embed(texts), strict=True)), by.size)


def near(by: Embedder, one: str, other: str) -> float:
    """Cosine of two texts."""
    rows = made(by, Passage.read(one), Passage.read(other))
    return float(cosines(rows[0], rows[1:])[0])


def test_each_text_is_embedded_once() -> None:
    assert texts_of([Passage("a", "b"), Passage("a", "b"), Passage("c"), Passage("")]) == ["a", "a\nb", "c"]


def test_another_model_or_another_division_is_another_key() -> None:
    passages = [Passage("a", "b"), Passage("a\nb"), Passage("a"), Passage("")]
    keys = {key_of(model, passage) for model in ("letters", "letters-2") for passage in passages}
    assert len(keys) == 8
    assert key_of("letters", Passage("a", "b" * 400)) == key_of("letters", Passage("a", "b" * 500)), "what is not embedded"


def test_a_byte_a_number_is_near_enough() -> None:
    assert near(Letters(), "abcabc", "abcabc") == pytest.approx(1, abs=1e-6)
    assert near(Letters(), "aab", "ab") == pytest.approx(3 / np.sqrt(10), abs=0.002)
    assert near(Letters(), "ab", "cd") == 0


@pytest.mark.parametrize("text", ["", "。", "xyz"])
def test_nothing_is_near_nothing(text: str) -> None:
    assert near(Letters(), text, "abc") == 0
    assert near(Letters(), text, text) == 0


def test_no_passages() -> None:
    assert made(Letters()).shape == (0, 8)


def test_the_bundled_encoder_knows_meanings_across_languages() -> None:
    by = embedder("")
    assert isinstance(by, Bundled)
    rows = by.embed(["软件开发工程师", "software developer", "护理"])
    assert rows.shape == (3, by.size)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    assert np.array_equal(by.embed(["护理"]), by.embed(["护理"]))


@pytest.mark.parametrize("there", [[], ["model.onnx"], ["tokenizer.json"]])
def test_a_folder_without_its_files_is_refused(tmp_path: Path, there: list[str]) -> None:
    for name in there:
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError) as refused:
        embedder(str(tmp_path))
    said = str(refused.value)
    assert "sentence_model" in said
    assert "请放入" in said
    assert all((name in said) != (name in there) for name in ("model.onnx", "tokenizer.json"))


@pytest.mark.parametrize("pooled", [False, True])
def test_a_model_out_of_a_folder(tmp_path: Path, pooled: bool) -> None:
    by = embedder(str(model(tmp_path, pooled)))
    assert by.size == 2
    rows = by.embed(["soil soil", "law", "soil law"])
    assert rows == pytest.approx(np.array([[1, 0], [0, 1], [0.5**0.5, 0.5**0.5]]), abs=1e-6)
    assert near(by, "soil", "law") == 0


def test_another_model_is_another_name(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    names = {embedder(str(model(first, False))).name, embedder(str(model(second, True))).name}
    assert len(names) == 2


def model(folder: Path, pooled: bool) -> Path:
    """A sentence model of three words: what fills up, `soil` and `law`, the latter two at right angles."""
    tokenizer = Tokenizer(WordLevel({"[PAD]": 0, "soil": 1, "law": 2}, unk_token="[PAD]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = onnx.numpy_helper.from_array(np.array([[9, 9], [1, 0], [0, 1]], np.float32), "table")
    nodes = [onnx.helper.make_node("Gather", ["table", "input_ids"], ["tokens"])]
    if pooled:  # its own mean would be of what fills up, too: sum over the mask
        nodes += [
            onnx.helper.make_node("Cast", ["attention_mask"], ["mask"], to=onnx.TensorProto.FLOAT),
            onnx.helper.make_node("Einsum", ["tokens", "mask"], ["text"], equation="bte,bt->be"),
        ]
    shape: list[str | int | None] = ["texts", 2] if pooled else ["texts", "tokens", 2]
    inputs = ["input_ids", "attention_mask"] if pooled else ["input_ids"]
    graph = onnx.helper.make_graph(
        nodes,
        "sentences",
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["texts", "tokens"]) for name in inputs],
        [onnx.helper.make_tensor_value_info("text" if pooled else "tokens", onnx.TensorProto.FLOAT, shape)],
        [table],
    )
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(made, str(folder / "model.onnx"))
    return folder
