package ingress

import (
	"fmt"
	"slices"
)

// addTCP adds a listener whose connections go to the instances as they are. While
// a canary is tried it gets none: nobody could tell how it does.
func (c *routing) addTCP(s Site) {
	name := fmt.Sprintf("tcp/%d", s.Route.ListenPort)
	if len(s.Backends) == 0 || c.tcp[name] != nil {
		return
	}
	backends := slices.DeleteFunc(slices.Clone(s.Backends), func(b Backend) bool { return b.Canary })
	if len(backends) == 0 {
		backends = s.Backends
	}
	var upstreams []object
	for _, b := range backends {
		upstreams = append(upstreams, object{"dial": []string{literal(b.Address)}})
	}
	proxy := object{
		"handler": "proxy", "upstreams": upstreams,
		"load_balancing": object{"selection": object{"policy": "round_robin"}, "try_duration": "5s", "try_interval": "20ms"},
	}
	if len(backends) > 1 {
		proxy["health_checks"] = object{"passive": object{"fail_duration": "250ms", "max_fails": 1}}
	}
	c.tcp[name] = object{
		"listen": []string{fmt.Sprintf("tcp/:%d", s.Route.ListenPort)},
		"routes": []object{{"handle": []object{proxy}}},
	}
}
