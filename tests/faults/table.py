"""The table: every fault, and what the operator reads of it."""

from pathlib import Path

from tests.faults import files, limits, mounts, others
from tests.faults.row import INTVL, PROBES, STARTED, TIME, Command, Fault, Other, Refusal

AS_NOBODY = (
    *("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"),
    *("--inh-caps", "+net_admin", "--ambient-caps", "+net_admin"),
)
FAKETIME = {
    "LD_PRELOAD": next(map(str, Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), ""),
    "FAKETIME_TIMESTAMP_FILE": "/run/clock",
    "FAKETIME_NO_CACHE": "1",
    "DONT_FAKE_MONOTONIC": "1",
}
NEW = (90, 20, 10)
TAKEN = (
    f"<6>{TIME} set to 90 (was 120)",
    f"<6>{INTVL} set to 20 (was 30)",
    f"<6>{PROBES} set to 10 (was 8)",
    "<6>policy {policy} in force: time 90 s, intvl 20 s, probes 10",
)
REJECTED = "<3>policy rejected, the last good one stays: {policy}: "
TO_JOURNAL = {"JOURNAL_STREAM": "{stream}"}
FORGOTTEN = (
    (
        "<4>{state}/originals.json is damaged or from another version of kad: "
        "the original values are lost"
    ),
)
MISTAKE = "keepalive.probes: must be 1 to 127, got 0 (0 would cut healthy idle connections)"
MEND = "kad: no policy to put in force; mend it, then: systemctl start kad"
VALID = "<5>policy {policy} is valid again"

