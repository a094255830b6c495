"""What is wrong with a policy file, and where: TOML and YAML alike.

In the rows, § stands before each place that is to be told. It is no part of the file.
"""

# ruff: noqa: E501 - a row is read best in one line

import pytest

from kad.core.errors import PolicyError
from kad.policyfile import validate

TIME = "must be 1 to 32767 s"
A_NAME = "the name of a network namespace (* and ? are allowed)"
NO_PROBES = "must be 1 to 127, got 0 (0 would cut healthy idle connections)"
KNOWN = "known: mode, keepalive, path, drift, on_stop, namespaces, sockets"
SPAN = "use whole seconds or a span such as 2min, 30s, 1h 30min"
UNIT = "must be the name of a systemd unit (* and ? are allowed)"
NEEDS = "keepalive: needs at least one of time, intvl, probes"


def told(source: str, file: str) -> list[str]:
    """Validate a bad policy, give the lines an operator sees."""
    with pytest.raises(PolicyError) as caught:
        validate(source.encode(), file)
    assert caught.value.exit_status == 78
    return list(caught.value.lines())


def expected(marked: str, file: str, *sentences: str) -> list[str]:
    """Count lines and columns up to each § by hand."""
    lines = []
    before = ""
    for part, sentence in zip(marked.split("§")[:-1], sentences, strict=True):
        before += part
        row = before.count("\n") + 1
        column = len(before.rpartition("\n")[2]) + 1
        lines.append(f"{file}:{row}:{column}: {sentence}")
    return lines


def check(marked: str, file: str, *sentences: str) -> None:
    """Hold every line, place included, against what was promised."""
    assert told(marked.replace("§", ""), file) == expected(marked, file, *sentences)


