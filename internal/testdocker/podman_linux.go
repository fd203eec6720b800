package testdocker

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// podmanConfig keeps networks in the directory, with addresses of the pool. Limits
// are those of this process, which may not be allowed to raise them.
const podmanConfig = `[engine]
events_logger = "file"
cgroup_manager = "cgroupfs"
runtime = "runc"
[containers]
log_driver = "k8s-file"
default_ulimits = [%s]
[network]
network_backend = "netavark"
network_config_dir = "%s/networks"
default_subnet_pools = [{"base" = "%s", "size" = 24}]
`

// podmanRites end what Podman started, which is in no control group of its own, but
// known to it. With the last network of any Podman on the machine go the chains that
// it made in the firewall, and what leads there; the next one makes them again.
const podmanRites = `export CONTAINERS_CONF=%[1]s/containers.conf
%[2]s rm --force --all --time 0
%[2]s network prune --force
for program in iptables ip6tables; do
  if $program -t nat -S | grep -q '^-N NETAVARK-[0-9A-F]*$'; then
    continue
  fi
  for table in filter nat; do
    $program -t $table -S | grep -e '-j NETAVARK' | sed "s/^-A/$program -t $table -D/" | sh
    chains=$($program -t $table -S | sed -n 's/^-N \(NETAVARK.*\)/\1/p')
    for chain in $chains; do $program -t $table -F $chain; done
    for chain in $chains; do $program -t $table -X $chain; done
  done
done
`

// WantedPodman is the environment variable that asks for tests on Podman, 1.
const WantedPodman = "SLIPWAY_TEST_PODMAN"

// Podman starts a private Podman service that ends with the test, with its
// Docker-compatible API. Its networks come with rules in the machine's firewall, until
// the last is gone, so that it only runs where it is asked for; else the test is skipped.
func Podman(t testing.TB) *Engine {
	t.Helper()
	if os.Getenv(WantedPodman) != "1" {
		t.Skip("tests on Podman change the machine's firewall while they run: " + WantedPodman + "=1 asks for them")
	}
	if why := missingPodman(); why != "" {
		t.Fatal(why)
	}
	d, err := startPodman()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return &d.Engine
}

// missingPodman says why no private Podman can run here, "" when one can.
func missingPodman() string {
	if os.Geteuid() != 0 {
		return "a Podman of a test's own needs root: run the tests as root"
	}
	for _, program := range []string{"podman", "iptables"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed: apt-get install podman netavark aardvark-dns"
		}
	}
	for _, helper := range []string{"netavark", "aardvark-dns"} {
		if _, err := os.Stat("/usr/lib/podman/" + helper); err != nil {
			return helper + " is not installed, without which Podman has no names: apt-get install netavark aardvark-dns"
		}
	}
	return ""
}

func startPodman() (*Daemon, error) {
	removeStale()
	dir, err := os.MkdirTemp("/tmp", fmt.Sprintf("%s%d-", prefix, os.Getpid()))
	if err != nil {
		return nil, err
	}
	pool, held, err := claimPool()
	if err != nil {
		return nil, err
	}
	d := &Daemon{Engine: Engine{Host: "unix://" + filepath.Join(dir, "docker.sock")}, dir: dir, pool: pool}
	limits, err := ownLimits()
	if err != nil {
		return nil, err
	}
	podman := fmt.Sprintf("podman --root %[1]s/data --runroot %[1]s/exec --tmpdir %[1]s/tmp", dir)
	if err = os.WriteFile(d.path("containers.conf"), fmt.Appendf(nil, podmanConfig, limits, dir, pool), 0o600); err == nil {
		err = os.WriteFile(d.path(lastRites), fmt.Appendf(nil, podmanRites, dir, podman), 0o600)
	}
	if err == nil {
		err = os.WriteFile(d.path(poolFile), []byte(pool), 0o600)
	}
	if err == nil {
		d.sweeper, err = newSweeper(dir, held)
	}
	if err == nil {
		// What watches a container leaves files where it was started.
		err = d.serve(strings.Fields("env --chdir=" + dir + " " + podman + " system service --time 0 " + d.Host))
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// podmansProcesses is what Podman lowers its own limit of processes to.
const podmansProcesses = 32768

// ownLimits are those that Podman sets for containers, as this process has them.
func ownLimits() (string, error) {
	var files, processes unix.Rlimit
	if err := errors.Join(unix.Getrlimit(unix.RLIMIT_NOFILE, &files), unix.Getrlimit(unix.RLIMIT_NPROC, &processes)); err != nil {
		return "", err
	}
	most := min(processes.Max, podmansProcesses)
	return fmt.Sprintf(`"nofile=%d:%d", "nproc=%d:%d"`, files.Cur, files.Max, most, most), nil
}
