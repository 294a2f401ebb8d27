"""Archives that are broken, or made by somebody who means harm."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import make_index, make_manifest
from nacre.testing.builders import Content, a_layer, an_image
from tests.integration.unharmed import SOUND, Unharmed, files

NOISE = random.Random(21).randbytes(100_000)
IMAGE = an_image([a_layer({"noise": NOISE})])
LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'
Member = tuple[str, bytes | tarfile.TarInfo]


def blob(digest: str) -> str:
    """Return the name of a blob's member."""
    return f"blobs/{digest.replace(':', '/')}"


def layout_members(*images: Content) -> list[Member]:
    """Return the members of an OCI archive of these images."""
    index = make_index(
        image.root.annotated(**{"org.opencontainers.image.ref.name": f"example.test/app:{at}"})
        for at, image in enumerate(images)
    )
    blobs = {digest: data for image in images for digest, data in image.blobs.items()}
    return [
        ("oci-layout", LAYOUT_FILE),
        ("index.json", index.raw),
        *((blob(digest), data) for digest, data in blobs.items()),
    ]


def docker_members(image: Content, **changes: object) -> list[Member]:
    """Return the members of a plain Docker archive of an image."""
    manifest = json.loads(image.blobs[image.root.digest])
    config = manifest["config"]["digest"]
    item = {
        "Config": "config.json",
        "RepoTags": ["example.test/app:1"],
        "Layers": [f"{at}/layer.tar" for at in range(len(manifest["layers"]))],
        **changes,
    }
    return [
        ("manifest.json", json.dumps([item]).encode()),
        ("config.json", image.blobs[config]),
        *(
            (f"{at}/layer.tar", gzip.decompress(image.blobs[layer["digest"]]))
            for at, layer in enumerate(manifest["layers"])
        ),
    ]


def special(name: str, kind: bytes, target: str = "") -> Member:
    """Return a member that is no regular file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return name, member


def tar_of(members: list[Member]) -> bytes:
    """Return a tar of these members, whatever their names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def without(members: list[Member], name: str) -> list[Member]:
    """Return the members but one."""
    return [member for member in members if member[0] != name]


def with_(members: list[Member], name: str, content: bytes) -> list[Member]:
    """Return the members, one of them with other content."""
    return [(each, content if each == name else data) for each, data in members]


LAYOUT = layout_members(IMAGE)
SYMLINK, HARD_LINK = tarfile.SYMTYPE, tarfile.LNKTYPE
DOCKER = docker_members(IMAGE)
WITHOUT_LAYER = without(DOCKER, "0/layer.tar")
LAYER = json.loads(IMAGE.blobs[IMAGE.root.digest])["layers"][0]["digest"]
CONFIG = json.loads(IMAGE.blobs[IMAGE.root.digest])["config"]["digest"]


def huge_member() -> bytes:
    """Return a tar whose only member says to be eight exbibytes."""
    member = tarfile.TarInfo("manifest.json")
    member.size = 2**63 - 1
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def member_below_zero() -> bytes:
    """Return a tar whose only member says to be smaller than nothing."""
    member = tarfile.TarInfo("manifest.json")
    raw = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    raw[124:136] = b"\xff" * 12
    raw[148:156] = b"        "
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw) + bytes(1024)


