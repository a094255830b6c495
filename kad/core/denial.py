"""Tell when a pass failed for want of rights, and which."""

import errno

from kad.core.errors import DeniedError
from kad.core.events import Kind, about
from kad.core.report import Outcome, Report

_HINTS = {
    errno.EACCES: "kad needs CAP_NET_ADMIN in this network namespace",
    errno.EPERM: "kad needs CAP_NET_ADMIN in this network namespace",
    errno.EROFS: "/proc/sys is mounted read-only here",
}


def denial(report: Report) -> DeniedError | None:
    """Give the error to stop with where every write that was needed was refused for want of rights.

    One write that succeeded, or failed for another reason, makes it a degraded report instead.
    """
    tried = [
        each for each in report if each.policy is not None and each.outcome is not Outcome.IN_FORCE
    ]
    errors = [each.error.errno for each in tried if each.error is not None]
    if not tried or any(each.outcome is not Outcome.REFUSED for each in tried):
        return None
    if len(errors) < len(tried) or not set(errors) <= set(_HINTS):
        return None
    error = DeniedError(f"{tried[0].failure} ({_HINTS[errors[0] or 0]})")
    error.fields = about(Kind.WRITE_FAILED, "", tried[0]).fields
    return error
