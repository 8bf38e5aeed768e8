//! An explanation in words.

use super::{Cause, Explanation};
use std::fmt;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            writeln!(f, "it went wrong in {origin}")?;
        }
        if !self.lost.is_empty() {
            writeln!(f, "frames that never come back:")?;
            for frame in &self.lost {
                writeln!(f, "  {frame}")?;
            }
        }
        if let Some(moment) = self.moment {
            writeln!(f, "{moment}, innermost first:")?;
            for frame in &self.stack {
                writeln!(f, "  {frame}")?;
            }
        }
        match self.cause {
            Some(Cause::OldTranslation) => {
                writeln!(f, "it does not show if the harts forget their translations")?;
            }
            Some(Cause::FailedCall(call)) => {
                writeln!(f, "it does not show without the {call} that fails")?;
            }
            Some(Cause::HighHalf) => {
                writeln!(
                    f,
                    "it does not show if the high half of each `int` is its sign"
                )?;
            }
            Some(Cause::KilledSleeper) => {
                writeln!(
                    f,
                    "it does not show if the process that is killed does not sleep"
                )?;
            }
            Some(Cause::RefusedFrame(call)) => {
                writeln!(f, "it does not show if {call} is refused no frame")?;
            }
            None => {}
        }
        if let Some(call) = self.left_by {
            writeln!(
                f,
                "the bytes were stored by {call}, after the page was mapped"
            )?;
        }
        if let Some(function) = &self.parts_in {
            writeln!(f, "it leaves the way of right steps in {function}")?;
        }
        let repairs = self.repairs.iter().flat_map(|repairs| &repairs.all);
        let mut repairs = repairs.peekable();
        if repairs.peek().is_some() {
            writeln!(f, "nothing is wrong any more:")?;
            for repair in repairs {
                writeln!(f, "  {repair}")?;
            }
        }
        if self.repairs.is_some() {
            let suspects = self.suspects(self.named()).join(", ");
            writeln!(f, "functions to look at first: {suspects}")?;
        }
        if !self.traps.is_empty() {
            writeln!(f, "traps in this step:")?;
            for trap in &self.traps {
                writeln!(f, "  {trap}")?;
            }
        }
        if !self.calls.is_empty() {
            writeln!(f, "functions that the kernel called:")?;
            for call in &self.calls {
                writeln!(f, "  {call}")?;
            }
        }
        if !self.memory.is_empty() {
            writeln!(f, "changes to memory in this step:")?;
            for line in self.memory.to_string().lines() {
                writeln!(f, "  {line}")?;
            }
        }
        Ok(())
    }
}
