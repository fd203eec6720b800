package ingress

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// What Caddy reads of a file into a placeholder, less the end of a line.
const readable = 1<<20 - len("\r\n")

// tables are the kernel's of the TCP sockets in the network of the instance.
// Nothing else tells of connections that were opened under an earlier
// configuration.
var tables = []string{"tcp", "tcp6"}

// table answers who asks for one of them.
func table(name string) object {
	return object{"handler": "static_response", "body": "{file./proc/self/net/" + name + "}"}
}

// connected reports whether the instance of the proxy has a connection to one of
// the addresses, host:port. What cannot be told counts as one.
func (c *Client) connected(ctx context.Context, addresses []string) (bool, error) {
	for _, name := range tablesOf(addresses) {
		r, err := c.command(ctx, http.MethodGet, connectionsPath+"/"+name, nil)
		if err != nil {
			return false, err
		}
		open, err := sockets(string(r.body))
		if err != nil || slices.ContainsFunc(open, func(s socket) bool { return slices.ContainsFunc(addresses, s.leadsTo) }) {
			return true, nil //nolint:nilerr // as it cannot be told
		}
	}
	return false, nil
}

// tablesOf picks the tables that have connections to the addresses: to one of IPv4
// the proxy opens a socket of IPv4.
func tablesOf(addresses []string) []string {
	switch {
	case len(addresses) == 0:
		return nil
	case slices.ContainsFunc(addresses, func(a string) bool { to, err := netip.ParseAddrPort(a); return err != nil || to.Addr().Is6() }):
		return tables
	default:
		return tables[:1]
	}
}

// socket is one that is in use: it belongs to a process, or has something left to
// send.
type socket struct {
	// remote is the other end's address in both orders of its bytes: the kernel
	// writes it as numbers of its machine.
	remote [2]netip.Addr
	port   uint16
}

// leadsTo reports whether the other end is the address. A name could be any
// address.
func (s socket) leadsTo(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	wanted, err := netip.ParseAddr(host)
	return port == strconv.Itoa(int(s.port)) && (err != nil || slices.Contains(s.remote[:], wanted.Unmap()))
}

// errTable says that a line of a table is not what kernels write.
var errTable = errors.New("no table of sockets")

// sockets reads a table as in /proc/net/tcp, and answers the sockets that are in
// use. The state is not asked: a half that is closed says nothing of the other,
// and who waits for the other end's last word is no process any more.
func sockets(table string) (open []socket, err error) {
	heading, lines, _ := strings.Cut(table, "\n")
	if len(table) >= readable || !strings.HasPrefix(strings.TrimSpace(heading), "sl ") {
		return nil, errTable
	}
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		if len(f) < 10 {
			return nil, errTable
		}
		s, err := socketOf(f[2])
		if err != nil {
			return nil, err
		}
		unsent, _, _ := strings.Cut(f[4], ":")
		if owner := f[9]; owner != "0" || strings.Trim(unsent, "0") != "" {
			open = append(open, s)
		}
	}
	return open, nil
}

// socketOf reads the other end as it is written: address:port, in hexadecimal.
func socketOf(remote string) (s socket, err error) {
	address, port, _ := strings.Cut(remote, ":")
	number, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return s, errTable
	}
	s.port = uint16(number)
	big, err := hex.DecodeString(address)
	if err != nil || len(big) != 4 && len(big) != 16 {
		return s, errTable
	}
	little := make([]byte, 0, len(big))
	for word := range slices.Chunk(big, 4) {
		little = binary.LittleEndian.AppendUint32(little, binary.BigEndian.Uint32(word))
	}
	for n, order := range [][]byte{big, little} {
		read, _ := netip.AddrFromSlice(order)
		s.remote[n] = read.Unmap()
	}
	return s, nil
}
