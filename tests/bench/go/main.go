// The provider in Pulumi's Go framework that the benchmark compares ours with: the same resource and configuration, the
// same AWS clients made on first use. It is no product: it checks and handles less than ours does.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"
)

func main() {
	provider, err := infer.NewProviderBuilder().
		WithConfig(infer.Config(&Config{})).
		WithResources(infer.Resource(&S3DataProxy{})).
		Build()
	if err == nil {
		err = provider.Run(context.Background(), "s3dataproxy", "0.1.0")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
