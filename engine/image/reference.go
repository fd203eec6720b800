package image

import (
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Reference is a normalised image reference.
type Reference struct {
	Registry   string // host[:port]; index.docker.io when none was written
	Repository string // library/nginx, shop/api
	Tag        string // latest when neither tag nor digest was written; "" for a digest alone
	Digest     string // sha256:…, "" when none was written
}

// Parse reads a reference as Docker does: nginx is
// index.docker.io/library/nginx:latest. A tag and a digest may stand together;
// then the digest decides and the tag is only carried along. The error is
// ErrInvalid.
func Parse(reference string) (Reference, error) {
	base, digest, pinned := strings.Cut(reference, "@")
	if strings.Contains(base, "://") { // the library takes it for a host's port
		return Reference{}, invalidReference(reference)
	}
	if pinned {
		if _, err := name.NewDigest(reference); err != nil {
			return Reference{}, invalidReference(reference)
		}
	}
	tag, err := name.NewTag(base)
	if err != nil {
		return Reference{}, invalidReference(reference)
	}
	r := Reference{Registry: tag.RegistryStr(), Repository: tag.RepositoryStr(), Digest: digest}
	if !pinned || hasTag(base) {
		r.Tag = tag.TagStr()
	}
	return r, nil
}

func invalidReference(reference string) error {
	e := engine.Invalid("", "%q is not an image reference", reference)
	e.Hint = "write [registry/]name[:tag][@sha256:digest] in lower case, such as registry.acme.dev/shop/api:1.4.0"
	return e
}

// hasTag tells a tag's colon from a registry port's: nothing after it is a slash.
func hasTag(base string) bool {
	return strings.LastIndexByte(base, ':') > strings.LastIndexByte(base, '/')
}

// Name is the registry and the repository, registry.acme.dev/shop/api.
func (r Reference) Name() string { return r.Registry + "/" + r.Repository }

// String is the normalised reference with the tag and the digest that it has.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// Pin joins a reference and the digest that it was resolved to into
// "registry/name:tag@sha256:…". A digest in the reference is replaced. A
// reference that Parse refuses is joined as it is written.
func Pin(reference, digest string) string {
	r, err := Parse(reference)
	if err != nil {
		base, _, _ := strings.Cut(reference, "@")
		return base + "@" + digest
	}
	r.Digest = digest
	return r.String()
}

// Digest is the digest of a pinned image, "" when it is not pinned.
func Digest(pinned string) string {
	_, digest, _ := strings.Cut(pinned, "@")
	return digest
}

// Repository is the registry and the repository of an image without tag and
// digest, "" when it is no reference.
func Repository(pinned string) string {
	r, err := Parse(pinned)
	if err != nil {
		return ""
	}
	return r.Name()
}
