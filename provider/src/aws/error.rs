//! AWS's failures in words: what was being done, what AWS answered, what can be done about it.

use aws_sdk_apigateway::config::http::HttpResponse;
use aws_sdk_apigateway::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_apigateway::operation::RequestId;

use super::Clients;
use super::pace::gave_up_waiting;
use super::retry::connected;
use crate::error::{Error, Kind};

/// The services that the plugin calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Service {
    S3,
    Iam,
    ApiGateway,
    Logs,
    Sts,
    Wafv2,
}

impl Service {
    /// The prefix of the service's IAM actions, which is also its key in `endpoints`.
    pub fn prefix(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Iam => "iam",
            Service::ApiGateway => "apigateway",
            Service::Logs => "logs",
            Service::Sts => "sts",
            Service::Wafv2 => "wafv2",
        }
    }
}

/// A call in words: the service, the operation, and what it is made for, such as ``create the bucket `x` ``.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a>(pub Service, pub &'static str, pub &'a str);

impl Clients {
    /// The failure of a call.
    pub fn explain<E>(&self, call: Call<'_>, error: SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let Call(service, operation, doing) = call;
        if let Some(reason) = gave_up_waiting(&error) {
            return Error::new(Kind::Stopped, doing, reason);
        }
        let request_id = error.request_id().map(str::to_owned);
        let strange = |status: u16| {
            Error::new(Kind::Faulty, doing, format!("the answer, with HTTP status {status}, is not what AWS sends"))
        };
        let mut explained = match &error {
            // No error of AWS has such a status.
            SdkError::ServiceError(other) if other.err().code().is_none() && other.raw().status().as_u16() < 300 => {
                strange(other.raw().status().as_u16())
            }
            SdkError::ServiceError(service_error) => {
                let status = service_error.raw().status().as_u16();
                let metadata = service_error.err().meta();
                let code = metadata.code().map(str::to_owned);
                let message = metadata.message().map_or_else(|| format!("HTTP status {status}"), str::to_owned);
                let mut explained = Error::new(kind(service, status, code.as_deref(), &message), doing, message);
                explained.code = code;
                explained
            }
            SdkError::ResponseError(response) => strange(response.raw().status().as_u16()),
            other => {
                let (reason, endpoint) = (reason(other), self.endpoint(service));
                match other {
                    SdkError::DispatchFailure(failure)
                        if !failure.as_connector_error().is_some_and(|e| connected(e)) =>
                    {
                        Error::new(Kind::Unreachable, doing, format!("no connection to {endpoint}: {reason}"))
                    }
                    SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
                        Error::new(Kind::Unanswered, doing, format!("no answer from {endpoint}: {reason}"))
                    }
                    _ => Error::new(Kind::Other, doing, reason),
                }
            }
        };
        explained.operation = Some(operation);
        explained.request_id = request_id;
        explained.hint = hint(service, operation, &explained, self);
        explained
    }

    /// Whether a service is called elsewhere than at AWS.
    fn has_own_endpoint(&self, service: Service) -> bool {
        self.own_endpoint(service).is_some()
    }

    fn own_endpoint(&self, service: Service) -> &Option<String> {
        match service {
            Service::S3 => &self.endpoints.s3,
            Service::Iam => &self.endpoints.iam,
            Service::ApiGateway => &self.endpoints.apigateway,
            Service::Logs => &self.endpoints.logs,
            Service::Sts => &self.endpoints.sts,
            Service::Wafv2 => &self.endpoints.wafv2,
        }
    }

    /// Where a service is called.
    fn endpoint(&self, service: Service) -> String {
        self.own_endpoint(service).clone().unwrap_or_else(|| match service {
            Service::Iam => "AWS IAM".to_owned(),
            other => format!("`{}` in Region `{}`", other.prefix(), self.region),
        })
    }
}

/// Why a call got no answer.
fn reason<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) => failure.as_connector_error().map_or_else(String::new, |e| innermost(e)),
        other => innermost(other),
    }
}

/// The reason at the bottom of an error's chain; what lies above says only that something failed.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

fn kind(service: Service, status: u16, code: Option<&str>, message: &str) -> Kind {
    match (status, code.unwrap_or_default()) {
        (_, code) if is_limit(service, code, message) => Kind::UsedUp,
        (404, _)
        | (
            _,
            "NoSuchEntity"
            | "NoSuchBucket"
            | "NotFoundException"
            | "ResourceNotFoundException"
            | "WAFNonexistentItemException",
        ) => Kind::NotFound,
        (
            _,
            "BucketAlreadyOwnedByYou"
            | "BucketAlreadyExists"
            | "EntityAlreadyExists"
            | "ResourceAlreadyExistsException",
        ) => Kind::AlreadyExists,
        (401 | 403, _) => Kind::Denied,
        (429, _) | (_, "Throttling" | "ThrottlingException" | "SlowDown") => Kind::Throttled,
        (400..500, _) => Kind::Invalid,
        (500.., _) => Kind::Faulty,
        _ => Kind::Other,
    }
}

