/* SPDX-License-Identifier: MIT */
/*
 * Functions that are inlined into each other, for the tests of DWARF's readers. The labels say where; what a debugger
 * tells there follows from this text. Lines count.
 */
extern volatile int seen;
volatile int seen;

static inline __attribute__((always_inline)) void innermost(int value)
{
    seen = value;
    __asm__ volatile(".globl mark_innermost\nmark_innermost:\n nop"); /* line 12 */
    seen = value + 1;
}

static inline __attribute__((always_inline)) void middle(int value)
{
    seen = value * 3;
    innermost(value);                                           /* line 19 */
    __asm__ volatile(".globl mark_middle\nmark_middle:\n nop"); /* line 20 */
}

__attribute__((noinline)) static int hidden(int value)
{
    __asm__ volatile(".globl mark_hidden\nmark_hidden:\n nop"); /* line 25 */
    for (int i = 0; i < value; i++)
        seen += i * value;
    return seen;
}

__attribute__((noinline)) int outermost(int value);
int outermost(int value)
{
    int result = hidden(value);
    middle(value);                                                    /* line 35 */
    __asm__ volatile(".globl mark_outermost\nmark_outermost:\n nop"); /* line 36 */
    return result + seen;
}

int second(int value);
int second(int value)
{
    return hidden(value) + outermost(value);
}
