use super::*;
use crate::pieces::definition::routes;

fn api(mount: &str, operations: &[Operation]) -> Api {
    Api {
        vpc_endpoint_ids: Vec::new(),
        disabled: false,
        security_policy: None,
        mount: mount.to_owned(),
        operations: operations.to_vec(),
        bucket: "data-1".to_owned(),
        region: "eu-central-1".to_owned(),
        partition: Partition::of("eu-central-1"),
        index: None,
        prefix: String::new(),
        auth: Auth::None,
        access: Access::default(),
        stage: "prod".to_owned(),
        keys: false,
        cors: None,
        cached: false,
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
        ("/", vec![Operation::Get], vec!["ANY /{key+}", "GET /{key+}"]),
        ("v1/models", vec![Operation::Head], vec!["ANY /v1/models/{key+}", "HEAD /v1/models/{key+}"]),
        ("d", vec![Operation::Get, Operation::Put], vec!["ANY /d/{key+}", "GET /d/{key+}", "PUT /d/{key+}"]),
        ("d", vec![Operation::List], vec!["ANY /d", "GET /d"]),
        ("/", vec![Operation::Delete, Operation::List], vec!["ANY /", "ANY /{key+}", "DELETE /{key+}", "GET /"]),
    ] {
        let routes = routes::of_document(&api(mount, &operations).document("t", None, "r"));
        assert_eq!(routes.keys().collect::<Vec<_>>(), expected);
    }
}

/// Whatever passes to S3, or is read on the way, tells kept answers apart.
#[test]
fn kept_answers_are_told_apart_by_all_that_they_depend_on() {
    let mut kept = api("d", &ALL);
    kept.cached = true;
    kept.prefix = "models/".to_owned();
    kept.cors = Some(cors(&["https://a.example", "https://b.example"]));
    let routes = routes::of_document(&kept.document("t", None, "r"));
    for (route, does) in &routes {
        if route.starts_with("GET ") {
            assert_eq!(does["cacheKeys"], does["takes"], "{route}");
        } else {
            assert_eq!(does["cacheKeys"], json!([]), "{route}");
        }
    }
    let keys = |route: &str| routes[route]["cacheKeys"].to_string();
    for name in
        ["path.key", "header.Range", "header.range", "header.If-None-Match", "querystring.versionId", "header.Origin"]
    {
        assert!(keys("GET /d/{key+}").contains(&format!("\"method.request.{name}\"")), "{name}");
    }
    for name in ["querystring.prefix", "querystring.start-after", "querystring.continuation-token"] {
        assert!(keys("GET /d").contains(name), "{name}");
    }
    assert_eq!(routes::of_document(&api("d", &ALL).document("t", None, "r"))["GET /d"]["cacheKeys"], json!([]));
}

const ALL: [Operation; 5] = [Operation::Get, Operation::Head, Operation::List, Operation::Put, Operation::Delete];

fn cors(origins: &[&str]) -> Cors {
    let inputs = s3dataproxy_schema::Cors {
        allow_origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        allow_credentials: Some(true),
        max_age_seconds: Some(60),
        ..Default::default()
    };
    Cors::of(&inputs, &ALL, &Auth::None)
}

#[test]
fn pages_may_send_what_a_function_asks_for() {
    let inputs = serde_json::json!({ "authorization": "CUSTOM", "authorizer": { "type": "REQUEST", "identitySources":
        ["method.request.header.X-Token", "method.request.querystring.t", "method.request.header.authorization"] } });
    let auth = Auth::of(&serde_json::from_value(inputs).expect("inputs"));
    let own = |auth: &Auth| Cors::of(&Default::default(), &[Operation::Delete], auth).allow_headers.join(",");
    assert_eq!(own(&Auth::None), "Authorization,X-Api-Key,X-Amz-Date,X-Amz-Security-Token");
    assert_eq!(own(&auth), "Authorization,X-Api-Key,X-Amz-Date,X-Amz-Security-Token,X-Token");
}

/// Everything there is, in three documents: with one origin, with several, with an index document.
#[test]
fn the_documents_of_everything() {
    let arn = "arn:aws:iam::123456789012:role/data-1";
    let mut all = api("d", &ALL);
    all.prefix = "models/v1/".to_owned();
    all.cors = Some(cors(&["https://a.example"]));
    insta::assert_snapshot!(
        "one_origin",
        serde_json::to_string_pretty(&all.document("data-1", None, arn)).expect("plain data")
    );
    all.prefix = String::new();
    all.cors = Some(cors(&["https://a.example", "https://b.example"]));
    insta::assert_snapshot!(
        "several_origins",
        serde_json::to_string_pretty(&all.document("data-1", None, arn)).expect("plain data")
    );
    let mut site = api("/", &[Operation::Get, Operation::Head]);
    site.index = Some("index.html".to_owned());
    site.keys = true;
    insta::assert_snapshot!(
        "index_document",
        serde_json::to_string_pretty(&site.document("data-1", None, arn)).expect("plain data")
    );
}

