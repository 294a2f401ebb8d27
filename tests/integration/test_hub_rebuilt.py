"""A served hub that is killed under load and loses its database comes back from its journal."""

from __future__ import annotations

import http.client
import json
import random
import time
from pathlib import Path
from threading import Event, Thread

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from tests.servers.hub import Hub, started_hub

_CLIENTS = 3
_SETTINGS = {"NACRE_HUB_COLLECTION_JOURNAL": "200ms", "NACRE_HUB_AUTH_ANONYMOUS_PUSH": "true"}
_SAFE = 2.5
"""Seconds after which a change is in the journal, however busy the machine is otherwise."""


class Client(Thread):
    """Pushes image after image; ``told`` is when each was acknowledged, its tag and digest."""

    def __init__(self, hub: Hub, repository: str, stop: Event) -> None:
        super().__init__()
        self._hub = hub
        self.repository = repository
        self._stop_asked = stop
        self.told: list[tuple[float, str, Digest]] = []
        self.failed: BaseException | None = None

    def run(self) -> None:
        number = 0
        while not self._stop_asked.is_set():
            number += 1
            try:
                self._push(f"v{number}")
            except (OSError, http.client.HTTPException):
                return  # the hub was killed
            except AssertionError as error:
                self.failed = error
                return

    def _push(self, tag: str) -> None:
        data = f"{self.repository} {tag}".encode() * 1000
        digest = self._hub.push_blob(self.repository, data)
        part = {"mediaType": mediatypes.OCI_LAYER_GZIP, "digest": digest, "size": len(data)}
        document = {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_MANIFEST,
            "config": part | {"mediaType": mediatypes.OCI_CONFIG},
            "layers": [part],
        }
        raw = json.dumps(document).encode()
        assert self._hub.push_manifest(self.repository, tag, raw).status == 201
        self.told.append((time.monotonic(), tag, Digest.of(raw)))


def test_what_was_acknowledged_before_the_last_interval_comes_back(tmp_path: Path) -> None:
    stop = Event()
    with started_hub(tmp_path, env=_SETTINGS) as hub:
        clients = [Client(hub, f"team/app{number}", stop) for number in range(_CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(_SAFE + random.uniform(1, 2))
        hub.kill()
        killed = time.monotonic()
        stop.set()
        for client in clients:
            client.join()
            assert client.failed is None
    hub.data.joinpath("hub.db").unlink()
    hub.manage("rebuild", "--verify")
    assert hub.manage("fsck", "--verify") == "nothing is wrong\n"
    with started_hub(tmp_path, env=_SETTINGS) as hub:
        for client in clients:
            safe = [told for told in client.told if told[0] < killed - _SAFE]
            assert safe
            for _, tag, digest in safe:
                place = f"/v2/{client.repository}"
                manifest = hub.ask("GET", f"{place}/manifests/{tag}")
                assert (manifest.status, Digest.of(manifest.body)) == (200, digest)
                layer = manifest.json["layers"][0]["digest"]
                assert Digest.of(hub.ask("GET", f"{place}/blobs/{layer}").body) == layer