BOTH = [
    # probes
    (
        "keepalive.probes = §0",
        "keepalive: {probes: §0}",
        "keepalive.probes: must be 1 to 127, got 0 (0 would cut healthy idle connections)",
    ),
    (
        "[keepalive]\nprobes = §128",
        "keepalive:\n  probes: §128",
        "keepalive.probes: must be 1 to 127, got 128",
    ),
    (
        "[keepalive]\nprobes = §-1",
        "keepalive:\n  probes: §-1",
        "keepalive.probes: must be 1 to 127, got -1",
    ),
    (
        "[keepalive]\nprobes = §true",
        "keepalive:\n  probes: §true",
        "keepalive.probes: must be 1 to 127, got true",
    ),
    (
        "[keepalive]\nprobes = §false",
        "keepalive:\n  probes: §false",
        "keepalive.probes: must be 1 to 127, got false",
    ),
    (
        '[keepalive]\nprobes = §"5"',
        'keepalive:\n  probes: §"5"',
        'keepalive.probes: must be 1 to 127, got "5" (write the number without quotes)',
    ),
    (
        "[keepalive]\nprobes = §[5]",
        "keepalive:\n  probes: §[5]",
        "keepalive.probes: must be 1 to 127, got a list",
    ),
    (
        "[keepalive]\nprobes = §{a = 5}",
        "keepalive:\n  probes: §{a: 5}",
        "keepalive.probes: must be 1 to 127, got a table",
    ),
    # time and intvl
    ("[keepalive]\ntime = §0", "keepalive:\n  time: §0", f"keepalive.time: {TIME}, got 0"),
    (
        "[keepalive]\ntime = §32768",
        "keepalive:\n  time: §32768",
        f"keepalive.time: {TIME}, got 32768",
    ),
    ("[keepalive]\nintvl = §0", "keepalive:\n  intvl: §0", f"keepalive.intvl: {TIME}, got 0"),
    (
        "[keepalive]\nintvl = §32768",
        "keepalive:\n  intvl: §32768",
        f"keepalive.intvl: {TIME}, got 32768",
    ),
    ("[keepalive]\ntime = §-5", "keepalive:\n  time: §-5", f"keepalive.time: {TIME}, got -5"),
    ("[keepalive]\ntime = §true", "keepalive:\n  time: §true", f"keepalive.time: {TIME}, got true"),
    (
        '[keepalive]\ntime = §"0s"',
        'keepalive:\n  time: §"0s"',
        f'keepalive.time: {TIME}, got "0s"',
    ),
    (
        '[keepalive]\ntime = §"10h"',
        'keepalive:\n  time: §"10h"',
        f'keepalive.time: {TIME}, got "10h"',
    ),
    (
        '[keepalive]\ntime = §"1.5h"',
        'keepalive:\n  time: §"1.5h"',
        'keepalive.time: fractions are not allowed, got "1.5h"',
    ),
    (
        '[keepalive]\ntime = §"-5s"',
        'keepalive:\n  time: §"-5s"',
        'keepalive.time: signs are not allowed, got "-5s"',
    ),
    (
        '[keepalive]\ntime = §"500ms"',
        'keepalive:\n  time: §"500ms"',
        'keepalive.time: units below a second are not allowed, got "500ms"',
    ),
    (
        '[keepalive]\nintvl = §"1M"',
        'keepalive:\n  intvl: §"1M"',
        'keepalive.intvl: months are not allowed (m or min is minutes), got "1M"',
    ),
    (
        '[keepalive]\nintvl = §"1y"',
        'keepalive:\n  intvl: §"1y"',
        'keepalive.intvl: years are not allowed, got "1y"',
    ),
    (
        '[keepalive]\ntime = §"infinity"',
        'keepalive:\n  time: §"infinity"',
        f'keepalive.time: infinity is not allowed; {SPAN}, got "infinity"',
    ),
    (
        '[keepalive]\ntime = §""',
        'keepalive:\n  time: §""',
        f'keepalive.time: is empty; {SPAN}, got ""',
    ),
    (
        '[keepalive]\ntime = §"soon"',
        "keepalive:\n  time: §'soon'",
        f"keepalive.time: is not a time span; {SPAN}, got ",
    ),
    # the other tables
    (
        'keepalive.time = 9\n[path]\nidle_timeout = §"366d"',
        'keepalive: {time: 9}\npath:\n  idle_timeout: §"366d"',
        'path.idle_timeout: must be 1 s to 365 d, got "366d"',
    ),
    (
        "keepalive.time = 9\n[path]\nidle_timeout = §0",
        "keepalive: {time: 9}\npath:\n  idle_timeout: §0",
        "path.idle_timeout: must be 1 s to 365 d, got 0",
    ),
    (
        "keepalive.time = 9\n[drift]\ncheck_every = §0",
        "keepalive: {time: 9}\ndrift:\n  check_every: §0",
        "drift.check_every: must be 1 s to 1 d, got 0",
    ),
    (
        "keepalive.time = 9\n[drift]\ncheck_every = §86401",
        "keepalive: {time: 9}\ndrift:\n  check_every: §86401",
        "drift.check_every: must be 1 s to 1 d, got 86401",
    ),
    (
        'keepalive.time = 9\n[drift]\naction = §"Warn"',
        'keepalive: {time: 9}\ndrift:\n  action: §"Warn"',
        'drift.action: must be "restore" or "warn", got "Warn"',
    ),
    (
        "keepalive.time = 9\n[on_stop]\nvalues = §1",
        "keepalive: {time: 9}\non_stop:\n  values: §1",
        'on_stop.values: must be "keep" or "restore", got 1',
    ),
    (
        'mode = §"off"\nkeepalive.time = 9',
        'mode: §"off"\nkeepalive: {time: 9}',
        'mode: must be "enforce" or "audit", got "off"',
    ),
    (
        "mode = §true\nkeepalive.time = 9",
        "mode: §true\nkeepalive: {time: 9}",
        'mode: must be "enforce" or "audit", got true',
    ),
    (
        "mode = §{a = 1}\nkeepalive.time = 9",
        "mode: §{a: 1}\nkeepalive: {time: 9}",
        'mode: must be "enforce" or "audit", got a table',
    ),
    # namespaces
    (
        'keepalive.time = 9\n[namespaces]\nscope = §"machine"',
        'keepalive: {time: 9}\nnamespaces:\n  scope: §"machine"',
        'namespaces.scope: must be "host" or "all", got "machine"',
    ),
    (
        "keepalive.time = 9\n[namespaces]\nexclude = [§5]",
        "keepalive: {time: 9}\nnamespaces:\n  exclude: [§5]",
        f"namespaces.exclude[0]: must be {A_NAME}, got 5",
    ),
    (
        'keepalive.time = 9\n[namespaces]\noverride = §"a"',
        'keepalive: {time: 9}\nnamespaces:\n  override: §"a"',
        'namespaces.override: must be a list of tables, got "a"',
    ),
    (
        'keepalive.time = 9\n[[namespaces.override]]\nmatch = "a"\nprobes = §0',
        "keepalive: {time: 9}\nnamespaces:\n  override:\n  - match: a\n    probes: §0",
        f"namespaces.override[0].probes: {NO_PROBES}",
    ),
    (
        'keepalive.time = 9\n[[namespaces.override]]\nmatch = §""\ntime = 7',
        'keepalive: {time: 9}\nnamespaces:\n  override:\n  - match: §""\n    time: 7',
        f'namespaces.override[0].match: must be {A_NAME}, got ""',
    ),
    (
        "keepalive.time = 9\n[namespaces]\noverride = [§{time = 7}]",
        "keepalive: {time: 9}\nnamespaces:\n  override:\n  - §time: 7",
        f"namespaces.override[0]: needs match, {A_NAME}",
    ),
    (
        'keepalive.time = 9\n[namespaces]\noverride = [§{match = "a"}]',
        "keepalive: {time: 9}\nnamespaces:\n  override:\n  - §match: a",
        "namespaces.override[0]: needs at least one of time, intvl, probes",
    ),
    (
        "keepalive.time = 9\n[[namespaces.override]]\nmatch = 'a'\ntime = 1\n§[[namespaces.override]]",
        "keepalive: {time: 9}\nnamespaces:\n  override:\n  - {match: a, time: 1}\n  - §{}",
        f"namespaces.override[1]: needs match, {A_NAME}",
    ),
    # sockets
    (
        "keepalive.time = 9\n[sockets]\nrearm = §1",
        "keepalive: {time: 9}\nsockets:\n  rearm: §1",
        "sockets.rearm: must be true or false, got 1",
    ),
    (
        'keepalive.time = 9\n[sockets]\nenable = §"nginx.service"',
        'keepalive: {time: 9}\nsockets:\n  enable: §"nginx.service"',
        'sockets.enable: must be a list of units, got "nginx.service"',
    ),
    (
        'keepalive.time = 9\n[sockets]\nenable = ["a*", §"b c"]',
        'keepalive: {time: 9}\nsockets:\n  enable: ["a*", §"b c"]',
        f'sockets.enable[1]: {UNIT}, got "b c"',
    ),
    (
        "keepalive.time = 9\n[sockets]\nexclude = [§5]",
        "keepalive: {time: 9}\nsockets:\n  exclude: [§5]",
        f"sockets.exclude[0]: {UNIT}, got 5",
    ),
    (
        "keepalive.time = 9\n[sockets]\nexclude = [§{a = 5}]",
        "keepalive: {time: 9}\nsockets:\n  exclude: [§{a: 5}]",
        f"sockets.exclude[0]: {UNIT}, got a table",
    ),
    (
        "keepalive.time = 9\n[sockets]\n§enabled = []",
        "keepalive: {time: 9}\nsockets:\n  §enabled: []",
        "sockets.enabled: unknown key; did you mean enable?",
    ),
    # tables that are none
    ("keepalive = §5", "keepalive: §5", "keepalive: must be a table, got 5"),
    ("keepalive = §[5]", "keepalive: §[5]", "keepalive: must be a table, got a list"),
    (
        'path = §"350s"\nkeepalive.time = 9',
        'path: §"350s"\nkeepalive: {time: 9}',
        'path: must be a table, got "350s"',
    ),
    (
        "drift = §30\nkeepalive.time = 9",
        "drift: §30\nkeepalive: {time: 9}",
        "drift: must be a table, got 30",
    ),
    (
        'on_stop = §"keep"\nkeepalive.time = 9',
        'on_stop: §"keep"\nkeepalive: {time: 9}',
        'on_stop: must be a table, got "keep"',
    ),
    ("keepalive = §{}", "keepalive: §{}", NEEDS),
    # unknown keys
    (
        "[keepalive]\ntime = 9\n§interval = 3",
        "keepalive:\n  time: 9\n  §interval: 3",
        "keepalive.interval: unknown key; did you mean intvl?",
    ),
    (
        "[keepalive]\ntime = 9\n§foo = 3",
        "keepalive:\n  time: 9\n  §foo: 3",
        "keepalive.foo: unknown key; known: time, intvl, probes",
    ),
    (
        "§moed = 1\nkeepalive.time = 9",
        "§moed: 1\nkeepalive: {time: 9}",
        "moed: unknown key; did you mean mode?",
    ),
    (
        '[keepalive]\ntime = 9\n§mode = "audit"',
        'keepalive:\n  time: 9\n  §mode: "audit"',
        "keepalive.mode: unknown key here; did you mean mode?",
    ),
    (
        "§probes = 3\nkeepalive.time = 9",
        "§probes: 3\nkeepalive: {time: 9}",
        "probes: unknown key here; did you mean keepalive.probes?",
    ),
    (
        'keepalive.time = 9\n§"a b" = 1',
        'keepalive: {time: 9}\n§"a b": 1',
        f'"a b": unknown key; {KNOWN}',
    ),
    (
        'keepalive.time = 9\n§"" = 1',
        'keepalive: {time: 9}\n§"": 1',
        f'"": unknown key; {KNOWN}',
    ),
    # duplicates
    (
        "[keepalive]\ntime = 1\n\n§time = 2",
        "keepalive:\n  time: 1\n\n  §time: 2",
        "keepalive.time: given twice (first on line 2)",
    ),
    (
        "keepalive = {time = 1, §time = 2}",
        "keepalive: {time: 1, §time: 2}",
        "keepalive.time: given twice (first on line 1)",
    ),
    (
        "keepalive = {time = 1}\n[§keepalive]\nintvl = 2",
        "keepalive: {time: 1}\n§keepalive:\n  intvl: 2",
        "keepalive: given twice (first on line 1)",
    ),
    (
        "[keepalive]\n\"time\" = 1\n§'time' = 2",
        "keepalive:\n  'time': 1\n  §\"time\": 2",
        "keepalive.time: given twice (first on line 2)",
    ),
]


