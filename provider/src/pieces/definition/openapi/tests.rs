use super::*;
use crate::pieces::definition::routes;

fn api(mount: &str, operations: &[Operation]) -> Api {
    Api {
        mount: mount.to_owned(),
        operations: operations.to_vec(),
        bucket: "data-1".to_owned(),
        region: "eu-central-1".to_owned(),
        partition: Partition::of("eu-central-1"),
    }
}

#[test]
fn the_document_of_the_default_resource() {
    let api = api("ai-data-repository", &[Operation::Get, Operation::Head]);
    let document = api.document("data-1", Some("Weights and samples"), "arn:aws:iam::123456789012:role/data-1");
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).expect("plain data"));
}

#[test]
fn the_mount_path_and_the_methods_follow_the_inputs() {
    for (mount, operations, expected) in [
        ("/", vec![Operation::Get], vec!["GET /{key+}"]),
        ("v1/models", vec![Operation::Head], vec!["HEAD /v1/models/{key+}"]),
        ("d", vec![Operation::Get, Operation::Head], vec!["GET /d/{key+}", "HEAD /d/{key+}"]),
    ] {
        let routes = routes::of_document(&api(mount, &operations).document("t", None, "r"));
        assert_eq!(routes.keys().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn no_error_of_s3_becomes_a_success() {
    let document = api("d", &[Operation::Get, Operation::Head]).document("t", None, "r");
    for method in ["get", "head"] {
        let answers = &document["paths"]["/d/{key+}"][method]["x-amazon-apigateway-integration"]["responses"];
        for (pattern, answer) in answers.as_object().expect("answers") {
            let status = answer["statusCode"].as_str().expect("a status");
            let success = matches!(pattern.as_str(), "200" | "206" | "304");
            assert_eq!(success, status < "400", "{pattern} becomes {status}");
        }
    }
}

#[test]
fn differences_name_the_route_and_the_part() {
    let ours = routes::of_document(&api("d", &[Operation::Get, Operation::Head]).document("t", None, "r"));
    assert_eq!(routes::differences(&ours, &ours), Vec::<String>::new());
    let mut theirs = ours.clone();
    theirs.remove("HEAD /d/{key+}");
    theirs.insert("POST /x".to_owned(), json!({}));
    theirs.get_mut("GET /d/{key+}").expect("a route")["uri"] = "elsewhere".into();
    assert_eq!(
        routes::differences(&ours, &theirs),
        ["GET /d/{key+}, uri", "HEAD /d/{key+} is missing", "POST /x was added"]
    );
}
