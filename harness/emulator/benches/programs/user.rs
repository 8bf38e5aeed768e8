//! The measured user programs.

/// Name, text, and instructions that one round takes, roughly: to choose the number of rounds.
pub(crate) const PROGRAMS: [(&str, &str, u64); 5] = [
    ("compute", COMPUTE, 19),
    ("mixed", MIXED, 280_000),
    ("memory", MEMORY, 11),
    ("system calls", SYSTEM_CALLS, 185),
    ("lazy faults", LAZY_FAULTS, 3_220_000),
];

/// Registers only: a generator of random numbers, and branches on them.
const COMPUTE: &str = "
    li s0, rounds
    li s1, 0x9e3779b97f4a7c15
    li s2, 1
    again:
    slli t0, s2, 13
    xor s2, s2, t0
    srli t0, s2, 7
    xor s2, s2, t0
    slli t0, s2, 17
    xor s2, s2, t0
    mul t1, s2, s1
    srli t2, t1, 60
    add s3, s3, t2
    andi t3, t1, 8
    beqz t3, skip
    addi s4, s4, 1
    xor s3, s3, s4
    skip:
    sltu t4, s3, s2
    add s5, s5, t4
    addi s0, s0, -1
    bnez s0, again
    li a7, 2
    ecall
";

/// Work on 32 KiB: fill with random words, sum, and sieve, with calls, bytes and branches.
const MIXED: &str = "
    li s0, rounds
    li s1, data_start
    li s2, 0x9e3779b97f4a7c15
    round:
    mv a0, s1                   # 4096 random words
    li a1, 4096
    jal ra, scatter
    mv a0, s1
    li a1, 4096
    jal ra, sum
    add s4, s4, a0
    jal ra, sieve
    add s5, s5, a0
    addi s0, s0, -1
    bnez s0, round
    li a7, 2
    ecall

    scatter:
    mul s3, s3, s2
    addi s3, s3, 11
    srli t0, s3, 32
    sd t0, 0(a0)
    addi a0, a0, 8
    addi a1, a1, -1
    bnez a1, scatter
    ret

    sum:
    li t0, 0
    summing:
    ld t1, 0(a0)
    andi t2, t1, 1
    beqz t2, even
    sub t0, t0, t1
    j next
    even:
    add t0, t0, t1
    next:
    addi a0, a0, 8
    addi a1, a1, -1
    bnez a1, summing
    mv a0, t0
    ret

    sieve:                      # primes below 16384, a byte each
    mv t0, s1
    li t1, 16384
    add t1, t1, t0
    clear:
    sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, clear
    li t0, 2
    li a0, 0
    candidate:
    add t2, s1, t0
    lbu t3, 0(t2)
    bnez t3, composite
    addi a0, a0, 1
    add t2, t2, t0
    li t4, 1
    strike:
    bgeu t2, t1, composite
    sb t4, 0(t2)
    add t2, t2, t0
    j strike
    composite:
    addi t0, t0, 1
    add t2, s1, t0
    bltu t2, t1, candidate
    ret
";

/// Words of 32 MiB in random order: a new page at each access.
const MEMORY: &str = "
    li s0, rounds
    li s1, data_start
    li s2, 0x5851f42d4c957f2d
    li s3, 1
    again:
    mul s3, s3, s2
    addi s3, s3, 1013
    srli t0, s3, 39             # 25 bits: 32 MiB
    andi t0, t0, -8
    add t0, t0, s1
    ld t1, 0(t0)
    add s4, s4, t1
    addi t1, t1, 1
    sd t1, 0(t0)
    addi s0, s0, -1
    bnez s0, again
    li a7, 2
    ecall
";

/// The cheapest system call, over and over.
const SYSTEM_CALLS: &str = "
    li s0, rounds
    again:
    li a7, 0
    ecall
    add s1, s1, a0
    addi s0, s0, -1
    bnez s0, again
    li a7, 2
    ecall
";

/// First touches of 256 pages, then all are given back.
const LAZY_FAULTS: &str = "
    li s0, rounds
    round:
    li s1, lazy_start
    li s2, 256
    li s3, 4096
    touch:
    sb s2, 8(s1)
    add s1, s1, s3
    addi s2, s2, -1
    bnez s2, touch
    li a7, 1
    ecall
    addi s0, s0, -1
    bnez s0, round
    li a7, 2
    ecall
";