@pytest.mark.parametrize(("toml", "yaml", "sentence"), BOTH)
def test_each_mistake_is_told_with_its_place(toml: str, yaml: str, sentence: str) -> None:
    """FILE:LINE:COLUMN of the value, or of the key where the key is wrong; both formats alike."""
    quotes = ("'soon'", '"soon"') if sentence.endswith("got ") else ("", "")

    check(yaml, "/etc/kad/policy.yaml", sentence + quotes[0])
    check(yaml, "/etc/kad/policy.yml", sentence + quotes[0])
    check(toml, "/etc/kad/policy.toml", sentence + quotes[1])


TOML = [
    ("[keepalive]\ntime = §2.0", f"keepalive.time: {TIME}, got 2.0 (whole numbers only)"),
    ("[keepalive]\nprobes = §8.0", "keepalive.probes: must be 1 to 127, got 8.0 (whole numbers only)"),
    ("[keepalive]\nprobes = §inf", "keepalive.probes: must be 1 to 127, got inf (whole numbers only)"),
    ("[keepalive]\ntime = §1979-05-27 07:32:00", f"keepalive.time: {TIME}, got 1979-05-27 07:32:00"),
    ("[keepalive]\ntime = §07:32:00", f"keepalive.time: {TIME}, got 07:32:00"),
    ("[keepalive]\ntime = §0x8000", f"keepalive.time: {TIME}, got 0x8000"),
    ("[keepalive]\ntime = §1_000_000", f"keepalive.time: {TIME}, got 1_000_000"),
    ("§[keepalive]", NEEDS),
    ("\n  §[ keepalive ] # nothing in it\n[drift]\n", NEEDS),
    ("§[mode]\n[keepalive]\ntime = 1", 'mode: must be "enforce" or "audit", got a table'),
    ("§[[drift]]\n[keepalive]\ntime = 1", "drift: must be a table, got a list"),
    ("[keepalive]\ntime = 1\n[§keepaliv]", "keepaliv: unknown key; did you mean keepalive?"),
    ("[keepalive]\ntime = 1\n[§a.b]\nc = 1", f"a: unknown key; {KNOWN}"),
    ("[keepalive]\ntime = 1\n[keepalive.§sub]", "keepalive.sub: unknown key; known: time, intvl, probes"),
    ("[keepalive]\ntime = 1\n§a.b.c = 1", "keepalive.a: unknown key; known: time, intvl, probes"),
    ("keepalive.time=1\nkeepalive . §foo=1", "keepalive.foo: unknown key; known: time, intvl, probes"),
    ('"keepalive".\'probes\' = §0x0', "keepalive.probes: must be 1 to 127, got 0x0 (0 would cut healthy idle connections)"),
    ('"keep\\u0061live".probes = §500', "keepalive.probes: must be 1 to 127, got 500"),
    ("keepalive = { time = 1, probes = §500 }", "keepalive.probes: must be 1 to 127, got 500"),
    ("# 0\r\n[keepalive] # 1\r\n\r\n\tprobes\t=\t§500 # 2\r\n", "keepalive.probes: must be 1 to 127, got 500"),
    ("[keepalive]\nprobes = §'''\n5'''", r"keepalive.probes: must be 1 to 127, got '''\n5''' (write the number without quotes)"),
    ('[keepalive]\ntime = §"' + "x" * 50 + '"', f"keepalive.time: is not a time span; {SPAN}, got \"{'x' * 36}..."),
    ('mode = "äöü€😀" # ä\nkeepalive.time = 1'.replace('"ä', '§"ä'), r'mode: must be "enforce" or "audit", got "äöü€😀"'),
    ('keepalive = {"äöü€😀" = 1, time = 1}'.replace('"ä', '§"ä'), r'keepalive."äöü€😀": unknown key; known: time, intvl, probes'),
    ("keepalive.time = 1\n" + "§" + "k" * 50 + " = 1", f"{'k' * 37}...: unknown key; {KNOWN}"),
    # duplicates
    ("[keepalive]\ntime = 1\n[drift]\n[§keepalive]\nintvl = 0", "keepalive: given twice (first on line 1)"),
    ("keepalive.time = 1\n[§keepalive]\nintvl = 1", "keepalive: given twice (first on line 1)"),
    ("keepalive = {time = 1}\n§keepalive.intvl = 1", "keepalive: given twice (first on line 1)"),
    ("keepalive.time = 1\nkeepalive.§time.x = 1", "keepalive.time: given twice (first on line 1)"),
    ("[keepalive]\ntime = 1\n[keepalive.§time]", "keepalive.time: given twice (first on line 2)"),
    ("[keepalive]\ntime = 1\n[[§keepalive]]", "keepalive: given twice (first on line 1)"),
    ("[keepalive]\ntime = '''\n'''\n§time = '''\n'''", ""),
    # no TOML
    ("[keepalive]\ntime = §", "not TOML: Invalid value"),
    ("[keepalive]\ntime §5", "not TOML: Expected '=' after a key in a key/value pair"),
    ("[keepalive]\ntime = 0§5", "not TOML: Expected newline or end of document after a statement"),
    ("keepalive = {time = 5§", "not TOML: Unclosed inline table"),
    ('[keepalive]\r\ntime = "5§', "not TOML: Unterminated string"),
    ("[keepalive]\ntime = 5\n§\0", "not TOML: Invalid statement"),
    ("a = " + "[" * 16 + "§" + "[", "nested more than 16 levels deep"),
    ("a." * 16 + "a§ = 1", "nested more than 16 levels deep"),
    ("[keepalive]\ntime = §" + "9" * 5000, "a number is too long"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "sentence"), TOML)
