"""Make Whisper models of real dimensions with made-up weights: real arithmetic, no download.

The sound does not influence the result, but such a model says something. A token's embedding is
what the output layer expects for the next token. So every window yields the same sentence of
`WORDS` words and then ends. A model of random weights would go on to the longest possible text and
doubt each word, and faster-whisper would ask it six times.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WORDS = 80  # in 30 seconds: 160 a minute, a usual speed
AUDIO_POSITIONS, TEXT_POSITIONS = 1500, 448
BEFORE = ["<|endoftext|>", "<|startoftranscript|>"]
AFTER = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
TIMESTAMPS = 1501
TEXT_TOKENS = 50257
CLOSINGS = 8
# Small compared with the embeddings, which therefore decide what is said
WEIGHT = 1e-3


@dataclass(frozen=True)
class Size:
    """The dimensions of a model.

    `width` is that of the hidden states; a head has 64 of them. `mels` is that of the spectrogram.
    """

    width: int
    encoder_layers: int
    decoder_layers: int
    mels: int = 80
    languages: int = 99

    @property
    def heads(self) -> int:
        return self.width // 64


# openai/whisper, model cards of the sizes
SIZES = {
    "tiny": Size(384, 4, 4),
    "base": Size(512, 6, 6),
    "small": Size(768, 12, 12),
    "large-v3-turbo": Size(1280, 32, 4, mels=128, languages=100),
}


def model_folder(cache: Path, name: str) -> Path:
    """Return the folder of the int8 model, and make the model if it is not there."""
    folder = cache / f"{name}-int8"
    if not (folder / "preprocessor_config.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(folder, SIZES[name])
    return folder


def _make(folder: Path, size: Size) -> None:
    generator = np.random.default_rng(0)
    tokens = _tokens(generator, size)
    spec = WhisperSpec(size.encoder_layers, size.heads, size.decoder_layers, size.heads)
    weights = _Weights(generator, size.width)
    _encoder(spec.encoder, weights, size)
    _decoder(spec.decoder, weights, tokens, generator)
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    first = TEXT_TOKENS + len(BEFORE)
    spec.config.lang_ids = list(range(first, first + size.languages))
    spec.config.alignment_heads = [[size.decoder_layers - 1, 0], [size.decoder_layers - 1, 1]]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    _tokenizer(tokens).save(str(folder / "tokenizer.json"))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": size.mels}))


class _Weights:
    """float32 arrays from one pool of random numbers: a large model would take minutes to draw."""

    def __init__(self, generator: np.random.Generator, width: int) -> None:
        self.width = width
        self._generator = generator
        self._pool = generator.standard_normal(1 << 20, np.float32)

    def array(self, *shape: int, scale: float = WEIGHT) -> NDArray[np.float32]:
        start = int(self._generator.integers(len(self._pool)))
        return np.resize(np.roll(self._pool, start), shape) * np.float32(scale)

    def linear(self, spec: Any, outputs: int, inputs: int) -> None:
        spec.weight = self.array(outputs, inputs)
        spec.bias = np.zeros(outputs, np.float32)

    def convolution(self, spec: Any, inputs: int) -> None:
        spec.weight = self.array(self.width, inputs, 3)
        spec.bias = np.zeros(self.width, np.float32)

    def norm(self, spec: Any) -> None:
        spec.gamma = np.ones(self.width, np.float32)
        spec.beta = np.zeros(self.width, np.float32)

    def attention(self, spec: Any, *projections: int) -> None:
        """Fill an attention layer.

        `projections`: how many of queries, keys and values each linear layer computes.
        """
        self.norm(spec.layer_norm)
        for linear, count in zip(spec.linear, (*projections, 1), strict=True):
            self.linear(linear, count * self.width, self.width)

    def feed_forward(self, spec: Any) -> None:
        self.norm(spec.layer_norm)
        self.linear(spec.linear_0, 4 * self.width, self.width)
        self.linear(spec.linear_1, self.width, 4 * self.width)


def _encoder(spec: Any, weights: _Weights, size: Size) -> None:
    weights.convolution(spec.conv1, size.mels)
    weights.convolution(spec.conv2, size.width)
    spec.position_encodings.encodings = weights.array(AUDIO_POSITIONS, size.width)
    weights.norm(spec.layer_norm)
    for layer in spec.layer:
        weights.attention(layer.self_attention, 3)
        weights.feed_forward(layer.ffn)


def _decoder(
    spec: Any, weights: _Weights, tokens: list[str], generator: np.random.Generator
) -> None:
    said, heard = _chain(weights, tokens, generator)
    spec.embeddings.weight, spec.projection.weight = said, heard
    spec.position_encodings.encodings = weights.array(TEXT_POSITIONS, weights.width)
    weights.norm(spec.layer_norm)
    for layer in spec.layer:
        weights.attention(layer.self_attention, 3)
        weights.attention(layer.attention, 1, 2)
        weights.feed_forward(layer.ffn)


def _chain(
    weights: _Weights, tokens: list[str], generator: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return input embeddings, and output weights.

    For each word of the sentence, the output weights expect the next one.
    """
    said = generator.standard_normal((len(tokens), weights.width), np.float32)
    heard = generator.standard_normal((len(tokens), weights.width), np.float32)
    begins = tokens.index("<|notimestamps|>")
    said[begins + 1 : -CLOSINGS] = said[begins]  # all timestamps but the last open a window
    words = generator.choice(np.arange(256, TEXT_TOKENS), WORDS, replace=False)
    # Without a last timestamp faster-whisper's sequential way continues from the last word. Several
    # are equally likely, so that all hypotheses of a beam end at once, as in a real model.
    said[-CLOSINGS:] = said[-1]
    heard[words] = said[[begins, *words[:-1]]]
    heard[-CLOSINGS:] = said[words[-1]]
    heard[tokens.index("<|endoftext|>")] = said[-1]
    return said, heard


def _tokens(generator: np.random.Generator, size: Size) -> list[str]:
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    known = sorted(pre_tokenizers.ByteLevel.alphabet())
    seen = set(known)
    while len(known) < TEXT_TOKENS:
        word = "Ġ" + "".join(generator.choice(letters, generator.integers(2, 9)))
        if word not in seen:
            seen.add(word)
            known.append(word)
    languages = [f"<|{code}|>" for code in list(_LANGUAGE_CODES)[: size.languages]]
    timestamps = [f"<|{index * 0.02:.2f}|>" for index in range(TIMESTAMPS)]
    return [*known, *BEFORE, *languages, *(f"<|{name}|>" for name in AFTER), *timestamps]


def _tokenizer(tokens: list[str]) -> Tokenizer:
    text, special = tokens[:TEXT_TOKENS], tokens[TEXT_TOKENS:-TIMESTAMPS]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(text)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in tokens[-TIMESTAMPS:]])
    return tokenizer