CORRUPT: dict[str, tuple[bytes, str]] = {
    "empty_file": (b"", "is empty"),
    "garbage": (NOISE, "not a sound tar"),
    "text": (b"hello, world\n" * 100, "not a sound tar"),
    "zeros": (bytes(10240), "neither index.json nor manifest.json"),
    "truncated_in_a_header": (tar_of(LAYOUT)[:700], "(ends at|neither)"),
    "truncated_in_a_body": (tar_of(LAYOUT)[:-60_000], "ends at byte"),
    "truncated_gzip": (gzip.compress(tar_of(LAYOUT))[:-3000], "ends too early"),
    "broken_gzip": (gzip.compress(tar_of(LAYOUT))[:2000] + NOISE, "corrupt"),
    "gzip_of_garbage": (gzip.compress(NOISE), "not a sound tar"),
    "gzip_of_nothing": (gzip.compress(b""), "is empty"),
    "xz_rubbish": (b"\xfd7zXZ\0" + NOISE, "(corrupt|xz)"),
    "zstd_rubbish": (b"\x28\xb5\x2f\xfd" + NOISE, "(corrupt|zstd)"),
    "absurd_size": (huge_member(), "not a sound tar"),
    "size_below_zero": (member_below_zero(), "not a sound tar"),
    "neither_listing": (tar_of([("file", b"x")]), "nacre image import"),
    "root_file_system": (a_layer({"etc": None, "etc/motd": b"x"}), "nacre image import"),
    "listing_is_not_json": (tar_of([("manifest.json", b"{")]), "JSON"),
    "listing_with_a_key_twice": (
        tar_of([("manifest.json", b'[{"Config":"a","Config":"b","Layers":[]}]')]),
        "twice",
    ),
    "listing_over_four_mebibytes": (
        tar_of([("manifest.json", b"[" + b" " * 5_000_000 + b"]")]),
        "larger than 4194304",
    ),
    "listed_config_missing": (tar_of(without(DOCKER, "config.json")), "no file 'config.json'"),
    "listed_layer_missing": (tar_of(without(DOCKER, "0/layer.tar")), "no file '0/layer.tar'"),
    "listed_layer_changed": (
        tar_of(with_(DOCKER, "0/layer.tar", a_layer({"noise": NOISE[::-1]}))),
        "(has digest|ended|longer)",
    ),
    "listed_layer_not_listed_by_the_config": (
        tar_of(docker_members(IMAGE, Layers=["0/layer.tar", "0/layer.tar"])),
        "2 layers",
    ),
    "listed_name_is_none": (tar_of(docker_members(IMAGE, RepoTags=["Upper/Case:1"])), "lowercase"),
    "listed_names_a_text": (tar_of(docker_members(IMAGE, RepoTags="app:1")), "RepoTags"),
    "listed_config_a_number": (tar_of(docker_members(IMAGE, Config=7)), "Config"),
    "config_outside": (tar_of(docker_members(IMAGE, Config="../../etc/passwd")), "outside"),
    "config_absolute": (tar_of(docker_members(IMAGE, Config="/etc/passwd")), "outside"),
    "layer_outside": (tar_of(docker_members(IMAGE, Layers=["../layer.tar"])), "outside"),
    "index_is_not_json": (tar_of(with_(LAYOUT, "index.json", b"{")), "JSON"),
    "index_with_layers": (
        tar_of(with_(LAYOUT, "index.json", b'{"schemaVersion":2,"manifests":[],"layers":[]}')),
        "both layers and manifests",
    ),
    "layout_of_another_version": (
        tar_of(with_(LAYOUT, "oci-layout", b'{"imageLayoutVersion":"9"}')),
        "version",
    ),
    "manifest_missing": (tar_of(without(LAYOUT, blob(IMAGE.root.digest))), IMAGE.root.digest),
    "manifest_changed": (
        tar_of(with_(LAYOUT, blob(IMAGE.root.digest), IMAGE.blobs[IMAGE.root.digest] + b" ")),
        IMAGE.root.digest,
    ),
    "layer_missing": (tar_of(without(LAYOUT, blob(LAYER))), LAYER),
    "layer_changed": (tar_of(with_(LAYOUT, blob(LAYER), NOISE)), LAYER),
    "layer_cut": (tar_of(with_(LAYOUT, blob(LAYER), IMAGE.blobs[Digest(LAYER)][:-9])), LAYER),
    "config_changed": (tar_of(with_(LAYOUT, blob(CONFIG), b"{}")), CONFIG),
    "member_twice": (tar_of([*LAYOUT, ("index.json", b"{}")]), "'index.json' twice"),
    "member_twice_by_another_spelling": (tar_of([*LAYOUT, ("./index.json", b"{}")]), "twice"),
    "names_dot_dot": (tar_of([*LAYOUT, ("../x", b"evil")]), "'../x', which lies outside"),
    "names_dot_dot_deeper": (tar_of([*LAYOUT, ("a/../../x", b"evil")]), "outside"),
    "names_dot_dot_inside": (tar_of([*LAYOUT, ("a/../b", b"evil")]), "ambiguous"),
    "names_absolute": (tar_of([*LAYOUT, ("/tmp/evil", b"evil")]), "outside"),
    "symlink_outside": (tar_of([*LAYOUT, special("x", SYMLINK, "../../y")]), "outside"),
    "symlink_absolute": (tar_of([*LAYOUT, special("x", SYMLINK, "/etc/passwd")]), "outside"),
    "hard_link_outside": (tar_of([*LAYOUT, special("x", HARD_LINK, "../../y")]), "outside"),
    "hard_link_absolute": (tar_of([*LAYOUT, special("x", HARD_LINK, "/etc/sh")]), "outside"),
    "layer_a_symlink_outside": (
        tar_of([*WITHOUT_LAYER, special("0/layer.tar", SYMLINK, "../../x")]),
        "outside",
    ),
    "layer_a_symlink_to_itself": (
        tar_of([*WITHOUT_LAYER, special("0/layer.tar", SYMLINK, "layer.tar")]),
        "circle",
    ),
    "layer_in_a_loop_of_symlinks": (
        tar_of(
            [
                *WITHOUT_LAYER,
                special("0/layer.tar", SYMLINK, "other"),
                special("0/other", SYMLINK, "layer.tar"),
            ]
        ),
        "circle",
    ),
    "device": (tar_of([*LAYOUT, special("x", tarfile.CHRTYPE)]), "neither file"),
    "named_pipe": (tar_of([*LAYOUT, special("x", tarfile.FIFOTYPE)]), "neither file"),
}  # fmt: skip


