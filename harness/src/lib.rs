//! Joins the kernel in its machine with the oracle: drives cases, judges, minimises, reports.
