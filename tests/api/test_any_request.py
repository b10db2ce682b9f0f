"""Requests that somebody made up from our own OpenAPI document: none may end in a 500."""

from __future__ import annotations

from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from reflector.app import create_app
from reflector.db.models import Event, Participant, Topic, Words
from reflector.services import Services
from tests.api.people import HASH, SECRET, make_person, make_transcript
from tests.conftest import OpenServices
from tests.waiting import PATIENCE

EXAMPLES = 20
# Answers with the login limiter's 429 or waits for a hash each time
SLOW = {"/v1/auth/login"}


def fill(services: Services, owner: str) -> dict[str, str]:
    transcript_id = make_transcript(services, user_id=owner, shown_run=1)
    with services.db.write() as session:
        topic = Topic(
            transcript_id=transcript_id, run=1, position=0, title="t", summary="s",
            timestamp=0.0, duration=1.0, first_word=0, last_word=1,
        )  # fmt: skip
        person = Participant(transcript_id=transcript_id, name="A", speaker=0)
        rows = [[" Hello.", 0.0, 0.4, 0]]
        session.add_all(
            [topic, person, Words(transcript_id=transcript_id, run=1, words=rows),
             Event(transcript_id=transcript_id, run=1, name="WAVEFORM", data={"waveform": [1.0]})]
        )  # fmt: skip
        session.flush()
        return {
            "transcript_id": transcript_id,
            "topic_id": topic.id,
            "participant_id": person.id,
            "key_id": "none",
        }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.timeout(600)
def test_no_request_ends_in_a_500(open_with: OpenServices) -> None:
    services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET, MIN_FREE_BYTES=0)
    owner = make_person(services, "owner@example.org", HASH)
    ids = fill(services, owner.id)
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(services))
    tried = 0

    def check(operation: Any) -> None:
        nonlocal tried

        @given(case=operation.as_strategy(), real=st.booleans())
        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def run(case: Any, real: bool) -> None:
            nonlocal tried
            if real:
                # Beyond the lookup of an id that does not exist
                case.path_parameters.update(
                    {k: v for k, v in ids.items() if k in case.path_parameters}
                )
            tried += 1
            case.call_and_validate(
                headers=owner.bearer, checks=[not_a_server_error], timeout=PATIENCE
            )

        run()

    for result in schema.get_all_operations():
        operation = cast(Any, result).ok()
        if operation.path not in SLOW:
            check(operation)
    assert tried > 30 * 5
