"""The Debian package: what is in it, lintian's word, and whether a new Debian can install, use and remove it.

    python3 test_package_deb.py [TestClass.test_name]

Needs root and a network. Builds what it tests (scripts/package deb); scripts/get-roots debian makes the new Debian.
"""
import fcntl
import gzip
import os
import re
import shutil
import subprocess

import harness
import test_package_static

PACKAGE = "pyspyc"
CONTENTS = {
    "usr/bin/pyspyc", "usr/share/man/man1/pyspyc.1.gz", "usr/share/bash-completion/completions/pyspyc",
    "usr/share/zsh/vendor-completions/_pyspyc", "usr/share/fish/vendor_completions.d/pyspyc.fish",
    "usr/share/pyspyc/pyspyc.py", "usr/share/doc/pyspyc/copyright", "usr/share/doc/pyspyc/NOTICES",
    "usr/share/doc/pyspyc/changelog.gz",
}
#: What any package leaves: apt's and dpkg's own records, and caches.
RECORDS = ("proc", "tmp", "var/cache", "var/lib/apt", "var/lib/dpkg", "var/log", "etc/ld.so.cache")
INSTALL_DEADLINE = 300 * harness.SLOWNESS
PROGRAM = """
import sys, time
sys.path.insert(0, "/usr/share/pyspyc")
import pyspyc
def spin(seconds):
    end = time.time() + seconds
    while time.time() < end:
        pass
with pyspyc.record("/tmp/itself.txt", rate=500):
    spin(0.5)
"""


def output_of(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=INSTALL_DEADLINE, **options).stdout.decode()


class DebCase(harness.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.package = test_package_static.build("deb")

    def unpack(self):
        subprocess.run(["dpkg-deb", "-x", self.package, self.path("unpacked")], check=True)
        return self.path("unpacked")


class TestPackage(DebCase):
    """What it is made of."""

    def test_lintian(self):
        outcome = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", "--tag-display-limit", "0",
                                  self.package], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(outcome.returncode, 0, outcome.stdout.decode())
        print(outcome.stdout.decode(), end="")

    def test_contents(self):
        root = self.unpack()
        files = {os.path.relpath(os.path.join(folder, name), root)
                 for folder, _, names in os.walk(root) for name in names}
        self.assertEqual(files, CONTENTS)
        with gzip.open(os.path.join(root, "usr/share/man/man1/pyspyc.1.gz"), "rt") as manual:
            self.assertIn(".TH", manual.read())
        with gzip.open(os.path.join(root, "usr/share/doc/pyspyc/changelog.gz"), "rt") as changelog:
            version = changelog.readline().split()[1].strip("()")
        self.assertEqual(version, output_of("dpkg-deb", "-f", self.package, "Version").strip())
        self.assertIn(" " + version, output_of(os.path.join(root, "usr/bin/pyspyc"), "--version"))
        with open(os.path.join(root, "usr/share/doc/pyspyc/copyright")) as ours, \
                open(os.path.join(test_package_static.TOP, "LICENSE")) as licence:
            words = licence.read().split("Permission", 1)[1].split()
            self.assertEqual([word for word in ours.read().split("Permission", 1)[1].split() if word != "."], words)

    def test_dependencies(self):
        """The packages of the libraries that the binary names, all of them and no other."""
        binary = os.path.join(self.unpack(), "usr/bin/pyspyc")
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "--dynamic", binary))
        places = dict(re.findall(r"(\S+) => (\S+) \(", output_of("ldd", binary)))
        packages = set()
        for name in needed:
            path = places.get(name) or "/lib64/" + name
            # dpkg knows files of /lib by the name that they had before it became a link.
            answers = [subprocess.run(["dpkg-query", "--search", spelling], stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL).stdout.decode().split(":")[0]
                       for spelling in {path, os.path.realpath(path), os.path.realpath(path)[len("/usr"):]}]
            packages.update(answer for answer in answers if answer)
        depends = output_of("dpkg-deb", "-f", self.package, "Depends").strip()
        self.assertEqual({entry.split()[0] for entry in depends.split(", ")}, packages, depends)
        self.assertGreater(len(packages), 8)


