"""Manifests, tags and referrers: push a data set, list it, pull it, and delete it again."""

from __future__ import annotations

import json
import os
import secrets
from urllib.parse import quote

from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from tests.compat.conformance.blobs import Blobs
from tests.compat.conformance.client import Answer, Client, with_query
from tests.compat.conformance.data import IMAGE, DataSet, Json, image
from tests.compat.conformance.report import Feature, Report, Unsupported, must

_ACCEPT = [("Accept", mediatypes.OCI_INDEX), ("Accept", mediatypes.OCI_MANIFEST)]
_NO_DIGEST = "sha256:baddigeststring"


class Manifests:
    """Checks on manifests in one repository, whose outcomes go to ``report``."""

    def __init__(self, client: Client, report: Report, blobs: Blobs, name: str) -> None:
        self._client = client
        self._report = report
        self._blobs = blobs
        self._name = name

    def empty(self) -> None:
        """Check what is said of a repository that nothing was pushed to."""
        with self._report.check("ping", Feature.PING):
            self._client.ask("GET", "/v2/").expect(200)
        with self._report.check("no tags", Feature.TAG_LIST):
            self._tags()
        with self._report.check("no referrers", Feature.REFERRERS):
            self._referrers(str(Digest.of(os.urandom(8))))

    def run(self, data: DataSet) -> None:
        """Check all that can be done with a data set."""
        self._push(data)
        with self._report.check("tag list", Feature.TAG_LIST, data=data.name):
            self._listed(data)
        if not data.is_broken:
            self._pull(data)
        for subject, referrers in data.referrers.items():
            with self._report.check("referrers", Feature.REFERRERS, data=data.name):
                self._referred(subject, referrers)
        self._delete(data)

    def errors(self) -> None:
        """Check what is said of manifests that are not there, and of what is no digest."""
        with self._report.check("missing digest", Feature.MANIFEST_GET_DIGEST):
            self._get(str(Digest.of(os.urandom(8)))).expect(404)
        with self._report.check("missing tag", Feature.MANIFEST_GET_TAG):
            self._get(f"missing-{secrets.token_hex(10)}").expect(404)
        data = DataSet("no digest")
        image(data, IMAGE)
        for digest, content in data.blobs.items():
            self._blobs.push(self._name, digest, content, data=data.name)
        with self._report.check("put", Feature.MANIFEST_PUT_DIGEST, data=data.name):
            for raw in data.manifests.values():
                self._send(_NO_DIGEST, raw).expect(400)
        with self._report.check("get", Feature.MANIFEST_GET_DIGEST, data=data.name):
            self._get(_NO_DIGEST).expect(400, 404)
        self._delete(data)

    def _push(self, data: DataSet) -> None:
        for digest, content in data.blobs.items():
            self._blobs.push(self._name, digest, content, data=data.name)
        for digest, raw in data.manifests.items():
            tags = [tag for tag, each in data.tags.items() if each == digest]
            features = [Feature.MANIFEST_PUT_DIGEST]
            features += [Feature.MANIFEST_PUT_TAG_PARAM] if data.tags_in_query else []
            features += [Feature.MANIFEST_PUT_SUBJECT] if _subject(data, digest) else []
            with self._report.check("manifest by digest", *features, data=data.name):
                if data.is_broken:
                    self._send(digest, raw).expect(400)
                else:
                    given = tags if data.tags_in_query else []
                    self._put(data, digest, digest, tags=given)
        for tag, digest in data.tags.items():
            if not data.tags_in_query:
                features = [Feature.MANIFEST_PUT_TAG]
                features += [Feature.MANIFEST_PUT_SUBJECT] if _subject(data, digest) else []
                with self._report.check(f"manifest by tag {tag}", *features, data=data.name):
                    self._put(data, tag, digest, tags=[])

    def _put(self, data: DataSet, reference: str, digest: Digest, *, tags: list[str]) -> None:
        raw = data.manifests[digest]
        answer = self._send(reference, raw, tags).expect(201)
        answer.expect_header("Docker-Content-Digest", digest)
        subject = _subject(data, digest)
        if subject:
            answer.expect_header("OCI-Subject", subject)
        accepted = {tag.strip() for one in answer.headers("OCI-Tag") for tag in one.split(",")}
        if not set(tags) <= accepted:
            raise Unsupported(f"of the tags {tags} it took {accepted}")
        stored = self._client.ask("GET", answer.location(), fields=_ACCEPT).expect(200)
        _check_document(stored, raw).expect_body(raw)

    def _send(self, reference: str, raw: bytes, tags: list[str] | None = None) -> Answer:
        target = with_query(self._at(reference), [("tag", tag) for tag in tags or ()])
        return self._client.ask("PUT", target, raw, fields=[("Content-Type", _type_of(raw))])

    def _listed(self, data: DataSet) -> None:
        tags = self._tags()
        must(set(data.tags) <= set(tags), f"of the tags {set(data.tags)} it lists {tags}")
        middle = len(tags) // 2
        if middle:
            in_order = sorted(tags)
            rest = self._tags(f"?last={quote(in_order[middle - 1])}")
            must(rest == in_order[middle:], f"after {in_order[middle - 1]} it lists {rest}")

    def _pull(self, data: DataSet) -> None:
        references = [
            *((tag, digest) for tag, digest in data.tags.items()),
            *((str(digest), digest) for digest in data.manifests),
        ]
        for reference, digest in references:
            raw = data.manifests[digest]
            for method, body in (("HEAD", b""), ("GET", raw)):
                by = "DIGEST" if ":" in reference else "TAG"
                feature = Feature[f"MANIFEST_{method}_{by}"]
                with self._report.check(f"manifest {method}", feature, data=data.name):
                    answer = self._client.ask(method, self._at(reference), fields=_ACCEPT)
                    _check_document(answer.expect(200), raw).expect_body(body)
                    answer.expect_header("Docker-Content-Digest", digest)
        for digest, content in data.blobs.items():
            self._blobs.pull(self._name, digest, content, data=data.name)

    def _referred(self, subject: str, wanted: list[Json]) -> None:
        listed, _ = self._referrers(subject)
        for each in wanted:
            must(_is_listed(each, listed), f"{each} is not among {listed}")
        for artifact_type in {each.get("artifactType", "") for each in wanted}:
            listed, answer = self._referrers(subject, f"?artifactType={quote(artifact_type)}")
            if "artifactType" not in answer.header("OCI-Filters-Applied"):
                raise Unsupported("no filter by type")
            of_type = [each for each in wanted if each.get("artifactType", "") == artifact_type]
            for each in of_type:
                must(_is_listed(each, listed), f"{each} is not among {listed}")
            for each in listed:
                must(each.get("artifactType", "") == artifact_type, f"{each} is listed, too")

    def _delete(self, data: DataSet) -> None:
        for tag in data.tags:
            self._gone(tag, Feature.TAG_DELETE, Feature.TAG_DELETE_ATOMIC, data)
        for digest in reversed(data.manifests):
            features = Feature.MANIFEST_DELETE, Feature.MANIFEST_DELETE_ATOMIC
            self._gone(digest, *features, data)
        for digest in data.blobs:
            self._blobs.delete(self._name, digest, data=data.name)

    def _gone(self, reference: str, delete: Feature, atomic: Feature, data: DataSet) -> None:
        target = self._at(reference)
        with self._report.check(delete.value, delete, data=data.name):
            answer = self._client.ask("DELETE", target).expect(202, 404, 400, 405)
            if answer.status in (400, 405):
                raise Unsupported(f"DELETE is answered with {answer.status}")
        with self._report.check(atomic.value, atomic, data=data.name):
            self._client.ask("HEAD", target, fields=_ACCEPT).expect(404)

    def _get(self, reference: str) -> Answer:
        return self._client.ask("GET", self._at(reference), fields=_ACCEPT)

    def _at(self, reference: str) -> str:
        return f"/v2/{self._name}/manifests/{reference}"

    def _tags(self, query: str = "") -> list[str]:
        answer = self._client.ask("GET", f"/v2/{self._name}/tags/list{query}").expect(200, 404)
        return list(answer.document()["tags"] or ()) if answer.status == 200 else []

    def _referrers(self, subject: str, query: str = "") -> tuple[list[Json], Answer]:
        answer = self._client.ask("GET", f"/v2/{self._name}/referrers/{subject}{query}").expect(200)
        answer.expect_header("Content-Type", mediatypes.OCI_INDEX)
        document = answer.document()
        is_index = document.get("mediaType") == mediatypes.OCI_INDEX
        must(is_index and document.get("schemaVersion") == 2, f"{document} is no index")
        return list(document["manifests"]), answer


def _type_of(raw: bytes) -> str:
    return str(json.loads(raw)["mediaType"])


def _check_document(answer: Answer, raw: bytes) -> Answer:
    answer.expect_header("Content-Type", _type_of(raw))
    return answer.expect_header("Content-Length", str(len(raw)))


def _subject(data: DataSet, digest: Digest) -> str:
    """Return the subject of a manifest, or ""."""
    for subject, referrers in data.referrers.items():
        if any(each["digest"] == digest for each in referrers):
            return subject
    return ""


def _is_listed(wanted: Json, listed: list[Json]) -> bool:
    keys = ("digest", "mediaType", "size", "artifactType")
    return any(
        all(each.get(key) == wanted.get(key) for key in keys)
        and wanted["annotations"].items() <= each.get("annotations", {}).items()
        for each in listed
    )
