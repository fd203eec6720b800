package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// TestRegistryFaults lets the registry fail when a version is made, and when
// nothing is to be done.
func TestRegistryFaults(t *testing.T) {
	t.Parallel()
	own := testimage.Registry(t, testimage.RegistryOptions{Username: registryUser, Password: registryPassword})
	if err := pushImages(own); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, shop)
	w.use(own)
	w.apply()
	url := w.text("url")

	for _, fault := range []struct {
		name       string
		begin, end func() error
		said       string
	}{
		{"it is down", func() error { own.Off(); return nil }, own.On, "unavailable"},
		{
			"it refuses the password",
			func() error { own.Fail(http.StatusUnauthorized, -1); return nil },
			func() error { own.Fail(0, 0); return nil }, "denied",
		},
	} {
		t.Run(fault.name, func(t *testing.T) {
			if err := fault.begin(); err != nil {
				t.Fatal(err)
			}
			w.set("release", "1.0.0")
			w.nothingToDo()
			w.apply()
			w.set("release", "1.1.0")
			said := w.applyFails(fault.said, own.URL())
			if strings.Contains(said, registryPassword) {
				t.Error("the password was said")
			}
			answers(t, url, "1.0.0")
			if err := fault.end(); err != nil {
				t.Fatal(err)
			}
		})
	}
	w.set("release", "1.1.0")
	w.apply()
	w.expectSettled(both)
	answers(t, w.text("url"), "1.1.0")
}

// TestRegistryRefusesAtFirst is a wrong password in a new configuration.
func TestRegistryRefusesAtFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop)
	w.set("registry_password", "canary-wrong-password")
	said := w.applyFails("registry: denied", "Check the user name, the password")
	if strings.Contains(said, "canary-wrong-password") {
		t.Error("the password was said")
	}
	w.use(registry)
	w.apply()
	w.expectSettled(both)
}
