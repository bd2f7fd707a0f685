"""Functions u_k that use generators g_k, as fast as they can: nobody but u_k resumes g_k.

Generator frames are not where the frames of calls are, and come and go with each value. Runs and reports as rounds.py does.
"""
import rounds

INNER = 20


def g_0(): yield 0; yield 1; yield 2
def g_1(): yield 0; yield 1; yield 2
def g_2(): yield 0; yield 1; yield 2
def g_3(): yield 0; yield 1; yield 2
def g_4(): yield 0; yield 1; yield 2
def g_5(): yield 0; yield 1; yield 2
def g_6(): yield 0; yield 1; yield 2
def g_7(): yield 0; yield 1; yield 2


def u_0():
    for _ in g_0(): pass
def u_1():
    for _ in g_1(): pass
def u_2():
    for _ in g_2(): pass
def u_3():
    for _ in g_3(): pass
def u_4():
    for _ in g_4(): pass
def u_5():
    for _ in g_5(): pass
def u_6():
    for _ in g_6(): pass
def u_7():
    for _ in g_7(): pass


def one_round():
    for _ in range(INNER):
        u_0()
        u_1()
        u_2()
        u_3()
        u_4()
        u_5()
        u_6()
        u_7()


if __name__ == "__main__":
    rounds.run(one_round, batch=50)
