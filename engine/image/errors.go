package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// maxDetail bounds what a registry may add to an error, in bytes.
const maxDetail = 300

// Explain turns what went wrong between us and a registry into an *engine.Error
// that names the image: ErrNotFound, ErrDenied, ErrUnavailable. The text never
// contains the credential. What already is an *engine.Error stays as it is, and
// so does the end of a context.
func Explain(r Reference, cred Credential, err error) error {
	var known *engine.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	var answer *transport.Error
	if errors.As(err, &answer) {
		return explainAnswer(r, cred, answer)
	}
	return explainSilence(r.Registry, cred, err)
}

func explainAnswer(r Reference, cred Credential, answer *transport.Error) error {
	said := scrub(cred, answered(answer))
	switch answer.StatusCode {
	case http.StatusNotFound:
		return &engine.Error{Class: engine.ErrNotFound,
			Reason: fmt.Sprintf("registry %s has no image %s", r.Registry, r.short()),
			Hint:   "check the name and the tag, and that the image was pushed"}
	case http.StatusUnauthorized, http.StatusForbidden:
		return denied(r, cred, said)
	case http.StatusTooManyRequests:
		return &engine.Error{Class: engine.ErrUnavailable,
			Reason: fmt.Sprintf("registry %s limits how often it may be asked%s", r.Registry, said),
			Hint:   "wait a while, or give the registry credentials with a higher limit"}
	default:
		return &engine.Error{Class: engine.ErrUnavailable,
			Reason: fmt.Sprintf("registry %s answered %d %s%s", r.Registry, answer.StatusCode, http.StatusText(answer.StatusCode), said),
			Hint:   "try again when the registry is well"}
	}
}

// short is the reference without its registry, for texts that name the registry.
func (r Reference) short() string { return strings.TrimPrefix(r.String(), r.Registry+"/") }

func denied(r Reference, cred Credential, said string) error {
	what := "registry " + r.Registry
	if r.Repository != "" {
		what += " for " + r.short()
	}
	if cred.Username == "" {
		return &engine.Error{Class: engine.ErrDenied,
			Reason: what + ": access denied without credentials" + said,
			Hint:   "give the registry's user name and password; a repository that does not exist may be denied too"}
	}
	return &engine.Error{Class: engine.ErrDenied,
		Reason: fmt.Sprintf("%s: access denied for user %q%s", what, cred.Username, said),
		Hint:   "check the user name, the password and what the user may read"}
}

// answered is what the registry said in its error document, ": …" or "".
func answered(answer *transport.Error) string {
	var said []string
	for _, d := range answer.Errors {
		if d.Message != "" {
			said = append(said, d.Message)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said, "; ")
}

func explainSilence(host string, cred Credential, err error) error {
	unavailable := func(hint, format string, args ...any) error {
		return &engine.Error{Class: engine.ErrUnavailable, Hint: hint,
			Reason: fmt.Sprintf("registry %s ", host) + scrub(cred, fmt.Sprintf(format, args...))}
	}
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		verify    *tls.CertificateVerificationError
		dns       *net.DNSError
		timeout   net.Error
		op        *net.OpError
	)
	const up = "check that the registry is up and can be reached from this machine"
	switch {
	case errors.As(err, &authority):
		return unavailable("give the registry's CA certificate", "has a certificate of an unknown authority")
	case errors.As(err, &hostname), errors.As(err, &invalid), errors.As(err, &verify):
		return unavailable("renew the registry's certificate, or use the name it is made for", "has a certificate that cannot be trusted: %v", innermost(err))
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return unavailable("write http:// before the registry's URL to allow plain HTTP", "does not speak TLS")
	case errors.As(err, &dns):
		return unavailable("check the registry's name, and whether this machine finds names on its network", "cannot be found: %v", dns.Err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return unavailable(up, "did not answer in time")
	case errors.As(err, &op):
		return unavailable(up, "cannot be reached: %v", innermost(op))
	default:
		return unavailable(up, "did not answer properly: %v", innermost(err))
	}
}

// innermost drops what wraps a network error: it repeats URLs with their queries.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// scrub takes every form of the credential out of a text that others wrote.
func scrub(cred Credential, text string) string {
	if cred.Password != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(cred.Username + ":" + cred.Password))
		text = strings.NewReplacer(basic, "(hidden)", cred.Password, "(hidden)").Replace(text)
	}
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "…"
	}
	return text
}
