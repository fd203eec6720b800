package engine

import (
	"regexp"
	"strings"
)

// MaxNameLength is the longest name of anything a user names.
const MaxNameLength = 40

// maxLabelLength is the longest DNS label (RFC 1035); prefix-component stays within.
const maxLabelLength = 63

var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// CheckName reports whether name may name an object: lower-case letters, digits
// and inner hyphens, 1 to 40 characters.
func CheckName(field, name string) error {
	switch {
	case name == "":
		return Invalid(field, "a name must not be empty")
	case len(name) > MaxNameLength:
		return Invalid(field, "%q has %d characters, at most %d are allowed", name, len(name), MaxNameLength)
	case !namePattern.MatchString(name):
		return Invalid(field, "%q is not a name: use lower-case letters, digits and inner hyphens", name)
	}
	return nil
}

// CheckInstanceName reports whether prefix and component together fit a DNS label.
func CheckInstanceName(field, prefix, component string) error {
	if n := len(prefix) + 1 + len(component); n > maxLabelLength {
		return Invalid(field, "%q and component %q together have %d characters, at most %d are allowed", prefix, component, n, maxLabelLength)
	}
	return nil
}

// JoinID makes the human key of an object from its parent's and its name.
func JoinID(parts ...string) string { return strings.Join(parts, "/") }

// SplitID cuts the human key of an object of that kind into its n parts.
func SplitID(kind, id string, n int) ([]string, error) {
	parts := strings.Split(id, "/")
	for _, p := range parts {
		if p == "" {
			parts = nil
			break
		}
	}
	if len(parts) != n {
		return nil, Invalid("id", "%q is not the id of a %s: it has %d parts joined by slashes, such as %q", id, kind, n, exampleID[kind])
	}
	return parts, nil
}

var exampleID = map[string]string{
	"team": "acme", "node": "acme/here", "registry": "acme/main", "product": "acme/shop",
	"version": "acme/shop/1.4.0", "environment": "acme/production", "deployment": "acme/production/shop",
}

// ParentID is the id without its last part, "" for a team.
func ParentID(id string) string {
	i := strings.LastIndexByte(id, '/')
	if i < 0 {
		return ""
	}
	return id[:i]
}

// BaseName is the last part of an id.
func BaseName(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// SplitRef cuts a version reference (team/product/name or
// team/product/name@sha256:…) into the version's id and its digest, "" when
// the reference names none.
func SplitRef(ref string) (id, digest string, err error) {
	id, digest, _ = strings.Cut(ref, "@")
	if _, err := SplitID("version", id, 3); err != nil {
		return "", "", Invalid("version", "%q is not a version: use a slipway_version's ref, or team/product/name", ref)
	}
	return id, digest, nil
}
