//! Known sets.
