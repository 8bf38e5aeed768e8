//! From words and operators to commands.
//!
//! ```text
//! list     = pipeline { (";" | "&") pipeline } [ ";" | "&" ]
//! pipeline = command { "|" command }
//! command  = ( "(" list ")" | word ) { word | redirection }
//! ```
//!
//! where words do not follow parentheses, and a redirection may come before a command or stand for
//! it.

use alloc::ffi::CString;
use alloc::vec::{self, Vec};
use core::iter::Peekable;

use user::abi::limits::ARGUMENTS;

use crate::redirection::{Kind, Redirection};
use crate::token::{self, Token};

/// Most parentheses around a command: each takes some of the shell's stack.
const MAX_DEPTH: usize = 8;

/// What is wrong with a line.
pub struct SyntaxError(pub &'static str);

/// A pipeline, which the shell waits for or not.
pub struct Job {
    /// Commands, each of which reads what the one before it writes.
    pub pipeline: Vec<Command>,
    /// Whether the shell continues without waiting.
    pub is_background: bool,
}

/// One process's work.
pub struct Command {
    /// What it does.
    pub action: Action,
    /// Where its input and output are, in the order they were written.
    pub redirections: Vec<Redirection>,
}

/// What a command does.
pub enum Action {
    /// Runs a program, the first of these words, with arguments; nothing if there is no word.
    Program(Vec<CString>),
    /// Runs everything inside the parentheses.
    Group(Vec<Job>),
}

/// Takes in a line.
///
/// # Errors
/// Says what is wrong with it.
pub fn parse(line: &[u8]) -> Result<Vec<Job>, SyntaxError> {
    let mut parser = Parser {
        tokens: token::tokens(line)?.into_iter().peekable(),
        depth: 0,
    };
    let list = parser.list()?;
    match parser.tokens.next() {
        None => Ok(list),
        Some(Token::Close) => Err(SyntaxError("a parenthesis is closed and was not opened")),
        Some(_) => Err(SyntaxError("a separator is missing at a parenthesis")),
    }
}

struct Parser {
    tokens: Peekable<vec::IntoIter<Token>>,
    /// How many parentheses are open.
    depth: usize,
}

impl Parser {
    /// Parses up to the end of the line, or to a token that cannot be in a list.
    fn list(&mut self) -> Result<Vec<Job>, SyntaxError> {
        let mut list = Vec::new();
        while !matches!(self.tokens.peek(), None | Some(Token::Close)) {
            let pipeline = self.pipeline()?;
            let is_background = self.skip(&Token::Background);
            list.push(Job {
                pipeline,
                is_background,
            });
            if !is_background && !self.skip(&Token::Then) {
                break;
            }
        }
        Ok(list)
    }

    fn pipeline(&mut self) -> Result<Vec<Command>, SyntaxError> {
        let mut pipeline = Vec::new();
        loop {
            pipeline.push(self.command()?);
            if !self.skip(&Token::Pipe) {
                return Ok(pipeline);
            }
        }
    }

    fn command(&mut self) -> Result<Command, SyntaxError> {
        let mut redirections = Vec::new();
        let mut words = Vec::new();
        let mut group = None;
        while let Some(token) = self.tokens.next_if(|token| {
            matches!(token, Token::Input | Token::Output | Token::Append)
                || matches!(token, Token::Word(_)) && group.is_none()
                || *token == Token::Open && group.is_none() && words.is_empty()
        }) {
            match token {
                Token::Word(word) => words.push(word),
                Token::Open => group = Some(self.group()?),
                Token::Input => redirections.push(self.redirection(Kind::Input)?),
                Token::Output => redirections.push(self.redirection(Kind::Output)?),
                _ => redirections.push(self.redirection(Kind::Append)?),
            }
        }
        // The list of arguments that `exec` takes ends in a null pointer.
        if words.len() >= ARGUMENTS {
            return Err(SyntaxError("a program has too many arguments"));
        }
        if group.is_none() && words.is_empty() && redirections.is_empty() {
            return Err(SyntaxError("a command is missing"));
        }
        Ok(Command {
            action: group.map_or(Action::Program(words), Action::Group),
            redirections,
        })
    }

    /// What follows an open parenthesis.
    fn group(&mut self) -> Result<Vec<Job>, SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(SyntaxError("too many parentheses are open"));
        }
        self.depth += 1;
        let list = self.list()?;
        self.depth -= 1;
        if !self.skip(&Token::Close) {
            return Err(SyntaxError("a parenthesis is not closed"));
        }
        Ok(list)
    }

    /// What follows the sign of a redirection.
    fn redirection(&mut self, kind: Kind) -> Result<Redirection, SyntaxError> {
        match self.tokens.next() {
            Some(Token::Word(file)) => Ok(Redirection { kind, file }),
            _ => Err(SyntaxError("a redirection needs a file")),
        }
    }

    /// Skips `token` if it is next, and returns whether it was.
    fn skip(&mut self, token: &Token) -> bool {
        self.tokens.next_if_eq(token).is_some()
    }
}
