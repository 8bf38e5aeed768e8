//! A deterministic RV64 machine with snapshots: harts, memory management, devices.
