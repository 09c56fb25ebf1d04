//go:build !unix

package vault

import "io/fs"

// tooOpen: other systems do not say it in the mode.
func tooOpen(fs.FileMode) bool { return false }
