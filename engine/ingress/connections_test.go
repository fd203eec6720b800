package ingress

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

// dump is of a kernel: one socket of every kind that a router has.
const dump = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20323561 2 0000000045cb5190 100 0 0 10 0                  
   1: 020012AC:C350 030012AC:1538 01 00000000:00000000 00:00000000 00000000     0        0 20596786 1 00000000d34e8f7f 20 4 30 10 -1
   2: 020012AC:C351 040012AC:1538 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000000000000
   3: 020012AC:C352 050012AC:1538 05 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000000000000
   4: 020012AC:C353 060012AC:1538 05 00000000:00000000 00:00000000 00000000     0        0 20542522 1 00000000bdd373d7 20 4 0 10 -1
   5: 020012AC:C354 070012AC:1538 04 00000011:00000000 01:00000014 00000000     0        0 0 1 00000000bdd373d7 20 4 0 10 -1
   6: 020012AC:C355 080012AC:1538 08 00000000:00000001 00:00000000 00000000     0        0 20542523 1 00000000bdd373d7 20 4 0 10 -1
   7: 020012AC:C356 090012AC:1538 02 00000001:00000000 01:00000064 00000000     0        0 20542524 1 00000000bdd373d7 20 4 0 10 -1
`

// dump6 is its table of IPv6.
const dump6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF0000020012AC:C357 0000000000000000FFFF00000A0012AC:1538 01 00000000:00000000 00:00000000 00000000     0        0 20324001 1 0000000000000000 20 4 30 10 -1
   1: 000080FE000000000000000001000000:C358 000080FE00000000000000000B000000:1538 01 00000000:00000000 00:00000000 00000000     0        0 20324002 1 0000000000000000 20 4 30 10 -1
`

func TestSocketsInUse(t *testing.T) {
	t.Parallel()
	var open []socket
	for _, table := range []string{dump, dump6} {
		more, err := sockets(strings.TrimSuffix(table, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, more...)
	}
	for address, want := range map[string]bool{
		"172.18.0.3:5432":  true,  // open
		"172.18.0.3:5433":  false, // another port
		"172.18.0.4:5432":  false, // waits for stray packets
		"172.18.0.5:5432":  false, // closed, the other end has not said so yet
		"172.18.0.6:5432":  true,  // the visitor has said everything, the instance has not
		"172.18.0.7:5432":  true,  // closed, but not everything has arrived
		"172.18.0.8:5432":  true,  // the instance has said everything, the visitor has not
		"172.18.0.9:5432":  true,  // about to open
		"172.18.0.10:5432": true,  // open, by a socket of IPv6
		"172.18.0.11:5432": false, // nobody
		"[fe80::b]:5432":   true,
		"[fe80::c]:5432":   false,
		"shop-db-1:5432":   true, // who knows who that is
		"shop-db-1:5433":   false,
		"nonsense":         false,
	} {
		if got := slices.ContainsFunc(open, func(s socket) bool { return s.leadsTo(address) }); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}

// Machines whose numbers begin with the highest byte write addresses as they are read.
func TestSocketsOfAnotherByteOrder(t *testing.T) {
	t.Parallel()
	open, err := sockets(strings.ReplaceAll(dump, "030012AC", "AC120003"))
	if err != nil || !slices.ContainsFunc(open, func(s socket) bool { return s.leadsTo("172.18.0.3:5432") }) {
		t.Errorf("got %v, %v", open, err)
	}
}

func TestNoTableOfSockets(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]string{
		"nothing":       "",
		"no heading":    dump[strings.Index(dump, "\n")+1:],
		"cut off":       dump[:len(dump)-100],
		"too long":      dump + strings.Repeat(dump[strings.LastIndex(strings.TrimSpace(dump), "\n")+1:], readable/100),
		"not a port":    strings.ReplaceAll(dump, "030012AC:1538", "030012AC:15380"),
		"not a number":  strings.ReplaceAll(dump, "030012AC:1538", "030012AX:1538"),
		"other lengths": strings.ReplaceAll(dump, "030012AC:1538", "0300AC:1538"),
		"a sentence":    dump + "and so on\n",
		"an answer":     "404 Not Found\n",
	} {
		if open, err := sockets(table); !errors.Is(err, errTable) {
			t.Errorf("%s: got %v, %v", name, open, err)
		}
	}
}

// FuzzSockets: whatever a proxy answers is read or refused, and what is read is
// found again by its address.
func FuzzSockets(f *testing.F) {
	f.Add(dump)
	f.Add(dump6)
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		if own, err := os.ReadFile(name); err == nil {
			f.Add(string(own))
		}
	}
	f.Fuzz(func(t *testing.T, table string) {
		open, err := sockets(table)
		if err != nil && len(open) > 0 {
			t.Errorf("got %v with %v", open, err)
		}
		for _, s := range open {
			for _, address := range s.remote {
				if to := netip.AddrPortFrom(address, s.port).String(); !s.leadsTo(to) {
					t.Errorf("%v does not lead to %s", s, to)
				}
			}
		}
	})
}