FAULTS = (
    Fault("the parameters become read-only", mounts.parameters_read_only),
    Fault(
        "one parameter is read-only at start",
        mounts.one_parameter_read_only,
        log=(f"<3>cannot set {TIME} to 120: Read-only file system",),
        recovered=(f"<5>{TIME} is 120 as policy says (was 7200)",),
        status=1,
        shows="failed",
        values=(7200, 30, 8),
        restores=False,
        at_start=True,
        started=(*STARTED[1:3], f"{STARTED[3]}; not set: time"),
    ),
    Fault(
        "the parameters are not there at start",
        mounts.parameters_hidden,
        log=tuple(
            f"<3>cannot read {each}: No such file or directory" for each in (TIME, INTVL, PROBES)
        ),
        recovered=(
            f"<5>{TIME} is 120 as policy says (was 7200)",
            f"<5>{INTVL} is 30 as policy says (was 75)",
            f"<5>{PROBES} is 8 as policy says (was 9)",
        ),
        status=1,
        shows="failed",
        values=(7200, 75, 9),
        restores=False,
        at_start=True,
        started=(f"{STARTED[3]}; not set: time, intvl, probes",),
    ),
    Fault(
        "/proc is hidden",
        mounts.proc_hidden,
        status=70,
        shows="kad: /proc/self/ns/net: No such file or directory",
    ),
    Fault(
        "no file descriptor is left",
        limits.no_descriptors,
        log=(
            f"{REJECTED}cannot be read: Too many open files",
            "<4>cannot write the state file: {run}/status.json.new: Too many open files",
            "<4>cannot report the state to systemd: {notify}: Too many open files",
        ),
        recovered=(
            VALID,
            "<5>can write the state file again",
            "<5>can report the state to systemd again",
        ),
        status=70,
        shows="status.json: cannot be read, although kad is running",
        answers="",
    ),
    Fault(
        "no process is left",
        limits.no_processes,
        log=(f"{REJECTED}could not be checked: Resource temporarily unavailable",),
        recovered=(VALID, *TAKEN),
        status=1,
        shows="could not be checked",
        after=NEW,
        prefix=AS_NOBODY,
    ),
    Fault(
        "the kernel kills the child that validates, out of memory",
        limits.killed_for_want_of_memory,
        log=(
            f"{REJECTED}could not be checked: the child process was terminated by a signal: Killed",
        ),
        recovered=(VALID, *TAKEN),
        status=1,
        shows="could not be checked",
        after=NEW,
    ),
    Fault(
        "the state directory is full",
        mounts.state_full,
        log=(
            *TAKEN,
            "<4>cannot keep the last good policy: {state}/policy.json: No space left on device",
        ),
        recovered=("<5>can keep the last good policy again",),
        values=NEW,
        after=NEW,
    ),
    Fault(
        "the state directory becomes read-only",
        mounts.state_read_only,
        log=TAKEN,
        values=NEW,
        after=NEW,
    ),
    Fault("the runtime directory is full", mounts.runtime_full),
    Fault(
        "the runtime directory is full at start",
        mounts.runtime_full,
        log=("<4>cannot write the state file: {run}/status.json: No space left on device",),
        recovered=("<5>can write the state file again",),
        status=70,
        shows="status.json: cannot be read, although kad is running",
        at_start=True,
        answers="READY=1",
    ),
    Fault(
        "the runtime directory becomes read-only",
        mounts.runtime_read_only,
        log=("<4>cannot write the state file: {run}/status.json.new: Read-only file system",),
        recovered=("<5>can write the state file again",),
        answers="READY=1",
    ),
    Fault(
        "what is in the runtime directory is deleted",
        mounts.runtime_deleted,
        log=("<4>{run}/lock was deleted by another process; created again",),
    ),
    Fault(
        "the lock file is deleted",
        mounts.lock_deleted,
        log=("<4>{run}/lock was deleted by another process; created again",),
    ),
    Fault("the state file is damaged", files.broken_state_file),
    Fault(
        "no inotify instance is left",
        limits.no_inotify_instances,
        log=(
            (
                "<4>no longer watching {policy} (no inotify instance left, see "
                "fs.inotify.max_user_instances); checking every 1 s instead"
            ),
        ),
        recovered=("<5>watching {policy} again",),
        rootless=True,
    ),
    Fault(
        "no inotify watch is left",
        limits.no_inotify_watches,
        log=(
            (
                "<4>no longer watching {policy} (no inotify watch left, see "
                "fs.inotify.max_user_watches); checking every 1 s instead"
            ),
        ),
        recovered=("<5>watching {policy} again",),
        rootless=True,
    ),
    Fault(
        "the policy is a fifo",
        files.policy_is_fifo,
        log=(f"{REJECTED}is not a regular file",),
        recovered=(VALID,),
        status=1,
        shows="is not a regular file",
    ),
    Fault(
        "the policy is gone",
        files.policy_gone,
        log=(f"{REJECTED}no such file",),
        recovered=(VALID,),
        status=1,
        shows="no such file",
    ),
    Fault(
        "the policy's directory is closed to kad",
        files.policy_closed,
        log=(
            (
                f"{REJECTED}cannot be read by user nobody: Permission denied "
                "({policy.parent}: chmod 0755, or chgrp nogroup and 2755)"
            ),
        ),
        recovered=(VALID,),
        status=1,
        shows="Permission denied",
        prefix=AS_NOBODY,
    ),
    Fault(
        "systemd's socket is gone",
        others.manager_gone,
        log=("<4>cannot report the state to systemd: {notify}: No such file or directory",),
        recovered=("<5>can report the state to systemd again",),
    ),
    Fault(
        "systemd does not read",
        others.manager_deaf,
        log=("<4>cannot report the state to systemd: {notify}: nothing is reading it",),
        recovered=("<5>can report the state to systemd again",),
    ),
    Fault("the clock is set back", limits.clock_set_back, known=True, environ=FAKETIME),
    Fault("the clock is set forth", limits.clock_set_forth, known=True, environ=FAKETIME),
    Fault("SIGHUP comes again and again", others.many_hangups),
    Fault(
        "journald's socket is gone",
        others.journald_absent,
        at_start=True,
        environ=TO_JOURNAL,
    ),
    Fault(
        "journald does not read",
        others.journald_deaf,
        at_start=True,
        environ=TO_JOURNAL,
    ),
    Fault(
        "systemd's socket was never there",
        others.manager_absent,
        log=("<4>cannot report the state to systemd: /absent: No such file or directory",),
        at_start=True,
        environ={"NOTIFY_SOCKET": "/absent"},
    ),
    Fault(
        "the state directory is full at start",
        mounts.state_full_from_the_start,
        log=("<4>cannot keep the last good policy: {state}/policy.json: No space left on device",),
        recovered=("<5>can keep the last good policy again",),
        at_start=True,
    ),
    Fault(
        "no inotify instance is left at start",
        limits.no_inotify_instances,
        log=(
            (
                "<4>no longer watching {policy} (no inotify instance left, see "
                "fs.inotify.max_user_instances); checking every 1 s instead"
            ),
            (
                "<4>no longer watching the parameters for writes (no inotify instance left, see "
                "fs.inotify.max_user_instances); checking every 1 s instead"
            ),
        ),
        recovered=(
            "<5>watching {policy} again",
            "<5>watching the parameters for writes again",
        ),
        at_start=True,
        rootless=True,
    ),
    *(
        Fault(f"what kad kept is {how}", by_what, log=FORGOTTEN, at_start=True, known=True)
        for how, by_what in (
            ("cut short", files.kept_files_cut),
            ("empty", files.kept_files_empty),
            ("binary", files.kept_files_binary),
            ("of a newer version", files.kept_files_newer),
        )
    ),
    Fault(
        "the policy has a mistake at start",
        files.policy_mistaken,
        started=(*STARTED[:3], f"{STARTED[3]} (last good)"),
        log=(f"<3>policy rejected, the last good one stays: {{policy}}:2:10: {MISTAKE}",),
        recovered=(VALID,),
        status=1,
        shows=MISTAKE,
        at_start=True,
        known=True,
    ),
)

