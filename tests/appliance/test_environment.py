"""Where torch comes from: asked for, handed over, or as it was; never lost without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import ApplianceError
from appliance.install.target import Target
from appliance.install.venv import A_WHEEL, LINK, TORCH_INDEX, torch_from

INDEX = "https://torch.example.org/cpu"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    said: list[str] = []
    return Target(tmp_path / "root", said.append)


def with_torch(target: Target) -> None:
    target.path(f"{LINK}/lib/python3.13/site-packages/torch-2.13.0+cpu.dist-info").mkdir(
        parents=True
    )


def test_nobody_named_it(target: Target) -> None:
    said: list[str] = []
    target.say = said.append
    assert torch_from(target, None, None) is None
    assert "there will be no speaker diarization" in said[0]


def test_index_of_the_first_installation_counts_for_the_next(target: Target) -> None:
    assert torch_from(target, None, INDEX) == INDEX
    target.put(TORCH_INDEX, f"{INDEX}\n")
    with_torch(target)
    assert torch_from(target, None, None) == INDEX


def test_wheel_in_the_folder_is_taken(target: Target, tmp_path: Path) -> None:
    assert torch_from(target, tmp_path, INDEX) == INDEX
    (tmp_path / "torch-2.13.0+cpu-cp313-cp313-manylinux_2_28_x86_64.whl").touch()
    assert torch_from(target, tmp_path, INDEX) == A_WHEEL


def test_speakers_are_not_lost_by_an_update(target: Target, tmp_path: Path) -> None:
    with_torch(target)
    with pytest.raises(ApplianceError, match="has speaker diarization") as refused:
        torch_from(target, tmp_path, None)
    assert "--torch-index" in (refused.value.hint or "")
