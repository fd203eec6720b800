package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/bare/order"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	if err := run(in); err != nil {
		log.Fatal(err)
	}
	fmt.Println(order.Healthy)
	_, _ = io.Copy(io.Discard, in) // until the caller is gone, too
}

func run(in *bufio.Reader) error {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var o order.Order
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	if err := ownMounts(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if o.Chain {
		return inTurn(ctx, o)
	}
	return atOnce(ctx, o)
}

// patience is how long all of an order may take: what never becomes healthy
// shall be told.
const patience = 5 * time.Minute

// ownMounts leaves the machine's mounts, and shows the processes of this pid
// namespace: the ids of children are written through /proc.
func ownMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("leaving the machine's mounts: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	return nil
}

func atOnce(ctx context.Context, o order.Order) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range o.Count {
		group.Go(func() error { return bring(ctx, o, i) })
	}
	return group.Wait()
}

func inTurn(ctx context.Context, o order.Order) error {
	for i := range o.Count {
		if err := bring(ctx, o, i); err != nil {
			return err
		}
	}
	return nil
}

// bring starts one program and waits until it is healthy.
func bring(ctx context.Context, o order.Order, number int) error {
	p, err := start(o, number)
	if err != nil {
		return fmt.Errorf("starting number %d: %w", number, err)
	}
	defer p.network.Close()
	if err := prove(ctx, p, o.Port); err != nil {
		return fmt.Errorf("number %d: %w", number, err)
	}
	return nil
}