#[test]
fn no_error_of_s3_becomes_a_success() {
    let document = api("d", &ALL).document("t", None, "r");
    for (path, method) in
        [("/d/{key+}", "get"), ("/d/{key+}", "head"), ("/d", "get"), ("/d/{key+}", "put"), ("/d/{key+}", "delete")]
    {
        let answers = &document["paths"][path][method]["x-amazon-apigateway-integration"]["responses"];
        for (pattern, answer) in answers.as_object().expect("answers") {
            let status = answer["statusCode"].as_str().expect("a status");
            let success = matches!(pattern.as_str(), "200" | "204" | "206" | "304");
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

/// Each way to say who may call: what the document says of it, and that an import finds it again.
#[test]
fn who_may_call_is_said_by_every_method_that_reaches_s3() {
    let pool = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_a";
    let function = "arn:aws-cn:lambda:cn-north-1:123456789012:function:authorize:live";
    let mut said = String::new();
    for inputs in [
        json!({}),
        json!({ "authorization": "AWS_IAM" }),
        json!({ "authorization": "COGNITO_USER_POOLS", "authorizer": { "userPoolArns": [pool] } }),
        json!({ "authorization": "COGNITO_USER_POOLS", "authorizer": { "userPoolArns": [pool], "scopes": ["data/read"] } }),
        json!({ "authorization": "CUSTOM", "authorizer": { "functionArn": function } }),
        json!({ "authorization": "CUSTOM", "authorizer": { "functionArn": function, "type": "REQUEST",
            "identitySources": ["method.request.header.X-Key", "context.path"], "resultTtlInSeconds": 60,
            "roleArn": "arn:aws-cn:iam::123456789012:role/invoke" } }),
        json!({ "authorization": "CUSTOM", "authorizer": { "functionArn": function,
            "identitySources": ["method.request.header.X-Key"] } }),
        json!({ "authorization": "CUSTOM", "authorizer": { "functionArn": function, "type": "REQUEST",
            "identitySources": [] } }),
    ] {
        let mut api = api("d", &ALL);
        api.cors = Some(cors(&["https://a.example"]));
        api.auth = Auth::of(&serde_json::from_value(inputs.clone()).expect("inputs"));
        let document = api.document("t", None, "r");
        said += &format!("{}\n", document["components"]);
        let routes = routes::of_document(&document);
        for (route, does) in &routes {
            let open = does["type"] != "AWS" || inputs["authorization"].is_null();
            assert_eq!(does["authorization"]["type"] == "NONE", open, "{route}");
        }
        let (kind, authorizer) = auth::inputs_of(&routes["GET /d/{key+}"]["authorization"]).expect("ours");
        let mut found = json!({ "authorization": kind });
        if let Some(authorizer) = authorizer {
            found["authorizer"] = json!(authorizer);
        }
        let expected = if inputs["authorization"].is_null() { json!({ "authorization": "NONE" }) } else { inputs };
        assert_eq!(found, expected);
    }
    insta::assert_snapshot!("authorization", said);
}

#[test]
fn who_has_to_sign_is_told_so() {
    let mut api = api("d", &[Operation::Get]);
    let status = |api: &Api| {
        let own = &api.document("t", None, "r")["x-amazon-apigateway-gateway-responses"];
        own["MISSING_AUTHENTICATION_TOKEN"]["statusCode"].clone()
    };
    assert_eq!(status(&api), "404");
    api.auth = Auth::Iam;
    assert_eq!(status(&api), "403");
}

/// A read that became a list, as the role may list, stays below the prefix by itself.
#[test]
fn every_read_names_the_prefix() {
    let named = |api: &Api| -> Vec<String> {
        let routes = routes::of_document(&api.document("t", None, "r"));
        let prefix = |does: &Json| does["parameters"]["integration.request.querystring.prefix"] == "'models/v1/'";
        routes.into_iter().filter(|(_, does)| prefix(does)).map(|(route, _)| route).collect()
    };
    let mut api = api("d", &ALL);
    assert!(named(&api).is_empty());
    api.prefix = "models/v1/".to_owned();
    assert_eq!(named(&api), ["GET /d", "GET /d/{key+}", "HEAD /d/{key+}"]);
    api.index = Some("index.html".to_owned());
    assert_eq!(named(&api), ["GET /d", "GET /d/{key+}", "HEAD /d", "HEAD /d/{key+}"]);
}

/// One gateway response answers a refused type of content on all paths.
#[test]
fn a_refused_type_names_the_methods_where_all_paths_offer_the_same() {
    let allow = |api: &Api| {
        let own = &api.document("t", None, "r")["x-amazon-apigateway-gateway-responses"];
        own["UNSUPPORTED_MEDIA_TYPE"]["responseParameters"]["gatewayresponse.header.Allow"].clone()
    };
    let mut api = api("d", &[Operation::Get, Operation::Head]);
    assert_eq!(allow(&api), "'GET, HEAD'");
    api.index = Some("index.html".to_owned());
    api.cors = Some(cors(&["*"]));
    assert_eq!(allow(&api), "'GET, HEAD, OPTIONS'");
    api.operations.push(Operation::Put);
    assert_eq!(allow(&api), Json::Null);
}
