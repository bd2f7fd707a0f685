"""Threads blocked inside coroutines: awaits, tasks, async generators, comprehensions and context managers. Needs Python 3.6."""
import asyncio
import contextlib
import functools
import sys
import threading

import oracle


def run_in_new_loop(coroutine):
    """asyncio.run(), which came with 3.7."""
    if hasattr(asyncio, "run"):
        return asyncio.run(coroutine)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def runs_in_event_loop(coroutine_function, since=(3, 6)):
    """A case that runs its coroutine in an event loop of its own."""
    def run():
        return run_in_new_loop(coroutine_function())

    run.__name__ = coroutine_function.__name__
    oracle.case(run, since=since)
    return coroutine_function


async def awaiting(depth):
    if depth:
        return await awaiting(
            depth - 1
        )
    await asyncio.sleep(0)
    return oracle.block(1)


async def numbers(count):
    for value in range(count):
        await asyncio.sleep(0)
        yield value
    oracle.block()


@runs_in_event_loop
async def plain():
    oracle.block()


@runs_in_event_loop
async def await_chain():
    return await awaiting(10)


@runs_in_event_loop
async def await_chain_of_thirty():
    return (
        1 + await awaiting(
            30
        )
    )


@runs_in_event_loop
async def task():
    return await asyncio.ensure_future(awaiting(3))


@runs_in_event_loop
async def gathered():
    async def quick():
        await asyncio.sleep(0)

    return await asyncio.gather(
        quick(),
        awaiting(2),
        quick(),
    )


@runs_in_event_loop
async def async_for():
    total = 0
    async for value in numbers(3):
        total += value
    return total


@runs_in_event_loop
async def async_comprehension():
    return [
        value
        async for value in numbers(2)
        if value
    ]


@runs_in_event_loop
async def await_in_comprehension():
    return {
        key: await awaiting(
            key
        )
        for key in range(1)
    }


@runs_in_event_loop
async def async_generator_expression():
    values = (
        (value, await awaiting(1))
        async for value in numbers(2)
    )
    async for value in values:
        return value


@runs_in_event_loop
async def async_with():
    class Manager:
        async def __aenter__(self):
            await asyncio.sleep(0)
            return self

        async def __aexit__(self, *exception):
            await awaiting(1)

    async with Manager() as manager:
        await asyncio.sleep(0)
        del manager


@functools.partial(runs_in_event_loop, since=(3, 7))
async def async_context_manager():
    @contextlib.asynccontextmanager
    async def managed():
        yield 1
        await awaiting(1)

    async with managed(), \
            managed():
        await asyncio.sleep(0)


@runs_in_event_loop
async def async_generator_closed():
    async def generator():
        try:
            yield 1
        finally:
            await awaiting(1)

    running = generator()
    await running.__anext__()
    await running.aclose()


@runs_in_event_loop
async def async_generator_sent():
    async def generator():
        received = yield 1
        yield oracle.block(received)

    running = generator()
    await running.__anext__()
    return await running.asend(
        2
    )


async def awaiting_plainly(depth):
    if depth:
        return await awaiting_plainly(depth - 1)
    return oracle.block(0)


@oracle.case
def nine_hundred_deep():
    try:
        awaiting_plainly(900).send(None)
    except StopIteration:
        pass


@runs_in_event_loop
async def callback():
    loop = asyncio.get_event_loop()
    done = loop.create_future()
    loop.call_soon(lambda: done.set_result(oracle.block(1)))
    return await done


@runs_in_event_loop
async def suspended_tasks_beside():
    """Tasks that wait have no thread; the one that blocks is the thread's stack."""
    forever = asyncio.get_event_loop().create_future()

    async def suspended():
        await forever

    waiting = [asyncio.ensure_future(suspended()) for _ in range(10)]
    await asyncio.sleep(0)
    await awaiting(2)
    forever.set_result(None)
    await asyncio.gather(*waiting)


@oracle.case
def driven_by_hand():
    class Awaitable:
        def __await__(self):
            yield 1
            oracle.block()

    async def outer():
        await Awaitable()

    coroutine = outer()
    coroutine.send(None)
    try:
        coroutine.send(None)
    except StopIteration:
        pass


def event_loop_in_main_thread():
    run_in_new_loop(awaiting(5))


if __name__ == "__main__":
    sys.setrecursionlimit(9000)
    threading.stack_size(128 << 20)
    oracle.main(event_loop_in_main_thread)
