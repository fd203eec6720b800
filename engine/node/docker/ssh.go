package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// SSH is who logs in at an ssh host, and how the host proves itself.
type SSH struct {
	PrivateKey     string // PEM
	PrivateKeyPath string
	UseAgent       bool   // the keys of SSH_AUTH_SOCK; also tried when no key is given
	KnownHosts     string // lines of known_hosts, "" = ~/.ssh/known_hosts
}

const (
	defaultSocket = "/var/run/docker.sock"
	// keepAlive is how soon a connection that was cut is noticed.
	keepAlive = 10 * time.Second
)

// sshLink is one ssh connection, made when it is needed and again when it broke.
type sshLink struct {
	address string // host:port
	socket  string // of the Docker Engine there
	config  *ssh.ClientConfig

	mu     sync.Mutex
	client *ssh.Client
}

func newSSHLink(where *url.URL, s SSH) (*sshLink, error) {
	port := where.Port()
	if port == "" {
		port = "22"
	}
	l := &sshLink{address: net.JoinHostPort(where.Hostname(), port), socket: where.Path}
	if l.socket == "" || l.socket == "/" {
		l.socket = defaultSocket
	}
	methods, err := authMethods(s)
	if err != nil {
		return nil, err
	}
	verify, algorithms, err := hostKeys(s, l.address)
	if err != nil {
		return nil, err
	}
	user := where.User.Username()
	if user == "" {
		user = os.Getenv("USER")
	}
	l.config = &ssh.ClientConfig{User: user, Auth: methods, HostKeyCallback: verify, HostKeyAlgorithms: algorithms, Timeout: connectTimeout}
	return l, nil
}

// connection answers the open connection, or makes one.
func (l *sshLink) connection(ctx context.Context) (*ssh.Client, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil {
		return l.client, nil
	}
	dialer := net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}
	raw, err := dialer.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, l.unreachable(err)
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	_ = raw.SetDeadline(time.Now().Add(connectTimeout)) // of the handshake
	conn, channels, requests, err := ssh.NewClientConn(raw, l.address, l.config)
	if !stop() && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		raw.Close()
		if noAnswer(err) {
			return nil, l.unreachable(err)
		}
		return nil, l.refused(err)
	}
	_ = raw.SetDeadline(time.Time{})
	l.client = ssh.NewClient(conn, channels, requests)
	go l.watch(l.client)
	return l.client, nil
}

// watch forgets the connection once it ends, and ends it when the other side is
// silent.
func (l *sshLink) watch(c *ssh.Client) {
	ended := make(chan struct{})
	go func() {
		_ = c.Wait()
		close(ended)
	}()
	beat := time.NewTicker(keepAlive)
	defer beat.Stop()
	for {
		select {
		case <-ended:
			l.forget(c)
			return
		case <-beat.C:
			limit := time.AfterFunc(keepAlive, func() { c.Close() })
			_, _, _ = c.SendRequest("keepalive@openssh.com", true, nil)
			limit.Stop()
		}
	}
}

func (l *sshLink) forget(c *ssh.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client == c {
		l.client = nil
	}
}

// dialEngine connects to the Docker Engine's socket there: by forwarding it, or
// where the server does not allow that through "docker system dial-stdio".
func (l *sshLink) dialEngine(ctx context.Context) (net.Conn, error) {
	c, err := l.connection(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := c.DialContext(ctx, "unix", l.socket)
	if err == nil {
		return conn, nil
	}
	var rejected *ssh.OpenChannelError // sshd gives one answer for a missing socket and for one it may not forward
	if !errors.As(err, &rejected) {
		return nil, l.unreachable(fmt.Errorf("its socket %s: %w", l.socket, err))
	}
	if conn, err = dialStdio(c); err != nil {
		return nil, l.unreachable(fmt.Errorf("neither its socket %s nor docker system dial-stdio: %w", l.socket, err))
	}
	return conn, nil
}

// dial connects from the host to an address that it can reach.
func (l *sshLink) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := l.connection(ctx)
	if err != nil {
		return nil, err
	}
	return c.DialContext(ctx, network, address)
}

func (l *sshLink) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil {
		_ = l.client.Close()
		l.client = nil
	}
}

func (l *sshLink) unreachable(err error) error {
	return &engine.Error{Class: node.ErrUnreachable, Field: "docker.host", Reason: "ssh: " + l.address + " does not connect to a Docker Engine", Err: err,
		Hint: "check that the host is up, that sshd runs there, and that the user may use Docker"}
}

// stdioConn is the input and output of a remote command as a connection.
type stdioConn struct {
	io.Reader
	io.WriteCloser
	session *ssh.Session
}

func dialStdio(c *ssh.Client) (net.Conn, error) {
	session, err := c.NewSession()
	if err != nil {
		return nil, err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &stdioConn{Reader: out, WriteCloser: in, session: session}, session.Start("docker system dial-stdio")
}

func (c *stdioConn) Close() error { return c.session.Close() }

// CloseWrite ends the input only.
func (c *stdioConn) CloseWrite() error { return c.WriteCloser.Close() }

func (c *stdioConn) LocalAddr() net.Addr              { return stdioAddr{} }
func (c *stdioConn) RemoteAddr() net.Addr             { return stdioAddr{} }
func (c *stdioConn) SetDeadline(time.Time) error      { return nil }
func (c *stdioConn) SetReadDeadline(time.Time) error  { return nil }
func (c *stdioConn) SetWriteDeadline(time.Time) error { return nil }

type stdioAddr struct{}

func (stdioAddr) Network() string { return "ssh" }
func (stdioAddr) String() string  { return "docker system dial-stdio" }
