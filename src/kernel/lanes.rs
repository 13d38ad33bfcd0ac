//! Vector registers: a few numbers that one instruction works on.

use std::fmt::Debug;

use super::math::Real;

/// A number that our kernels compute with: `f32` or `f64`.
pub trait Number: Real + Default {
    /// A register of AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Lanes<Number = Self>;
    /// A register of AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Lanes<Number = Self>;
    /// An array, for every CPU.
    type Portable: Lanes<Number = Self>;
}

/// The numbers of a vector register.
pub trait Lanes: Copy + Debug + Send + Sync {
    /// The type of the numbers.
    type Number: Number;

    /// The number of lanes.
    const COUNT: usize;

    /// Whether the CPU multiplies and adds in one instruction.
    const FUSED: bool;

    /// The height in registers and the width in columns of the largest tile of a product whose sums, with their operands,
    /// fit into the CPU's registers.
    const TILE: (usize, usize);

    /// A register with the same number in all lanes.
    fn splat(number: Self::Number) -> Self;

    /// Loads the numbers at `place`.
    ///
    /// # Safety
    ///
    /// [`Lanes::COUNT`] numbers can be read there.
    unsafe fn load(place: *const Self::Number) -> Self;

    /// Stores the numbers at `place`.
    ///
    /// # Safety
    ///
    /// [`Lanes::COUNT`] numbers can be written there.
    unsafe fn store(self, place: *mut Self::Number);

    /// self x + y, rounded once where [`Lanes::FUSED`].
    fn mul_add(self, x: Self, y: Self) -> Self;

    /// self + x.
    fn add(self, x: Self) -> Self;

    /// Loads the first `count` numbers at `place`, at most [`Lanes::COUNT`]; the other lanes are 0.
    ///
    /// # Safety
    ///
    /// `count` numbers can be read there.
    #[inline(always)]
    unsafe fn load_first(place: *const Self::Number, count: usize) -> Self {
        if count >= Self::COUNT {
            // SAFETY: by this function's contract.
            return unsafe { Self::load(place) };
        }
        let mut numbers = [Self::Number::default(); MOST_LANES];
        // SAFETY: by this function's contract; a register has at most MOST_LANES numbers.
        unsafe {
            place.copy_to_nonoverlapping(numbers.as_mut_ptr(), count);
            Self::load(numbers.as_ptr())
        }
    }

    /// Stores the first `count` numbers at `place`, at most [`Lanes::COUNT`].
    ///
    /// # Safety
    ///
    /// `count` numbers can be written there.
    #[inline(always)]
    unsafe fn store_first(self, place: *mut Self::Number, count: usize) {
        if count >= Self::COUNT {
            // SAFETY: by this function's contract.
            return unsafe { self.store(place) };
        }
        let mut numbers = [Self::Number::default(); MOST_LANES];
        // SAFETY: by this function's contract; a register has at most MOST_LANES numbers.
        unsafe {
            self.store(numbers.as_mut_ptr());
            place.copy_from_nonoverlapping(numbers.as_ptr(), count);
        }
    }

    /// The sum of all lanes, added in a fixed order.
    #[inline(always)]
    fn sum(self) -> Self::Number {
        let mut numbers = [Self::Number::default(); MOST_LANES];
        // SAFETY: a register has at most MOST_LANES numbers.
        unsafe { self.store(numbers.as_mut_ptr()) };
        let mut half = Self::COUNT / 2;
        while half > 0 {
            for lane in 0..half {
                numbers[lane] += numbers[lane + half];
            }
            half /= 2;
        }
        numbers[0]
    }
}

/// The largest number of lanes of any register.
const MOST_LANES: usize = 16;

impl Number for f32 {
    #[cfg(target_arch = "x86_64")]
    type Avx512 = x86::F32x16;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = x86::F32x8;
    type Portable = [f32; 4];
}

impl Number for f64 {
    #[cfg(target_arch = "x86_64")]
    type Avx512 = x86::F64x8;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = x86::F64x4;
    type Portable = [f64; 4];
}

impl<T: Number> Lanes for [T; 4] {
    type Number = T;
    const COUNT: usize = 4;
    const FUSED: bool = cfg!(target_arch = "aarch64");
    const TILE: (usize, usize) = (2, 4);

    #[inline(always)]
    fn splat(number: T) -> Self {
        [number; 4]
    }

    #[inline(always)]
    unsafe fn load(place: *const T) -> Self {
        // SAFETY: by this function's contract; an array is aligned as its element.
        unsafe { place.cast::<Self>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, place: *mut T) {
        // SAFETY: by this function's contract; an array is aligned as its element.
        unsafe { place.cast::<Self>().write(self) }
    }

    #[inline(always)]
    fn mul_add(self, x: Self, y: Self) -> Self {
        let mut sums = y;
        for lane in 0..4 {
            sums[lane] = if Self::FUSED {
                self[lane].mul_add(x[lane], y[lane])
            } else {
                self[lane] * x[lane] + y[lane]
            };
        }
        sums
    }

    #[inline(always)]
    fn add(self, x: Self) -> Self {
        let mut sums = self;
        for lane in 0..4 {
            sums[lane] += x[lane];
        }
        sums
    }
}

/// The registers of x86. Values of these types are made only in functions that are compiled for their instruction set,
/// which the module `simd` calls only where the CPU has it.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::Lanes;