@pytest.mark.parametrize("name", CORRUPT)
def test_corrupt_archive_is_not_loaded(name: str, unharmed: Unharmed, tmp_path: Path) -> None:
    data, saying = CORRUPT[name]
    archive = tmp_path / "archive.tar"
    archive.write_bytes(data)
    line = unharmed.refuses("load", "-i", archive, saying=saying)
    assert str(archive) in line or "sha256:" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive.tar", "nacre"]


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
@pytest.mark.parametrize("name", ["names_dot_dot", "truncated_in_a_body", "layer_changed"])
def test_corrupt_archive_is_not_copied_from(
    name: str, kind: str, unharmed: Unharmed, tmp_path: Path
) -> None:
    data, _ = CORRUPT[name]
    archive = tmp_path / "archive.tar"
    archive.write_bytes(data)
    unharmed.refuses("image", "copy", f"{kind}:{archive}", "copied:1", saying="(archive|sha256)")


def test_sound_archives_are_loaded(unharmed: Unharmed, tmp_path: Path) -> None:
    """What the broken ones above are made of is sound."""
    for members in (LAYOUT, DOCKER):
        (tmp_path / "sound.tar").write_bytes(tar_of(members))
        assert "Loaded image: example.test/app" in unharmed.cli(
            "load", "-i", tmp_path / "sound.tar"
        )


def test_archive_whose_second_image_is_wrong_leaves_nothing_of_the_first(
    unharmed: Unharmed, tmp_path: Path
) -> None:
    wrong = an_image([a_layer({"x": b"1"})])
    manifest = json.loads(wrong.blobs[wrong.root.digest])
    other = Descriptor.of(mediatypes.OCI_LAYER_TAR, a_layer({"x": b"2"}))
    config = Descriptor.from_json(manifest["config"], "config")
    second = make_manifest(config, [other])
    blobs = {
        **wrong.blobs,
        other.digest: a_layer({"x": b"2"}),
        second.descriptor.digest: second.raw,
    }
    images = (IMAGE, Content(second.descriptor, blobs))
    (tmp_path / "two.tar").write_bytes(tar_of(layout_members(*images)))
    unharmed.refuses("load", "-i", tmp_path / "two.tar", saying="unpacks to")


def test_archive_that_is_a_folder(unharmed: Unharmed, tmp_path: Path) -> None:
    unharmed.refuses("load", "-i", tmp_path, saying=str(tmp_path))


def test_archive_that_is_not_there(unharmed: Unharmed, tmp_path: Path) -> None:
    unharmed.refuses("load", "-i", tmp_path / "none.tar", saying="no file .*none.tar")


def test_nothing_on_standard_input_is_no_archive(unharmed: Unharmed) -> None:
    unharmed.refuses("load", stdin="", saying="empty")


def test_garbage_on_standard_input_is_no_archive(unharmed: Unharmed) -> None:
    unharmed.refuses("load", stdin="hello\n" * 1000, saying="not a sound tar")


# Root file systems.

