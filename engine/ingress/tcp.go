package ingress

import "fmt"

// addTCP adds a listener whose connections go to the instances as they are.
func (c *routing) addTCP(s Site) {
	name := fmt.Sprintf("tcp/%d", s.Route.ListenPort)
	if len(s.Backends) == 0 || c.tcp[name] != nil {
		return
	}
	var upstreams []object
	for _, b := range s.Backends {
		upstreams = append(upstreams, object{"dial": []string{literal(b.Address)}})
	}
	proxy := object{
		"handler": "proxy", "upstreams": upstreams,
		"load_balancing": object{"selection": object{"policy": "round_robin"}, "try_duration": "5s", "try_interval": "20ms"},
	}
	if len(s.Backends) > 1 {
		proxy["health_checks"] = object{"passive": object{"fail_duration": "250ms", "max_fails": 1}}
	}
	c.tcp[name] = object{
		"listen": []string{fmt.Sprintf("tcp/:%d", s.Route.ListenPort)},
		"routes": []object{{"handle": []object{proxy}}},
	}
}
