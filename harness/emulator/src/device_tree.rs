//! The device tree: describes the board to the program in RAM, and holds its command line.
//!
//! Devicetree Specification 0.4; names and bindings are those of QEMU's `virt` board.

use crate::config::{Config, RAM_BASE};
use crate::devices::{
    CLINT_BASE, CLINT_BYTES, DISK_INTERRUPT, FINISHER_BASE, FINISHER_BYTES, PLIC_BASE, PLIC_BYTES,
    RTC_BASE, RTC_BYTES, SOURCES, UART_BASE, UART_BYTES, UART_INTERRUPT, VIRTIO_BASE,
    VIRTIO_STRIDE,
};
use crate::exit::BuildError;
use vm_fdt::{Error, FdtWriter};

/// Ticks of `mtime` in a second, as the program reads them.
const TICKS_PER_SECOND: u32 = 10_000_000;

/// Where a tree may begin: QEMU puts it on such a boundary too.
const ALIGNMENT: u64 = 2 << 20;

/// Handle of the PLIC; that of hart n's own interrupt controller is n + 2.
const PLIC_HANDLE: u32 = 1;
const FIRST_HART_HANDLE: u32 = 2;

/// Interrupts of a hart's own controller: M-mode software and timer, S- and M-mode external.
const SOFTWARE: u32 = 3;
const TIMER: u32 = 7;
const SUPERVISOR_EXTERNAL: u32 = 9;
const MACHINE_EXTERNAL: u32 = 11;

/// The tree for a machine of this configuration, as a flat blob.
///
/// # Errors
/// The command line holds a zero byte.
pub(crate) fn blob(config: &Config, command_line: &str) -> Result<Vec<u8>, BuildError> {
    build(config, command_line).map_err(|_| BuildError::CommandLine)
}

/// Where a blob of this many bytes goes: as high in RAM as its alignment allows, out of the way of
/// a program at the start. `None` if RAM is too small.
pub(crate) fn place(config: &Config, bytes: usize) -> Option<u64> {
    let room = config.ram_bytes.checked_sub(bytes as u64)?;
    // In a small RAM a page boundary is enough.
    let alignment = if room < ALIGNMENT { 4096 } else { ALIGNMENT };
    Some(RAM_BASE + room / alignment * alignment)
}

fn build(config: &Config, command_line: &str) -> Result<Vec<u8>, Error> {
    let mut tree = FdtWriter::new()?;
    let root = tree.begin_node("")?;
    tree.property_string("compatible", "riscv-virtio")?;
    tree.property_string("model", "riscv-virtio")?;
    cells(&mut tree, 2, 2)?;
    let chosen = tree.begin_node("chosen")?;
    tree.property_string("bootargs", command_line)?;
    tree.property_string("stdout-path", &format!("/soc/serial@{UART_BASE:x}"))?;
    tree.end_node(chosen)?;
    let memory = tree.begin_node(&format!("memory@{RAM_BASE:x}"))?;
    tree.property_string("device_type", "memory")?;
    tree.property_array_u64("reg", &[RAM_BASE, config.ram_bytes])?;
    tree.end_node(memory)?;
    harts(&mut tree, config.harts)?;
    devices(&mut tree, config.harts)?;
    tree.end_node(root)?;
    tree.finish()
}

fn cells(tree: &mut FdtWriter, address: u32, size: u32) -> Result<(), Error> {
    tree.property_u32("#address-cells", address)?;
    tree.property_u32("#size-cells", size)
}

fn harts(tree: &mut FdtWriter, count: usize) -> Result<(), Error> {
    let all = tree.begin_node("cpus")?;
    cells(tree, 1, 0)?;
    tree.property_u32("timebase-frequency", TICKS_PER_SECOND)?;
    for (number, handle) in (0..count as u32).zip(FIRST_HART_HANDLE..) {
        let hart = tree.begin_node(&format!("cpu@{number}"))?;
        tree.property_string("device_type", "cpu")?;
        tree.property_u32("reg", number)?;
        tree.property_string("status", "okay")?;
        tree.property_string("compatible", "riscv")?;
        tree.property_string("riscv,isa", "rv64imac_zicsr_zifencei_sstc")?;
        tree.property_string("mmu-type", "riscv,sv39")?;
        let controller = tree.begin_node("interrupt-controller")?;
        tree.property_string("compatible", "riscv,cpu-intc")?;
        tree.property_null("interrupt-controller")?;
        tree.property_u32("#interrupt-cells", 1)?;
        tree.property_phandle(handle)?;
        tree.end_node(controller)?;
        tree.end_node(hart)?;
    }
    tree.end_node(all)
}