    macro_rules! register {
        ($(#[$doc:meta])* $name:ident($register:ty): $count:literal $number:ty, $tile:expr,
         $splat:ident $load:ident $store:ident $mul_add:ident $add:ident $load_first:ident
         $(, $mask:ident $masked_store:ident $sum:ident)?) => {
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name($register);

            impl Lanes for $name {
                type Number = $number;
                const COUNT: usize = $count;
                const FUSED: bool = true;
                const TILE: (usize, usize) = $tile;

                #[inline(always)]
                fn splat(number: $number) -> Self {
                    // SAFETY: runs only where the CPU has the instruction set.
                    unsafe { $name($splat(number)) }
                }

                #[inline(always)]
                unsafe fn load(place: *const $number) -> Self {
                    // SAFETY: as above, and by this function's contract; the place need not be aligned.
                    unsafe { $name($load(place)) }
                }

                #[inline(always)]
                unsafe fn store(self, place: *mut $number) {
                    // SAFETY: as above.
                    unsafe { $store(place, self.0) }
                }

                #[inline(always)]
                fn mul_add(self, x: Self, y: Self) -> Self {
                    // SAFETY: runs only where the CPU has the instruction set.
                    unsafe { $name($mul_add(self.0, x.0, y.0)) }
                }

                #[inline(always)]
                fn add(self, x: Self) -> Self {
                    // SAFETY: runs only where the CPU has the instruction set.
                    unsafe { $name($add(self.0, x.0)) }
                }

                #[inline(always)]
                unsafe fn load_first(place: *const $number, count: usize) -> Self {
                    // SAFETY: as above.
                    unsafe { $name($load_first(place, count)) }
                }

                $(
                    #[inline(always)]
                    unsafe fn store_first(self, place: *mut $number, count: usize) {
                        // SAFETY: as above.
                        unsafe { $masked_store(place, $mask(count), self.0) }
                    }

                    #[inline(always)]
                    fn sum(self) -> $number {
                        // SAFETY: runs only where the CPU has the instruction set.
                        unsafe { $sum(self.0) }
                    }
                )?
            }
        };
    }

    /// A mask of the first `count` lanes, or of all.
    #[inline(always)]
    fn bits_16(count: usize) -> __mmask16 {
        if count >= 16 { u16::MAX } else { (1 << count) - 1 }
    }

    /// As [`bits_16`].
    #[inline(always)]
    fn bits_8(count: usize) -> __mmask8 {
        if count >= 8 { u8::MAX } else { (1 << count) - 1 }
    }

    /// As [`bits_16`].
    /// The first `count` of 16 numbers; the other lanes are 0.
    ///
    /// # Safety
    ///
    /// `count` numbers can be read there; the CPU has AVX-512.
    #[inline(always)]
    unsafe fn first_of_16(place: *const f32, count: usize) -> __m512 {
        // SAFETY: by this function's contract; the instruction touches only the places of the mask.
        unsafe { _mm512_maskz_loadu_ps(bits_16(count), place) }
    }

    /// As [`first_of_16`], of 8 numbers.
    #[inline(always)]
    unsafe fn first_of_8_wide(place: *const f64, count: usize) -> __m512d {
        // SAFETY: as above.
        unsafe { _mm512_maskz_loadu_pd(bits_8(count), place) }
    }

    /// As [`first_of_16`], of 8 numbers, with AVX2, whose masked load is slower than the load of a whole register.
    #[inline(always)]
    unsafe fn first_of_8(place: *const f32, count: usize) -> __m256 {
        const LANES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: as above; 8 numbers of the list are left from the mask's first one on.
        unsafe {
            if count >= 8 {
                return _mm256_loadu_ps(place);
            }
            _mm256_maskload_ps(place, _mm256_loadu_si256(LANES[8 - count..].as_ptr().cast()))
        }
    }

    /// As [`first_of_8`], of 4 numbers.
    #[inline(always)]
    unsafe fn first_of_4(place: *const f64, count: usize) -> __m256d {
        const LANES: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
        // SAFETY: as above; 4 numbers of the list are left from the mask's first one on.
        unsafe {
            if count >= 4 {
                return _mm256_loadu_pd(place);
            }
            _mm256_maskload_pd(place, _mm256_loadu_si256(LANES[4 - count..].as_ptr().cast()))
        }
    }

    register!(
        /// 16 `f32` of AVX-512.
        F32x16(__m512): 16 f32, (3, 8), _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_fmadd_ps _mm512_add_ps
        first_of_16, bits_16 _mm512_mask_storeu_ps _mm512_reduce_add_ps
    );
    register!(
        /// 8 `f64` of AVX-512.
        F64x8(__m512d): 8 f64, (3, 8), _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_fmadd_pd _mm512_add_pd
        first_of_8_wide, bits_8 _mm512_mask_storeu_pd _mm512_reduce_add_pd
    );
    register!(
        /// 8 `f32` of AVX2.
        F32x8(__m256): 8 f32, (2, 6), _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_fmadd_ps _mm256_add_ps
        first_of_8
    );
    register!(
        /// 4 `f64` of AVX2.
        F64x4(__m256d): 4 f64, (2, 6), _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_fmadd_pd _mm256_add_pd
        first_of_4
    );
}
