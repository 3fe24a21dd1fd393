use s3dataproxy_schema::{Bucket, Domain, Operation, Role};

use super::*;
use crate::desired::tests::place;
use crate::plan::tests::applied;

fn inputs() -> Inputs {
    Inputs { name: Some("data-1".to_owned()), ..Inputs::default() }
}

fn read(inputs: Inputs) -> Read<Inputs> {
    Read { typed: inputs, ..Read::default() }
}

/// The diff of a change of inputs on top of a state, in words.
fn told(change: fn(&mut Inputs), spoil: fn(&mut State), ignored: &[&str]) -> String {
    let mut state = applied(&Desired::new(&inputs(), &place()));
    spoil(&mut state);
    let mut new = inputs();
    change(&mut new);
    let ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
    let diff = diff(&state, &read(inputs()), &read(new), &place(), &ignored);
    let mut lines: Vec<String> = diff
        .details
        .iter()
        .map(|(path, detail)| {
            let replace = if detail.replace { ", replace" } else { "" };
            format!("{path}: {:?} of {}{replace}", detail.kind, if detail.input { "input" } else { "output" })
        })
        .collect();
    let replaces = diff.details.values().any(|detail| detail.replace);
    lines.extend((replaces && diff.delete_before_replace).then(|| "delete before replace".to_owned()));
    lines.join("\n")
}

fn nothing(_: &mut State) {}

#[test]
fn written_out_defaults_are_no_change() {
    let same = |inputs: &mut Inputs| {
        inputs.path = Some("data".to_owned());
        inputs.stage_name = Some("prod".to_owned());
        inputs.operations = Some(vec![Operation::Head, Operation::Get]);
        inputs.bucket = Some(Bucket {
            name: Some("data-1".to_owned()),
            force_destroy: Some(false),
            secure_transport_only: Some(true),
            existing: Some(false),
            versioning: Some(false),
            region: Some("eu-central-1".to_owned()),
            ..Bucket::default()
        });
        inputs.wait_for_ready = Some(true);
        inputs.tags = Some(crate::desired::Tags::new());
    };
    assert_eq!(told(same, nothing, &[]), "");
}

#[test]
fn each_change_shows_its_path() {
    insta::assert_snapshot!(
        told(
            |i| {
                i.path = Some("v2".to_owned());
                i.description = Some("new".to_owned());
                i.operations = Some(vec![Operation::Get]);
                i.bucket = Some(Bucket { force_destroy: Some(true), ..Bucket::default() });
                i.tags = Some([("a b".to_owned(), "c".to_owned())].into());
            },
            nothing,
            &[]
        ),
        @r#"
    bucket.forceDestroy: Update of input
    description: Add of input
    operations: Update of input
    path: Update of input
    tags["a b"]: Add of input
    "#
    );
}

#[test]
fn names_replace_and_delete_first_where_one_stays() {
    insta::assert_snapshot!(told(|i| i.name = Some("data-2".to_owned()), nothing, &[]), @"name: Update of input, replace");
    insta::assert_snapshot!(
        told(|i| i.bucket = Some(Bucket { name: Some("other".to_owned()), ..Bucket::default() }), nothing, &[]),
        @"
    bucket.name: Add of input, replace
    delete before replace
    "
    );
}

#[test]
fn a_role_made_elsewhere_is_another_role_anyway() {
    let path = |i: &mut Inputs| i.role = Some(Role { path: Some("/a/".to_owned()), ..Role::default() });
    assert_eq!(told(path, nothing, &[]), "role.path: Add of input, replace\ndelete before replace");
    let arn = "arn:aws:iam::123456789012:role/b".to_owned();
    let old = Inputs { role: Some(Role { path: Some("/a/".to_owned()), ..Role::default() }), ..inputs() };
    let new = Inputs { role: Some(Role { arn: Some(arn), ..Role::default() }), ..inputs() };
    let state = applied(&Desired::new(&old, &place()));
    for (old, new) in [(&old, &new), (&new, &old)] {
        let diff = diff(&state, &read(old.clone()), &read(new.clone()), &place(), &[]);
        assert!(diff.details.contains_key("role.path") && diff.details.values().all(|detail| !detail.replace));
    }
}

#[test]
fn what_is_to_be_repaired_shows_unless_it_is_ignored() {
    let nobody = |_: &mut Inputs| {};
    insta::assert_snapshot!(told(nobody, |s| s.stage = None, &[]), @"stageArn: Add of output");
    insta::assert_snapshot!(told(nobody, |s| s.role_policy.get_or_insert_default().policy = "{}".to_owned(), &[]), @"operations: Update of output");
    assert_eq!(told(nobody, |s| s.role_policy = None, &["operations"]), "");
}

#[test]
fn what_is_not_known_yet_may_change() {
    let state = applied(&Desired::new(&inputs(), &place()));
    let new = Read { typed: inputs(), unknown: ["operations".to_owned()].into(), secrets: Vec::new() };
    let diff = diff(&state, &read(inputs()), &new, &place(), &[]);
    assert_eq!(diff.details.keys().collect::<Vec<_>>(), ["operations"]);
}

/// An automatic name is made anew for a replacement, so nothing has to be deleted first.
#[test]
fn an_automatic_name_is_not_in_the_way() {
    let data = |name: &str, bucket: Option<Bucket>| Inputs {
        name: Some(name.to_owned()),
        bucket,
        description: Some("a".to_owned()),
        ..Inputs::default()
    };
    let named = |name: &str| Some(Bucket { name: Some(name.to_owned()), ..Bucket::default() });
    let served = Some(Bucket { name: Some("there".to_owned()), existing: Some(true), ..Bucket::default() });
    for (name, bucket, expected) in [
        ("data-0123abc", None, false),
        ("data-1", None, true),
        ("data-0123abg", None, true),
        ("data-0123abc", named("mine"), true),
        ("data-0123abc", served.clone(), false),
        ("data-1", served, true),
    ] {
        let old = data(name, bucket);
        let state = applied(&Desired::new(&old, &place()));
        let new = Inputs { description: None, ..old.clone() };
        let diff = diff(&state, &read(old), &read(new), &place(), &[]);
        assert_eq!(diff.delete_before_replace, expected, "{name}");
    }
}

/// There is one domain name of a name.
#[test]
fn a_domain_name_that_stays_is_deleted_before_it_is_made_again() {
    let with = |name: &str| Inputs {
        name: Some("data-0123abc".to_owned()),
        domain: Some(Domain { name: name.to_owned(), certificate_arn: "arn".to_owned(), ..Domain::default() }),
        ..Inputs::default()
    };
    let state = applied(&Desired::new(&with("a.example"), &place()));
    for (name, expected) in [("a.example", true), ("b.example", false)] {
        let new = Inputs { description: Some("a".to_owned()), ..with(name) };
        let diff = diff(&state, &read(with("a.example")), &read(new), &place(), &[]);
        assert_eq!(diff.delete_before_replace, expected, "{name}");
    }
}
