"""Print the share of each room's lines that the tests ran; fail below the room's floor.

Reads what pytest-cov has left in .coverage (`make coverage`). A room is a folder of library or
extras, or the project. Programs that tests start as processes of their own are not counted: tracing
them is expensive, and what they run has tests in this process too.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Percent of lines: what the unit tests alone were measured to run, less a little. The graph tests
# add to all rooms that import TensorFlow: raise these after a `make coverage` of your own.
FLOORS = {
    'library': 83,
    'library/config': 98,
    'library/exporters': 16,
    'library/hooks': 1,
    'library/inputs': 10,
    'library/models': 18,
    'library/modes': 21,
    'library/preparation': 79,
    'library/records': 66,
    'library/runtime': 72,
    'library/training': 18,
    'project': 22,
}
NEW_ROOM = 20


def room_of(path: Path) -> str:
    """Return the room of a file by its path below the root: library/config, project."""
    folders = path.parts[:-1]
    return '/'.join(folders[: 2 if folders[0] in ('library', 'extras') else 1])


def measured(data_file: Path) -> dict[str, tuple[int, int]]:
    """Return the executed lines and all lines of each room."""
    from coverage import Coverage

    coverage = Coverage(data_file=str(data_file), config_file=str(ROOT / 'pyproject.toml'))
    coverage.load()
    lines = defaultdict(lambda: (0, 0))
    for name in coverage.get_data().measured_files():
        path = Path(name)
        if path.is_relative_to(ROOT) and path.exists():
            _, statements, _, missing, _ = coverage.analysis2(name)
            room = room_of(path.relative_to(ROOT))
            ran, all_lines = lines[room]
            lines[room] = (ran + len(statements) - len(missing), all_lines + len(statements))
    return {room: found for room, found in lines.items() if found[1]}


def below(lines: Mapping[str, tuple[int, int]], floors: Mapping[str, int] = FLOORS) -> list[str]:
    """Return a line for each room below its floor, and for each that is missing."""
    found = [f'{room}: it has a floor, but no lines' for room in floors if room not in lines]
    for room, (ran, all_lines) in lines.items():
        floor = floors.get(room, NEW_ROOM)
        if 100 * ran < floor * all_lines:
            found.append(f'{room}: {100 * ran / all_lines:.1f} %, less than its floor of {floor} %')
    return sorted(found)


def main() -> int:
    """Print a table and the rooms below their floor; return the exit code."""
    lines = measured(ROOT / '.coverage')
    for room, (ran, all_lines) in sorted(lines.items()):
        print(f'{room:24} {100 * ran / all_lines:5.1f} %  of {all_lines:5} lines')
    failures = below(lines)
    for failure in failures:
        print(f'error: {failure}', file=sys.stderr)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
