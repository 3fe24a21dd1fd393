use proptest::prelude::*;
use s3dataproxy_schema::{Bucket, Operation};

use super::*;

fn told(inputs: &Inputs) -> String {
    let lines = check(inputs, &Tags::new()).into_iter().map(|failure| {
        let advice = failure.advice.map(|advice| format!(": {advice}")).unwrap_or_default();
        format!("{}: {}{advice}", failure.path, failure.reason)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn bad_bucket_names_are_told_with_the_rule() {
    for (name, expected) in [
        ("ab", "a bucket's name has 3 to 63 characters, not 2"),
        (&"a".repeat(64), "a bucket's name has 3 to 63 characters, not 64"),
        ("My-Data", "a bucket's name has no upper-case letters: write `my-data`"),
        (
            "my.data",
            "a dot in a bucket's name breaks HTTPS, because AWS's certificate covers one level of names: write `my-data`",
        ),
        ("my_data", "a bucket's name has only lower-case letters, digits and hyphens: take out `_`"),
        ("daten-ü", "a bucket's name has only lower-case letters, digits and hyphens: take out `ü`"),
        ("-data", "a bucket's name begins and ends with a letter or digit"),
        ("data-", "a bucket's name begins and ends with a letter or digit"),
        ("xn--data", "S3 keeps names that begin with `xn--` for itself"),
        ("sthree-data", "S3 keeps names that begin with `sthree-` for itself"),
        ("amzn-s3-demo-data", "S3 keeps names that begin with `amzn-s3-demo-` for itself"),
        ("data-s3alias", "S3 keeps names that end with `-s3alias` for itself"),
        ("data--ol-s3", "S3 keeps names that end with `--ol-s3` for itself"),
        ("data--x-s3", "S3 keeps names that end with `--x-s3` for itself"),
        ("data--table-s3", "S3 keeps names that end with `--table-s3` for itself"),
        ("data-an", "S3 keeps names that end with `-an` for itself"),
    ] {
        let inputs =
            Inputs { bucket: Some(Bucket { name: Some(name.to_owned()), ..Bucket::default() }), ..Inputs::default() };
        assert_eq!(told(&inputs), format!("bucket.name: `bucket.name` cannot be used: {expected}"));
        let inputs = Inputs { name: Some(name.to_owned()), ..Inputs::default() };
        assert_eq!(told(&inputs), format!("name: `name` is also the bucket's name, and {expected}"));
    }
}

#[test]
fn bad_paths_are_told_with_the_rule() {
    for (path, expected) in [
        ("", "`path` is empty: write `/` for the stage's root, or leave it out"),
        ("/models", "`path` neither begins nor ends with a slash: write `models`"),
        ("models/", "`path` neither begins nor ends with a slash: write `models`"),
        ("v1//models", "`path` has an empty segment: `v1//models` has two slashes in a row"),
        ("v1/../models", "`path` has the segment `..`, which clients resolve before they send it"),
        ("v1/{id}", "`path` has no `{}`: keys below the path are served as they are"),
        ("my data", "a segment of `path` has only letters, digits and `_ - . , :`: take out ` `"),
        ("a/%2f", "a segment of `path` has only letters, digits and `_ - . , :`: take out `%`"),
    ] {
        let inputs = Inputs { path: Some(path.to_owned()), ..Inputs::default() };
        assert_eq!(told(&inputs), format!("path: {expected}"));
    }
    for path in ["/", "models", "v1/models", "a.b,c:d_e-f"] {
        assert_eq!(told(&Inputs { path: Some(path.to_owned()), ..Inputs::default() }), "", "{path}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let inputs = Inputs {
        name: Some("A".to_owned()),
        path: Some("{}".to_owned()),
        stage_name: Some("my stage".to_owned()),
        operations: Some(vec![Operation::Get, Operation::Get]),
        tags: Some([("aws:x".to_owned(), "y".to_owned()), ("s3dataproxy:owner".to_owned(), "me".to_owned())].into()),
        ..Inputs::default()
    };
    insta::assert_snapshot!(told(&inputs), @r#"
    name: `name` is also the bucket's name, and a bucket's name has 3 to 63 characters, not 1
    path: `path` has no `{}`: keys below the path are served as they are
    stageName: `stageName` has 1 to 128 letters, digits, hyphens and underscores
    operations: `operations` names an operation twice
    tags["aws:x"]: `tags["aws:x"]` cannot be used: AWS keeps tags that begin with `aws:` for itself
    tags["s3dataproxy:owner"]: `tags["s3dataproxy:owner"]` cannot be used: `s3dataproxy:owner` is the tag by which the plugin knows its own: choose another
    "#);
}

#[test]
fn what_is_not_known_yet_is_not_judged() {
    let unknown = || Some(format!("X.{UNKNOWN}"));
    let inputs = Inputs { name: unknown(), path: unknown(), stage_name: unknown(), ..Inputs::default() };
    assert_eq!(told(&inputs), "");
}

#[test]
fn automatic_names_follow_the_engine() {
    let name = |wish: &Autonaming, previous| autoname("My Data", previous, wish, &[7; 32]);
    let default = name(&Autonaming::Default, None).expect("a name");
    assert!(default.starts_with("my-data-") && default.len() == "my-data-".len() + 7, "{default}");
    assert_eq!(name(&Autonaming::Default, None), Ok(default.clone()), "the same seed gives the same name");
    assert_ne!(autoname("My Data", None, &Autonaming::Default, &[8; 32]), Ok(default));
    assert_eq!(name(&Autonaming::Disable, Some("kept")), Ok("kept".to_owned()));
    assert_eq!(name(&Autonaming::Propose("My_Data-1".to_owned()), None), Ok("my-data-1".to_owned()));
    assert_eq!(name(&Autonaming::Enforce("my-data".to_owned()), None), Ok("my-data".to_owned()));
    let told = |wish: &Autonaming| name(wish, None).expect_err("no name").reason;
    assert_eq!(
        told(&Autonaming::Enforce("My".to_owned())),
        "the autonaming configuration enforces `My`, which cannot be used: a bucket's name has 3 to 63 characters, not 2"
    );
    assert_eq!(
        told(&Autonaming::Disable),
        "`name` is missing, and automatic naming is disabled for this stack: give the resource a `name`"
    );
}

proptest! {
    #[test]
    fn every_automatic_name_is_good(urn_name in any::<String>(), seed in any::<[u8; 32]>()) {
        let default = autoname(&urn_name, None, &Autonaming::Default, &seed).expect("a name");
        prop_assert_eq!(bucket_problem(&default), None, "{}", default);
        let proposed = autoname("", None, &Autonaming::Propose(urn_name.clone()), &seed).expect("a name");
        prop_assert_eq!(bucket_problem(&proposed), None, "{}", proposed);
        prop_assert_eq!(path_problem(&default_path(&urn_name)), None);
    }
}
