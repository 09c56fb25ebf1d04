//go:build unix

package vault

import "io/fs"

// tooOpen reports whether a key file may be read by others.
func tooOpen(mode fs.FileMode) bool { return mode.Perm()&0o077 != 0 }
