//! Loops over many numbers → the same loops, compiled for the instructions of this machine.
//!
//! A program is built for the oldest processors it may meet. Here work is compiled a second time,
//! for processors that take eight numbers of four bytes at once, and that one is run where it can
//! be. Nothing is contracted or reordered for it: the answers are the same to the last bit.

/// Does work by the widest instructions there are. All that `work` calls in its loops must be
/// `#[inline(always)]`, and so must `work` itself: only what becomes part of it is compiled twice.
#[inline]
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "instructions are used only after they were detected")
)]
pub(super) fn widely<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the one feature that the function is compiled for was just asked for.
        return unsafe { with_avx2(work) };
    }
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the instructions of its caller"
    )]
    fn fitted(levels: &[f32]) -> [f32; 8] {
        let mut sums = [0.0; 8];
        for eight in levels.as_chunks::<8>().0 {
            for (sum, level) in sums.iter_mut().zip(eight) {
                *sum += level * 1.1 + level * level;
            }
        }
        sums
    }

    #[test]
    fn wide_work_gives_the_same_answer_to_the_last_bit() {
        let levels: Vec<f32> = (0..4096_u16).map(|at| f32::from(at).sqrt() * 0.7).collect();

        let wide = widely(
            #[inline(always)]
            || fitted(&levels),
        );

        assert_eq!(wide.map(f32::to_bits), fitted(&levels).map(f32::to_bits));
    }
}
