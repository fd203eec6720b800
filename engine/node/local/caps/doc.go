// Package caps decides which Linux capabilities the processes of an instance may
// ever have, and takes the others away from a thread.
package caps
