//! The expressions of templates: `[format('{0}-x', parameters('prefix'))]`.

use std::iter::Peekable;
use std::str::Chars;

/// An expression, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Text(String),
    Number(i64),
    Call(String, Vec<Self>),
    /// `….name`
    Member(Box<Self>, String),
    /// `…[index]`
    Index(Box<Self>, Box<Self>),
}

impl Expression {
    /// Reads a string of a template. One that is no expression stands for itself.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some(inner) = text.strip_prefix('[').filter(|_| !text.starts_with("[[")) else {
            return Ok(Self::Text(text.replacen("[[", "[", 1)));
        };
        let inner = inner.strip_suffix(']').ok_or_else(|| format!("{text} does not end"))?;
        let mut reader = Reader(inner.chars().peekable());
        let expression = reader.expression().map_err(|why| format!("{text}: {why}"))?;
        match reader.next_visible() {
            None => Ok(expression),
            Some(more) => Err(format!("{text}: {more} comes after the end")),
        }
    }

    /// This expression and all inside it.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        let inner: Vec<&Self> = match self {
            Self::Text(_) | Self::Number(_) => Vec::new(),
            Self::Call(_, arguments) => arguments.iter().collect(),
            Self::Member(of, _) => vec![of],
            Self::Index(of, index) => vec![of, index],
        };
        std::iter::once(self).chain(inner.into_iter().flat_map(Self::parts)).collect()
    }

    /// The one text argument of each call of `function` in it: the names of parameters, say.
    pub(crate) fn named_by(&self, function: &str) -> Vec<&str> {
        let calls = self.parts().into_iter().filter_map(|part| match part {
            Self::Call(name, arguments) if name == function => arguments.first(),
            _ => None,
        });
        calls
            .filter_map(|argument| match argument {
                Self::Text(name) => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }
}

struct Reader<'a>(Peekable<Chars<'a>>);

impl Reader<'_> {
    fn next_visible(&mut self) -> Option<char> {
        while self.0.next_if(char::is_ascii_whitespace).is_some() {}
        self.0.peek().copied()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        match self.next_visible() {
            Some(found) if found == wanted => {
                self.0.next();
                Ok(())
            }
            found => Err(format!("{wanted} is missing where {found:?} is")),
        }
    }

    fn expression(&mut self) -> Result<Expression, String> {
        let mut read = match self.next_visible() {
            Some('\'') => self.text()?,
            Some(first) if first.is_ascii_digit() => self.number()?,
            Some(first) if first.is_ascii_alphabetic() => self.call()?,
            other => return Err(format!("no expression begins with {other:?}")),
        };
        loop {
            match self.next_visible() {
                Some('.') => {
                    self.0.next();
                    read = Expression::Member(Box::new(read), self.word());
                }
                Some('[') => {
                    self.0.next();
                    read = Expression::Index(Box::new(read), Box::new(self.expression()?));
                    self.expect(']')?;
                }
                _ => return Ok(read),
            }
        }
    }

    /// Two quotes stand for one.
    fn text(&mut self) -> Result<Expression, String> {
        self.expect('\'')?;
        let mut text = String::new();
        loop {
            match self.0.next() {
                Some('\'') if self.0.next_if_eq(&'\'').is_some() => text.push('\''),
                Some('\'') => return Ok(Expression::Text(text)),
                Some(other) => text.push(other),
                None => return Err("a text does not end".to_owned()),
            }
        }
    }

    fn number(&mut self) -> Result<Expression, String> {
        self.word().parse().map(Expression::Number).map_err(|error| format!("{error}"))
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(more) = self.0.next_if(|more| more.is_ascii_alphanumeric() || *more == '_') {
            word.push(more);
        }
        word
    }

    fn call(&mut self) -> Result<Expression, String> {
        let name = self.word();
        self.expect('(')?;
        let mut arguments = Vec::new();
        while self.next_visible() != Some(')') {
            if !arguments.is_empty() {
                self.expect(',')?;
            }
            arguments.push(self.expression()?);
        }
        self.expect(')')?;
        Ok(Expression::Call(name, arguments))
    }
}

#[test]
fn expressions_are_read_to_their_end() {
    let call = |name: &str, arguments| Expression::Call(name.to_owned(), arguments);
    let text = |text: &str| Expression::Text(text.to_owned());
    let read = Expression::parse("[concat('it''s', variables('a')[copyIndex(1)].b)]").unwrap();
    let index = Expression::Index(
        Box::new(call("variables", vec![text("a")])),
        Box::new(call("copyIndex", vec![Expression::Number(1)])),
    );
    let member = Expression::Member(Box::new(index), "b".to_owned());
    assert_eq!(read, call("concat", vec![text("it's"), member]));
    assert_eq!(Expression::parse("plain [text]").unwrap(), text("plain [text]"));
    for wrong in ["[concat('a'", "[concat('a')", "[concat('a'))]", "[concat('a' 'b')]", "[]", "['a]"] {
        assert!(Expression::parse(wrong).is_err(), "{wrong}");
    }
}
