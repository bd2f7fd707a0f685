# cython: language_level=3
"""Functions in Cython that take time. Built by the test."""


cdef unsigned long long turn(unsigned long long number, int rounds):
    cdef int i
    for i in range(rounds):
        number = number * 1103515245 + i # in turn()
        number = number ^ (number >> 13)          # in turn()
    return number


class Grinder:
    def grind(self, start):
        return turn(start, 1000000) # in grind()


def work():
    total = 0
    with_lambda = lambda value: Grinder().grind(value)
    for start in range(10):
        total += with_lambda(start) # in work()
    return total
