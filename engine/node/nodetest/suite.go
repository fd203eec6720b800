// Package nodetest is the contract of node.Driver as tests. Every driver runs it
// over the real thing: real images, real processes, real connections.
package nodetest

import (
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Run runs the whole contract. open gives the driver of a node that other tests do
// not use, and may be called once a test.
func Run(t *testing.T, images Images, open func(t *testing.T) node.Driver) {
	run(t, images, open, func(*testing.T) {})
}

// RunParallel is Run with tests beside each other, which goes on when it returns:
// what is checked in the end belongs into t.Cleanup.
func RunParallel(t *testing.T, images Images, open func(t *testing.T) node.Driver) {
	run(t, images, open, (*testing.T).Parallel)
}

func run(t *testing.T, images Images, open func(t *testing.T) node.Driver, begin func(*testing.T)) {
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
		{"Snapshots", testSnapshots},
		{"SnapshotsCutOff", testSnapshotsCutOff},
		{"HostPaths", testHostPaths},
		{"Capabilities", testCapabilities},
		{"Ulimits", testUlimits},
		{"Memory", testMemory},
		{"Exec", testExec},
		{"ExecKillsTree", testExecKillsTree},
		{"Logs", testLogs},
		{"LastWords", testLastWords},
		{"Dial", testDial},
		{"Names", testNames},
		{"Publish", testPublish},
		{"Switch", testSwitch},
		{"PortConflict", testPortConflict},
		{"UDP", testUDP},
		{"Drain", testDrain},
		{"Admit", testAdmit},
		{"AdmitParallel", testAdmitParallel},
		{"Parallel", testParallel},
		{"RemoveDeployment", testRemoveDeployment},
	} {
		t.Run(test.name, func(t *testing.T) {
			begin(t)
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
