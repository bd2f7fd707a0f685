# -*- coding: utf-8 -*-
"""Threads blocked in functions and files whose names are not ASCII, or 1,500 characters long."""
import os
import shutil
import tempfile

import oracle

LONG = 1500

#: Python normalises identifiers (NFKC), so some of these arrive under another name: the oracle tells which.
IDENTIFIERS = {
    "latin_1": "größe_ÿ",
    "cyrillic": "функция",
    "cjk": "関数",
    "mixed_widths": "a_é_я_語_𝒜",
    "astral": "𐐀𐐁",
    "astral_that_normalises_to_ascii": "𝓯𝓾𝓷𝓬",
    "ligature": "ﬁnal",
    "decomposed": "été",
    "arabic": "دالة",
    "long_ascii": "n" * LONG,
    "long_latin_1": "é" * LONG,
    "long_cyrillic": "ж" * LONG,
    "long_astral": "𐐀" * LONG,
}

FILE_NAMES = {
    "latin_1_file": "größe.py",
    "cyrillic_file": "модуль.py",
    "cjk_file": "日本語 モジュール.py",
    "astral_file": "🐍𝒯.py",
    "decomposed_file": "café.py",
    "long_file": "f" * 200 + ".py",
}

SOURCE = '''\
class {name}:
    def {name}(self, {name}=None):
        return [
            oracle.block({name})
            for {name} in (1,)
        ]


{name}().{name}()
'''


def identifier_case(title, identifier):
    def run():
        exec(compile(SOURCE.format(name=identifier), "identifier.py", "exec"), {"oracle": oracle})

    run.__name__ = title
    oracle.case(run, since=(3,))


def file_case(title, file_name):
    """The module is a real file, in a folder that is gone when the program ends."""
    def run():
        folder = tempfile.mkdtemp()
        try:
            path = os.path.join(folder, file_name)
            with open(path, "w") as source:
                source.write("import oracle\n\n" + SOURCE.format(name="Plain"))
            with open(path) as source:
                exec(compile(source.read(), path, "exec"), {})
        finally:
            shutil.rmtree(folder)

    run.__name__ = title
    oracle.case(run)


@oracle.case
def very_long_file_name():
    exec(compile("\n\noracle.block()", "d/" * LONG + "ü" * LONG, "exec"), {"oracle": oracle})


for each_title, each_name in sorted(IDENTIFIERS.items()):
    identifier_case(each_title, each_name)
for each_title, each_name in sorted(FILE_NAMES.items()):
    file_case(each_title, each_name)


if __name__ == "__main__":
    oracle.main()
