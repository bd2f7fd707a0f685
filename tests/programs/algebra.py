"""A real program: sympy (Debian's python3-sympy), a big package in pure Python, expands, differentiates and factors.

sympy's caches are cleared each round, so that every round does the same. The account has what each part used; runs
and reports as rounds.py does. Needs Python 3.7.
"""
import rounds
import sympy
from sympy.core.cache import clear_cache

account = rounds.Account("expanding", "differentiating", "factoring")
x, y = sympy.symbols("x y")


def expanding(power):
    return ((x + y + 1) ** power).expand()


def differentiating(times):
    return (sympy.sin(x * y) * sympy.exp(x) / (1 + y * y)).diff(x, times)


def factoring(power):
    return sympy.factor(x ** power - 1)


def one_round():
    clear_cache()
    account.call(expanding, 6)
    account.call(differentiating, 3)
    account.call(factoring, 12)


if __name__ == "__main__":
    rounds.run(one_round, account)
