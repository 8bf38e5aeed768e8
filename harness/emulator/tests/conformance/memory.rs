//! Loads and stores: widths, sign extension, offsets, misalignment.

use crate::support::table::check;

#[test]
fn loads_extend_as_their_names_say() {
    check(
        "
        a1=data d[0]=0x8182838485868788  | lb a0, 0(a1)   => a0=0xffffffffffffff88
        a1=data d[0]=0x8182838485868788  | lbu a0, 0(a1)  => a0=0x88
        a1=data d[0]=0x8182838485868788  | lh a0, 0(a1)   => a0=0xffffffffffff8788
        a1=data d[0]=0x8182838485868788  | lhu a0, 0(a1)  => a0=0x8788
        a1=data d[0]=0x8182838485868788  | lw a0, 0(a1)   => a0=0xffffffff85868788
        a1=data d[0]=0x8182838485868788  | lwu a0, 0(a1)  => a0=0x85868788
        a1=data d[0]=0x8182838485868788  | ld a0, 0(a1)   => a0=0x8182838485868788
        a1=data d[0]=0x7172737475767778  | lb a0, 7(a1)   => a0=0x71
        a1=data d[0]=0x7172737475767778  | lh a0, 6(a1)   => a0=0x7172
        a1=data d[0]=0x7172737475767778  | lw a0, 4(a1)   => a0=0x71727374
        a1=data+2047 b[0]=0x80           | lb a0, -2047(a1) => a0=-128
        a1=data d[2040]=5                | ld a0, 2040(a1) => a0=5
        a1=data d[0]=9                   | ld a1, 0(a1)   => a1=9
        ",
    );
}

#[test]
fn stores_write_their_width_and_no_more() {
    check(
        "
        a1=data a2=0x1122334455667788 | sb a2, 0(a1)       => b[0]=0x88
        a1=data a2=0x1122334455667788 | sb a2, 3(a1)       => b[3]=0x88
        a1=data a2=0x1122334455667788 | sh a2, 2(a1)       => h[2]=0x7788
        a1=data a2=0x1122334455667788 | sw a2, 4(a1)       => w[4]=0x55667788
        a1=data a2=0x1122334455667788 | sd a2, 8(a1)       => d[8]=0x1122334455667788
        a1=data                       | sd zero, 16(a1)    => d[16]=0
        a1=data+2048 a2=1             | sd a2, -2048(a1)   => d[0]=1
        a1=data a2=1                  | sb a2, 2047(a1)    => b[2047]=1
        a1=data+4095 a2=1             | sb a2, 0(a1)       => b[4095]=1
        a1=data                       | sd a1, 0(a1)       => d[0]=data
        ",
    );
}

/// Like QEMU's `virt`, the machine does misaligned loads and stores to RAM itself.
#[test]
fn misaligned_accesses_to_ram_are_done() {
    check(
        "
        a1=data b[1]=1 b[2]=0x82                | lh a0, 1(a1)   => a0=0xffffffffffff8201
        a1=data w[3]=0x87654321                 | lw a0, 3(a1)   => a0=0xffffffff87654321
        a1=data w[3]=0x87654321                 | lwu a0, 3(a1)  => a0=0x87654321
        a1=data d[1]=0x8877665544332211         | ld a0, 1(a1)   => a0=0x8877665544332211
        a1=data a2=0x1122334455667788           | sh a2, 1(a1)   => h[1]=0x7788
        a1=data a2=0x1122334455667788           | sw a2, 5(a1)   => w[5]=0x55667788
        a1=data a2=0x1122334455667788           | sd a2, 7(a1)   => d[7]=0x1122334455667788
        a1=data+4090 a2=-1                      | sw a2, 1(a1)   => w[4091]=-1
        ",
    );
}
