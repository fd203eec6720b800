package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// story tells and does what each make target promises.
type story struct {
	layout  layout
	out     io.Writer
	program string // terraform or tofu as asked for, "" = whichever is found
}

// up brings the guestbook from nothing, or from whatever runs, to the release.
func (s *story) up(ctx context.Context, release string) error {
	tf, err := s.prepare(ctx, release)
	if err != nil {
		return err
	}
	s.say("Deploying guestbook %s", release)
	if _, err := tf.apply(ctx); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	url, err := s.answers(ctx, tf, release)
	if err != nil {
		return err
	}
	s.say("Guestbook %s answers at %s", release, url)
	fmt.Fprintf(s.out, `  curl %s

Try next:
  make quickstart-upgrade   moves it to 1.1.0 while you watch; visitors and their count stay
  make quickstart-break     tries 2.0.0-broken, which never becomes healthy: what serves goes on serving
  make quickstart-clean     removes everything again

To use %s yourself: . %s && cd %s
`, url, tf.name(), s.layout.environment(), s.layout.example)
	return nil
}

// upgrade brings a running guestbook to the release under the eyes of visitors.
func (s *story) upgrade(ctx context.Context, release string) error {
	tf, url, before, err := s.running(ctx, release)
	if err != nil {
		return err
	}
	s.say("Guestbook %s serves at %s; moving to %s under visitors", before, url, release)
	var failure error
	met := visitWhile(ctx, url, func() { _, failure = tf.apply(ctx) })
	if failure != nil {
		return fmt.Errorf("apply: %w", failure)
	}
	if url, err = s.answers(ctx, tf, release); err != nil {
		return err
	}
	s.say("Guestbook %s answers at %s", release, url)
	fmt.Fprintf(s.out, "  %s\n\nTry next: make quickstart-break, make quickstart (back to 1.0.0), make quickstart-clean\n", met)
	return nil
}

// breakIt tries a release that cannot work: it succeeds when the apply fails for
// the reason it should and what served before still does.
func (s *story) breakIt(ctx context.Context, release string) error {
	tf, url, before, err := s.running(ctx, release)
	if err != nil {
		return err
	}
	s.say("Guestbook %s serves at %s; trying %s, which never becomes healthy", before, url, release)
	var said string
	var failure error
	met := visitWhile(ctx, url, func() { said, failure = tf.apply(ctx) })
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := failedAsItShould(said, failure); err != nil {
		return err
	}
	after, err := visit(ctx, url)
	if err != nil {
		return fmt.Errorf("the apply failed as it should, but nothing serves any more: %w", err)
	}
	if after != before {
		return fmt.Errorf("the apply failed as it should, but %s serves instead of %s", after, before)
	}
	s.say("The apply failed, as it should, and guestbook %s still answers at %s", after, url)
	fmt.Fprintf(s.out, "  %s\n\nTry next: make quickstart-upgrade, make quickstart, make quickstart-clean\n", met)
	return nil
}

// failedAsItShould holds when an apply failed because of the broken release's
// health check, which answers 503, and not for any other reason.
func failedAsItShould(said string, failure error) error {
	switch {
	case failure == nil:
		return errors.New("the apply succeeded, although the release is broken")
	case !strings.Contains(said, "503"):
		return fmt.Errorf("the apply failed for another reason than the health check that answers 503: %w", failure)
	}
	return nil
}

// clean removes the deployment, then everything that the quickstart made.
func (s *story) clean(ctx context.Context) error {
	if _, err := os.Stat(s.layout.state()); err == nil {
		tf, err := s.terraform(ctx, "1.0.0")
		if err != nil {
			return err
		}
		s.say("Removing the guestbook")
		if err := tf.destroy(ctx); err != nil {
			return fmt.Errorf("destroy: %w; nothing else was removed", err)
		}
	}
	if err := stopRegistry(ctx, s.layout); err != nil {
		return err
	}
	for _, path := range append(s.layout.leftovers(), s.layout.run) {
		if err := removeAll(path); err != nil {
			return err
		}
	}
	s.say("Nothing of the quickstart is left")
	return nil
}

// running prepares the release and answers what serves before it.
func (s *story) running(ctx context.Context, release string) (tf terraform, url, serving string, err error) {
	if _, err := os.Stat(s.layout.state()); err != nil {
		return terraform{}, "", "", errors.New("nothing is deployed yet: run `make quickstart` first")
	}
	if tf, err = s.prepare(ctx, release); err != nil {
		return terraform{}, "", "", err
	}
	if url, err = tf.url(ctx); err != nil {
		return terraform{}, "", "", err
	}
	if serving, err = visit(ctx, url); err != nil {
		return terraform{}, "", "", fmt.Errorf("the guestbook does not answer, run `make quickstart`: %w", err)
	}
	return tf, url, serving, nil
}

// prepare brings registry, images and provider in place.
func (s *story) prepare(ctx context.Context, release string) (terraform, error) {
	if err := os.MkdirAll(s.layout.run, 0o755); err != nil {
		return terraform{}, err
	}
	address, err := startRegistry(ctx, s.layout)
	if err != nil {
		return terraform{}, err
	}
	s.say("Images in the registry at %s", address)
	if err := publish(ctx, s.layout, s.out); err != nil {
		return terraform{}, err
	}
	return s.terraform(ctx, release)
}

// terraform answers Terraform set up for the release.
func (s *story) terraform(ctx context.Context, release string) (terraform, error) {
	program, err := findTerraform(ctx, s.program)
	if err != nil {
		return terraform{}, err
	}
	password, err := s.layout.password()
	if err != nil {
		return terraform{}, err
	}
	// The registry may be gone when all that is wanted is to destroy.
	address := cmp.Or(s.layout.address(), "127.0.0.1:5000")
	tf := terraform{program: program, layout: s.layout, out: s.out, vars: map[string]string{
		"release": release, "registry": address, "registry_password": password,
	}}
	if err := tf.configure(); err != nil {
		return terraform{}, err
	}
	if err := s.writeEnvironment(release, address); err != nil {
		return terraform{}, err
	}
	return tf, tf.init(ctx)
}

// answers opens the page where the outputs say, and wants the release there.
func (s *story) answers(ctx context.Context, tf terraform, release string) (string, error) {
	url, err := tf.url(ctx)
	if err != nil {
		return "", err
	}
	shown, err := visit(ctx, url)
	if err != nil {
		return "", fmt.Errorf("the guestbook does not answer: %w", err)
	}
	if shown != release {
		return "", fmt.Errorf("%s shows release %s instead of %s", url, shown, release)
	}
	return url, nil
}

// writeEnvironment leaves a file to source for who wants to go on by hand. The
// password stays in its own file.
func (s *story) writeEnvironment(release, address string) error {
	lines := fmt.Sprintf(`export CHECKPOINT_DISABLE=1
export TF_CLI_CONFIG_FILE='%s'
export TF_VAR_release='%s'
export TF_VAR_registry='%s'
export TF_VAR_registry_password="$(cat '%s')"
`, s.layout.cliConfig(), release, address, s.layout.passwordFile())
	return os.WriteFile(s.layout.environment(), []byte(lines), 0o600)
}

func (s *story) say(format string, args ...any) {
	fmt.Fprintf(s.out, "\n==> "+format+"\n", args...)
}
