//! Simpler operations than a given one, for minimising.

use super::argument::{self, Argument, StoredValue, Width};
use super::operations::for_each_operation;
use super::{Call, Operation};

/// Operations like this one but simpler in one respect each, the simplest first; none when nothing
/// can be simpler. Following them always ends.
pub fn simplifications(operation: &Operation) -> Vec<Operation> {
    let mut calls = Vec::new();
    with_a_simpler_argument(&operation.call, true, &mut calls);
    with_a_simpler_argument(&operation.call, false, &mut calls);
    calls.extend(simpler_call(&operation.call));
    calls.retain(|call| *call != operation.call);
    let process = operation.process;
    calls
        .into_iter()
        .map(|call| Operation { process, call })
        .collect()
}

/// A single touch is a load or store of one byte.
fn simpler_call(call: &Call) -> Option<Call> {
    let width = Width::One;
    if let Call::TouchRead { address, count, .. } = *call
        && count.get() == 1
    {
        return Some(Call::Load { width, address });
    }
    if let Call::TouchWrite { address, count, .. } = *call
        && count.get() == 1
    {
        let value = StoredValue::number(1);
        return Some(Call::Store {
            width,
            address,
            value,
        });
    }
    None
}

macro_rules! define_simpler {
    ($($name:ident $word:literal [$($code:tt)*] $family:ident $cost:ident $work:literal $says:ident
       ($($argument:ident: $type:ident),*) {$($reach:expr),*};)*) => {
        /// Adds the calls of which one argument is simpler: an address, or another one.
        fn with_a_simpler_argument(call: &Call, addresses: bool, calls: &mut Vec<Call>) {
            match *call {
                $(Call::$name { $($argument),* } => {
                    $(if argument::$type::IS_ADDRESS == addresses {
                        for simpler in argument::$type::simpler($argument) {
                            let mut call = *call;
                            if let Call::$name { $argument, .. } = &mut call {
                                *$argument = simpler;
                            }
                            calls.push(call);
                        }
                    })*
                })*
            }
        }
    };
}

for_each_operation!(define_simpler);

#[cfg(test)]
mod tests {
    use super::simplifications;
    use crate::case::Case;
    use proptest::prelude::{any, prop, prop_assert, proptest};

    proptest! {
        #[test]
        fn simplifying_ends(
            record in any::<[u8; 8]>(),
            choices in prop::collection::vec(0usize..9, 400),
        ) {
            let mut operation = Case::decode(&record).operations[0];
            let mut simpler = simplifications(&operation);
            for choice in choices {
                prop_assert!(!simpler.contains(&operation));
                if simpler.is_empty() {
                    break;
                }
                operation = simpler[choice % simpler.len()];
                simpler = simplifications(&operation);
            }
            prop_assert!(simpler.is_empty(), "still not simple: {}", operation);
        }
    }
}
