package account

import (
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Account is who a process runs as.
type Account struct {
	UID, GID int
	Groups   []int  // supplementary
	Home     string // "" when the image does not say
}

// Lookup reads a user as Docker spells it: uid or name, either with :gid or
// :group behind; "" is root. A number need not be known to the image, a name must.
// passwd and group are the contents of the image's files.
func Lookup(spec, passwd, group string) (Account, error) {
	user, groupSpec, hasGroup := strings.Cut(spec, ":")
	if user == "" {
		user = "0"
	}
	a, name, err := findUser(user, passwd)
	if err != nil {
		return Account{}, err
	}
	if hasGroup && groupSpec != "" {
		a.GID, err = findGroup(groupSpec, group)
		return a, err
	}
	if name != "" {
		a.Groups = memberships(name, group)
	}
	return a, nil
}

func findUser(user, passwd string) (a Account, name string, err error) {
	id, numeric := number(user)
	for _, f := range entries(passwd, 7) {
		uid, ok := number(f[2])
		if !ok || (f[0] != user && (!numeric || uid != id)) {
			continue
		}
		gid, _ := number(f[3])
		return Account{UID: uid, GID: gid, Home: f[5]}, f[0], nil
	}
	if numeric {
		return Account{UID: id}, "", nil
	}
	e := engine.Invalid("user", "the image has no user %q", user)
	e.Hint = "use a name of the image's /etc/passwd, or a number"
	return Account{}, "", e
}

func findGroup(spec, group string) (int, error) {
	if id, ok := number(spec); ok {
		return id, nil
	}
	for _, f := range entries(group, 4) {
		if f[0] == spec {
			if gid, ok := number(f[2]); ok {
				return gid, nil
			}
		}
	}
	e := engine.Invalid("user", "the image has no group %q", spec)
	e.Hint = "use a name of the image's /etc/group, or a number"
	return 0, e
}

func memberships(name, group string) []int {
	var groups []int
	for _, f := range entries(group, 4) {
		gid, ok := number(f[2])
		for _, member := range strings.Split(f[3], ",") {
			if ok && member == name {
				groups = append(groups, gid)
			}
		}
	}
	return groups
}

// entries cuts a file of colon-separated lines; lines with another number of fields are left out.
func entries(text string, fields int) [][]string {
	var all [][]string
	for _, line := range strings.Split(text, "\n") {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) == fields {
			all = append(all, f)
		}
	}
	return all
}

func number(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil
}
