# cython: language_level=3
"""Functions in Cython that take time. Built by the test."""


cdef unsigned long long turn(unsigned long long number, int rounds):
    cdef int i
    for i in range(rounds):
        number = number * 1103515245 + i  # line of turn()
        number = number ^ (number >> 13)           # line of turn()
    return number


class Grinder:
    def grind(self, start):
        return turn(start, 1000000)  # line of grind()


def work():
    total = 0
    with_lambda = lambda value: Grinder().grind(value)
    for start in range(10):
        total += with_lambda(start)  # line of work()
    return total
