package main

import (
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// podman is what differs on Podman.
func podman() string {
	var lines []string
	for _, what := range catalog.Podman {
		lines = append(lines, "- "+what)
	}
	return strings.Join(lines, ";\n") + "."
}
