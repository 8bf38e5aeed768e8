//! What several tests use: our kernel with a bug in it.

use faultline::guest::location::GuestFiles;
use faultline::mutants::{Operator, sites};
use object::{Object, ObjectSegment};

/// Our kernel with the first instruction of that kind in `file` changed.
pub(crate) fn broken_kernel(file: &str, function: &str, operator: Operator) -> Vec<u8> {
    let mut elf = GuestFiles::find(None, None).unwrap().kernel;
    let mutant = sites(&elf, &[file.to_owned()])
        .unwrap()
        .into_iter()
        .find(|mutant| mutant.operator == operator && mutant.function.contains(function))
        .unwrap();
    let offset = object::File::parse(&*elf)
        .unwrap()
        .segments()
        .find_map(|segment| {
            let into = mutant.address.checked_sub(segment.address())?;
            let (start, length) = segment.file_range();
            (into < length).then_some((start + into) as usize)
        })
        .unwrap();
    assert_eq!(elf[offset..offset + mutant.original.len()], mutant.original);
    elf[offset..offset + mutant.changed.len()].copy_from_slice(&mutant.changed);
    elf
}
