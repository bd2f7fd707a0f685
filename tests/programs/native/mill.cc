// SPDX-License-Identifier: MIT
// C++ functions that take time: a template, a method in a namespace, and one that is inlined. Built by the test.
#include <cstdint>
#include <vector>

namespace mill
{

template <typename Number> class Stone
{
  public:
    explicit Stone(Number number) : number_(number)
    {
    }
    __attribute__((noinline)) Number grind(int rounds);

  private:
    inline __attribute__((always_inline)) void turn(int round)
    {
        number_ = number_ * 6364136223846793005u + static_cast<Number>(round);
        number_ ^= number_ >> 13;
    }
    Number number_;
};

template <typename Number> Number Stone<Number>::grind(int rounds)
{
    for (int round = 0; round < rounds; round++)
        turn(round); // in grind()
    return number_;
}

__attribute__((noinline)) uint64_t run(const std::vector<int> &rounds)
{
    uint64_t sum = 0;
    for (int count : rounds)
        sum += Stone<uint64_t>(sum).grind(count); // in run()
    return sum + 1;
}

} // namespace mill

extern "C" __attribute__((visibility("default"))) unsigned long long work(void)
{
    return mill::run(std::vector<int>(1, 10000000));
}
