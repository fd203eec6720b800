// Package inside opens paths inside a directory as if that were the root: no
// symbolic link and no ".." leads out of it, whoever made them, and links of the
// kernel's own (as /proc/1/root) are not followed at all.
package inside
