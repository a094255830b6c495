"""Reasons arrive from handlers and threads, and a burst is one."""

import os
import signal
import threading
from time import monotonic

from kad.core.reasons import Reason
from kad.daemon.mailbox import Mailbox
from kad.signals import install


def test_reasons_that_came_together_are_given_together() -> None:
    """Two signals before a pass are one pass."""
    mailbox = Mailbox()
    for reason in (Reason.RELOAD, Reason.RELOAD, Reason.STOP):
        mailbox.nudge(reason)

    assert mailbox.wait(None) == {Reason.RELOAD, Reason.STOP}


def test_the_deadline_gives_no_reason() -> None:
    """A timer is nobody's word; the loop knows what is due."""
    assert Mailbox().wait(monotonic() + 0.01) == set()


def test_a_deadline_that_has_passed_does_not_hide_what_came() -> None:
    """However late the loop is, it hears the stop."""
    mailbox = Mailbox()
    mailbox.nudge(Reason.STOP)

    assert mailbox.wait(monotonic() - 10) == {Reason.STOP}


def test_a_burst_of_file_events_is_one_wakeup() -> None:
    """An editor's four steps, some milliseconds apart, are read when they are over."""
    mailbox = Mailbox()
    pause = threading.Event()

    def write() -> None:
        for _ in range(5):
            mailbox.nudge(Reason.FILE)
            pause.wait(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    reasons = mailbox.wait(monotonic() + 30)
    writer.join()

    assert reasons == {Reason.FILE}
    assert mailbox.wait(monotonic() + 0.01) == set()


def test_an_endless_burst_is_read_all_the_same() -> None:
    """A file that is written without pause cannot keep its policy from being seen."""
    mailbox = Mailbox()
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.01):
            mailbox.nudge(Reason.FILE)

    writer = threading.Thread(target=write)
    writer.start()
    reasons = mailbox.wait(monotonic() + 3600)
    over.set()
    writer.join()

    assert reasons == {Reason.FILE}


def test_a_stop_ends_the_wait_for_a_burst() -> None:
    """SIGTERM is heard while a file is being written."""
    mailbox = Mailbox()
    mailbox.SETTLE_S = mailbox.PATIENCE_S = 60.0
    threading.Timer(0.02, mailbox.nudge, (Reason.STOP,)).start()
    mailbox.nudge(Reason.FILE)

    assert Reason.STOP in mailbox.wait(None)


def test_signals_wake_the_loop_while_it_waits() -> None:
    """The handler runs in the very thread that waits, and must not hang it."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    mailbox = Mailbox()
    install(mailbox.nudge, mailbox.bell)
    try:
        heard = []
        for number in numbers:
            threading.Timer(0.02, os.kill, (os.getpid(), number)).start()
            heard.append(mailbox.wait(monotonic() + 30))
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)

    assert heard == [{Reason.STOP}, {Reason.STOP}, {Reason.RELOAD}]


def test_a_signal_in_the_moment_before_the_wait_ends_it() -> None:
    """Python has yet to call the handler then; `kad reload` would else wait for the next timer."""
    before = signal.getsignal(signal.SIGHUP)
    mailbox = Mailbox()
    install(lambda _: None, mailbox.bell)
    try:
        signal.raise_signal(signal.SIGHUP)

        assert mailbox.wait(monotonic() + 3600) == set()
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.set_wakeup_fd(-1)
