"""Every other PostgreSQL that there is: the schema, the triggers and the search on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from reflector.runtime.settings import Settings
from reflector.services import Services, open_services
from reflector.speech.registry import SpeechEngines
from tests.conftest import client_of
from tests.real.postgres import Postgres, installed
from tests.search.test_search import PATH, TABLE, add

VERSIONS = installed()
# The first is the one that all other tests use
OTHERS: list[int | None] = [*sorted(VERSIONS)[1:]] or [None]


@pytest.fixture(scope="module", params=OTHERS)
def postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    if request.param is None:
        pytest.skip("there is only one version of PostgreSQL here")
    started = Postgres(VERSIONS[request.param])
    yield started
    started.close()


@pytest.fixture
def services(
    postgres: Postgres, make_settings: Callable[..., Settings], engines: SpeechEngines
) -> Iterator[Services]:
    url = postgres.url()
    opened = open_services(
        make_settings(
            DATABASE_URL=url, CELERY_BROKER_URL="memory://", SECRET_KEY="a-secret-of-the-tests"
        )
    )
    opened.speech = engines
    yield opened
    opened.close()
    postgres.drop(url)


def test_search_gives_the_answers_of_the_table(services: Services) -> None:
    ids = {
        add(services, number, document): name
        for number, (name, document) in enumerate(TABLE["documents"].items())
    }
    client = client_of(services)
    wrong = []
    for case in TABLE["cases"]:
        body = client.get(PATH, params={"q": case["q"]}).json()
        found = sorted(ids[item["id"]] for item in body["results"])
        if found != case["found"]:
            wrong.append((case["q"], found, case["found"]))
    assert json.dumps(wrong) == "[]"


def test_every_change_moves_the_feed_on(services: Services) -> None:
    client = client_of(services)
    path = f"/v1/transcripts/{client.post('/v1/transcripts', json={'name': 'x'}).json()['id']}"
    seen = [client.get(path).json()["change_seq"]]
    for change in ({"title": "a"}, {"participants": [{"name": "A", "speaker": 0}]}, {"title": "a"}):
        seen.append(client.patch(path, json=change).json()["change_seq"])
    assert seen == sorted(set(seen))
    feed = client.get(
        "/v1/transcripts", params={"change_seq_from": seen[-2], "sort_by": "change_seq"}
    )
    assert [item["change_seq"] for item in feed.json()["items"]] == [seen[-1]]
    client.delete(path)
    assert client.delete(f"{path}/destroy").status_code == 200
