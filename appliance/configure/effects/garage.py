"""Set up Garage's layout, bucket and key with its administration API, version 2.

The API is described at garagehq.deuxfleurs.fr/api/garage-admin-v2.html.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import httpx2

from appliance.configure.effects import secrets
from appliance.configure.effects.machine import Machine, apply
from appliance.configure.effects.units import start
from appliance.configure.parts.application import S3_KEYS
from appliance.configure.plan.changes import SetUpGarage
from appliance.errors import ApplianceError
from appliance.machine import units
from appliance.secrets import store

ADDRESS = "http://127.0.0.1:3903"
START_SECONDS = 60.0
KEY_NAME = "reflector"


class Garage:
    """A client of Garage's administration API.

    Methods raise ApplianceError with Garage's own message if it refuses, or if it does not answer.
    """

    def __init__(self, token: str, address: str = ADDRESS) -> None:
        self._client = httpx2.Client(
            base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def close(self) -> None:
        self._client.close()

    def wait(self, seconds: float = START_SECONDS) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                self._ask("GET", "GetClusterStatus")
                return
            except ApplianceError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)

    def lay_out(self, capacity: int) -> None:
        """Lay the cluster out as one node of `capacity` bytes, unless it has a layout already."""
        layout = self._ask("GET", "GetClusterLayout")
        if layout["roles"]:
            return
        status = self._ask("GET", "GetClusterStatus")
        role = {"id": status["nodes"][0]["id"], "zone": "here", "capacity": capacity, "tags": []}
        self._ask("POST", "UpdateClusterLayout", {"roles": [role]})
        self._ask("POST", "ApplyClusterLayout", {"version": layout["version"] + 1})

    def bucket(self, name: str) -> str:
        """Return the id of the bucket `name`. Create the bucket if needed."""
        for bucket in self._ask("GET", "ListBuckets"):
            if name in bucket.get("globalAliases", []):
                return str(bucket["id"])
        return str(self._ask("POST", "CreateBucket", {"globalAlias": name})["id"])

    def key(self, name: str) -> tuple[str, str]:
        """Create a key, and return its id and its secret.

        Garage never shows a secret again, so an earlier key of this name is deleted.
        """
        for key in self._ask("GET", "ListKeys"):
            if key["name"] == name:
                self._ask("POST", f"DeleteKey?id={key['id']}")
        made = self._ask("POST", "CreateKey", {"name": name})
        return str(made["accessKeyId"]), str(made["secretAccessKey"])

    def allow(self, bucket: str, key: str) -> None:
        permissions = {"read": True, "write": True, "owner": False}
        body = {"bucketId": bucket, "accessKeyId": key, "permissions": permissions}
        self._ask("POST", "AllowBucketKey", body)

    def _ask(self, method: str, call: str, body: Any = None) -> Any:
        try:
            answer = self._client.request(method, f"/v2/{call}", json=body)
        except httpx2.HTTPError as error:
            raise ApplianceError(
                f"Garage does not answer at {self._client.base_url}: {error}.",
                "See `journalctl -u garage`.",
            ) from error
        if answer.status_code >= 400:
            raise ApplianceError(
                f"Garage refuses {call.partition('?')[0]} ({answer.status_code}): {answer.text[:300]}.",
                "See `journalctl -u garage`.",
            )
        return answer.json() if answer.content else None


@apply.register
def set_up_garage(change: SetUpGarage, machine: Machine) -> None:
    start(machine, [units.GARAGE])
    token = store.reveal(machine.facts, "GARAGE_ADMIN_TOKEN")
    with closing(Garage(token or "")) as garage:
        garage.wait()
        garage.lay_out(change.capacity)
        bucket = garage.bucket(change.bucket)
        key, secret = garage.key(KEY_NAME)
        garage.allow(bucket, key)
    for name, value in zip(S3_KEYS, (key, secret), strict=True):
        secrets.keep(machine, name, value, units.APPLICATION)
    machine.ledger.did("garage")
