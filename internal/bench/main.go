// Command bench measures the product against programs that do nothing but what
// cannot be left out, and prints ratios of one run: each round measures one side
// right after the other, and medians decide. Only ratios say anything; these
// machines are shared, and their times swing tenfold. CPU time stands beside wall
// time, of all processes that took part.
//
//	deploy   W1: components brought up on a local node, against bare processes
//	first    W5: the first healthy instance, and a chain of five
//	traffic  W3: upgrades under load through the node's ingress; kamal, compose and
//	         docker-peer-traffic: the same with peers
//	start    one cached instance, and one supervisor
//	plan     W2: unchanged versions, against the smallest framework provider
//	docker-… the same on a private Docker Engine, against the bare calls to it: W1
//	         deploy, W5 first, W2 plan, W3 traffic, W4 bad, W6 kill, and peer with another provider
//	memory   peaks of the provider and of a supervisor
//	schema   W2 again, against the floor with our schema; only when it is named
//
// The images, the registry, the engines and their nodes live in a temporary
// directory that is removed at the end, also after Ctrl-C.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
)

// options are what the user chose.
type options struct {
	only       string // names of workloads, separated by commas; "" = all
	rounds     int
	scales     sizes  // numbers of components
	planned    sizes  // numbers of containers to plan
	containers sizes  // the same on a Docker Engine
	resources  sizes  // numbers of resources, the smallest first
	tf         string // terraform or tofu, "" = whichever is on PATH
	profile    string // file for the CPU profile of this process while it deploys, "" = none
}

// sizes are numbers on the command line, separated by commas.
type sizes []int

func (s *sizes) String() string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(*s)), ","), "[]")
}

func (s *sizes) Set(text string) error {
	*s = nil
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a number above 0", part)
		}
		*s = append(*s, n)
	}
	return nil
}

func main() {
	local.Main() // the engine starts this program again as the supervisor of each deployment
	o := options{scales: sizes{20, 50}, containers: sizes{50}, planned: sizes{100}, resources: sizes{100, 1000}}
	flag.StringVar(&o.only, "only", "", "workloads to run, separated by commas, such as deploy,docker-plan (default all but schema)")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each side is measured")
	flag.Var(&o.scales, "components", "numbers of components to deploy")
	flag.Var(&o.containers, "containers", "numbers of containers to deploy")
	flag.Var(&o.planned, "planned", "numbers of running containers to plan")
	flag.Var(&o.resources, "resources", "numbers of resources to plan")
	flag.StringVar(&o.tf, "tf", os.Getenv("TF"), "terraform or tofu (default: whichever is on PATH)")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the engine while it deploys to this file")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends at once
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
