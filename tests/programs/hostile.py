"""A program that forges its own memory, to see what its readers make of it.

    hostile.py FILE [SCALE]

FILE: 8 bytes that one thread, "beating", counts up as long as the program runs. SCALE: how many times larger than needed
what is large is to be. The thread "victim" waits in hold(), middle(), inner(); its frames, code, values and thread state
are forged, and while they are nobody but a reader looks at them. "elder" and "younger" wait in rest(); nothing of theirs
is touched.

Prints "ready"; then takes lines on standard input: the name of a forgery, "undo", or "names" for a list of them. Each is
answered by a line. At the end of input it ends without cleaning up.

The offsets are those of CPython 2.7 to 3.15 on 64-bit Linux.
"""
import array
import ctypes
import gc
import json
import mmap
import os
import struct
import sys
import threading
import time

VERSION = sys.version_info[:2]
IS_FREE = "t" in getattr(sys, "abiflags", "")
HEAD = 32 if IS_FREE else 16  # of an object
MORE = HEAD - 16
WORD = 8
SCALE = int(sys.argv[2]) if len(sys.argv) > 2 else 1
HUGE = 1 << 62
NOWHERE = 0x123456789000
API = ctypes.pythonapi
LIBC = ctypes.CDLL(None)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
MAP_NORESERVE, MAP_FIXED = 0x4000, 0x10
for name in ("PyThreadState_Get", "PyInterpreterState_Head", "PyInterpreterState_ThreadHead", "PyThreadState_Next"):
    getattr(API, name).restype = ctypes.c_void_p
    getattr(API, name).argtypes = [] if name in ("PyThreadState_Get", "PyInterpreterState_Head") else [ctypes.c_void_p]


def choose(table):
    """The entry of the newest version that is not newer than this one."""
    return table[max(version for version in table if version <= VERSION)]


TSTATE_NEXT = choose({(2, 7): 0, (3, 0): 8})
TSTATE_INTERP = choose({(2, 7): 8, (3, 0): 16})
TSTATE_FRAME = choose({(2, 7): 16, (3, 0): 24, (3, 11): 56, (3, 13): 72})  # 3.11 and 3.12: of what leads to it
INTERP_NEXT = choose({(2, 7): 0, (3, 13): 7264, (3, 14): 7272, (3, 15): 7264})
INTERP_THREADS = choose({(2, 7): 8, (3, 11): 16, (3, 12): 72, (3, 13): 7344, (3, 15): 7336})
FRAME_PREVIOUS = choose({(2, 7): 24, (3, 11): 48, (3, 12): 8})
FRAME_CODE = choose({(2, 7): 32, (3, 12): 0})
FRAME_LOCALS = choose({(2, 7): 376, (3, 7): 360, (3, 10): 352, (3, 11): 72, (3, 14): 80})
CODE_FILENAME = choose({(2, 7): 80, (3, 6): 96, (3, 8): 104, (3, 11): 112}) + MORE
CODE_NAME = CODE_FILENAME + 8
CODE_QUALNAME = CODE_NAME + 8 if VERSION >= (3, 11) else CODE_NAME
CODE_LINES = choose({(2, 7): 104, (3, 6): 112, (3, 8): 120, (3, 11): 136}) + MORE
BYTES_DATA = (36 if VERSION < (3, 0) else 32) + MORE
TSTATE_LEN, FRAME_LEN, CODE_LEN = 320, 128, 256
DICT_WORDS = choose({(2, 7): 5, (3, 6): 4})  # behind its head; beyond them is somebody else's memory
MANAGED_DICT = choose({(2, 7): 0, (3, 11): -24 if not IS_FREE else -8})  # where it is from 3.11 on; 3.12 tags it

# --- memory ----------------------------------------------------------------------------------------------------

undone = []  # (address, word), in the order in which they were changed


def peek(address):
    return ctypes.c_uint64.from_address(address).value


