"""Names that are none: refused in one line by every command that takes one."""

from __future__ import annotations

import pytest

from tests.integration.unharmed import SOUND, Unharmed

HEX = "0123456789abcdef" * 4
MALFORMED = {
    "upper_case_repository": ("Nginx", "lowercase"),
    "upper_case_path_below_a_domain": ("host:5000/Team/app", "lowercase"),
    "empty": ("", "empty"),
    "only_a_tag": (":latest", "invalid reference"),
    "only_a_digest": (f"@sha256:{HEX}", "invalid reference"),
    "leading_slash": ("/nginx", "invalid reference"),
    "trailing_slash": ("nginx/", "invalid reference"),
    "double_slash": ("team//nginx", "invalid reference"),
    "dot_dot": ("../../etc/passwd", "invalid reference"),
    "scheme": ("https://host/nginx", "https://host/nginx"),
    "space": ("team/ngi nx", "invalid reference"),
    "trailing_newline": ("nginx\n", "invalid reference"),
    "control_character": ("nginx\x1b[31m", "invalid reference"),
    "not_ascii": ("ngïnx", "invalid reference"),
    "leading_separator": ("team/-nginx", "invalid reference"),
    "trailing_separator": ("team/nginx_", "invalid reference"),
    "three_underscores": ("team/a___b", "invalid reference"),
    "two_dots": ("team/a..b", "invalid reference"),
    "empty_tag": ("nginx:", "invalid reference"),
    "tag_with_slash_after": ("nginx:1.0/x y", "invalid reference"),
    "tag_that_starts_with_a_dot": ("nginx:.1", "invalid reference"),
    "tag_of_129_characters": (f"nginx:{'a' * 129}", "invalid reference"),
    "two_tags": ("nginx:1:2", "invalid reference"),
    "digest_too_short": ("nginx@sha256:abc", "invalid reference"),
    "digest_in_upper_case": (f"nginx@sha256:{HEX.upper()}", "digest"),
    "digest_of_unknown_algorithm": (f"nginx@md5:{HEX[:32]}", "digest"),
    "digest_that_is_a_path": ("nginx@sha256:../../../../etc/passwd", "invalid reference"),
    "port_that_is_no_number": ("host:port/nginx", "invalid reference"),
    "domain_with_underscore": ("my_host.example/nginx", "invalid reference"),
    "path_of_256_characters": (f"host:5000/{'a' * 256}", "255 characters"),
    "bare_64_digits": (HEX, "64-byte hexadecimal"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_reference_is_not_pulled(name: str, unharmed: Unharmed) -> None:
    text, saying = MALFORMED[name]
    unharmed.refuses("pull", text, saying=saying)


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_reference_is_no_new_name(name: str, unharmed: Unharmed) -> None:
    text, saying = MALFORMED[name]
    unharmed.refuses("tag", SOUND, text, saying=saying)


@pytest.mark.parametrize(
    "command",
    [
        ("push", "Upper/Case"),
        ("rmi", "Upper/Case"),
        ("history", "Upper/Case"),
        ("image", "inspect", "Upper/Case"),
        ("save", "Upper/Case", "-o", "/dev/null"),
        ("import", "/dev/null", "Upper/Case"),
        ("image", "verify", "Upper/Case"),
        ("manifest", "inspect", "Upper/Case"),
        ("manifest", "create", "Upper/Case", SOUND),
        ("manifest", "push", "Upper/Case"),
        ("image", "copy", "docker://Upper/Case", "copy:1"),
        ("image", "copy", SOUND, "docker://Upper/Case"),
    ],
    ids=lambda command: "_".join(command[:2]),
)
def test_every_command_refuses_a_malformed_reference(
    command: tuple[str, ...], unharmed: Unharmed
) -> None:
    unharmed.refuses(*command, saying="lowercase")


def test_tag_with_a_digest_is_refused(unharmed: Unharmed) -> None:
    unharmed.refuses("tag", SOUND, f"new@sha256:{HEX}", saying="tag with a digest")


def test_tag_of_an_unknown_image_is_refused(unharmed: Unharmed) -> None:
    unharmed.refuses("tag", "nobody:knows", "new:1", saying="No such image: nobody:knows")


def test_tag_at_a_digest_never_falls_back_to_the_tag(unharmed: Unharmed) -> None:
    wanted = f"{SOUND}@sha256:{HEX}"
    unharmed.refuses("tag", wanted, "new:1", saying=f"No such image: sound:base@sha256:{HEX}")


@pytest.mark.parametrize(
    ("place", "saying"),
    [
        ("oci:", "names no"),
        ("oci-archive:", "names no"),
        ("docker-archive:", "names no"),
        ("ftp://somewhere/app", "ftp"),
        ("docker://", "names no"),
    ],
)
def test_place_that_is_none_is_not_copied_to(place: str, saying: str, unharmed: Unharmed) -> None:
    unharmed.refuses("image", "copy", SOUND, place, saying=saying)


@pytest.mark.parametrize("platform", ["linux/", "/amd64", "windows//x", "linux/amd64/v2/x", "a b"])
def test_malformed_platform_is_refused(platform: str, unharmed: Unharmed) -> None:
    unharmed.refuses("pull", "--platform", platform, "127.0.0.1:1/app", saying="platform")
