// Package tree copies directories as they are: content, owners, modes, times,
// extended attributes, hard links and holes. It is for directories that nobody
// changes meanwhile.
package tree
