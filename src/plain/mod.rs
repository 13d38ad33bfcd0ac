//! The plain implementation.
