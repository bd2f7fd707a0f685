"""Threads blocked in match statements. Needs Python 3.10."""
import oracle


class Point:
    __match_args__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right


class Watched:
    @property
    def attribute(self):
        return oracle.block(1)


@oracle.case
def subject():
    match oracle.block(
        1
    ):
        case 1:
            return 1


@oracle.case
def guard():
    match [1, 2]:
        case [first]:
            return first
        case [first, second] if (
            first
            and oracle.block(second)
        ):
            return second


@oracle.case
def body():
    match Point(1, 2):
        case Point(1, 3):
            return 1
        case Point(
            left=1,
            right=right,
        ):
            return oracle.block(
                right
            )


@oracle.case
def pattern_attribute():
    match Watched():
        case int():
            return 1
        case Watched(
            attribute=2
        ):
            return 2
        case _:
            return 3


@oracle.case
def instance_check():
    class Meta(type):
        def __instancecheck__(cls, instance):
            return oracle.block(True)

    class Checked(metaclass=Meta):
        pass

    match 1:
        case str():
            return 1
        case Checked():
            return 2


@oracle.case
def nested():
    match {"key": [1, Point(2, 3)]}:
        case {"key": [1, Point(left, right)], **rest}:
            match left:
                case 2 | 3:
                    match right:
                        case 3:
                            return oracle.block(rest)


@oracle.case
def last_case():
    match "text":
        case "other":
            return 1
        case 1 | 2 | None:
            return 2
        case _:
            oracle.block()


@oracle.case
def parenthesised_managers():
    class Manager:
        def __enter__(self):
            return oracle.block(self)

        def __exit__(self, *exception):
            return None

    with (
        open("/dev/null") as first,
        Manager() as second,
    ):
        return first, second


if __name__ == "__main__":
    oracle.main()
