"""Threads blocked in f-strings and starred lists. Needs Python 3.6."""
import oracle


@oracle.case
def f_string_lines():
    return (
        f"{1}"
        f"{oracle.block(2)} "
        f"{3:>{4}}"
    )


@oracle.case
def f_string_width():
    width = 4
    return f"""first
    {width:>{
    oracle.block(width)
    }}
    last"""


@oracle.case
def starred():
    return [
        *range(2),
        *oracle.block(
            ()
        ),
    ]


if __name__ == "__main__":
    oracle.main()
