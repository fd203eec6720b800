package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// bad is a version that must not come to serve.
type bad struct {
	name      string
	env       map[string]string
	resources *engine.Resources
	goal      string // of the verdict
}

// The deadline bounds those that only time can tell.
const (
	badDeadline = "5s"
	badHealthy  = "2s"
)

var badVersions = []bad{
	{"crash at start", map[string]string{"EXIT_NOW": "3", "EXIT_LINES": "one|two"}, nil, "<= 1 s"},
	{"out of memory", map[string]string{"OOM": "256Mi"}, &engine.Resources{Memory: "32Mi"}, "<= 1 s"},
	{"healthy, then dead", map[string]string{"DIE_AFTER": "1s"}, nil, "1 s after it started"},
	{"sick", map[string]string{"HEALTH": "fail"}, nil, "the deadline, " + badDeadline},
	{"wrong port", map[string]string{"LISTEN": ":9999"}, nil, "the deadline, " + badDeadline},
	{"slow", map[string]string{"HEALTHY_AFTER": "60s"}, nil, "the deadline, " + badDeadline},
}

// dockerBad is workload W4 on a Docker Engine.
func (b *bench) dockerBad(ctx context.Context) (err error) {
	d, err := b.openDocker(ctx)
	if err != nil {
		return err
	}
	host, _, _ := strings.Cut(b.image, "/")
	image, err := b.publish(ctx, host+"/bench/trial:1", "/internal/testimage/app")
	if err != nil {
		return err
	}
	version := func(name string, bad bad) (engine.Version, error) {
		return d.version(ctx, name, map[string]engine.Component{"web": {
			Image: image, Env: bad.env, Resources: bad.resources,
			HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: appPort, Path: "/healthz"}}},
		}})
	}
	good, err := version("good", bad{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.remove(ctx, environmentID, "bad")) }()
	if err := d.create(ctx, environmentID, good.Ref, "bad"); err != nil {
		return err
	}
	for i, v := range badVersions {
		made, err := version(fmt.Sprintf("bad%d", i), v)
		if err != nil {
			return err
		}
		if err := b.badUpdate(ctx, d, v, made.Ref); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
	}
	return nil
}

// badUpdate tries one, and tells what became of it.
func (b *bench) badUpdate(ctx context.Context, d *dockerWorld, v bad, ref string) error {
	before, err := d.idOf(ctx, "bad-web-")
	if err != nil {
		return err
	}
	asker := askAll(ctx, before.address)
	update := wanted(environmentID, ref, "bad")
	update.Strategy.MinHealthyTime, update.Strategy.ProgressDeadline = badHealthy, badDeadline
	began := time.Now()
	_, failed := d.UpdateDeployment(ctx, update, nil)
	took := time.Since(began)
	asked, lost := asker.stop()
	var told *engine.RolloutError
	if !errors.As(failed, &told) {
		return fmt.Errorf("it did not fail as a rollout does: %w", failed)
	}
	after, err := d.idOf(ctx, "bad-web-")
	if err != nil {
		return err
	}
	serves := "the old container serves on"
	if after != before {
		serves = "ANOTHER CONTAINER SERVES"
	}
	b.line("  %-20s verdict after %9s, all over after %9s; %d of %d requests lost; %s; %d last lines; goal %s",
		v.name, duration(d.proving.last()), duration(took), lost, asked, serves, len(told.LogLines), v.goal)
	return nil
}

// running is a container and where it is.
type running struct{ id, address string }

// idOf finds the only container whose name begins so.
func (d *dockerWorld) idOf(ctx context.Context, name string) (running, error) {
	list, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("name", "^/?"+name)})
	if err != nil {
		return running{}, err
	}
	if len(list.Items) != 1 {
		return running{}, fmt.Errorf("there are %d containers %s*, want one", len(list.Items), name)
	}
	for _, joined := range list.Items[0].NetworkSettings.Networks {
		return running{list.Items[0].ID, net.JoinHostPort(joined.IPAddress.String(), fmt.Sprint(appPort))}, nil
	}
	return running{}, errors.New("it is in no network")
}

// asker asks without a pause, one request after the other.
type asker struct {
	cancel      context.CancelFunc
	done        chan struct{}
	asked, lost int
}

func askAll(ctx context.Context, address string) *asker {
	ctx, cancel := context.WithCancel(ctx)
	a := &asker{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			a.asked++
			if !answers(address) {
				a.lost++
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
	}()
	return a
}

func (a *asker) stop() (asked, lost int) {
	a.cancel()
	<-a.done
	return a.asked, a.lost
}

var asking = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func answers(address string) bool {
	answer, err := asking.Get("http://" + address + "/healthz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