fn devices(tree: &mut FdtWriter, harts: usize) -> Result<(), Error> {
    let wired = |interrupts: [u32; 2]| -> Vec<u32> {
        let handles = (FIRST_HART_HANDLE..).take(harts);
        handles
            .flat_map(|handle| interrupts.map(|interrupt| [handle, interrupt]))
            .flatten()
            .collect()
    };
    let bus = tree.begin_node("soc")?;
    cells(tree, 2, 2)?;
    tree.property_string("compatible", "simple-bus")?;
    tree.property_null("ranges")?;

    let finisher = device(tree, "test", FINISHER_BASE, FINISHER_BYTES, "sifive,test0")?;
    tree.end_node(finisher)?;
    let clock = device(tree, "rtc", RTC_BASE, RTC_BYTES, "google,goldfish-rtc")?;
    tree.end_node(clock)?;

    let clint = device(tree, "clint", CLINT_BASE, CLINT_BYTES, "riscv,clint0")?;
    tree.property_array_u32("interrupts-extended", &wired([SOFTWARE, TIMER]))?;
    tree.end_node(clint)?;

    let plic = device(tree, "plic", PLIC_BASE, PLIC_BYTES, "riscv,plic0")?;
    let external = wired([MACHINE_EXTERNAL, SUPERVISOR_EXTERNAL]);
    tree.property_array_u32("interrupts-extended", &external)?;
    tree.property_null("interrupt-controller")?;
    tree.property_u32("#interrupt-cells", 1)?;
    tree.property_u32("#address-cells", 0)?;
    tree.property_u32("riscv,ndev", SOURCES as u32 - 1)?;
    tree.property_phandle(PLIC_HANDLE)?;
    tree.end_node(plic)?;

    let serial = device(tree, "serial", UART_BASE, UART_BYTES, "ns16550a")?;
    interrupt(tree, UART_INTERRUPT)?;
    tree.end_node(serial)?;

    let disk = device(
        tree,
        "virtio_mmio",
        VIRTIO_BASE,
        VIRTIO_STRIDE,
        "virtio,mmio",
    )?;
    interrupt(tree, DISK_INTERRUPT)?;
    tree.end_node(disk)?;
    tree.end_node(bus)
}

/// Begins the node of a device with its registers.
fn device(
    tree: &mut FdtWriter,
    name: &str,
    base: u64,
    bytes: u64,
    compatible: &str,
) -> Result<vm_fdt::FdtWriterNode, Error> {
    let node = tree.begin_node(&format!("{name}@{base:x}"))?;
    tree.property_array_u64("reg", &[base, bytes])?;
    tree.property_string("compatible", compatible)?;
    Ok(node)
}

fn interrupt(tree: &mut FdtWriter, number: u32) -> Result<(), Error> {
    tree.property_u32("interrupt-parent", PLIC_HANDLE)?;
    tree.property_u32("interrupts", number)
}

#[cfg(test)]
mod tests {
    use super::{blob, place};
    use crate::config::Config;
    use crate::exit::BuildError;

    #[test]
    fn the_command_line_is_in_it() {
        let blob = blob(&Config::default(), "log-faults").unwrap();
        assert_eq!(blob[..4], [0xd0, 0x0d, 0xfe, 0xed]);
        let has = |text: &[u8]| blob.windows(text.len()).any(|window| window == text);
        assert!(has(b"log-faults\0") && has(b"bootargs\0"));
    }

    #[test]
    fn a_zero_byte_is_refused() {
        let error = blob(&Config::default(), "a\0b").unwrap_err();
        assert_eq!(error, BuildError::CommandLine);
    }

    #[test]
    fn it_lies_at_the_end_of_ram() {
        let config = |ram_bytes| Config {
            ram_bytes,
            ..Config::default()
        };
        assert_eq!(place(&config(128 << 20), 4000), Some(0x87e0_0000));
        assert_eq!(place(&config(64 << 10), 4000), Some(0x8000_f000));
        assert_eq!(place(&config(64 << 10), 65 << 10), None);
    }
}
