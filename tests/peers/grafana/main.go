// Command dashboards reads Grafana dashboards into Grafana's own types, and refuses what those do not have.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	// The types of panels and queries; without them their options are anything.
	plugins.RegisterDefaultPlugins()
	failed := false
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Printf("%s: %v\n", path, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var read dashboard.Dashboard
	if err := read.UnmarshalJSONStrict(text); err != nil && !isEmpty(err) {
		return err
	}
	if err := read.Validate(); err != nil && !isEmpty(err) {
		return err
	}
	return nil
}

// isEmpty tells a list without errors, which the generated code returns where it found none.
func isEmpty(err error) bool {
	var list cog.BuildErrors
	return errors.As(err, &list) && len(list) == 0
}
