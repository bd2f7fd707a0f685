// SPDX-License-Identifier: MIT
// Methods and templates that are inlined, without a header of the C++ library. The labels say where; lines count.
extern volatile int seen;
volatile int seen;

namespace space
{
template <class T> struct Box {
    T value;
    __attribute__((always_inline)) T get(int times)
    {
        __asm__ volatile(".globl mark_get\nmark_get:\n nop"); // line 12
        return value * times;
    }
    __attribute__((noinline)) T twice(int times)
    {
        __asm__ volatile(".globl mark_twice\nmark_twice:\n nop"); // line 17
        seen = times;
        return get(times); // line 19
    }
};

int outer(int value)
{
    Box<int> box{value};
    return box.twice(value) + 1;
}
} // namespace space

extern "C" int entry(int value)
{
    return space::outer(value);
}