def test_toml_has_its_own_ways_to_be_wrong(source: str, sentence: str) -> None:
    """Every style of key, table, value and line end has its place told."""
    if not sentence:  # a duplicate of several lines, and the first one is bad too
        lines = told(source.replace("§", ""), "/p.toml")
        assert lines[1] == "/p.toml:4:1: keepalive.time: given twice (first on line 2)"
        assert lines[0].startswith("/p.toml:2:8: keepalive.time: is empty; ")
        return

    check(source, "/p.toml", sentence)


NUMBER = "numbers in YAML must be plain decimals"
YAML = [
    *(
        (f"keepalive:\n  {key}: §{number}\n", f"keepalive.{key}: {NUMBER}, got {number}")
        for key in ("probes", "time")
        for number in (
            "05", "0x5", "0o5", "0b1", "1_000", "12:30", "1:2:3", "+5", "-05", "00", "1.5", "5.",
            ".5", "1e3", "1.5e+3", "-.inf", ".inf", ".NaN", "2001-01-01", "2001-01-01 12:00:00",
            "9" * 20 + "_",
        )
    ),
    *(
        (f"keepalive:\n  time: §{null}\n  probes: 1", f"keepalive.time: null is not allowed, got {null}")
        for null in ("~", "null", "Null", "NULL")
    ),
    ("keepalive:\n  time:§\n  probes: 1", "keepalive.time: null is not allowed, got nothing"),
    ("keepalive:§\n", "keepalive: null is not allowed, got nothing"),
    ("keepalive:\n  probes: §yes", "keepalive.probes: must be 1 to 127, got yes"),
    ("mode: §off\nkeepalive: {time: 1}", 'mode: must be "enforce" or "audit", got off'),
    ("keepalive:\n  time: §soon enough # now\n", f"keepalive.time: is not a time span; {SPAN}, got soon enough"),
    ("keepalive:\n  probes: §|\n    5\n", r"keepalive.probes: must be 1 to 127, got |\n    5 (write the number without quotes)"),
    ("keepalive:\n  probes: §'5'", "keepalive.probes: must be 1 to 127, got '5' (write the number without quotes)"),
    ("keepalive:\r\n  # c\r\n  probes: §500 # d\r\n", "keepalive.probes: must be 1 to 127, got 500"),
    ("{'keepalive': {\"probes\": §500}}", "keepalive.probes: must be 1 to 127, got 500"),
    ("%YAML 1.1\n--- # x\nkeepalive:\n  probes: §500\n...\n", "keepalive.probes: must be 1 to 127, got 500"),
    ("? keepalive\n: probes: §500\n", "keepalive.probes: must be 1 to 127, got 500"),
    ('mode: §"äöü€😀"\nkeepalive: {time: 1}', r'mode: must be "enforce" or "audit", got "äöü€😀"'),
    ('keepalive: {§"äöü€😀": 1, time: 1}', r'keepalive."äöü€😀": unknown key; known: time, intvl, probes'),
    ("keepalive: {time: 1}\n§5: 1", f"5: unknown key; {KNOWN}"),
    ("keepalive: {time: 1}\n§true: 1", f"true: unknown key; {KNOWN}"),
    ("keepalive: {time: 1}\n§~: 1", f'"~": unknown key; {KNOWN}'),
    # what YAML has and a policy has not
    ("keepalive: §&a {time: 1}", "keepalive: YAML anchors are not allowed"),
    ("keepalive: {time: §&a 1}", "keepalive.time: YAML anchors are not allowed"),
    ("§&a\nkeepalive: {time: 1}", "YAML anchors are not allowed"),
    ("keepalive: {§&a time: 1}", "keepalive: YAML anchors are not allowed"),
    ("keepalive: §*a", "keepalive: YAML aliases are not allowed, got *a"),
    ("keepalive: {time: §*a}", "keepalive.time: YAML aliases are not allowed, got *a"),
    ("keepalive: {§*a : 1}", "keepalive: a key must be a string"),
    ("keepalive: {time: §!!int 5}", "keepalive.time: YAML tags are not allowed"),
    ("keepalive: {time: §! 5}", "keepalive.time: YAML tags are not allowed"),
    ("keepalive: §!!map {time: 5}", "keepalive: YAML tags are not allowed"),
    ("keepalive: {§!!str time: 5, probes: 1}", "keepalive: YAML tags are not allowed"),
    ("keepalive: {time: §!!python/object/apply:os.system ['true']}", "keepalive.time: YAML tags are not allowed"),
    ("§%TAG ! tag:kad,2026:\n---\nkeepalive: {time: 1}", "YAML tags are not allowed"),
    ("keepalive: {time: 1}\n§---\nkeepalive: {time: 0}\n", "a second YAML document is not allowed"),
    ("keepalive: {time: 1, §<<: {intvl: 0}}", "keepalive: YAML merge keys are not allowed"),
    ("keepalive: {time: 1, §[a]: 1}", "keepalive: a key must be a string"),
    ("keepalive:\n  time: 1\n  ? §{a: [b]}\n  : {c: [d]}", "keepalive: a key must be a string"),
    ("§- keepalive", "a policy must consist of keys and values"),
    ("§keepalive", "a policy must consist of keys and values"),
    ("§~", "a policy must consist of keys and values"),
    ('keepalive: {time: §"\\ud800"}', 'keepalive.time: half of a surrogate pair is not valid text, got "\\ud800"'),
    ('keepalive: {time: 1, §"\\ud800": 1}', "keepalive: half of a surrogate pair is not valid text"),
    # no YAML
    ("keepalive:\n§\ttime: 1", "not YAML: while scanning for the next token found character '\\t' that cannot start any token"),
    ("keepalive: a§: b", "not YAML: mapping values are not allowed here"),
    ("keepalive: {time: 1§", "not YAML: while parsing a flow mapping expected ',' or '}', but got '<stream end>'"),
    ("keepalive: §\0", "not YAML: a character that is not allowed: U+0000"),
    ("keepalive: §\x1b[2J", "not YAML: a character that is not allowed: U+001B"),
    ("a: " + "[" * 15 + "§" + "[", "nested more than 16 levels deep"),
    ("a: {" * 15 + "a: §{", "nested more than 16 levels deep"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "sentence"), YAML)
