//! Pipes: order, capacity, ends that close, sleepers.

use user::abi::limits::{OPEN_FILES, PIPE_BYTES};
use user::testing::child::{self, spawn};
use user::testing::files::read_fully;
use user::testing::memory::buffer;
use user::testing::{Group, Verdict};
use user::{ensure, ensure_equal, need, rules, system};

pub const GROUP: Group = Group {
    name: "pipes",
    quick: rules![
        bytes_stay_in_order,
        a_pipe_holds_512_bytes,
        reads_take_what_is_there,
        end_of_file_after_the_last_writer,
        writing_without_a_reader,
        a_writer_learns_that_the_reader_left,
        each_end_has_its_use,
        no_byte_is_lost_among_many,
        a_chain_of_filters,
        closed_pipes_are_used_again,
    ],
    slow: rules![],
};

/// The byte at a place of an endless sequence, whose period is not a power of two.
fn sequence(place: usize) -> u8 {
    (place % 251) as u8
}

fn bytes_stay_in_order() -> Verdict {
    const PIECES: usize = 5;
    const SIZE: usize = 1033;
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        system::close(read_end);
        let piece = buffer(SIZE);
        for number in 0..PIECES {
            for (at, byte) in piece.iter_mut().enumerate() {
                *byte = sequence(number * SIZE + at);
            }
            ensure_equal!(system::write(write_end, piece), SIZE);
        }
        Ok(())
    })?;
    system::close(write_end);
    let bytes = buffer(4096);
    let (mut total, mut wanted) = (0, 1);
    loop {
        let count = need!(system::read(read_end, &mut bytes[..wanted]));
        if count == 0 {
            break;
        }
        for (at, &byte) in bytes[..count].iter().enumerate() {
            ensure_equal!(byte, sequence(total + at));
        }
        total += count;
        wanted = (wanted * 2).min(bytes.len());
    }
    ensure_equal!(total, PIECES * SIZE);
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

/// So many bytes need no reader; the next one does.
fn a_pipe_holds_512_bytes() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let (ready, tell) = need!(system::pipe());
    let bytes = buffer(PIPE_BYTES);
    ensure_equal!(system::write(write_end, bytes), PIPE_BYTES);
    let child = spawn(|| {
        ensure_equal!(system::write(write_end, b"e"), 1);
        ensure_equal!(system::write(tell, b"x"), 1);
        Ok(())
    })?;
    system::close(tell);
    // The child has had time, but it is still waiting.
    ensure_equal!(system::pause(2), 0);
    ensure_equal!(system::read(read_end, &mut bytes[..1]), 1);
    ensure_equal!(system::read(ready, &mut [0]), 1);
    ensure_equal!(system::read(read_end, bytes), PIPE_BYTES);
    ensure_equal!(bytes[PIPE_BYTES - 1], b'e');
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

fn reads_take_what_is_there() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let bytes = &mut [0; 16];
    ensure_equal!(system::write(write_end, b"abc"), 3);
    ensure_equal!(system::read(read_end, bytes), 3);
    ensure_equal!(system::write(write_end, b""), 0);
    ensure_equal!(system::write(write_end, b"defg"), 4);
    ensure_equal!(system::read(read_end, &mut bytes[..3]), 3);
    ensure!(bytes[..3] == *b"def");
    ensure_equal!(system::read(read_end, bytes), 1);
    ensure_equal!(bytes[0], b'g');
    Ok(())
}

/// The write end is open as long as one of its copies is open in any process.
fn end_of_file_after_the_last_writer() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let twin = need!(system::dup(write_end));
    let child = spawn(|| {
        system::close(twin);
        ensure_equal!(system::pause(2), 0);
        ensure_equal!(system::write(write_end, b"late"), 4);
        Ok(())
    })?;
    system::close(write_end);
    system::close(twin);
    let bytes = &mut [0; 8];
    ensure_equal!(system::read(read_end, bytes), 4);
    ensure_equal!(system::read(read_end, bytes), 0);
    ensure_equal!(system::read(read_end, bytes), 0);
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

fn writing_without_a_reader() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let twin = need!(system::dup(read_end));
    system::close(read_end);
    ensure_equal!(system::write(write_end, b"x"), 1);
    system::close(twin);
    ensure_equal!(system::write(write_end, b"x"), -1);
    ensure_equal!(system::write(write_end, b""), 0);
    Ok(())
}

