//go:build !unix

package console

// watchSize: other systems send no signal; the size is read with each card.
func watchSize(func()) (stop func()) { return func() {} }
