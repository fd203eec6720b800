// Package nodetest is the contract of node.Driver as tests. Every driver runs it
// over the real thing: real images, real processes, real connections.
package nodetest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// Images are what the suite runs: the web application of package testimage with
// the program /tool beside it, in two versions and as another user.
type Images struct {
	App    node.Image `json:"app"`
	Newer  node.Image `json:"newer"`
	AsUser node.Image `json:"as_user"` // runs as app, 1000:1000

	// Crooked has /tool, and links that lead to the directory Outside of the node,
	// where the node's root can be reached: /etc, /out, /run, /down/up and /program.
	Crooked node.Image `json:"crooked"`
	Outside string     `json:"outside"`
}

// NewImages builds the images and serves them for the time of the test.
func NewImages(t testing.TB) Images {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	program, err := testimage.Program(filepath.Join(filepath.Dir(here), "tool"), v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
	if err != nil {
		t.Fatal(err)
	}
	tool, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	r := testimage.Registry(t, testimage.RegistryOptions{})
	push := func(tag string, o testimage.Options) node.Image {
		o.Files = append(o.Files,
			testimage.File{Path: "/tool", Content: string(tool), Mode: 0o755},
			testimage.File{Path: "/full/", UID: 1000, GID: 1000, Mode: 0o750},
			testimage.File{Path: "/full/seed", Content: "seed", UID: 1000, GID: 1000, Mode: 0o600},
		)
		built, err := testimage.BuildApp(tag, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		return node.Image{Reference: r.Push(t, "app:"+tag, built), Auth: node.Auth{PlainHTTP: true}}
	}
	outside := newOutside(t, tool)
	crooked := testimage.FromFiles(t, testimage.Options{}, crookedFiles(outside, string(tool)))
	return Images{
		Outside: outside, Crooked: node.Image{Reference: r.Push(t, "app:crooked", crooked), Auth: node.Auth{PlainHTTP: true}},
		App: push("1", testimage.Options{}), Newer: push("2", testimage.Options{}),
		AsUser: push("user", testimage.Options{User: "app"}),
	}
}

// Run runs the whole contract. open gives the driver of a node that other tests do
// not use, and may be called once a test.
func Run(t *testing.T, images Images, open func(t *testing.T) node.Driver) {
	for _, test := range []struct {
		name string
		run  func(*harness)
	}{
		{"Info", testInfo},
		{"Images", testImages},
		{"Idempotence", testIdempotence},
		{"List", testList},
		{"Errors", testStartErrors},
		{"Restart", testRestart},
		{"RestartPolicies", testRestartPolicies},
		{"StopSignal", testStopSignal},
		{"StopGrace", testStopGrace},
		{"Watch", testWatch},
		{"Environment", testEnvironment},
		{"Secrets", testSecrets},
		{"Files", testFiles},
		{"Confinement", testConfinement},
		{"User", testUser},
		{"ReadOnlyRoot", testReadOnlyRoot},
		{"Volumes", testVolumes},
		{"VolumeFilledFromImage", testVolumeFilled},
		{"HostPaths", testHostPaths},
		{"Capabilities", testCapabilities},
		{"Ulimits", testUlimits},
		{"Memory", testMemory},
		{"Exec", testExec},
		{"ExecKillsTree", testExecKillsTree},
		{"Logs", testLogs},
		{"Dial", testDial},
		{"Names", testNames},
		{"Publish", testPublish},
		{"Switch", testSwitch},
		{"PortConflict", testPortConflict},
		{"UDP", testUDP},
		{"Drain", testDrain},
		{"Parallel", testParallel},
		{"RemoveDeployment", testRemoveDeployment},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := open(t)
			t.Cleanup(func() {
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			})
			test.run(newHarness(t, d, images))
		})
	}
}
