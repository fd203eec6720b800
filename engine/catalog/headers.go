package catalog

import (
	"regexp"
	"strings"
)

// The forms of RFC 9110, section 5: a header's name is a token, and its value
// holds no control character but tab.
var (
	headerName  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	headerValue = regexp.MustCompile(`^[^\x00-\x08\x0a-\x1f\x7f]*$`)
)

// emailAddress is an address as people have them; whether it exists is not asked.
var emailAddress = regexp.MustCompile(`^[^@\s<>,;:"()\[\]]+@[^@\s<>,;:"()\[\]]+$`)

// canonicalHeader is the one spelling of a header's name, X-Forwarded-For; what is
// none stays as it is.
func canonicalHeader(name string) string {
	if !headerName.MatchString(name) {
		return name
	}
	parts := strings.Split(strings.ToLower(name), "-")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}
