package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	gateway "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/pulumi/pulumi-go-provider/infer"
)

const policyName = "s3dataproxy"

// Check gives the name and the path that the inputs leave out.
func (S3DataProxy) Check(ctx context.Context, request infer.CheckRequest) (infer.CheckResponse[Inputs], error) {
	inputs, failures, err := infer.DefaultCheck[Inputs](ctx, request.NewInputs)
	if old, ok := request.OldInputs.GetOk("name"); ok && inputs.Name == nil && old.IsString() {
		inputs.Name = aws.String(old.AsString())
	}
	inputs.Name = or(inputs.Name, aws.String(fmt.Sprintf("%s-%07x", request.Name, rand.IntN(1<<28))))
	inputs.Path = or(inputs.Path, aws.String(request.Name))
	inputs.StageName = or(inputs.StageName, aws.String("prod"))
	return infer.CheckResponse[Inputs]{Inputs: inputs, Failures: failures}, err
}

// Create makes bucket, role and API.
func (S3DataProxy) Create(ctx context.Context, request infer.CreateRequest[Inputs]) (infer.CreateResponse[Outputs], error) {
	config := infer.GetConfig[Config](ctx)
	name := *request.Inputs.Name
	outputs := Outputs{Inputs: request.Inputs, BucketName: name, RoleName: name, BucketARN: "arn:aws:s3:::" + name}
	if bucket := request.Inputs.Bucket; bucket != nil && bucket.Name != nil {
		outputs.BucketName, outputs.BucketARN = *bucket.Name, "arn:aws:s3:::"+*bucket.Name
	}
	response := infer.CreateResponse[Outputs]{ID: name, Output: outputs}
	clients, err := config.clients(ctx)
	if err != nil || request.DryRun {
		return response, err
	}
	made := &response.Output
	for _, step := range []func(context.Context, *Clients, *Outputs) error{createBucket, createRole, createAPI, deploy} {
		if err := step(ctx, clients, made); err != nil {
			return response, infer.ResourceInitFailedError{Reasons: []string{err.Error()}}
		}
	}
	return response, nil
}

// Update deploys the API's document anew.
func (S3DataProxy) Update(ctx context.Context, request infer.UpdateRequest[Inputs, Outputs]) (infer.UpdateResponse[Outputs], error) {
	config := infer.GetConfig[Config](ctx)
	response := infer.UpdateResponse[Outputs]{Output: request.State}
	response.Output.Inputs = request.Inputs
	clients, err := config.clients(ctx)
	if err != nil || request.DryRun {
		return response, err
	}
	return response, deploy(ctx, clients, &response.Output)
}

// Read tells whether the API is still there.
func (S3DataProxy) Read(ctx context.Context, request infer.ReadRequest[Inputs, Outputs]) (infer.ReadResponse[Inputs, Outputs], error) {
	config := infer.GetConfig[Config](ctx)
	response := infer.ReadResponse[Inputs, Outputs](request)
	clients, err := config.clients(ctx)
	if err != nil {
		return response, err
	}
	_, err = clients.apigateway.GetRestApi(ctx, &apigateway.GetRestApiInput{RestApiId: &request.State.RestAPIID})
	if gone := (*gateway.NotFoundException)(nil); errors.As(err, &gone) {
		return infer.ReadResponse[Inputs, Outputs]{}, nil
	}
	if err != nil {
		return response, err
	}
	if _, err := clients.s3.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &request.State.BucketName}); err != nil {
		return response, err
	}
	if _, err := clients.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &request.State.BucketName}); err != nil {
		return response, err
	}
	if _, err := clients.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &request.State.RoleName}); err != nil {
		return response, err
	}
	_, err = clients.apigateway.GetStage(ctx, &apigateway.GetStageInput{
		RestApiId: &request.State.RestAPIID, StageName: request.State.StageName,
	})
	return response, err
}

// Delete takes all of it away.
func (S3DataProxy) Delete(ctx context.Context, request infer.DeleteRequest[Outputs]) (infer.DeleteResponse, error) {
	config := infer.GetConfig[Config](ctx)
	response, state := infer.DeleteResponse{}, request.State
	clients, err := config.clients(ctx)
	if err != nil {
		return response, err
	}
	if _, err := clients.apigateway.DeleteRestApi(ctx, &apigateway.DeleteRestApiInput{RestApiId: &state.RestAPIID}); err != nil {
		return response, err
	}
	if _, err := clients.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{
		RoleName: &state.RoleName, PolicyName: aws.String(policyName),
	}); err != nil {
		return response, err
	}
	if _, err := clients.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &state.RoleName}); err != nil {
		return response, err
	}
	if bucket := state.Bucket; bucket != nil && bucket.ForceDestroy != nil && *bucket.ForceDestroy {
		if err := empty(ctx, clients, state.BucketName); err != nil {
			return response, err
		}
	}
	_, err = clients.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &state.BucketName})
	return response, err
}

func empty(ctx context.Context, clients *Clients, bucket string) error {
	pages := s3.NewListObjectVersionsPaginator(clients.s3, &s3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		found := []types.ObjectIdentifier{}
		for _, version := range page.Versions {
			found = append(found, types.ObjectIdentifier{Key: version.Key, VersionId: version.VersionId})
		}
		if len(found) == 0 {
			continue
		}
		if _, err := clients.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &bucket, Delete: &types.Delete{Objects: found},
		}); err != nil {
			return err
		}
	}
	return nil
}
