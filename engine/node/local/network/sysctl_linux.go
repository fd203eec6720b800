package network

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// sysctl sets a parameter of the calling thread's network namespace, such as
// ipv4/ip_unprivileged_port_start.
func sysctl(name, value string) error {
	return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644)
}

// disableIPv6 keeps IPv6 off every interface to come; the loopback, which is
// there already, keeps ::1 because many servers bind it. A kernel without IPv6
// is as good.
func disableIPv6() error {
	err := sysctl("ipv6/conf/default/disable_ipv6", "1")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// allowPing lets every group of the user namespace send ICMP echo requests
// without privilege.
func allowPing() error {
	highest, err := highestGroup()
	if err != nil {
		return err
	}
	return sysctl("ipv4/ping_group_range", fmt.Sprintf("0 %d", highest))
}

// highestGroup is the highest group id that this user namespace knows, as far
// as the kernel takes it in a range.
func highestGroup() (uint64, error) {
	file, err := os.Open("/proc/thread-self/gid_map")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	var highest uint64
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var inside, outside, count uint64
		if _, err := fmt.Sscan(strings.TrimSpace(lines.Text()), &inside, &outside, &count); err != nil {
			return 0, fmt.Errorf("read gid_map: %w", err)
		}
		highest = max(highest, inside+count-1)
	}
	const limit = 1<<31 - 1 // GID_T_MAX of ping_group_range
	return min(highest, limit), nil
}
