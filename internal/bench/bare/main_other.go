//go:build !linux

package main

import "log"

func main() { log.Fatal("there are no namespaces but on Linux") }
