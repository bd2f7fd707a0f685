"""Functions a_k that call b_k and nobody else, as fast as they can: a stack in which b_k's caller is not a_k is false.

Runs and reports as rounds.py does; a round is PAIRS * INNER calls of a_k.
"""
import rounds

PAIRS = 8
INNER = 20


def b_0(): pass
def b_1(): pass
def b_2(): pass
def b_3(): pass
def b_4(): pass
def b_5(): pass
def b_6(): pass
def b_7(): pass


def a_0(): b_0(); b_0(); b_0()
def a_1(): b_1(); b_1(); b_1()
def a_2(): b_2(); b_2(); b_2()
def a_3(): b_3(); b_3(); b_3()
def a_4(): b_4(); b_4(); b_4()
def a_5(): b_5(); b_5(); b_5()
def a_6(): b_6(); b_6(); b_6()
def a_7(): b_7(); b_7(); b_7()


def one_round():
    for _ in range(INNER):
        a_0()
        a_1()
        a_2()
        a_3()
        a_4()
        a_5()
        a_6()
        a_7()


if __name__ == "__main__":
    rounds.run(one_round, batch=50)