def poke(address, word):
    undone.append((address, peek(address)))
    ctypes.c_uint64.from_address(address).value = word & (1 << 64) - 1


def undo():
    while undone:
        address, word = undone.pop()
        ctypes.c_uint64.from_address(address).value = word


def map_memory(length):
    """Zeros; what is not touched takes no memory."""
    address = LIBC.mmap(None, length, 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    assert address and address != ctypes.c_void_p(-1).value, "mmap"
    return address


def words_of(address, length):
    return array.array("L", ctypes.string_at(address, length))


def put_words(address, words):
    start, count = words.buffer_info()
    ctypes.memmove(address, start, count * WORD)


def copies(address, length, count, next_offset, last):
    """So many copies of a struct, each leading to the next one by a word at an offset; the last one leads to `last`."""
    step, at, part = length // WORD, next_offset // WORD, min(count, 50000)
    words = words_of(address, length) * part
    place = map_memory(length * count)
    for first in range(place, place + length * count, length * part):
        words[at::step] = array.array("L", range(first + length, first + length * (part + 1), length))
        put_words(first, words)
    ctypes.c_uint64.from_address(place + length * (count - 1) + next_offset).value = last
    return place


KEPT = []  # objects that are only known by their addresses


def keep(value):
    KEPT.append(value)
    return id(value)


def giant_bytes(length, pattern=b""):
    """The address of a bytes object that says it has so many bytes, which are there; it begins with a pattern."""
    place = map_memory(length + BYTES_DATA + 1)
    ctypes.memmove(place, keep(b"x"), BYTES_DATA)
    ctypes.c_uint64.from_address(place + HEAD).value = length
    if pattern:
        ctypes.memmove(place + BYTES_DATA, pattern, len(pattern))
    return place


#: An entry of a line table that makes a range with a line of its own.
BUSY_LINES = b"\xd8\0\0" if VERSION >= (3, 11) else b"\2\1"

# --- threads ---------------------------------------------------------------------------------------------------

SOURCE = """
def inner(waiting, going_on):
    own = ["own"]
    waiting.set()
    going_on.acquire()
    return own

def middle(waiting, going_on):
    mapping = {"key": "value"}
    return inner(waiting, going_on), mapping

def hold(waiting, going_on):
    row, number, thing = (1, 2), 1 << 100, Thing()
    return middle(waiting, going_on), row, number, thing
"""


class Thing(object):
    def __init__(self):
        self.name = "thing"


def rest(waiting, going_on):
    waiting.set()
    going_on.acquire()


def beat(counter, waiting, now=time.time):
    """Busy, but for moments in which others get the GIL at once."""
    waiting.set()
    beats = 0
    while True:
        beats += 1
        struct.pack_into("Q", counter, 0, beats)
        if beats % 1000 == 0:
            time.sleep(0.001)


def start(name, function, *arguments):
    waiting = threading.Event()
    thread = threading.Thread(name=name, target=function, args=arguments + (waiting,) if function is beat
                              else (waiting,) + arguments)
    thread.daemon = True
    thread.start()
    waiting.wait()
    return thread


def lock():
    held = threading.Lock()
    held.acquire()
    return held


space = {"Thing": Thing}
exec(compile(SOURCE, os.path.join(os.path.dirname(os.path.abspath(__file__)), "victim_of_hostile.py"), "exec"), space)


class Victim(object):
    """The addresses of what is forged."""

    def __init__(self, thread):
        frame = sys._current_frames()[thread.ident]
        self.frames = {}
        while frame is not None:
            self.frames.setdefault(frame.f_code.co_name, self.place_of(frame))
            frame = frame.f_back
        self.inner, self.middle, self.hold = (self.frames[name] for name in ("inner", "middle", "hold"))
        self.codes = [id(space[name].__code__) for name in ("inner", "middle", "hold")]
        self.interpreter = API.PyInterpreterState_Head()
        self.states = []
        state = API.PyInterpreterState_ThreadHead(self.interpreter)
        while state:
            self.states.append(state)
            state = API.PyThreadState_Next(state)
        self.state = next(state for state in self.states if thread.ident in words_of(state, 192))

    def place_of(self, frame):
        if VERSION < (3, 11):
            return id(frame)
        return peek(id(frame) + HEAD + WORD)

    def top(self):
        """Where the address of the innermost frame is written."""
        place = self.state + TSTATE_FRAME
        if VERSION in ((3, 11), (3, 12)):
            return peek(place) + (8 if VERSION == (3, 11) else 0)
        return place

    def local(self, frame, index):
        """Where a frame's argument or local variable is written."""
        return frame + FRAME_LOCALS + index * WORD


# --- forgeries -------------------------------------------------------------------------------------------------

FORGERIES = {}


def forgery(function):
    FORGERIES[function.__name__] = function
    return function


@forgery
def cycle(victim):
    """The outermost of three frames was called by the innermost."""
    poke(victim.hold + FRAME_PREVIOUS, victim.inner)


@forgery
def cycle_of_one(victim):
    poke(victim.inner + FRAME_PREVIOUS, victim.inner)


def make_nameless(victim):
    """An empty filename and no name either."""
    for code in victim.codes:
        for offset in (CODE_FILENAME, CODE_NAME, CODE_QUALNAME):
            poke(code + offset, keep(""))


@forgery
def nameless_cycle(victim):
    make_nameless(victim)
    cycle(victim)


@forgery
def unreadable_cycle(victim):
    """The names are no strings."""
    for code in victim.codes:
        poke(code + CODE_FILENAME, NOWHERE)
    cycle(victim)


@forgery
def frame_to_nowhere(victim):
    poke(victim.middle + FRAME_PREVIOUS, NOWHERE)


@forgery
def frame_into_the_kernel(victim):
    poke(victim.inner + FRAME_PREVIOUS, (1 << 64) - 64)


@forgery
def frame_at_odd_address(victim):
    poke(victim.inner + FRAME_PREVIOUS, victim.hold + 3)


@forgery
def state_without_frames(victim):
    poke(victim.top(), NOWHERE)


@forgery
def deep(victim):
    """More frames than are read."""
    poke(victim.inner + FRAME_PREVIOUS,
         copies(victim.middle, FRAME_LEN, 150000 * SCALE, FRAME_PREVIOUS, victim.middle))


@forgery
def deep_with_long_names(victim):
    """As many frames as are read, and all of one function whose names are as long as is read."""
    for offset in (CODE_FILENAME, CODE_NAME, CODE_QUALNAME):
        poke(victim.codes[1] + offset, keep(u"\u20ac" * 8000 if VERSION >= (3, 0) else "x" * 8000))
    poke(victim.inner + FRAME_PREVIOUS,
         copies(victim.middle, FRAME_LEN, 100000, FRAME_PREVIOUS, victim.middle))


def many_codes(victim, count):
    """Frames of so many code objects, all copies of one; each is forged before."""
    frames = copies(victim.middle, FRAME_LEN, count, FRAME_PREVIOUS, victim.middle)
    codes = map_memory(CODE_LEN * count)
    put_words(codes, words_of(victim.codes[1], CODE_LEN) * count)
    for index in range(count):
        ctypes.c_uint64.from_address(frames + index * FRAME_LEN + FRAME_CODE).value = codes + index * CODE_LEN
    poke(victim.inner + FRAME_PREVIOUS, frames)


@forgery
def many_long_names(victim):
    """Functions without end, each with names as long as is read."""
    for offset in (CODE_FILENAME, CODE_NAME, CODE_QUALNAME):
        poke(victim.codes[1] + offset, keep(u"\u20ac" * 8000 if VERSION >= (3, 0) else "x" * 8000))
    many_codes(victim, 20000)


@forgery
def many_busy_tables(victim):
    """Functions with line tables that are as long as is read, and have as many lines as can be."""
    length = 16 << 20
    poke(victim.codes[1] + CODE_LINES,
         giant_bytes(length - length % len(BUSY_LINES), BUSY_LINES * (length // len(BUSY_LINES))))
    many_codes(victim, 200)


@forgery
def table_of_a_gigabyte(victim):
    poke(victim.codes[1] + CODE_LINES, giant_bytes(1 << 30))


@forgery
def huge_table(victim):
    place = giant_bytes(100)
    ctypes.c_uint64.from_address(place + HEAD).value = HUGE
    poke(victim.codes[1] + CODE_LINES, place)


@forgery
def negative_table(victim):
    place = giant_bytes(100)
    ctypes.c_uint64.from_address(place + HEAD).value = (1 << 64) - 1
    poke(victim.codes[1] + CODE_LINES, place)


def text_of_length(length):
    """A str with a text of its own that says it is so long."""
    text = "forged %d" % len(KEPT)
    poke(keep(text) + HEAD, length)
    return id(text)


@forgery
def huge_filename(victim):
    poke(victim.codes[1] + CODE_FILENAME, text_of_length(HUGE))


@forgery
def huge_name(victim):
    for offset in (CODE_NAME, CODE_QUALNAME):
        poke(victim.codes[1] + offset, text_of_length(HUGE))


@forgery
def negative_name(victim):
    for offset in (CODE_NAME, CODE_QUALNAME):
        poke(victim.codes[1] + offset, text_of_length((1 << 64) - 1))


@forgery
def code_in_itself(victim):
    """Its names and its lines are the code object, and the next one's those of the frame."""
    for offset in (CODE_FILENAME, CODE_NAME, CODE_QUALNAME, CODE_LINES):
        poke(victim.codes[1] + offset, victim.codes[1])
        poke(victim.codes[0] + offset, victim.inner)


@forgery
def wrong_types(victim):
    """A frame whose code is an int, one whose filename is a float; names and lines that are neither."""
    poke(victim.hold + FRAME_CODE, keep(12345678901234567890))
    poke(victim.codes[1] + CODE_FILENAME, keep(1.5))
    poke(victim.codes[1] + CODE_LINES, keep([1, 2, 3]))
    for offset in (CODE_NAME, CODE_QUALNAME):
        poke(victim.codes[0] + offset, keep({"a": 1}))


@forgery
def threads_cycle(victim):
    """The oldest thread's state leads to the newest one."""
    poke(victim.states[-1] + TSTATE_NEXT, victim.states[0])


@forgery
def thread_leads_to_itself(victim):
    poke(victim.states[-1] + TSTATE_NEXT, victim.states[-1])


@forgery
def threads_to_nowhere(victim):
    poke(victim.states[-1] + TSTATE_NEXT, NOWHERE)


@forgery
def thread_of_another_interpreter(victim):
    state = map_memory(1 << 16)
    put_words(state, words_of(victim.states[-1], TSTATE_LEN))
    ctypes.c_uint64.from_address(state + TSTATE_INTERP).value = state + 4096
    poke(victim.states[-1] + TSTATE_NEXT, state)


@forgery
def a_million_threads(victim):
    """More threads than are read, behind those that are there; each with the victim's stack."""
    count = 100000 if SCALE == 1 else 1000000
    poke(victim.states[-1] + TSTATE_NEXT, copies(victim.state, TSTATE_LEN, count, TSTATE_NEXT, 0))


@forgery
def a_million_deep_threads(victim):
    """The same, each with a stack deeper than is read."""
    count = 100000 if SCALE == 1 else 1000000
    poke(victim.states[-1] + TSTATE_NEXT, copies(victim.state, TSTATE_LEN, count, TSTATE_NEXT, 0))
    deep(victim)


@forgery
def interpreters_cycle(victim):
    poke(victim.interpreter + INTERP_NEXT, victim.interpreter)


@forgery
def interpreters_to_nowhere(victim):
    poke(victim.interpreter + INTERP_NEXT, NOWHERE)


@forgery
def interpreters_of_zeros(victim):
    """Interpreters without threads, and more of them than are read."""
    place = map_memory(16 << 20)
    for index in range(1000):
        ctypes.c_uint64.from_address(place + index * 8192 + INTERP_NEXT).value = place + (index + 1) * 8192
    poke(victim.interpreter + INTERP_NEXT, place)


def forge_runtime(offset, word):
    if VERSION >= (3, 13):
        poke(ctypes.addressof(ctypes.c_char.in_dll(API, "_PyRuntime")) + offset, word)


@forgery
def cookie(victim):
    """Debug offsets that are none; from 3.13 on."""
    forge_runtime(0, 0x7a67756265647878)


@forgery
def offsets(victim):
    """All debug offsets are as large as can be."""
    for offset in range(24, 584, 8):
        forge_runtime(offset, HUGE)


@forgery
def shifted_offsets(victim):
    """All debug offsets are those of the next field."""
    if VERSION >= (3, 13):
        place = ctypes.addressof(ctypes.c_char.in_dll(API, "_PyRuntime"))
        for offset in range(24, 576, 8):
            poke(place + offset, peek(place + offset + 8))


# Values. inner: waiting, going_on, own; middle: waiting, going_on, mapping; hold: ..., row, number, thing.

@forgery
def deep_values(victim):
    """Lists in lists; a dict within itself, a list within itself, an object that is its own attribute."""
    value = []
    for _ in range(100000):
        value = [value]
    mapping, thing = {}, Thing()
    mapping[1] = mapping["self"] = mapping
    thing.own = thing.other = thing
    for place, made in ((victim.local(victim.inner, 2), value), (victim.local(victim.middle, 2), mapping),
                        (victim.local(victim.hold, 4), thing)):
        poke(place, keep(made))


@forgery
def circular_values(victim):
    """A list whose items are the list, a dict whose keys are the dict, an object whose __dict__ is the object, and an
    int and a tuple that say they are longer than anything can be."""
    own, mapping, thing, number, row = ["own"], {"key": "value"}, Thing(), (1 << 100) + len(KEPT), (1, len(KEPT))
    poke(keep(own) + HEAD + WORD, id(own))
    poke(id(own) + HEAD, HUGE)
    for offset in range(HEAD, HEAD + DICT_WORDS * WORD, WORD):
        poke(keep(mapping) + offset, id(mapping))
    poke(keep(thing) + (MANAGED_DICT or HEAD), id(thing))
    poke(keep(number) + HEAD, HUGE)
    poke(keep(row) + HEAD, HUGE)
    for place, made in ((victim.local(victim.inner, 2), own), (victim.local(victim.middle, 2), mapping),
                        (victim.local(victim.hold, 2), row), (victim.local(victim.hold, 3), number),
                        (victim.local(victim.hold, 4), thing)):
        poke(place, id(made))


@forgery
def wrong_values(victim):
    """Objects without a type, of a type that is its own type, dict and base, and addresses of nothing."""
    thing = Thing()
    cls = type("Forged", (object,), {})()
    for offset in range(2 * WORD, 50 * WORD, WORD):
        poke(keep(type(cls)) + MORE + offset, id(type(cls)))
    poke(keep(thing) + HEAD - WORD, id(thing))
    poke(victim.local(victim.inner, 2), NOWHERE)
    poke(victim.local(victim.middle, 2), id(thing))
    poke(victim.local(victim.hold, 2), (1 << 64) - 8)
    poke(victim.local(victim.hold, 3), 5)
    poke(victim.local(victim.hold, 4), keep(cls))


@forgery
def control_characters(victim):
    """Names with every character up to U+00FF, and those that turn the direction of writing."""
    if VERSION < (3, 0):
        names = ["".join(map(chr, range(256)))] * 2
    else:
        every = "".join(map(chr, range(256)))
        names = [every, every + "\u2028\u2029\u202e\u2066\ufeff\ud800\udfff\U0001f600\0;"]
    poke(victim.codes[0] + CODE_FILENAME, keep(names[0]))
    for offset in (CODE_NAME, CODE_QUALNAME):
        poke(victim.codes[0] + offset, keep(names[1]))


flickering, is_still = threading.Event(), threading.Event()
is_still.set()


def flicker(address, length, descriptor):
    """Takes memory away and gives it back."""
    while flickering.is_set():
        LIBC.munmap(address, length)
        time.sleep(0.0005)
        LIBC.mmap(address, length, 3, mmap.MAP_SHARED | MAP_FIXED, descriptor, 0)
        time.sleep(0.0005)


@forgery
def flickering_memory(victim):
    """A frame, its code object and its line table are in memory that comes and goes, and a thread state is, too."""
    length = 1 << 16
    with open(sys.argv[1] + ".flicker", "w+b") as file:
        file.truncate(length)
        descriptor = os.dup(file.fileno())
    address = LIBC.mmap(None, length, 3, mmap.MAP_SHARED, descriptor, 0)
    frame, code, lines, state = (address + index * 8192 for index in range(4))
    put_words(frame, words_of(victim.middle, FRAME_LEN))
    put_words(code, words_of(victim.codes[1], CODE_LEN))
    put_words(lines, words_of(peek(victim.codes[1] + CODE_LINES), 256))
    put_words(state, words_of(victim.state, TSTATE_LEN))
    ctypes.c_uint64.from_address(frame + FRAME_CODE).value = code
    ctypes.c_uint64.from_address(code + CODE_LINES).value = lines
    ctypes.c_uint64.from_address(state + TSTATE_NEXT).value = 0
    poke(victim.inner + FRAME_PREVIOUS, frame)
    poke(victim.states[-1] + TSTATE_NEXT, state)
    flickering.set()
    start_flickering(address, length, descriptor)


def start_flickering(*arguments):
    """Not by the threading module, as the list of threads is forged: the thread was made before."""
    is_still.clear()
    FLICKER.append(arguments)
    FLICKER_GO.release()


FLICKER, FLICKER_GO = [], lock()


def wait_to_flicker(waiting, going_on):
    waiting.set()
    while True:
        going_on.acquire()
        flicker(*FLICKER.pop())
        is_still.set()


@forgery
def elf_header(victim):
    """The header of the interpreter's own file, as far as it is in memory, and all behind it in that page."""
    with open("/proc/self/maps") as maps:
        place = next(int(line.split("-")[0], 16) for line in maps if os.path.basename(sys.executable)[:6] in line)
    assert LIBC.mprotect(place, 4096, 3) == 0
    for offset in range(16, 1024, WORD):
        poke(place + offset, HUGE + offset)


def main():
    gc.disable()
    with open(sys.argv[1], "r+b") as file:
        counter = mmap.mmap(file.fileno(), 8)
    start("elder", rest, lock())
    start("flickering", wait_to_flicker, FLICKER_GO)
    thread = start("victim", space["hold"], lock())
    start("beating", beat, counter)
    start("younger", rest, lock())
    time.sleep(0.05)  # until those that wait do so, and nothing of them moves any more
    victim = Victim(thread)
    print("ready")
    sys.stdout.flush()
    for line in iter(sys.stdin.readline, ""):
        name = line.strip()
        if name == "undo":
            flickering.clear()
            undo()
            is_still.wait()
        elif name != "names":
            FORGERIES[name](victim)
        print(json.dumps(sorted(FORGERIES)) if name == "names" else name)
        sys.stdout.flush()
    os._exit(0)


main()
