// Package load puts a constant load on the test application and tells what became
// of every request, to prove that none is lost while its instances change.
//
// Requests are sent when they are due, whatever became of those before: a stall
// shows as latency and errors, not as fewer requests. Nothing is asked twice
// without being counted, see Report.Raced.
package load
