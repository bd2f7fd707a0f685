"""Threads blocked in functions and files whose names are not ASCII, or 1,500 characters long."""
import importlib.util
import os
import tempfile
import unicodedata

import oracle

LONG = 1500

#: Python normalises identifiers (NFKC), so some of these arrive under another name: the oracle tells which.
IDENTIFIERS = {
    "latin_1": "größe_ÿ",
    "cyrillic": "функция",
    "cjk": "関数",
    "mixed_widths": "a_é_я_語_\U0001d49c",
    "astral": "\U00010400\U00010401",
    "astral_that_normalises_to_ascii": "\U0001d4ef\U0001d4fe\U0001d4f7\U0001d4ec",
    "ligature": "ﬁnal",
    "decomposed": unicodedata.normalize("NFD", "été"),
    "arabic": "دالة",
    "long_ascii": "n" * LONG,
    "long_latin_1": "é" * LONG,
    "long_cyrillic": "ж" * LONG,
    "long_astral": "\U00010400" * LONG,
}

FILE_NAMES = {
    "latin_1_file": "größe.py",
    "cyrillic_file": "модуль.py",
    "cjk_file": "日本語 モジュール.py",
    "astral_file": "\U0001f40d\U0001d4af.py",
    "decomposed_file": unicodedata.normalize("NFD", "café.py"),
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
    oracle.case(run)


def file_case(title, file_name):
    """The module is a real file, in a folder that is gone when the program ends."""
    def run():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, file_name)
            with open(path, "w", encoding="utf-8") as source:
                source.write("import oracle\n\n" + SOURCE.format(name="Plain"))
            specification = importlib.util.spec_from_file_location("module_" + title, path)
            specification.loader.exec_module(importlib.util.module_from_spec(specification))

    run.__name__ = title
    oracle.case(run)


@oracle.case
def very_long_file_name():
    exec(compile("\n\noracle.block()", "d/" * LONG + "ü" * LONG, "exec"), {"oracle": oracle})


for each_title, each_name in IDENTIFIERS.items():
    identifier_case(each_title, each_name)
for each_title, each_name in FILE_NAMES.items():
    file_case(each_title, each_name)


if __name__ == "__main__":
    oracle.main()
