"""Write the manuals, the completions and the schema into the directory that is named."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from kad.policyfile.schema import describe
from manual import bash, fish, kad8, policy5, zsh
from manual.commandline import command_lines


def generate(directory: Path) -> None:
    """Write each file under the name that its reader looks for."""
    commands = tuple(command_lines())
    files = {
        "kad.8": kad8.page(_date()),
        "kad-policy.5": policy5.page(_date()),
        "policy.schema.json": json.dumps(describe(), indent=2) + "\n",
        "bash/kad": bash.script(commands),
        "zsh/_kad": zsh.script(commands),
        "fish/kad.fish": fish.script(commands),
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


def _date() -> str:
    """Give the day; a package's build has its own: https://reproducible-builds.org."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    day = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return day.strftime("%Y-%m-%d")


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