/// Whether a quota of things is used up. API Gateway's code for it differs, its words do not: LimitExceededException, which
/// it also sends for a pace, and BadRequestException in <https://github.com/Miserlou/Zappa/issues/628>.
fn is_limit(service: Service, code: &str, message: &str) -> bool {
    match code {
        "LimitExceededException" if service == Service::ApiGateway => message.contains("Maximum number of"),
        "LimitExceeded" | "LimitExceededException" | "TooManyBuckets" | "WAFLimitsExceededException" => true,
        _ => message.contains("Maximum number of"),
    }
}

/// Whether a request came too early or too late, by the clock of the machine that signed it. Services that have no code for
/// it say it in words.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>
fn is_out_of_time(code: &str, message: &str) -> bool {
    matches!(code, "RequestTimeTooSkewed" | "RequestExpired")
        || message.contains("Signature expired")
        || message.contains("Signature not yet current")
}

/// What to do about a quota that is used up. Which of API Gateway's can be raised:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
fn of_limit(operation: &str, message: &str) -> &'static str {
    match operation {
        "PutRolePolicy" if message.contains("policy size") => {
            "all inline policies of the role share this size: take off what others have put there, and run `pulumi up` again"
        }
        "CreateRestApi" | "CreateApiKey" => {
            "AWS raises this quota for nobody: delete what nobody needs, or use another Region or account"
        }
        _ => "delete what nobody needs, or ask for a higher quota in Service Quotas",
    }
}

fn hint(service: Service, operation: &str, error: &Error, clients: &Clients) -> Option<String> {
    let hint = match (error.kind, error.code.as_deref().unwrap_or_default()) {
        (Kind::UsedUp, _) => of_limit(operation, &error.message).to_owned(),
        (_, "BucketAlreadyExists") => {
            "another AWS account has a bucket of this name, and names are unique in all of AWS: choose another `name` \
             or `bucket.name`"
                .to_owned()
        }
        (_, "BucketNotEmpty") => {
            "nothing was deleted: move the objects away, or set `bucket.forceDestroy` and run `pulumi up` first"
                .to_owned()
        }
        (_, "InvalidBucketAclWithObjectOwnership") => {
            "somebody has let others in by the bucket's ACL: take that back with `aws s3api put-bucket-acl --acl private`, \
             and run `pulumi up` again"
                .to_owned()
        }
        (_, "WAFNonexistentItemException") => {
            "name a web ACL that is there in `webAclArn`, for regional resources, in the Region and account of the API".to_owned()
        }
        (_, "DeleteConflict") => {
            "something else uses the role, such as an instance profile: take it off there, and run the command again"
                .to_owned()
        }
        (_, code) if is_out_of_time(code, &error.message) => {
            "this machine's clock is minutes away from AWS's: set it right, and run the command again".to_owned()
        }
        (
            _,
            "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidToken"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "TokenRefreshRequired",
        ) => "AWS does not accept the credentials: check `accessKey` and `secretKey`, the profile, or log in again"
            .to_owned(),
        (_, "OptInRequired") => {
            format!(
                "enable the Region `{}` for the account, or sign the account up for the service ({}), and run the command \
                 again",
                clients.region,
                service.prefix()
            )
        }
        (Kind::Denied, _) => {
            format!(
                "the credentials need permission for {} ({}); the README lists all that the plugin needs",
                operation,
                service.prefix()
            )
        }
        (Kind::Invalid, _) if error.to_string().contains("CloudWatch Logs role ARN must be set") => {
            "have an administrator set the account's role for CloudWatch Logs in API Gateway's settings, or leave \
             `accessLog` and `executionLog` out"
                .to_owned()
        }
        (Kind::Invalid, _) if error.to_string().contains("API Stages associated") => {
            "somebody has attached the usage plan to another stage: take it off there, and run the command again"
                .to_owned()
        }
        (Kind::Invalid, _) if error.to_string().contains("base path mappings") => {
            "somebody has mapped a domain name of their own to the REST API: delete that mapping, and run the command again; \
             if it is the one of `domain`, which has lost the tag `s3dataproxy:owner`, `pulumi refresh` and `pulumi up` put \
             the tag back"
                .to_owned()
        }
        (Kind::Throttled, _) => "AWS limits the pace of these calls: run `pulumi up` again in a minute".to_owned(),
        (Kind::Faulty, _) if clients.has_own_endpoint(service) => format!(
            "check that `endpointUrl` or `endpoints.{}` is what it should be, and run `pulumi up` again",
            service.prefix()
        ),
        (Kind::Faulty, _) => "this is a fault at AWS: run `pulumi up` again in a few minutes".to_owned(),
        (Kind::Unreachable | Kind::Unanswered, _) => format!(
            "check the Region `{}`, `endpointUrl` and `endpoints.{}`, and the network",
            clients.region,
            service.prefix()
        ),
        _ => return None,
    };
    Some(hint)
}