def test_yaml_has_its_own_ways_to_be_wrong(source: str, sentence: str) -> None:
    """Where the versions of YAML disagree, or a parser would do more than read, kad refuses."""
    check(source, "/p.yaml", sentence)


@pytest.mark.parametrize("path", ["/p.toml", "/p.yaml", "/p.yml"])
@pytest.mark.parametrize("source", ["", "\n", "# only a comment\n", "\ufeff", "\ufeff# x\r\n"])
def test_an_empty_file_has_no_place_for_what_is_missing(path: str, source: str) -> None:
    """The file alone, where there is no better place."""
    assert told(source, path) == [f"{path}: {NEEDS}"]


@pytest.mark.parametrize(
    ("path", "source"),
    [("/p.toml", 'mode = "audit"'), ("/p.yaml", "mode: audit"), ("/p.yml", "---\n")],
)
def test_a_missing_keepalive_has_no_place(path: str, source: str) -> None:
    """It is the one table that a policy must have."""
    assert told(source, path) == [f"{path}: {NEEDS}"]


def test_the_contracts_example_is_told_to_the_letter() -> None:
    """The line that CONTRACT.md shows."""
    source = '# comment\nmode = "enforce"\n[keepalive]\ntime = 1\nintvl = 1\nprobes = 0\n'

    assert told(source, "/etc/kad/policy.toml") == [
        "/etc/kad/policy.toml:6:10: keepalive.probes: must be 1 to 127, got 0 (0 would cut healthy idle connections)"
    ]


