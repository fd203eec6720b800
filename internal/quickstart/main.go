package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

const usage = `usage: quickstart [-run DIR] [-example DIR] [-tf PROGRAM] up|upgrade|break|clean`

func main() {
	var (
		run     = flag.String("run", ".run", "directory of everything that the quickstart makes")
		example = flag.String("example", "examples/quickstart", "directory of the configuration")
		tf      = flag.String("tf", "", "terraform or tofu; empty: whichever is found on PATH")
	)
	flag.Usage = func() { fmt.Fprintln(os.Stderr, usage) }
	flag.Parse()

	// Terraform receives an interrupt by itself and ends in order; this program
	// then ends with it, and not before.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	if err := command(ctx, flag.Arg(0), *run, *example, *tf); err != nil {
		stop()
		fmt.Fprintf(os.Stderr, "\nquickstart: %v\n", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, name, run, example, tf string) error {
	l, err := newLayout(run, example)
	if err != nil {
		return err
	}
	if name == "serve" {
		return serve(ctx, l)
	}
	if runtime.GOOS != "linux" {
		return errors.New("the quickstart deploys to a local node, and those need Linux")
	}
	s := &story{layout: l, out: os.Stdout, program: tf}
	switch name {
	case "up":
		return s.up(ctx, "1.0.0")
	case "upgrade":
		return s.upgrade(ctx, "1.1.0")
	case "break":
		return s.breakIt(ctx, "2.0.0-broken")
	case "clean":
		return s.clean(ctx)
	default:
		return errors.New(usage)
	}
}
