package provider_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"golang.org/x/crypto/ssh"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// How a Docker Engine is reached is judged by the plan, as far as it is known,
// without an Engine that answers.
func TestAccDockerNodeRefused(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	broken := filepath.Join(t.TempDir(), "key")
	mustDo(t, os.WriteFile(broken, []byte("no key"), 0o600))
	node := func(docker string) string {
		return acctest.Join(acctest.Provider(dir), acctest.Team, `
resource "terraform_data" "later" { input = "a" }
resource "slipway_node" "it" {
  team_id = slipway_team.acme.id
  name    = "it"
  docker  = {
    `+docker+`
  }
}`)
	}
	const certificate = `"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"`
	all := map[string]struct{ docker, field, says string }{
		"host":         {`host = "http://a:2375"`, "host", "not the address of a Docker Engine"},
		"both":         {"host = \"tcp://a:2376\"\n context = \"cellar\"", "context", "either a host or a context"},
		"context":      {`context = "nobody-made-it"`, "context", `there is no Docker context "nobody-made-it"`},
		"ssh":          {"host = \"tcp://a:2376\"\n ssh = {}", "ssh", "only an ssh:// host"},
		"pair":         {"host = \"tcp://a:2376\"\n tls = {\n certificate = " + certificate + "\n private_key_wo = \"canary\"\n private_key_wo_version = 1\n }", "tls.certificate", "do not fit together"},
		"ssh key":      {"host = \"ssh://me@a\"\n ssh = {\n private_key_wo = \"canary\"\n private_key_wo_version = 1\n }", "ssh.private_key_wo", "no private key without a passphrase"},
		"key file":     {fmt.Sprintf("host = \"ssh://me@a\"\n ssh = {\n private_key_path = %q\n }", broken), "ssh.private_key_path", "no private key without a passphrase"},
		"two keys":     {"host = \"ssh://me@a\"\n ssh = {\n private_key_path = \"a\"\n private_key_wo = \"canary\"\n private_key_wo_version = 1\n }", "ssh.private_key_wo", "cannot be specified when"},
		"known hosts":  {fmt.Sprintf("host = \"ssh://me@a\"\n ssh = {\n private_key_wo = %s\n private_key_wo_version = 1\n known_hosts = \"x\"\n }", testKey(t)), "ssh.known_hosts", "cannot be read"},
		"partly known": {"host = \"nowhere\"\n allowed_host_paths = [terraform_data.later.output]", "host", "not the address of a Docker Engine"},
	}
	var every []resource.TestStep
	for _, name := range slices.Sorted(maps.Keys(all)) {
		refused := all[name]
		says := strings.Join(strings.Fields(regexp.QuoteMeta(refused.says)), `\s+`)
		every = append(every, resource.TestStep{
			PreConfig: func() { t.Log("refused:", name) },
			Config:    node(refused.docker), PlanOnly: true,
			ExpectError: regexp.MustCompile(`(?s)with slipway_node\.it.*docker\.` + refused.field + `\b.*` + says),
		})
	}
	// What is not known yet is not judged, nor is a file that may come yet.
	for _, docker := range []string{
		"host = \"ssh://me@${terraform_data.later.output}\"\n tls = {}",
		"host = \"ssh://me@a\"\n ssh = {\n private_key_path = \"/nowhere/yet\"\n known_hosts = terraform_data.later.output\n }",
		"host = \"ssh://me@a\"\n ssh = {\n private_key_path = \"/nowhere/yet\"\n }",
		"host = \"ssh://me@a\"\n ssh = {\n private_key_wo = terraform_data.later.output\n private_key_wo_version = 1\n }",
	} {
		every = append(every, resource.TestStep{Config: node(docker), PlanOnly: true, ExpectNonEmptyPlan: true})
	}
	steps(t, dir, every...)
}

// testKey is a private key, as a string of HCL.
func testKey(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	mustDo(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	mustDo(t, err)
	return strconv.Quote(string(pem.EncodeToMemory(block)))
}
