//! The C extension: every 16-bit form, and those that are reserved.

use crate::support::table::check;

#[test]
fn arithmetic() {
    check(
        "
        sp=0x1000            | c.addi4spn a0, sp, 4       => a0=0x1004
        sp=0x1000            | c.addi4spn s0, sp, 1020    => s0=0x13fc
        a0=5                 | c.addi a0, 31              => a0=36
        a0=5                 | c.addi a0, -32             => a0=-27
        t6=-1                | c.addi t6, 1               => t6=0
        a0=0x7fffffff        | c.addiw a0, 1              => a0=0xffffffff80000000
        a0=0x1_8000_0001     | c.addiw a0, 0              => a0=0xffffffff80000001
        a0=-1                | c.addiw a0, -32            => a0=-33
                             | c.li a0, 31                => a0=31
                             | c.li t6, -32               => t6=-32
        sp=0x1000            | c.addi16sp sp, 496         => sp=0x11f0
        sp=0x1000            | c.addi16sp sp, -512        => sp=0xe00
                             | c.lui a0, 1                => a0=0x1000
                             | c.lui t6, 31               => t6=0x1f000
                             | c.lui a0, 0xfffe0          => a0=0xfffffffffffe0000
                             | c.lui a0, 0xfffff          => a0=-4096
        a0=0x8000000000000000 | c.srli a0, 63             => a0=1
        a0=0x80              | c.srli a0, 4               => a0=8
        a0=0x8000000000000000 | c.srai a0, 63             => a0=-1
        s0=-16               | c.srai s0, 2               => s0=-4
        a5=0xff              | c.andi a5, -32             => a5=0xe0
        a5=0xff              | c.andi a5, 31              => a5=31
        a0=7 a1=9            | c.sub a0, a1               => a0=-2
        a0=7 a1=9            | c.xor a0, a1               => a0=14
        a0=7 a1=9            | c.or a0, a1                => a0=15
        a0=7 a1=9            | c.and a0, a1               => a0=1
        a0=0x80000000 a1=1   | c.subw a0, a1              => a0=0x7fffffff
        a0=0x7fffffff a1=1   | c.addw a0, a1              => a0=0xffffffff80000000
        s0=3 s1=4            | c.addw s0, s1              => s0=7
        t0=3                 | c.slli t0, 63              => t0=0x8000000000000000
        t0=3                 | c.slli t0, 1               => t0=6
        t6=12                | c.mv a0, t6                => a0=12
        a0=1 t6=12           | c.add a0, t6               => a0=13
        a0=5                 | c.add a0, a0               => a0=10
        ",
    );
}

#[test]
fn loads_and_stores() {
    check(
        "
        a1=data w[0]=0x80000000   | c.lw a0, 0(a1)      => a0=0xffffffff80000000
        a1=data w[124]=77         | c.lw a0, 124(a1)    => a0=77
        a1=data w[64]=78          | c.lw s0, 64(a1)     => s0=78
        a1=data w[4]=79           | c.lw a5, 4(a1)      => a5=79
        a1=data d[0]=0x8000000000000001 | c.ld a0, 0(a1) => a0=0x8000000000000001
        s0=data d[248]=80         | c.ld s1, 248(s0)    => s1=80
        s0=data d[64]=81          | c.ld s1, 64(s0)     => s1=81
        a1=data a0=0x1122334455667788 | c.sw a0, 124(a1) => w[124]=0x55667788
        a1=data a0=0x1122334455667788 | c.sd a0, 248(a1) => d[248]=0x1122334455667788
        a1=data                   | c.sd a1, 8(a1)      => d[8]=data
        sp=data w[252]=0x80000000 | c.lwsp ra, 252(sp)  => ra=0xffffffff80000000
        sp=data w[64]=5           | c.lwsp t6, 64(sp)   => t6=5
        sp=data d[504]=6          | c.ldsp t6, 504(sp)  => t6=6
        sp=data d[256]=7          | c.ldsp sp, 256(sp)  => sp=7
        sp=data                   | c.swsp zero, 128(sp) => w[128]=0
        sp=data t6=0x1122334455667788 | c.swsp t6, 252(sp) => w[252]=0x55667788
        sp=data t6=0x1122334455667788 | c.sdsp t6, 504(sp) => d[504]=0x1122334455667788
        sp=data ra=3              | c.sdsp ra, 256(sp)  => d[256]=3
        ",
    );
}

#[test]
fn jumps_and_branches() {
    check(
        "
                          | c.j 2046          => pc=code+2046
                          | c.j -2048         => pc=code-2048
                          | c.j 2             => pc=code+2
        a0=0              | c.beqz a0, 254    => pc=code+254
        a0=0              | c.beqz a0, -256   => pc=code-256
        a0=0x100000000    | c.beqz a0, 254    =>
        a0=0              | c.bnez a0, 254    =>
        a5=-1             | c.bnez a5, -256   => pc=code-256
        a5=1              | c.bnez a5, 4      => pc=code+4
        t0=code+0x101     | c.jr t0           => pc=code+0x100
        t0=code+0x100     | c.jalr t0         => pc=code+0x100 ra=code+2
        ra=code+0x100     | c.jalr ra         => pc=code+0x100 ra=code+2
                          | c.ebreak          => mtrap=3,0
        ",
    );
}

/// I:"C extension": reserved encodings, and the floating-point ones of a machine without it.
#[test]
fn reserved_forms_are_illegal() {
    check(
        "
        | .half 0x0000      => mtrap=2,0            # all zero: always illegal
        | .half 0x0004      => mtrap=2,0x0004       # c.addi4spn with 0
        | .half 0x2000      => mtrap=2,0x2000       # c.fld
        | .half 0x8000      => mtrap=2,0x8000
        | .half 0xa000      => mtrap=2,0xa000       # c.fsd
        | .half 0x2001      => mtrap=2,0x2001       # c.addiw zero
        | .half 0x6101      => mtrap=2,0x6101       # c.addi16sp with 0
        | .half 0x6501      => mtrap=2,0x6501       # c.lui a0, 0
        | .half 0x9c41      => mtrap=2,0x9c41       # reserved: the code after c.addw
        | .half 0x9c61      => mtrap=2,0x9c61
        | .half 0x2002      => mtrap=2,0x2002       # c.fldsp
        | .half 0x4002      => mtrap=2,0x4002       # c.lwsp zero
        | .half 0x6002      => mtrap=2,0x6002       # c.ldsp zero
        | .half 0x8002      => mtrap=2,0x8002       # c.jr zero
        | .half 0xa002      => mtrap=2,0xa002       # c.fsdsp
        ",
    );
}
