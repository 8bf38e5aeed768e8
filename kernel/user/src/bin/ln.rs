//! Gives a file a second name.
#![no_std]
#![no_main]

use user::text::Text;
use user::{Arguments, eprintln, system};

user::program!(main);

fn main(arguments: Arguments) -> i32 {
    let (Some(old), Some(new), 3) = (arguments.get(1), arguments.get(2), arguments.count()) else {
        eprintln!("Usage: ln old new");
        return 1;
    };
    match system::link(old, new) {
        Some(()) => 0,
        None => {
            let (old, new) = (Text(old.to_bytes()), Text(new.to_bytes()));
            eprintln!("link {old} {new}: failed");
            1
        }
    }
}
