"""Threads blocked in code made at run time: exec, eval, compile, with file names and lines of its own."""
import ast
import random
import textwrap
import types

import oracle
from code_objects import replaced

NAMESPACE = {"oracle": oracle}


def compiled(source, filename):
    return compile(textwrap.dedent(source), filename, "exec")


@oracle.case
def exec_string():
    exec("first = 1\noracle.block(\n    first\n)\n", dict(NAMESPACE))


@oracle.case
def eval_string():
    return eval("(1,\n oracle.block(2),\n 3)", dict(NAMESPACE))


@oracle.case
def eval_lambda():
    return eval("(lambda value: [oracle.block(each)\n for each in value])", dict(NAMESPACE))([1])


@oracle.case
def exec_in_exec():
    source = "exec('\\n\\noracle.block()')"
    exec(
        "def outer():\n"
        "    exec(%r, {'oracle': oracle})\n"
        "outer()\n" % source,
        dict(NAMESPACE),
    )


@oracle.case
def custom_file_name():
    exec(compiled("""
        def outer():
            return inner()


        def inner():
            return oracle.block()


        outer()
        """, "a folder/that is not/there.py"), dict(NAMESPACE))


@oracle.case
def empty_file_name():
    exec(compiled("\noracle.block()", ""), dict(NAMESPACE))


@oracle.case
def odd_file_names():
    """One frame for each name; the innermost blocks."""
    names = ["<angle>", "semi;colon", "new\nline", "tab\tand \"quotes\"", "per%cent&amp;", "back\\slash", " ", "/" * 40]
    call = oracle.block
    for name in names:
        namespace = {"call": call}
        exec(compiled("def step():\n    return call()\n", name), namespace)
        call = namespace["step"]
    call()


@oracle.case
def escapes_in_file_name():
    code = compiled("\n\noracle.block()", "<string>")
    exec(replaced(code, co_filename="\x1b[31mred\x07\u202e\u2028"), dict(NAMESPACE))


@oracle.case
def null_in_file_name():
    code = compiled("\n\noracle.block()", "<string>")
    exec(replaced(code, co_filename="first\x00second"), dict(NAMESPACE))


@oracle.case
def replaced_names():
    """Names that no source text could hold."""
    def inner():
        return oracle.block()

    names = dict(co_name="two words; (and:1)\n<b>")
    if hasattr(inner.__code__, "co_qualname"):
        names["co_qualname"] = "Class.two words; (and:1)\n<b>"
    return types.FunctionType(replaced(inner.__code__, **names), globals(), closure=inner.__closure__)()


@oracle.case
def first_line_far_down():
    exec(compile("\n" * 70000 + "def far():\n    oracle.block()\nfar()\n", "far.py", "exec"), dict(NAMESPACE))


@oracle.case
def line_beyond_a_million():
    tree = ast.parse("def far():\n    first = 1\n    oracle.block(first)\nfar()\n")
    ast.increment_lineno(tree, 5000000)
    exec(compile(tree, "million.py", "exec"), dict(NAMESPACE))


def jumping_source(seed, statements=60):
    """A function whose statements claim lines that jump up and down; the last of them blocks."""
    numbers = random.Random(seed)
    body = ["    value = len('a') + %d" % index for index in range(statements)]
    body.insert(statements // 2, "    if value: oracle.block(value)")
    tree = ast.parse("def jumping():\n%s\njumping()\n" % "\n".join(body))
    for statement in tree.body[0].body:
        line = numbers.choice([numbers.randint(1, 100), numbers.randint(1, 30000)])
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = line
    return compile(tree, "jumping%d.py" % seed, "exec")


def jumping_lines(seed):
    def run():
        exec(jumping_source(seed), dict(NAMESPACE))

    run.__name__ = "jumping_lines_%d" % seed
    return run


for each in range(12):
    oracle.case(jumping_lines(each))


if __name__ == "__main__":
    oracle.main()
