//! Markdown to HTML that is safe to show: raw HTML in the source comes out as text, and links lead
//! only where links may lead.
use pulldown_cmark::{Event, Options, Parser, Tag, html};
use url::Url;

/// Deeper nesting is shown flat: nobody writes it, and browsers choke on it.
const DEEPEST: usize = 32;

/// The HTML of a Markdown text. Line ends are kept, as in the forms where such texts are written.
pub fn to_html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    // Whether each open tag was written; one that was not must not be closed either.
    let mut open: Vec<bool> = Vec::new();
    let events = Parser::new_ext(markdown, options).filter_map(|event| match event {
        Event::Start(tag) => {
            let shown = open.len() < DEEPEST && is_harmless(&tag);
            open.push(shown);
            shown.then_some(Event::Start(tag))
        }
        Event::End(tag) => open.pop().unwrap_or(true).then_some(Event::End(tag)),
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::SoftBreak => Some(Event::HardBreak),
        other => Some(other),
    });
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut out, events);
    out
}

/// Links and pictures must be absolute and of a scheme that runs nothing; otherwise only their text
/// is shown.
fn is_harmless(tag: &Tag<'_>) -> bool {
    let (address, schemes): (_, &[&str]) = match tag {
        // `<ann@example.org>` gets its `mailto:` when it is written.
        Tag::Link { link_type: pulldown_cmark::LinkType::Email, .. } => return true,
        Tag::Link { dest_url, .. } => (dest_url, &["http", "https", "mailto"]),
        Tag::Image { dest_url, .. } => (dest_url, &["http", "https"]),
        _ => return true,
    };
    Url::parse(address).is_ok_and(|url| schemes.contains(&url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html_line_by_line() {
        assert_eq!(
            to_html("A **bold** word,\nand `code`\n\n* one\n* two"),
            "<p>A <strong>bold</strong> word,<br />\nand <code>code</code></p>\n\
             <ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
        );
        assert_eq!(to_html(""), "");
    }

    #[test]
    fn raw_html_comes_out_as_text() {
        for (markdown, html) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("a <img src=x onerror=alert(1)> b", "<p>a &lt;img src=x onerror=alert(1)&gt; b</p>\n"),
            ("<!-- a\n-->\n", "&lt;!-- a\n--&gt;\n"),
            ("`<b>`", "<p><code>&lt;b&gt;</code></p>\n"),
            ("&lt;b&gt; &#60;i&#62;", "<p>&lt;b&gt; &lt;i&gt;</p>\n"),
            (
                "```\"><script>\nx\n```",
                "<pre><code class=\"language-&quot;&gt;&lt;script&gt;\">x\n</code></pre>\n",
            ),
        ] {
            assert_eq!(to_html(markdown), html, "{markdown}");
        }
    }

    #[test]
    fn links_lead_only_to_addresses_that_run_nothing() {
        for (markdown, html) in [
            (
                "[a](https://example.org/?a=1&b=2)",
                "<a href=\"https://example.org/?a=1&amp;b=2\">a</a>",
            ),
            ("[a](HTTP://example.org)", "<a href=\"HTTP://example.org\">a</a>"),
            ("[a](mailto:ann@example.org)", "<a href=\"mailto:ann@example.org\">a</a>"),
            ("<ann@example.org>", "<a href=\"mailto:ann@example.org\">ann@example.org</a>"),
            ("<https://example.org>", "<a href=\"https://example.org\">https://example.org</a>"),
            (
                "![a](https://example.org/a.png)",
                "<img src=\"https://example.org/a.png\" alt=\"a\" />",
            ),
            ("[a](javascript:alert(1))", "a"),
            ("[a](JaVaScRiPt:alert(1))", "a"),
            ("[a](java&#115;cript:alert(1))", "a"),
            ("[a](<java\tscript:alert(1)>)", "a"),
            ("[a](&#1;javascript:alert(1))", "a"),
            ("<javascript:alert(1)>", "javascript:alert(1)"),
            ("[a][b]\n\n[b]: vbscript:x", "a"),
            ("[a](data:text/html,x)", "a"),
            ("![a](data:image/svg+xml,x)", "a"),
            ("![a](mailto:ann@example.org)", "a"),
            ("[a](/relative)", "a"),
            ("[a](//example.org)", "a"),
            ("[*a* ![b](x:y)](x:y)", "<em>a</em> b"),
            (
                "[a](https://example.org/\"onclick=\"x)",
                "<a href=\"https://example.org/%22onclick=%22x\">a</a>",
            ),
        ] {
            assert_eq!(to_html(markdown), format!("<p>{html}</p>\n"), "{markdown}");
        }
    }

    #[test]
    fn deep_nesting_is_cut_off_and_stays_balanced() {
        let html = to_html(&"> ".repeat(1000));
        assert_eq!(html.matches("<blockquote>").count(), DEEPEST);
        assert_eq!(html.matches("</blockquote>").count(), DEEPEST);
    }
}
