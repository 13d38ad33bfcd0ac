//! Drawn digits.
