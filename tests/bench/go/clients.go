package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Clients are the AWS clients.
type Clients struct {
	region     string
	s3         *s3.Client
	iam        *iam.Client
	apigateway *apigateway.Client
}

type lazy struct {
	once  sync.Once
	made  *Clients
	error error
}

func (c *Config) clients(ctx context.Context) (*Clients, error) {
	c.lazy.once.Do(func() { c.lazy.made, c.lazy.error = c.connect(ctx) })
	return c.lazy.made, c.lazy.error
}

func (c *Config) connect(ctx context.Context) (*Clients, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(text(c.Region)), config.WithSharedConfigProfile(text(c.Profile))}
	if c.AccessKey != nil {
		keys := credentials.NewStaticCredentialsProvider(*c.AccessKey, text(c.SecretKey), text(c.Token))
		options = append(options, config.WithCredentialsProvider(keys))
	}
	if c.MaxAttempts != nil {
		options = append(options, config.WithRetryMaxAttempts(*c.MaxAttempts))
	}
	sdk, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, err
	}
	if c.EndpointURL != nil {
		sdk.BaseEndpoint = c.EndpointURL
	}
	own := Endpoints{}
	if c.Endpoints != nil {
		own = *c.Endpoints
	}
	identity := sts.NewFromConfig(sdk, func(o *sts.Options) { o.BaseEndpoint = or(own.STS, o.BaseEndpoint) })
	if role := c.AssumeRole; role != nil {
		sdk.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(identity, role.RoleARN,
			func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName, o.ExternalID = text(role.SessionName), role.ExternalID
			}))
		identity = sts.NewFromConfig(sdk, func(o *sts.Options) { o.BaseEndpoint = or(own.STS, o.BaseEndpoint) })
	}
	if c.AllowedAccountIDs != nil {
		caller, err := identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return nil, err
		}
		if !slices.Contains(c.AllowedAccountIDs, *caller.Account) {
			return nil, fmt.Errorf("account %s is not among `allowedAccountIds`", *caller.Account)
		}
	}
	return &Clients{
		region: sdk.Region,
		s3: s3.NewFromConfig(sdk, func(o *s3.Options) {
			o.BaseEndpoint, o.UsePathStyle = or(own.S3, o.BaseEndpoint), true
		}),
		iam:        iam.NewFromConfig(sdk, func(o *iam.Options) { o.BaseEndpoint = or(own.IAM, o.BaseEndpoint) }),
		apigateway: apigateway.NewFromConfig(sdk, func(o *apigateway.Options) { o.BaseEndpoint = or(own.APIGateway, o.BaseEndpoint) }),
	}, nil
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

func or[T any](value, fallback *T) *T {
	if value == nil {
		return fallback
	}
	return value
}
