//! The texts of the package schema that are no doc comments.

use crate::{PACKAGE, VERSION};

/// The one-line programs, which users run from `examples/` and read in the documentation.
const EXAMPLES: [(&str, &str); 3] = [
    ("python", include_str!("../../../examples/python/__main__.py")),
    ("typescript", include_str!("../../../examples/typescript/index.ts")),
    ("yaml", include_str!("../../../examples/yaml/Pulumi.yaml")),
];

const ABOUT: &str = "\
Objects of an S3 bucket behind the URL of an Amazon API Gateway REST API.

Without inputs it makes a private bucket, a role with which only the API reads it, the REST API, its deployment and a \
stage `prod`. An object with the key `a/b.json` is then at `invokeUrl` + `/a/b.json`.

What API Gateway passes on is limited: 10 MB a response and 29 seconds \
([quotas](https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html)); \
larger objects can be read in parts, with the `Range` header.
";

/// The resource's description. The generators pick their own language's program out of the example.
pub(super) fn resource() -> String {
    let programs: String = EXAMPLES.map(|(language, text)| block(language, text)).concat();
    format!(
        "{ABOUT}\n{{{{% examples %}}}}\n## Example Usage\n{{{{% example %}}}}\n### In one line\n\n\
         {programs}{{{{% /example %}}}}\n{{{{% /examples %}}}}\n"
    )
}

/// The README of one language's package.
pub(super) fn readme(language: &str, title: &str) -> String {
    let programs: String =
        EXAMPLES.iter().filter(|(of, _)| *of == language).map(|(of, text)| block(of, text)).collect();
    format!(
        "# {title}\n\n{ABOUT}\n{programs}\n\
         It needs the Pulumi plugin `{PACKAGE}` v{VERSION}: on `PATH`, or installed by\n\
         `pulumi plugin install resource {PACKAGE} {VERSION} --file TARBALL`.\n"
    )
}

fn block(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```\n", text.trim_end())
}

/// A doc comment as a description: each paragraph and list item on one line, as the registry and the SDKs wrap lines on
/// their own. Code blocks stay as they are.
pub(super) fn unwrap(comment: &str) -> String {
    let mut text = String::new();
    let (mut in_code, mut open) = (false, false);
    for line in comment.lines() {
        let fence = line.trim_start().starts_with("```");
        let own_line = in_code || fence || line.is_empty();
        let joins = open && !own_line && !line.trim_start().starts_with(['-', '*', '#', '|']);
        if !text.is_empty() {
            text.push(if joins { ' ' } else { '\n' });
        }
        text.push_str(if joins { line.trim_start() } else { line });
        in_code ^= fence;
        open = !own_line;
    }
    text
}
