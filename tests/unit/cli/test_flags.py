"""Flags as Go's pflag reads them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.cli.flags import BAD_FLAG, Flag, Given, UsageError, parse
from nacre.cli.options import choice, filters, integer, string, strings, switch

FLAGS = (
    switch("all", "", "a"),
    switch("human", "", "H", default=True),
    switch("no-trunc", ""),
    string("format", "", "f"),
    strings("change", "", "c"),
    integer("limit", "", "n", default=25, least=1, most=100),
    choice("progress", "", ("auto", "plain")),
    filters("F"),
)
HELP_NOTE = "Flag shorthand -h has been deprecated, use --help"


def read(line: str) -> Given:
    return parse(FLAGS, line.split())


def refused(line: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(FLAGS, line.split(), command="nacre x")
    assert caught.value.exit_code == BAD_FLAG
    assert caught.value.remedy == "see 'nacre x --help'"
    return str(caught.value)


def test_flags_that_are_not_given_have_their_defaults() -> None:
    got = read("")
    assert (got.all, got.human, got.format, got.change) == (False, True, "", [])
    assert (got.limit, got.progress, got.words) == (25, "auto", [])


@pytest.mark.parametrize("line", ["--format x", "--format=x", "-f x", "-fx", "-f=x", "-af x"])
def test_a_value_may_follow_in_five_ways(line: str) -> None:
    assert read(line).format == "x"


def test_an_old_short_form_gives_way_to_a_flag_of_that_name() -> None:
    helping = Flag("help", FLAGS[0].kind, False, "", old_short="h")
    got = parse((helping,), ["-h"])
    assert (got.help, got.notes) == (True, [HELP_NOTE])
    named = string("host", "", "h")
    for flags in ((helping, named), (named, helping)):
        got = parse(flags, ["-h", "x"])
        assert (got.help, got.host, got.notes) == (False, "x", [])


def test_a_switch_never_takes_the_next_word() -> None:
    got = read("-H nginx --no-trunc debian")
    assert (got.human, got.no_trunc, got.words) == (True, True, ["nginx", "debian"])


@pytest.mark.parametrize("text", ["false", "0", "f", "F", "False", "FALSE"])
@pytest.mark.parametrize("form", ["--human=", "-H=", "-aH="])
def test_a_switch_can_be_turned_off(form: str, text: str) -> None:
    assert read(f"{form}{text}").human is False


@pytest.mark.parametrize("text", ["true", "1", "t", "T", "True", "TRUE"])
def test_a_switch_can_be_turned_on_in_words(text: str) -> None:
    assert read(f"--all={text}").all is True


def test_switches_may_be_combined() -> None:
    got = read("-aH=false")
    assert (got.all, got.human) == (True, False)
    got = read("-aHfx=y")
    assert (got.all, got.human, got.format) == (True, True, "x=y")


def test_words_and_flags_come_in_any_order_until_two_dashes() -> None:
    got = read("one --all two -- --no-trunc -H=false")
    assert got.words == ["one", "two", "--no-trunc", "-H=false"]
    assert (got.all, got.no_trunc) == (True, False)


def test_a_lone_dash_is_a_word() -> None:
    assert read("- -a").words == ["-"]


def test_a_value_may_look_like_a_flag() -> None:
    assert read("--format --all -f -").format == "-"
    assert read("-c -x --change=--y").change == ["-x", "--y"]


def test_the_last_value_counts_but_lists_grow() -> None:
    got = read("-f a -f b -c a -c b,c -F a=b --filter c=d")
    assert (got.format, got.change, got.filter) == ("b", ["a", "b,c"], ["a=b", "c=d"])


def test_lists_are_not_shared_between_command_lines() -> None:
    read("-c a")
    assert read("").change == []


def test_an_empty_value_is_a_value() -> None:
    assert read("-f x --format=").format == ""


def test_flags_before_a_command_end_at_the_first_word() -> None:
    got = parse(FLAGS, ["-f", "x", "images", "--all"], until_word=True)
    assert (got.format, got.all, got.words) == ("x", False, ["images", "--all"])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("--nope", "unknown flag: --nope"),
        ("--nope=x", "unknown flag: --nope"),
        ("--al", "unknown flag: --al"),
        ("-ax", "unknown shorthand flag: 'x' in -x"),
        ("-a=", "unknown shorthand flag: '=' in -="),
        ("---x", "bad flag syntax: ---x"),
        ("--=x", "bad flag syntax: --=x"),
        ("--format", "flag needs an argument: --format"),
        ("-af", "flag needs an argument: 'f' in -f"),
        ("--limit=0", 'invalid argument "0" for "-n, --limit" flag: must be from 1 to 100'),
        ("-n101", 'invalid argument "101" for "-n, --limit" flag: must be from 1 to 100'),
        ("--progress=x", 'invalid argument "x" for "--progress" flag: must be one of auto, plain'),
    ],
)
def test_what_is_no_flag_is_refused(line: str, problem: str) -> None:
    assert refused(line) == problem


@pytest.mark.parametrize("text", ["x", "", "1.5", "--1", "\u0661"])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert 'strconv.ParseInt: parsing "' in refused(f"--limit={text}")


def test_asking_for_a_flag_that_there_is_not_is_a_mistake_of_ours() -> None:
    with pytest.raises(AttributeError, match="nope"):
        _ = read("").nope


@given(st.lists(st.text(alphabet="-=aHfcnFx10 ", max_size=6), max_size=6))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    with suppress(UsageError):
        assert set(parse(FLAGS, words).words) <= set(words)
