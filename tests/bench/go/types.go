package main

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Config is the provider's configuration.
type Config struct {
	Region            *string           `pulumi:"region,optional"`
	Profile           *string           `pulumi:"profile,optional"`
	AccessKey         *string           `pulumi:"accessKey,optional"`
	SecretKey         *string           `pulumi:"secretKey,optional" provider:"secret"`
	Token             *string           `pulumi:"token,optional" provider:"secret"`
	AssumeRole        *AssumeRole       `pulumi:"assumeRole,optional"`
	EndpointURL       *string           `pulumi:"endpointUrl,optional"`
	Endpoints         *Endpoints        `pulumi:"endpoints,optional"`
	DefaultTags       map[string]string `pulumi:"defaultTags,optional"`
	AllowedAccountIDs []string          `pulumi:"allowedAccountIds,optional"`
	MaxAttempts       *int              `pulumi:"maxAttempts,optional"`
	ExecuteAPIURL     *string           `pulumi:"executeApiUrl,optional"`

	lazy *lazy
}

// AssumeRole is a role to assume for every call.
type AssumeRole struct {
	RoleARN     string  `pulumi:"roleArn"`
	SessionName *string `pulumi:"sessionName,optional"`
	ExternalID  *string `pulumi:"externalId,optional"`
}

// Endpoints are endpoints of single services.
type Endpoints struct {
	S3         *string `pulumi:"s3,optional"`
	IAM        *string `pulumi:"iam,optional"`
	APIGateway *string `pulumi:"apigateway,optional"`
	STS        *string `pulumi:"sts,optional"`
}

// Configure is offline; the clients come with the first operation.
func (c *Config) Configure(context.Context) error {
	c.lazy = &lazy{}
	return nil
}

// Operation is what clients may do.
type Operation string

// Values are the operations there are.
func (Operation) Values() []infer.EnumValue[Operation] {
	return []infer.EnumValue[Operation]{{Value: "GET"}, {Value: "HEAD"}, {Value: "LIST"}, {Value: "PUT"}, {Value: "DELETE"}}
}

// Bucket is the bucket behind the API.
type Bucket struct {
	Name                *string `pulumi:"name,optional"`
	ForceDestroy        *bool   `pulumi:"forceDestroy,optional"`
	SecureTransportOnly *bool   `pulumi:"secureTransportOnly,optional"`
}

// S3DataProxy is the resource.
type S3DataProxy struct{}

// Annotate names it as ours is named.
func (r *S3DataProxy) Annotate(a infer.Annotator) {
	a.SetToken("index", "S3DataProxy")
	a.Describe(&r, "An Amazon API Gateway REST API in front of an S3 bucket.")
}

// Inputs are its inputs.
type Inputs struct {
	Name         *string           `pulumi:"name,optional"`
	Path         *string           `pulumi:"path,optional"`
	StageName    *string           `pulumi:"stageName,optional"`
	Description  *string           `pulumi:"description,optional"`
	Operations   []Operation       `pulumi:"operations,optional"`
	Bucket       *Bucket           `pulumi:"bucket,optional"`
	WaitForReady *bool             `pulumi:"waitForReady,optional"`
	Tags         map[string]string `pulumi:"tags,optional"`
}

// Outputs are its outputs.
type Outputs struct {
	Inputs
	InvokeURL       string `pulumi:"invokeUrl"`
	BucketName      string `pulumi:"bucketName"`
	BucketARN       string `pulumi:"bucketArn"`
	RoleName        string `pulumi:"roleName"`
	RoleARN         string `pulumi:"roleArn"`
	RestAPIID       string `pulumi:"restApiId"`
	ExecutionARN    string `pulumi:"executionArn"`
	StageARN        string `pulumi:"stageArn"`
	DeploymentID    string `pulumi:"deploymentId"`
	OpenAPIDocument string `pulumi:"openApiDocument"`
}
