//! Numbers as bytes of a file, in any floating-point type.

use std::io::{self, Write};

use safetensors::Dtype;

use crate::element::Element;

/// Returns the type that numbers of `T` are written as.
pub(super) fn dtype_of<T: Element>() -> Dtype {
    if size_of::<T>() == size_of::<f32>() {
        Dtype::F32
    } else {
        Dtype::F64
    }
}

/// Writes these numbers, little-endian.
pub(super) fn write_numbers<'a, T: Element>(
    mut values: impl Iterator<Item = &'a T>,
    writer: &mut impl Write,
) -> io::Result<()> {
    match dtype_of::<T>() {
        // Exact: these are f32 already.
        Dtype::F32 => values.try_for_each(|value| writer.write_all(&(value.as_f64() as f32).to_le_bytes())),
        _ => values.try_for_each(|value| writer.write_all(&value.as_f64().to_le_bytes())),
    }
}

/// Converts bytes to the nearest numbers of `T`; `None` for a type that is not a floating-point one.
pub(super) fn from_bytes<T: Element>(dtype: Dtype, bytes: &[u8]) -> Option<Vec<T>> {
    Some(match dtype {
        Dtype::F64 => numbers(bytes, f64::from_le_bytes),
        Dtype::F32 => numbers(bytes, |bytes| f32::from_le_bytes(bytes).into()),
        // The upper half of an f32.
        Dtype::BF16 => numbers(bytes, |[low, high]| f32::from_le_bytes([0, 0, low, high]).into()),
        Dtype::F16 => numbers(bytes, |bytes| half(u16::from_le_bytes(bytes))),
        _ => return None,
    })
}

fn numbers<T: Element, const BYTES: usize>(bytes: &[u8], number: impl Fn([u8; BYTES]) -> f64) -> Vec<T> {
    let (words, _) = bytes.as_chunks::<BYTES>();
    words.iter().map(|&word| T::from_f64(number(word))).collect()
}

/// Converts a number of IEEE 754's binary16: a sign bit, 5 of the exponent, 10 of the fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    sign * match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read() {
        // Bits as Python's struct.pack("<e", value) gives them.
        for (bits, value) in [
            (0x0000, 0.0),
            (0x8000, -0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_953_125),
            (0x7bff, 65504.0),
            (0x0001, 2_f64.powi(-24)),
            (0x03ff, 1023.0 * 2_f64.powi(-24)),
            (0x0400, 2_f64.powi(-14)),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), f64::to_bits(value), "{bits:#06x}");
        }
        assert!(half(0x7c01).is_nan());
    }

    #[test]
    fn every_type_gives_the_nearest_number() {
        let bytes = 0.1_f64.to_le_bytes();
        assert_eq!(from_bytes::<f64>(Dtype::F64, &bytes), Some(vec![0.1]));
        assert_eq!(from_bytes::<f32>(Dtype::F64, &bytes), Some(vec![0.1]));
        assert_eq!(
            from_bytes::<f64>(Dtype::F32, &0.1_f32.to_le_bytes()),
            Some(vec![f64::from(0.1_f32)])
        );
        // 0.1 in bfloat16 is 0x3dcd.
        assert_eq!(
            from_bytes::<f32>(Dtype::BF16, &[0xcd, 0x3d]),
            Some(vec![f32::from_bits(0x3dcd_0000)])
        );
        assert_eq!(from_bytes::<f32>(Dtype::F16, &[0x00, 0x3c]), Some(vec![1.0]));
        assert_eq!(from_bytes::<f32>(Dtype::I32, &bytes), None);
        let mut written = Vec::new();
        write_numbers([0.1_f32].iter(), &mut written).unwrap();
        write_numbers([0.1_f64].iter(), &mut written).unwrap();
        assert_eq!(written, [&0.1_f32.to_le_bytes()[..], &bytes].concat());
    }
}
