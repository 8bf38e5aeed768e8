//! The A extension: load-reserved, store-conditional and read-modify-write operations.

use crate::defect::Defect;
use crate::hart::{Exception, Hart, X_DISCARD};
use crate::isa::format::{amo, funct3, funct5, rd, rs1, rs2};
use crate::memory::{Access, Bus, Data, Place, Stop};

/// Executes a legal instruction of the AMO opcode.
pub(super) fn execute(
    hart: &mut Hart,
    data: &mut Data<'_>,
    bus: &mut Bus,
    instruction: u32,
) -> Result<(), Stop> {
    let width = 1u64 << (funct3(instruction) & 3);
    let address = hart.x[rs1(instruction) as usize];
    let operand = hart.x[rs2(instruction) as usize];
    let function = funct5(instruction);
    let access = if function == amo::LOAD_RESERVED {
        Access::Load
    } else {
        Access::Store
    };
    if !address.is_multiple_of(width) {
        return Err(Exception::misaligned(access, address).into());
    }
    let place = locate(hart, data, bus, address, width, access)?;
    let offset = place.at;
    let old = read(bus, offset, width)?;
    let result = match function {
        amo::LOAD_RESERVED => {
            bus.reservations[data.hart] = Some(offset & !7);
            old
        }
        amo::STORE_CONDITIONAL => {
            // Success or not, the reservation is spent.
            let reserved = bus.reservations[data.hart].take() == Some(offset & !7);
            if reserved {
                store(bus, data, address, place, width, operand)?;
            }
            u64::from(!reserved)
        }
        _ => {
            let new = combine(function, width, old, operand);
            store(bus, data, address, place, width, new)?;
            old
        }
    };
    if bus.variations.delays_stores && function != amo::LOAD_RESERVED {
        bus.order_stores(data.hart);
    }
    let destination = match rd(instruction) as u8 {
        0 => X_DISCARD,
        register => register,
    };
    hart.x[usize::from(destination)] = result;
    Ok(())
}

/// Translates an aligned address to an offset in RAM; devices have no atomic operations.
fn locate(
    hart: &Hart,
    data: &Data<'_>,
    bus: &mut Bus,
    address: u64,
    width: u64,
    access: Access,
) -> Result<Place, Exception> {
    let direct = if access == Access::Load {
        &data.read
    } else {
        &data.write
    };
    let tables = [direct, &data.guarded];
    let count = if access == Access::Store { 2 } else { 1 };
    for table in &tables[..count] {
        let entry = table.probe(address);
        if entry.covers(address, width) {
            return Ok(Place {
                at: entry.offset(address),
                reach: table.reach(address),
            });
        }
    }
    bus.translate_to_ram(data.hart, data.view, &hart.pmp, address, width, access)
}

fn read(bus: &mut Bus, offset: u64, width: u64) -> Result<u64, Defect> {
    let value = bus.ram.value(offset, width)?;
    Ok(if width == 4 {
        i64::from(value as i32) as u64
    } else {
        value
    })
}

fn store(
    bus: &mut Bus,
    data: &mut Data<'_>,
    address: u64,
    place: Place,
    width: u64,
    value: u64,
) -> Result<(), Defect> {
    let bytes = value.to_le_bytes();
    let bytes = &bytes[..width as usize];
    if !data.write.probe(address).covers(address, width) {
        return bus.store_ram(data, address, place, bytes);
    }
    let stored = match bytes.first_chunk::<8>() {
        Some(bytes) => bus.ram.store(place.at, *bytes),
        None => bus.ram.store(place.at, (value as u32).to_le_bytes()),
    };
    stored.ok_or_else(|| Defect::new("an atomic store outside RAM", place.at))
}

/// The new value in memory.
fn combine(function: u32, width: u64, old: u64, operand: u64) -> u64 {
    let (old, operand) = if width == 4 {
        // Sign extension keeps both orders of 32-bit numbers.
        (
            i64::from(old as i32) as u64,
            i64::from(operand as i32) as u64,
        )
    } else {
        (old, operand)
    };
    match function {
        amo::ADD => old.wrapping_add(operand),
        amo::SWAP => operand,
        amo::XOR => old ^ operand,
        amo::OR => old | operand,
        amo::AND => old & operand,
        amo::MIN => (old as i64).min(operand as i64) as u64,
        amo::MAX => (old as i64).max(operand as i64) as u64,
        amo::MIN_UNSIGNED => old.min(operand),
        _ => old.max(operand),
    }
}
