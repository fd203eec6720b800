package e2e

import (
	"archive/zip"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// canaries are secrets that must be found nowhere but in the instance.
var canaries = map[string]string{
	"registry password":  registryPassword,
	"environment secret": "canary-environment-77ad01",
	"deployment secret":  "canary-deployment-93be44",
	"secret in a file":   "canary-file-0c61f2",
}

const secretive = ground + `
variable "deadline" { default = "1m" }
variable "release" { default = "1.0.0" }

variable "token" {
  sensitive = true
  ephemeral = true
}
variable "key" {
  sensitive = true
  ephemeral = true
}
variable "certificate" {
  sensitive = true
  ephemeral = true
}

resource "slipway_environment" "secretive" {
  team_id            = slipway_team.acme.id
  node_id            = slipway_node.here.id
  name               = "secretive"
  type               = "development"
  secrets_wo         = { TOKEN = var.token, CERTIFICATE = var.certificate }
  secrets_wo_version = 1
}

resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = "current"
  type       = "rolling"
  components = {
    api = {
      image         = "${var.registry}/app:${var.release}"
      secrets       = ["TOKEN", "KEY"]
      secret_files  = { "/run/secrets/certificate" = "CERTIFICATE" }
      ports         = { http = { container_port = 8080, host_port = 0 } }
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
    }
  }
  depends_on = [slipway_registry.main]
}

resource "slipway_deployment" "shop" {
  environment_id     = slipway_environment.secretive.id
  version            = slipway_version.shop.ref
  prefix             = var.prefix
  secrets_wo         = { KEY = var.key }
  secrets_wo_version = 1
  strategy           = { min_healthy_time = "200ms", progress_deadline = var.deadline }
}

output "url" { value = slipway_deployment.shop.endpoints["api/http"].url }
`

// TestSecretsAreNowhere looks for every secret in all that terraform, the
// provider and the engine say and write, at the chattiest.
func TestSecretsAreNowhere(t *testing.T) { everywhere(t, secretsAreNowhere) }

func secretsAreNowhere(t *testing.T, on nodeKind) {
	w := on.newWorld(t, secretive)
	w.set("token", canaries["environment secret"])
	w.set("key", canaries["deployment secret"])
	w.set("certificate", canaries["secret in a file"])
	w.env["TF_LOG"], w.env["TF_LOG_PATH"] = "TRACE", filepath.Join(w.dir, "trace.log")

	said := map[string]string{}
	w.plan("-out=saved.plan")
	said["show of the first plan"] = w.must("show", "-json", "saved.plan")
	said["apply"] = w.must("apply", "-no-color", "saved.plan")
	url := w.text("url")
	w.hasSecrets(url)
	said["show of the state"] = w.must("show", "-json")
	for _, bad := range []string{"sick", "crash"} {
		w.set("release", bad)
		w.set("deadline", "3s")
		w.plan("-out=" + bad + ".plan")
		said["show of the plan of "+bad] = w.must("show", "-json", bad+".plan")
		said["failed apply of "+bad] = w.applyFails("rollout failed")
	}
	w.hasSecrets(url) // the old version, started with them, serves

	for where, text := range said {
		holdsNone(t, where, text)
	}
	w.searchFiles()
}

// hasSecrets holds when the instance did get its secrets.
func (w *world) hasSecrets(url string) {
	w.t.Helper()
	page, err := get(url + "/env")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, pair := range []string{"TOKEN=" + canaries["environment secret"], "KEY=" + canaries["deployment secret"]} {
		if !strings.Contains(page, pair) {
			w.t.Errorf("the instance has not got %s", pair)
		}
	}
	answers(w.t, url+"/read?path=/run/secrets/certificate", canaries["secret in a file"])
}

// searchFiles looks into every file of the working directory and of the engine,
// the database too: this process never had it open.
func (w *world) searchFiles() {
	w.t.Helper()
	found := map[string]bool{"terraform.tfstate": false, "slipway.db": false, "trace.log": false, "saved.plan": false}
	for _, name := range w.on.files {
		found[name] = false
	}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) && strings.HasSuffix(path, "/w/work") {
			return fs.SkipDir // the kernel's own, always empty directory beside an overlay's upper one
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		found[d.Name()] = true
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		holdsNone(w.t, path, string(raw))
		if strings.HasSuffix(path, ".plan") {
			return w.searchArchive(path)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for name, was := range maps.All(found) {
		if !was {
			w.t.Errorf("there is no %s to look into", name)
		}
	}
}

// searchArchive looks into a saved plan, which is compressed.
func (w *world) searchArchive(path string) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer archive.Close() //nolint:errcheck // read only
	for _, entry := range archive.File {
		file, err := entry.Open()
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(file)
		if err != nil {
			return err
		}
		holdsNone(w.t, path+": "+entry.Name, string(raw))
	}
	return nil
}

// holdsNone holds when no secret is in the text, in clear or in base64.
func holdsNone(t testing.TB, where, text string) {
	t.Helper()
	for name, secret := range canaries {
		for _, form := range forms(secret) {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%s holds the %s: …%q…", where, name, text[max(0, at-80):min(len(text), at+len(form)+20)])
			}
		}
	}
}

// forms are the secret itself, and what of its base64 does not depend on what
// is before and behind it.
func forms(secret string) []string {
	all := []string{secret}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		from := []int{0, 2, 3}[shift]
		all = append(all, encoded[from:len(encoded)-4])
	}
	return all
}
