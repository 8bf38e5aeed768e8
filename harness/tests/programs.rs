//! The shell and the programs, as somebody at the console sees them: lines are typed, and what they
//! print is compared. Afterwards the file system is checked from outside.

use abi::file_system::NAME_SIZE;
use emulator::Config;
use faultline::console::Console;
use faultline::guest::location::GuestFiles;
use mkfs::Image;

/// Somebody who types.
struct Shell {
    console: Console,
}

impl Shell {
    fn start() -> Shell {
        Shell::with_files(&[])
    }

    /// A shell on a disk that also has these files.
    fn with_files(files: &[(&str, &str)]) -> Shell {
        let mut guest = GuestFiles::find(None, None).unwrap_or_else(|error| panic!("{error}"));
        let mut image = Image::open(guest.file_system).unwrap();
        for (path, content) in files {
            image.replace_file(path, content.as_bytes()).unwrap();
        }
        guest.file_system = image.into_bytes();
        let console = Console::boot_files(&Config::default(), guest);
        Shell {
            console: console.unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// Types `line`: what it prints.
    fn run(&mut self, line: &str) -> String {
        let output = self.console.run(line);
        output.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Types the lines. Each of them must print the text that it is listed with.
    fn check(&mut self, dialogue: &[(&str, &str)]) {
        for (line, expected) in dialogue {
            assert_eq!(self.run(line), *expected, "after: {line}");
        }
    }

    /// Switches off: the disk, which must be in order.
    fn disk(self) -> Image {
        let image = Image::open(self.console.into_machine().disk()).unwrap();
        assert_eq!(image.check(), []);
        image
    }
}

/// Starts a shell on a disk with these files. Each line must print the text that it is listed with.
fn check(files: &[(&str, &str)], dialogue: &[(&str, &str)]) {
    let mut shell = Shell::with_files(files);
    shell.check(dialogue);
    shell.disk();
}

const POEM: &str = "\
the sea is grey
a boat\tgoes by

the end";

#[test]
fn words_and_quotes() {
    check(
        &[],
        &[
            ("echo", "\n"),
            ("echo one  two", "one two\n"),
            ("  echo\tindented  ", "indented\n"),
            ("", ""),
            ("   ", ""),
            ("# nothing", ""),
            ("echo a#b # a comment", "a#b\n"),
            ("echo 'a  b' c", "a  b c\n"),
            ("echo \"it's\" 'a \"word\"'", "it's a \"word\"\n"),
            (r#"echo a\ \ b \> "\"\\""#, "a  b > \"\\\n"),
            ("echo 'a;b|c&d(e)<f>'", "a;b|c&d(e)<f>\n"),
            ("echo in'one 'word ''", "inone word \n"),
        ],
    );
}

#[test]
fn pipes() {
    check(
        &[("poem", POEM)],
        &[
            ("echo a b | cat", "a b\n"),
            ("cat poem | wc", "3 10 39 \n"),
            ("cat poem|grep the|wc", "2 6 24 \n"),
            ("echo x | cat | cat | cat | cat | cat | cat", "x\n"),
        ],
    );
}

#[test]
fn a_pipe_that_nobody_reads() {
    let mut shell = Shell::start();
    let output = shell.run("cat sh | nosuch");
    // Two processes speak, in either order.
    assert!(output.contains("exec nosuch failed\n"), "{output}");
    assert!(output.contains("cat: write error\n"), "{output}");
    assert_eq!(output.lines().count(), 2, "{output}");
}

#[test]
fn a_pipe_passes_on_every_byte() {
    let mut shell = Shell::start();
    shell.run("cat sh | cat > copy");
    shell.run("cat copy copy | cat > twice");
    let disk = shell.disk();
    let original = disk.read_file("sh").unwrap();
    assert_eq!(disk.read_file("copy").unwrap(), original);
    assert_eq!(disk.read_file("twice").unwrap(), original.repeat(2));
}

#[test]
fn pipes_on_three_harts() {
    let config = Config {
        harts: 3,
        ..Config::default()
    };
    let mut shell = Shell {
        console: Console::boot(&config).unwrap(),
    };
    for round in 0..5 {
        shell.run(&format!(
            "cat sh | cat | cat | cat > a{round}; (cat sh | cat; cat sh | cat) | cat > b{round}"
        ));
    }
    let disk = shell.disk();
    let original = disk.read_file("sh").unwrap();
    for round in 0..5 {
        assert_eq!(disk.read_file(&format!("a{round}")).unwrap(), original);
        let twice = disk.read_file(&format!("b{round}")).unwrap();
        assert_eq!(twice, original.repeat(2));
    }
}

#[test]
fn redirections() {
    check(
        &[("poem", POEM)],
        &[
            ("echo a long first line > f", ""),
            ("cat f", "a long first line\n"),
            ("echo short > f", ""),
            ("cat < f", "short\n"),
            ("echo more >> f", ""),
            (">> f echo and more", ""),
            ("cat f", "short\nmore\nand more\n"),
            ("echo new>>g;cat<g", "new\n"),
            ("wc < poem > counts", ""),
            ("cat counts", "3 10 39 \n"),
            ("> empty", ""),
            ("wc empty", "0 0 0 empty\n"),
            ("(echo a; echo b) > f", ""),
            ("(cat; echo c) < f", "a\nb\nc\n"),
            ("echo to the console >> console", "to the console\n"),
            ("echo last > f > g", ""),
            ("wc f g", "0 0 0 f\n1 1 5 g\n"),
            ("cat < nosuch", "open nosuch failed\n"),
            ("echo x > .", "open . failed\n"),
            ("echo x > nosuch/f", "open nosuch/f failed\n"),
        ],
    );
}

/// `>>` has to find the end of a file that has more than a buffer, and not a whole number of them.
#[test]
fn appending_to_a_large_file() {
    let large: String = (0..3000).map(|line| format!("line {line}\n")).collect();
    let mut shell = Shell::with_files(&[("large", &large)]);
    shell.check(&[("echo the end >> large", "")]);
    let appended = shell.disk().read_file("large").unwrap();
    assert_eq!(appended, (large + "the end\n").into_bytes());
}

#[test]
fn lists_and_parentheses() {
    check(
        &[],
        &[
            ("echo a; echo b", "a\nb\n"),
            ("echo a;echo b;", "a\nb\n"),
            ("(echo a; echo b) | wc", "2 2 4 \n"),
            ("echo a; echo b | wc", "a\n1 1 2 \n"),
            ("((echo a); (echo b))", "a\nb\n"),
            ("((((((((echo deep))))))))", "deep\n"),
            ("()", ""),
            ("nosuch; echo goes on", "exec nosuch failed\ngoes on\n"),
        ],
    );
}

#[test]
fn directories() {
    check(
        &[],
        &[
            ("mkdir d d/e; cd d; echo x > f; cd e; echo y > g", ""),
            ("cat g ../f", "y\nx\n"),
            ("cd ..; cat f", "x\n"),
            ("(cd e; cat g); cat f", "y\nx\n"),
            ("cd /; cat d/e/g", "y\n"),
            ("cd d; cd; cat d/f", "x\n"),
            ("cd d | cat; cat d/f", "x\n"),
            ("cd nosuch", "cannot cd nosuch\n"),
            ("cd d/f", "cannot cd d/f\n"),
            ("rm d", "rm: d failed to delete\n"),
            (
                "mkdir d a/b f",
                "mkdir: d failed to create\nmkdir: a/b failed to create\n",
            ),
            ("rm d/e/g d/e d/f d f", ""),
            ("cd d", "cannot cd d\n"),
        ],
    );
}

#[test]
fn lines_with_errors() {
    let many: String = (1..40).map(|number| format!(" {number}")).collect();
    check(
        &[],
        &[
            ("|", "sh: a command is missing\n"),
            ("echo |", "sh: a command is missing\n"),
            (";", "sh: a command is missing\n"),
            ("echo a & & echo b", "sh: a command is missing\n"),
            ("(echo a", "sh: a parenthesis is not closed\n"),
            (
                "echo a)",
                "sh: a parenthesis is closed and was not opened\n",
            ),
            (
                "(echo a) b",
                "sh: a separator is missing at a parenthesis\n",
            ),
            ("echo (b)", "sh: a separator is missing at a parenthesis\n"),
            (
                "(((((((((echo a)))))))))",
                "sh: too many parentheses are open\n",
            ),
            ("cat <", "sh: a redirection needs a file\n"),
            ("cat > | wc", "sh: a redirection needs a file\n"),
            ("echo 'a", "sh: a quote is not closed\n"),
            ("echo \"a", "sh: a quote is not closed\n"),
            ("echo a\\", "sh: nothing follows a backslash\n"),
            (
                &format!("echo{many}"),
                "sh: a program has too many arguments\n",
            ),
            ("nosuch a b", "exec nosuch failed\n"),
            ("./nosuch", "exec ./nosuch failed\n"),
            ("echo still here", "still here\n"),
        ],
    );
}

/// Lines of operators in any order are refused or run, and the shell goes on.
#[test]
fn lines_without_sense() {
    const PARTS: [&str; 12] = [
        "echo", " a ", "|", ";", "&", "(", ")", "<", "> f", ">>", "'b c'", "\\",
    ];
    // A linear congruential generator, with the factors of MMIX.
    let mut state = 1_u64;
    let mut random = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    let mut script = String::new();
    for _ in 0..1000 {
        for _ in 0..=random(12) {
            script.push_str(PARTS[random(PARTS.len())]);
        }
        script.push('\n');
    }
    script.push_str("echo the end\n");
    let mut shell = Shell::with_files(&[("script", &script)]);
    let output = shell.run("sh script");
    assert!(output.contains("the end\n"), "{output}");
    assert!(!output.contains("panicked"), "{output}");
    assert!(!output.contains("usertrap"), "{output}");
    shell.disk();
}

#[test]
fn background_jobs() {
    let mut shell = Shell::start();
    // The job sleeps; the shell does not wait for it.
    let lines = "(zombie; echo late; echo later > f) &\necho early\n";
    shell.console.type_text(lines);
    let shown = shell.console.wait_for("late\n").unwrap();
    let output = shown.strip_prefix(lines).unwrap_or(&shown);
    assert_eq!(output.trim_end(), "$ early\n$ late");
    let written = (0..100).any(|_| shell.run("cat f").contains("later"));
    assert!(written);
}

#[test]
fn a_background_job_is_a_part_of_a_list() {
    let mut shell = Shell::start();
    let line = "(zombie; echo a | cat) & echo b\n";
    shell.console.type_text(line);
    let shown = shell.console.wait_for("\n$ a\n").unwrap();
    assert_eq!(shown, format!("{line}b\n$ a\n"));
}

/// More children are left behind than there can be processes.
#[test]
fn init_reaps_what_is_left_behind() {
    let mut shell = Shell::start();
    for _ in 0..10 {
        shell.check(&[(
            "zombie & zombie & zombie & zombie & zombie & zombie & zombie",
            "",
        )]);
    }
    shell.check(&[("echo a | cat | cat", "a\n")]);
}

#[test]
fn more_pipes_and_processes_than_there_can_be() {
    let pipes = format!("echo a{}; echo goes on\n", "|cat".repeat(60));
    let processes = format!("{} echo goes on\n", "zombie&".repeat(70));
    let mut shell = Shell::with_files(&[("pipes", &pipes), ("processes", &processes)]);
    for (line, message) in [
        ("sh pipes", "sh: there is no pipe left\n"),
        ("sh processes", "sh: there is no room for a process\n"),
    ] {
        let output = shell.run(line);
        assert!(output.contains(message), "{output}");
        assert!(output.ends_with("goes on\n"), "{output}");
        shell.check(&[("echo a | cat", "a\n")]);
    }
}

#[test]
fn a_shell_reads_a_file() {
    let long = format!("echo {}\necho after\n", "x".repeat(1100));
    let longest = format!("echo {}\n", "x".repeat(1024 - 5));
    check(
        &[
            (
                "script",
                "echo one\n(echo two | cat)\n# no line\necho three",
            ),
            ("input", "cat\nnot a command\n"),
            ("long", &long),
            ("longest", &longest),
            ("zero", "echo a\0b\necho c\n"),
            ("exits", "echo a\nexit 3\necho b\n"),
        ],
        &[
            ("sh < script", "one\ntwo\nthree\n"),
            ("sh script", "one\ntwo\nthree\n"),
            ("cat script | sh | wc", "3 3 14 \n"),
            // What follows the line is the program's.
            ("sh input", "not a command\n"),
            ("sh long", "sh: a line has more than 1024 bytes\nafter\n"),
            ("sh longest | wc", "1 1 1020 \n"),
            ("sh zero", "sh: a word has a zero byte\nc\n"),
            ("sh exits", "a\n"),
            ("sh nosuch", "sh: cannot open nosuch\n"),
        ],
    );
}

#[test]
fn a_shell_that_ends_is_started_again() {
    let mut shell = Shell::start();
    shell.check(&[
        ("exit", "init: starting sh\n"),
        ("echo again", "again\n"),
        ("sh", ""),
        ("echo inner; exit", "inner\n"),
        ("exit 1", "init: starting sh\n"),
    ]);
}

/// Keys that edit a line, which is the console's work.
#[test]
fn lines_are_edited() {
    let mut shell = Shell::start();
    for (typed, expected) in [
        ("ecxx\x08\x7fho rubbed out\n", "rubbed out\n$ "),
        ("cat nosuch\x15echo begun anew\n", "begun anew\n$ "),
        // The end of the input, to a program and to the shell.
        ("cat\nline\n\x04echo after\n", "line\n$ after\n$ "),
        ("\x04", "init: starting sh\n$ "),
    ] {
        shell.console.type_text(typed);
        let shown = shell.console.wait_for(expected).unwrap();
        assert!(shown.ends_with(expected), "{shown}");
    }
}

#[test]
fn cat_wc_and_grep() {
    check(
        &[("poem", POEM), ("numbers", "1\n12\n122\n13\n")],
        &[
            ("cat poem", POEM),
            ("cat numbers numbers | wc", "8 8 24 \n"),
            ("cat nosuch", "cat: cannot open nosuch\n"),
            (
                "cat numbers nosuch numbers",
                "1\n12\n122\n13\ncat: cannot open nosuch\n",
            ),
            ("wc poem", "3 10 39 poem\n"),
            ("wc poem numbers", "3 10 39 poem\n4 4 12 numbers\n"),
            ("wc nosuch", "wc: cannot open nosuch\n"),
            ("grep", "Usage: grep pattern [file...]\n"),
            ("grep the poem", "the sea is grey\nthe end\n"),
            ("grep ^the.*y$ poem", "the sea is grey\n"),
            ("grep ^$ poem | wc", "1 0 1 \n"),
            ("grep b poem numbers", "a boat\tgoes by\n"),
            ("grep nothing poem", ""),
            ("grep 12*$ numbers", "1\n12\n122\n"),
            ("grep ^12*3 numbers", "13\n"),
            ("grep '^1.$' < numbers", "12\n13\n"),
            ("echo 'a.b*' > f; echo axb >> f", ""),
            (r"grep 'a\.b\*' f", "a.b*\n"),
            ("grep x*a.*b f", "a.b*\naxb\n"),
            ("grep a nosuch", "grep: cannot open nosuch\n"),
        ],
    );
}

#[test]
fn grep_takes_lines_of_any_length() {
    let long = format!("{}\n{}needle\nshort\n", "a".repeat(3000), "b".repeat(5000));
    let mut shell = Shell::with_files(&[("long", &long)]);
    shell.check(&[
        ("grep needle long | wc", "1 1 5007 \n"),
        ("grep ^a*$ long | wc", "1 1 3001 \n"),
        ("grep ^.*t$ long", "short\n"),
    ]);
}

#[test]
fn links() {
    check(
        &[("poem", POEM)],
        &[
            ("ln poem verse", ""),
            ("echo x > verse", ""),
            ("cat poem", "x\n"),
            ("rm poem; cat verse", "x\n"),
            ("cat poem", "cat: cannot open poem\n"),
            ("ln poem again", "link poem again: failed\n"),
            ("ln verse sh", "link verse sh: failed\n"),
            ("ln . dot", "link . dot: failed\n"),
            ("ln verse", "Usage: ln old new\n"),
            ("ln a b c", "Usage: ln old new\n"),
            ("rm verse nosuch", "rm: nosuch failed to delete\n"),
            ("rm", "Usage: rm files...\n"),
            ("mkdir", "Usage: mkdir files...\n"),
            ("kill", "Usage: kill pid...\n"),
        ],
    );
}

/// What `ls` says of a directory is what the disk has, looked at from outside.
#[test]
fn ls_lists_what_is_there() {
    let mut shell = Shell::with_files(&[("fourteen-bytes", "x")]);
    shell.check(&[("mkdir d; mkdir d/e; echo x > d/f", "")]);
    let root = shell.run("ls");
    let directory = shell.run("ls d");
    let some = shell.run("ls d/f ./fourteen-bytes nosuch console");
    let disk = shell.disk();
    let lines = |path: &str, names: &[&str]| -> String {
        let entries = disk.list(path).unwrap();
        let named = entries
            .iter()
            .filter(|entry| names.is_empty() || names.contains(&entry.name.as_str()));
        named
            .map(|entry| {
                format!(
                    "{:NAME_SIZE$} {} {} {}\n",
                    entry.name, entry.kind as u16, entry.inode, entry.size
                )
            })
            .collect()
    };
    assert!(root.starts_with(".              1 1 "), "{root}");
    assert_eq!(root, lines("/", &[]));
    assert_eq!(directory, lines("d", &[]));
    let expected = [
        lines("d", &["f"]),
        lines("/", &["fourteen-bytes"]),
        "ls: cannot open nosuch\n".to_owned(),
        lines("/", &["console"]),
    ];
    assert_eq!(some, expected.concat());
}

#[test]
fn kill_ends_a_process() {
    check(
        &[],
        &[
            (
                "kill 1 999 x",
                "kill: 1 is no process to be killed\n\
                 kill: 999 is no process to be killed\n\
                 kill: x is no process to be killed\n",
            ),
            // The shell itself, which waits for `kill`.
            ("kill 2", "init: starting sh\n"),
            ("echo again", "again\n"),
        ],
    );
}

#[test]
fn lazy_counts_page_faults() {
    let expected = [
        ("1024 10", 3),
        ("4096 10", 10),
        ("1 1", 1),
        ("1 4096", 1),
        ("1 4097", 2),
        ("4095 5", 4),
        ("4097 5", 5),
        ("8192 100", 100),
        ("1048576 1000", 1000),
        ("0 7", 1),
        ("9 0", 0),
    ];
    let mut shell = Shell::start();
    for (arguments, faults) in expected {
        let (stride, count) = arguments.split_once(' ').unwrap();
        let answer = format!(
            "{count} places, {stride} bytes apart; page faults: {faults}, expected: {faults}\n"
        );
        for how in ["", " write", " read"] {
            shell.check(&[(&format!("lazy {arguments}{how}"), &answer)]);
        }
    }
    shell.check(&[
        ("lazy", "Usage: lazy STRIDE COUNT [read|write]\n"),
        ("lazy 1 2 3", "Usage: lazy STRIDE COUNT [read|write]\n"),
        ("lazy 1 -2", "Usage: lazy STRIDE COUNT [read|write]\n"),
        (
            "lazy 1099511627776 10",
            "lazy: the heap cannot grow so far\n",
        ),
        (
            "lazy 4095 18446744073709551615",
            "lazy: so much memory has no address\n",
        ),
    ]);
}

#[test]
fn malloctest_passes() {
    let mut shell = Shell::start();
    let output = shell.run("malloctest");
    assert!(output.ends_with("malloctest: ALL PASSED\n"), "{output}");
    assert!(!output.contains("FAIL"), "{output}");
    shell.disk();
}
