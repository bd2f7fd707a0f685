"""The deepest stacks: what is within the limit is there, frame by frame, and what is beyond it is cut visibly.

    PYSPYC=build/pyspyc python3 test_depth.py [INTERPRETER]
"""
import json
import resource

import harness
from test_oracle import UNKNOWN, dumped_stack, expected_stack, side_by_side

#: The frame that stands for those beyond the limit.
CUT_NAME = "<deeper frames>"


class TestDepth(harness.TestCase):
    """A stack is walked up to a limit, in bounded memory, and what is further out is cut visibly."""

    LIMIT = 100000
    MEMORY_BYTES = 1 << 30

    def dumped_deep(self, frames):
        """(what the oracle, and what the dump says) of a thread whose stack has so many frames."""
        target, line = self.start_target("deep.py", frames)
        limit = (self.MEMORY_BYTES, self.MEMORY_BYTES)
        outcome = self.run_pyspyc("dump", "--pid", target.pid, "--json",
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit))
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(target.finish()[0], 0, target.stderr())
        expected = [thread for thread in json.loads(line)["threads"] if thread["name"] == "deep"]
        found = [thread for thread in json.loads(outcome.output) if thread["thread_name"] == "deep"]
        self.assertEqual((len(expected), len(found)), (1, 1))
        self.assertEqual(len(expected[0]["frames"]), frames)
        return expected_stack(expected[0]), dumped_stack(found[0])

    def test_every_frame_up_to_the_limit(self):
        expected, found = self.dumped_deep(self.LIMIT)
        self.assertTrue(expected == found, side_by_side(expected, found))

    def test_beyond_the_limit(self):
        """The innermost frames are there, and one in the place of the rest says that it is cut."""
        expected, found = self.dumped_deep(self.LIMIT + 100)
        self.assertLessEqual(len(found), self.LIMIT + 1)
        self.assertGreater(len(found), self.LIMIT - 100)
        self.assertTrue(expected[:len(found) - 1] == found[:-1], side_by_side(expected[:len(found) - 1], found[:-1]))
        self.assertEqual(found[-1][1:], [CUT_NAME, 0, UNKNOWN])


if __name__ == "__main__":
    harness.main()
