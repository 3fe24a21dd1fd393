package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	gateway "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

type object = map[string]any

func document(value any) *string {
	text, _ := json.Marshal(value) // maps, lists and texts only
	return aws.String(string(text))
}

func policy(statement object) *string {
	return document(object{"Version": "2012-10-17", "Statement": []object{statement}})
}

func createBucket(ctx context.Context, clients *Clients, made *Outputs) error {
	request := &s3.CreateBucketInput{Bucket: &made.BucketName, ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}
	if clients.region != "us-east-1" {
		place := types.BucketLocationConstraint(clients.region)
		request.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: place}
	}
	if _, err := clients.s3.CreateBucket(ctx, request); err != nil {
		return err
	}
	_, err := clients.s3.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &made.BucketName, Policy: policy(object{
		"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": []string{made.BucketARN, made.BucketARN + "/*"},
		"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
	})})
	return err
}

func createRole(ctx context.Context, clients *Clients, made *Outputs) error {
	role, err := clients.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &made.RoleName, AssumeRolePolicyDocument: policy(object{
			"Effect": "Allow", "Principal": object{"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole",
		}),
	})
	if err != nil {
		return err
	}
	made.RoleARN = *role.Role.Arn
	_, err = clients.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: &made.RoleName, PolicyName: aws.String(policyName), PolicyDocument: policy(object{
			"Effect": "Allow", "Action": "s3:GetObject", "Resource": made.BucketARN + "/*",
		}),
	})
	return err
}

func createAPI(ctx context.Context, clients *Clients, made *Outputs) error {
	api, err := clients.apigateway.CreateRestApi(ctx, &apigateway.CreateRestApiInput{
		Name: made.Name, Tags: made.Tags,
		EndpointConfiguration: &gateway.EndpointConfiguration{Types: []gateway.EndpointType{gateway.EndpointTypeRegional}},
	})
	if err != nil {
		return err
	}
	made.RestAPIID = *api.Id
	return nil
}

func deploy(ctx context.Context, clients *Clients, made *Outputs) error {
	made.OpenAPIDocument = *openAPI(clients.region, made)
	if _, err := clients.apigateway.PutRestApi(ctx, &apigateway.PutRestApiInput{
		RestApiId: &made.RestAPIID, Mode: gateway.PutModeOverwrite, Body: []byte(made.OpenAPIDocument),
	}); err != nil {
		return err
	}
	deployment, err := clients.apigateway.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{
		RestApiId: &made.RestAPIID, StageName: made.StageName,
	})
	if err != nil {
		return err
	}
	made.DeploymentID = *deployment.Id
	account := strings.Split(made.RoleARN, ":")[4]
	made.ExecutionARN = fmt.Sprintf("arn:aws:execute-api:%s:%s:%s", clients.region, account, made.RestAPIID)
	made.StageARN = fmt.Sprintf("arn:aws:apigateway:%s::/restapis/%s/stages/%s", clients.region, made.RestAPIID, *made.StageName)
	made.InvokeURL = fmt.Sprintf("https://%s.execute-api.%s.amazonaws.com/%s/%s",
		made.RestAPIID, clients.region, *made.StageName, *made.Path)
	return nil
}

func openAPI(region string, made *Outputs) *string {
	methods := object{}
	for _, method := range []string{"get", "head"} {
		methods[method] = object{
			"parameters": []object{{"name": "key", "in": "path", "required": true, "schema": object{"type": "string"}}},
			"responses":  object{"200": object{"description": "OK"}, "404": object{"description": "Not Found"}},
			"x-amazon-apigateway-integration": object{
				"type": "aws", "httpMethod": strings.ToUpper(method), "credentials": made.RoleARN,
				"uri":               fmt.Sprintf("arn:aws:apigateway:%s:s3:path/%s/{key}", region, made.BucketName),
				"requestParameters": object{"integration.request.path.key": "method.request.path.key"},
				"responses":         object{"default": object{"statusCode": "200"}, "404": object{"statusCode": "404"}},
			},
		}
	}
	return document(object{
		"openapi": "3.0.1", "info": object{"title": *made.Name, "version": "1"},
		"paths": object{"/" + *made.Path + "/{key+}": methods},
	})
}
