"""Make a policy out of the bytes of a policy file."""

from typing import TYPE_CHECKING

from kad.core.errors import Mistake, PolicyError

if TYPE_CHECKING:
    from kad.core.policy import Policy
    from kad.policyfile.document import Document


def validate(raw: bytes, path: str) -> "Policy":
    """Give the policy; PolicyError tells all mistakes, in the file's order."""
    from kad.policyfile.document import Lines, UnreadableError  # noqa: PLC0415 - boot time
    from kad.policyfile.judging import policy_or_faults  # noqa: PLC0415 - memory and boot time
    from kad.policyfile.wording import mistakes  # noqa: PLC0415 - memory and boot time

    text = _decode(raw, path)
    try:
        document = _parse(text, path)
    except UnreadableError as error:
        raise PolicyError(Mistake(path, *Lines(text).place(error.at), error.why)) from error
    policy, faults = policy_or_faults(document.tree)
    if policy is None or document.flaws:
        raise PolicyError(*mistakes(path, document, faults))
    return policy


def _decode(raw: bytes, path: str) -> str:
    """Give the text without a byte-order mark, which is no column of its own."""
    try:
        return raw.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        from kad.policyfile.document import Lines  # noqa: PLC0415 - boot time

        text = raw[: error.start].decode().removeprefix("\ufeff")
        why = f"not UTF-8: byte 0x{raw[error.start]:02x}"
        raise PolicyError(Mistake(path, *Lines(text).place(len(text)), why)) from error


def _parse(text: str, path: str) -> "Document":
    if path.endswith(".toml"):
        from kad.policyfile import tomlfile  # noqa: PLC0415 - memory and boot time

        return tomlfile.parse(text)
    from kad.policyfile import yamlfile  # noqa: PLC0415 - memory and boot time

    return yamlfile.parse(text)
