"""What `pyspyc dump` says of the state of threads that compute, sleep, and want the global interpreter lock.

    PYSPYC=build/pyspyc python3 test_states.py [INTERPRETER]
"""
import harness

BUSY, IDLE = 3, 4
DUMPS = 100  # in which each of three threads that fight for the lock has been seen waiting for it


class TestStates(harness.TestCase):

    def states(self, pid):
        """{thread's name: (active, owns the lock, waits for it)}"""
        return {thread["thread_name"]: (thread["active"], thread["owns_gil"], thread["waits_for_gil"])
                for thread in self.dump(pid)}

    def names(self, kind, count):
        return {"%s-%d" % (kind, number) for number in range(count)}

    def test_threads_that_sleep(self):
        target, _ = self.start_target("threads.py", "0", IDLE)
        asleep = {name: (False, False, False) for name in self.names("idle", IDLE) | {"MainThread"}}
        harness.wait_until(lambda: self.states(target.pid) == asleep, "all threads are shown asleep")

    def test_threads_that_want_the_lock(self):
        """They are seen waiting, but not those that sleep, nor the one that has it."""
        target, _ = self.start_target("threads.py", BUSY, IDLE)
        knows_waiting = self.version >= (3, 7) and not self.is_free_threaded
        waiting, busy, idle = set(), self.names("busy", BUSY), self.names("idle", IDLE)
        for _ in range(DUMPS):
            states = self.states(target.pid)
            owners = {name for name, state in states.items() if state[1]}
            now = {name for name, state in states.items() if state[2]}
            self.assertLessEqual(len(owners), 1, states)
            self.assertFalse(idle & (owners | now), states)
            self.assertFalse(owners & now, states)
            for name in now:
                self.assertFalse(states[name][0], states)
            waiting |= now & busy
            if waiting == busy or not knows_waiting:
                break
        self.assertEqual(waiting, busy if knows_waiting else set())


if __name__ == "__main__":
    harness.main()
