package testdocker

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
)

// The address pools of the Engines are 10.<n>.0.0/16 with n from here.
const (
	firstPool  = 64
	countPools = 128
)

// claimPool answers a pool that no other Engine of a test uses, and that no network
// of the machine is in. It is held as long as the file is open anywhere.
func claimPool() (string, *os.File, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", nil, err
	}
	for n := firstPool; n < firstPool+countPools; n++ {
		pool := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n)}), 16)
		if slices.ContainsFunc(addresses, func(a net.Addr) bool { return within(pool, a) }) {
			continue
		}
		f, err := os.OpenFile(fmt.Sprintf("/tmp/slipway-pool-%d.lock", n), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil { // somebody else's
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil { //nolint:gosec // a file descriptor is small
			return pool.String(), f, nil
		}
		f.Close()
	}
	return "", nil, errors.New("every address pool for Docker Engines of tests is in use")
}

func within(pool netip.Prefix, a net.Addr) bool {
	network, err := netip.ParsePrefix(a.String())
	return err == nil && pool.Overlaps(network)
}
