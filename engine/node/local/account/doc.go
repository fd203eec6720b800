// Package account finds users and groups in an image's own /etc/passwd and /etc/group.
package account
