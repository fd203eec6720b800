package main

import (
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// podman is what Podman does not keep.
func podman() string {
	var lines []string
	for _, d := range catalog.Podman {
		lines = append(lines, "- "+d.What)
	}
	return strings.Join(lines, ";\n") + "."
}
