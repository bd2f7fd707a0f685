"""Functions r_k that all go through m to x_k, as fast as they can: a stack r_1;m;x_2 is false.

m's frame is at the same place in every stack, so a reader that mixes two instants finds nothing odd in any one frame.
Runs and reports as rounds.py does.
"""
import rounds

INNER = 20


def x_0(): pass
def x_1(): pass
def x_2(): pass
def x_3(): pass
def x_4(): pass
def x_5(): pass
def x_6(): pass
def x_7(): pass


def m(function):
    function()


def r_0(): m(x_0); m(x_0)
def r_1(): m(x_1); m(x_1)
def r_2(): m(x_2); m(x_2)
def r_3(): m(x_3); m(x_3)
def r_4(): m(x_4); m(x_4)
def r_5(): m(x_5); m(x_5)
def r_6(): m(x_6); m(x_6)
def r_7(): m(x_7); m(x_7)


def one_round():
    for _ in range(INNER):
        r_0()
        r_1()
        r_2()
        r_3()
        r_4()
        r_5()
        r_6()
        r_7()


if __name__ == "__main__":
    rounds.run(one_round, batch=50)