REFUSALS = (
    Refusal(
        "the parameters are read-only",
        mounts.parameters_read_only,
        77,
        (
            (
                f"kad: cannot set {TIME} to 120: Read-only file system "
                "(/proc/sys is mounted read-only here)"
            ),
        ),
    ),
    Refusal(
        "CAP_NET_ADMIN is missing",
        others.started_as_nobody,
        77,
        (
            (
                f"kad: cannot set {TIME} to 120: Permission denied "
                "(kad needs CAP_NET_ADMIN in this network namespace)"
            ),
        ),
        prefix=("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"),
    ),
    Refusal(
        "another daemon runs",
        others.other_daemon,
        70,
        ("kad: {run}: another kad is already running (pid {pid})",),
    ),
    Refusal(
        "the runtime directory is read-only",
        mounts.runtime_read_only,
        70,
        ("kad: {run}/lock: Read-only file system (set RUNTIME_DIRECTORY to use another)",),
    ),
    Refusal(
        "/proc is hidden",
        mounts.proc_hidden,
        70,
        ("kad: /proc/self/ns/net: No such file or directory",),
    ),
    Refusal(
        "no file descriptor is left",
        others.started_with_few_descriptors,
        70,
        ("kad: {policy}: could not be checked: Too many open files",),
        prefix=("prlimit", "--nofile=8"),
    ),
    Refusal(
        "the policy is a fifo",
        files.policy_is_fifo,
        78,
        ("kad: {policy}: is not a regular file", MEND),
    ),
    Refusal("the policy is gone", files.policy_gone, 78, ("kad: {policy}: no such file", MEND)),
    Refusal(
        "the policy is gone, and stderr takes nothing",
        files.policy_gone,
        78,
        (),
        prefix=("sh", "-c", 'exec "$@" 2>/dev/full', "sh"),
    ),
    Refusal(
        "the policy has a mistake, and what kad kept is cut short",
        files.policy_mistaken_and_kept_files_cut,
        78,
        (f"kad: {{policy}}:2:10: {MISTAKE}", MEND),
    ),
)

FULL = ("kad: standard output: No space left on device",)
COMMANDS = (
    Command("kad status > /dev/full", 70, FULL),
    Command("kad status --json > /dev/full", 70, FULL),
    Command("kad check {policy} > /dev/full", 70, FULL),
    Command("kad schema > /dev/full", 70, FULL),
    Command("kad status | true", 0),
    Command("kad status >&-", 0),
    Command("kad check /absent.toml 2> /dev/full", 78),
    Command("kad check /absent.toml 2>&-", 78),
)

# Each has a test of its own.
OTHERS = (
    Other(
        "kad is killed, in front of any step that leaves a trace",
        "`strace -e inject=...:signal=KILL:when=N` for each such system call, from the start over "
        "a reload to the end: test_killed.py",
        "the next start has the values in force, and its stop puts back what the first one found",
    ),
    Other(
        "the machine is suspended",
        "SIGSTOP and SIGCONT, with drift and a new policy in between: test_telling.py",
        "both are put right, and told, at once",
    ),
    Other(
        "a signal comes in the moment before kad sleeps",
        "raise it there: tests/daemon/test_mailbox.py",
        "it is heard at once",
    ),
    Other(
        "nobody reads kad's stderr, a pipe",
        "fill it: test_telling.py",
        "`<4>log lines dropped because stderr was blocked: 5`, once there is room; work goes on",
    ),
    Other(
        "stderr is closed, or on a full filesystem",
        "`2>&-` and `2>/dev/full`: test_telling.py",
        "nothing, and the exit statuses are as ever",
    ),
    Other(
        "journald is there again",
        "bind its socket while kad runs: test_telling.py",
        "the next line is in the journal",
    ),
    Other(
        "CAP_NET_ADMIN is taken from a running kad",
        "not for real, as no process can take it from another: tests/daemon/test_loop.py",
        "`cannot set net.ipv4.tcp_keepalive_time to 120: Operation not permitted`, and its end",
    ),
    Other(
        "kad itself gets no memory",
        "not for real, as where it fails first is chance: tests/daemon/test_loop.py",
        "`cannot finish a check: out of memory`, and `can finish a check again`",
    ),
)