ROOTFS = a_layer({"etc": None, "etc/motd": b"hello", "noise": NOISE})


def tar_with(*members: Member) -> bytes:
    """Return a root file system with members that do not belong there."""
    return tar_of([("etc/motd", b"hello"), *members])


NOT_ROOTFS: dict[str, tuple[bytes, str]] = {
    "empty_file": (b"", "empty"),
    "garbage": (NOISE, "tar"),
    "text": (b"hello\n" * 1000, "tar"),
    "one_byte": (b"x", "tar"),
    "truncated_in_a_header": (ROOTFS[:700], "ends at byte"),
    "truncated_in_a_body": (ROOTFS[:5000], "ends at byte"),
    "truncated_gzip": (gzip.compress(ROOTFS)[:-10], "ends too early"),
    "broken_gzip": (gzip.compress(ROOTFS)[:1000] + NOISE, "corrupt"),
    "absurd_size": (huge_member(), "(ends at byte|malformed)"),
    "size_below_zero": (member_below_zero(), "malformed"),
    "names_dot_dot": (tar_with(("../x", b"evil")), "'../x'.*outside"),
    "names_dot_dot_deeper": (tar_with(("etc/../../x", b"evil")), "outside"),
    "hard_link_outside": (tar_with(special("x", HARD_LINK, "../../etc/shadow")), "outside"),
    "root_a_symlink": (tar_with(special("./", SYMLINK, "/host")), "root"),
}


@pytest.mark.parametrize("name", NOT_ROOTFS)
def test_what_is_no_root_file_system_is_not_imported(
    name: str, unharmed: Unharmed, tmp_path: Path
) -> None:
    data, saying = NOT_ROOTFS[name]
    source = tmp_path / "rootfs.tar"
    source.write_bytes(data)
    unharmed.refuses("import", source, "made:1", saying=saying)


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        ("RUN rm -rf /", "RUN"),
        ("EXPOSE web", "web"),
        ("ENV", "ENV"),
        ("", "change"),
        ("USER", "USER"),
    ],
)
def test_import_with_a_senseless_change(
    change: str, saying: str, unharmed: Unharmed, tmp_path: Path
) -> None:
    (tmp_path / "rootfs.tar").write_bytes(ROOTFS)
    arguments = ("import", "--change", change, tmp_path / "rootfs.tar", "made:1")
    unharmed.refuses(*arguments, saying=f"(?i){saying}")


def test_import_of_a_file_that_is_not_there(unharmed: Unharmed, tmp_path: Path) -> None:
    unharmed.refuses("import", tmp_path / "none.tar", "made:1", saying="none.tar")


def test_import_of_a_folder(unharmed: Unharmed, tmp_path: Path) -> None:
    unharmed.refuses("import", tmp_path, "made:1", saying=str(tmp_path))


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_import_of_a_device_that_may_never_end(device: str, unharmed: Unharmed) -> None:
    unharmed.refuses("import", device, "made:1", saying=f"{device} is a device")


# Saving.


def test_unknown_image_is_not_saved(unharmed: Unharmed, tmp_path: Path) -> None:
    out = tmp_path / "out.tar"
    unharmed.refuses("save", "-o", out, SOUND, "nobody:knows", saying="No such image: nobody:knows")
    assert not out.exists()


@pytest.mark.parametrize(
    "prepare",
    [
        lambda out: out.mkdir(),
        lambda out: out.with_name("missing") / "out.tar",
        lambda out: Path("/dev/full"),
        lambda out: Path("/proc/out.tar"),
    ],
    ids=["a_folder", "in_no_folder", "full_device", "where_nothing_can_be"],
)
def test_path_that_cannot_be_written_to(
    prepare: Callable[[Path], Path | None], unharmed: Unharmed, tmp_path: Path
) -> None:
    out = tmp_path / "out.tar"
    path = prepare(out) or out
    unharmed.refuses("save", "-o", path, SOUND, saying="(out.tar|/dev/full|/proc|missing)")
    assert not [name for name in files(tmp_path) if "out.tar" in name]


def test_archive_that_is_there_survives_a_failed_save(unharmed: Unharmed, tmp_path: Path) -> None:
    out = tmp_path / "out.tar"
    out.write_text("precious")
    unharmed.refuses("save", "-o", out, "nobody:knows", saying="No such image")
    assert out.read_text() == "precious"
