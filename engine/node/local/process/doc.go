// Package process starts the processes of instances without a helper program: a
// thread of the supervisor moves into the instance's namespaces, and forks and
// executes the workload from there. The thread ends with that, so nothing of the
// supervisor ever runs inside an instance.
package process
