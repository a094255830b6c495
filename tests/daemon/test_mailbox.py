"""Reasons arrive from handlers and threads, and a burst is one."""

import os
import signal
import threading
from collections.abc import Iterator
from itertools import islice
from time import monotonic

import pytest

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
    mailbox.SETTLE_S, mailbox.PATIENCE_S = 1.0, 60.0
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


def test_a_write_does_not_wait_for_a_file_that_is_being_changed() -> None:
    """Nor is the file then read half done: it has its own time."""
    mailbox = Mailbox()
    mailbox.SETTLE_S, mailbox.PATIENCE_S = 0.2, 60.0
    mailbox.nudge(Reason.FILE)
    threading.Timer(0.02, mailbox.nudge, (Reason.WRITE,)).start()

    first = mailbox.wait(None)

    assert first == {Reason.WRITE}
    assert mailbox.wait(None) == {Reason.FILE}


def test_one_burst_does_not_end_another() -> None:
    """Containers that come and go do not have a policy read half written."""
    mailbox = Mailbox()
    mailbox.SETTLE_S, mailbox.PATIENCE_S = 0.2, 60.0
    mailbox.nudge(Reason.NAMESPACES)
    timer = threading.Timer(0.1, mailbox.nudge, (Reason.FILE,))
    timer.start()

    first = mailbox.wait(None)
    timer.join()

    assert first == {Reason.NAMESPACES}
    assert mailbox.wait(None) == {Reason.FILE}


def test_what_reads_the_file_takes_its_change_along() -> None:
    """A reload right after an edit is one pass."""
    mailbox = Mailbox()
    for reason in (Reason.FILE, Reason.RELOAD):
        mailbox.nudge(reason)

    assert mailbox.wait(None) == {Reason.FILE, Reason.RELOAD}
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


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Give something to listen to, and its other end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_descriptor_wakes_the_loop(pipe: tuple[int, int]) -> None:
    """An event of the kernel's is a reason like any other."""
    mailbox = Mailbox()
    mailbox.listen(pipe[0], lambda: Reason.WRITE if os.read(pipe[0], 1) else Reason.STOP)
    os.write(pipe[1], b"x")

    assert mailbox.wait(monotonic() + 30) == {Reason.WRITE}
    assert mailbox.wait(monotonic() + 0.01) == set()


def test_an_endless_stream_of_events_wakes_the_loop_now_and_then(pipe: tuple[int, int]) -> None:
    """A program that writes in a loop does not keep kad busy, nor kad deaf to the rest."""
    mailbox = Mailbox()
    mailbox.REST_S = 3600.0
    mailbox.listen(pipe[0], lambda: Reason.WRITE)
    os.write(pipe[1], b"x")

    # It may take more than a burst on a slow day: that is so many within a second.
    woke = [*islice(iter(lambda: mailbox.wait(monotonic() + 0.05), set()), 1000)]
    mailbox.nudge(Reason.RELOAD)

    assert mailbox.BURST <= len(woke) < 1000
    assert mailbox.wait(monotonic() + 30) == {Reason.RELOAD}


def test_an_event_that_came_while_the_loop_left_it_alone_is_not_lost(
    pipe: tuple[int, int],
) -> None:
    """The last write of a storm is compared too, a moment later."""
    mailbox = Mailbox()
    mailbox.listen(pipe[0], lambda: Reason.WRITE)
    os.write(pipe[1], b"x")

    woke = [mailbox.wait(monotonic() + 30) for _ in range(mailbox.BURST + 3)]

    assert woke == [{Reason.WRITE}] * (mailbox.BURST + 3)


@pytest.mark.parametrize("events", [1, Mailbox.BURST])
def test_a_descriptor_that_is_of_no_interest_any_more_wakes_nobody(
    pipe: tuple[int, int], events: int
) -> None:
    """Be it left alone for the moment or not; and it may be one again, or its number another's."""
    mailbox = Mailbox()
    mailbox.listen(pipe[0], lambda: Reason.WRITE)
    os.write(pipe[1], b"x")
    woke = [mailbox.wait(monotonic() + 30) for _ in range(events)]

    mailbox.ignore(pipe[0])
    quiet = mailbox.wait(monotonic() + 2 * mailbox.REST_S)
    mailbox.listen(pipe[0], lambda: Reason.SOCKETS)

    assert woke == [{Reason.WRITE}] * events
    assert quiet == set()
    assert mailbox.wait(monotonic() + 30) == {Reason.SOCKETS}


def test_signals_wake_the_loop_while_it_waits() -> None:
    """The handler runs in the very thread that waits, and must not hang it."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    mailbox = Mailbox()
    install(mailbox.nudge, mailbox.wakeup)
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


def test_a_signal_rings_by_itself_before_its_handler_runs(pipe: tuple[int, int]) -> None:
    """So one that comes just before the wait ends it, and does not lie until the next event."""
    before = signal.getsignal(signal.SIGHUP)
    mailbox = Mailbox()
    mailbox.listen(pipe[0], lambda: Reason.WRITE)
    install(mailbox.nudge, mailbox.wakeup)
    # In another thread, so that the wait itself is not interrupted; the handler runs after it.
    ring = threading.Timer(0.02, signal.raise_signal, (signal.SIGHUP,))
    too_late = threading.Timer(10, os.write, (pipe[1], b"x"))
    ring.start()
    too_late.start()
    try:
        heard = mailbox.wait(None)
    finally:
        too_late.cancel()
        signal.signal(signal.SIGHUP, before)
        signal.set_wakeup_fd(-1)

    assert heard == {Reason.RELOAD}
