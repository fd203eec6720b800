// Package image reads OCI references, finds the credentials that fit them, and
// asks registries about images. Package cache below it keeps unpacked images for
// local nodes.
//
// A pinned image is the text "registry/name:tag@sha256:…": the tag says what a
// person asked for, the digest says what runs.
package image