def test_all_mistakes_of_a_toml_file_are_told_at_once() -> None:
    """In the order of the file, duplicates among them; the file alone comes first."""
    source = """\
§mood = 1
[drift]
check_every = §"2 days"
check_every.§a = 1
action = "warn"
§action = "restore"
[§drift]
action = 1
[path]
idle_timeout = §1.5
[§on-stop]
[on_stop]
values = §[1, {a = 2}]
"""
    lines = told(source.replace("§", ""), "/p.toml")

    assert lines[0] == f"/p.toml: {NEEDS}"
    assert [line.split(": ")[1] for line in lines[1:]] == [
        "mood",
        "drift.check_every",
        "drift.check_every",
        "drift.action",
        "drift",
        "path.idle_timeout",
        "on-stop",
        "on_stop.values",
    ]
    places = [line.split(": ")[0] for line in lines[1:]]
    assert places == [
        line[:-2]
        for line in expected(
            source.replace("check_every.§a", "§check_every.a"), "/p.toml", *[""] * 8
        )
    ]


def test_all_mistakes_of_a_yaml_file_are_told_at_once() -> None:
    """In the order of the file; neither an anchor nor a second document hides the rest."""
    source = """\
§foo: &x [§~, §*x, §05]
keepalive: §!!map
  time: §0
  §time: 0
  probes: §08
  §probes: 8
drift: {check_every: §*x, action: §no, §<<: 1}
§---
a: ~
"""
    lines = told(source.replace("§", ""), "/p.yaml")

    assert [line.partition(": ")[2] for line in lines] == [
        f"foo: unknown key; {KNOWN}",
        "foo: YAML anchors are not allowed",
        "foo[0]: null is not allowed, got ~",
        "foo[1]: YAML aliases are not allowed, got *x",
        f"foo[2]: {NUMBER}, got 05",
        "keepalive: YAML tags are not allowed",
        f"keepalive.time: {TIME}, got 0",
        "keepalive.time: given twice (first on line 3)",
        f"keepalive.probes: {NUMBER}, got 08",
        "keepalive.probes: given twice (first on line 5)",
        "drift.check_every: YAML aliases are not allowed, got *x",
        'drift.action: must be "restore" or "warn", got no',
        "drift: YAML merge keys are not allowed",
        "a second YAML document is not allowed",
    ]
    places = [line.partition(": ")[0] for line in lines]
    marked = source.replace("foo: &x", "foo: §&x")
    assert places == [line[:-2] for line in expected(marked, "/p.yaml", *[""] * 14)]


