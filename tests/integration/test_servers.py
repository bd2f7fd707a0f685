"""Real servers under real requests: what the application's functions do must show up in the worker's recording.

    PYSPYC=build/pyspyc python3 test_servers.py

The servers are Debian's, and so is the interpreter that they run.
"""
import signal
import socket
import threading
import urllib.request

import harness

#: Samples that have to be in the application's function, of the some 400 that a recording takes.
LEAST_SAMPLES = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Requests:
    """Asks a server again and again from a thread, until told to stop."""

    def __init__(self, port):
        self.url = "http://127.0.0.1:%d/?0.05" % port
        self.is_over = threading.Event()
        self.answers = 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_over.is_set():
            if self.ask() == b"done\n":
                self.answers += 1

    def ask(self):
        try:
            with urllib.request.urlopen(self.url, timeout=harness.DEADLINE) as answer:
                return answer.read()
        except OSError:
            self.is_over.wait(harness.POLL)
            return None

    def stop(self):
        self.is_over.set()
        self.thread.join()


def is_request(names):
    """Whether application calls handle, which calls compute, in these functions, outermost first."""
    chain = ["application", "handle", "compute"]
    return any(names[at:at + len(chain)] == chain for at in range(len(names)))


class TestServers(harness.TestCase):

    def check(self, *command):
        """Starts a server with one worker, and records and dumps the worker while it answers."""
        port = free_port()
        server = self.start(*[word.replace("PORT", str(port)) for word in command], cwd=harness.PROGRAMS)
        self.addCleanup(self.stop, server)
        requests = Requests(port)
        self.addCleanup(requests.stop)
        harness.wait_until(lambda: requests.answers > 0, "the server answers")
        worker, = harness.children_of(server.pid)
        before = requests.answers
        outcome, stacks = self.record("-r", "200", "-d", "2", "-p", worker)
        self.assertEqual(outcome.status, 0, outcome)
        self.assertGreater(requests.answers, before)
        in_requests = stacks.total(lambda stack: is_request([harness.function_name(frame) for frame in stack]))
        self.assertGreater(in_requests, LEAST_SAMPLES, outcome)
        harness.wait_until(lambda: self.shows_request(worker), "a dump shows a request")
        self.assert_unharmed(server)

    def shows_request(self, pid):
        return any(is_request([frame["name"] for frame in reversed(thread["frames"])]) for thread in self.dump(pid))

    @staticmethod
    def stop(server):
        """The server ends its worker."""
        if server.alive():
            server.signal(signal.SIGTERM)
            server.finish()

    def test_uwsgi(self):
        self.check("/usr/bin/uwsgi", "--plugins", "python3", "--http-socket", "127.0.0.1:PORT", "--master",
                   "--processes", "1", "--need-app", "--die-on-term", "--module", "application")

    def test_gunicorn(self):
        self.check("/usr/bin/gunicorn", "--bind", "127.0.0.1:PORT", "--workers", "1", "application:application")


if __name__ == "__main__":
    harness.main()