fn a_writer_learns_that_the_reader_left() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    let child = spawn(|| {
        system::close(read_end);
        // It sleeps in the middle of this one.
        ensure_equal!(system::write(write_end, buffer(2 * PIPE_BYTES)), -1);
        Ok(())
    })?;
    system::close(write_end);
    ensure_equal!(system::pause(2), 0);
    system::close(read_end);
    ensure!(system::wait() == Some((child.pid, 0)));
    Ok(())
}

fn each_end_has_its_use() -> Verdict {
    let (read_end, write_end) = need!(system::pipe());
    ensure_equal!(system::write(read_end, b"x"), -1);
    ensure_equal!(system::read(write_end, &mut [0]), -1);
    ensure!(system::fstat(write_end).is_none());
    Ok(())
}

/// Several writers and several readers: each byte arrives once.
fn no_byte_is_lost_among_many() -> Verdict {
    const WRITERS: usize = 3;
    const READERS: usize = 2;
    const EACH: usize = 3000;
    let (read_end, write_end) = need!(system::pipe());
    let (result_read, result_write) = need!(system::pipe());
    for writer in 0..WRITERS {
        let _ = spawn(|| {
            let bytes = buffer(EACH);
            bytes.fill(writer as u8);
            for piece in bytes.chunks(700) {
                ensure_equal!(system::write(write_end, piece), piece.len());
            }
            Ok(())
        })?;
    }
    system::close(write_end);
    for _ in 0..READERS {
        let _ = spawn(|| {
            let bytes = buffer(400);
            let mut counts = [0u32; WRITERS];
            loop {
                let count = need!(system::read(read_end, bytes));
                if count == 0 {
                    break;
                }
                for &byte in &bytes[..count] {
                    let writer = usize::from(byte);
                    ensure!(writer < WRITERS);
                    counts[writer] += 1;
                }
            }
            for count in counts {
                ensure_equal!(system::write(result_write, &count.to_le_bytes()), 4);
            }
            Ok(())
        })?;
    }
    system::close(result_write);
    child::all_pass(WRITERS + READERS)?;
    let mut total = 0;
    let word = &mut [0; 4];
    while read_fully(result_read, word) == Some(4) {
        total += u32::from_le_bytes(*word) as usize;
    }
    ensure_equal!(total, WRITERS * EACH);
    Ok(())
}

/// The sieve of Eratosthenes: a process for each prime drops the multiples of its prime.
fn a_chain_of_filters() -> Verdict {
    const LAST: u8 = 35;
    let (mut source, sink) = need!(system::pipe());
    let _ = spawn(|| {
        for number in 2..=LAST {
            ensure_equal!(system::write(sink, &[number]), 1);
        }
        Ok(())
    })?;
    system::close(sink);
    let mut stages = 1;
    let mut prime = [0];
    let mut sum = 0;
    while need!(system::read(source, &mut prime)) == 1 {
        sum += u32::from(prime[0]);
        let (next, out) = need!(system::pipe());
        let _ = spawn(|| {
            system::close(next);
            let number = &mut [0];
            while need!(system::read(source, number)) == 1 {
                if number[0] % prime[0] != 0 {
                    ensure_equal!(system::write(out, number), 1);
                }
            }
            Ok(())
        })?;
        system::close(out);
        system::close(source);
        source = next;
        stages += 1;
    }
    child::all_pass(stages)?;
    // 2, 3, 5, 7, 11, 13, 17, 19, 23, 29 and 31.
    ensure_equal!(sum, 160);
    ensure_equal!(stages, 12);
    Ok(())
}

fn closed_pipes_are_used_again() -> Verdict {
    for _ in 0..3 * OPEN_FILES {
        let (read_end, write_end) = need!(system::pipe());
        ensure_equal!(system::write(write_end, b"ab"), 2);
        ensure_equal!(system::close(write_end), 0);
        // The bytes that were left in the pipe before are not in this one.
        ensure_equal!(system::read(read_end, &mut [0; 8]), 2);
        ensure_equal!(system::close(read_end), 0);
    }
    Ok(())
}
