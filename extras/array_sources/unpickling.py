"""Read a pickle of plain values and byte arrays, without running anything in it.

Python's own unpickler calls what a pickle names, even before the first value can be looked at, and
believes the lengths and memo numbers in it. Here the few opcodes that data needs are carried out by
hand: names are only compared with a list, nothing is imported and nothing of numpy's is called.
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # A conversion asks each source whether it fits; only those that do need NumPy.
    import numpy as np

# What a dump of an array asks for: from Python 2 and numpy 1, as CIFAR was made, or from Python 3.
_RECONSTRUCT = ('numpy.core.multiarray _reconstruct', 'numpy._core.multiarray _reconstruct')
_ARRAY = 'numpy ndarray'
_DTYPE = 'numpy dtype'
_ENCODE = '_codecs encode'
ALLOWED = frozenset([*_RECONSTRUCT, _ARRAY, _DTYPE, _ENCODE])

# The largest known, the training images of CIFAR-100, need 250,000 (500,000 from Python 3). Each
# takes up to 250 bytes of memory, for one byte in the file.
MAX_STEPS = 1_000_000

# Of the opcodes whose argument is a line: names, numbers and, in protocol 0, texts.
MAX_LINE = 10_000


class RefusedPickle(Exception):
    """The pickle is damaged or holds more than data; the message says what."""


def unpickle(data: bytes) -> Any:
    """Return the value in a pickle of protocol 0 to 4.

    Made of None, bool, int, float, str, bytes (also for the str of Python 2), tuple, list, dict and
    numpy arrays of uint8, which are read-only.

    Raises:
      RefusedPickle: it is damaged, or asks for anything else.
    """
    machine = _Machine(len(data))
    try:
        for steps, (opcode, argument, _) in enumerate(pickletools.genops(_Lines(data))):
            if steps >= MAX_STEPS:
                raise RefusedPickle(f'the pickle has more than {MAX_STEPS} steps')
            machine.step(opcode.name, argument)
        return machine.stack.pop()
    except RefusedPickle:
        raise
    except MemoryError:
        raise RefusedPickle('the pickle does not fit into memory') from None
    # Stack, memo and values can be wrong in every way that Python has an error for.
    except Exception as error:
        reason = ' '.join(str(error).split())[:80]
        raise RefusedPickle(
            f'the pickle is damaged ({type(error).__name__}: {reason})'.replace(': )', ')')
        ) from None


class _Lines(io.BytesIO):
    """The pickle's lines; one that is too long comes without its end, which is an error."""

    def readline(self, size: int | None = -1) -> bytes:
        return super().readline(MAX_LINE)


class _Global(str):
    """A name that the pickle asks for, 'MODULE NAME'; never looked up."""

    __slots__ = ()


class _Dtype:
    """Stand-in for numpy's dtype of bytes, uint8."""


class _NewArray:
    """An array that has not been filled yet."""


