"""Code objects with other names than their source text gave them."""

#: What types.CodeType takes up to Python 3.7, in its order.
FIELDS = ("argcount", "kwonlyargcount", "nlocals", "stacksize", "flags", "code", "consts", "names", "varnames",
          "filename", "name", "firstlineno", "lnotab", "freevars", "cellvars")


def replaced(code, **fields):
    """code.replace(), which came with 3.8."""
    if hasattr(code, "replace"):
        return code.replace(**fields)
    names = ["co_" + name for name in FIELDS if hasattr(code, "co_" + name)]
    return type(code)(*[fields.get(name, getattr(code, name)) for name in names])
