//go:build linux

// Command tool is what the contract suite runs inside instances to look at them
// from within: tool <what> [arguments].
package main

import (
	"bufio"
	"crypto/md5" //nolint:gosec // to compare, not to protect
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	what, args := os.Args[1], os.Args[2:]
	if err := run(what, args); err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

func run(what string, args []string) error {
	switch what {
	case "id":
		groups, err := os.Getgroups()
		fmt.Println(os.Getuid(), os.Getgid(), groups)
		return err
	case "cat":
		text, err := os.ReadFile(args[0])
		fmt.Print(string(text))
		return err
	case "write":
		return os.WriteFile(args[0], []byte(args[1]), 0o644) //nolint:gosec // a test reads it
	case "stat":
		return stat(args[0])
	case "mkdir":
		return os.MkdirAll(args[0], os.FileMode(octal(args[1])))
	case "env":
		fmt.Println(os.Getenv(args[0]))
	case "pwd":
		dir, err := os.Getwd()
		fmt.Println(dir)
		return err
	case "pids":
		return pids()
	case "resolve":
		addresses, err := net.LookupHost(args[0])
		fmt.Println(strings.Join(addresses, " "))
		return err
	case "exit":
		code, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		os.Exit(code)
	case "sleep":
		d, err := time.ParseDuration(args[0])
		time.Sleep(d)
		return err
	case "lines":
		return lines(args[0])
	case "crash-once":
		return crashOnce(args[0])
	case "ask":
		return ask(args[0], args[1])
	case "echo-udp":
		return echoUDP(args[0])
	case "tree":
		return tree(args)
	case "symlink":
		return os.Symlink(args[0], args[1])
	case "link":
		return os.Link(args[0], args[1])
	case "remove":
		return os.RemoveAll(args[0])
	case "chmod":
		return syscall.Chmod(args[0], uint32(octal(args[1]))) //nolint:gosec // twelve bits
	case "fill":
		return fill(args[0], args[1])
	case "list":
		return list(args[0])
	case "chown":
		return syscall.Chown(args[0], octal(args[1]), octal(args[1]))
	default:
		return fmt.Errorf("unknown")
	}
	return nil
}

// ask asks a web server at host:port, or at unix/ and the path of its socket.
func ask(address, path string) error {
	network := "tcp"
	if socket, found := strings.CutPrefix(address, "unix/"); found {
		network, address = "unix", socket
	}
	c, err := net.DialTimeout(network, address, 2*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.0\r\n\r\n", path); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

func octal(s string) int {
	n, _ := strconv.ParseInt(s, 8, 32)
	return int(n)
}

func stat(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	s := info.Sys().(*syscall.Stat_t)
	fmt.Printf("%o %d %d\n", s.Mode&0o7777, s.Uid, s.Gid)
	return nil
}

// fill writes a file of that many bytes.
func fill(path, size string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Repeat("0123456789abcdef", n/16)), 0o600)
}

// list tells everything about a directory and what is in it.
func list(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		s := info.Sys().(*syscall.Stat_t)
		about := ""
		switch {
		case info.Mode().IsRegular():
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			about = fmt.Sprintf(" %d links %d bytes %x", s.Nlink, len(text), md5.Sum(text)) //nolint:gosec // to compare, not to protect
		case info.Mode()&os.ModeSymlink != 0:
			about, err = os.Readlink(path)
			about = " -> " + about
		}
		fmt.Printf("%s %o %d:%d %d%s\n", path, s.Mode, s.Uid, s.Gid, info.ModTime().Unix(), about)
		return err
	})
}

func pids() error {
	entries, err := os.ReadDir("/proc")
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			fmt.Println(e.Name())
		}
	}
	return err
}

func lines(count string) error {
	n, err := strconv.Atoi(count)
	for i := range n {
		fmt.Println("line", i+1)
	}
	return err
}

// crashOnce says why and fails; where it finds the file that it left then, it says
// more than that and stays. It says all at once.
func crashOnce(mark string) error {
	if _, err := os.Stat(mark); err == nil {
		fmt.Print(strings.Repeat("on we go\n", 100))
		time.Sleep(time.Hour)
	}
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return err
	}
	fmt.Print("begun\ncannot go on\n")
	os.Exit(3)
	return nil
}

func echoUDP(address string) error {
	pc, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	buffer := make([]byte, 1500)
	for {
		n, from, err := pc.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if _, err := pc.WriteTo(buffer[:n], from); err != nil {
			return err
		}
	}
}

// tree starts a child in a session of its own that starts another one, whose
// parent then ends: the hardest to find again. args: a file that the survivors
// touch again and again, the depth.
func tree(args []string) error {
	depth := 2
	if len(args) > 1 {
		depth, _ = strconv.Atoi(args[1])
	}
	if depth > 0 {
		child := exec.Command("/tool", "tree", args[0], strconv.Itoa(depth-1))
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		child.Stdout = io.Discard
		if err := child.Start(); err != nil {
			return err
		}
		if depth == 1 {
			return nil
		}
	}
	for {
		if err := os.WriteFile(args[0]+"."+strconv.Itoa(depth), []byte(time.Now().String()), 0o644); err != nil { //nolint:gosec // a test reads it
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
