// Package state is what a local node keeps on disk: where everything lies under
// the node's root, and the small JSON files that tell what an instance is, what
// it should do and what it does. Files are replaced atomically, so a reader sees
// the old content or the new one, and a crash leaves one of them.
package state
