//! Appendix A.
