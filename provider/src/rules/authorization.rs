//! What `authorization` and `authorizer` may say.

use s3dataproxy_schema::{Authorization, Authorizer, AuthorizerType, Inputs};

use super::arn::is_arn;
use crate::inputs::{Failure, Read};
use crate::value::UNKNOWN;

/// Checks what types cannot. Parts that are not known yet are skipped.
pub(super) fn check(read: &Read<Inputs>, failures: &mut Vec<Failure>) {
    let inputs = &read.typed;
    if read.unknown.contains("authorization") {
        return;
    }
    let kind = inputs.authorization.unwrap_or_default();
    let mut fail = |path: &str, wrong: bool, reason: &str| {
        failures.extend(wrong.then(|| Failure::new(path, reason)));
    };
    let needed = match kind {
        Authorization::None | Authorization::AwsIam => {
            let reason = "`authorizer` is for the `authorization` `COGNITO_USER_POOLS` and `CUSTOM`: set one of them, or \
                          leave `authorizer` out";
            return fail("authorizer", inputs.authorizer.is_some(), reason);
        }
        Authorization::CognitoUserPools => {
            "`authorizer.userPoolArns` is missing: the `authorization` `COGNITO_USER_POOLS` needs at least one"
        }
        Authorization::Custom => {
            "`authorizer.functionArn` is missing: the `authorization` `CUSTOM` needs the function that decides"
        }
    };
    let authorizer = inputs.authorizer.clone().unwrap_or_default();
    let known = !read.unknown.contains("authorizer");
    let Authorizer { user_pool_arns, scopes, function_arn, role_arn, identity_sources, result_ttl_in_seconds, .. } =
        &authorizer;
    if kind == Authorization::CognitoUserPools {
        fail("authorizer.userPoolArns", user_pool_arns.as_ref().is_none_or(Vec::is_empty), needed);
        for (path, set) in [
            ("authorizer.functionArn", function_arn.is_some()),
            ("authorizer.roleArn", role_arn.is_some()),
            ("authorizer.type", authorizer.kind.is_some()),
            ("authorizer.identitySources", identity_sources.is_some()),
            ("authorizer.resultTtlInSeconds", result_ttl_in_seconds.is_some()),
        ] {
            fail(path, known && set, &format!("`{path}` is for the `authorization` `CUSTOM`: leave it out"));
        }
        for (index, arn) in user_pool_arns.iter().flatten().enumerate() {
            let path = format!("authorizer.userPoolArns[{index}]");
            let reason = format!(
                "`{path}` must be the ARN of a Cognito user pool, such as \
                 `arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab1Cd2Ef3`"
            );
            fail(&path, !is_arn(arn, "cognito-idp", "userpool/"), &reason);
        }
    } else {
        fail("authorizer.functionArn", function_arn.is_none(), needed);
        for (path, set) in
            [("authorizer.userPoolArns", user_pool_arns.is_some()), ("authorizer.scopes", scopes.is_some())]
        {
            let reason = format!("`{path}` is for the `authorization` `COGNITO_USER_POOLS`: leave it out");
            fail(path, known && set, &reason);
        }
        fail(
            "authorizer.functionArn",
            function_arn.as_ref().is_some_and(|arn| !is_arn(arn, "lambda", "function:")),
            "`authorizer.functionArn` must be the ARN of a Lambda function, such as \
             `arn:aws:lambda:eu-central-1:123456789012:function:authorize`",
        );
        fail(
            "authorizer.roleArn",
            role_arn.as_ref().is_some_and(|arn| !is_arn(arn, "iam", "role/")),
            "`authorizer.roleArn` must be the ARN of an IAM role, such as `arn:aws:iam::123456789012:role/invoke`",
        );
        sources(&authorizer, &mut fail);
    }
}

fn sources(authorizer: &Authorizer, fail: &mut impl FnMut(&str, bool, &str)) {
    let sources = authorizer.identity_sources.iter().flatten();
    let ttl = authorizer.result_ttl_in_seconds.unwrap_or(0);
    fail(
        "authorizer.resultTtlInSeconds",
        !(0..=3600).contains(&ttl),
        "`authorizer.resultTtlInSeconds` must be 0 to 3600",
    );
    for (index, source) in sources.clone().enumerate() {
        let path = format!("authorizer.identitySources[{index}]");
        let reason = format!(
            "`{path}` must be `method.request.header.NAME`, `method.request.querystring.NAME`, `context.NAME` or \
             `stageVariables.NAME`"
        );
        fail(&path, !source.contains(UNKNOWN) && !is_source(source), &reason);
    }
    let Some(given) = &authorizer.identity_sources else { return };
    if authorizer.kind.unwrap_or_default() == AuthorizerType::Token {
        let header = |source: &String| source.contains(UNKNOWN) || source.starts_with("method.request.header.");
        fail(
            "authorizer.identitySources",
            given.len() != 1 || !given.iter().all(header),
            "`authorizer.identitySources` must be exactly one `method.request.header.NAME` for the type `TOKEN`; the type \
             `REQUEST` takes others",
        );
    } else {
        fail(
            "authorizer.identitySources",
            given.is_empty() && ttl > 0,
            "`authorizer.identitySources` is empty: with `authorizer.resultTtlInSeconds`, answers are kept by the identity, \
             so name where it is",
        );
    }
}

fn is_source(text: &str) -> bool {
    let places = ["method.request.header.", "method.request.querystring.", "context.", "stageVariables."];
    let name = places.iter().find_map(|place| text.strip_prefix(place));
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.$".contains(c);
    name.is_some_and(|name| !name.is_empty() && name.chars().all(legal))
}
