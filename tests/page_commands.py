"""The commands that a page tells people to type."""

from __future__ import annotations

import re
import shlex

_BLOCK = re.compile(r'^```bash\n(.*?)^```', flags=re.MULTILINE | re.DOTALL)


def commands_in(page, program='run.py'):
    """The words behind the program, of each command in a block of a page (its text)."""
    lines = ' '.join(_BLOCK.findall(page)).replace('\\\n', ' ').splitlines()
    found = [shlex.split(line, comments=True) for line in lines]
    return [words[words.index(program) + 1 :] for words in found if program in words[:2]]
