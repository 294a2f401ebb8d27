"""The contract suite of uploads."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from nacre.hub.errors import BlobUploadUnknown, Busy, NameUnknown
from nacre.hub.registry.blobs import Blob
from nacre.hub.registry.uploads import Known, Upload
from nacre.oci.digest import Digest
from nacre.testing.contracts import raises
from nacre.testing.hub_contracts.stage import DAY, HOUR, Stage


class UploadsContract:
    """What `Uploads` promise."""

    def test_a_started_upload_is_found_as_it_was(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        assert _find(hub, upload) == upload

    def test_those_of_others_count_as_none(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        upload = hub.upload(app, owner="bob")
        anonymous = hub.upload(app, owner="")
        for wrong in (
            replace(upload, repository=other),
            replace(upload, owner="eve"),
            replace(upload, owner=""),
            replace(upload, id="absent"),
            replace(anonymous, owner="bob"),
        ):
            with raises(BlobUploadUnknown):
                _find(hub, wrong)
            with raises(BlobUploadUnknown):
                hub.take(wrong)
            with raises(BlobUploadUnknown):
                _cancel(hub, wrong)
        assert _find(hub, upload) == upload
        assert _find(hub, anonymous) == anonymous

    def test_one_request_has_an_upload_at_a_time(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.take(upload, "first")
        with raises(Busy):
            hub.take(upload, "second")
        hub.take(upload, "first")
        _leave(hub, upload, "first", 10)
        assert hub.take(upload, "second").offset == 10

    def test_a_lease_runs_out(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.take(upload, "first")
        hub.clock.go(HOUR / 2)
        hub.take(upload, "first")
        hub.clock.go(HOUR / 2)
        with raises(Busy):
            hub.take(upload, "second")
        hub.clock.go(HOUR / 2)
        assert hub.take(upload, "second").offset == 0
        for late in (
            lambda: _leave(hub, upload, "first", 10),
            lambda: _finish(hub, upload, "first"),
        ):
            with raises(BlobUploadUnknown):
                late()
        assert _find(hub, upload).offset == 0

    def test_a_lease_that_ran_out_unnoticed_still_counts(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        one, two = hub.upload(app), hub.upload(app)
        hub.take(one)
        hub.take(two)
        hub.clock.go(2 * HOUR)
        _leave(hub, one, "request", 10)
        assert _find(hub, one).offset == 10
        assert _finish(hub, two, "request").size == 4

    def test_leaving_records_how_far_it_has_come(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.take(upload)
        hub.clock.go(HOUR / 2)
        _leave(hub, upload, "request", 4, Digest.of(b"data", "sha512"))
        assert _find(hub, upload) == replace(
            upload, offset=4, digest=Digest.of(b"data", "sha512"), updated_at=hub.clock()
        )
        hub.take(upload)
        _leave(hub, upload, "request", 8)
        assert _find(hub, upload).digest is None

    def test_a_request_that_dies_leaves_the_offset(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.take(upload, "first")
        _leave(hub, upload, "first", 10)
        hub.take(upload, "dying")
        hub.clock.go(2 * HOUR)
        assert hub.take(upload, "third").offset == 10

    def test_only_who_has_it_leaves_or_finishes_it(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        with raises(BlobUploadUnknown):
            _finish(hub, upload, "request")
        with raises(BlobUploadUnknown):
            _leave(hub, upload, "request", 4)
        hub.take(upload, "first")
        with raises(BlobUploadUnknown):
            _finish(hub, upload, "second")
        with raises(BlobUploadUnknown):
            _leave(hub, upload, "second", 4)
        assert _find(hub, upload).offset == 0

    def test_a_finished_upload_is_over(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.finish(upload, b"data")
        with raises(BlobUploadUnknown):
            _find(hub, upload)
        with raises(BlobUploadUnknown):
            _finish(hub, upload, "request")
        assert upload.key not in hub.trash(hub.clock() + 365 * DAY)

    def test_bytes_that_the_hub_has_stay_under_their_key(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        first = hub.finish(hub.upload(app, key="first"), b"data")
        hub.clock.go(HOUR)
        for repository in (app, other):
            again = hub.finish(hub.upload(repository), b"data")
            assert again == replace(first, expires_at=hub.grace)
        trash = hub.trash(hub.clock() + 365 * DAY)
        assert "first" not in trash
        assert len(trash) == 2

    def test_a_lost_key_gives_way_for_all_repositories(self, hub: Stage) -> None:
        app, other = hub.repository("team/app"), hub.repository("team/other")
        lost = hub.finish(hub.upload(app, key="lost"), b"data")
        assert hub.do(hub.records.uploads.known(lost.digest)) == Known("lost", 4)
        again = hub.finish(hub.upload(other, key="found"), b"data", lost="lost")
        assert (again.key, again.size) == ("found", 4)
        assert hub.blob(app, lost.digest) == replace(lost, key="found")
        assert hub.do(hub.records.uploads.known(lost.digest)) == Known("found", 4)
        assert hub.used("team") == 4
        assert hub.trash(hub.clock() + DAY) == {"lost"}

    def test_of_two_that_find_bytes_lost_the_first_stays(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.finish(hub.upload(app, key="lost"), b"data")
        hub.finish(hub.upload(app, key="first"), b"data", lost="lost")
        late = hub.finish(hub.upload(app, key="second"), b"data", lost="lost")
        assert late.key == "first"
        assert hub.trash(hub.clock() + DAY) == {"lost", "second"}

    def test_a_lost_blob_that_was_collected_meanwhile_comes_back(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        lost = hub.finish(hub.upload(app, key="lost"), b"data")
        hub.do(hub.records.blobs.unlink(app, lost.digest))
        hub.collect()
        assert hub.do(hub.records.uploads.known(lost.digest)) is None
        app = hub.repository("team/app")
        again = hub.finish(hub.upload(app, key="found"), b"data", lost="lost")
        assert again.key == "found"
        assert hub.trash(hub.clock() + DAY) == {"lost"}

    def test_bytes_without_links_are_taken_again(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        first = hub.push(app, b"data")
        hub.do(hub.records.blobs.unlink(app, first.digest))
        again = hub.push(app, b"data")
        hub.review(hub.clock() + 2 * HOUR)
        assert hub.blob(app, first.digest) == again
        assert again.key not in hub.trash(hub.clock() + 365 * DAY)

    def test_a_collected_digest_comes_back_under_a_new_key(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        first = hub.push(app, b"data")
        hub.do(hub.records.blobs.unlink(app, first.digest))
        hub.collect()
        again = hub.push(hub.repository("team/app"), b"data")
        assert again.key != first.key
        assert hub.trash(hub.clock() + 365 * DAY) == {first.key}

    def test_a_cancelled_upload_is_gone_and_so_are_its_bytes_later(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.take(upload)
        _cancel(hub, upload)
        with raises(BlobUploadUnknown):
            _find(hub, upload)
        with raises(BlobUploadUnknown):
            _cancel(hub, upload)
        with raises(BlobUploadUnknown):
            _finish(hub, upload, "request")
        assert hub.trash(hub.clock()) == set()
        assert hub.trash(hub.clock() + DAY) == {upload.key}

    def test_idle_uploads_are_cancelled(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        idle, left = hub.upload(app), hub.upload(app)
        hub.clock.go(HOUR)
        hub.take(left)
        _leave(hub, left, "request", 4)
        fresh = hub.upload(app)
        assert _cancel_idle(hub, idle.updated_at) == []
        assert _cancel_idle(hub, hub.clock()) == [idle.id]
        with raises(BlobUploadUnknown):
            _find(hub, idle)
        assert _find(hub, left).offset == 4
        assert _find(hub, fresh) == fresh
        assert hub.trash(hub.clock() + DAY) == {idle.key}

    def test_an_upload_that_a_request_has_is_not_idle(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.take(upload)
        hub.clock.go(HOUR / 2)
        assert _cancel_idle(hub, hub.clock()) == []
        hub.clock.go(HOUR)
        assert _cancel_idle(hub, hub.clock()) == [upload.id]

    def test_no_more_are_cancelled_than_asked(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        uploads = {hub.upload(app).id for _ in range(3)}
        hub.clock.go(DAY)
        first = _cancel_idle(hub, hub.clock(), 2)
        assert len(first) == 2
        assert {*first, *_cancel_idle(hub, hub.clock(), 2)} == uploads

    def test_no_upload_starts_in_a_removed_repository(self, hub: Stage) -> None:
        app = hub.repository("team/app")
        hub.do(hub.records.repositories.remove("team/app"))
        with raises(NameUnknown):
            hub.upload(app)

    def test_uploads_go_with_their_repository(self, hub: Stage) -> None:
        upload = hub.upload(hub.repository("team/app"))
        hub.take(upload)
        hub.do(hub.records.repositories.remove("team/app"))
        with raises(BlobUploadUnknown):
            _finish(hub, upload, "request")
        assert hub.trash(hub.clock() + DAY) == {upload.key}


def _find(hub: Stage, upload: Upload) -> Upload:
    return hub.do(
        hub.records.uploads.find(upload.id, repository=upload.repository, owner=upload.owner)
    )


def _leave(
    hub: Stage, upload: Upload, holder: str, offset: int, digest: Digest | None = None
) -> None:
    hub.do(hub.records.uploads.leave(upload.id, holder=holder, offset=offset, digest=digest))


def _finish(hub: Stage, upload: Upload, holder: str) -> Blob:
    return hub.do(
        hub.records.uploads.finish(
            upload.id, holder=holder, digest=Digest.of(b"data"), size=4, until=hub.grace
        )
    )


def _cancel(hub: Stage, upload: Upload) -> None:
    hub.do(hub.records.uploads.cancel(upload.id, repository=upload.repository, owner=upload.owner))


def _cancel_idle(hub: Stage, before: datetime, limit: int = 100) -> list[str]:
    return list(hub.do(hub.records.uploads.cancel_idle(before, limit)))