@pytest.mark.parametrize("path", ["/p.toml", "/p.yaml"])
@pytest.mark.parametrize(
    ("raw", "place", "byte"),
    [
        (b"\xff\xfem\x00", "1:1", "0xff"),
        (b"\xef\xbb\xbf# \xe4\n", "1:3", "0xe4"),
        (b"# \xc3\xa4\n#\xc3\xa4\xc3\n", "2:3", "0xc3"),
        (b"# \xed\xa0\x80\n", "1:3", "0xed"),
    ],
)
def test_a_byte_that_is_not_utf8_is_told_with_its_place(
    path: str, raw: bytes, place: str, byte: str
) -> None:
    """UTF-16, Latin-1, a cut-off character, a surrogate."""
    with pytest.raises(PolicyError) as caught:
        validate(raw, path)

    assert caught.value.lines() == (f"{path}:{place}: not UTF-8: byte {byte}",)


@pytest.mark.parametrize("path", ["/p.toml", "/p.yaml"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_is_no_column(path: str, newline: str) -> None:
    """Windows editors write one; an editor does not count it either."""
    source = {"/p.toml": "mode = 5#keepalive.time = 1", "/p.yaml": "mode: 5#keepalive: {time: 1}"}

    lines = told("\ufeff" + source[path].replace("#", newline), path)

    sentence = 'mode: must be "enforce" or "audit", got 5'
    assert lines == [f"{path}:1:{8 if path == '/p.toml' else 7}: {sentence}"]


def test_a_key_cannot_forge_a_line_of_its_own() -> None:
    """What an attacker writes into the file is shown escaped, in one line of ASCII."""
    for path, source in (
        ("/p.toml", r'"a\nkad: all well\u001b[2J" = 1' + "\nkeepalive.time = 1"),
        ("/p.yaml", r'"a\nkad: all well\u001b[2J": 1' + "\nkeepalive: {time: 1}"),
    ):
        assert told(source, path) == [
            rf'{path}:1:1: "a\nkad: all well\x1b[2J": unknown key; {KNOWN}'
        ]
