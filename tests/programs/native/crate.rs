// SPDX-License-Identifier: MIT
// Rust functions that take time: a method of a generic type, behind a C door. Built by the test.

pub struct Wheel<T> {
    value: T,
}

impl Wheel<u64> {
    #[inline(never)]
    pub fn roll(&mut self, rounds: u64) -> u64 {
        for round in 0..rounds {
            self.value = self.value.wrapping_mul(6364136223846793005).wrapping_add(round);
            self.value ^= self.value >> 13;
        }
        self.value
    }
}

#[no_mangle]
pub extern "C" fn work() -> u64 {
    let mut wheel = Wheel { value: 42 };
    wheel.roll(10_000_000) + 1 // in work()
}
