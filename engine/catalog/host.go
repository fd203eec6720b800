package catalog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var (
	networkPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	driverPattern  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/@-]*$`)
	sysctlPattern  = regexp.MustCompile(`^[a-z0-9_]+(\.[A-Za-z0-9_/-]+)+$`)
)

// validateDNS checks the resolver of an instance.
func validateDNS(d *engine.DNS) error {
	if d == nil {
		return nil
	}
	var p problems
	for i, address := range d.Servers {
		p.add(notEmpty("servers", i, address))
		p.add(checkAddress("servers."+strconv.Itoa(i), address))
	}
	for field, words := range map[string][]string{"search": d.Search, "options": d.Options} {
		for i, word := range words {
			p.add(notEmpty(field, i, word))
			if strings.ContainsAny(word, " \t\n\x00") {
				p.invalid(field+"."+strconv.Itoa(i), "%q is not one word", word)
			}
		}
	}
	return p.err()
}

func notEmpty(field string, i int, word string) error {
	if word == "" {
		return engine.Invalid(field+"."+strconv.Itoa(i), "it must not be empty")
	}
	return nil
}

// notJoinable are networks that a container has alone or not at all.
var notJoinable = []string{"host", "none"}

func validateNetworks(names []string) error {
	var p problems
	for i, name := range names {
		field := "networks." + strconv.Itoa(i)
		switch {
		case !networkPattern.MatchString(name):
			p.invalid(field, "%q is not the name of a network", name)
		case slices.Contains(notJoinable, name):
			p.invalid(field, "the network %q cannot be joined besides the deployment's own", name)
		case slices.Contains(names[:i], name):
			p.invalid(field, "%q is listed twice", name)
		}
	}
	return p.err()
}

// namespaced are the kernel parameters that an instance has of its own; those
// that end with a dot stand for all below.
var namespaced = []string{
	"net.", "fs.mqueue.", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
	"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.domainname",
}

func validateSysctls(all map[string]string) error {
	var p problems
	for name, value := range sorted(all) {
		field := "sysctls." + name
		switch {
		case !sysctlPattern.MatchString(name):
			p.invalid(field, "%q is not the name of a kernel parameter, such as net.core.somaxconn", name)
		case !slices.ContainsFunc(namespaced, func(n string) bool { return n == name || strings.HasSuffix(n, ".") && strings.HasPrefix(name, n) }):
			p.invalid(field, "%s is the whole machine's: an instance has only those of net, fs.mqueue and the ipc ones of kernel", name)
		case value == "" || strings.ContainsAny(value, "\n\x00"):
			p.invalid(field, "%q is not a value of a kernel parameter", value)
		}
	}
	return p.err()
}

func validateGPUs(s string) error {
	if n, err := strconv.Atoi(s); s != "" && s != engine.AllGPUs && (err != nil || n < 1 || strconv.Itoa(n) != s) {
		return engine.Invalid("gpus", "%q is neither %q nor how many", s, engine.AllGPUs)
	}
	return nil
}

// validateDriver checks the name of a driver and what it is told.
func validateDriver(driver string, options map[string]string) error {
	var p problems
	if driver != "" && !driverPattern.MatchString(driver) {
		p.invalid("driver", "%q is not the name of a driver", driver)
	}
	if _, empty := options[""]; empty {
		p.invalid("driver_options", "the name of an option must not be empty")
	}
	return p.err()
}
