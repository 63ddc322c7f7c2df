//! The two forms in which Azure hands out a policy.

/// Turns a policy as it was written (`rawxml`) into the well-formed document that Azure answers with by
/// default (`xml`): inside a policy expression, `@(…)` or `@{…}`, the characters that XML reserves become
/// entities.
pub fn escape_expressions(raw: &str) -> String {
    let mut document = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(start) = rest.find("@(").into_iter().chain(rest.find("@{")).min() {
        let length = expression_length(&rest[start..]);
        document.push_str(&rest[..start]);
        document.push_str(&escaped(&rest[start..start + length]));
        rest = &rest[start + length..];
    }
    document.push_str(rest);
    document
}

/// The length in bytes of the expression that `text` begins with, both brackets included.
fn expression_length(text: &str) -> usize {
    let (open, close) = if text.starts_with("@(") { ('(', ')') } else { ('{', '}') };
    let mut depth = 0_u32;
    for (at, character) in text.char_indices() {
        if character == open {
            depth += 1;
        } else if character == close {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    text.len()
}

fn escaped(expression: &str) -> String {
    expression.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_expressions_are_escaped() {
        let raw = r#"<a b="@(x.Get("k") > 1 && (y < 2))"><c>@{ return "z"; }</c></a>"#;
        assert_eq!(
            escape_expressions(raw),
            "<a b=\"@(x.Get(&quot;k&quot;) &gt; 1 &amp;&amp; (y &lt; 2))\"><c>@{ return &quot;z&quot;; }</c></a>"
        );
    }

    #[test]
    fn text_without_expressions_is_left_alone() {
        assert_eq!(escape_expressions("<policies>a@b</policies>"), "<policies>a@b</policies>");
    }
}
