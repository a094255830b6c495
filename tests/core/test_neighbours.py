"""What the lines of sysctl.d(5) and of TuneD's profiles mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kad.core.advice import about_neighbours
from kad.core.neighbours import sysctlconf, tuned
from kad.core.neighbours.setting import Setting, Text
from kad.core.parameters import Parameter
from kad.core.policy import Policy
from tests.fakes import DEFAULTS, INTVL, PROBES, TIME, WHOLE
from tests.sysctls import LINES

FILE = "/etc/sysctl.d/90-x.conf"


def made_of(text: str) -> dict[Parameter, int | None]:
    """Give what the kernel has after the lines were applied to its defaults."""
    found = sysctlconf.winners([Text(FILE, text)])
    return {**DEFAULTS, **{name: each.number for name, each in found.items()}}


@pytest.mark.parametrize(("text", "values"), LINES.values(), ids=LINES)
def test_lines_mean_what_systemd_makes_of_them(text: str, values: tuple[int, ...]) -> None:
    """kad warns of what would happen, and of nothing else."""
    assert tuple(made_of(text).values()) == values


@pytest.mark.parametrize(
    "value", ["", "abc", "= 60", "\\", "1.5", "0x", "08", "9" * 5000, "-", "60\f", "60\u00a0"]
)
def test_what_is_no_number_is_none(value: str) -> None:
    """The kernel refuses it, or nobody knows what it takes."""
    assert Setting(FILE, 1, TIME, TIME, value).number is None


def test_files_count_in_their_order_and_lines_are_found_again() -> None:
    """The later file wins; its line is the one that is named."""
    first = Text("/etc/sysctl.d/10-a.conf", f"\n{TIME} = 60\n{INTVL} = 5\n")
    second = Text("/etc/sysctl.d/20-b.conf", f"# why\n\n{TIME} = 90\n")

    found = sysctlconf.winners([first, second])

    assert found[TIME].place == "/etc/sysctl.d/20-b.conf:3"
    assert found[INTVL].place == "/etc/sysctl.d/10-a.conf:3"
    assert [each.place for each in sysctlconf.all_settings([first, second])] == [
        "/etc/sysctl.d/10-a.conf:2",
        "/etc/sysctl.d/10-a.conf:3",
        "/etc/sysctl.d/20-b.conf:3",
    ]


@pytest.mark.parametrize("braces", ["{a,b}" * 60, "{a}" * 300, "{a}" * 30000, "{" * 30000])
def test_a_pattern_of_many_braces_takes_no_time(braces: str) -> None:
    """A file can be foolish; kad answers all the same."""
    assert made_of(f"*{braces} = 5\n") == DEFAULTS


WORDS = st.sampled_from(
    ["net", "ipv4", "tcp_keepalive_time", *'-*?[]{},!./=#; \t\r\n\0"', "[sysctl]"]
)


@given(st.lists(WORDS | st.text(max_size=3)).map("".join))
def test_no_text_is_a_failure(text: str) -> None:
    """What is no file of theirs is none of kad's trouble."""
    file = Text(FILE, text)

    assert set(sysctlconf.winners([file])) <= {each.parameter for each in all_of(file)}
    assert tuned.winners([tuned.parse(file)]).keys() <= set(Parameter)


def all_of(file: Text) -> tuple[Setting, ...]:
    """Give every setting of a file of sysctl.d."""
    return sysctlconf.all_settings([file])


def profile(*lines: str, file: str = "/etc/tuned/x/tuned.conf") -> tuned.Profile:
    """Read a profile."""
    return tuned.parse(Text(file, "\n".join(lines) + "\n"))


def said(*profiles: tuned.Profile) -> dict[Parameter, str]:
    """Give the values that win."""
    return {name: each.value for name, each in tuned.winners(profiles).items()}


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["[sysctl]", f"{TIME}=600"], "600"),
        (["[sysctl]", f"{TIME} = 600 # ten minutes"], "600"),
        (["[sysctl]", f'{TIME} = "600"'], "600"),
        (["[sysctl]", "net/ipv4/tcp_keepalive_time = 600"], "600"),
        (["[sysctl]", f"{TIME}=500", "[main]", "[sysctl]", f"{TIME}=600"], "600"),
        (["[mine]", "type=sysctl", f"{TIME}=600"], "600"),
        (["[sysctl]", f"{TIME}=${{keepalive}}"], "${keepalive}"),
        (["[sysctl]", f"{TIME}=>600"], ">600"),
        (["[sysctl]", f"#{TIME}=600", f";{TIME}=600"], None),
        (["[sysctl]", "vm.x=1", f"  {TIME}=600"], None),
        (["[sysctl]", "vm.x=1", "[sysctl]", f"  {TIME}=600"], "600"),
        (["[sysctl]", "enabled=false", f"{TIME}=600"], None),
        (["[sysctl]", "type=vm", f"{TIME}=600"], None),
        (["[vm]", f"{TIME}=600"], None),
        ([f"{TIME}=600"], None),
    ],
)
def test_a_profile_sets_what_its_sysctl_sections_say(lines: list[str], value: str | None) -> None:
    """As TuneD reads its tuned.conf."""
    assert said(profile(*lines)) == ({} if value is None else {TIME: value})


def test_a_later_profile_wins_and_the_others_stay() -> None:
    """An include comes before the profile that includes it."""
    base = profile("[sysctl]", f"{TIME}=600", f"{INTVL}=60")

    assert said(base, profile("[sysctl]", f"{TIME}=700")) == {TIME: "700", INTVL: "60"}
    assert said(base, profile("[sysctl]", "replace=1", f"{TIME}=700")) == {TIME: "700"}
    assert said(base, profile("[sysctl]", f"drop={TIME}, vm.x")) == {INTVL: "60"}
    assert said(base, profile("[sysctl]", "enabled=0")) == {}


def test_a_profile_names_those_it_includes() -> None:
    """More than one, with either separator."""
    assert profile("[main]", "summary=x", "include=a, b;c").includes == ("a", "b", "c")
    assert profile("[sysctl]").includes == ()


def test_the_line_of_a_profile_is_found_again() -> None:
    """Where an editor finds it."""
    found = tuned.winners([profile("", "[sysctl]", "# why", f"{PROBES}=3")])

    assert found[PROBES].place == "/etc/tuned/x/tuned.conf:4"


def test_a_line_that_sets_something_else_is_advice() -> None:
    """Who reads it knows the file, the line, and both values."""
    settings = [
        Setting(FILE, 3, TIME, TIME, "600"),
        Setting(FILE, 4, INTVL, INTVL, "30"),
        Setting(FILE, 5, PROBES, PROBES, "010"),
    ]

    assert about_neighbours(WHOLE, settings) == (f"{FILE}:3 sets {TIME} to 600; policy says 120",)


def test_a_parameter_outside_the_policy_is_no_advice() -> None:
    """None of kad's business."""
    settings = [Setting(FILE, 3, TIME, TIME, "600")]

    assert about_neighbours(Policy(values={PROBES: 5}), settings) == ()


def test_advice_is_one_line_of_ascii_whatever_the_file_is_called() -> None:
    """A name cannot forge a second line, nor move the cursor."""
    settings = [Setting("/etc/sysctl.d/\n\x1b[2J\udcff.conf", 1, TIME, TIME, "\x07\xe9")]

    (line,) = about_neighbours(WHOLE, settings)

    assert line.isascii()
    assert line.isprintable()
