"""Translation models that really translate, made in a second: a dictionary as a transformer.

One layer of encoder and decoder without self-attention or feed-forward of any effect. A state has
three parts: the source word, the position, the target word. The decoder's attention looks for the
position that it is at itself, finds the word there, and turns it into the other language's. So
CTranslate2, SentencePiece, beams, batches and language tokens all are real; only the grammar is not.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
from ctranslate2.specs import TransformerSpec
from numpy.typing import NDArray

POSITIONS = 512
SHARP = 60.0
SPACE = "▁"
UNKNOWN, START, END = "<unk>", "<s>", "</s>"


def marian(folder: Path, dictionary: Mapping[str, str]) -> Path:
    """Source word → target word."""
    _spm(folder / "source.spm", list(dictionary))
    _spm(folder / "target.spm", list(dictionary.values()))
    pairs = {SPACE + word: SPACE + other for word, other in dictionary.items()}
    _save(folder, pairs, extra=["<pad>"], starts_with="<pad>")
    return folder


def nllb(folder: Path, dictionary: Mapping[str, str], codes: list[str]) -> Path:
    """`codes`: like `eng_Latn`. The source begins with one, and the answer with the target's."""
    _spm(folder / "sentencepiece.bpe.model", [*dictionary, *dictionary.values()])
    pairs = {SPACE + word: SPACE + other for word, other in dictionary.items()}
    _save(folder, pairs, extra=codes, starts_with=END)
    return folder


def madlad(folder: Path, dictionary: Mapping[str, str], codes: Mapping[str, str]) -> Path:
    """`codes`: `fr` → the word that the answer begins with, to see which language was asked for."""
    words = [*dictionary, *dictionary.values(), *codes.values()]
    _spm(folder / "spiece.model", words)
    pairs = {SPACE + word: SPACE + other for word, other in dictionary.items()}
    asked = {f"<2{code}>": SPACE + word for code, word in codes.items()}
    _save(folder, {**pairs, **asked}, extra=[START], starts_with=START)
    return folder


def _spm(path: Path, words: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen = sorted(set(words))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(chosen)] * 4),
        model_writer=model,
        model_type="word",
        vocab_size=len(chosen) + 3,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())


def _save(folder: Path, pairs: Mapping[str, str], extra: list[str], starts_with: str) -> None:
    sources = [UNKNOWN, END, *extra, *pairs]
    tokens = list(dict.fromkeys([*sources, *pairs.values()]))
    at = {token: index for index, token in enumerate(tokens)}
    count = len(tokens)
    width = 2 * count + POSITIONS
    spec = TransformerSpec.from_config(num_layers=1, num_heads=1, pre_norm=True)
    said = np.zeros((count, width), np.float32)
    said[:, :count] = np.eye(count)
    position = np.zeros((POSITIONS, width), np.float32)
    position[:, count : count + POSITIONS] = np.eye(POSITIONS)
    _stack(spec.encoder, said, position, width)
    _stack(spec.decoder, np.zeros_like(said), position, width)
    attention = spec.decoder.layer[0].attention
    _norm(attention.layer_norm, width)
    queries, keys, values = (np.zeros((width, width), np.float32) for _ in range(3))
    for index in range(POSITIONS):
        place = count + index
        queries[place, place] = SHARP
        keys[place, place] = 1.0
    for source in sources:
        target = pairs.get(source, source)
        values[count + POSITIONS + at[target], at[source]] = 1.0
    _linear(attention.linear[0], queries)
    _linear(attention.linear[1], np.concatenate([keys, values]))
    _linear(attention.linear[2], np.eye(width, dtype=np.float32))
    output = np.zeros((count, width), np.float32)
    output[:, count + POSITIONS :] = SHARP * np.eye(count)
    _linear(spec.decoder.projection, output)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.decoder_start_token = starts_with
    spec.validate()
    spec.optimize()
    spec.save(str(folder))


def _stack(spec: Any, said: NDArray[np.float32], position: NDArray[np.float32], width: int) -> None:
    embeddings = spec.embeddings[0] if isinstance(spec.embeddings, list) else spec.embeddings
    embeddings.weight = said
    spec.scale_embeddings = False
    spec.position_encodings.encodings = position
    _norm(spec.layer_norm, width)
    nothing = np.zeros((width, width), np.float32)
    for layer in spec.layer:
        _norm(layer.self_attention.layer_norm, width)
        _linear(layer.self_attention.linear[0], np.zeros((3 * width, width), np.float32))
        _linear(layer.self_attention.linear[1], nothing)
        _norm(layer.ffn.layer_norm, width)
        _linear(layer.ffn.linear_0, nothing)
        _linear(layer.ffn.linear_1, nothing)


def _norm(spec: Any, width: int) -> None:
    spec.gamma, spec.beta = np.ones(width, np.float32), np.zeros(width, np.float32)


def _linear(spec: Any, weight: NDArray[np.float32]) -> None:
    spec.weight = weight
    spec.bias = np.zeros(len(weight), np.float32)
