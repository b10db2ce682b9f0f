"""A step that is missing, or that waits for itself, is found when the program starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reflector.pipeline.registry import STEPS, checked
from reflector.pipeline.step import StepName


def test_step_without_a_definition_is_named() -> None:
    without = [step for step in STEPS.values() if step.name is not StepName.TITLE]
    with pytest.raises(ValueError, match="no step title"):
        checked(without)


def test_two_definitions_of_a_step_are_named() -> None:
    with pytest.raises(ValueError, match="two steps decode"):
        checked([*STEPS.values(), STEPS[StepName.DECODE]])


def test_steps_that_wait_for_each_other_are_named() -> None:
    waiting = replace(STEPS[StepName.DECODE], after=(StepName.FINISH,))
    with pytest.raises(ValueError, match="wait for each other"):
        checked({**STEPS, StepName.DECODE: waiting}.values())