class _Machine:
    """The stack and the memo that a pickle's opcodes work on."""

    def __init__(self, size: int):
        """Make it; `size` is the pickle's own in bytes."""
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        # Encoding one long text again and again would take memory without end.
        self._bytes_left = size

    def step(self, name: str, argument: Any) -> None:
        """Carry out one opcode."""
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _PYTHON_2_STRINGS:
            self.stack.append(argument.encode('latin-1'))
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _OPERATIONS:
            _OPERATIONS[name](self, argument)
        elif name not in _NOTHING_TO_DO:
            raise RefusedPickle(f'the pickle holds the opcode {name}, which data does not need')

    def mark(self, _: None) -> None:
        self._marks.append(len(self.stack))

    def since_mark(self) -> list[Any]:
        start = self._marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def put(self, number: int | None) -> None:
        # Larger ones may have been chosen to make a dict of them slow.
        if number is not None and number > MAX_STEPS:
            raise ValueError('a memo number is too large')
        self._memo[len(self._memo) if number is None else number] = self.stack[-1]

    def get(self, number: int) -> None:
        self.stack.append(self._memo[number])

    def tuple_of(self, count: int) -> None:
        items = tuple(self.stack[-count:])
        if len(items) != count:
            raise IndexError('stack too short')
        self.stack[-count:] = [items]

    def extend(self, items: list[Any]) -> None:
        _expect(self.stack[-1], list).extend(items)

    def update(self, items: list[Any]) -> None:
        target = _expect(self.stack[-1], dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Other keys may have been chosen for hashes that take for ever, or are all the same.
            if not isinstance(key, str | bytes):
                raise TypeError(f'a key is a {type(key).__name__}')
            target[key] = value

    def new_dict(self, _: None) -> None:
        items = self.since_mark()
        self.stack.append({})
        self.update(items)

    def append(self, _: None) -> None:
        self.extend([self.stack.pop()])

    def set_item(self, _: None) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.update([key, value])

    def ask_for(self, name: str) -> None:
        """Push a name of the list as a text."""
        if name not in ALLOWED:
            shown = repr('.'.join(name.split(' ', 1))[:80])[1:-1]
            raise RefusedPickle(f'the pickle asks for {shown}, which is no data; nothing was run')
        self.stack.append(_Global(name))

    def ask_for_stacked(self, _: None) -> None:
        name, module = _expect(self.stack.pop(), str), _expect(self.stack.pop(), str)
        self.ask_for(f'{module} {name}')

    def call(self, _: None) -> None:
        arguments = _expect(self.stack.pop(), tuple)
        called = _expect(self.stack.pop(), _Global)
        if called in _RECONSTRUCT:
            self.stack.append(_NewArray())
        elif called == _DTYPE:
            self.stack.append(_dtype(arguments[0]))
        elif called == _ENCODE:
            self.stack.append(self._encoded(*arguments))
        else:
            raise RefusedPickle(f'the pickle calls {".".join(called.split())}')

    def build(self, _: None) -> None:
        """Fill an array; a type has no more to say."""
        state = self.stack.pop()
        if isinstance(self.stack[-1], _NewArray):
            self.stack[-1] = _array(*_expect(state, tuple))
        else:
            _expect(self.stack[-1], _Dtype)

    def _encoded(self, text: str, encoding: str) -> bytes:
        """Return bytes as Python 3 writes them in protocols 0 to 2."""
        if encoding not in ('latin1', 'latin-1'):
            raise ValueError('text is encoded by something else than latin1')
        self._bytes_left -= len(text)
        if self._bytes_left < 0:
            raise RefusedPickle('the pickle grows larger than its file')
        return _expect(text, str).encode('latin-1')


def _expect(value: Any, kind: type) -> Any:
    """Return the value, once it is known to be of this kind."""
    if not isinstance(value, kind):
        raise TypeError(f'a {type(value).__name__} in place of a {kind.__name__}')
    return value


def _dtype(name: str | bytes) -> _Dtype:
    text = name.decode('latin-1') if isinstance(name, bytes) else _expect(name, str)
    if text not in ('u1', '|u1'):
        raise RefusedPickle(f'the pickle holds an array of type {text[:20]!r}, not of uint8')
    return _Dtype()


def _array(
    _: int, shape: tuple[int, ...], dtype: _Dtype, is_fortran: bool, content: bytes
) -> np.ndarray:
    """Make a view of the bytes; their number is all that a shape may claim."""
    import numpy as np

    _expect(dtype, _Dtype)
    sizes = [_expect(size, int) for size in _expect(shape, tuple)]
    if len(sizes) > 4 or not all(0 < size < 1 << 31 for size in sizes):
        raise ValueError('the shape of an array is not a possible one')
    if math.prod(sizes) != len(_expect(content, bytes)):
        raise RefusedPickle(f'the pickle holds an array {sizes} of {len(content)} bytes')
    return np.frombuffer(content, np.uint8).reshape(sizes, order='F' if is_fortran else 'C')


# Not LONG4: numbers of megabytes take for ever to print.
_NUMBERS = frozenset(['INT', 'BININT', 'BININT1', 'BININT2', 'LONG', 'LONG1', 'FLOAT', 'BINFLOAT'])
_TEXTS = frozenset(['UNICODE', 'SHORT_BINUNICODE', 'BINUNICODE', 'BINUNICODE8'])
_BYTES = frozenset(['SHORT_BINBYTES', 'BINBYTES', 'BINBYTES8'])
_VALUES = _NUMBERS | _TEXTS | _BYTES
_PYTHON_2_STRINGS = frozenset(['STRING', 'BINSTRING', 'SHORT_BINSTRING'])
_CONSTANTS: dict[str, Callable[[], Any]] = {
    'NONE': lambda: None,
    'NEWTRUE': lambda: True,
    'NEWFALSE': lambda: False,
    'EMPTY_TUPLE': tuple,
    'EMPTY_LIST': list,
    'EMPTY_DICT': dict,
}
_OPERATIONS: dict[str, Callable[[_Machine, Any], None]] = {
    'MARK': _Machine.mark,
    **dict.fromkeys(['PUT', 'BINPUT', 'LONG_BINPUT', 'MEMOIZE'], _Machine.put),
    **dict.fromkeys(['GET', 'BINGET', 'LONG_BINGET'], _Machine.get),
    'TUPLE': lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    'TUPLE1': lambda machine, _: machine.tuple_of(1),
    'TUPLE2': lambda machine, _: machine.tuple_of(2),
    'TUPLE3': lambda machine, _: machine.tuple_of(3),
    'LIST': lambda machine, _: machine.stack.append(machine.since_mark()),
    'DICT': _Machine.new_dict,
    'APPEND': _Machine.append,
    'APPENDS': lambda machine, _: machine.extend(machine.since_mark()),
    'SETITEM': _Machine.set_item,
    'SETITEMS': lambda machine, _: machine.update(machine.since_mark()),
    **dict.fromkeys(['GLOBAL', 'INST'], _Machine.ask_for),
    'STACK_GLOBAL': _Machine.ask_for_stacked,
    'REDUCE': _Machine.call,
    'BUILD': _Machine.build,
}
_NOTHING_TO_DO = frozenset(['PROTO', 'FRAME', 'STOP'])