class TestInNewDebian(DebCase):
    """Installed, used and removed."""

    def setUp(self):
        super().setUp()
        self.assertEqual(os.geteuid(), 0, "this was not tested: it needs root")
        get_roots = os.path.join(test_package_static.TOP, "scripts", "get-roots")
        subprocess.run([get_roots, "debian"], check=True)
        self.roots = output_of(get_roots, "--folder").strip()
        self.root = self.path("root")
        subprocess.run(["cp", "-a", "--reflink=auto", os.path.join(self.roots, "debian"), self.root], check=True)
        shutil.copy("/etc/resolv.conf", os.path.join(self.root, "etc"))
        shutil.copy(self.package, os.path.join(self.root, "tmp"))
        self.keep_archives()

    def keep_archives(self):
        """What apt downloads is kept for the next run."""
        self.archives = os.path.join(self.roots, "archives")
        os.makedirs(self.archives, exist_ok=True)
        lock = open(os.path.join(self.roots, ".archives-lock"), "w")
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)

    def in_root(self, *command, check=True):
        script = 'mount -t proc proc "$0/proc" && mount --bind "$1" "$0/var/cache/apt/archives" && root=$0 && shift && ' \
            'exec chroot "$root" "$@"'
        variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        outcome = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, self.root,
                                  self.archives, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, env=variables, timeout=INSTALL_DEADLINE)
        text = outcome.stdout.decode(errors="replace")
        if check:
            self.assertEqual(outcome.returncode, 0, "%s\n%s" % (command, text))
        return outcome.returncode, text

    def install(self, *names):
        """With what apt knew when the root was made; if that has become old, anew."""
        command = ("apt-get", "-y", "--no-install-recommends", "-o", "DPkg::Options::=--force-unsafe-io", "install", *names)
        if self.in_root(*command, check=False)[0] != 0:
            self.in_root("apt-get", "-q", "update")
            self.in_root(*command)

    def files(self):
        found = set()
        for folder, folders, names in os.walk(self.root):
            place = os.path.relpath(folder, self.root)
            folders[:] = [name for name in folders if os.path.normpath(os.path.join(place, name)) not in RECORDS]
            found.update(os.path.normpath(os.path.join(place, name)) for name in names + folders)
        return found - set(RECORDS)

    def installed(self):
        return self.in_root("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n")[1]

    def test_installing_using_and_removing(self):
        files, packages = self.files(), self.installed()
        self.assertNotIn(PACKAGE, packages)
        self.install("/tmp/" + os.path.basename(self.package))
        self.assertLessEqual(CONTENTS, self.files())
        # Without Python, and without anything else that could have brought a library by chance.
        self.assertNotIn("not found", self.in_root("ldd", "/usr/bin/pyspyc")[1])
        self.in_root("pyspyc", "--version")
        self.assert_works()
        self.in_root("apt-get", "-y", "purge", PACKAGE)
        self.in_root("apt-get", "-y", "autoremove", "--purge", "python3-minimal")
        self.assertEqual(self.installed(), packages)
        self.assertEqual(sorted(self.files() - files), [])
        self.assertEqual(sorted(files - self.files()), [])

    def assert_works(self):
        self.install("python3-minimal")
        with open(os.path.join(self.root, "tmp", "program.py"), "w") as file:
            file.write(PROGRAM)
        text = self.in_root("pyspyc", "record", "-r", "500", "-o", "/tmp/run.svg", "-o", "/tmp/run.txt", "--", "python3",
                            "/tmp/program.py")[1]
        self.assertIn("wrote /tmp/run.svg", text)
        for name in "run.txt", "itself.txt":
            with open(os.path.join(self.root, "tmp", name)) as file:
                stacks = harness.Stacks(file.read())
            self.assertGreater(stacks.total(stacks.with_function("spin")), 20, name)
        for name in "run.svg", "run.txt", "itself.txt", "program.py":
            os.unlink(os.path.join(self.root, "tmp", name))


if __name__ == "__main__":
    harness.main()
