package docker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// authMethods are the ways to log in, in the order in which they are tried.
func authMethods(s SSH) ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	key := []byte(s.PrivateKey)
	field := "docker.ssh.private_key_wo"
	if s.PrivateKeyPath != "" {
		field = "docker.ssh.private_key_path"
		text, err := os.ReadFile(s.PrivateKeyPath)
		if err != nil {
			return nil, &engine.Error{Class: engine.ErrInvalid, Field: field, Reason: "the private key cannot be read", Err: err}
		}
		key = text
	}
	if len(key) > 0 {
		signer, err := ssh.ParsePrivateKey(key)
		if err != nil {
			e := engine.Invalid(field, "it is no private key without a passphrase: %v", err)
			e.Hint = "give a key without passphrase, or load it into an ssh agent and set use_agent"
			return nil, e
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	socket := os.Getenv("SSH_AUTH_SOCK")
	if s.UseAgent && socket == "" {
		return nil, engine.Invalid("docker.ssh.use_agent", "there is no ssh agent: SSH_AUTH_SOCK is not set")
	}
	if s.UseAgent || len(methods) == 0 && socket != "" {
		methods = append(methods, ssh.PublicKeysCallback(agentSigners(socket)))
	}
	if len(methods) == 0 {
		e := engine.Invalid("docker.ssh", "there is neither a private key nor an ssh agent")
		e.Hint = "set private_key_path or private_key_wo, or start an ssh agent"
		return nil, e
	}
	return methods, nil
}

// agentSigners asks the agent at each login; its connection stays open, since
// the keys sign through it.
func agentSigners(socket string) func() ([]ssh.Signer, error) {
	return func() ([]ssh.Signer, error) {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil, fmt.Errorf("the ssh agent does not answer: %w", err)
		}
		return agent.NewClient(conn).Signers()
	}
}

// hostKeys verifies the host by known_hosts, and tells which kinds of keys are
// known of it: another kind of the same host would look like an impostor's.
func hostKeys(s SSH, address string) (ssh.HostKeyCallback, []string, error) {
	path, remove, err := knownHostsFile(s)
	if err != nil {
		return nil, nil, err
	}
	defer remove()
	verify, err := knownhosts.New(path)
	if err != nil {
		return nil, nil, engine.Invalid("docker.ssh.known_hosts", "it cannot be read: %v", err)
	}
	return verify, algorithmsOf(verify, address), nil
}

// knownHostsFile is a file with the known hosts, and how to remove it.
func knownHostsFile(s SSH) (string, func(), error) {
	if s.KnownHosts == "" {
		home, err := os.UserHomeDir()
		path := filepath.Join(home, ".ssh", "known_hosts")
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			e := engine.Invalid("docker.ssh.known_hosts", "nothing says which key the host has: %v", err)
			e.Hint = "set known_hosts to the lines that ssh-keyscan prints, after checking them"
			return "", nil, e
		}
		return path, func() {}, nil
	}
	f, err := os.CreateTemp("", "slipway-known-hosts-")
	if err != nil {
		return "", nil, engine.Invalid("docker.ssh.known_hosts", "it cannot be kept for a moment: %v", err)
	}
	_, err = f.WriteString(strings.TrimSpace(s.KnownHosts) + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		err = engine.Invalid("docker.ssh.known_hosts", "it cannot be kept for a moment: %v", err)
	}
	return f.Name(), func() { os.Remove(f.Name()) }, err
}

// algorithmsOf lists the algorithms of the keys that are known of a host, nil
// when none is: then whatever key it shows is told in the error.
func algorithmsOf(verify ssh.HostKeyCallback, address string) []string {
	var mismatch *knownhosts.KeyError
	if !errors.As(verify(address, &net.TCPAddr{IP: net.IPv4zero}, noKey{}), &mismatch) {
		return nil
	}
	var all []string
	for _, known := range mismatch.Want {
		kind := known.Key.Type()
		if kind == ssh.KeyAlgoRSA {
			all = append(all, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		}
		all = append(all, kind)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// noKey is a key that no host has.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// refused explains why a login failed.
func (l *sshLink) refused(err error) error {
	e := &engine.Error{Class: engine.ErrDenied, Field: "docker.host", Err: err,
		Reason: fmt.Sprintf("ssh: %s refuses user %q", l.address, l.config.User),
		Hint:   "check the user and the key; the host's log says more"}
	var key *knownhosts.KeyError
	if !errors.As(err, &key) {
		return e
	}
	e.Field, e.Err = "docker.ssh.known_hosts", nil
	if len(key.Want) == 0 {
		e.Reason = fmt.Sprintf("ssh: the key of %s is not known", l.address)
		e.Hint = "add what ssh-keyscan prints for the host to known_hosts, after checking it"
		return e
	}
	e.Reason = fmt.Sprintf("ssh: %s shows another key than the one that is known of it (%s %s)",
		l.address, key.Want[0].Key.Type(), ssh.FingerprintSHA256(key.Want[0].Key))
	e.Hint = "somebody may stand between; if the host was set up anew, put its new key into known_hosts"
	return e
}
